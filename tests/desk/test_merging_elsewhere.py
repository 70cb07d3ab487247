"""What a merge means outside the account: figures, webhooks, segments, freezes and cards."""

from collections.abc import Iterator

import pytest

from kantis.core.account import Account, decode_account
from kantis.core.events import (
    Capture,
    Enrol,
    Event,
    Join,
    Line,
    Load,
    Merge,
    Purchase,
    Redeem,
    Release,
    Use,
)
from kantis.desk import freezing
from kantis.desk.audit import By
from kantis.desk.freezing import ADDRESS, LOCK
from kantis.desk.measures.effects import Group
from kantis.desk.measures.figures import Month, measure
from kantis.desk.measures.tallying import catch_up, differences
from kantis.desk.notices import of_decision
from kantis.desk.programs import Engine
from kantis.desk.recorded import entry_of
from kantis.desk.redemptions import CAPTURED, HELD, RELEASED, redemption
from kantis.desk.segments import refreshing
from kantis.store import people
from kantis.store.people import BLOCKED, Slip
from tests.desk.shop import Shop, codes
from tests.desk.test_merging import account, merge, number, proved, settle
from tests.desk.test_merging_everything import TERMS, ask
from tests.desk.test_segments import basket, buys, inside, refresh
from tests.desk.test_segments import desk as desk  # a fixture

FAMILIES = {**TERMS, "households": {"family": {"members": "at most 5"}}}
STAFF = By("test")


@pytest.fixture
def shop(url: str) -> Iterator[Shop]:
    """A shop with three cards and households; its books are proved at the end."""
    with Shop(url, Engine(), FAMILIES) as shop:
        shop(shop.enrol("old"), shop.enrol("new"), shop.enrol("third"))
        yield shop
        settle(shop)
        proved(shop)


def measured(shop: Shop) -> Month:
    """The figures of the month, which are a fold of the books."""
    shop.desk.checkpoint()
    catch_up(shop.desk)
    assert not differences(shop.desk.books)
    return measure(shop.desk.books, shop.desk.homes.numbered(1)).months[-1]


# ── figures and webhooks ─────────────────────────────────────────────────────


def test_what_comes_with_a_merge_is_counted_once(shop: Shop) -> None:
    bread = Purchase((Line("1", "bread", 1, 100, category="bread"),))
    shop(shop.buy("o1", "old", 10_000))
    for id in ("mug-1", "mug-2"):
        ask(shop, id, "old", Redeem("mug"))
    ask(shop, "load", "old", Load("bread"))
    shop(shop.tell("bread", "card:old", bread))
    ask(shop, "use", "old", Use(next(iter(account(shop, "old").vouchers))))
    before = measured(shop)
    assert (before.open_vouchers.count, before.had["offer bread"], before.up) == (1, 1, 1)
    merge(shop)
    after = measured(shop)
    assert after.vouchers == before.vouchers
    assert after.open_vouchers == before.open_vouchers
    assert (after.had, after.up, after.down) == (before.had, before.up, before.down)
    ask(shop, "use-2", "old", Use(list(account(shop, "new").vouchers)[-1]))
    assert measured(shop).open_vouchers.count == 0


def test_what_comes_back_from_a_merge_is_counted_once(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 10_000))
    ask(shop, "mug", "old", Redeem("mug"))
    old = number(shop, "till/enrol-old")
    shop(shop.ask("nowhere", f"account:{old}", Merge("account:999")))
    settle(shop)
    assert len(account(shop, "old").vouchers) == 1
    found = measured(shop)
    assert (found.open_vouchers.count, found.vouchers["issued"].count, found.up) == (1, 1, 1)


def test_a_used_voucher_is_told_once(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 5000))
    ask(shop, "mug", "old", Redeem("mug"))
    ask(shop, "use", "old", Use(next(iter(account(shop, "old").vouchers))))
    merge(shop)
    accounts = [number(shop, f"till/enrol-{card}") for card in ("old", "new")]
    entries = shop.desk.books.entries([(each, n) for each in accounts for n in range(1, 12)])
    told = [
        each for row in entries for each in of_decision(entry_of(*row).decision)
        if each.type == "voucher.used"
    ]  # fmt: skip
    assert [each.data for each in told] == [{"kind": "mug"}]


def test_a_voucher_with_another_code_is_told_with_its_kind(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 5000), shop.buy("n1", "new", 5000))
    for card in ("old", "new"):
        ask(shop, f"mug-{card}", card, Redeem("mug"))
    merge(shop)
    code = list(account(shop, "new").vouchers)[-1]
    (used,) = shop(shop.ask("use", "card:old", Use(code)))
    assert used.entry is not None
    told = [each for each in of_decision(used.entry.decision) if each.type == "voucher.used"]
    assert [each.data for each in told] == [{"kind": "mug"}]


# ── what shops look at ──────────────────────────────────────────────────────


def test_a_shop_sees_what_became_of_a_hold_after_a_merge(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 5000))
    for id in ("held", "taken", "freed"):
        ask(shop, id, "old", Redeem("money-off", points=10, hold=True))
    merge(shop, "old", "new")
    merge(shop, "new", "third")
    ask(shop, "capture", "old", Capture("taken"))
    ask(shop, "release", "old", Release("freed"))
    home = shop.desk.homes.numbered(1)
    found = {
        id: redemption(shop.desk.books, home, f"till/{id}", shop.now)
        for id in ("held", "taken", "freed")
    }
    assert {id: each.state for id, each in found.items() if each is not None} == {
        "held": HELD, "taken": CAPTURED, "freed": RELEASED,
    }  # fmt: skip


# ── freezes ──────────────────────────────────────────────────────────────────


def test_a_lock_goes_all_the_way_to_where_the_points_are(shop: Shop) -> None:
    shop(shop.buy("o1", "old", 5000))
    merge(shop, "old", "new")
    merge(shop, "new", "third")
    old = number(shop, "till/enrol-old")
    freezing.freeze_account(shop.desk, old, LOCK, STAFF)
    assert codes(shop(shop.redeem("r", "third", 1))) == ["account-locked"]
    freezing.free_account(shop.desk, old, STAFF)
    assert codes(shop(shop.redeem("r", "third", 1))) == ["decided"]


@pytest.mark.parametrize("reason", [LOCK, ADDRESS])
def test_nobody_joins_what_is_frozen_by_another_of_its_names(shop: Shop, reason: str) -> None:
    shop(shop.ask("found", "card:new", Join("anna")))
    merge(shop, "old", "new")
    old, new = number(shop, "till/enrol-old"), number(shop, "till/enrol-new")
    freezing.freeze_account(shop.desk, new, reason, STAFF)
    for n, into in enumerate([f"account:{new}", f"account:{old}", "card:new", "card:old"]):
        joining = shop.ask(f"join-{n}", "card:third", Join("ben", into))
        assert codes(shop(joining)) == [freezing.CODES[reason]], into


# ── cards ────────────────────────────────────────────────────────────────────


def test_a_blocked_card_stays_blocked_where_it_moves(shop: Shop) -> None:
    old, new, third = (number(shop, f"till/enrol-{card}") for card in ("old", "new", "third"))
    shop.desk.file_slips([Slip(cards=[(1, "old", old, BLOCKED, shop.now, "x")])])
    merge(shop, "old", "new")
    assert people.cards_of(shop.desk.books, [new])[new] == {"new": "", "old": BLOCKED}
    merge(shop, "new", "third")
    shown = people.cards_of(shop.desk.books, [third])[third]
    assert shown == {"new": "", "old": BLOCKED, "third": ""}
    assert codes(shop(shop.redeem("r", "old", 1))) == ["card-blocked"]


# ── segments ─────────────────────────────────────────────────────────────────


def stored(desk: refreshing.Desk, card: str) -> Account:
    found = desk.books.cards([(1, card)])[1, card]
    return decode_account(desk.books.accounts([found])[0].snapshot)


def become(desk: refreshing.Desk, of: str, into: str) -> None:
    one, other = (f"account:{stored(desk, card).id}" for card in (of, into))
    desk.submit([Event("vault", f"merge-{of}", 0, one, Merge(other, of), ask=True)], program="shop")
    while desk.settle():
        pass
    desk.checkpoint()
    catch_up(desk)


def test_what_was_bought_with_either_card_counts_for_a_segment(desk: refreshing.Desk) -> None:
    assert inside(desk, "spend: at least 120.00 EUR ever") == "1"
    become(desk, "1", "3")
    assert inside(desk, "spend: at least 120.00 EUR ever") == "3"
    assert inside(desk, "last purchase: more than 1 days ago") == "23"


def test_the_lot_of_whoever_lives_on_counts_after_a_merge(
    desk: refreshing.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before the segment is looked for again: whoever is held back gets nothing of it."""
    second = stored(desk, "2").id
    monkeypatch.setattr(refreshing, "drawn", lambda _, at, who: 0 if who == second else 9_999)
    refreshing.make(desk, 1, "regulars", "hold back: 40 %", STAFF)
    refresh(desk)
    become(desk, "1", "2")
    assert buys(desk, "held-back", "2") == 1
    become(desk, "3", "2")
    refresh(desk)
    assert buys(desk, "still", "2") == 2  # an offer came along with the third card


def test_whoever_has_two_cards_counts_once_in_an_effect(
    desk: refreshing.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the group of the account that lives on, or in the one that comes along."""
    second = stored(desk, "2").id
    monkeypatch.setattr(refreshing, "drawn", lambda _, at, who: 0 if who == second else 9_999)
    refreshing.make(desk, 1, "regulars", "hold back: 40 %", STAFF)
    refresh(desk)
    desk.submit([Event("till", "late", 0, "card:late", Enrol())], program="shop")
    for id, card, amount in (("a", "1", 700), ("b", "2", 300), ("c", "3", 90)):
        desk.submit([Event("till", id, 0, f"card:{card}", basket(amount))], program="shop")
    desk.checkpoint()
    catch_up(desk)
    become(desk, "1", "2")
    become(desk, "3", "late")
    desk.submit([Event("till", "d", 0, "card:late", basket(10))], program="shop")
    desk.checkpoint()
    catch_up(desk)
    for again in (False, True):
        catch_up(desk, again=again)
        assert not differences(desk.books)
        (found,) = measure(desk.books, desk.homes.numbered(1)).effects
        assert found.held == Group(1, 1, 1_000, 1_000_000)
        assert found.got == Group(1, 1, 100, 10_000)


def test_of_a_draw_that_is_over_the_lot_stays_and_a_new_one_is_drawn(
    desk: refreshing.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "drawn", lambda *_: 9_999)
    second = stored(desk, "2").id
    refreshing.make(desk, 1, "regulars", "hold back: 40 %", STAFF)
    refresh(desk)
    refreshing.make(desk, 1, "regulars", "spend: at least 60.00 EUR ever\nhold back: 41 %", STAFF)
    refresh(desk)
    bought = [card for card in "123" if len(stored(desk, card).facts["drawn regulars"]) == 2]
    other = next(card for card in "123" if card not in bought)
    monkeypatch.setattr(refreshing, "drawn", lambda _, at, who: 0 if who == second else 9_999)
    become(desk, bought[0], other)
    refresh(desk)
    desk.checkpoint()
    catch_up(desk)
    assert not differences(desk.books)
    newest, older = measure(desk.books, desk.homes.numbered(1)).effects
    assert newest.got.members + newest.held.members == len(bought)
    assert older.got.members + older.held.members == 2
