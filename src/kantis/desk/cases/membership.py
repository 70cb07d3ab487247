"""What a case expects of plans: their terms, their fees, and what they entitle to."""

from __future__ import annotations

from collections.abc import Callable

from kantis.core import calendar
from kantis.core.account import value_at
from kantis.core.knobs import Node, Wrong
from kantis.desk.cases.look import Check, View, check
from kantis.desk.cases.words import Words
from kantis.engine.members import entitled


def plans(words: Words, key: str, node: Node) -> list[Check]:
    """Where the member stands with a plan: its state, or that and its term; or ``none`` at all."""
    if node.value == "none":
        return [check(node, "plans", "none", lambda view: ", ".join(_held(view)) or "none")]
    found = []
    for name, child in _pairs_of(node, "'plans'"):
        words.plan(child, name)
        fields = {"state": child}
        if not isinstance(child.value, str):
            known = ("state", "per", "since", "until", "renews", "had")
            fields = words.fields(child, known, "A plan")
        for part, what in fields.items():
            expected = words.text(what)
            if part in ("since", "until"):
                expected = calendar.show_day(words.day(what))
            found.append(check(what, f"plan {name} {part}", expected, _membership(name, part)))
    return found


def _held(view: View) -> list[str]:
    plans = view.account.plans.values()
    return sorted({value_at(each.history, view.moment, "") for each in plans} - {""})


def _membership(name: str, part: str) -> Callable[[View], str]:
    def get(view: View) -> str:
        now = next((each for each in view.account.plans.values() if each.plan == name), None)
        if now is None:
            return "none"
        if part == "had":
            return "yes" if name in _held(view) else "no"
        if part == "renews":
            following = f" as {now.next_plan}" if now.next_plan else ""
            following += f" per {now.next_period}" if now.next_period else ""
            return f"yes{following}" if now.renews else "no"
        if part == "since":
            return calendar.show_day(now.start)
        if part == "until":
            return calendar.show_day(now.until - 1)
        return now.period if part == "per" else now.state

    return get


def _pairs_of(node: Node, what: str) -> list[tuple[str, Node]]:
    if not isinstance(node.value, dict):
        raise Wrong("mapping-expected", f"{what} is a mapping of names to values.", node)
    return list(node.value.items())


def fees(words: Words, key: str, node: Node) -> list[Check]:
    """What was charged (below zero: given back) in all, or for each plan or rule."""
    money = words.program.money
    pairs = _pairs_of(node, "'fees'") if isinstance(node.value, dict) else [("", node)]
    found = []
    for name, child in pairs:

        def get(view: View, name: str = name) -> str:
            charged = [fee for each in view.decisions for fee in each.fees]
            return money.show(sum(amount for of, _, amount in charged if name in ("", of)))

        expected = money.show(words.money(child))
        found.append(check(child, f"fees {name}".strip(), expected, get))
    return found


def entitlements(words: Words, key: str, node: Node) -> list[Check]:
    """What the member may have now: all of it by name, or each to its last day, or ``no``."""
    if not isinstance(node.value, dict):
        names = ", ".join(sorted(each for each in words.texts(node) if each != "none"))

        def all_of(view: View) -> str:
            found = entitled(view.program, view.account, view.moment)
            return ", ".join(sorted(each.name for each in found)) or "none"

        return [check(node, "entitlements", names or "none", all_of)]
    found = []
    for name, child in node.value.items():
        text = words.text(child)
        expected = text if text in ("yes", "no") else calendar.show_day(words.day(child))

        def get(view: View, name: str = name, plain: bool = text in ("yes", "no")) -> str:
            now = entitled(view.program, view.account, view.moment)
            mine = next((each for each in now if each.name == name), None)
            if mine is None:
                return "no"
            return "yes" if plain else calendar.show_day(mine.until - 1 if mine.until else 0)

        found.append(check(child, f"entitlement {name}", expected, get))
    return found
