"""Plan: what is in force on a stretch of days, compiled.

A plan is read from an undated tree: its words are learnt, its sections read, its rules
given their bits and written into one function per event.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

from msgspec import structs

from kantis.core import calendar
from kantis.core.amounts import Unit, money
from kantis.core.basket import GIVEN, Classifier, Sums
from kantis.core.budgets import Budget
from kantis.core.calendar import Calendar
from kantis.core.code import Code
from kantis.core.knobs import (
    Fault,
    Node,
    Reader,
    knobs_of,
    read_entries,
    read_section,
    suggest,
)
from kantis.core.limits import Cap
from kantis.core.lots import Balance
from kantis.core.phrases import (
    list_of,
    text_of,
)
from kantis.core.turn import Turn
from kantis.engine import periods
from kantis.engine.budgets import compile_budgets
from kantis.engine.check import check
from kantis.engine.check_plans import USERS, check_plans
from kantis.engine.sections import PROGRAM, SECTIONS, ExistingSection, ProgramSection
from kantis.features import balances as balances_room
from kantis.features import challenges as challenges_room
from kantis.features import counters as counters_room
from kantis.features import earning as earning_room
from kantis.features import prices as prices_room
from kantis.features import referrals as referrals_room
from kantis.features import rewards as rewards_room
from kantis.features import tiers as tiers_room
from kantis.features import vouchers as vouchers_room
from kantis.features.challenges import Challenge
from kantis.features.choices import ChoiceSection
from kantis.features.counters import Counter, compile_counters
from kantis.features.cycles import CycleSection
from kantis.features.earning import Earning
from kantis.features.entitlements import Entitlements, compile_entitlements
from kantis.features.forfeiture import ForfeitSection
from kantis.features.households import HouseholdSection
from kantis.features.offers import OfferSection
from kantis.features.partners import PartnerSection, expand
from kantis.features.payouts import Payouts
from kantis.features.plans import Plans, compile_plans
from kantis.features.prices import Prices
from kantis.features.referrals import Referral
from kantis.features.rewards import RewardSection
from kantis.features.tiers import TierGroup
from kantis.features.vouchers import VoucherSection

#: What an event of a type does: a function of the turn and of what is ``GIVEN`` with it.
#: That of the price effects alone gives what is left of the lines.
Act = Callable[..., Any]


class Plan:
    """What is in force on a stretch of days, compiled."""

    __slots__ = (
        "acts",
        "at",
        "balances",
        "birthdays",
        "booking",
        "budgets",
        "by_itself",
        "calendar",
        "challenges",
        "choices",
        "classifier",
        "clocked",
        "counters",
        "cycles",
        "earning",
        "entitlements",
        "existing",
        "forfeiture",
        "head",
        "household",
        "keeps",
        "levels_before",
        "money",
        "offers",
        "outward",
        "own_counters",
        "own_tiers",
        "partners",
        "payouts",
        "picked",
        "plans",
        "prices",
        "purchase",
        "referrals",
        "rewards",
        "since",
        "tiers",
        "until",
        "version",
        "vouchers",
        "wakes",
        "windows",
        "years",
    )

    def __init__(self, version: int, since: int, until: int) -> None:
        self.version, self.since, self.until = version, since, until
        #: the plan in force at another instant
        self.at: Callable[[int], Plan] = lambda moment: self
        self.classifier = Classifier()
        self.head: ProgramSection
        self.money: Unit
        self.calendar: Calendar
        self.balances: dict[str, Balance] = {}
        self.counters: dict[str, list[Counter]] = {}
        self.windows: dict[str, Any] = {}
        self.years: list[Counter] = []
        self.tiers: list[TierGroup] = []
        self.prices = Prices([])
        self.earning = Earning()
        self.offers: dict[str, OfferSection] = {}
        self.rewards: dict[str, RewardSection] = {}
        self.vouchers: dict[str, VoucherSection] = {}
        self.cycles: dict[str, CycleSection] = {}
        self.choices: dict[str, ChoiceSection] = {}
        self.plans = Plans()
        self.entitlements = Entitlements()
        self.forfeiture: dict[str, ForfeitSection] = {}
        #: how members share an account, and what of it is each member's own
        self.household: HouseholdSection | None = None
        self.own_tiers: list[TierGroup] = []
        self.own_counters: set[str] = set()
        self.referrals: dict[str, Referral] = {}
        self.challenges: dict[str, Challenge] = {}
        self.partners: dict[str, PartnerSection] = {}
        self.payouts: Payouts
        self.clocked = self.keeps = self.birthdays = self.booking = False
        #: what rules may give all members together, by their names
        self.budgets: dict[str, Budget] = {}
        #: whether decisions move what partners and charities are owed, or owe
        self.outward = False
        #: whether the band of a period is picked by a counter
        self.picked = False
        #: what lets rewards come by themselves
        self.by_itself: tuple[tuple[str, int], ...] = ()
        #: what the purchase was compiled to
        self.purchase: Act
        self.acts: dict[tuple[str, str, bool], Act] = {}
        #: the levels of each tier group before this stretch, what is newly said about what is
        #: there already, and whether accounts wake for it
        self.levels_before: dict[str, list[str]] = {}
        self.existing = ExistingSection()
        self.wakes = False

    def follow(self, before: Plan) -> None:
        """Another stretch goes before: what changes for what members have already."""
        self.levels_before = {group.name: group.levels for group in before.tiers}
        if self.version != before.version or self.head.existing != before.head.existing:
            self.existing = self.head.existing
        self.wakes = self.existing != ExistingSection() or any(
            self.levels_before.get(group.name, group.levels) != group.levels for group in self.tiers
        )

    def act(self, event: str, given: str, trace: bool = False) -> Act:
        """The function that an event, or an activity of that name, was compiled to."""
        key = event, given, trace
        found = self.acts.get(key)
        if found is None:
            found = self.acts[key] = self.write(event, given, trace).function()
        return found

    def price(self, trace: bool = False, books: bool = True) -> Act:
        """The function of the price effects alone, where somebody pays for a part.

        Without ``books`` it only tells what is left of the lines.
        """
        key = "purchase", "what is taken off" if books else "what is left to pay", trace
        found = self.acts.get(key)
        if found is None:
            code = prices_room.write(self.prices, self.classifier, self.spend, trace, books)
            found = self.acts[key] = code.function()
        return found

    def write(self, event: str, given: str = "lines", trace: bool = False) -> Code:
        """The steps of an event in the program's order, as one function."""
        body = Code("act", "turn", *GIVEN[given], trace=trace)
        sums = Sums(self.classifier, given)
        for step in self.head.order:
            if step == "earning":
                barred = any(not each.earns for each in self.rewards.values())
                with body.block("if not turn.barred:") if barred else nullcontext():
                    earning_room.write(body, self.earning, event, sums, self.calendar)
                    periods.write(body, self.earning, event, sums)
            elif step == "counters":
                counters_room.write(body, self.counters.get(event, []), sums)
            elif step == "tiers" and self.tiers:
                with body.block("if moved:"):
                    tiers_room.write(body, self.tiers)
                body.unsettle()
        challenges_room.write(body, self.challenges, event, sums, self.voucher)
        referrals_room.write(body, self.referrals, event, sums)
        head = body.head()
        if body.mentions("moved"):
            head.add("moved = False")
        if body.mentions("mine"):
            head.add("mine = turn.own()")
        prices = self.prices if self.prices.rules and given == "lines" else None
        if prices is not None:
            prices_room.write_conditions(head, prices, self.spend)
        less = None if prices is None else partial(prices_room.write_line, prices=prices)
        sums.write(head, self.spend, less)
        if prices is not None:
            prices_room.write_effects(head, prices)
        body.begin(head)
        return body

    def voucher(self, turn: Turn, kind: str) -> str:
        """Issue a voucher behind which no points stand."""
        return vouchers_room.issue(
            self.vouchers, turn, kind, worth=0, balance="", points=0, number=1
        )

    @property
    def spend(self) -> str:
        """What counts of a line beside its amount, as a written expression; empty for nothing."""
        before_discounts, with_tax, _ = self.head.spend
        return " + ".join(["line.discount"] * before_discounts + ["line.tax"] * with_tax)


def _vocabulary(tree: Node, reader: Reader) -> dict[str, Unit]:
    """Teach the reader the words of the file: units, measures, levels and names."""
    fields = tree.value
    units = {}
    for name, child in entries(fields.get("balances")).items():
        unit = balances_room.unit_of(name, child)
        units[name] = unit
        reader.units[name] = reader.units[unit.one] = unit
    for section in SECTIONS:
        reader.names[section] = list(entries(fields.get(section)))
    for group, child in entries(fields.get("tiers")).items():
        levels = entries(child).get("levels")
        reader.names[f"tiers {group}"] = list(entries(levels)) if levels else []
    if (measures := fields.get("measures")) is not None:
        reader.measures = {text_of(each) for each in list_of(measures)}
    return units


def entries(tree: Node | None) -> dict[str, Node]:
    """The named entries of a section's tree; none where it is no mapping."""
    return tree.value if tree is not None and isinstance(tree.value, dict) else {}


def read_plan(
    tree: Node, version: int, since: int, until: int, days: Calendar | None = None
) -> tuple[Plan, list[Fault]]:
    """The plan of an undated tree, and everything that is wrong with it.

    ``days`` is the program's calendar, where an earlier plan has made it.
    """
    plan = Plan(version, since, until)
    reader = Reader()
    reader.tree = tree
    fields = dict(tree.value)
    code = fields.get("money")
    coded = code is not None and isinstance(code.value, str)
    reader.money = money(text_of(code)) if code and coded else Unit("money", 2, money=True)
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
        read["earning"] = expand(read["earning"], read["offers"], read["partners"])
        check(head, read, reader)
        check_plans(read, reader)
        plan.calendar = days or Calendar(calendar.zone(head.timezone))
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
    plan.booking = head.rules_of == "booking"
    back = head.refunds.spent_points_return_for
    grace = balances_room.later(0, back) if back.unit in ("day", "week") else 30 * back.count
    given_away = {each.gives_away for each in read["payouts"].values()}
    for name, section in read["balances"].items():
        # What was given away is no member's to keep: a charity gives it back in any case.
        shortage = "owed" if name in given_away else head.refunds.shortage
        plan.balances[name] = balances_room.compile_balance(section, units[name], shortage, grace)
    plan.windows = {name: each.window for name, each in read["counters"].items()}
    plan.counters = compile_counters(read["counters"].values(), plan.classifier)
    plan.years = plan.counters.get(counters_room.YEAR_ENDED, [])
    averages = {name for name, each in read["counters"].items() if each.reads != "total"}
    plan.tiers = tiers_room.compile_tiers(read["tiers"], plan.windows, averages, reader)
    caps = {
        name: structs.replace(each.at_most, whose=each.whose) for name, each in read["caps"].items()
    }
    plan.household = next(iter(read["households"].values()), None)
    _share(plan, read)
    conventions = head.conventions
    split = conventions.caps == "split the purchase"
    rules = [*read["earning"].values(), *read["offers"].values()]
    plan.offers = read["offers"]
    options = {name: each.options for name, each in read["choices"].items()}
    plan.earning = earning_room.compile_earning(
        rules, plan.offers, plan.balances, caps, plan.classifier, reader, options, split
    )
    plan.prices = prices_room.compile_prices(
        [*read["prices"].values(), *read["offers"].values()],
        plan.offers,
        plan.classifier,
        conventions.money_rounds,
    )
    plan.rewards, plan.vouchers = read["rewards"], read["vouchers"]
    plan.cycles, plan.choices = read["cycles"], read["choices"]
    users = [each for name in USERS for each in read[name].values()]
    plan.plans = compile_plans(read["plans"], users, conventions.money_rounds)
    plan.entitlements = compile_entitlements(read["entitlements"], caps)
    plan.forfeiture = read["forfeiture"]
    _things_to_do(plan, read, caps)
    plan.clocked = any(each.clock is not None or each.pushes for each in plan.balances.values())
    plan.keeps = any(each.kept or each.lost for each in plan.balances.values())
    issued = {each.issued for each in plan.rewards.values()}
    plan.by_itself = rewards_room.come_at(plan.rewards)
    plan.birthdays = "birthday" in plan.earning.by_event or "on the birthday" in issued
    plan.budgets = compile_budgets(plan)
    if not reader.faults:
        others = {"purchase", counters_room.YEAR_ENDED}
        for event in {*plan.earning.by_event, *plan.counters} - others:
            plan.act(event, "deed")
        plan.purchase = plan.act("purchase", "lines")


def _things_to_do(plan: Plan, read: dict[str, dict[str, Any]], caps: dict[str, Cap]) -> None:
    """Referrals and challenges, ready for use."""
    for name, each in read["referrals"].items():
        bit = plan.classifier.bit(each.where, each.except_)
        balance = plan.balances[each.give.unit]
        plan.referrals[name] = referrals_room.compile_referral(each, balance, bit, caps)
    plan.challenges = challenges_room.compile_challenges(
        read["challenges"].values(), plan.balances, plan.classifier
    )
    _outward(plan, read)


def _outward(plan: Plan, read: dict[str, dict[str, Any]]) -> None:
    """Partners and payouts, and whether a decision has to look at them."""
    options = {name: each.options for name, each in read["choices"].items()}
    plan.partners = read["partners"]
    plan.payouts = Payouts(read["payouts"], options, plan.money)
    plan.outward = bool(plan.partners or plan.payouts.at_once)
    plan.picked = bool(plan.earning.picked)


def _share(plan: Plan, read: dict[str, dict[str, Any]]) -> None:
    """What a household pools, and what is each member's own."""
    household = plan.household
    if household is None:
        return
    for name, balance in plan.balances.items():
        balance.pooled = not household.pools or name in household.pools
        balance.proportional = balance.pooled and household.burns == "in proportion"
    plan.own_tiers = [each for each in plan.tiers if each.section.whose == "member"]
    own = {name for name, each in read["counters"].items() if each.whose == "member"}
    milestones = {each.name: each.reached for each in read["rewards"].values() if each.reached}
    plan.own_counters = {
        *own,
        *(f"cap {name}" for name, each in read["caps"].items() if each.whose == "member"),
        *(tiers_room.rolled(name) for name in own),
        *(tiers_room.marked(group, name) for group in plan.own_tiers for name in own),
        *(f"milestone {name}" for name, reached in milestones.items() if reached[0] in own),
    }
