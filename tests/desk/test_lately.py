"""A job looks at all accounts once a day, and in between at those that changed."""

from collections.abc import Iterator
from typing import Any

import pytest

from kantis.core.calendar import DAY_MS
from kantis.desk import lately
from kantis.desk.programs import Engine, Home
from tests.desk.shop import Shop
from tests.desk.test_merging import TERMS


@pytest.fixture
def shop(url: str) -> Iterator[Shop]:
    with Shop(url, Engine(), TERMS) as shop:
        shop(*(shop.enrol(f"c{n}") for n in range(5)))
        shop.desk.checkpoint()
        yield shop


def seen(shop: Shop, about: str = "", done: bool = True) -> list[int]:
    """The accounts that a look has to see now."""
    shop.desk.homes.refresh(shop.desk.books)
    home = shop.desk.homes.find("p")
    assert isinstance(home, Home)
    look = lately.begin(shop.desk.books, home, "a job", about, shop.now)
    found = [row.id for page in lately.pages(shop.desk.books, look) for row in page]
    if done:
        lately.end(shop.desk, look)
    return found


def changes(shop: Shop) -> int:
    (bought,) = shop(shop.buy(f"b{shop.now}", "c2"))
    shop.now += 1
    shop.desk.checkpoint()
    return bought.account


def test_the_first_look_sees_all_and_the_next_one_what_changed(shop: Shop) -> None:
    everybody = seen(shop)
    assert len(everybody) == 5
    assert seen(shop) == []
    number = changes(shop)
    assert seen(shop, done=False) == [number]
    # a look that did not come to its end is begun again
    assert seen(shop) == [number]
    assert seen(shop) == []


def test_what_is_a_little_ahead_is_looked_at_again_when_it_counts(shop: Shop) -> None:
    """The clock of a till goes before ours, and a look goes by ours."""
    seen(shop)
    (bought,) = shop(shop.buy("ahead", "c2", time=shop.now + 60_000))
    shop.desk.checkpoint()
    assert seen(shop) == [bought.account]
    assert seen(shop) == [bought.account], "it does not count yet"
    shop.now += 60_000
    assert seen(shop) == [bought.account]
    assert seen(shop) == []


def test_a_new_day_other_words_and_a_new_version_look_at_all(shop: Shop) -> None:
    everybody = seen(shop)
    shop.now += DAY_MS
    assert seen(shop) == everybody
    assert seen(shop, "other words") == everybody
    assert seen(shop, "other words") == []
    other: Any = TERMS | {"title": "Another"}
    shop.desk.publish("p", shop.now + 1, "terms", other)
    shop.now += 2
    assert seen(shop, "other words") == everybody


def test_what_has_no_checkpoint_over_it_is_seen_later(shop: Shop) -> None:
    """An entry may still come below one that is there: nothing is skipped for that."""
    seen(shop)
    (bought,) = shop(shop.buy("early", "c3"))
    assert seen(shop) == []
    shop.desk.checkpoint()
    assert seen(shop) == [bought.account]


def test_without_the_day_an_end_would_come_unseen(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the day is always the same."""
    from kantis.core.calendar import Calendar

    seen(shop)
    monkeypatch.setattr(Calendar, "day", lambda self, moment: 738_000)
    seen(shop)
    shop.now += 20 * DAY_MS
    assert seen(shop) == []
