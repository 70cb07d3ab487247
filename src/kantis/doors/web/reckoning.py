"""Reckoning: what a year of own habits would bring, before somebody joins."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from kantis.core.amounts import money
from kantis.core.knobs import Node
from kantis.desk import habits
from kantis.desk.submit import Desk
from kantis.doors.web.basket import coins
from kantis.doors.web.pages import Visit, whole
from kantis.doors.web.places import Place

_AMOUNT_MAX: Final = 10**9


class Habits(Struct, frozen=True):
    """What somebody says of themselves; ``amount`` in minor units, 0 where nothing was said."""

    visits: int
    amount: int
    category: str
    typed: str


def habits_of(visit: Visit, place: Place) -> Habits:
    """What stands behind the question mark."""
    query = visit.request.query_params
    typed, category = query.get("amount", "").strip()[:20], query.get("category", "")
    known = category if category in categories(place) else ""
    visits = min(whole(query.get("visits", "")), habits.VISITS_MAX)
    return Habits(visits, minor(typed, place.money), known, typed)


def minor(typed: str, currency: str) -> int:
    """Minor units of what somebody typed; 0 where it is no amount."""
    amount = coins(typed, money(currency)) or 0
    return amount if amount <= _AMOUNT_MAX else 0


def categories(place: Place) -> list[str]:
    """What a program earns for in particular: the categories that its rules name."""
    found: dict[str, None] = {}
    for section in ("earning", "offers"):
        if section in place.tree:
            _gather(place.tree[section], found)
    return list(found)


def _gather(node: Node, found: dict[str, None]) -> None:
    value: Any = node.value
    if not isinstance(value, dict):
        return
    for key, each in value.items():
        wanted = each.value
        if key == "where" and isinstance(wanted, dict) and "category" in wanted:
            said = wanted["category"].value
            names = [x.value for x in said] if isinstance(said, list) else [said]
            found |= dict.fromkeys(str(x) for x in names if not str(x).startswith("chosen "))
        else:
            _gather(each, found)


def years(reader: Desk, place: Place, told: Habits) -> list[dict[str, Any]]:
    """What a year would bring, without a paid membership and with each, in decimal numbers."""
    program = reader.homes.numbered(place.number).program
    found = habits.years(program, reader.clock(), told.visits, told.amount, told.category)
    number = program.money.number
    return [
        {
            "plan": each.plan,
            "spent": number(each.spent),
            "got": number(each.got),
            "fees": number(each.fees) if each.fees else "",
            "net": number(each.got - each.fees),
            "left": {name: program.units[name].number(n) for name, n in each.left.items()},
        }
        for each in found
    ]
