"""Lately: which accounts a job has to look at again, where most have not changed.

Guarantee: an account is left out only if nothing can be found on it that was not found before:
it has no entry since, nor one that was ahead of the clock then; the day is the same, and so are
the program and what is looked for. With a new day all accounts are looked at, for terms and spans
go by days. A look that was stopped is begun anew; what it had found is found again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from kantis.desk.chores import chore
from kantis.store import looked as rows
from kantis.store.books import Books
from kantis.store.looked import LookedRow
from kantis.store.reading import ACCOUNT, Reading
from kantis.store.rows import AccountRow

if TYPE_CHECKING:
    from kantis.desk.programs import Home
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

#: Accounts that are read together.
STEP: Final = 200
#: More entries than a service takes in the two minutes by which an event may be ahead.
_LATEST: Final = 500_000


class Look(Struct, frozen=True):
    """A look at the accounts of a program: those that changed, or all of them (none is named)."""

    program: int
    row: LookedRow
    accounts: list[int] | None


def begin(
    books: Reading, home: Home, what: str, about: str, now: int, upto: int | None = None
) -> Look:
    """What has to be looked at now. ``upto`` is the last entry that is known well enough; else
    it is the last under a checkpoint, below which nothing comes any more."""
    if upto is None:
        upto = books.last_checkpoint().entry
    plan = home.program.plan(now)
    about = f"{plan.version} of {len(home.program.versions)}\n{about}"
    last = rows.looked(books, what)
    known = last.entry if last is not None and last.entry <= upto else max(0, upto - _LATEST)
    ahead = rows.ahead(books, known, upto, now)  # a clock of a till goes before ours
    row = LookedRow(what, about, ahead - 1 if ahead else upto, plan.calendar.day(now))
    if last is None or (last.about, last.day) != (row.about, row.day) or upto < last.entry:
        return Look(home.number, row, None)
    return Look(home.number, row, rows.changed(books, home.number, last.entry, upto))


def pages(books: Books, look: Look) -> Iterator[list[AccountRow]]:
    """The accounts to look at, some at a time."""
    above, rest = 0, look.accounts
    while rest is None or rest:
        if rest is None:
            found: list[Any] = books.rows(
                f"SELECT {ACCOUNT} FROM account a WHERE program = ? AND id > ? ORDER BY id LIMIT ?",
                (look.program, above, STEP),
            )
            if not found:
                return
            page = list(map(AccountRow._make, found))
            above = page[-1].id
        else:
            numbers, rest = rest[:STEP], rest[STEP:]
            page = books.accounts(numbers)
        if page:
            yield page


def end(desk: Desk | RemoteDesk, look: Look) -> None:
    """All of them were looked at."""
    desk.chore("looked_at", list(look.row))


@chore
def looked_at(books: Books, _: int, row: list[Any]) -> None:
    """Write down how far a job has looked."""
    rows.write(books, LookedRow._make(row))
