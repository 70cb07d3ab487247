"""Explain rules: what a rule gave, took or spent, in words that a member understands.

A sentence says how much, for which rule, by which part of its terms, and on what: of a table
of bands the one that was reached, of a list of levels the one that the member had.
"""

from __future__ import annotations

from typing import Any

from kantis.core.amounts import Ratio, Unit, divide, ratio
from kantis.core.conditions import as_said
from kantis.core.earner import Earner
from kantis.core.knobs import Node
from kantis.core.phrases import percent, text_of
from kantis.core.rates import Step, exact, rounded
from kantis.core.sentences import (
    Amount,
    Keyed,
    Name,
    Phrase,
    Sentence,
    Several,
    Template,
    Value,
)
from kantis.engine.explain_outward import outside
from kantis.engine.plan import Plan
from kantis.features.counters import THOUSANDTHS

_RULES = (
    "earning",
    "offers",
    "prices",
    "rewards",
    "cycles",
    "referrals",
    "challenges",
    "plans",
)
#: What a rule gives, by the key that says it.
TERMS = ("give", "multiply", "add", "bonus")
Fact = tuple[Any, ...]
#: Terms that hold for a level.
_LEVEL = Template("{terms} ({level})")


def words(tree: dict[str, Any], rule: str, *keys: str) -> Value:
    """What the file says of a rule under one of the keys, as it is written.

    A rule that stands for one partner, or for one option of a choice, says what it was
    written as.
    """
    node = _entry(tree, rule, *keys)
    return _flat(node) if node is not None else ""


def phrase(tree: dict[str, Any], rule: str, key: str) -> str:
    """The same as people read conditions: ``status gold or higher``."""
    node = _entry(tree, rule, key)
    return as_said(node) if node is not None else ""


def _entry(tree: dict[str, Any], rule: str, *keys: str) -> Node | None:
    base, _, partner = rule.rpartition(" ")
    partners = tree.get("partners")
    child = partners.value.get(partner) if base and partners is not None else None
    if child is not None and "give" in child.value and "give" in keys:
        found: Node = child.value["give"]
        return found
    for section in _RULES:
        entries = tree.get(section)
        if entries is None:
            continue
        for name in (rule, base, base.removesuffix(" but")):
            child = entries.value.get(name)
            for key in keys if child is not None and isinstance(child.value, dict) else ():
                first, _, second = key.partition(" ")
                value = child.value.get(first)
                if value is not None and second:
                    value = value.value.get(second)
                if value is not None:
                    return value  # type: ignore[no-any-return]
    return None


def _flat(node: Node) -> Value:
    """A value of the file as words."""
    if isinstance(node.value, dict):
        return Several(tuple(Keyed(key, _flat(child)) for key, child in node.value.items()))
    if isinstance(node.value, list):
        return Several(tuple(_flat(each) for each in node.value))
    return Phrase(text_of(node))


def unit_of(plan: Plan, name: str) -> Unit:
    """The unit of a balance, also of one that is no longer there."""
    balance = plan.balances.get(name)
    return balance.unit if balance is not None else Unit(name)


def fired(
    plan: Plan, tree: dict[str, Any], facts: list[Fact], fact: Fact, invited: bool
) -> Sentence | None:
    """The sentence of what a rule did; ``invited`` where somebody came by the member's word."""
    rule, balance, base, points, lot, plain = fact
    unit, named = unit_of(plan, balance), Name(rule)
    if isinstance(base, str):
        return outside(plan, fact)
    if rule in plan.entitlements.sections:
        good_for = Phrase(plan.entitlements.sections[rule].good_for)
        return Template("Entitled to {rule}: {what}.")(rule=named, what=good_for)
    if points < 0 or plain < 0:
        return _taken(unit, rule, -points, -plain)
    if rule in plan.rewards and not lot:  # an earning rule may have the name of a reward
        return _reward(plan, tree, fact)
    shown = Amount(unit, points)
    if rule in plan.cycles:
        worth = Amount(plan.money, plain)
        if points == base:
            turned = Template("{points} turned into {money} ({rule}).")
            return turned(points=shown, money=worth, rule=named)
        part = Template("{points} of {all} turned into {money} ({rule}).")
        return part(points=shown, all=Amount(unit, base), money=worth, rule=named)
    if rule in plan.challenges:
        goal = words(tree, rule, "streak", "goal")
        if not points:
            return Template("The challenge {rule} is won: {goal}.")(rule=named, goal=goal)
        won = Template("The challenge {rule} is won: {goal}. {points} for it.")
        return won(rule=named, goal=goal, points=shown)
    if rule in plan.referrals:
        brought = Template("{points} for a friend whom you brought ({rule}){cap}.")
        came = Template("{points} for coming by the invitation ({rule}){cap}.")
        cap = _capped(unit, points, plain)
        return (brought if invited else came)(points=shown, rule=named, cap=cap)
    return _gave(plan, tree, facts, fact)


def _reward(plan: Plan, tree: dict[str, Any], fact: Fact) -> Sentence:
    rule, balance, _, points, _, plain = fact
    named, gives = Name(rule, of="rewards"), words(tree, rule, "gives")
    if not balance:
        came = Template("The reward {rule} came by itself: {gives}.")
        return came(rule=named, gives=gives)
    shown = Amount(unit_of(plan, balance), points)
    if plain:
        worth = Template("{points} spent on {rule}, worth {money}.")
        return worth(points=shown, rule=named, money=Amount(plan.money, plain))
    if gives:
        return Template("{points} spent on {rule}: {gives}.")(points=shown, rule=named, gives=gives)
    return Template("{points} spent on {rule}.")(points=shown, rule=named)


def _taken(unit: Unit, rule: str, taken: int, asked: int) -> Sentence:
    if not taken:
        gone = Template("{points} that {rule} had given should go back; they are gone already.")
        return gone(points=Amount(unit, asked), rule=Name(rule))
    if asked > taken:
        part = Template("{points} taken back that {rule} had given; {more} more are gone already.")
        return part(points=Amount(unit, taken), rule=Name(rule), more=Amount(unit, asked - taken))
    whole = Template("{points} taken back that {rule} had given.")
    return whole(points=Amount(unit, taken), rule=Name(rule))


def _capped(unit: Unit, points: int, plain: int) -> Value:
    if plain <= points:
        return ""
    if not points:
        return Template("; a cap left none of {all}")(all=Amount(unit, plain))
    left = Template("; a cap left {points} of {all}")
    return left(points=Amount(unit, points), all=Amount(unit, plain))


def _gave(plan: Plan, tree: dict[str, Any], facts: list[Fact], fact: Fact) -> Sentence:
    rule, balance, base, points, lot, plain = fact
    unit, earner = unit_of(plan, balance), plan.earning.by_name.get(rule)
    funder: Value = ""
    if earner is not None and earner.rule.funded_by and lot:
        funder = Template(", funded by {partner}")(partner=Name(earner.rule.funded_by))
    terms = _terms(plan, tree, facts, fact, earner)
    return Template("{points} for {rule}{funder}{terms}{on}{cap}.")(
        points=Amount(unit, points),
        rule=Name(rule),
        funder=funder,
        terms=Template(": {terms}")(terms=terms) if terms else "",
        on=_on(plan, tree, earner, base) if earner is not None else "",
        cap=_capped(unit, points, plain),
    )


def _on(plan: Plan, tree: dict[str, Any], earner: Earner, base: int) -> Value:
    """What it was measured on, and over which period."""
    if earner.per == "event" or not base:
        return ""
    if earner.per == "item":
        on = Template(", for {n} item", ", for {n} items")(n=base)
    elif earner.per == "measure":
        rate = str(words(tree, (earner.on or [earner])[0].name, "give"))
        named = [each for each in plan.head.measures if each.rstrip("s") in rate]
        if not named:
            return ""
        measure = Amount(Unit(named[0], THOUSANDTHS.scale), base, short=True)
        on = Template(", on {amount}")(amount=measure)
    else:
        on = Template(", on {amount}")(amount=Amount(plan.money, base))
    if earner.rule.over is None:
        return on
    return Template("{on} in the {window}")(on=on, window=words(tree, earner.name, "over"))


def _terms(
    plan: Plan, tree: dict[str, Any], facts: list[Fact], fact: Fact, earner: Earner | None
) -> Value:
    """The part of a rule's terms that was applied."""
    rule, _, base, _, _, plain = fact
    if earner is None:
        return words(tree, rule, *TERMS)
    if earner.give.group:
        levels = next(each.levels for each in plan.tiers if each.name == earner.give.group)
        for level, _ in earner.give.by_level:
            if rounded(exact(earner.give, base, level), earner.rule.round) == plain:
                terms = words(tree, rule, f"give {levels[level]}")
                return _LEVEL(terms=terms, level=Name(levels[level]))
        return ""
    if earner.give.bands:
        return _band(tree, earner, base, plain)
    for key in ("add", "multiply"):
        node = _entry(tree, rule, key)
        if node is not None and isinstance(node.value, dict):
            return _of_level(facts, fact, node, earner)
    return words(tree, rule, *TERMS)


def _band(tree: dict[str, Any], earner: Earner, base: int, plain: int) -> Value:
    """The band that was reached; of bands that each have their part, all of those."""
    node = _entry(tree, earner.name, "give")
    if node is None or not isinstance(node.value, dict):
        return words(tree, earner.name, "give")
    (table,) = node.value.values()
    said = [Keyed(key, _flat(child)) for key, child in table.value.items()]
    steps = earner.give.steps
    if earner.give.limits:  # the total of another counter picked it
        reached = [i for i, step in enumerate(steps) if _alone(earner, step, base) == plain]
        return said[reached[0]] if len(reached) == 1 else Several(tuple(said))
    below = [i for i, each in enumerate(steps) if _reached(each, base, earner.give.inclusive)]
    if not below:
        return ""
    whole = earner.give.bands == "whole"
    return said[below[-1]] if whole else Several(tuple(said[: below[-1] + 1]))


def _reached(step: Step, base: int, inclusive: bool) -> bool:
    return base >= step.over if inclusive else base > step.over


def _alone(earner: Earner, step: Step, base: int) -> int:
    return rounded(Ratio(step.num * base, step.den), earner.rule.round)


def _of_level(facts: list[Fact], fact: Fact, node: Node, earner: Earner) -> Value:
    """What a modifier adds at the level whose part of the plain points is nearest."""
    _, balance, _, _, _, plain = fact
    on = {each.name for each in earner.on}
    points = sum(each[5] for each in facts if each[0] in on and each[1] == balance)
    apart: dict[int, list[str]] = {}
    for level, child in node.value.items():
        text = text_of(child)
        share = percent(text, child) if text.endswith("%") else ratio(text.removesuffix(" times"))
        more = divide(points * share.num, share.den, "down")
        more -= points if earner.rule.multiply is not None else 0
        apart.setdefault(abs(more - plain), []).append(level)
    near = apart[min(apart)]
    if not points:
        return _flat(node)
    terms = _flat(node.value[near[0]])
    return _LEVEL(terms=terms, level=Name(near[0])) if len(near) == 1 else terms
