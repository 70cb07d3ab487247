"""Two accounts of one person become one: nothing is lost or doubled, whatever comes later."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kantis.core.account import Account, decode_account
from kantis.core.events import Confirm, Line, Merge, Purchase, Redeem
from kantis.core.places import TRANSIT
from kantis.desk.programs import Engine
from kantis.desk.replay import redecide
from kantis.desk.verify import verify
from kantis.store import people
from kantis.store.people import BLOCKED, MOVED, Slip
from tests.desk.shop import Shop, codes

TERMS: dict[str, Any] = {
    "program": "p",
    "money": "EUR",
    "timezone": "Europe/Helsinki",
    "balances": {"points": {"expires": "24 months after earning"}},
    "counters": {"spend": {"counts": "spend", "window": "calendar year"}},
    "tiers": {
        "status": {"by": "spend", "levels": {"plain": "from the start", "gold": "100.00 EUR"}}
    },
    "earning": {
        "base": {"give": "1 point per 1.00 EUR"},
        "later": {"give": "1 point per 1.00 EUR", "if": {"channel": "web"},
                  "available": "when confirmed"},
    },
    "rewards": {
        "mug": {"cost": "10 points", "gives": {"voucher": "mug"}},
        "money-off": {"rate": "0.01 EUR per 1 point"},
    },
    "vouchers": {"mug": {"good for": "a mug"}},
}  # fmt: skip


@contextmanager
def opened(url: str, terms: dict[str, Any]) -> Iterator[Shop]:
    """A shop with the real engine and two cards; its books are proved at the end."""
    with Shop(url, Engine(), terms) as shop:
        shop(shop.enrol("old"), shop.enrol("new"))
        yield shop
        settle(shop)
        proved(shop)


@pytest.fixture
def shop(url: str) -> Iterator[Shop]:
    """A shop with these terms."""
    with opened(url, TERMS) as shop:
        yield shop


def proved(shop: Shop) -> None:
    """The books add up, would be decided so again, and nothing is left in transit."""
    report = redecide(shop.desk.books, verify(shop.desk.books))
    assert report.ok, report.problems
    assert not report.differences
    moved = shop.desk.books.places()
    assert not sum(amount * ((to == TRANSIT) - (of == TRANSIT)) for _, of, to, amount in moved)


def settle(shop: Shop) -> None:
    while shop.desk.settle():
        pass


def number(shop: Shop, key: str) -> int:
    return int(shop.desk.books.events([key])[0].account or 0)


def account(shop: Shop, card: str) -> Account:
    found = number(shop, f"till/enrol-{card}")
    return decode_account(shop.desk.books.accounts([found])[0].snapshot)


def purse(shop: Shop, card: str) -> list[int]:
    return account(shop, card).purse.get("points", [0] * 6)


def merge(
    shop: Shop, of: str = "old", into: str = "new", *, cards: bool = True, already: bool = False
) -> None:
    """An account becomes a part of another one, and so do its cards."""
    old, new = number(shop, f"till/enrol-{of}"), number(shop, f"till/enrol-{into}")
    event = shop.ask(f"merge-{of}", f"account:{old}", Merge(f"account:{new}", of))
    if not already:
        assert codes(shop(event)) == ["decided"]
    settle(shop)
    for card in people.cards_of(shop.desk.books, [old])[old] if cards else ():
        row = (1, card, new, f"{MOVED}{old}", shop.now, "staff")
        assert shop.desk.file_slips([Slip(cards=[row])]) == [""]


def web(shop: Shop, id: str, card: str, amount: int) -> Any:
    body = Purchase((Line("1", "latte", 1, amount),), channel="web", group="order")
    return shop.tell(id, f"card:{card}", body)


def test_everything_comes_along(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 6000), web(shop, "o2", "old", 1000), shop.buy("n1", "new", 5000))
    before = [sum(each) for each in zip(purse(shop, "old"), purse(shop, "new"), strict=True)]
    merge(shop)
    assert purse(shop, "new") == before == [120, 10, 0, 0, 0, 0]
    assert purse(shop, "old") == [0] * 6
    assert sum(account(shop, "new").counters["spend"].values()) == 12000
    assert codes(shop(shop.ask("c", "card:old", Confirm("order")))) == ["decided"]
    assert purse(shop, "new") == [130, 0, 0, 0, 0, 0]
    assert account(shop, "new").tiers["status"].level == 1
    shop(shop.buy("o3", "old", 100))
    assert codes(shop(shop.redeem("r", "old", 31))) == ["decided"]
    assert purse(shop, "new")[0] == 100


def test_a_refund_of_the_merged_account_reaches_the_other_one(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 6000), shop.buy("n1", "new", 1000))
    merge(shop)
    assert codes(shop(shop.refund("back", "old", "o1"))) == ["decided"]
    settle(shop)
    assert (purse(shop, "old"), purse(shop, "new")[0]) == ([0] * 6, 10)
    assert codes(shop(shop.refund("again", "old", "o1"))) != ["decided"]
    settle(shop)
    assert purse(shop, "new")[0] == 10


def test_a_debt_of_the_merged_account_is_owed_by_the_other_one(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 6000))
    merge(shop)
    shop(shop.redeem("spent", "new", 50))
    shop(shop.refund("back", "", "o1"))
    settle(shop)
    assert purse(shop, "old") == [0] * 6
    assert purse(shop, "new")[3] == -50


def test_points_that_come_back_to_the_merged_account_go_on(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 6000))
    paid = Purchase((Line("1", "latte", 1, 1000),), points={"money-off": 40})
    shop(shop.ask("paid", "card:old", paid))
    left = purse(shop, "old")[0]
    merge(shop)
    shop(shop.refund("back", "old", "paid"))
    settle(shop)
    assert purse(shop, "old") == [0] * 6
    assert purse(shop, "new")[0] == 60
    assert left < 60


def test_what_is_sent_late_to_the_merged_account_goes_on(shop: Shop) -> None:
    merge(shop, cards=False)
    shop(shop.buy("late", "old", 700))
    settle(shop)
    assert purse(shop, "new")[0] == 7
    assert codes(shop(shop.redeem("r", "old", 1))) == ["merged-account"]


def test_into_what_an_account_is_not_merged(shop: Shop) -> None:
    old = number(shop, "till/enrol-old")
    asked = [
        shop.ask(f"m{n}", f"account:{old}", Merge(into))
        for n, into in enumerate((f"account:{old}", "card:new", ""))
    ]
    assert codes(shop(*asked)) == ["own-merge"] * 3


def test_what_nobody_takes_comes_back_and_all_is_as_before(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 6000), shop.redeem("spent", "old", 10))
    shop(shop.ask("mug", "card:old", Redeem("mug")))
    old = number(shop, "till/enrol-old")
    before = account(shop, "old")
    shop(shop.ask("m", f"account:{old}", Merge("account:999999")))
    settle(shop)
    after = account(shop, "old")
    assert (after.purse, after.counters) == (before.purse, before.counters)
    assert list(after.vouchers.values()) == list(before.vouchers.values())
    assert codes(shop(shop.refund("back", "old", "o1"))) == ["decided"]
    assert purse(shop, "old") == [0, 0, 0, -20, 10, 0]


def test_an_account_that_is_merged_stays_so(shop: Shop) -> None:
    merge(shop, cards=False)
    old, new = number(shop, "till/enrol-old"), number(shop, "till/enrol-new")
    again = shop.ask("again", f"account:{old}", Merge(f"account:{new}"))
    assert codes(shop(again)) == ["merged-already"]


def test_two_that_are_merged_into_each_other_come_to_rest(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 6000), shop.buy("n1", "new", 1000))
    old, new = number(shop, "till/enrol-old"), number(shop, "till/enrol-new")
    shop(
        shop.ask("1", f"account:{old}", Merge(f"account:{new}")),
        shop.ask("2", f"account:{new}", Merge(f"account:{old}")),
    )
    settle(shop)
    assert purse(shop, "old")[0] + purse(shop, "new")[0] == 70


def test_a_moved_card_can_be_blocked(shop: Shop) -> None:
    merge(shop)
    new = number(shop, "till/enrol-new")
    shop.desk.file_slips([Slip(cards=[(1, "old", new, BLOCKED, shop.now, "x")])])
    assert codes(shop(shop.redeem("r", "old", 1))) == ["card-blocked"]
