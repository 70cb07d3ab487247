"""Designs: what the card of a program looks like, in the books; the newest one only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

TABLES: Final = """
CREATE TABLE card_design (
    program {int} PRIMARY KEY,
    name {text} NOT NULL,
    ground {int} NOT NULL CHECK (ground BETWEEN 0 AND 16777215),
    ink {int} NOT NULL CHECK (ink BETWEEN 0 AND 16777215),
    logo {bytes} NOT NULL,
    kind {text} NOT NULL,
    width {int} NOT NULL,
    height {int} NOT NULL
){end};
"""


class DesignRow(NamedTuple):
    """What a card looks like: its name (empty: that of the program), its colours as 0xRRGGBB,
    and a logo with its media type and its size in pixels (empty: none)."""

    program: int
    name: str
    ground: int
    ink: int
    logo: bytes
    kind: str
    width: int
    height: int


_ROW: Final = ", ".join(DesignRow._fields)


def design(books: Reading, program: int) -> DesignRow | None:
    """The design of a program's card, if it has one."""
    found = books.rows(f"SELECT {_ROW} FROM card_design WHERE program = ?", (program,))
    return DesignRow._make(found[0]) if found else None


def keep(books: Books, row: DesignRow) -> None:
    """Write a design in the place of the one before."""
    books.execute("DELETE FROM card_design WHERE program = ?", (row.program,))
    books.insert("card_design", row._asdict())
