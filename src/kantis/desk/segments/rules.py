"""Rules: what a segment asks of a member, in the words of the program language.

Guarantee: whether a member belongs depends on the account and the tallies of an instant alone.
All that is written must hold; a segment that asks nothing holds everybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from msgspec import Struct

from kantis.core.account import Account
from kantis.core.calendar import add_months, window_start
from kantis.core.conditions import WHO, Who, check_who
from kantis.core.decision import Context
from kantis.core.events import Event, Load
from kantis.core.knobs import Kind, Knob, Node, ProgramError, Reader, Wrong, read_section
from kantis.core.phrases import (
    WINDOW,
    Duration,
    Quantity,
    Window,
    lasting,
    one_of,
    percent,
    quantity,
    text_of,
)
from kantis.core.places import AVAILABLE
from kantis.core.turn import begin
from kantis.desk import text
from kantis.desk.drawing import HUNDREDTHS
from kantis.engine.plan import Plan

_AGO: Final = re.compile(r"(within|more than) (.+?)( ago)?")
_BOUND: Final = re.compile(r"(at least|at most) (.+?)(?: in (.+))?")
#: Windows for which purchases are counted: whole months.
_WINDOWS: Final = frozenset({"month", "quarter", "half-year", "year", "rolling month", "ever"})


class Ago(Struct, frozen=True):
    """``within`` so long ago, or longer ago than that; ``never`` at all."""

    within: bool = False
    length: Duration | None = None

    def holds(self, day: int, today: int) -> bool:
        """Whether a day (0: there is none) is so long ago."""
        if self.length is None:
            return not day
        if not day:
            return False
        first = earlier(today, self.length)
        return day > first if self.within else day <= first


class Bound(Struct, frozen=True):
    """At least or at most an amount of a unit, in a window."""

    at_least: bool
    amount: int
    unit: str
    window: Window

    def holds(self, amount: int) -> bool:
        """Whether an amount is within it."""
        return amount >= self.amount if self.at_least else amount <= self.amount


def earlier(today: int, length: Duration) -> int:
    """The day so long before a day.

    >>> earlier(739000, Duration(2, "week"))
    738986
    """
    if length.unit in ("month", "year"):
        return add_months(today, -length.count * (12 if length.unit == "year" else 1))
    return today - length.count * (7 if length.unit == "week" else 1)


def _ago(node: Node, reader: Reader) -> Ago:
    said = text_of(node)
    if said == "never":
        return Ago()
    match = _AGO.fullmatch(said)
    if match is None or (match[1] == "more than") != bool(match[3]):
        raise Wrong(
            "time-expected", "Write 'within 30 days', 'more than 60 days ago' or never.", node
        )
    length = lasting(match[2], node)
    if length.unit in ("minute", "hour"):
        raise Wrong("too-short", "Write days, weeks, months or years.", node)
    return Ago(match[1] == "within", length)


def _bound(node: Node, reader: Reader) -> Bound:
    match = _BOUND.fullmatch(text_of(node))
    if match is None:
        message = "Write 'at least 3 times in rolling 2 months' or 'at most 20.00 EUR ever'."
        raise Wrong("bound-expected", message, node)
    said, window = match[2], Window("ever")
    if said.endswith(" ever"):
        said = said.removesuffix(" ever")
    if match[3]:
        window = WINDOW.read(Node(match[3], node.line, node.column), reader)
    if window.kind not in _WINDOWS:
        message = "Purchases are counted in calendar months, as in 'rolling 3 months'."
        raise Wrong("window-of-months", message, node)
    found: Quantity = quantity(said, node, reader)
    return Bound(match[1] == "at least", found.amount, found.unit, window)


def _loaded(node: Node, reader: Reader) -> str:
    return one_of(node, reader.names.get("offers", []))


def _held(node: Node, reader: Reader) -> int:
    share = percent(text_of(node), node)
    held, rest = divmod(share.num * HUNDREDTHS, share.den)
    if rest or not 0 < held <= HUNDREDTHS // 2:
        message = "Hold back at most 50 %, with at most two decimals."
        raise Wrong("share-expected", message, node)
    return held


AGO: Final = Kind("time ago", _ago, "within 30 days | more than 60 days ago | never")
BOUND: Final = Kind(
    "bound", _bound, "at least 3 times in rolling 2 months | at most 20.00 EUR ever"
)
LOADED: Final = Kind("offer", _loaded, "the name of an offer")
HELD: Final = Kind("share held back", _held, "10 % | 2.5 %")


class Rules(Struct, frozen=True, kw_only=True):
    """What a segment asks of a member."""

    who: Annotated[Who | None, Knob(WHO, "level, plan, choice, age, another segment")] = None
    joined: Annotated[Ago | None, Knob(AGO, "when the account was opened")] = None
    last_purchase: Annotated[Ago | None, Knob(AGO, "when something was bought last")] = None
    purchases: Annotated[Bound | None, Knob(BOUND, "how many purchases, in times")] = None
    spend: Annotated[Bound | None, Knob(BOUND, "what was bought, less what came back")] = None
    balance: Annotated[Bound | None, Knob(BOUND, "what can be spent now")] = None
    loaded: Annotated[str, Knob(LOADED, "the offer that is loaded now")] = ""
    hold_back: Annotated[
        int, Knob(HELD, "so many of those who would belong are left out, by lot")
    ] = 0


class Month(Struct, frozen=True):
    """What an account bought in a month: its first day, the last day of buying, how much."""

    first: int
    last: int
    count: int
    amount: int


def read(source: str, plan: Plan) -> Rules:
    """The rules that a text says; ``ProgramError`` with all that is wrong with it."""
    tree = text.read(source) if source.strip() else Node({}, 1, 1)
    reader = Reader(plan.money)
    for balance in plan.balances.values():
        reader.units[balance.unit.name] = reader.units[balance.unit.one] = balance.unit
    reader.names = {
        "tiers": [each.name for each in plan.tiers], "plans": list(plan.plans.sections),
        "choices": list(plan.choices), "offers": list(plan.offers),
    }  # fmt: skip
    for group in plan.tiers:
        reader.names[f"tiers {group.name}"] = list(group.levels)
    try:
        found = read_section(Rules, tree, reader)
        _check(found, plan, tree)
    except Wrong as wrong:
        reader.fault(wrong.code, wrong.message, wrong.node, wrong.offset)
    if reader.faults:
        raise ProgramError(reader.faults)
    return found


def _check(rules: Rules, plan: Plan, tree: Node) -> None:
    """``Wrong`` where an amount is in a unit that cannot be meant."""
    wanted = {"purchases": {"times"}, "spend": {plan.money.name}, "balance": set(plan.balances)}
    for name, units in wanted.items():
        bound: Bound | None = getattr(rules, name)
        if bound is not None and bound.unit not in units:
            message = f"{name!r} is in {' or '.join(sorted(units)) or 'nothing'} here."
            raise Wrong("unit-expected", message, tree.value[name])
    if rules.balance is not None and rules.balance.window.kind != "ever":
        message = "A balance is that of now: leave the window out."
        raise Wrong("no-effect", message, tree.value["balance"])


def belongs(rules: Rules, plan: Plan, account: Account, bought: Sequence[Month], now: int) -> bool:
    """Whether an account belongs to a segment at an instant."""
    event = Event("", "look", now, "", Load(""), now, True)
    turn = begin(account, plan.calendar, event, now, now, Context({}, {}, {}), plan.at)
    today = turn.day
    if rules.who is not None and check_who(rules.who, turn):
        return False
    if rules.joined is not None and not rules.joined.holds(account.joined, today):
        return False
    last = max((each.last for each in bought), default=0)
    if rules.last_purchase is not None and not rules.last_purchase.holds(last, today):
        return False
    if rules.loaded and account.offers.get(rules.loaded, [-1])[0] < 0:
        return False
    if rules.balance is not None:
        purse = account.purse.get(rules.balance.unit)
        if not rules.balance.holds(purse[AVAILABLE] if purse else 0):
            return False
    return _within(rules.purchases, bought, today, "count") and _within(
        rules.spend, bought, today, "amount"
    )


def _within(bound: Bound | None, bought: Sequence[Month], today: int, what: str) -> bool:
    if bound is None:
        return True
    first = since(bound.window, today)
    return bound.holds(sum(getattr(each, what) for each in bought if each.first >= first))


def since(window: Window, today: int) -> int:
    """The first day of a window that ends today.

    >>> from kantis.core.calendar import day, show_day
    >>> show_day(since(Window("rolling month", 3), day("2024-03-15")))
    '2024-01-01'
    """
    if window.kind == "ever":
        return 0
    if window.kind == "rolling month":
        return add_months(window_start("month", today), 1 - window.count)
    return window_start(window.kind, today)


def audiences(plan: Plan) -> Mapping[str, list[str]]:
    """The segments that a program names under ``who``, each with the entries that do."""
    found: dict[str, list[str]] = {}
    meant = [(each.name, each.who) for each in plan.offers.values()]
    meant += [(name, each.rule.who) for name, each in plan.earning.by_name.items()]
    meant += [(each.name, each.who) for each in plan.rewards.values()]
    for name, who in meant:
        for segment in who.segments if who is not None else ():
            names = found.setdefault(segment, [])
            if name not in names:
                names.append(name)
    return found
