"""Several desks keep decoded accounts of the same books, and none believes an old one."""

from collections.abc import Iterator

import pytest

from kantis.core.account import NEVER, Account, decode_account
from kantis.desk import batch
from kantis.desk.cache import Cache
from kantis.store.rows import AccountRow
from tests.desk.shop import NOON, TERMS, Shop, codes
from tests.desk.test_races import deal, guarded, loosen, race


@pytest.fixture
def shops(pg_url: str) -> Iterator[tuple[Shop, Shop]]:
    with Shop(pg_url) as here, Shop(pg_url) as there:
        yield here, there


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Snapshots that were decoded."""
    found: list[bytes] = []

    def note(data: bytes) -> Account:
        found.append(data)
        return decode_account(data)

    monkeypatch.setattr(batch, "decode_account", note)
    return found


def careless(self: Cache, row: AccountRow) -> Account | None:
    """The twin of ``Cache.take_as``: believes what it has, whatever the row says."""
    found = self.take(row.id)
    return found[1] if found is not None else None


def test_a_snapshot_is_decoded_only_when_somebody_else_changed_it(
    shops: tuple[Shop, Shop], decoded: list[bytes]
) -> None:
    here, there = shops
    here(here.enrol("1"), here.enrol("2"))
    here(here.buy("a", "1"), here.buy("b", "2"))
    assert not decoded
    there(there.buy("c", "1"))
    assert len(decoded) == 1
    here(here.buy("d", "1"), here.buy("e", "2"))
    assert len(decoded) == 2
    assert (here.points("1"), here.points("2")) == (30, 20)
    here.prove()


def alternate(here: Shop, there: Shop) -> list[str]:
    """Points earned at both desks, and spent at the first; the books are not proved."""
    here(here.enrol("1"), here.buy("a", "1", 10_000))
    there(there.buy("b", "1", 10_000), there.redeem("r", "1", 150))
    return codes(here(here.redeem("s", "1", 100)))


def test_what_another_desk_took_is_gone(shops: tuple[Shop, Shop]) -> None:
    assert alternate(*shops) == ["not-enough"]
    assert shops[0].points("1") == 50
    shops[0].prove()


def test_without_the_check_it_is_spent_again(
    shops: tuple[Shop, Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin, without the unique keys that would catch it."""
    monkeypatch.setattr(Cache, "take_as", careless)
    loosen(shops[0])
    assert alternate(*shops) == ["decided"]
    with pytest.raises(AssertionError):
        shops[0].prove()


def both(shop: Shop, url: str) -> list[str]:
    """Two desks at the same time, batch by batch on the same accounts."""
    shop(*[shop.enrol(f"{n}") for n in range(8)])
    events = [shop.buy(f"b{n}", f"{n // 2 % 8}") for n in range(240)]
    return codes(race(guarded(url), deal(events, 2, 6)))


def test_two_desks_on_the_same_accounts_at_once(pg_url: str) -> None:
    with Shop(pg_url) as shop:
        assert set(both(shop, pg_url)) == {"decided"}
        assert [shop.points(f"{n}") for n in range(8)] == [300] * 8
        shop.prove()


def test_two_desks_without_the_check_lose_points(
    pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin, with its locks but without the check and the unique keys."""
    monkeypatch.setattr(Cache, "take_as", careless)
    with Shop(pg_url) as shop:
        loosen(shop)
        both(shop, pg_url)
        assert sum(shop.points(f"{n}") for n in range(8)) < 2_400
        with pytest.raises(AssertionError):
            shop.prove()


def test_an_account_that_was_woken_is_decoded_again() -> None:
    cache, account = Cache(alone=False), Account(7)
    for due, head, believed in (
        (None, b"head", True),
        (None, b"other", False),
        (5, b"head", False),
    ):
        cache.put(7, 1, account, b"head", 10)
        found = cache.take_as(AccountRow(7, 1, 3, due, head, b""))
        assert (found is account) is believed
        assert not cache.accounts
    account.due = 5
    cache.put(7, 1, account, b"head", 10)
    assert cache.take_as(AccountRow(7, 1, 3, 5, b"head", b"")) is account
    assert account.due < NEVER


def test_another_version_makes_a_desk_forget(
    shops: tuple[Shop, Shop], decoded: list[bytes]
) -> None:
    here, there = shops
    here(here.enrol("1"))
    there.desk.publish("p", NOON + 1, "more terms", TERMS)
    here(here.buy("a", "1"))
    assert len(decoded) == 1


def test_a_card_is_looked_up_once(shops: tuple[Shop, Shop]) -> None:
    here, there = shops
    here(here.enrol("1"))
    there(there.buy("a", "1"))
    before = there.desk.books.statements
    there(there.buy("b", "1"))
    known = there.desk.books.statements - before
    there.desk.forget()
    before = there.desk.books.statements
    there(there.buy("c", "1"))
    assert there.desk.books.statements - before == known + 1
