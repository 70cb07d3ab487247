"""Two cards become one: everything that stood on the other one is there, and can be undone."""

from collections.abc import Iterator
from typing import Any

import pytest

from kantis.core.calendar import DAY_MS, day, instant
from kantis.core.events import (
    Activity,
    Body,
    Cancel,
    Capture,
    Choose,
    Know,
    Line,
    Load,
    Purchase,
    Redeem,
    Refer,
    Release,
    Subscribe,
    Unsubscribe,
    Use,
)
from kantis.desk import freezing
from kantis.desk.audit import By
from kantis.desk.programs import Engine
from kantis.desk.verify import verify
from kantis.engine import merging
from kantis.engine.explain import explain
from tests.desk.shop import Shop, codes
from tests.desk.test_merging import account, merge, number, opened, purse, settle

TERMS: dict[str, Any] = {
    "program": "p",
    "money": "EUR",
    "timezone": "Europe/Helsinki",
    "balances": {
        "points": {"expires": "3 months after earning"},
        "stars": {"expires": "all after 6 months without earning"},
    },
    "counters": {"spend": {"counts": "spend", "window": "calendar year"}},
    "caps": {"reviews": {"at most": "20 points per calendar year"}},
    "choices": {"cause": {"options": ["sea", "forest"], "changes": "1", "window": "calendar year"}},
    "tiers": {
        "status": {
            "by": "spend",
            "levels": {"plain": "from the start", "silver": "100.00 EUR", "gold": "200.00 EUR"},
            "refund lowers": "yes",
        }
    },
    "plans": {
        "plus": {"fee": "48.00 EUR per year", "refund": "pro rata"},
        "club": {"fee": "10.00 EUR per month"},
    },
    "challenges": {"reviewer": {"for": "review", "goal": "3 times", "give": "100 points"}},
    "earning": {
        "base": {"give": "1 point per 1.00 EUR"},
        "star": {"give": "1 stars per 1.00 EUR"},
        "review": {"for": "review", "give": "8 points", "cap": "reviews"},
    },
    "offers": {"bread": {"where": {"category": "bread"}, "give": "500 points", "uses": "2"}},
    "referrals": {"friend": {"spends": "at least 20.00 EUR", "give": "25 points"}},
    "rewards": {
        "mug": {"cost": "10 points", "gives": {"voucher": "mug"}},
        "money-off": {"rate": "0.01 EUR per 1 point"},
    },
    "vouchers": {"mug": {"good for": "a mug", "valid": "30 days"}},
}  # fmt: skip


@pytest.fixture
def shop(url: str) -> Iterator[Shop]:
    """A shop with two cards and terms of every kind; its books are proved at the end."""
    with opened(url, TERMS) as shop:
        yield shop


def ask(shop: Shop, id: str, card: str, body: Body) -> str:
    (code,) = codes(shop(shop.ask(id, f"card:{card}", body)))
    return code


def test_a_voucher_keeps_its_code_its_end_and_the_points_behind_it(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 5000), shop.buy("n1", "new", 5000), shop.buy("n2", "new", 100))
    assert ask(shop, "mug", "old", Redeem("mug")) == "decided"
    ((code, voucher),) = account(shop, "old").vouchers.items()
    merge(shop)
    assert account(shop, "new").vouchers == {code: voucher}
    assert purse(shop, "new") == [91, 0, 0, 0, 10, 0]
    assert ask(shop, "use", "old", Use(code)) == "decided"
    assert purse(shop, "new") == [91, 0, 0, 0, 0, 0]


def test_a_voucher_of_the_merged_card_can_be_cancelled(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 5000))
    ask(shop, "mug", "old", Redeem("mug"))
    merge(shop)
    assert ask(shop, "undo", "old", Cancel("mug")) == "decided"
    assert purse(shop, "new") == [50, 0, 0, 0, 0, 0]
    assert ask(shop, "again", "old", Cancel("mug")) == "cancelled-already"


def test_two_vouchers_of_one_code_are_both_there(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 5000), shop.buy("n1", "new", 5000))
    ask(shop, "mug-o", "old", Redeem("mug"))
    ask(shop, "mug-n", "new", Redeem("mug"))
    (code,) = account(shop, "old").vouchers
    assert list(account(shop, "new").vouchers) == [code]
    merge(shop)
    other = f"{code}.{number(shop, 'till/enrol-old')}"
    assert list(account(shop, "new").vouchers) == [code, other]
    assert ask(shop, "undo", "old", Cancel("mug-o")) == "decided"
    vouchers = account(shop, "new").vouchers
    assert [each.state for each in vouchers.values()] == ["open", "reversed"]


def test_a_hold_is_captured_or_released_after_the_merge(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 5000))
    for id in ("h1", "h2"):
        ask(shop, id, "old", Redeem("money-off", points=20, hold=True))
    merge(shop)
    assert purse(shop, "new") == [10, 0, 40, 0, 0, 0]
    assert ask(shop, "c", "old", Capture("h1")) == "decided"
    assert ask(shop, "r", "old", Release("h2")) == "decided"
    assert purse(shop, "new") == [30, 0, 0, 0, 0, 0]
    assert ask(shop, "undo", "old", Cancel("h1")) == "decided"
    assert purse(shop, "new") == [50, 0, 0, 0, 0, 0]


def test_what_was_captured_without_a_network_reaches_a_hold_under_way(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 5000))
    ask(shop, "h1", "old", Redeem("money-off", points=20, hold=True))
    old, new = number(shop, "till/enrol-old"), number(shop, "till/enrol-new")
    shop(
        shop.ask("merge", f"account:{old}", merging.Merge(f"account:{new}")),
        shop.tell("c", "card:old", Capture("h1")),
    )
    settle(shop)
    assert purse(shop, "new") == [30, 0, 0, 0, 0, 0]


def test_a_plan_comes_with_its_term_and_what_was_paid(shop: Shop) -> None:
    ask(shop, "sub", "old", Subscribe("plus"))
    before = account(shop, "old").plans
    merge(shop)
    assert account(shop, "new").plans == before
    shop.now += 366 * DAY_MS // 2
    (gone,) = shop(shop.ask("un", "card:new", Unsubscribe("plus")))
    assert gone.entry is not None
    assert list(gone.entry.decision.fees) == [("plus", "refund", -2393)]


def test_two_plans_that_run_are_named_beforehand(shop: Shop) -> None:
    for card in ("old", "new"):
        ask(shop, f"sub-{card}", card, Subscribe("plus"))
    assert merging.obstacles(account(shop, "old"), account(shop, "new")) == ["plus"]
    ask(shop, "club", "old", Subscribe("club"))
    ask(shop, "un", "new", Unsubscribe("plus"))
    assert not merging.obstacles(account(shop, "old"), account(shop, "new"))


def test_of_two_plans_that_run_all_the_same_one_is_paid_back(shop: Shop) -> None:
    """Somebody subscribed after the preview was shown."""
    for card in ("old", "new"):
        ask(shop, f"sub-{card}", card, Subscribe("plus"))
    merge(shop)
    rows = shop.desk.books.entries([(number(shop, "till/enrol-new"), 3)])
    assert b"merge-two-plans" in rows[0][0].decision
    assert account(shop, "new").plans["plus"].state == "paid"


def test_offers_choices_and_facts_come_where_nothing_was_said(shop: Shop) -> None:
    ask(shop, "l", "old", Load("bread"))
    ask(shop, "c1", "old", Choose("cause", "sea"))
    ask(shop, "c2", "new", Choose("cause", "forest"))
    shop(shop.tell("k", "card:old", Know("birthday", "1980-05-17")))
    merge(shop)
    now = account(shop, "new")
    assert now.choices["cause"][-1][1] == "forest"
    assert sum(now.counters["choice cause"].values()) == 1
    assert now.facts["birthday"][-1][1] == "1980-05-17"
    bread = Purchase((Line("1", "loaf", 1, 300, category="bread"),))
    shop(shop.tell("b", "card:old", bread))
    assert purse(shop, "new")[0] == 503


def test_levels_counters_and_caps_are_those_of_one_person(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 12000), shop.buy("n1", "new", 9000))
    for n in range(2):
        shop(shop.tell(f"ro{n}", "card:old", Activity("review")))
    assert account(shop, "old").tiers["status"].level == 1
    merge(shop)
    assert account(shop, "new").tiers["status"].level == 2
    assert purse(shop, "new")[0] == 120 + 90 + 16
    shop(shop.tell("rn", "card:new", Activity("review")))
    # the third review of the person: 4 are left under the cap, and the challenge is won
    assert purse(shop, "new")[0] == 120 + 90 + 20 + 100
    shop(shop.tell("back", "", Cancel("ro0"), time=shop.now))
    settle(shop)


def test_a_refund_takes_back_exactly_what_the_other_card_had(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 12000), shop.buy("n1", "new", 9000))
    shop(shop.redeem("spent", "old", 50))
    merge(shop)
    assert account(shop, "new").tiers["status"].level == 2
    (back,) = shop(shop.refund("back", "", "o1"))
    assert back.account == number(shop, "till/enrol-new")
    now = account(shop, "new")
    assert purse(shop, "new")[0] == 70 + 90 - 120
    assert sum(now.counters["spend"].values()) == 9000
    assert now.tiers["status"].level == 0
    (again,) = shop(shop.ask("again", "card:old", merging.Refund("o1")))
    assert again.refusal is not None


def test_a_refund_in_parts_before_and_after_the_merge_adds_up(shop: Shop) -> None:
    lines = tuple(Line(str(n), "latte", 1, 1050) for n in range(3))
    shop(shop.tell("o1", "card:old", Purchase(lines)))
    assert purse(shop, "old")[0] == 31
    shop(shop.tell("b0", "card:old", merging.Refund("o1", (("0", 1),))))
    merge(shop)
    for n in (1, 2):
        shop(shop.tell(f"b{n}", "card:old", merging.Refund("o1", ((str(n), 1),))))
    assert purse(shop, "new")[0] == 0


def test_points_expire_on_their_day_and_are_not_taken_twice(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 6000))
    ends = account(shop, "old").lots[1].expires
    assert ends == day("2024-06-01")
    shop.now = instant("2024-05-01T12:00:00Z")
    shop(shop.buy("n1", "new", 1000))
    merge(shop)
    assert sorted(lot.expires for lot in account(shop, "new").lots.values() if lot.expires) == [
        day("2024-06-01"), day("2024-08-01"),
    ]  # fmt: skip
    shop.now = instant("2024-06-02T12:00:00Z")
    shop(shop.buy("n2", "new", 100))
    assert purse(shop, "new")[0] == 11


def test_expired_points_of_the_other_card_are_taken_back_as_expired(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 6000))
    shop.now = instant("2024-05-20T12:00:00Z")
    shop(shop.buy("n1", "new", 1000), shop.redeem("r", "old", 25))
    shop.now = instant("2024-06-02T12:00:00Z")
    shop(shop.tell("tick", "card:old", Know("seen", "yes")))
    merge(shop)
    assert purse(shop, "new")[0] == 10
    shop(shop.refund("back", "old", "o1"))
    # 35 of the 60 expired: they are taken from there; the 25 that were spent are owed
    assert purse(shop, "new")[:4] == [0, 0, 0, -15]


def test_the_last_sign_of_life_of_either_keeps_both(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 6000))
    shop.now = instant("2024-06-01T12:00:00Z")
    shop(shop.buy("n1", "new", 1000))
    merge(shop)
    shop.now = instant("2024-10-01T12:00:00Z")
    shop(shop.tell("tick", "card:new", Know("seen", "yes")))
    assert account(shop, "new").purse["stars"][0] == 70


def test_what_happens_late_on_the_other_card_counts_as_of_its_time(shop: Shop) -> None:
    merge(shop)
    shop.now += 5 * DAY_MS
    (late,) = shop(shop.buy("late", "old", 1000, time=shop.now - 3 * DAY_MS))
    assert late.account == number(shop, "till/enrol-new")
    assert purse(shop, "new")[0] == 10
    shop(shop.refund("back", "old", "late"))
    assert purse(shop, "new")[0] == 0


def test_a_purchase_that_was_sent_on_while_merging_can_be_refunded(shop: Shop) -> None:
    old, new = number(shop, "till/enrol-old"), number(shop, "till/enrol-new")
    shop(
        shop.ask("merge", f"account:{old}", merging.Merge(f"account:{new}")),
        shop.buy("between", "old", 1000),
    )
    settle(shop)
    merge(shop, already=True)
    assert purse(shop, "new")[0] == 10
    shop(shop.refund("back", "old", "between"))
    settle(shop)
    assert purse(shop, "new")[0] == 0


def test_what_is_locked_does_not_leave_by_a_merge(shop: Shop) -> None:
    old, new = number(shop, "till/enrol-old"), number(shop, "till/enrol-new")
    shop(shop.buy("o1", "old", 6000))
    assert freezing.freeze_account(shop.desk, old, freezing.LOCK, By("test"))
    event = shop.ask("merge-old", f"account:{old}", merging.Merge(f"account:{new}"))
    assert codes(shop(event)) == ["account-locked"]
    assert freezing.free_account(shop.desk, old, By("test"))
    assert codes(shop(event)) == ["decided"]


def test_a_debt_is_owed_once(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 6000), shop.redeem("r", "old", 60), shop.refund("b", "old", "o1"))
    assert purse(shop, "old")[3] == -60
    shop(shop.buy("n1", "new", 10000))
    merge(shop)
    assert purse(shop, "new") == [40, 0, 0, 0, 0, 0]


def test_three_cards_become_one_and_the_first_purchase_comes_back(shop: Shop) -> None:
    shop(shop.enrol("third"), shop.buy("o1", "old", 6000))
    ask(shop, "h", "old", Redeem("money-off", points=10, hold=True))
    merge(shop, "old", "new")
    shop(shop.redeem("r", "new", 5))
    merge(shop, "new", "third")
    assert purse(shop, "third") == [45, 0, 10, 0, 0, 0]
    ask(shop, "c", "old", Capture("h"))
    shop(shop.refund("back", "old", "o1"))
    assert purse(shop, "third") == [0, 0, 0, -15, 0, 0]
    assert codes(shop(shop.ask("undo", "card:old", Cancel("r")))) == ["decided"]
    assert purse(shop, "third")[3] == -10


def test_friends_and_who_invited_them_are_told_where_they_are_now(shop: Shop) -> None:
    old = number(shop, "till/enrol-old")
    shop(shop.enrol("friend"))
    shop(shop.ask("ref", "card:friend", Refer("friend", f"account:{old}")))
    merge(shop)
    shop(shop.buy("f1", "friend", 3000))
    settle(shop)
    assert purse(shop, "new")[0] == 25
    shop(shop.refund("f1-back", "friend", "f1"))
    settle(shop)
    assert purse(shop, "new")[0] == 0


def test_who_invited_themselves_is_marked_for_a_look(shop: Shop) -> None:
    new = number(shop, "till/enrol-new")
    shop(shop.ask("ref", "card:old", Refer("friend", f"account:{new}")))
    shop(shop.buy("o1", "old", 3000))
    settle(shop)
    merge(shop)
    flags = shop.desk.books.rows("SELECT flag FROM flag")
    assert ("merge-own-referral",) in [tuple(each) for each in flags]


def test_the_merged_account_is_empty_and_time_does_nothing_to_it(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 6000), shop.tell("k", "card:old", Know("birthday", "1980-05-17")))
    merge(shop)
    left = account(shop, "old")
    assert not any([left.lots, left.counters, left.tiers, left.vouchers, left.facts, left.holds])
    shop.now += 400 * DAY_MS
    shop.desk.sweep()
    assert account(shop, "old").seq == left.seq


def test_the_books_say_which_card_it_came_from(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 6000))
    merge(shop)
    new = number(shop, "till/enrol-new")
    row, postings = shop.desk.books.entries([(new, account(shop, "new").seq)])[0]
    from kantis.desk.recorded import entry_of, event_of

    (event,) = shop.desk.books.events([row.event])
    home = shop.desk.homes.find("p")
    assert home is not None
    said = [str(each) for each in explain(home.program, entry_of(row, postings), event_of(event))]
    assert "The card old became a part of this account, with all that was on it." in said
    assert "60 points came from the other card." in said


def test_without_the_past_a_refund_would_ask_for_expired_points_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: lots come without what had become of them."""
    from kantis.engine import bringing

    lots = bringing._lots

    def forgetful(turn: Any, state: Any) -> dict[int, int]:
        for lot in state.lots.values():
            lot.spent = lot.expired = lot.reversed = 0
        return lots(turn, state)

    monkeypatch.setattr(bringing, "_lots", forgetful)
    with Shop(url, Engine(), TERMS) as shop:
        shop(shop.enrol("old"), shop.enrol("new"))
        shop(shop.buy("o1", "old", 6000))
        shop.now = instant("2024-06-02T12:00:00Z")
        shop(shop.buy("n1", "new", 1000), shop.tell("tick", "card:old", Know("seen", "yes")))
        merge(shop)
        shop(shop.refund("back", "old", "o1"))
        assert purse(shop, "new")[:4] == [0, 0, 0, -50]
        assert verify(shop.desk.books).ok
