"""balances: what members collect, when it becomes available, and when it dies.

A balance is named by its unit ("points", "stamps"). Its points come in lots; a lot has
one end. An end that is fixed when the points are earned is written into the lot; an end
that depends on activity is worked out from the account's clock each time, so that a
change of terms can reach points that are there already.

>>> reader = Reader()
>>> expiry = EXPIRES.read(node("12 months after earning"), reader)
>>> calendar.show_day(expiry.fixed(calendar.day("2024-02-29")))
'2025-02-28'
>>> expiry = EXPIRES.read(node("6 months after the month of earning"), reader)
>>> calendar.show_day(expiry.fixed(calendar.day("2020-12-15")))
'2021-07-01'
>>> expiry = EXPIRES.read(node("on the first 30 September on or after 36 months"), reader)
>>> calendar.show_day(expiry.fixed(calendar.day("2023-07-05")))
'2026-10-01'
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated

from msgspec import Struct

from kantis.core import calendar
from kantis.core.account import NEVER, Account, add_wait
from kantis.core.amounts import Unit
from kantis.core.calendar import Calendar
from kantis.core.conditions import WHO, Who, check_who
from kantis.core.knobs import Kind, Knob, Node, Reader, Wrong, node
from kantis.core.lots import Balance, Clock, forfeited, repay, stop_waiting
from kantis.core.phrases import (
    MONTHS,
    TEXT,
    TITLE,
    WHOLE,
    Duration,
    lasting,
    list_of,
    one_of,
    text_of,
    word,
)
from kantis.core.places import AVAILABLE, EXPIRED, OWED, PENDING
from kantis.core.postings import ripen
from kantis.core.records import Lot
from kantis.core.turn import Turn

__all__ = ["EXPIRES", "BalanceSection", "Reader", "node"]

ACTIVATION = "activation"
EXPIRY = "expiry"
LOST = "lost"


class Expiry(Struct, frozen=True):
    """When points of a balance die: a fixed end, a clock of activity, or both; the first counts."""

    age: Duration | None = None
    from_month_end: bool = False
    date: tuple[int, int] = (0, 0)
    year_ends: int = -1
    clock: Clock | None = None

    def fixed(self, day: int) -> int:
        """The first day without points that were earned on the day; 0 where none is fixed."""
        if self.year_ends >= 0:
            end = calendar.window_end("year", day)
            return calendar.add_months(end, 12 * self.year_ends)
        if self.age is None:
            return 0
        start = calendar.window_end("month", day) if self.from_month_end else day
        aged = later(start, self.age)
        if self.date != (0, 0):
            return calendar.next_yearly(aged, *self.date) + 1
        return aged


def later(day: int, length: Duration) -> int:
    """The day so much later; months and years keep the day of the month, clipped to its end."""
    if length.unit == "day":
        return day + length.count
    if length.unit == "week":
        return day + 7 * length.count
    return calendar.add_months(day, length.count * (12 if length.unit == "year" else 1))


_FIXED = re.compile(r"(.+) after (earning|the month of earning)")
_DATED = re.compile(rf"on the first (\d+) ({'|'.join(MONTHS)}) on or after (.+)")
_YEARS = {
    "at the end of the year of earning": 0,
    "at the end of the next year": 1,
    "at the end of the second next year": 2,
}
_IDLE = re.compile(r"all after (.+) without (earning|redeeming|earning or redeeming|activity)")
_SLIDING = re.compile(
    r"all at the end of the (\d+)(?:st|nd|rd|th) month"
    r" after the last (earning|redeeming|earning or redeeming|activity)"
)
_SIGNS = {
    "earning": ("earning",),
    "redeeming": ("redeeming",),
    "earning or redeeming": ("earning", "redeeming"),
    "activity": ("earning", "redeeming", "purchase", "activity"),
}
_LOOKS = (
    "never | 12 months after earning | 6 months after the month of earning | on the first"
    " 30 September on or after 36 months | at the end of the next year | all after 18 months"
    " without earning or redeeming | all at the end of the 6th month after the last earning"
)


def _one_expiry(node: Node) -> Expiry:
    text = text_of(node)
    if text == "never":
        return Expiry()
    if text in _YEARS:
        return Expiry(year_ends=_YEARS[text])
    if match := _DATED.fullmatch(text):
        date = (MONTHS.index(match[2]) + 1, int(match[1]))
        try:
            calendar.day(f"2024-{date[0]:02}-{date[1]:02}")
        except ValueError as error:
            message = f"There is no {match[1]} {match[2]}. Write a day that this month has."
            raise Wrong("date-expected", message, node, match.start(1)) from error
        return Expiry(age=lasting(match[3], node, match.start(3)), date=date)
    if (match := _SLIDING.fullmatch(text)) and 1 <= int(match[1]) <= 1_200:
        return Expiry(clock=Clock(int(match[1]), _SIGNS[match[2]], to_month_end=True))
    if match := _IDLE.fullmatch(text):
        idle, signs = lasting(match[1], node, match.start(1)), _SIGNS[match[2]]
        if idle.unit in ("day", "week"):
            return Expiry(
                clock=Clock(0, signs, days=idle.count * (7 if idle.unit == "week" else 1))
            )
        return Expiry(clock=Clock(idle.count * (12 if idle.unit == "year" else 1), signs))
    if match := _FIXED.fullmatch(text):
        age = lasting(match[1], node)
        return Expiry(age=age, from_month_end=match[2] != "earning")
    if match := re.fullmatch(r"(?:after |in )?([1-9]\d* (?:day|week|month|year)s?)", text):
        message = (
            f"{text!r} does not say from when it counts. Write '{match[1]} after earning', or"
            f" 'all after {match[1]} without earning or redeeming'."
        )
        raise Wrong("unknown-expiry", message, node)
    raise Wrong("unknown-expiry", f"{text!r} is no expiry. Write one of: {_LOOKS}.", node)


def _expiry(node: Node, reader: Reader) -> Expiry:
    parts = [_one_expiry(each) for each in list_of(node)]
    if len(parts) > 2 or (len(parts) == 2 and (parts[0].clock is None) == (parts[1].clock is None)):
        message = "Points have one fixed end and one clock of activity at most."
        raise Wrong("too-many-ends", message, node)
    if len(parts) == 2:
        fixed, clock = sorted(parts, key=lambda part: part.clock is not None)
        return Expiry(fixed.age, fixed.from_month_end, fixed.date, fixed.year_ends, clock.clock)
    return parts[0]


EXPIRES = Kind("expiry", _expiry, _LOOKS, ("12 months after earning", "never"))


SIGNS = Kind(
    "signs of life",
    lambda node, reader: _SIGNS[one_of(node, tuple(_SIGNS))],
    " | ".join(_SIGNS),
    ("activity",),
)


class BalanceSection(Struct, frozen=True, kw_only=True):
    """A balance: its unit, its decimals, its end, and which points burn first."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    one: Annotated[str, Knob(TEXT, "one of it")] = ""
    decimals: Annotated[int, Knob(WHOLE, "digits behind the point", limits="0 to 4")] = 0
    expires: Annotated[Expiry, Knob(EXPIRES, "when its points die")] = Expiry()
    kept_while: Annotated[Who | None, Knob(WHO, "members whose points do not die")] = None
    lost_unless: Annotated[
        Who | None, Knob(WHO, "members who may have it; anybody else loses all of it")
    ] = None
    pushed_on_by: Annotated[
        tuple[str, ...] | None,
        Knob(SIGNS, "what keeps points that would die at the end of the month a month longer"),
    ] = None
    burns_first: Annotated[
        str, Knob(word("soonest expiry", "oldest earning"), "which points are spent first")
    ] = "soonest expiry"


def unit_of(name: str, tree: Node) -> Unit:
    """The unit of a balance, before its section is read: phrases need it."""
    decimals = one = ""
    if isinstance(tree.value, dict):
        fields = {key: child.value for key, child in tree.value.items()}
        decimals, one = fields.get("decimals", "0"), fields.get("one", "")
    singular = one or (name[:-1] if name.endswith("s") else name)
    scale = int(decimals) if isinstance(decimals, str) and decimals.isdigit() else 0
    return Unit(name, min(scale, 4), one=singular)


def compile_balance(section: BalanceSection, unit: Unit, shortage: str, grace_days: int) -> Balance:
    """The policy of a balance, ready for use."""
    expires, kept, only = section.expires, section.kept_while, section.lost_unless
    return Balance(
        name=section.name,
        unit=unit,
        monthly=expires.from_month_end,
        fixed=lru_cache(maxsize=4096)(expires.fixed),
        clock=expires.clock,
        kept=None if kept is None else lambda turn: not check_who(kept, turn),
        lost=None if only is None else lambda turn: bool(check_who(only, turn)),
        pushes=section.pushed_on_by or (),
        oldest_first=section.burns_first == "oldest earning",
        shortage=shortage,
        grace_days=grace_days,
    )


def _lose(turn: Turn, lot: Lot) -> None:
    """Everything of a lot that is not held is gone at once."""
    gone = lot.available + lot.pending
    if lot.pending:
        stop_waiting(turn, lot.id, lot.pending)
        turn.post(lot.balance, PENDING, EXPIRED, lot.pending, lot.id, LOST)
    if lot.available:
        turn.post(lot.balance, AVAILABLE, EXPIRED, lot.available, lot.id, LOST)
    turn.notice("expired", lot.balance, gone)


def lose(balances: dict[str, Balance], turn: Turn) -> None:
    """Members who may not have a balance any longer lose all of it."""
    for lot in list(turn.account.lots.values()):
        balance = balances[lot.balance]
        if (lot.available or lot.pending) and balance.lost is not None and balance.lost(turn):
            _lose(turn, lot)


def touch(balances: dict[str, Balance], turn: Turn, sign: str, only: str = "") -> None:
    """A sign of life moves the clocks that listen to it; a late one never moves them back."""
    for name, balance in balances.items():
        clock = balance.clock
        if sign in balance.pushes and (not only or only == name):
            _push_on(balance, turn)
        if clock is None or sign not in clock.kinds or (only and only != name):
            continue
        if turn.account.touched.get(name, 0) < turn.day:
            turn.change("touch", name, turn.day)
            turn.wake_on(clock.expires(turn.day))
        if turn.late and turn.account.lost:
            _restore(balance, turn)


def _push_on(balance: Balance, turn: Turn) -> None:
    """What would die at the end of the month of the event lives to the end of the next one."""
    end = calendar.window_end("month", turn.day)
    if end <= turn.calendar.day(turn.at):
        return
    for lot in list(turn.account.lots.values()):
        if lot.balance == balance.name and lot.open and lot.expires == end:
            later_end = calendar.window_end("month", end)
            turn.change("dates", lot.id, later_end)
            turn.wake_on(later_end)


def due(balances: dict[str, Balance], account: Account, days: Calendar, after: int) -> int:
    """The next instant at which points die; when they open stands in ``waiting``.

    Points that outlive their end because the member is protected are looked at whenever
    something else is due, so their end is no reason to wake up once it lies behind.
    """
    soonest = 0
    for lot in account.lots.values():
        if lot.available or lot.pending:
            balance = balances[lot.balance]
            end = lot.expires if balance.clock is None else end_of(balance, account, lot.expires)
            sooner = end and (not soonest or end < soonest)
            if sooner and (balance.kept is None or days.start(end) > after):
                soonest = end
    return days.start(soonest) if soonest else NEVER


def end_of(balance: Balance, account: Account, expires: int) -> int:
    """The first day without the points: the earlier of their fixed end and the clock's."""
    clock = balance.clock
    if clock is None:
        return expires
    touched = account.touched.get(balance.name, account.joined)
    end = clock.expires(touched) if touched else 0
    return min(expires, end) if expires and end else expires or end


def activate(balances: dict[str, Balance], turn: Turn) -> None:
    """Open the points whose waiting is over."""
    account, decision = turn.account, turn.decision
    waiting = account.waiting
    while waiting and waiting[0][0] <= turn.moment:
        opens, lot_id, amount = waiting[0]
        waits = ("wait", opens, lot_id, -amount)
        add_wait(account, waits)
        decision.changes.append(waits)
        lot = account.lots[lot_id]
        name = lot.balance
        purse = ripen(account, name, amount, lot)
        decision.postings.append((name, PENDING, AVAILABLE, amount, lot_id, ACTIVATION))
        if purse[OWED]:
            repay(turn, balances[name], lot_id, ACTIVATION)


def run(balances: dict[str, Balance], turn: Turn) -> None:
    """Open what is due to open, then let die what is due to die."""
    activate(balances, turn)
    today = turn.day
    for lot in list(turn.account.lots.values()):
        if not (lot.available or lot.pending):
            continue
        balance = balances[lot.balance]
        if balance.lost is not None and balance.lost(turn):
            _lose(turn, lot)
            continue
        end = lot.expires if balance.clock is None else end_of(balance, turn.account, lot.expires)
        if not end or end > today:
            continue
        if balance.kept is not None and balance.kept(turn):
            continue
        idle = end != lot.expires
        available, pending = lot.available, lot.pending
        stop_waiting(turn, lot.id, lot.pending)
        for place in (PENDING, AVAILABLE):
            part = lot.pending if place == PENDING else lot.available
            if part:
                turn.post(balance.name, place, EXPIRED, part, lot.id, EXPIRY)
        if idle:
            day, more, waits = turn.account.lost.get(lot.id, (0, 0, 0))
            if day == end:  # a part of it was held until now
                more, waits = more + available, waits + pending
            else:
                more, waits = available, pending
            turn.change("lost", lot.id, end, more, waits)
        turn.notice("expired", balance.name, available + pending)


def _restore(balance: Balance, turn: Turn) -> None:
    """A late sign of life gives back what its absence took: each lot by a posting of its own.

    Only an expiry that lies behind the event could have been prevented by it.
    """
    account, name = turn.account, balance.name
    for lot_id, (day, available, pending) in list(account.lost.items()):
        lot = account.lots.get(lot_id)
        if lot is None or lot.balance != name or turn.day >= day:
            continue
        end = end_of(balance, account, lot.expires)
        if end and end <= turn.calendar.day(turn.at):
            continue
        gone = lot.expired - forfeited(turn, lot_id)
        waits = min(pending, gone) if lot.group else 0
        part = min(available + pending - waits, gone - waits)
        if waits:
            turn.post(name, EXPIRED, PENDING, waits, lot_id, EXPIRY)
        if part:
            turn.post(name, EXPIRED, AVAILABLE, part, lot_id, EXPIRY)
            repay(turn, balance, lot_id, EXPIRY)
        if end:
            turn.wake_on(end)
        turn.change("lost", lot_id, 0, 0, 0)
