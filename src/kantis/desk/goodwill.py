"""Goodwill: points that a cashier gives for something that went wrong, within a budget.

Guarantee: a cashier gives no more than the budget of the day and of the month, at whatever
tills they stand and however many presses come at once: what was given is summed up, and the
next gift written, while nobody else writes. Above it nothing is given, and nothing waits.
Each gift is an adjustment with its reason, stands in the audit log, and is booked once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from kantis.core.calendar import window_start
from kantis.core.knobs import Fault, ProgramError
from kantis.desk.adjusting import CONSOLE, Asked, Wrong, same_again
from kantis.desk.audit import By, alone, record
from kantis.desk.programs import Home
from kantis.store import allowances, byhand, hands
from kantis.store.reading import Reading
from kantis.store.rows import AdjustmentRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

#: The allowances: what a press gives, and what a cashier gives at most.
USUAL: Final = "goodwill"
DAY: Final = "goodwill a day"
MONTH: Final = "goodwill a month"
#: Why no more is given.
SPENT_DAY: Final = "goodwill-spent-today"
SPENT_MONTH: Final = "goodwill-spent-this-month"
NONE: Final = "no-goodwill"

_MOST: Final = 10**12


class Budget(Struct, frozen=True):
    """What a cashier may give of a balance: with one press, in a day and in a month."""

    balance: str = ""
    usual: int = 0
    day: int = 0
    month: int = 0


class Left(Struct, frozen=True):
    """A budget, and what is left of it for somebody now."""

    budget: Budget
    today: int
    this_month: int

    @property
    def now(self) -> int:
        """The most that can be given now.

        >>> Left(Budget("points", 10, 50, 500), 20, 5).now
        5
        """
        return max(0, min(self.today, self.this_month))


def budget(books: Reading, program: int) -> Budget:
    """The budget of a program; an empty one where there is none."""
    found = allowances.allowances(books, program)
    if USUAL not in found:
        return Budget()
    unit, usual = found[USUAL]
    return Budget(unit, usual, found[DAY][1], found[MONTH][1])


def set_budget(desk: Desk, home: Home, wanted: Budget, by: By) -> None:
    """Another budget from now on; none with an empty one. ``ProgramError`` where it cannot be."""
    amounts = wanted.usual, wanted.day, wanted.month
    if wanted.balance:
        known = home.program.plan(desk.clock()).balances
        if wanted.balance not in known:
            raise ProgramError([Fault("bad-balance", "The program has no such balance.")])
        if not 0 < amounts[0] <= amounts[1] <= amounts[2] <= _MOST:
            sentence = "A press gives no more than a day allows, and a day no more than a month."
            raise ProgramError([Fault("bad-budget", sentence)])
    with alone(desk) as books:
        for name, amount in zip((USUAL, DAY, MONTH), amounts, strict=True):
            amount = amount if wanted.balance else 0
            allowances.allow(books, home.number, name, wanted.balance, amount)
        said = {"balance": wanted.balance, "usual": wanted.usual, "day": wanted.day}
        record(
            books, desk.clock(), by, home.number, "allow", "goodwill", **said, month=wanted.month
        )


def left(books: Reading, home: Home, who: str, now: int) -> Left:
    """What is left for somebody now."""
    found, days = budget(books, home.number), home.program.calendar
    today = days.day(now)
    said = home.number, who, found.balance
    own = CONSOLE + who  # what they adjust in the console has limits of its own
    given = [
        hands.given_by(books, *said, days.start(since), byhand.ALONE, own)
        for since in (today, window_start("month", today))
    ]
    return Left(found, found.day - given[0], found.month - given[1])


def give(desk: Desk, by: By, home: Home, asked: Asked) -> AdjustmentRow:
    """Record a gift; the same again is the same one. ``Wrong`` says why nothing is given."""
    now = desk.clock()
    with alone(desk) as books:
        found = hands.adjustment(books, key=asked.key)
        if found is None:
            _check(left(books, home, by.who, now), asked)
            given = asked.subject, asked.balance, asked.amount, asked.reason
            row = AdjustmentRow(
                0, asked.key, home.number, asked.source, by.who, *given, now, byhand.ALONE, None,
                None, None, 0,
            )  # fmt: skip
            hands.add_adjustment(books, row)
            found = hands.adjustment(books, key=asked.key)
            assert found is not None
            said = {"event": asked.key, "subject": asked.subject, "balance": asked.balance}
            record(
                books, now, by, home.number, "goodwill", str(found.n), **said,
                amount=asked.amount, reason=asked.reason,
            )  # fmt: skip
    return same_again(found, asked)


def _check(there: Left, asked: Asked) -> None:
    if not there.budget.balance or asked.balance != there.budget.balance:
        raise Wrong(NONE)
    if asked.amount <= 0 or asked.amount > there.this_month:
        raise Wrong(SPENT_MONTH)
    if asked.amount > there.today:
        raise Wrong(SPENT_DAY)
