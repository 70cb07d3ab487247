"""Habits: what a year in a program would bring somebody, from how often they come.

Guarantee: the figures come from the same ``decide`` that runs at the till, on purchases of a
made-up year that nobody records. As in ``fit``, each reward is taken as soon as it can be had,
and something that is given is worth what an item costs.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from kantis.core.calendar import DAY_MS
from kantis.core.events import Event, Line, Purchase
from kantis.core.places import AVAILABLE, HELD, PENDING
from kantis.desk.fit import Trial
from kantis.engine.program import Program

MONTHS: Final = 12
_YEAR_MS: Final = 364 * DAY_MS
#: More visits than one a day are nobody's habit.
VISITS_MAX: Final = 31


class Year(Struct, frozen=True):
    """What a year would bring, money in minor units; ``left`` is what is open at its end, by
    balance. ``plan`` is the paid membership that it was reckoned with."""

    spent: int
    got: int
    fees: int
    left: dict[str, int]
    plan: str = ""


def year(
    program: Program, since: int, visits: int, amount: int, category: str = "", plan: str = ""
) -> Year:
    """A year of so many visits a month, each with one item for an amount, from an instant on."""
    count = min(visits, VISITS_MAX) * MONTHS
    item = Line("1", "", 1, amount, category=category)
    events = [
        Event("year", str(n), since + n * _YEAR_MS // count, "year", Purchase((item,)))
        for n in range(count)
    ]
    trial = Trial(program, amount, (plan,) if plan else ())
    trial.play(events)
    got, fees, account = trial.only()
    left = {
        name: purse[AVAILABLE] + purse[PENDING] + purse[HELD]
        for name, purse in account.purse.items()
    }
    return Year(amount * count, got, fees, {name: n for name, n in left.items() if n > 0}, plan)


def years(program: Program, since: int, visits: int, amount: int, category: str = "") -> list[Year]:
    """The year without a paid membership, and with each that there is."""
    plans = ("", *program.plan(since).plans.sections)
    return [year(program, since, visits, amount, category, each) for each in plans]
