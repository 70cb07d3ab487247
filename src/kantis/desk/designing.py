"""Designing: the name, the colours and the logo on the card of a program.

Guarantee: what stands on the card can be read: its colours differ by at least 4.5 to 1, as WCAG
2.2 (1.4.3) asks. A logo is looked through before it is kept (see ``pictures``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kantis.core.knobs import Fault, ProgramError
from kantis.desk import pictures
from kantis.desk.audit import By, record
from kantis.desk.chores import chore_alone
from kantis.desk.pictures import Picture
from kantis.store import designs
from kantis.store.books import Books
from kantis.store.designs import DesignRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

NAME_MAX: Final = 40
#: The colours of a card that nobody has designed.
GROUND: Final = 0x0B5D4E
INK: Final = 0xFFFFFF
#: The least that colours differ, in hundredths.
CONTRAST_MIN: Final = 450
_WHITE: Final = 0xFFFFFF


def contrast(one: int, other: int) -> int:
    """How much two colours differ, in hundredths, rounded down; 21 to 1 is the most.

    >>> contrast(0x000000, 0xFFFFFF), contrast(0x767676, 0xFFFFFF), contrast(0xFF0000, 0xFF0000)
    (2100, 454, 100)
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return int((lighter + 0.05) / (darker + 0.05) * 100 + 1e-9)


def readable(ground: int) -> int:
    """Black or white, whichever is read better on a ground.

    >>> hex(readable(0x0B5D4E)), hex(readable(0xFFDD00))
    ('0xffffff', '0x0')
    """
    return _WHITE if contrast(_WHITE, ground) >= contrast(0, ground) else 0


def _luminance(colour: int) -> float:
    """The relative luminance of a colour (WCAG 2.2)."""
    parts = [(colour >> shift & 0xFF) / 255 for shift in (16, 8, 0)]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def put(
    desk: Desk | RemoteDesk, program: int, name: str, ground: int, ink: int, logo: bytes | None,
    by: By,
) -> None:  # fmt: skip
    """Another design from now on; without a ``logo`` the one that is there stays, and with an
    empty one there is none. ``ProgramError`` says what is wrong."""
    name = " ".join(name.split())
    if len(name) > NAME_MAX or not name.isprintable():
        raise ProgramError([Fault("bad-name", f"A name has at most {NAME_MAX} letters.")])
    if contrast(ground, ink) < CONTRAST_MIN:
        better = f"On this ground take #{readable(ground):06x}."
        sentence = f"These colours differ too little to be read. {better}"
        raise ProgramError([Fault("low-contrast", sentence)])
    picture = pictures.checked(logo) if logo else Picture(b"", "", 0, 0)
    about = picture.data, picture.kind, picture.width, picture.height, logo is None
    desk.chore("keep_design", program, name, ground, ink, *about, [by.who, by.name])


@chore_alone
def keep_design(
    books: Books, now: int, program: int, name: str, ground: int, ink: int, logo: bytes, kind: str,
    width: int, height: int, same: bool, by: list[str],
) -> bool:  # fmt: skip
    """Write a design down; ``False`` where it was there."""
    before = designs.design(books, program)
    picture = logo, kind, width, height
    if same and before is not None:
        picture = before.logo, before.kind, before.width, before.height
    row = DesignRow(program, name, ground, ink, *picture)
    if row == before:
        return False
    designs.keep(books, row)
    said = {"name": name, "ground": f"#{ground:06x}", "ink": f"#{ink:06x}", "logo": row.kind}
    record(books, now, By(*by), program, "design", name, **said)
    return True
