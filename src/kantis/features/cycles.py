"""cycles: on dates of the calendar a balance is turned into vouchers, money or another balance.

Guarantee: a cycle runs once per date and account; it takes whole steps at a minimum, and
the rest stays (or dies, if the program says so), so that points before = points turned
+ points left.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated

from msgspec import Struct

from kantis.core import calendar
from kantis.core.account import NEVER, Account
from kantis.core.amounts import divide, share
from kantis.core.calendar import Calendar
from kantis.core.conditions import WHO, Who, check_who
from kantis.core.knobs import Kind, Knob, Node, Reader, Wrong
from kantis.core.lots import Balance, take
from kantis.core.lots import issue as bring
from kantis.core.phrases import (
    MONTHS,
    SOME,
    TEXT,
    TITLE,
    YES,
    Quantity,
    list_of,
    text_of,
    word,
)
from kantis.core.places import AVAILABLE, EXPIRED, PAYOUT, REDEEMED, VOUCHER
from kantis.core.rates import WORTH, Worth
from kantis.core.turn import Turn

REASON = "cycles"


class Dates(Struct, frozen=True):
    """The dates of a cycle: a day of the month in some months, or the day so many months
    ``before`` the end of each membership year."""

    day: int
    months: tuple[int, ...]
    before: int = -1

    def following(self, day: int, joined: int) -> int:
        """The first such date after a day, for a member who joined on a day."""
        if self.before < 0:
            return _following(self, day)
        years = calendar.years_between(joined, day)
        dates = (calendar.add_months(joined, 12 * n - self.before) for n in (years, years + 1))
        return next((date for date in dates if date > day), 0) or calendar.add_months(
            joined, 12 * (years + 2) - self.before
        )

    def find(self, day: int) -> int:
        """The first such date after a day, worked out."""
        year, month = calendar.month_of(day)
        start = calendar.window_start("month", day)
        for ahead in range(26):
            first = calendar.add_months(start, ahead)
            if (month - 1 + ahead) % 12 + 1 in self.months:
                date = min(first + self.day - 1, calendar.window_end("month", first) - 1)
                if date > day:
                    return date
        raise AssertionError(f"no date of the cycle in two years after {year}")


_following = lru_cache(maxsize=4096)(Dates.find)

_ON = re.compile(r"(\d+)(?:st|nd|rd|th) of (.+)")


_BEFORE = re.compile(r"(?:(\d+) months? before )?the end of the membership year")


def _dates(node: Node, reader: Reader) -> Dates:
    if isinstance(node.value, str) and (match := _BEFORE.fullmatch(node.value)):
        before = int(match[1] or 0)
        if before >= 12:
            raise Wrong("too-long", "A membership year has twelve months.", node)
        return Dates(0, (), before)
    months: list[int] = []
    days = set()
    for each in list_of(node):
        match = _ON.fullmatch(text_of(each))
        if not match:
            message = "Write dates as '1st of February' or '1st of every month'."
            raise Wrong("dates-expected", message, each)
        days.add(int(match[1]))
        if match[2] == "every month":
            months += range(1, 13)
        elif match[2] in MONTHS:
            months.append(MONTHS.index(match[2]) + 1)
        else:
            raise Wrong("unknown-month", f"{match[2]!r} is no month.", each)
    if len(days) != 1 or not 1 <= min(days) <= 31:
        raise Wrong("days-differ", "A cycle is on the same day of each of its months.", node)
    return Dates(days.pop(), tuple(sorted(set(months))))


DATES = Kind(
    "dates of a cycle",
    _dates,
    "[1st of February, 1st of May] | 1st of every month | 2 months before the end of the"
    " membership year",
    ("1st of every month",),
)


class CycleSection(Struct, frozen=True, kw_only=True):
    """A cycle: when, what it takes, what it makes of it, and what happens to the rest."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    every: Annotated[Dates, Knob(DATES, "the dates on which it runs")]
    least: Annotated[Quantity, Knob(SOME, "the fewest points that it turns")]
    step: Annotated[Quantity | None, Knob(SOME, "points go in steps of")] = None
    worth: Annotated[Worth | None, Knob(WORTH, "what they make")] = None
    voucher: Annotated[str, Knob(TEXT, "the kind of voucher that it issues")] = ""
    one_per_step: Annotated[bool, Knob(YES, "whether each step makes a voucher of its own")] = False
    pays_out: Annotated[bool, Knob(YES, "whether it pays money, not a voucher")] = False
    rest: Annotated[str, Knob(word("carries", "dies"), "what happens to what is left")] = "carries"
    who: Annotated[Who | None, Knob(WHO, "the members that are meant")] = None


def due(cycles: dict[str, CycleSection], account: Account, days: Calendar) -> int:
    """The next date of a cycle."""
    first = NEVER
    for name, cycle in cycles.items():
        since = account.cycles.get(name, account.joined)
        if since:
            first = min(first, days.start(cycle.every.following(since, account.joined)))
    return first


#: Issues a voucher: (turn, kind, worth, balance, points, number) -> its code.
Issue = Callable[..., str]


def run(
    cycles: dict[str, CycleSection],
    balances: dict[str, Balance],
    turn: Turn,
    issue: Issue,
) -> None:
    """Run the cycles whose date has come, oldest date first."""
    for name, cycle in cycles.items():
        since = turn.account.cycles.get(name, turn.account.joined)
        if not since or cycle.every.following(since, turn.account.joined) > turn.day:
            continue
        turn.change("cycle", name, turn.day)
        if cycle.who is not None and check_who(cycle.who, turn):
            continue
        _turn_points(cycle, balances, turn, issue)


def _turn_points(
    cycle: CycleSection, balances: dict[str, Balance], turn: Turn, issue: Issue
) -> None:
    balance = balances[cycle.least.unit]
    purse = turn.account.purse.get(balance.name)
    points = purse[AVAILABLE] if purse is not None else 0
    step = cycle.step.amount if cycle.step is not None else 1
    turned = points - points % step if points >= cycle.least.amount else 0
    if turned:
        made = cycle.worth or Worth(1, 1, balance.name)
        worth = divide(turned * made.money, made.points, "down")
        target = PAYOUT if cycle.pays_out else VOUCHER if cycle.voucher else REDEEMED
        take(turn, balance, turned, target, REASON)
        if cycle.voucher:
            count = turned // step if cycle.one_per_step else 1
            for number, part in enumerate(share(worth, [1] * count), 1):
                points_of = turned // count
                issue(
                    turn,
                    cycle.voucher,
                    worth=part,
                    balance=balance.name,
                    points=points_of,
                    number=number,
                )
        elif made.into:
            bring(turn, balances[made.into], worth, REASON)
        turn.decision.fired.append((cycle.name, balance.name, points, turned, 0, worth))
    if cycle.rest == "dies" and points > turned:
        take(turn, balance, points - turned, EXPIRED, REASON)
