"""Check: what a program file may not say, though each of its words is known.

A rule that the engine would ignore, a combination that nobody could explain to a member,
and a promise that can never come true are refused, with the reason and the place.
"""

from __future__ import annotations

from typing import Any

from kantis.core.amounts import Ratio
from kantis.core.knobs import Reader, Wrong, node, suggest
from kantis.core.limits import Cap, caps_of
from kantis.core.phrases import QUANTITY
from kantis.core.rates import Step
from kantis.core.rule import Rule
from kantis.engine import check_members
from kantis.engine.check_budgets import check_budgets
from kantis.engine.check_outward import check_outward
from kantis.engine.check_reach import check_reach
from kantis.engine.sections import ProgramSection
from kantis.features.cycles import DECLARED_LATER
from kantis.features.rewards import unit_of

Read = dict[str, dict[str, Any]]


def said(reader: Reader, section: str, name: str) -> set[str]:
    """The keys that an entry names."""
    assert reader.tree is not None
    node = reader.tree.value[section].value.get(name)
    return set(node.value) if node is not None and isinstance(node.value, dict) else set()


def check(head: ProgramSection, read: Read, reader: Reader) -> None:
    """Write down everything that may not be said together."""
    caps = {name: each.at_most for name, each in read["caps"].items()}
    for section in ("earning", "offers"):
        for name, rule in read[section].items():
            _modifier(rule, section, name, reader)
            _period(rule, section, name, reader, read)
            _round(rule, section, name, reader)
            _caps(rule, section, name, reader, caps)
            _too_late(rule, section, name, reader, read)
    _prices(read, reader)
    _rewards(read, reader)
    _names(read, reader)
    _balances(read, reader)
    _tiers(read, reader)
    _counters(read, reader)
    _order(head, read, reader)
    _existing(head, read, reader)
    check_budgets(read, reader)
    check_members.check(read, reader)
    check_outward(read, reader)
    check_reach(read, reader)


_NOT_ON_MODIFIERS = ("over", "round", "available", "funded by", "beyond", "for")


def _modifier(rule: Rule, section: str, name: str, reader: Reader) -> None:
    if not rule.on:
        for key in ("multiply", "add", "stack", "only best of"):
            if key in said(reader, section, name):
                message = f"{key!r} needs 'on': it makes more of other rules' points."
                reader.fault_at("no-effect", message, section, name, key)
        return
    for key in _NOT_ON_MODIFIERS:
        if key in said(reader, section, name):
            message = f"{key!r} has no effect here: the rules under 'on' say it."
            reader.fault_at("no-effect", message, section, name, key)
    if rule.stack == "compounds" and rule.only_best_of:
        message = (
            "A rule either compounds with others or excludes them; nobody could follow both."
            " Keep one of the two."
        )
        reader.fault_at("cannot-be-explained", message, section, name, "stack")
    if isinstance(rule.multiply, Ratio) and rule.multiply.num < rule.multiply.den:
        message = "This would take points away; 'multiply' is one time or more."
        reader.fault_at("multiply-below-one", message, section, name, "multiply")


def _period(rule: Rule, section: str, name: str, reader: Reader, read: Read) -> None:
    periods = {each for each in read["earning"] if read["earning"][each].over is not None}
    if rule.over is not None:
        if "beyond" in said(reader, section, name):
            message = "Over a period write bands: {each part: {from …: …, from …: …}}."
            reader.fault_at("cannot-be-explained", message, section, name, "beyond")
        if rule.available.group:
            message = (
                "The total of a period cannot wait for one group."
                " Take out 'over', or what it waits for."
            )
            reader.fault_at("cannot-be-explained", message, section, name, "available")
        if rule.over.kind in ("ever", "purchase") or rule.over.kind.startswith("rolling"):
            message = "A period has an end: write for example calendar month."
            reader.fault_at("period-without-end", message, section, name, "over")
        if section == "offers":
            message = "An offer counts for a purchase, not for a period. Take 'over' out."
            reader.fault_at("cannot-be-explained", message, section, name, "over")
    _band_of_another(rule, section, name, reader, read)
    if periods & set(rule.on):
        for key in ("cap", "stack", "only best of"):
            if key in said(reader, section, name):
                message = f"On a rule over a period {key!r} has no effect."
                reader.fault_at("no-effect", message, section, name, key)


def _band_of_another(rule: Rule, section: str, name: str, reader: Reader, read: Read) -> None:
    """A band that a counter picks: both are over the same period."""
    limits = rule.give.limits if rule.give is not None else ""
    picking = rule.by_the_total_of
    if not picking:
        if limits:
            message = (
                "The limits of its bands are in another unit: say 'by the total of' a counter."
            )
            reader.fault_at("bands-differ", message, section, name, "give")
        return
    counter = read["counters"].get(picking)
    if counter is None:
        message = f"There is no counter {picking!r}. {suggest(picking, read['counters'])}"
        reader.fault_at("unknown-counter", message, section, name, "by the total of")
    elif rule.give is None or rule.give.bands != "whole" or rule.over != counter.window:
        message = (
            "A total picks the band of a 'whole amount' that is given over the period that its"
            " counter counts over."
        )
        reader.fault_at("cannot-be-explained", message, section, name, "by the total of")


def _round(rule: Rule, section: str, name: str, reader: Reader) -> None:
    if rule.give is None or not rule.round.per:
        return
    if rule.round.per != rule.give.per:
        message = "It lowers what the rate is not measured on. Take it out, or lower what is."
        reader.fault_at("round-does-not-fit", message, section, name, "round")


def _existing(head: ProgramSection, read: Read, reader: Reader) -> None:
    """What a change does to what is there names what is there."""
    levels = {level for tier in read["tiers"].values() for level, _ in tier.levels or ()}
    for new in head.existing.levels.values():
        if new not in levels:
            message = f"There is no level {new!r}. {suggest(new, levels)}"
            reader.fault("unknown-level", message, reader.tree)
    for group, counter in head.existing.measured_by.items():
        for kind, each in (("tiers", group), ("counters", counter)):
            if each not in read[kind]:
                message = f"There is no {each!r} under {kind!r}. {suggest(each, read[kind])}"
                reader.fault(f"unknown-{kind[:-1]}", message, reader.tree)
    for counter, text in head.existing.grants.items():
        if counter not in read["counters"]:
            message = f"There is no counter {counter!r}. {suggest(counter, read['counters'])}"
            reader.fault("unknown-counter", message, reader.tree)
        try:
            unit = QUANTITY.read(node(text), reader).unit
        except Wrong as wrong:
            reader.fault(wrong.code, wrong.message, reader.tree)
            continue
        if unit not in read["balances"]:
            message = f"What is granted is of a balance. {suggest(unit, read['balances'])}"
            reader.fault("unknown-balance", message, reader.tree)


def _caps(rule: Rule, section: str, name: str, reader: Reader, shared: dict[str, Cap]) -> None:
    caps = caps_of(rule.cap, shared)
    steps: tuple[Step, ...] = ()
    if rule.give is not None:
        steps = tuple(step for _, step in rule.give.by_level) or rule.give.steps
    per = steps[0].per if steps else ""
    if rule.over is not None and any(cap.counts != "points" for cap in caps):
        message = "Over a period a cap limits points; limits of the total are bands."
        reader.fault_at("cap-does-not-fit", message, section, name, "cap")
        return
    for cap in caps:
        if not rule.on and (
            (cap.counts == "spend" and per != "money") or (cap.counts == "items" and per != "item")
        ):
            message = f"A cap on {cap.counts} needs a rate per {cap.counts}; this rule has none."
            reader.fault_at("cap-does-not-fit", message, section, name, "cap")
        if cap.counts == "points" and per == "event" and steps[0].num > cap.limit * steps[0].den:
            message = (
                "The cap is below what the rule gives once, so nobody gets what it says."
                " Raise the cap, or give less."
            )
            reader.fault_at("cap-below-earn", message, section, name, "cap")
    if rule.beyond is not None and not any(cap.counts in ("spend", "items") for cap in caps):
        message = (
            "'beyond' says what comes after a cap on spend or items; there is none."
            " Write the cap, or take this out."
        )
        reader.fault_at("no-effect", message, section, name, "beyond")


def _too_late(rule: Rule, section: str, name: str, reader: Reader, read: Read) -> None:
    if rule.give is None or rule.give.unit not in read["balances"]:
        return
    expires = read["balances"][rule.give.unit].expires
    available = rule.available
    wait = available.after_days + (31 if available.day_of_next_month else 0)
    day = 738976  # any day: 2024-03-31
    end = expires.fixed(day)
    if end and wait and end - day <= wait:
        message = (
            "These points would be gone before they can be spent."
            " Make them available sooner, or last longer."
        )
        reader.fault_at("expire-before-use", message, section, name, "available")


def _prices(read: Read, reader: Reader) -> None:
    for section in ("prices", "offers"):
        for name, price in read[section].items():
            if price.off is None or price.if_ is None:
                continue
            if price.if_.spend or price.if_.items or price.if_.unspent:
                message = "A price is made before lines are added up: ask for the 'basket'."
                reader.fault_at("cannot-be-explained", message, section, name, "if")
    for name, offer in read["offers"].items():
        if offer.off is not None and (offer.give is not None or offer.on):
            message = (
                "An offer takes something off or it gives points: a purchase uses it up once."
                " Make two offers of it."
            )
            reader.fault_at("cannot-be-explained", message, "offers", name, "off")
        if name in read["earning"]:
            message = f"A rule under 'earning' is called {name!r} too; give each its own name."
            reader.fault_at("name-twice", message, "offers", name)


def _rewards(read: Read, reader: Reader) -> None:
    for name, reward in read["rewards"].items():
        keys: tuple[str, ...] = () if reward.rate else ("step", "pays at most", "least", "covers")
        keys += () if reward.rate or reward.rungs else ("most",)
        for key in keys:
            if key in said(reader, "rewards", name):
                message = f"{key!r} goes with 'rate'; this reward has another price."
                reader.fault_at("no-effect", message, "rewards", name, key)
        if reward.issued == "by itself" and reward.cost is None and reward.reached is None:
            message = "Only a reward with a fixed 'cost' or a milestone 'reached' comes by itself."
            reader.fault_at("cannot-be-explained", message, "rewards", name, "issued")
        free = reward.cost is not None and not reward.cost.amount
        if free and not reward.per_member.times:
            message = "What costs nothing needs a limit: write for example 'per member: 1'."
            reader.fault_at("nothing", message, "rewards", name, "cost")
        if reward.points_back is not None and not (reward.cost or reward.rate or reward.rungs):
            message = "'points back' is a share of what was redeemed; this reward has no price."
            reader.fault_at("no-effect", message, "rewards", name, "points back")
        if reward.reached is not None and reward.issued != "by itself":
            message = "A milestone comes by itself: write 'issued: by itself'."
            reader.fault_at("cannot-be-explained", message, "rewards", name, "reached")
        if reward.issued != "on request":
            for key in ("if", "where", "except", "stock", "per member", "held for"):
                if key in said(reader, "rewards", name):
                    message = f"{key!r} has no effect: nobody asks for this reward."
                    reader.fault_at("no-effect", message, "rewards", name, key)


def _balances(read: Read, reader: Reader) -> None:
    for name, balance in read["balances"].items():
        expires = balance.expires
        if balance.pushed_on_by and not expires.fixed(738976):
            message = "Only what dies at a fixed end can be pushed on; a clock says it itself."
            reader.fault_at("no-effect", message, "balances", name, "pushed on by")
        if balance.kept_while is not None and not expires.clock and not expires.fixed(738976):
            message = (
                "These points never die, so nobody has to be protected."
                " Take this out, or say when they die."
            )
            reader.fault_at("no-effect", message, "balances", name, "kept while")


def _tiers(read: Read, reader: Reader) -> None:
    for name, tier in read["tiers"].items():
        levels = tier.levels or ()
        if not levels or levels[0][1].any_of != ((),):
            message = "The first level is where everybody begins: write 'from the start'."
            reader.fault_at("no-entry-level", message, "tiers", name, "levels")
            continue
        for level in sorted({*tier.titles} - {each for each, _ in levels}):
            message = f"There is no level {level!r}. {suggest(level, [each for each, _ in levels])}"
            reader.fault_at("unknown-level", message, "tiers", name, "titles")
        last: dict[str, int] = {}
        for level, threshold in levels[1:]:
            if len(threshold.any_of) == 1 and len(threshold.any_of[0]) == 1:
                counter, amount = threshold.any_of[0][0]
                if amount <= last.get(counter, 0):
                    message = f"{level!r} takes no more than the level before it."
                    reader.fault_at("levels-out-of-order", message, "tiers", name, "levels")
                last[counter] = amount


def _counters(read: Read, reader: Reader) -> None:
    for name, counter in read["counters"].items():
        if counter.counts != "years":
            continue
        if counter.who is None:
            message = "Years of which members? Say 'who', for example {status: gold or higher}."
            reader.fault_at("years-of-whom", message, "counters", name, "counts")
        for key in ("for", "of", "whose", "where", "except", "when", "if", "counted"):
            if key in said(reader, "counters", name):
                message = f"{key!r} has no effect: a year counts at its end, by 'who'."
                reader.fault_at("no-effect", message, "counters", name, key)


def _order(head: ProgramSection, read: Read, reader: Reader) -> None:
    if head.order.index("counters") > head.order.index("earning"):
        return
    for name, counter in read["counters"].items():
        if counter.counts == "points":
            message = (
                "It counts points, but the order counts before points are earned."
                " Put 'earning' before 'counters' in 'order'."
            )
            reader.fault_at("order-impossible", message, "counters", name, "counts")


def _names(read: Read, reader: Reader) -> None:
    """Entries that name others which are not there."""
    balances, vouchers = read["balances"], read["vouchers"]
    for name, reward in read["rewards"].items():
        prices = [reward.cost is not None, reward.rate is not None, bool(reward.rungs)]
        free = reward.reached is not None or reward.issued in ("on the birthday", "on joining")
        if free:
            if any(prices):
                message = (
                    "What comes on an occasion or at a milestone has no price."
                    " Take the price out, or the occasion."
                )
                reader.fault_at("one-price", message, "rewards", name)
        elif sum(prices) != 1:
            message = "A reward has one price: 'cost', 'rate' or 'rungs'."
            reader.fault_at("one-price", message, "rewards", name)
        elif unit_of(reward) not in balances:
            message = f"A reward is paid with a balance. {suggest(unit_of(reward), balances)}"
            reader.fault_at("unknown-balance", message, "rewards", name)
        kind = reward.gives.voucher
        if kind and kind not in vouchers:
            message = f"There is no voucher {kind!r}. {suggest(kind, vouchers)}"
            reader.fault_at("unknown-voucher", message, "rewards", name, "gives")
    for name, cycle in read["cycles"].items():
        if cycle.voucher and cycle.voucher not in vouchers:
            message = f"There is no voucher {cycle.voucher!r}. {suggest(cycle.voucher, vouchers)}"
            reader.fault_at("unknown-voucher", message, "cycles", name, "voucher")
        into = cycle.worth.into if cycle.worth is not None else ""
        makes = (cycle.voucher, cycle.pays_out, cycle.exchanges, into)
        if sum(map(bool, makes)) != 1 and cycle.worth is not DECLARED_LATER:
            message = (
                "A cycle makes one thing: a 'voucher', money that it 'pays out', another balance"
                " that its 'worth' names, or what it 'exchanges' with a partner."
            )
            reader.fault_at("makes-what", message, "cycles", name)
        if cycle.one_per_step and not (cycle.voucher and cycle.step):
            message = "It makes one for each step: say 'step', and which 'voucher' it is."
            reader.fault_at("no-effect", message, "cycles", name, "one per step")
        if cycle.least.unit not in balances:
            message = f"A cycle takes a balance. {suggest(cycle.least.unit, balances)}"
            reader.fault_at("unknown-balance", message, "cycles", name, "least")
    for section in ("earning", "offers"):
        for name, rule in read[section].items():
            for each in (rule.where, rule.except_):
                chosen = each.chosen if each is not None else None
                if chosen and read["choices"][chosen[1]].names_anything:
                    message = f"{chosen[1]!r} can be any name, so no lines can be like it."
                    reader.fault_at("chosen-here", message, section, name)
    for section in ("counters", "prices", "rewards"):
        for name, entry in read[section].items():
            if any(each is not None and each.chosen for each in (entry.where, entry.except_)):
                message = "Only an earning rule can ask for what a member has chosen."
                reader.fault_at("chosen-here", message, section, name)
