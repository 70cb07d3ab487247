"""Households, referrals and challenges that nobody could explain are refused, with the place."""

import pytest

from tests.engine.test_check import faults

GOOD = """\
program: shop
money: EUR
timezone: Europe/Tallinn
measures: km
balances:
  points: {}
  gems: {}
counters:
  nights: {for: stay, counts: quantity, whose: member}
caps:
  stays: {at most: 50 points per calendar year, whose: member}
tiers:
  status: {by: nights, whose: member, levels: {basic: from the start, gold: 10}}
earning:
  base: {give: 1 point per 1 EUR}
vouchers:
  cup: {good for: a cup}
households:
  family: {members: at most 5, pools: points, leaver takes: contributions less redemptions}
referrals:
  friend: {spends: at least 5 EUR, within: 9 days, give: 5 points, cap: stays}
challenges:
  week: {goal: 5 items, window: calendar week, repeats: yes, give: 5 points}
"""


def test_the_good_one_is_good() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("before", "after", "code", "line"),
    [
        ("at most 5, pools", "5, pools", "at-most-expected", 19),
        ("at most 5, pools", "at most 1, pools", "household-of-one", 19),
        ("pools: points", "pools: stars", "unknown-balance", 19),
        ("pools: points", "pools: points, burns: in proportion", "cannot-be-explained", 19),
        (
            "leaver takes: contributions less redemptions",
            "attributed: by balances",
            "no-effect",
            19,
        ),
        ("referrals:", "  club: {members: at most 9}\nreferrals:", "one-household", 20),
        ("households:\n  family: {members: at most 5, pools: points, leaver takes: contributions"
         " less redemptions}\n", "", "no-effect", 9),
        ("counts: quantity, whose: member", "counts: quantity", "whose-differs", 13),
        ("by: nights, whose: member", "by: nights", "whose-differs", 13),
        ("per 1 EUR}\nv", "per 1 EUR, over: calendar month, cap: stays}\nv", "whose-differs", 15),
        (
            "vouchers",
            "rewards:\n  cup: {cost: 5 gems, gives: {voucher: cup}, issued: by itself}\nvouchers",
            "cannot-be-explained",
            17,
        ),
        ("give: 5 points, cap", "give: 5 stars, cap", "unknown-unit", 21),
        ("give: 5 points, cap", "give: {friend: 5 points, other: 1 point}, cap",
         "sides-expected", 21),
        ("give: 5 points, cap", "give: {friend: 5 points, referrer: 1 gem}, cap",
         "units-differ", 21),
        ("give: 5 points, cap", "give: 0 points, cap", "gives-nothing", 21),
        ("give: 5 points, cap", "give: 51 points, cap", "cap-below-earn", 21),
        ("cap: stays}\nch", "cap: 5 EUR ever}\nch", "cap-does-not-fit", 21),
        ("spends: at least 5 EUR, within: 9 days", "orders: one", "no-effect", 21),
        ("spends: at least 5 EUR, within: 9 days", "within: 9 days", "no-effect", 21),
        ("spends: at least 5 EUR", "stages: purchase", "unknown-stage", 21),
        ("spends: at least 5 EUR", "spends: 5 EUR", "at-least-expected", 21),
        ("spends: at least 5 EUR", "spends: at least 5 points", "money-expected", 21),
        ("within: 9 days", "within: 9 hours", "days-expected", 21),
        ("cap: stays}\nch", "available: when confirmed}\nch", "cannot-be-explained", 21),
        ("per 1 EUR}\nv", "per 1 EUR}\n  more: {for: referral, give: 5 points}\nv",
         "cannot-be-explained", 16),
        ("challenges:\n  week", "challenges:\n  friend", "name-twice", 23),
        ("challenges:\n  week", "challenges:\n  base", "name-twice", 23),
        ("repeats: yes, give: 5 points", "repeats: yes", "gives-nothing", 23),
        ("repeats: yes, give: 5 points", "voucher: mug", "unknown-voucher", 23),
        ("goal: 5 items", "goal: many", "quantity-expected", 23),
        ("goal: 5 items", "goal: 5 points", "goal-expected", 23),
        ("goal: 5 items", "goal: 5 times", "goal-does-not-fit", 23),
        ("goal: 5 items", "for: run, goal: 5 purchases", "goal-does-not-fit", 23),
        ("goal: 5 items", "for: run, where: {category: a}, goal: 5 times", "no-effect", 23),
        ("window: calendar week", "window: rolling 7 days", "cannot-be-explained", 23),
        ("window: calendar week", "window: purchase", "cannot-be-explained", 23),
        ("goal: 5 items", "goal: 5 items, streak: 3 weeks in a row", "no-effect", 23),
        ("goal: 5 items", "goal: 5 items, streak: a while", "streak-expected", 23),
        ("give: 5 points}", "give: 5 points, available: when confirmed}",
         "cannot-be-explained", 23),
        ("give: 5 points}", "badge: Best, available: after 2 days}", "no-effect", 23),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_at_its_place(before: str, after: str, code: str, line: int) -> None:
    assert before in GOOD
    found = faults(GOOD.replace(before, after))
    assert (code, line) in found, found
