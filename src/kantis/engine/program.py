"""Program: a document in versions, read into plans.

A program is a list of published versions. Each holds from its day until the next one
begins, and any value inside it can be dated; a **plan** is what is in force on a stretch
of days on which nothing changes, compiled once. ``Program.plan`` finds it by instant.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Struct

from kantis.core import calendar, dated
from kantis.core.account import NEVER
from kantis.core.amounts import Unit, money
from kantis.core.basket import Basket, Classifier, Sums
from kantis.core.calendar import Calendar
from kantis.core.code import Code
from kantis.core.events import Line
from kantis.core.knobs import (
    Fault,
    Kind,
    Knob,
    Node,
    ProgramError,
    Reader,
    Wrong,
    knobs_of,
    node,
    read_entries,
    read_section,
    suggest,
)
from kantis.core.limits import Cap, read_cap
from kantis.core.lots import Balance
from kantis.core.phrases import (
    DURATION,
    MONEY,
    NAME,
    TEXT,
    TEXTS,
    TITLE,
    ZONE,
    Duration,
    list_of,
    one_of,
    text_of,
    word,
)
from kantis.core.rule import Rule
from kantis.core.turn import Turn
from kantis.engine import periods
from kantis.features import balances as balances_room
from kantis.features import counters as counters_room
from kantis.features import earning as earning_room
from kantis.features import prices as prices_room
from kantis.features import tiers as tiers_room
from kantis.features.balances import BalanceSection
from kantis.features.choices import ChoiceSection
from kantis.features.counters import Counter, CounterSection, compile_counters
from kantis.features.cycles import CycleSection
from kantis.features.earning import Earning
from kantis.features.offers import OfferSection
from kantis.features.prices import Prices
from kantis.features.rewards import RewardSection, unit_of
from kantis.features.tiers import TierGroup, TierSection
from kantis.features.vouchers import VoucherSection


class RefundSection(Struct, frozen=True, kw_only=True):
    """refunds: what happens to points when a purchase comes back."""

    within: Annotated[Duration, Knob(DURATION, "how long a refund can come")] = Duration(365, "day")
    shortage: Annotated[
        str,
        Knob(
            word("owed", "forgiven", "pending only"),
            "what happens when the points are spent already",
        ),
    ] = "owed"
    spent_points_return_for: Annotated[
        Duration, Knob(DURATION, "how long spent points that come back are good at least")
    ] = Duration(30, "day")


def _cap(node: Node, reader: Reader) -> Cap:
    return read_cap(reader.path[-2], node, reader)


CAP = Kind("cap", _cap, "100 points per calendar year", ("100 points per calendar year",))


class CapSection(Struct, frozen=True, kw_only=True):
    """caps: a limit that several rules share."""

    name: str
    at_most: Annotated[Cap, Knob(CAP, "the limit")]


STEPS = ("prices", "earning", "counters", "tiers", "rewards")


def _order(node: Node, reader: Reader) -> tuple[str, ...]:
    steps = tuple(one_of(each, STEPS) for each in list_of(node))
    if sorted(steps) != sorted(STEPS) or steps[0] != "prices" or steps[-1] != "rewards":
        message = "The order names each step once, prices first and rewards last."
        raise Wrong("order-incomplete", message, node)
    if steps.index("tiers") < steps.index("counters"):
        raise Wrong("order-impossible", "Tiers come after counters, which they read.", node)
    return steps


ORDER = Kind("order", _order, f"[{', '.join(STEPS)}]")

_SPEND = (
    ("net of discounts", "before discounts"),
    ("before tax", "with tax"),
    ("without the part paid in points", "with the part paid in points"),
)


def _spend(node: Node, reader: Reader) -> tuple[bool, bool, bool]:
    parts = [part for each in list_of(node) for part in text_of(each).split(", ")]
    values = [False, False, False]
    for part in parts:
        known = [each for pair in _SPEND for each in pair]
        if part not in known:
            raise Wrong("unknown-word", f"Spend has no {part!r}. {suggest(part, known)}", node)
        at = next(i for i, pair in enumerate(_SPEND) if part in pair)
        values[at] = part == _SPEND[at][1]
    return values[0], values[1], values[2]


SPEND = Kind("spend", _spend, ", ".join(pair[0] for pair in _SPEND))


def _words(node: Node, reader: Reader) -> dict[str, str]:
    if not isinstance(node.value, dict):
        raise Wrong("mapping-expected", "Here stands a list of keys and values.", node)
    return {key: text_of(child) for key, child in node.value.items()}


WORDS = Kind("pairs", _words, "{old: new}")


class ExistingSection(Struct, frozen=True, kw_only=True):
    """existing: what a new version does to what members have already, on its first day."""

    expiry: Annotated[
        str, Knob(word("stays", "follows"), "whether points that are there follow the new expiry")
    ] = "stays"
    levels: Annotated[dict[str, str], Knob(WORDS, "the new level of members of an old one")] = {}
    grants: Annotated[
        dict[str, str],
        Knob(WORDS, "what each count of a counter brings now: {referrals: 250 points}"),
    ] = {}


def _nested(section: type[Struct]) -> Kind:
    return Kind("section", lambda n, r: read_section(section, n, r), "keys and values")


REFUNDS, EXISTING = _nested(RefundSection), _nested(ExistingSection)


class ProgramSection(Struct, frozen=True, kw_only=True):
    """The head of a program file: its name, its money, its clock and its conventions."""

    program: Annotated[str, Knob(NAME, "the program's name", dated=False)]
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    about: Annotated[str, Knob(TEXT, "what it models, in plain words", dated=False)] = ""
    sources: Annotated[tuple[str, ...], Knob(TEXTS, "where the rules stand", dated=False)] = ()
    money: Annotated[str, Knob(MONEY, "the currency of prices", dated=False)]
    timezone: Annotated[str, Knob(ZONE, "the clock on the program's wall", dated=False)]
    measures: Annotated[
        tuple[str, ...], Knob(TEXTS, "quantities beside items, in thousandths", dated=False)
    ] = ()
    spend: Annotated[tuple[bool, bool, bool], Knob(SPEND, "what of a line's price counts")] = (
        False,
        False,
        False,
    )
    order: Annotated[tuple[str, ...], Knob(ORDER, "who acts first on a purchase")] = STEPS
    late: Annotated[
        Duration, Knob(DURATION, "how late an event may come and still count in its own time")
    ] = Duration(30, "day")
    rules_of: Annotated[
        str,
        Knob(
            word("event", "booking"), "whether the rules of the purchase's or booking's day count"
        ),
    ] = "event"
    refunds: Annotated[RefundSection, Knob(REFUNDS, "what a refund does")] = RefundSection()
    existing: Annotated[
        ExistingSection, Knob(EXISTING, "what this version does to what is there")
    ] = ExistingSection()


PROGRAM = ProgramSection

#: The sections with named entries, in the order of the canonical form.
SECTIONS: dict[str, type[Struct]] = {
    "balances": BalanceSection,
    "counters": CounterSection,
    "caps": CapSection,
    "tiers": TierSection,
    "prices": Rule,
    "earning": Rule,
    "offers": OfferSection,
    "rewards": RewardSection,
    "vouchers": VoucherSection,
    "cycles": CycleSection,
    "choices": ChoiceSection,
}


#: What an event of a type does to earning, counters and tiers: (turn, basket, quantity).
Act = Callable[[Turn, Basket, int], None]


class Plan:
    """What is in force on a stretch of days, compiled."""

    __slots__ = (
        "acts",
        "balances",
        "by_itself",
        "calendar",
        "choices",
        "classifier",
        "clocked",
        "counters",
        "cycles",
        "earning",
        "head",
        "money",
        "offers",
        "plain_spend",
        "prices",
        "rewards",
        "since",
        "tiers",
        "until",
        "version",
        "vouchers",
        "windows",
    )

    def __init__(self, version: int, since: int, until: int) -> None:
        self.version, self.since, self.until = version, since, until
        self.classifier = Classifier()
        self.head: ProgramSection
        self.money: Unit
        self.calendar: Calendar
        self.balances: dict[str, Balance] = {}
        self.counters: dict[str, list[Counter]] = {}
        self.windows: dict[str, Any] = {}
        self.tiers: list[TierGroup] = []
        self.prices = Prices([])
        self.earning = Earning()
        self.offers: dict[str, OfferSection] = {}
        self.rewards: dict[str, RewardSection] = {}
        self.vouchers: dict[str, VoucherSection] = {}
        self.cycles: dict[str, CycleSection] = {}
        self.choices: dict[str, ChoiceSection] = {}
        self.plain_spend = True
        self.clocked = self.by_itself = False
        self.acts: dict[str, Act] = {}

    def act(self, event: str, trace: bool = False) -> Act:
        """The function that an event, or an activity of that name, was compiled to."""
        key = f"{event} traced" if trace else event
        found = self.acts.get(key)
        if found is None:
            found = self.acts[key] = self.write(event, trace).function()
        return found

    def write(self, event: str, trace: bool = False) -> Code:
        """The steps of an event in the program's order, as one function."""
        body, sums = Code("act", "turn", "basket", "quantity", trace=trace), Sums(self.classifier)
        for step in self.head.order:
            if step == "earning":
                earning_room.write(body, self.earning, event, sums)
                periods.write(body, self.earning, event, sums)
            elif step == "counters":
                counters_room.write(body, self.counters.get(event, []), sums)
            elif step == "tiers" and self.tiers:
                with body.block("if moved:"):
                    tiers_room.write(body, self.tiers)
        head = Code("head")
        sums.write(head)
        body.begin("total, day, moved = basket.total, turn.day, False", *head.body)
        return body

    def amounts(self, lines: tuple[Line, ...]) -> list[int]:
        """The lines' amounts as the program counts spend."""
        if self.plain_spend:
            return [line.amount for line in lines]
        before_discounts, with_tax, _ = self.head.spend
        return [
            line.amount + line.discount * before_discounts + line.tax * with_tax for line in lines
        ]


def _vocabulary(tree: Node, reader: Reader) -> dict[str, Unit]:
    """Teach the reader the words of the file: units, measures, levels and names."""
    fields = tree.value
    units = {}
    for name, child in _entries(fields.get("balances")).items():
        unit = balances_room.unit_of(name, child)
        units[name] = unit
        reader.units[name] = reader.units[unit.one] = unit
    for section in SECTIONS:
        reader.names[section] = list(_entries(fields.get(section)))
    for group, child in _entries(fields.get("tiers")).items():
        levels = _entries(child).get("levels")
        reader.names[f"tiers {group}"] = list(_entries(levels)) if levels else []
    if (measures := fields.get("measures")) is not None:
        reader.measures = {text_of(each) for each in list_of(measures)}
    return units


def _entries(tree: Node | None) -> dict[str, Node]:
    return tree.value if tree is not None and isinstance(tree.value, dict) else {}


def read_plan(tree: Node, version: int, since: int, until: int) -> tuple[Plan, list[Fault]]:
    """The plan of an undated tree, and everything that is wrong with it."""
    plan = Plan(version, since, until)
    reader = Reader()
    fields = dict(tree.value)
    code = fields.get("money")
    if code is not None and isinstance(code.value, str):
        reader.money = money(code.value)
    units = _vocabulary(tree, reader)
    sections = {name: fields.pop(name, None) for name in SECTIONS}
    for key in list(fields):
        if key not in _head_keys():
            line, column = tree.keys.get(key, (tree.line, tree.column))
            known = [*_head_keys(), *SECTIONS]
            message = f"A program has no {key!r}. {suggest(key, known)}"
            reader.fault("unknown-key", message, Node("", line, column))
            del fields[key]
    head = read_section(PROGRAM, Node(fields, tree.line, tree.column, tree.keys), reader)
    read: dict[str, dict[str, Any]] = {}
    for name, section in SECTIONS.items():
        reader.path = [name]
        read[name] = read_entries(section, sections[name], reader)
    reader.path = []
    if not reader.faults:
        _compile(plan, head, units, read, reader)
    return plan, reader.faults


def _head_keys() -> list[str]:
    return list(knobs_of(PROGRAM))


def _compile(
    plan: Plan,
    head: ProgramSection,
    units: dict[str, Unit],
    read: dict[str, dict[str, Any]],
    reader: Reader,
) -> None:
    plan.head, plan.money = head, money(head.money)
    plan.calendar = Calendar(calendar.zone(head.timezone))
    plan.plain_spend = head.spend[:2] == (False, False)
    back = head.refunds.spent_points_return_for
    grace = balances_room.later(0, back) if back.unit in ("day", "week") else 30 * back.count
    for name, section in read["balances"].items():
        plan.balances[name] = balances_room.compile_balance(
            section, units[name], head.refunds.shortage, grace
        )
    plan.windows = {name: each.window for name, each in read["counters"].items()}
    plan.counters = compile_counters(read["counters"].values(), plan.classifier)
    plan.tiers = tiers_room.compile_tiers(read["tiers"], plan.windows, reader)
    caps = {name: each.at_most for name, each in read["caps"].items()}
    rules = [*read["earning"].values(), *read["offers"].values()]
    plan.offers = read["offers"]
    options = {name: each.options for name, each in read["choices"].items()}
    plan.earning = earning_room.compile_earning(
        rules, plan.offers, plan.balances, caps, plan.classifier, reader, options
    )
    plan.prices = prices_room.compile_prices(
        [*read["prices"].values(), *rules], plan.offers, plan.classifier
    )
    plan.rewards, plan.vouchers = read["rewards"], read["vouchers"]
    plan.cycles, plan.choices = read["cycles"], read["choices"]
    plan.clocked = any(each.clock is not None for each in plan.balances.values())
    plan.by_itself = any(each.issued == "by itself" for each in plan.rewards.values())
    _check_names(plan, reader)
    for name in ("counters", "prices", "rewards"):
        for entry in read[name].values():
            if any(each is not None and each.chosen for each in (entry.where, entry.except_)):
                message = f"{entry.name!r} asks for what is chosen; only an earning rule can."
                reader.fault("chosen-here", message)
    if not reader.faults:
        for event in {*plan.earning.by_event, *plan.counters}:
            plan.act(event)


def _check_names(plan: Plan, reader: Reader) -> None:
    for name, reward in plan.rewards.items():
        prices = [reward.cost is not None, reward.rate is not None, bool(reward.rungs)]
        if sum(prices) != 1:
            message = f"The reward {name!r} has one price: 'cost', 'rate' or 'rungs'."
            reader.fault("one-price", message)
        elif unit_of(reward) not in plan.balances:
            reader.fault("unknown-balance", f"The reward {name!r} is not paid with a balance.")
        if reward.gives.voucher and reward.gives.voucher not in plan.vouchers:
            reader.fault(
                "unknown-voucher",
                f"The reward {name!r} gives {reward.gives.voucher!r}."
                f" {suggest(reward.gives.voucher, plan.vouchers)}",
            )
    for name, cycle in plan.cycles.items():
        if cycle.voucher and cycle.voucher not in plan.vouchers:
            message = f"The cycle {name!r} issues {cycle.voucher!r}."
            reader.fault("unknown-voucher", f"{message} {suggest(cycle.voucher, plan.vouchers)}")
        if cycle.least.unit not in plan.balances:
            reader.fault("unknown-balance", f"The cycle {name!r} takes no balance.")


class Version(Struct, frozen=True):
    """A published version: its number, the instant from which it holds, and its tree."""

    number: int
    since: int
    tree: Node

    @staticmethod
    def of(number: int, since: int, plain: Any) -> Version:
        """A version from plain mappings, lists and texts."""
        return Version(number, since, plain if isinstance(plain, Node) else node(plain))


class Program:
    """A program with all its versions. ``plan`` is what is in force at an instant."""

    def __init__(self, versions: list[Version]) -> None:
        self.versions = versions
        self._starts: list[int] = []
        self._stretches: list[tuple[Version, int]] = []
        self._plans: dict[int, Plan] = {}
        self._last: Plan | None = None
        faults = [fault for each in versions for fault in dated.overlaps(each.tree)]
        if faults:
            raise ProgramError(faults)
        self._stretch()
        self.newest = self.plan(NEVER)
        for position in range(len(self._starts)):
            self._plan(position)
        self.name: str = self.newest.head.program
        self.money: Unit = self.newest.money
        self.calendar: Calendar = self.newest.calendar
        self.number: int = versions[-1].number

    @property
    def units(self) -> dict[str, Unit]:
        """The units of all balances that the newest version has."""
        return {name: balance.unit for name, balance in self.newest.balances.items()}

    def _stretch(self) -> None:
        for position, version in enumerate(self.versions):
            fields = _entries(version.tree)
            zone = fields.get("timezone")
            try:
                days = Calendar(calendar.zone(text_of(zone) if zone else "UTC"))
            except (ValueError, Wrong):
                days = Calendar(calendar.zone("UTC"))
            ends = self.versions[position + 1].since if position + 1 < len(self.versions) else NEVER
            begins = version.since if position else -NEVER
            self._starts.append(begins)
            self._stretches.append((version, days.day(max(begins, 0)) if position else 1))
            for day in sorted(dated.boundaries(version.tree)):
                start = days.start(day)
                if begins < start < ends:
                    self._starts.append(start)
                    self._stretches.append((version, day))

    def plan(self, moment: int) -> Plan:
        """The plan in force at an instant."""
        last = self._last
        if last is not None and last.since <= moment < last.until:
            return last
        found = self._last = self._plan(bisect_right(self._starts, moment) - 1)
        return found

    def _plan(self, position: int) -> Plan:
        found = self._plans.get(position)
        if found is None:
            version, day = self._stretches[position]
            tree = dated.at(version.tree, day)
            until = self._starts[position + 1] if position + 1 < len(self._starts) else NEVER
            if tree is None or not isinstance(tree.value, dict):
                raise ProgramError([Fault("mapping-expected", "A program is a list of keys.")])
            found, faults = read_plan(tree, version.number, self._starts[position], until)
            if faults:
                raise ProgramError(faults)
            if self._plans:
                found.calendar = next(iter(self._plans.values())).calendar
            self._plans[position] = found
        return found

    def limits(self) -> dict[str, int]:
        """The shared limits of the newest version: name and quantity."""
        rewards = self.newest.rewards.values()
        return {f"stock {each.name}": each.stock for each in rewards if each.stock}


def assemble(versions: list[Version]) -> Program:
    """The program of these versions, oldest first. ``ProgramError`` with all faults."""
    return Program(versions)
