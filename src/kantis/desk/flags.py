"""Flags: what a person should look at, and events that could not be decided.

Guarantee: nothing disappears by itself. A flag stands until somebody says that it was looked
at, and an event that was set aside until it is decided; who did either is in the audit log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kantis.desk.audit import By, record
from kantis.desk.chores import chore
from kantis.desk.recorded import flag_of, noted
from kantis.store.books import Books
from kantis.store.reading import EVENT, OPEN, Reading
from kantis.store.rows import EventRow, FlagRow
from kantis.store.schema import BAD

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

#: What is marked, by its code. Any other code is the one of a rule's "no" to what has happened.
MEANINGS: Final = {
    "card-blocked": "A blocked card was used",
    "card-replaced": "A card was used that another one has taken the place of",
    "many-at-once": "It would have brought more rewards at once than can be meant",
    "merge-own-referral": "Somebody had invited themselves",
    "merge-two-plans": "A member had the same plan on both cards",
    "shortage": "More was spent than there was",
    "time stands still": "Time cannot pass for this account",
    "time-out-of-range": "It came with a time that cannot be",
    "unknown-partner": "It names a partner that the program does not have",
}
OTHERWISE: Final = "It happened, and could not be booked as it was told"
#: Letters of what somebody says they did about it.
REMARK_MAX: Final = 500
#: So many events that were set aside are told.
_BAD_MAX: Final = 1_000
_OPEN: Final = (
    "FROM flag f LEFT JOIN account a ON a.id = f.account LEFT JOIN event e ON e.key = f.event "
    "WHERE f.cleared IS NULL AND coalesce(a.program, e.program) = ?"
)


def meaning(flag: str) -> str:
    """What a flag means; what stands behind its colon is for whoever looks after the machine.

    >>> meaning("shortage"), meaning("time stands still: KeyError")
    ('More was spent than there was', 'Time cannot pass for this account')
    """
    return MEANINGS.get(flag.partition(":")[0], OTHERWISE)


def of_program(books: Reading, program: int, most: int, above: int = 0) -> list[FlagRow]:
    """Open flags of a program with a number above that one, the oldest first."""
    found = books.rows(
        f"SELECT {', '.join(f'f.{name}' for name in FlagRow._fields)} {_OPEN} "
        "AND f.n > ? ORDER BY f.n LIMIT ?",
        (program, above, most),
    )
    return list(map(FlagRow._make, found))


def set_aside(books: Reading, program: int) -> list[EventRow]:
    """Events of a program that could not be decided, the oldest first."""
    found = books.rows(
        f"SELECT {EVENT} FROM event e WHERE state = ? AND {OPEN} AND program = ? "
        "ORDER BY n LIMIT ?",
        (BAD, program, _BAD_MAX),
    )
    return list(map(EventRow._make, found))


def count(books: Reading, program: int) -> int:
    """How many flags of a program are open, and events of it set aside."""
    flags = books.one(f"SELECT count(*) {_OPEN}", (program,))
    aside = books.one(
        f"SELECT count(*) FROM event WHERE state = ? AND {OPEN} AND program = ?", (BAD, program)
    )
    return int(flags) + int(aside)


def clear(desk: Desk | RemoteDesk, program: int, number: int, by: By, remark: str = "") -> bool:
    """Say that somebody has looked at a flag, and what came of it; ``False`` where there is no
    such open flag in the program."""
    said = remark.strip()[:REMARK_MAX]
    return bool(desk.chore("clear_flag", program, number, [by.who, by.name], said))


def again(desk: Desk | RemoteDesk, program: int, key: str, by: By) -> bool:
    """Let an event that was set aside be decided by the next batch; ``False`` where there is
    none of that key in the program.

    An ask is not tried again: whoever asked has gone home.
    """
    return bool(desk.chore("try_again", program, key, [by.who, by.name]))


@chore
def clear_flag(
    books: Books, now: int, program: int, number: int, by: list[str], remark: str
) -> bool:
    """Somebody has looked at a flag."""
    found = of_program(books, program, 1, number - 1)
    if not found or found[0].n != number:
        return False
    books.clear_flag(number, now)
    row = found[0]
    about = row.event or str(row.account)
    record(books, now, By(*by), program, "look", about, flag=row.flag, remark=remark)
    return True


@chore
def try_again(books: Books, now: int, program: int, key: str, by: list[str]) -> bool:
    """Let an event that was set aside be decided by the next batch."""
    rows = [row for row in books.events([key]) if row.program == program and not row.ask]
    if not any(books.retry(row.n, noted(flag_of(row.note), "tried again")) for row in rows):
        return False
    record(books, now, By(*by), program, "again", key)
    return True
