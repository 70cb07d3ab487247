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


def words(tree: dict[str, Any], rule: str, *keys: str) -> str:
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


def _flat(node: Node) -> str:
    """A value of the file as words."""
    if isinstance(node.value, dict):
        return ", ".join(f"{key}: {_flat(child)}" for key, child in node.value.items())
    if isinstance(node.value, list):
        return ", ".join(_flat(each) for each in node.value)
    return text_of(node)


def unit_of(plan: Plan, name: str) -> Unit:
    """The unit of a balance, also of one that is no longer there."""
    balance = plan.balances.get(name)
    return balance.unit if balance is not None else Unit(name)


def fired(plan: Plan, tree: dict[str, Any], facts: list[Fact], fact: Fact, invited: bool) -> str:
    """The sentence of what a rule did; ``invited`` where somebody came by the member's word."""
    rule, balance, base, points, lot, plain = fact
    unit = unit_of(plan, balance)
    if isinstance(base, str):
        return outside(plan, fact)
    if rule in plan.entitlements.sections:
        return f"Entitled to {rule}: {plan.entitlements.sections[rule].good_for}."
    if points < 0 or plain < 0:
        return _taken(unit, rule, -points, -plain)
    if rule in plan.rewards and not lot:  # an earning rule may have the name of a reward
        return _reward(plan, tree, fact)
    if rule in plan.cycles:
        worth = plan.money.show(plain)
        of = "" if points == base else f" of {unit.show(base)}"
        return f"{unit.show(points)}{of} turned into {worth} ({rule})."
    if rule in plan.challenges:
        won = f"The challenge {rule} is won: {words(tree, rule, 'streak', 'goal')}"
        return f"{won}. {unit.show(points)} for it." if points else f"{won}."
    if rule in plan.referrals:
        why = "a friend whom you brought" if invited else "coming by the invitation"
        return f"{unit.show(points)} for {why} ({rule}){_capped(unit, points, plain)}."
    return _gave(plan, tree, facts, fact)


def _reward(plan: Plan, tree: dict[str, Any], fact: Fact) -> str:
    rule, balance, _, points, _, plain = fact
    if not balance:
        return f"The reward {rule} came by itself: {words(tree, rule, 'gives')}."
    what = f", worth {plan.money.show(plain)}" if plain else ""
    if not plain and (gives := words(tree, rule, "gives")):
        what = f": {gives}"
    return f"{unit_of(plan, balance).show(points)} spent on {rule}{what}."


def _taken(unit: Unit, rule: str, taken: int, asked: int) -> str:
    if not taken:
        return f"{unit.show(asked)} that {rule} had given should go back; they are gone already."
    more = f"; {unit.show(asked - taken)} more are gone already" if asked > taken else ""
    return f"{unit.show(taken)} taken back that {rule} had given{more}."


def _capped(unit: Unit, points: int, plain: int) -> str:
    if plain <= points:
        return ""
    if not points:
        return f"; a cap left none of {unit.show(plain)}"
    return f"; a cap left {unit.show(points)} of {unit.show(plain)}"


def _gave(plan: Plan, tree: dict[str, Any], facts: list[Fact], fact: Fact) -> str:
    rule, balance, base, points, lot, plain = fact
    unit, earner = unit_of(plan, balance), plan.earning.by_name.get(rule)
    said = f"{unit.show(points)} for {rule}"
    if earner is not None and earner.rule.funded_by and lot:
        said += f", funded by {earner.rule.funded_by}"
    if terms := _terms(plan, tree, facts, fact, earner):
        said += f": {terms}"
    if earner is not None:
        said += _on(plan, tree, earner, base)
    return f"{said}{_capped(unit, points, plain)}."


def _on(plan: Plan, tree: dict[str, Any], earner: Earner, base: int) -> str:
    """What it was measured on, and over which period."""
    if earner.per == "event" or not base:
        return ""
    if earner.per == "item":
        on = f", for {base} {'item' if base == 1 else 'items'}"
    elif earner.per == "measure":
        named = [each for each in plan.head.measures if each.rstrip("s") in _rate(earner, tree)]
        on = f", on {THOUSANDTHS.number(base).rstrip('0').rstrip('.')} {named[0]}" if named else ""
    else:
        on = f", on {plan.money.show(base)}"
    if earner.rule.over is not None and on:
        on += f" in the {words(tree, earner.name, 'over')}"
    return on


def _rate(earner: Earner, tree: dict[str, Any]) -> str:
    return words(tree, (earner.on or [earner])[0].name, "give")


def _terms(
    plan: Plan, tree: dict[str, Any], facts: list[Fact], fact: Fact, earner: Earner | None
) -> str:
    """The part of a rule's terms that was applied."""
    rule, _, base, _, _, plain = fact
    if earner is None:
        return words(tree, rule, *TERMS)
    if earner.give.group:
        levels = next(each.levels for each in plan.tiers if each.name == earner.give.group)
        for level, _ in earner.give.by_level:
            if rounded(exact(earner.give, base, level), earner.rule.round) == plain:
                return f"{words(tree, rule, f'give {levels[level]}')} ({levels[level]})"
        return ""
    if earner.give.bands:
        return _band(tree, earner, base, plain)
    for key in ("add", "multiply"):
        node = _entry(tree, rule, key)
        if node is not None and isinstance(node.value, dict):
            return _of_level(facts, fact, node, earner)
    return words(tree, rule, *TERMS)


def _band(tree: dict[str, Any], earner: Earner, base: int, plain: int) -> str:
    """The band that was reached; of bands that each have their part, all of those."""
    node = _entry(tree, earner.name, "give")
    if node is None or not isinstance(node.value, dict):
        return words(tree, earner.name, "give")
    (table,) = node.value.values()
    said = [f"{key}: {_flat(child)}" for key, child in table.value.items()]
    steps = earner.give.steps
    if earner.give.limits:  # the total of another counter picked it
        reached = [i for i, step in enumerate(steps) if _alone(earner, step, base) == plain]
        return said[reached[0]] if len(reached) == 1 else ", ".join(said)
    below = [i for i, each in enumerate(steps) if _reached(each, base, earner.give.inclusive)]
    if not below:
        return ""
    return said[below[-1]] if earner.give.bands == "whole" else ", ".join(said[: below[-1] + 1])


def _reached(step: Step, base: int, inclusive: bool) -> bool:
    return base >= step.over if inclusive else base > step.over


def _alone(earner: Earner, step: Step, base: int) -> int:
    return rounded(Ratio(step.num * base, step.den), earner.rule.round)


def _of_level(facts: list[Fact], fact: Fact, node: Node, earner: Earner) -> str:
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
    named = f" ({near[0]})" if len(near) == 1 else ""
    return f"{_flat(node.value[near[0]])}{named}" if points else _flat(node)
