"""Splitting: whether two small purchases can earn more than one large one, and why.

A program may mean it so (a stamp for each visit), but its owner should know: members find
out. Where none of the reasons is there, splitting never earns more; a property test holds
every program of the house to that.
"""

from __future__ import annotations

from collections.abc import Iterator

from kantis.core.earner import Earner
from kantis.engine.plan import Plan


def pays_to_split(plan: Plan) -> dict[str, str]:
    """By rule: why splitting a purchase can earn more. Empty where it never does."""
    found: dict[str, str] = {}
    for earner in plan.earning.by_event.get("purchase", []):
        for each in (earner, *earner.modifiers):
            for reason in _reasons(plan, each, earner):
                found.setdefault(each.rule.name, reason)
    for price in plan.prices.rules:
        if plan.head.conventions.money_rounds != "down":
            found.setdefault(price.name, "what it takes off is rounded, line by line")
    for reward in plan.rewards.values():
        if reward.issued == "by itself" and reward.cost is None and reward.reached is None:
            found.setdefault(reward.name, "it comes for each purchase")
    return found


def _reasons(plan: Plan, earner: Earner, base: Earner) -> Iterator[str]:
    rule, give = earner.rule, base.give
    if earner is base:
        if give.per == "event" and not give.bands:
            yield "it gives the same for each purchase, however small"
        if give.bands and rule.over is None:
            yield "its bands look at one purchase alone"
        if give.group and _rises_at_once(plan, give.group):
            yield "a part of it may reach the next level, and the rest earn at its rate"
        how = rule.round
        if how.points != "down" or how.least:
            yield "what it gives is rounded up, or at least something"
    groups = rule.who.tiers if rule.on and rule.who is not None else ()
    if any(_rises_at_once(plan, group) for group, _ in groups):
        yield "a part of it may reach the next level, and the rest earn more"
    for cap in earner.caps:
        if cap.window.kind == "purchase":
            yield "its cap is for each purchase"
        elif not cap.splits:
            yield "its cap leaves out a purchase that is too large"
    if rule.only_best_of:
        yield "only the best of several counts for one purchase"


def _rises_at_once(plan: Plan, group: str) -> bool:
    return any(each.name == group and each.section.up == "at once" for each in plan.tiers)
