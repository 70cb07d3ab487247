"""Check of budgets: each counts what its rule gives, and something that can be stopped."""

from __future__ import annotations

from typing import Any

from kantis.core.budgets import TIMES
from kantis.core.knobs import Reader

Read = dict[str, dict[str, Any]]

_SECTIONS = ("prices", "earning", "offers")


def check_budgets(read: Read, reader: Reader) -> None:
    """Write down every budget that could not be told, or would stop nothing."""
    seen: dict[str, str] = {}
    for section in _SECTIONS:
        for name, rule in read[section].items():
            if rule.budget is None:
                continue
            for code, message in _faults(name, rule, read, reader):
                reader.fault_at(code, message, section, name, "budget")
            if name in seen or any(name in read[other] for other in _SECTIONS if other != section):
                message = f"Something else is called {name!r} too; give it a name of its own."
                reader.fault_at("name-twice", message, section, name, "budget")
            seen[name] = section


def _faults(name: str, rule: Any, read: Read, reader: Reader) -> list[tuple[str, str]]:
    """What is wrong with a budget: codes and sentences."""
    bases = [each for each in (read["earning"].get(on) for on in getattr(rule, "on", ())) if each]
    givers = bases or ([rule] if getattr(rule, "give", None) is not None else [])
    found = []
    if any(each.give is not None and each.give.by_partner for each in givers) or (
        reader.tree is not None and not _written(name, rule, reader)
    ):
        message = "Each partner says its own rate, so this is several rules. Take the budget out."
        found.append(("cannot-be-explained", message))
    if any(each.over is not None for each in givers):
        message = (
            "What a period gives is known at its end; by then a budget could stop nothing."
            " Take out 'over', or the budget."
        )
        found.append(("cannot-be-explained", message))
    if any(each.for_ == "birthday" for each in givers):
        message = "Every member has a birthday, so it cannot be used up. Take the budget out."
        found.append(("cannot-be-explained", message))
    return found + _unit(rule, givers, read, reader)


def _written(name: str, rule: Any, reader: Reader) -> bool:
    """Whether an entry stands in the file under its name, not made of one for each partner."""
    assert reader.tree is not None
    sections = [reader.tree.value.get(each) for each in _SECTIONS]
    return any(each is not None and name in each.value for each in sections)


def _unit(rule: Any, givers: list[Any], read: Read, reader: Reader) -> list[tuple[str, str]]:
    """A budget is in what the rule gives: money off a price, a balance, or times."""
    said, off = rule.budget, getattr(rule, "off", None)
    costs = getattr(rule, "costs_us", None)
    given = {each.give.unit for each in givers if each.give is not None}
    money = reader.money.name if reader.money else ""
    if said.unit == TIMES:
        return []
    if said.unit == money:
        if costs is not None:
            return _below(costs.amount, said.amount)
        if off is None:
            points = next(iter(given), "points")
            return [
                (
                    "budget-does-not-fit",
                    "It takes nothing off a price, so no money can be counted. Write the budget in"
                    f" {points} or in times; or say what one use of the offer 'costs us'.",
                )
            ]
    elif said.unit not in given:
        fits = f"Write it in {next(iter(given))}" if given else "Write it in money, or in times"
        return [("budget-does-not-fit", f"It gives no {said.unit}. {fits}.")]
    if off is not None and given:
        message = (
            "It takes off a price and gives points, and a budget counts one of the two. Write it"
            " in times, or say what one use 'costs us'."
        )
        return [("budget-does-not-fit", message)]
    if len(given) > 1:
        message = "The rules under 'on' give several balances. Write the budget in times."
        return [("budget-does-not-fit", message)]
    return _below(_fixed(rule), said.amount)


def _fixed(rule: Any) -> int:
    """What a rule gives each time; 0 where that is not one number."""
    give = getattr(rule, "give", None)
    steps = () if give is None or give.bands or give.group else give.steps
    return steps[0].num // steps[0].den if steps and steps[0].per == "event" else 0


def _below(one: int, amount: int) -> list[tuple[str, str]]:
    message = "The budget is below what one use takes, so nobody gets it. Raise it, or give less."
    return [("budget-below-one", message)] if one > amount else []
