"""Frozen is frozen: nothing is spent, earning goes on, and what was told waits and is not lost."""

from typing import Any

import pytest

from kantis.core.calendar import DAY_MS
from kantis.core.events import (
    Body,
    Capture,
    Event,
    Exchange,
    Join,
    Leave,
    Line,
    Purchase,
    Redeem,
    Transfer,
    Use,
)
from kantis.desk import freezing, keys
from kantis.desk.audit import DESK, By
from kantis.desk.batch import Batch
from kantis.desk.freezing import ADDRESS, LOCK
from kantis.store import hands
from kantis.store.schema import PARKED
from tests.desk.shop import Shop, codes

OWNER = By("maija", "Maija")


def spending(shop: Shop, prefix: str = "") -> list[Event]:
    """Everything that takes points out of a member's hands, asked for."""
    bodies: list[Body] = [
        Redeem("money-off", points=100), Redeem("mug"), Transfer("points", 10, "card:2"),
        Exchange("air", 10), Use("v-1"), Leave("1"), Capture("held"),
        Purchase((Line("1", "latte", 1, 900),), points={"points": 10}),
    ]  # fmt: skip
    return [shop.ask(f"{prefix}spend-{n}", "card:1", body) for n, body in enumerate(bodies)]


def account(shop: Shop, card: str = "1") -> int:
    return shop.desk.books.cards([(1, card)])[1, card]


@pytest.fixture
def rich(shop: Shop) -> Shop:
    """A shop with two members who have points, and a till and a shop on the net."""
    shop(shop.enrol("1"), shop.enrol("2"), shop.buy("a", "1", 100_000), shop.buy("b", "2", 100_000))
    keys.make(shop.desk, "Till", "p", "till", "till")
    keys.make(shop.desk, "Shop", "p", "shop", "web")
    return shop


def test_frozen_nothing_is_spent_and_earning_goes_on(rich: Shop) -> None:
    before = rich.points("1")
    assert freezing.switch(rich.desk, 1, OWNER, on=True)
    assert not freezing.switch(rich.desk, 1, OWNER, on=True), "it is so already"
    assert set(codes(rich(*spending(rich)))) == {"spending-frozen"}
    assert rich.points("1") == before
    assert codes(rich(rich.buy("c", "1", 5_000), rich.refund("d", "2", "b"))) == ["decided"] * 2
    assert rich.points("1") > before
    (quoted,) = rich.desk.quote([rich.redeem("q", "1")])
    assert codes([quoted]) == ["spending-frozen"]
    assert freezing.switch(rich.desk, 1, OWNER, on=False)
    assert codes(rich(rich.redeem("spend-0", "1"))) == ["decided"], "the id was not used up"
    said = [(row.who, row.deed, row.about) for row in hands.audit(rich.desk.books, 1 << 60, 9)]
    assert said[:2] == [("maija", "unfreeze", "p"), ("maija", "freeze", "p")]


def test_the_same_is_spent_where_nobody_looks(rich: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin."""
    freezing.switch(rich.desk, 1, OWNER, on=True)
    monkeypatch.setattr(Batch, "_is_frozen", lambda *_: False)
    assert codes(rich(rich.redeem("a-theft", "1"))) == ["decided"]


def test_what_was_told_waits_and_is_decided_afterwards(rich: Shop) -> None:
    """A till without a network has given something for points: it is booked, and not lost."""
    freezing.switch(rich.desk, 1, OWNER, on=True)
    body = Purchase((Line("1", "latte", 1, 900),), receipt="R9", points={"points": 100})
    told = rich.tell("sale", "card:1", body)
    before = rich.points("1")
    assert codes(rich(told)) == ["parked"]
    assert codes(rich(told)) == ["parked"], "it is there, and comes twice"
    assert (rich.points("1"), freezing.waiting(rich.desk.books, 1)) == (before, 1)
    rich.desk.chore("thaw")
    assert len(rich.desk.books.waiting(PARKED, 9)) == 1, "as long as it is frozen"
    freezing.switch(rich.desk, 1, OWNER, on=False)
    rich.desk.settle()
    assert not rich.desk.books.waiting(PARKED, 9)
    assert rich.points("1") != before


def test_another_program_is_not_frozen(rich: Shop) -> None:
    rich.desk.publish("q", rich.now, "terms", {"limits": {"mug": "100"}})
    freezing.switch(rich.desk, 2, OWNER, on=True)
    (result,) = rich.desk.submit([rich.redeem("other", "1")], program="p")
    assert codes([result]) == ["decided"]


def test_a_lock_holds_one_account_until_somebody_ends_it(rich: Shop) -> None:
    assert freezing.freeze_account(rich.desk, account(rich), LOCK, By("the member"))
    assert set(codes(rich(*spending(rich)))) == {"account-locked"}
    rich.now += 400 * DAY_MS
    assert codes(rich(rich.mug("later", "1"), rich.mug("mug-2", "2"))) == [
        "account-locked", "decided",
    ]  # fmt: skip
    assert freezing.free_account(rich.desk, account(rich), OWNER)
    assert not freezing.free_account(rich.desk, account(rich), OWNER)
    assert codes(rich(rich.mug("at-last", "1"))) == ["decided"]


def from_web(event: Event) -> Event:
    return Event("web", event.id, event.time, event.subject, event.body, ask=event.ask)


def test_after_another_address_points_leave_at_the_counter_only(rich: Shop) -> None:
    freezing.freeze_account(rich.desk, account(rich), ADDRESS, DESK)
    assert set(codes(rich(*map(from_web, spending(rich))))) == {"address-changed"}
    found = dict(zip(map(kind, spending(rich)), codes(rich(*spending(rich))), strict=True))
    assert {name for name, code in found.items() if code == "address-changed"} == {
        "transfer", "exchange", "leave",
    }  # fmt: skip
    rich.now += freezing.ADDRESS_MS - 1
    assert codes(rich(from_web(rich.mug("early", "1")))) == ["address-changed"]
    rich.now += 1
    assert codes(rich(from_web(rich.mug("late", "1")))) == ["decided"]


def kind(event: Event) -> str:
    return event.type


def test_nobody_joins_what_is_frozen(rich: Shop) -> None:
    freezing.freeze_account(rich.desk, account(rich, "2"), ADDRESS, DESK)
    into = f"account:{account(rich, '2')}"
    assert codes(rich(rich.ask("join", "card:1", Join("1", into)))) == ["address-changed"]


def test_a_source_with_any_key_for_the_net_is_no_counter(rich: Shop) -> None:
    keys.make(rich.desk, "Another", "p", "shop", "till")
    freezing.freeze_account(rich.desk, account(rich), ADDRESS, DESK)
    assert codes(rich(rich.mug("x", "1"))) == ["address-changed"]


def test_what_a_shop_told_meanwhile_is_decided_after_three_days(rich: Shop) -> None:
    freezing.freeze_account(rich.desk, account(rich), ADDRESS, DESK)
    body: Any = Purchase((Line("1", "latte", 1, 900),), receipt="R9", points={"points": 100})
    assert codes(rich(from_web(rich.tell("sale", "card:1", body)))) == ["parked"]
    rich.now += freezing.ADDRESS_MS
    assert rich.desk.chore("thaw") == 1
    rich.desk.settle()
    assert not rich.desk.books.waiting(PARKED, 9)


def test_a_freeze_is_written_once(rich: Shop) -> None:
    freezing.switch(rich.desk, 1, OWNER, on=True)
    for said in ("UPDATE freezing SET until = 0", "DELETE FROM freezing"):
        rich.desk.books.begin()
        with pytest.raises(Exception, match="append-only"):
            rich.desk.books.execute(said)
        rich.desk.books.rollback()
