"""Tills: a device is paired by a code, and a cashier stands at it with a PIN.

Guarantee: a till is a key of the scope ``till``, bound to one program, perhaps one location,
and a source of its own; whoever revokes the key has unpaired the device. A code pairs one
device, within a quarter of an hour. A PIN is six digits that nobody chose; it is good at a
paired device only, five wrong ones close it there for a quarter of an hour, and after ten
minutes without a page the cashier shows it again.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct

from kantis.core.knobs import Fault, ProgramError
from kantis.desk import keys, tries
from kantis.desk.audit import By, alone, record
from kantis.desk.codes import code_of, digest, grouped, new_code
from kantis.desk.staff import TRIES_MAX, Staff, shown
from kantis.store import staff as people
from kantis.store import tills as rows
from kantis.store.reading import Reading
from kantis.store.tills import PairingRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

SCOPE: Final = "till"
#: A code pairs a device for so long after it was made.
PAIR_MS: Final = 15 * 60_000
#: So long without a page, and the cashier shows the PIN again.
IDLE_MS: Final = 10 * 60_000
#: Who may stand at a till.
ROLES: Final = frozenset({"owner", "manager", "support", "cashier"})
PIN_DIGITS: Final = 6

_CODE_LETTERS: Final = 8
_PAIR_TRIES_MAX: Final = 20
_SEEN_EVERY_MS: Final = 60_000
_WORD_LETTERS_MAX: Final = 60
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Standing(Struct, frozen=True):
    """Who stands at a till, and whether that is to be written down again."""

    cashier: Staff | None
    stale: bool


def offer(desk: Desk, program: int, name: str, location: str, by: By) -> str:
    """A code that pairs a device; it is shown once. ``ProgramError`` says what is wrong."""
    name, location = name.strip(), location.strip()
    if not 0 < len(name) <= _WORD_LETTERS_MAX or not name.isprintable():
        raise ProgramError([Fault("bad-name", "A till has a name of at most 60 letters.")])
    if len(location) > _WORD_LETTERS_MAX or not location.isprintable():
        raise ProgramError([Fault("bad-location", "A location has at most 60 letters.")])
    code = new_code(_CODE_LETTERS)
    now = desk.clock()
    with alone(desk) as books:
        row = PairingRow(digest(f"pair {code}"), program, name, location, now + PAIR_MS)
        rows.add_pairing(books, row, now)
        record(books, now, by, program, "pair", name, location=location)
    return grouped(code)


def pair(desk: Desk, typed: str, whence: str) -> str:
    """The key of a device that shows a code; empty where the code does not hold (any more).

    ``whence`` is where the device calls from: so many wrong codes come from there at most.
    """
    now, subject = desk.clock(), digest(f"pair from {whence}")
    secret, prefix = keys.fresh()
    with alone(desk) as books:
        tried = tries.count(books, now, {subject: _PAIR_TRIES_MAX})
        found = rows.take_pairing(books, digest(f"pair {code_of(typed)}"), now) if tried else None
        if found is None:
            return ""
        people.take_back(books, tried)
        names = {number: name for name, number in books.programs().items()}
        source = _source(found.name, {each.source for each in books.all_keys()})
        about = found.name, names[found.program], SCOPE, source, found.location
        keys.insert(books, now, prefix, digest(secret), about, keys.UNLIMITED, By("pairing", ""))
        rows.add_till(books, prefix, now)
    desk.keyring.forget()
    return secret


def _source(name: str, taken: set[str]) -> str:
    """A source of its own for a till of that name."""
    word = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "counter"
    word = word if word.startswith("till") else f"till-{word}"
    number = 1
    while (source := word if number == 1 else f"{word}-{number}") in taken:
        number += 1
    return source


# ── who stands at it ─────────────────────────────────────────────────────────


def cashiers(books: Reading, program: int) -> list[Staff]:
    """Who may stand at the tills of a program."""
    return [
        shown(row)
        for row in people.all_staff(books)
        if row.ended is None and row.role in ROLES and row.program in (0, program)
    ]


def give_pin(desk: Desk, program: int, number: int, by: By) -> str:
    """A new PIN for somebody; it is shown once. Empty where they cannot stand at a till here."""
    pin = "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
    with alone(desk) as books:
        found = next((each for each in cashiers(books, program) if each.number == number), None)
        if found is None:
            return ""
        rows.set_pin(books, number, _HASHER.hash(pin))
        record(books, desk.clock(), by, program, "pin", found.login)
    return pin


def standing(books: Reading, key: str, program: int, now: int) -> Standing | None:
    """Who stands at the till that has a key; ``None`` where the key is that of no till."""
    row = rows.till(books, key)
    if row is None:
        return None
    if not row.staff or now - row.seen > IDLE_MS:
        return Standing(None, stale=False)
    found = next((each for each in cashiers(books, program) if each.number == row.staff), None)
    return Standing(found, stale=now - row.seen >= _SEEN_EVERY_MS)


def enter(desk: Desk, key: str, program: int, number: int, pin: str) -> str:
    """Let a cashier in; the code of why not, or nothing."""
    now, subject = desk.clock(), digest(f"pin {key} {number}")
    with alone(desk) as books:
        if not tries.may_try(books, now, subject, TRIES_MAX):
            return "too-many-tries"
        may = number in {each.number for each in cashiers(books, program)}
        hashed = rows.pins(books).get(number, "") if may else ""
    if not _fits(hashed, pin):
        return "wrong-pin"
    with alone(desk) as books:
        people.forget_tries(books, subject)
        rows.stand_at(books, key, number, desk.clock())
    return ""


def stand(desk: Desk, key: str, number: int) -> None:
    """Somebody stands at a till now, or goes on standing there; nobody with 0."""
    with alone(desk) as books:
        rows.stand_at(books, key, number, desk.clock())


def _fits(hashed: str, pin: str) -> bool:
    try:
        return _HASHER.verify(hashed, pin[:PIN_DIGITS])
    except (VerificationError, InvalidHashError):
        return False
