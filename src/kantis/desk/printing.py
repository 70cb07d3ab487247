"""Printing: batches of card numbers for a printer, and the cards of them that are given.

Guarantee: a number is printed once, and is that of no card that is there: it is drawn and
written while nobody else writes, and whoever gets a new number elsewhere gets none that is
printed. A card of a batch does nothing until it is given to a member. The numbers are drawn
from the range of the program and do not follow each other, so whoever has one of a batch
cannot guess another one. Of a blocked batch no card works, given or not, for ever.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from kantis.core.knobs import Fault, ProgramError
from kantis.desk.audit import By, alone, record
from kantis.desk.vault.cards import number
from kantis.store import printing as rows
from kantis.store.books import Books
from kantis.store.printing import BatchRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

SIZE_MAX: Final = 10_000
_NAME_MAX: Final = 60
_SECRET_BYTES: Final = 16


def make(desk: Desk, program: int, name: str, size: int, by: By) -> int:
    """A batch of new numbers; its number. ``ProgramError`` says what is wrong."""
    name = name.strip()
    if not 0 < len(name) <= _NAME_MAX or not name.isprintable():
        raise ProgramError([Fault("bad-name", "A batch has a name of at most 60 letters.")])
    if not 0 < size <= SIZE_MAX:
        raise ProgramError([Fault("bad-size", f"A batch has 1 to {SIZE_MAX} cards.")])
    now = desk.clock()
    with alone(desk) as books:
        tokens = _drawn(books, program, size)
        row = BatchRow(0, program, name, size, now, by.who, None)
        made = rows.add_batch(books, row, tokens)
        record(books, now, by, program, "cards", str(made), what="made", name=name, size=size)
    return made


def _drawn(books: Books, program: int, size: int) -> list[str]:
    """So many numbers that are nobody's and were never printed."""
    found: set[str] = set()
    while len(found) < size:
        fresh = {number(program, secrets.token_bytes(_SECRET_BYTES)) for _ in range(size)}
        taken = rows.printed(books, program, sorted(fresh))
        taken |= {token for _, token in books.cards([(program, each) for each in sorted(fresh)])}
        found |= fresh - taken
    return sorted(found)[:size]


def block(desk: Desk, row: BatchRow, by: By) -> int:
    """No card of a batch works any more; how many that stops. Again it changes nothing."""
    now = desk.clock()
    with alone(desk) as books:
        found = rows.batch(books, row.number)
        if found is None or found.blocked is not None:
            return 0
        stopped = rows.block(books, found, now, by.who)
        record(
            books, now, by, row.program, "cards", str(row.number), what="blocked", stopped=stopped
        )
    with desk.quiet():
        desk.homes.stops.forget()
    return stopped


def took(desk: Desk, row: BatchRow, by: By) -> None:
    """Write down that somebody takes the numbers of a batch out, before they do."""
    with alone(desk) as books:
        record(books, desk.clock(), by, row.program, "cards", str(row.number), what="taken out")
