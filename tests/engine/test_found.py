"""What the simulation has found once, each as a small story."""

from __future__ import annotations

from typing import Any

import pytest

from kantis.core.calendar import show_day
from kantis.core.events import (
    Activity,
    Adjust,
    Cancel,
    Capture,
    CarriedLot,
    CarriedTier,
    Carry,
    Claim,
    Confirm,
    Enrol,
    Event,
    Know,
    Line,
    Purchase,
    Redeem,
    Refund,
    Void,
)
from kantis.core.places import AVAILABLE, OWED, PENDING, VOUCHER
from kantis.engine.program import Program, Version, assemble
from tests.engine.member import NOON, Member, bought, program

PER_EURO = {"base": {"give": "1 point per 1 EUR"}}
IDLE = {"balances": {"points": {"expires": "all after 30 days without earning"}}}
MUG = {"rewards": {"mug": {"cost": "10 points", "gives": "a mug"}}}
CARD = {
    "rewards": {"card": {"cost": "10 points", "gives": {"voucher": "card"}}},
    "vouchers": {"card": {"worth": "5 EUR", "valid": "1 year"}},
}


def test_a_late_event_gives_back_only_what_it_could_have_kept() -> None:
    member = Member(program(PER_EURO, **IDLE))
    member(bought(1000))
    member(bought(500), day=33, late=1)  # of day 32: the points had died on day 30
    assert member.has(AVAILABLE) == 5
    member(bought(200), day=34, late=10)  # of day 24: nothing would have died
    assert member.has(AVAILABLE) == 17


def test_redeeming_is_no_earning() -> None:
    member = Member(program(PER_EURO, **IDLE, **MUG))
    member(bought(3000))
    member(Redeem("mug"), day=20)
    member.wait(31)
    assert member.has(AVAILABLE) == 0


def test_points_of_a_late_event_that_are_over_buy_nothing() -> None:
    own = {"rewards": CARD["rewards"] | {"card": CARD["rewards"]["card"] | {"issued": "by itself"}}}
    balances = {"points": {"expires": "20 days after earning"}}
    member = Member(program(PER_EURO, balances=balances, **CARD | own))
    member(bought(1000), day=29, late=29)
    assert member.has(AVAILABLE) == member.has(VOUCHER) == 0


def test_a_lot_that_is_over_does_not_live_again() -> None:
    balances = {"points": {"expires": "20 days after earning"}}
    member = Member(program(PER_EURO, balances=balances))
    member(bought(1000))
    member.wait(25)
    member(bought(700), day=26, late=26)
    assert member.has(AVAILABLE) == 0


def test_what_comes_in_starts_a_clock_that_ran_out_anew() -> None:
    member = Member(program(PER_EURO, **IDLE))
    member(bought(1000))
    member(Adjust("points", 50, "sorry"), day=40)
    member.wait(60)
    assert member.has(AVAILABLE) == 50


def test_a_redemption_is_undone_once_also_when_its_lot_is_forgotten() -> None:
    balances = {"points": {"expires": "3 months after earning"}}
    member = Member(program(PER_EURO, balances=balances, refunds={"within": "30 days"}, **MUG))
    member(bought(1000))
    of = member(Redeem("mug"), day=1)
    for day in range(200, 210):
        member(bought(100), day=day)
    before = member.points
    member(Cancel(of), day=220)
    assert member.points == before + 10
    member(Cancel(of), day=221, refused="cancelled-already")


def test_a_captured_hold_brings_its_voucher() -> None:
    member = Member(program(PER_EURO, **CARD))
    member(bought(1000))
    of = member(Redeem("card", hold=True))
    member(Capture(of))
    assert [v.points for v in member.account.vouchers.values()] == [10] == [member.has(VOUCHER)]
    member(Cancel(of))
    assert member.has(AVAILABLE) == 10
    assert member.has(VOUCHER) == 0


def test_a_tell_that_is_short_leaves_a_debt_and_a_cancel_takes_it_away() -> None:
    member = Member(program(PER_EURO, **MUG))
    member(bought(400))
    of = member(Redeem("mug"))
    assert (member.has(AVAILABLE), member.has(OWED)) == (0, -6)
    member(Redeem("mug"), ask=True, refused="not-enough")
    member(Cancel(of))
    assert (member.has(AVAILABLE), member.has(OWED)) == (4, 0)


def test_a_void_and_a_refund_take_back_once() -> None:
    rules = {
        "base": PER_EURO["base"] | {"available": "when confirmed"},
        "now": {"give": "5 points"},
    }
    member = Member(program(rules))
    member(bought(100))
    of = member(bought(1000, group="g"))
    member(Void("g"))
    member(Refund(of))
    assert member.points == 6


def test_what_was_confirmed_without_being_counted_moves_no_level() -> None:
    rules = {"base": PER_EURO["base"] | {"available": "when confirmed"}}
    tiers = {"status": {"by": "spend", "levels": LEVELS, "lasts": "3 months"}}
    member = Member(program(rules, counters=SPEND, tiers=tiers))
    member(bought(10000, group="g"))
    until = member.account.tiers["status"].until
    member(Confirm("g"), day=20)
    assert member.account.tiers["status"].until == until


SPEND = {"spend": {"counts": "spend", "window": "calendar year"}}
LEVELS = {"basic": "from the start", "gold": "100 EUR"}


def test_items_come_back_by_items() -> None:
    member = Member(program({"base": {"give": "1 point per item"}}))
    dear, cheap = Line("dear", "a", 1, 600), Line("cheap", "b", 3, 600)
    of = member(Purchase((dear, cheap)))
    member(Refund(of, (("dear", 1),)))
    assert member.points == 3


def test_a_cap_is_free_again_by_as_much_as_was_taken_back() -> None:
    rules = {
        "base": {"give": "1 point per 1 EUR", "cap": "both"},
        "tea": {"where": {"category": "tea"}, "give": "5 points", "cap": "both"},
    }
    caps = {"both": {"at most": "20 points per calendar month"}}
    member = Member(program(rules, caps=caps))
    lines = (Line("a", "a", 1, 500, "tea"), Line("b", "b", 1, 500, "coffee"))
    of = member(Purchase(lines))
    member(Refund(of, (("b", 1),)))
    assert member.points == member.counted["cap both"] == 10


def test_a_part_of_a_band_is_a_share_of_what_it_gave() -> None:
    bands = {"from 0 EUR": "1 point per 1 EUR", "from 50 EUR": "2 points per 1 EUR"}
    rules = {
        "base": {"give": {"whole amount": bands}},
        "tea": {"on": "base", "where": {"category": "tea"}, "multiply": "2 times"},
    }
    member = Member(program(rules))
    member(Purchase((Line("a", "a", 1, 3000, "tea"), Line("b", "b", 1, 3000, "coffee"))))
    assert member.points == 120 + 60


def test_a_late_fact_takes_its_place_in_time() -> None:
    rules = {"base": PER_EURO["base"] | {"who": {"segment": "club"}}}
    member = Member(program(rules))
    member(Know("segment club", "yes"), day=10)
    member(Know("segment club", "no"), day=12, late=8)
    member(bought(500), day=13)
    assert member.points == 5


def test_a_birthday_that_is_over_brings_nothing_when_it_becomes_known() -> None:
    member = Member(program(PER_EURO | {"birthday": {"for": "birthday", "give": "50 points"}}))
    member(bought(100))
    member(Know("birthday", "1980-04-01"), day=60)
    member(Know("birthday", "1980-03-20"), day=61)
    assert member.points == 1
    member.wait(365 + 14)
    assert member.points == 51


def test_a_review_comes_on_its_day_and_every_year_for_who_joined_on_29_february() -> None:
    tiers = {
        "status": {
            "by": "spend", "levels": LEVELS, "up": "at review", "review": "membership year",
            "lasts": "2 years",
        }
    }  # fmt: skip
    member = Member(program(PER_EURO, counters=SPEND, tiers=tiers))
    leap = -6  # 29 February 2024
    member(bought(20_000), day=leap)
    member.wait(leap + 300)
    assert not member.account.tiers
    member.wait(leap + 366)
    assert not member.account.tiers  # counted in the year before
    member(bought(20_000), day=leap + 370)
    member.wait(5 * 365)
    assert member.account.cycles["review status"]


def test_rewards_by_themselves_share_one_balance() -> None:
    rewards = {
        "big": {"cost": "30 points", "gives": "a hat", "issued": "by itself"},
        "small": {"cost": "10 points", "gives": "a pen", "issued": "by itself"},
    }
    member = Member(program(PER_EURO, rewards=rewards))
    member(Adjust("points", 57, "sorry"))
    assert member.points == 7


def test_a_level_that_ends_by_a_carry_protects_no_more() -> None:
    tiers = {"status": {"by": "spend", "levels": LEVELS, "lasts": "1 year"}}
    points = {"expires": "10 days after earning", "kept while": {"status": "gold"}}
    member = Member(program(PER_EURO, counters=SPEND, tiers=tiers, balances={"points": points}))
    member(bought(10_000))
    member.wait(20)
    assert member.points == 100
    member(Carry("opening", tiers=(CarriedTier("status", "basic"),)), day=21)
    assert member.points == 0


def test_spent_points_return_with_time_to_spend_them_when_a_clock_has_run_out() -> None:
    member = Member(program(PER_EURO, **IDLE, **MUG))
    member(bought(1000))
    of = member(Redeem("mug"), day=1)
    member(Cancel(of), day=40)
    member.wait(65)
    assert member.points == 10


def test_a_refund_of_a_refused_purchase_is_refused() -> None:
    pay = {"rewards": {"pay": {"rate": "1 EUR per 10 points"}}}
    member = Member(program(PER_EURO, **pay))
    of = member(bought(1000, points={"pay": 50}), ask=True, refused="not-enough")
    member(Refund(of), refused="refused-original")


def test_carried_points_may_be_over_already() -> None:
    balances = {"points": {"expires": "1 month after earning"}}
    member = Member(program(PER_EURO, balances=balances))
    member(Carry("opening", (CarriedLot("points", 7, 738000, 738030), CarriedLot("points", 5))))
    assert member.points == 5


def test_pending_only_takes_nothing_that_is_available() -> None:
    rules = {"base": PER_EURO["base"] | {"available": "after 3 days"}}
    member = Member(program(rules, refunds={"shortage": "pending only"}))
    first = member(bought(1000))
    second = member(bought(500), day=5)
    member(Refund(second), day=6)
    assert member.has(PENDING) == 0
    member(Refund(first), day=6)
    assert member.has(AVAILABLE) == 10


@pytest.fixture
def two_versions() -> Program:
    """From 1 April 2024 a euro is two points, and a month is settled twice as well."""
    month = {"to": "points", "over": "calendar month"}

    def tree(points: int) -> dict[str, Any]:
        give = f"{points} points per 1 EUR"
        return {
            "program": "p", "money": "EUR", "timezone": "Europe/Helsinki",
            "balances": {"points": {"expires": "never"}},
            "earning": {"base": {"give": give}, "month": {"give": give, "over": month["over"]}},
        }  # fmt: skip

    first = Version.of(1, 0, tree(1))
    april = first_of_april(assemble([first]))
    return assemble([first, Version.of(2, april, tree(2))])


def first_of_april(terms: Program) -> int:
    day = terms.calendar.day(NOON) + 26
    assert show_day(day) == "2024-04-01"
    return terms.calendar.start(day)


def test_new_terms_do_not_reach_back(two_versions: Program) -> None:
    member = Member(two_versions)
    of = member(bought(1000))
    member.wait(27)
    assert member.points == 20  # ten at once, ten for March, by the terms of March
    member(bought(1000), day=28)
    assert member.points == 40
    member(Refund(of), day=29)
    assert member.points == 20


def test_a_claim_goes_by_the_rules_of_its_purchase(two_versions: Program) -> None:
    member = Member(two_versions)
    lonely = Event("till", "lonely", NOON, "", bought(1000, receipt="r"))
    member.receipts["r"] = lonely
    member(Claim("r"), day=28)
    assert member.points == 10 + 10


def test_a_counter_of_points_loses_what_is_taken_back_of_its_rules() -> None:
    rules = PER_EURO | {"cake": {"where": {"category": "cake"}, "give": "50 points"}}
    counters = {
        "won": {"counts": "points", "window": "ever"},
        "base": {"counts": "points", "of": "base", "window": "ever"},
        "cake": {"counts": "points", "of": "cake", "window": "ever"},
    }
    member = Member(program(rules, counters=counters))
    lines = (Line("a", "a", 1, 1000, "cake"), Line("b", "b", 3, 3000, "coffee"))
    of = member(Purchase(lines))
    assert member.counted == {"won": 90, "base": 40, "cake": 50}
    member(Refund(of, (("a", 1),)))
    assert member.points == 30
    assert member.counted == {"won": 30, "base": 30}
    member(Refund(of, (("b", 2),)))
    assert member.counted == {"won": 10, "base": 10}


def test_a_counter_of_points_is_lowered_also_by_what_is_forgiven() -> None:
    counters = {"won": {"counts": "points", "window": "ever"}}
    terms = program(PER_EURO, counters=counters, refunds={"shortage": "forgiven"}, **MUG)
    member = Member(terms)
    of = member(bought(1000))
    member(Redeem("mug"))
    member(Refund(of))
    assert member.counted == {}


def test_a_counter_of_points_knows_what_a_period_gave_at_once() -> None:
    monthly = {"give": "1 point per 1 EUR", "over": "calendar month", "settled": "at once"}
    counters = {"won": {"counts": "points", "window": "ever"}}
    member = Member(program({"month": monthly}, counters=counters))
    of = member(bought(1000))
    member(bought(700))
    member(Refund(of))
    assert member.points == member.counted["won"] == 7


WAITS = {"available": "when confirmed"}


def test_a_void_group_frees_what_it_used_of_caps() -> None:
    rules = {
        "flight": PER_EURO["base"] | WAITS | {"cap": "20 points per calendar month"},
        "more": {"on": "flight", "add": "50 %", "cap": "5 points per calendar month"},
        "legs": {"give": "1 point per item", "cap": "1 item per calendar month"} | WAITS,
        "trip": {"give": "3 points", "cap": "1 time ever"} | WAITS,
    }
    member = Member(program(rules))
    of = member(bought(1800, group="g"))
    member(bought(1000, group="h"), day=1)
    assert member.points == (18 + 5 + 1 + 3) + 2
    member(Void("g"), day=2)
    assert member.points == 2
    assert member.counted | {"void group g": 1} == {
        "cap flight 1": 2, "uses h cap flight 1": 2, "void lot 1": 27, "void group g": 1,
    }  # fmt: skip
    member(bought(1800, group="i"), day=3)
    assert member.points == 2 + 18 + 5 + 1 + 3
    member(Refund(of), day=4)  # it had given nothing in the end, and frees nothing once more
    assert member.points == 2 + 18 + 5 + 1 + 3
    member(bought(1000), day=5)
    assert member.points == 2 + 18 + 5 + 1 + 3


def test_what_came_back_before_a_group_is_void_is_free_once() -> None:
    rules = {"flight": PER_EURO["base"] | WAITS | {"cap": "20 EUR per calendar month"}}
    member = Member(program(rules))
    member(bought(800, group="other"))
    of = member(bought(1000, group="g"))
    member(Refund(of))
    member(bought(200, group="g"))
    member(Void("g"))
    assert member.counted["cap flight 1"] == 800
    member(bought(5000))
    assert member.points == 20


def test_a_confirmed_group_keeps_what_it_used_until_a_refund() -> None:
    rules = {
        "flight": PER_EURO["base"] | WAITS | {"cap": "both"},
        "now": {"give": "1 point per 1 EUR", "cap": "both"},
    }
    member = Member(program(rules, caps={"both": {"at most": "16 points per calendar month"}}))
    of = member(bought(1000, group="g"))
    member(Confirm("g"), day=1)
    assert member.points == member.counted["cap both"] == 16
    member(Refund(of), day=2)
    assert member.points == 0
    assert member.counted == {}


def test_a_refund_after_a_void_counts_off_nothing_that_never_counted() -> None:
    rules = {"base": PER_EURO["base"] | WAITS}
    spend = {"spend": SPEND["spend"] | {"counted": "when confirmed"}}
    member = Member(program(rules, counters=spend))
    of = member(bought(1000, group="g"))
    member(bought(700))
    member(Void("g"))
    member(Refund(of))
    assert member.counted["spend"] == 700


def test_that_a_group_was_void_is_forgotten_when_no_refund_can_come() -> None:
    rules = {
        "base": PER_EURO["base"] | WAITS | {"cap": "20 points ever"},
        "later": {"give": "1 point", "available": "after 1 day"},
    }
    member = Member(program(rules, refunds={"within": "30 days"}))
    member(bought(1000, group="g"))
    member(Void("g"))
    assert member.counted["void group g"] == 1
    for day in range(100, 116, 2):
        member(bought(100), day=day)
    assert "void group g" not in member.counted


ROLLS = {
    "counters": {"visits": {"counts": "purchases", "window": "calendar month"}},
    "tiers": {
        "status": {
            "by": "visits", "levels": {"basic": "from the start", "gold": "2", "black": "6"},
            "lasts": "6 months", "rolls over": {"visits": "all"}, "refund lowers": "yes",
        }
    },
}  # fmt: skip


def test_what_comes_late_rolls_over_late() -> None:
    member = Member(program(PER_EURO, **ROLLS))
    april, may = (member.terms.calendar.day(NOON) + days for days in (26, 56))

    def rolled_into(day: int) -> int:
        return member.account.counters["visits"].get(day, 0)

    for _ in range(3):
        member(bought(100))
    member.wait(27)
    assert rolled_into(april) == 1
    for _ in range(4):
        member(bought(100), day=28)
    assert member.account.tiers["status"].level == 1
    late = member(bought(100), day=29, late=10)
    assert rolled_into(april) == 6
    assert member.account.tiers["status"].level == 2
    member.wait(57)
    assert rolled_into(may) == 0
    member(Refund(late), day=57)
    assert rolled_into(april) == 5
    assert rolled_into(may) == 3  # April was gold then, and had three too many


def test_what_rolled_over_before_a_late_event_of_an_earlier_window_is_set_right_too() -> None:
    member = Member(program(PER_EURO, late="90 days", **ROLLS))
    may = member.terms.calendar.day(NOON) + 56
    for _ in range(2):
        member(bought(100))
        member(bought(100), day=28)
    member.wait(57)
    assert member.account.counters["visits"].get(may, 0) == 0
    member(bought(100), day=58, late=58)  # the third of March, so the third of April too
    assert member.account.counters["visits"][may] == 1


def test_a_refund_of_a_late_purchase_counts_off_where_it_counted() -> None:
    member = Member(program(PER_EURO, **ROLLS))
    member(bought(100))
    member(bought(100))
    member.wait(27)
    late = member(bought(100), day=28, late=10)
    assert member.counted == {"visits": 4, "rolled visits": 1}
    member(Refund(late), day=29)
    assert member.counted == {"visits": 2}


def test_an_activity_comes_back_like_a_purchase() -> None:
    rules = {
        "night": {"for": "night", "give": "10 points per item", "cap": "5 items ever"},
        "visit": {"for": "night", "give": "7 points", "cap": "2 times ever"},
        "month": {
            "for": "night", "give": "1 point per 1 EUR", "over": "calendar month",
            "settled": "at once",
        },
        "buy": PER_EURO["base"],
    }  # fmt: skip
    kinds = {"nights": "quantity", "stays": "purchases", "paid": "spend", "won": "points"}
    counters = {
        name: {"for": "night", "counts": kind, "window": "ever"} for name, kind in kinds.items()
    }
    tiers = {
        "status": {"by": "nights", "levels": {"basic": "from the start", "gold": "4"},
                   "refund lowers": "yes"},
    }  # fmt: skip
    member = Member(program(rules, counters=counters, tiers=tiers))
    first = member(Activity("night", 1, 5000))
    of = member(Activity("night", 3, 9000))
    second = (30 + 7 + 90, 10 + 7 + 50)
    assert member.points == sum(second)
    assert member.counted == {
        "nights": 4, "stays": 2, "paid": 14000, "won": 194, "over month": 14000,
        "cap night 1": 4, "cap visit 1": 2,
    }  # fmt: skip
    assert member.account.tiers["status"].level == 1
    member(Refund(of, (("night", 1),)), day=1)
    assert member.points == 20 + 5 + 60 + second[1]
    assert member.counted["nights"] == member.counted["cap night 1"] == 3
    assert member.counted["stays"] == member.counted["cap visit 1"] == 2
    assert member.account.tiers["status"].level == 0
    member(Cancel(of), day=2)
    assert member.points == second[1]
    assert member.counted == {
        "nights": 1, "stays": 1, "paid": 5000, "won": 67, "over month": 5000,
        "cap night 1": 1, "cap visit 1": 1,
    }  # fmt: skip
    member(Cancel(of), day=3, refused="refunded-already")
    member(Refund(first, (("day", 1),)), day=3, refused="unknown-line")
    member(Refund(first), day=3)
    assert (member.points, member.counted) == (0, {})


def test_an_activity_comes_back_by_the_rules_of_its_day() -> None:
    give = {"before 2024-04-01": "10 points", "from 2024-04-01": "99 points"}
    member = Member(program({"visit": {"for": "visit", "give": give}}))
    of = member(Activity("visit"))
    member(Cancel(of), day=30)
    assert member.points == 0


def test_what_is_neither_bought_nor_done_cannot_come_back() -> None:
    member = Member(program(PER_EURO, **MUG))
    of = member(Adjust("points", 10, "sorry"))
    member(Refund(of), refused="not-a-purchase")
    member(Cancel(of), refused="not-a-redemption")


@pytest.mark.parametrize("ask", [True, False])
def test_a_reward_that_comes_by_itself_cannot_be_asked_for(ask: bool) -> None:
    treat = {"issued": "on the birthday", "gives": {"voucher": "treat"}}
    vouchers = {"treat": {"good for": "a cake", "valid": "30 days"}}
    member = Member(program(PER_EURO, rewards={"treat": treat}, vouchers=vouchers))
    member(bought(500))
    member(Redeem("treat"), ask=ask, refused="comes-by-itself")
    assert member.account.vouchers == {}


def test_an_amount_that_cannot_be_meant_makes_no_million_vouchers() -> None:
    reward = {"cost": "10 points", "gives": {"voucher": "cup"}, "issued": "by itself"}
    member = Member(
        program(
            {"shopping": {"give": "1 point per 1.00 EUR"}},
            rewards={"cup": reward}, vouchers={"cup": {"worth": "2.00 EUR"}},
        )
    )  # fmt: skip
    first = member(bought(1 << 53))
    assert (len(member.account.vouchers), member.has(AVAILABLE)) == (0, (1 << 53) // 100)
    assert member.entries[f"till/{first}"][1].decision.flags == ["many-at-once"]
    member(Refund(first))
    assert (member.has(AVAILABLE), member.has(OWED)) == (0, 0)
    member(bought(1_000_000))  # as many as can be meant
    assert len(member.account.vouchers) == 1_000


def test_nobody_is_welcomed_twice() -> None:
    joining = {"hello": {"for": "enrol", "give": "50 points"}}
    gift = {"mug": {"gives": {"voucher": "mug"}, "issued": "on joining"}}
    terms = program(joining, rewards=gift, vouchers={"mug": {"worth": "2.00 EUR"}})
    for first in (Enrol(), bought(500)):  # whatever had opened the account
        member = Member(terms)
        member(first)
        for day in range(3):
            member(Enrol((("birthday", "1990-03-08"),)), day)
        assert (member.points, len(member.account.vouchers)) == (50, 1)
    brought = Member(terms)
    brought(Enrol(welcome=False))
    brought(Enrol())
    assert brought.points == 0
