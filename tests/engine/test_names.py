"""Entries of different sections may share a name, and never share what they keep under it."""

from __future__ import annotations

from typing import Any

import pytest

from kantis.core.events import Activity, Enjoy, Exchange, Subscribe
from kantis.engine.program import Program
from tests.engine.member import Member, program


def club(plan: str, partner: str, entitlement: str) -> Program:
    """A plan and a partner with a bonus, a rule and an entitlement with a cap of their own."""
    rules = {
        "air": {"for": "visit", "give": "100 points per item", "cap": "1 time per calendar month"}
    }
    head: dict[str, Any] = {
        "plans": {plan: {"fee": "5.00 EUR per month", "bonus": "100 points per month"}},
        "partners": {
            partner: {
                "takes": "1 miles per 100 points",
                "bonus": "7 miles for 200 points at once",
            }
        },
        "entitlements": {entitlement: {"good for": "lounge", "cap": "1 time per calendar month"}},
    }
    return program(rules, **head)


def units(member: Member, partner: str, day: int) -> int:
    """What an exchange of 200 points gives at the partner."""
    key = f"till/{member(Exchange(partner, 200), day)}"
    (fact,) = (fact for fact in member.entries[key][1].decision.fired if fact[2] == "taken")
    return int(fact[5])


@pytest.mark.parametrize("name", ["air", "other"])
def test_the_bonus_of_a_partner_comes_once_whatever_a_plan_of_its_name_brings(name: str) -> None:
    member = Member(club("air", name, "seat"))
    member(Subscribe("air"))
    member(Activity("visit"), 1)
    assert units(member, name, 1) == 9
    member(Activity("visit"), 60)
    assert units(member, name, 61) == 2


@pytest.mark.parametrize("name", ["air", "other"])
def test_a_rule_does_not_use_up_an_entitlement_of_its_name(name: str) -> None:
    member = Member(club("plan", "line", name))
    member(Activity("visit"))
    member(Enjoy(name), 1)
    member(Enjoy(name), 2, refused="had-already", ask=True)
