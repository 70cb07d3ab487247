"""Households and referrals through the desk: value between accounts, and books that prove it."""

from collections.abc import Iterator
from typing import Any

import pytest

from kantis.core.account import Account, decode_account
from kantis.core.events import Join, Leave, Purchase, Redeem, Refer, Refund, Subscribe
from kantis.core.places import TRANSIT
from kantis.desk.programs import Engine
from kantis.desk.replay import redecide
from kantis.desk.verify import verify
from tests.desk.shop import Shop, codes

TERMS: dict[str, Any] = {
    "program": "p",
    "money": "EUR",
    "timezone": "Europe/Helsinki",
    "balances": {"points": {"expires": "never"}},
    "counters": {"visits": {"counts": "purchases", "window": "calendar year", "whose": "member"}},
    "tiers": {
        "status": {
            "by": "visits",
            "whose": "member",
            "levels": {"plain": "from the start", "gold": "2"},
        }
    },
    "earning": {"base": {"give": {"plain": "1 point per 1 EUR", "gold": "2 points per 1 EUR"}}},
    "rewards": {"money-off": {"rate": "0.01 EUR per 1 point"}},
    "households": {
        "family": {"members": "at most 2", "leaver takes": "contributions less redemptions"}
    },
    "referrals": {"friend": {"spends": "at least 10 EUR", "give": "50 points"}},
}


@pytest.fixture
def shop(url: str) -> Iterator[Shop]:
    """A shop with the real engine; its books are proved and decided again at the end."""
    with Shop(url, Engine(), TERMS) as shop:
        yield shop
        settle(shop)
        report = redecide(shop.desk.books, verify(shop.desk.books))
        assert report.ok, report.problems
        assert not report.differences
        moved = shop.desk.books.places()
        assert not sum(amount * ((to == TRANSIT) - (of == TRANSIT)) for _, of, to, amount in moved)


def settle(shop: Shop) -> None:
    """All that follows has been taken."""
    while shop.desk.settle():
        pass


def account(shop: Shop, card: str) -> Account:
    number = shop.desk.books.cards([(1, card)])[1, card]
    return decode_account(shop.desk.books.accounts([number])[0].snapshot)


def test_a_member_joins_with_what_they_have_and_leaves_with_their_share(shop: Shop) -> None:
    shop(shop.enrol("anna"), shop.enrol("ben"), shop.buy("a", "anna", 6000))
    shop(shop.buy("b1", "ben", 1000), shop.buy("b2", "ben", 1000))
    shop(shop.ask("found", "card:anna", Join("anna")))
    shop(shop.ask("join", "card:ben", Join("ben", "card:anna")))
    assert shop.points("ben") == 0
    settle(shop)
    assert shop.points("anna") == 80
    shop(
        shop.tell("b3", "card:anna", Purchase(shop.buy("x", "anna", 1000).body.lines, member="ben"))
    )
    assert shop.points("anna") == 100  # gold, of which ben's are 40
    shop(shop.buy("b4", "ben", 500))  # with the card of the account that ben came from
    settle(shop)
    assert (shop.points("anna"), shop.points("ben")) == (110, 0)
    shop(shop.tell("back", "card:ben", Refund("b4")))
    settle(shop)
    assert shop.points("anna") == 100
    assert codes(shop(shop.redeem("r", "ben", 5))) == ["in-a-household"]
    shop(shop.ask("burn", "card:anna", Redeem("money-off", points=50, member="ben")))
    shop(shop.ask("leave", "card:anna", Leave("ben", by="ben")))
    settle(shop)
    assert (shop.points("anna"), shop.points("ben")) == (30, 20)
    assert account(shop, "ben").tiers["status"].level == 1
    assert set(account(shop, "anna").members) == {"anna"}


def test_what_a_full_household_does_not_take_comes_back(shop: Shop) -> None:
    shop(shop.enrol("anna"), shop.enrol("ben"), shop.buy("b", "ben", 1000))
    shop(shop.ask("1", "card:anna", Join("anna")), shop.ask("2", "card:anna", Join("cleo")))
    shop(shop.ask("join", "card:ben", Join("ben", "card:anna")))
    settle(shop)
    assert (shop.points("anna"), shop.points("ben")) == (0, 10)
    shop(shop.buy("b2", "ben", 1000))
    assert shop.points("ben") == 20


def test_both_sides_of_a_referral_are_paid_and_undone(shop: Shop) -> None:
    shop(shop.enrol("anna"), shop.enrol("ben"))
    shop(shop.ask("by", "card:ben", Refer("friend", "card:anna")))
    shop(shop.buy("a", "ben", 600), shop.buy("b", "ben", 400))
    settle(shop)
    assert (shop.points("anna"), shop.points("ben")) == (50, 60)
    shop(shop.refund("r", "ben", "a"))
    settle(shop)
    assert (shop.points("anna"), shop.points("ben")) == (0, 4)


def test_a_plan_of_ones_own_is_given_up_once_the_household_has_taken_one_in(url: str) -> None:
    plans = {"plus": {"fee": "48.00 EUR per year", "refund": "pro rata"}}
    with Shop(url, Engine(), TERMS | {"plans": plans}) as shop:
        shop(*(shop.enrol(each) for each in ("home", "ben", "third")))
        for each in ("ben", "third"):
            shop(shop.ask(f"sub-{each}", f"card:{each}", Subscribe("plus")))
        shop(shop.ask("found", "card:home", Join("home")))
        home = account(shop, "home").id
        for each in ("ben", "third"):
            shop(shop.ask(f"join-{each}", f"card:{each}", Join(each, f"account:{home}")))
            settle(shop)
        ben, third = account(shop, "ben"), account(shop, "third")
        assert (ben.plans["plus"].state, ben.plans["plus"].fee) == ("ended", 0)
        # the household was full: she stands as before
        assert (third.away, third.plans["plus"].renews) == (("", ""), True)
