"""vouchers: instruments with their own worth and end.

Guarantee: a voucher is used once; the points behind it stand in the place *voucher* until
it is used, expires or is reversed, so that what is outstanding is always known.
"""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Struct

from kantis.core import calendar
from kantis.core.account import NEVER, Account
from kantis.core.amounts import Ratio, divide
from kantis.core.calendar import Calendar
from kantis.core.events import Use
from kantis.core.knobs import Kind, Knob, Node, Reader, Wrong
from kantis.core.phrases import (
    COINS,
    QUANTITY,
    TEXT,
    TEXTS,
    TIMES,
    TITLE,
    Duration,
    Quantity,
    lasting,
    text_of,
)
from kantis.core.places import EXPIRED, REDEEMED, VOUCHER
from kantis.core.records import Voucher
from kantis.core.turn import Refused, Turn

REASON = "vouchers"


class Valid(Struct, frozen=True):
    """How long a voucher is good, counted from its issue; ``to_month_end`` stretches it."""

    length: Duration
    to_month_end: bool = False

    def until(self, day: int) -> int:
        """The first day on which a voucher issued on that day is no longer good."""
        length = self.length
        if length.unit in ("month", "year"):
            end = calendar.add_months(day, length.count * (12 if length.unit == "year" else 1))
        else:
            end = day + length.count * (7 if length.unit == "week" else 1)
        return calendar.window_end("month", end) if self.to_month_end else end


_VALID = re.compile(r"(.+?)(, to the end of the month)?")


def _valid(node: Node, reader: Reader) -> Valid:
    match = _VALID.fullmatch(text_of(node))
    assert match is not None
    length = lasting(match[1], node)
    if length.unit in ("minute", "hour"):
        raise Wrong("too-short", "A voucher is good for days, weeks, months or years.", node)
    return Valid(length, bool(match[2]))


VALID = Kind(
    "validity",
    _valid,
    "30 days | 2 years, to the end of the month",
    ("6 months", "2 years, to the end of the month"),
)


def _at_partners(node: Node, reader: Reader) -> Ratio | tuple[tuple[str, Ratio], ...]:
    if isinstance(node.value, dict):
        return tuple((name, TIMES.read(child, reader)) for name, child in node.value.items())
    found: Ratio = TIMES.read(node, reader)
    return found


AT_PARTNERS = Kind("factor", _at_partners, f"{TIMES.looks} | one per partner", TIMES.examples)


class VoucherSection(Struct, frozen=True, kw_only=True):
    """A kind of voucher: what it is for, what it is worth, how long it is good."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    good_for: Annotated[str, Knob(TEXT, "what it is good for, in words")] = ""
    worth: Annotated[Quantity | None, Knob(QUANTITY, "its fixed worth in money")] = None
    valid: Annotated[Valid | None, Knob(VALID, "how long it is good")] = None
    at: Annotated[
        tuple[str, ...], Knob(TEXTS, "the partners where it is good, if not everywhere")
    ] = ()
    at_partners: Annotated[
        Ratio | tuple[tuple[str, Ratio], ...] | None,
        Knob(AT_PARTNERS, "so many times its worth when it is used at a partner"),
    ] = None
    makes: Annotated[
        str, Knob(TEXT, "the kind of voucher that it is changed into as a partner's code")
    ] = ""
    costs_us: Annotated[
        Quantity | None,
        Knob(COINS, "what one costs the merchant when it is used; members are not told"),
    ] = None
    least_basket: Annotated[
        Quantity | None, Knob(QUANTITY, "the basket that it takes at least")
    ] = None


def issue(
    kinds: dict[str, VoucherSection],
    turn: Turn,
    kind: str,
    *,
    worth: int,
    balance: str,
    points: int,
    number: int,
) -> str:
    """A voucher comes to be; its code is its kind, the entry that issued it and a number.

    It is good from when it was issued, also where a late event brought it. The caller has
    moved the points to the place *voucher*.
    """
    section = kinds[kind]
    code = f"{kind}-{turn.account.seq + 1}-{number}"
    while code in turn.account.vouchers:
        number += 1
        code = f"{kind}-{turn.account.seq + 1}-{number}"
    fixed = section.worth.amount if section.worth is not None else worth
    today = turn.calendar.day(turn.at)
    until = section.valid.until(today) if section.valid is not None else 0
    turn.change("voucher", code, kind, fixed, balance, points, today, until)
    if until:
        turn.wake_on(until)
    turn.notice("voucher", kind, fixed)
    return code


def check(kinds: dict[str, VoucherSection], turn: Turn, body: Use) -> Voucher:
    """The voucher that can be used; ``Refused`` with the reason if it cannot."""
    voucher = turn.account.vouchers.get(body.voucher)
    if voucher is None:
        raise Refused("unknown-voucher", f"This member has no voucher {body.voucher!r}.")
    if voucher.state != "open":
        raise Refused("voucher-gone", f"The voucher {body.voucher!r} is {voucher.state} already.")
    section = kinds.get(voucher.kind)
    if section is not None and section.at and body.partner not in section.at:
        where = ", ".join(section.at)
        raise Refused("voucher-elsewhere", f"The voucher is good at {where} only.")
    least = section.least_basket if section is not None else None
    if least is not None and body.basket < least.amount:
        raise Refused("basket-too-small", "The basket is too small for this voucher.")
    return voucher


def factor(section: VoucherSection | None, partner: str) -> Ratio:
    """How many times its worth a voucher is good for at a partner; once where nothing is said."""
    if section is None or not partner or section.at_partners is None:
        return Ratio(1)
    if isinstance(section.at_partners, Ratio):
        return section.at_partners
    return dict(section.at_partners).get(partner, Ratio(1))


def use(kinds: dict[str, VoucherSection], turn: Turn, body: Use) -> None:
    """A voucher is used up; or it is changed into a code that a partner takes.

    The points behind it then stand behind the code.
    """
    voucher = check(kinds, turn, body)
    section = kinds.get(voucher.kind)
    times = factor(section, body.partner)
    worth = divide(voucher.worth * times.num, times.den, "half up")
    if body.code:
        made = section.makes if section is not None else ""
        if not made or not body.partner:
            sentence = "This voucher makes no code here."
            raise Refused("no-code", sentence)
        turn.change("voucher state", body.voucher, "used")
        behind = voucher.balance, voucher.points
        issue(kinds, turn, made, worth=worth, balance=behind[0], points=behind[1], number=1)
        return
    if voucher.points:
        turn.post(voucher.balance, VOUCHER, REDEEMED, voucher.points, 0, REASON)
    turn.change("voucher state", body.voucher, "used")
    turn.effect("", voucher.kind, worth)


def due(account: Account, days: Calendar) -> int:
    """The next end of an open voucher."""
    if not account.vouchers:
        return NEVER
    ends = [v.expires for v in account.vouchers.values() if v.state == "open" and v.expires]
    return days.start(min(ends)) if ends else NEVER


def run(turn: Turn) -> None:
    """Let vouchers die whose time is over."""
    for code, voucher in list(turn.account.vouchers.items()):
        if voucher.state == "open" and voucher.expires and voucher.expires <= turn.day:
            if voucher.points:
                turn.post(voucher.balance, VOUCHER, EXPIRED, voucher.points, 0, REASON)
            turn.change("voucher state", code, "expired")
            turn.notice("voucher expired", voucher.kind, voucher.worth)


def forget(turn: Turn) -> None:
    """Forget the vouchers that were gone a year ago."""
    for code, voucher in list(turn.account.vouchers.items()):
        if voucher.state != "open" and turn.day - max(voucher.issued, voucher.expires) > 366:
            turn.change("voucher state", code, "gone")
