"""A version can be limited to pilot locations: whoever comes to one of them is in it."""

from __future__ import annotations

from typing import Any

import pytest

from kantis.core.calendar import DAY_MS
from kantis.core.events import Adjust, Know, Redeem, Refund
from kantis.core.knobs import ProgramError
from kantis.engine.program import Program, Version, assemble
from tests.engine.member import NOON, Member, bought

PILOT = {"pilot": {"locations": ["north", "harbour"]}}
LEVELS = {"basic": "from the start", "gold": "100 EUR"}


def terms(points: int, **changed: Any) -> dict[str, Any]:
    return {
        "program": "p",
        "money": "EUR",
        "timezone": "Europe/Helsinki",
        "balances": {"points": {"expires": "12 months after earning"}},
        "counters": {"spend": {"counts": "spend", "window": "calendar year"}},
        "tiers": {"status": {"by": "spend", "levels": LEVELS, "lasts": "12 months"}},
        "earning": {"base": {"give": f"{points} points per 1 EUR"}},
    } | changed


def piloted(*later: tuple[int, dict[str, Any]]) -> Program:
    """One point per euro; from day 10 on two in the pilot; and versions that come later."""
    versions = [(-9999, terms(1)), (10, terms(2, **PILOT)), *later]
    return assemble(
        [
            Version.of(number, max(0, NOON + day * DAY_MS), tree)
            for number, (day, tree) in enumerate(versions, 1)
        ]
    )


def test_the_pilot_holds_for_who_comes_to_its_locations_and_for_nobody_else() -> None:
    program = piloted()
    anna, ben = Member(program), Member(program)
    for member in (anna, ben):
        member(bought(100, location="north"))
        assert member.points == 1  # before the pilot begins
    ben(bought(100, location="south"), day=11)
    assert ben.points == 2
    anna(bought(100, location="north"), day=11)
    assert anna.points == 3
    anna(bought(100, location="south"), day=12)  # wherever she goes from then on
    assert anna.points == 5
    anna(bought(100, location="south"), day=13, late=2.5)  # before she came
    assert anna.points == 6


def test_a_new_member_begins_in_the_pilot() -> None:
    member = Member(piloted())
    member(bought(100, location="harbour"), day=11)
    assert member.points == 2
    assert member.account.seq == 1


def test_a_refund_goes_by_the_terms_of_its_purchase() -> None:
    member = Member(piloted())
    before = member(bought(1000, location="south"), day=11)
    after = member(bought(1000, location="north"), day=12)
    member(Refund(before), day=13)
    assert member.points == 20
    member(Refund(after), day=13)
    assert member.points == 0


def test_a_pilot_ends_with_the_next_version_for_everybody() -> None:
    program = piloted((20, terms(5)))
    member, other = Member(program), Member(program)
    member(bought(100, location="north"), day=11)
    member(bought(100, location="north"), day=21)
    other(bought(100, location="north"), day=21)
    assert (member.points, other.points) == (7, 5)


def test_what_is_there_is_changed_when_the_account_comes_into_the_pilot() -> None:
    group = {"by": "spend", "levels": {"basic": "from the start", "star": "500 EUR"}}
    changed = {
        "balances": {"points": {"expires": "3 months after earning"}},
        "tiers": {"status": group | {"lasts": "12 months"}},
        "existing": {"expiry": "follows", "levels": {"gold": "star"}},
    }
    later = (30, terms(2, **changed, pilot={"locations": ["east"]}))
    program = piloted(later)
    anna, ben = Member(program), Member(program)
    for member in (anna, ben):
        member(bought(10_000))
        assert member.account.tiers["status"].level == 1
        member.wait(40)
    anna(Adjust("points", 1, "sorry"), day=41)
    anna(bought(100, location="east"), day=42)
    assert program.plan_for(anna.account, anna.account.at).version == 3
    assert program.plan_for(ben.account, ben.account.at).version == 1
    assert anna.account.tiers["status"].level == 1
    anna.wait(100)
    ben.wait(100)
    assert (anna.points, ben.points) == (1 + 2, 100)  # hers of the first day died after 3 months


def test_a_member_can_be_put_into_a_pilot_or_kept_out_of_it_by_hand() -> None:
    program = piloted()
    anna, ben = Member(program), Member(program)
    anna(Know("pilot 2", "yes"), day=11)
    anna(bought(100, location="south"), day=12)
    ben(Know("pilot 2", "no"), day=11)
    ben(bought(100, location="north"), day=12)
    assert (anna.points, ben.points) == (2, 1)


def test_a_refusal_of_a_newcomer_brings_into_the_pilot_all_the_same() -> None:
    member = Member(piloted())
    member(Redeem("mug", location="north"), day=11, ask=True, refused="unknown-reward")
    member(bought(100), day=12)
    assert member.points == 2


def test_a_pilot_keeps_what_members_hold() -> None:
    with pytest.raises(ProgramError, match="balance-removed"):
        piloted((20, terms(1, balances={"stars": {}}, earning={}, **PILOT)))
