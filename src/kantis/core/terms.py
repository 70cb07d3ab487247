"""Terms: what a plan costs and for how long, what comes back of it, and what it brings.

>>> reader = Reader(money("USD"))
>>> fees = FEES.read(node(["14.99 USD per month", "139.00 USD per year"]), reader)
>>> [(fee.period, fee.amount) for fee in fees]
[('month', 1499), ('year', 13900)]
>>> BACK.read(node("full within 48 hours"), reader)
Back(share='full', within=Duration(count=48, unit='hour'), unused=False)
"""

from __future__ import annotations

import re

from msgspec import Struct

from kantis.core import calendar
from kantis.core.amounts import Unit, divide, money
from kantis.core.knobs import Kind, Node, Reader, Wrong, node, suggest
from kantis.core.membership import Membership, end_of_term, term_end
from kantis.core.phrases import Duration, duration, list_of, quantity, text_of

__all__ = ["BACK", "BONUS", "FEES", "Reader", "Unit", "money", "node"]


class Fee(Struct, frozen=True):
    """What a term costs, in minor units of money; the period names the term."""

    period: str
    length: Duration
    amount: int


_FEE = re.compile(r"(.+) per (?:(\d+) )?(day|week|month|year)s?")


def _fee(node: Node, reader: Reader) -> Fee:
    text = text_of(node)
    match = _FEE.fullmatch(text)
    if not match:
        message = f"{text!r} is no fee. Write for example 14.99 USD per month."
        raise Wrong("fee-expected", message, node)
    amount = quantity(match[1], node, reader)
    if not reader.money or amount.unit != reader.money.name:
        raise Wrong("money-expected", f"{match[1]!r} is not an amount of money.", node)
    length = Duration(int(match[2] or 1), match[3])
    if not length.count:
        raise Wrong("per-nothing", f"{text!r} is for no time at all.", node)
    period = match[3] if length.count == 1 else f"{length.count} {match[3]}s"
    return Fee(period, length, amount.amount)


def _fees(node: Node, reader: Reader) -> tuple[Fee, ...]:
    fees = tuple(_fee(each, reader) for each in list_of(node))
    periods = [fee.period for fee in fees]
    if len(set(periods)) != len(periods) or not periods:
        raise Wrong("fees-differ", "Each period has one fee.", node)
    return fees


FEES = Kind(
    "fees",
    _fees,
    "60.00 USD per year | [14.99 USD per month, 139.00 USD per year]",
    ("60.00 USD per year", "[14.99 USD per month, 139.00 USD per year]"),
)


class Back(Struct, frozen=True):
    """What comes back of the fee of the term in which a member gives up a plan: ``none``,
    ``full`` or ``pro rata``; the first two conditions of it, where there are any."""

    share: str = "none"
    within: Duration | None = None
    unused: bool = False

    def of(self, now: Membership, moment: int, day: int, charged: int, how: str) -> int:
        """What comes back of the fee of a term that was charged on a day, in minor units."""
        if self.share == "none" or (self.unused and now.used):
            return 0
        if self.within is not None:
            length, minutes = self.within, {"minute": 1, "hour": 60}.get(self.within.unit)
            if minutes is not None:
                late = moment > now.charged + length.count * minutes * calendar.MINUTE_MS
            else:
                late = day > end_of_term(charged, length)
            if late:
                return 0
        return now.fee if self.share == "full" else share_left(now.fee, now, day, how)


def share_left(amount: int, now: Membership, day: int, how: str) -> int:
    """The part of an amount for the days that are left of a term, the day itself included."""
    left, days = max(0, now.until - day), now.until - now.start
    return divide(amount * min(left, days), days, how)


_BACK = re.compile(r"(full|pro rata)(?: within (.+?))?( if no benefit was used)?")


def _back(node: Node, reader: Reader) -> Back:
    text = text_of(node)
    if text == "none":
        return Back()
    match = _BACK.fullmatch(text)
    if not match:
        message = f"{text!r} does not say what comes back. Write one of: {_LOOKS}."
        raise Wrong("unknown-refund", message, node)
    within = duration(match[2], node, match.start(2)) if match[2] else None
    return Back(match[1], within, bool(match[3]))


_LOOKS = "none | pro rata | full | full within 48 hours | full if no benefit was used"
BACK = Kind("what comes back", _back, _LOOKS, ("none", "full within 48 hours", "pro rata"))


class Bonus(Struct, frozen=True):
    """What a plan brings every so often: a voucher, or an amount of a balance.

    ``window`` is month or year where the calendar's count, not those of the plan.
    """

    length: Duration
    voucher: str = ""
    unit: str = ""
    amount: int = 0
    window: str = ""

    def following(self, last: int, anchor: int) -> int:
        """The next day on which it comes, after it came on a day (0: not yet)."""
        if not last:
            return 0
        if self.window:
            return calendar.window_end(self.window, last)
        soonest = end_of_term(last, self.length)
        if anchor >= soonest:
            return anchor
        return max(soonest, term_end(anchor, soonest - 1, self.length))


_BONUS = re.compile(r"(.+) per (calendar )?(month|year)")


def _bonus(node: Node, reader: Reader) -> Bonus:
    text = text_of(node)
    match = _BONUS.fullmatch(text)
    if not match:
        message = f"{text!r} is no bonus. Write for example 10.00 cash per month."
        raise Wrong("bonus-expected", message, node)
    length, window = Duration(1, match[3]), match[3] if match[2] else ""
    vouchers = reader.names.get("vouchers", [])
    if match[1] in vouchers:
        return Bonus(length, voucher=match[1], window=window)
    if not match[1][:1].isdigit():
        message = f"There is no voucher {match[1]!r}. {suggest(match[1], vouchers)}"
        raise Wrong("unknown-voucher", message, node)
    given = quantity(match[1], node, reader)
    if given.unit not in {unit.name for unit in reader.units.values()}:
        raise Wrong("unknown-balance", f"{match[1]!r} is not an amount of a balance.", node)
    if not given.amount:
        raise Wrong("no-effect", f"{match[1]!r} is no bonus at all; leave it out.", node)
    return Bonus(length, unit=given.unit, amount=given.amount, window=window)


BONUS = Kind(
    "bonus",
    _bonus,
    "1000 points per year | a voucher's name per month | … per calendar month",
    ("1000 points per year",),
)
