"""cycles: on dates of the calendar a balance is turned into vouchers, money or another balance,
is paid out, or goes to a partner's programme.

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
from kantis.core.knobs import Kind, Knob, Node, Reader, Wrong, suggest
from kantis.core.lots import Balance, open_lots, take
from kantis.core.lots import issue as bring
from kantis.core.phrases import (
    MONTHS,
    SOME,
    TEXT,
    TITLE,
    WEEKDAYS,
    YES,
    Quantity,
    list_of,
    text_of,
    word,
)
from kantis.core.places import EXPIRED, REDEEMED, VOUCHER
from kantis.core.rates import WORTH, Worth
from kantis.core.turn import Turn

REASON = "cycles"


class Dates(Struct, frozen=True):
    """The dates of a cycle: a day of the month in some months, or the day so many months
    ``before`` the end of each membership year, or a ``weekday`` of each week."""

    day: int
    months: tuple[int, ...]
    before: int = -1
    weekday: int = -1

    def following(self, day: int, joined: int) -> int:
        """The first such date after a day, for a member who joined on a day."""
        if self.weekday >= 0:
            return day + 1 + (self.weekday - calendar.weekday(day + 1)) % 7
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
    if isinstance(node.value, str) and node.value in WEEKDAYS:
        return Dates(0, (), weekday=WEEKDAYS.index(node.value))
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
    "[1st of February, 1st of May] | 1st of every month | Monday | 2 months before the end of the"
    " membership year",
    ("1st of every month",),
)


class Most(Struct, frozen=True):
    """At most so many points: a fixed number, or the one that the member has chosen."""

    amount: int = 0
    choice: str = ""

    def of(self, turn: Turn, points: int) -> int:
        """What it leaves of a number of points; a member who has not chosen has no limit."""
        if self.choice:
            chosen = turn.choice(self.choice)
            return min(points, int(chosen)) if chosen.isdigit() else points
        return min(points, self.amount)


def _most(node: Node, reader: Reader) -> Most:
    text = text_of(node)
    if not text.startswith("chosen "):
        return Most(SOME.read(node, reader).amount)
    choice, known = text[7:], reader.names.get("choices", [])
    if choice not in known:
        message = f"There is no choice {choice!r}. {suggest(choice, known)}"
        raise Wrong("unknown-choice", message, node, 7)
    return Most(choice=choice)


MOST = Kind("most", _most, "3000 points | chosen choice", ("3000 points",))

DECLARED_LATER = Worth(0, 1, "")


def _worth(node: Node, reader: Reader) -> Worth:
    if node.value == "declared later":
        return DECLARED_LATER
    found: Worth = WORTH.read(node, reader)
    return found


CYCLE_WORTH = Kind(WORTH.name, _worth, f"{WORTH.looks} | declared later", WORTH.examples)


class CycleSection(Struct, frozen=True, kw_only=True):
    """A cycle: when, what it takes, what it makes of it, and what happens to the rest."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    every: Annotated[Dates, Knob(DATES, "the dates on which it runs")]
    least: Annotated[Quantity, Knob(SOME, "the fewest points that it turns")]
    step: Annotated[Quantity | None, Knob(SOME, "points go in steps of")] = None
    up_to: Annotated[Most | None, Knob(MOST, "the most points that it turns")] = None
    earned: Annotated[
        str,
        Knob(
            word("at any time", "in the year before"),
            "when the points were earned that it turns; a year is a calendar year",
        ),
    ] = "at any time"
    worth: Annotated[Worth | None, Knob(CYCLE_WORTH, "what they make; until then it waits")] = None
    voucher: Annotated[str, Knob(TEXT, "the kind of voucher that it issues")] = ""
    one_per_step: Annotated[bool, Knob(YES, "whether each step makes a voucher of its own")] = False
    pays_out: Annotated[str, Knob(TEXT, "the payout that it pays money to")] = ""
    exchanges: Annotated[str, Knob(TEXT, "the partner to whose programme they go, in lots")] = ""
    rest: Annotated[str, Knob(word("carries", "dies"), "what happens to what is left")] = "carries"
    who: Annotated[Who | None, Knob(WHO, "the members that are meant")] = None


def due(cycles: dict[str, CycleSection], account: Account, days: Calendar) -> int:
    """The next date of a cycle."""
    first = NEVER
    for name, cycle in cycles.items():
        since = account.cycles.get(name, account.joined)
        if since and cycle.worth is not DECLARED_LATER:
            first = min(first, days.start(cycle.every.following(since, account.joined)))
    return first


class Makers(Struct, frozen=True):
    """What makes something of points, in other rooms.

    ``issue`` issues a voucher: (turn, kind, worth, balance, points, number) -> its code.
    ``pay`` pays out: (payout, turn, balance, points, worth). ``exchange`` lets whole lots of
    so many points go to a partner's programme: (partner, turn, balance, points) -> how many went.
    """

    issue: Callable[..., str]
    pay: Callable[..., None]
    exchange: Callable[..., int]


def run(
    cycles: dict[str, CycleSection],
    balances: dict[str, Balance],
    turn: Turn,
    makers: Makers,
) -> None:
    """Run the cycles whose date has come, oldest date first."""
    for name, cycle in cycles.items():
        since = turn.account.cycles.get(name, turn.account.joined)
        if not since or cycle.worth is DECLARED_LATER:
            continue
        while (date := cycle.every.following(since, turn.account.joined)) <= turn.day:
            # what was declared late is made up for year by year, each with its own points
            since = turn.day if cycle.earned == "at any time" else date
            turn.change("cycle", name, since)
            if cycle.who is None or not check_who(cycle.who, turn):
                _turn_points(cycle, balances, turn, makers, date)


def _meant(cycle: CycleSection, balance: Balance, turn: Turn, date: int) -> set[int] | None:
    """The lots that a cycle turns at a date; nothing said of them means all."""
    if cycle.earned == "at any time":
        return None
    this = calendar.window_start("year", date)
    last = calendar.window_start("year", this - 1)
    return {lot.id for lot in open_lots(turn, balance) if last <= lot.bucket < this}


def _turn_points(
    cycle: CycleSection, balances: dict[str, Balance], turn: Turn, makers: Makers, date: int
) -> None:
    balance = balances[cycle.least.unit]
    lots = _meant(cycle, balance, turn, date)
    points = sum(
        lot.available for lot in open_lots(turn, balance) if lots is None or lot.id in lots
    )
    most = cycle.up_to.of(turn, points) if cycle.up_to is not None else points
    step = cycle.step.amount if cycle.step is not None else 1
    turned = most - most % step if points >= cycle.least.amount else 0
    if turned and cycle.exchanges:
        turned = makers.exchange(cycle.exchanges, turn, balance, turned)
    elif turned and cycle.pays_out:
        makers.pay(cycle.pays_out, turn, balance, turned, cycle.worth, lots)
    elif turned:
        made = cycle.worth or Worth(1, 1, balance.name)
        worth = divide(turned * made.money, made.points, "down")
        target = VOUCHER if cycle.voucher else REDEEMED
        take(turn, balance, turned, target, REASON, only=lots)
        if cycle.voucher:
            count = turned // step if cycle.one_per_step else 1
            for number, part in enumerate(share(worth, [1] * count), 1):
                points_of = turned // count
                makers.issue(
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
        take(turn, balance, points - turned, EXPIRED, REASON, only=lots)
