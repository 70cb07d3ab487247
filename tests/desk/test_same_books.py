"""The same events give the same books: however they are cut, and on whatever store."""

import random
from pathlib import Path

import pytest

from kantis.core.events import Event
from tests.desk.day import day
from tests.desk.shop import Shop, said


def play(url: str, cuts: int | None, seed: int = 7) -> tuple[list[bytes], list[object]]:
    """Answers and state after a day that was imported in batches of random sizes."""
    dice = random.Random(cuts)
    with Shop(url) as shop:
        events = day(shop, seed, 400)
        answers: list[bytes] = []
        rest: list[Event] = events
        while rest:
            size = len(rest) if cuts is None else dice.choice([1, 1, 2, 3, 50])
            batch, rest = rest[:size], rest[size:]
            answers += map(said, shop(*batch, importing=True))
        shop.prove()
        return answers, shop.state()


def test_a_batch_cut_anywhere_gives_the_same_books(tmp_path: Path) -> None:
    whole = play(str(tmp_path / "whole.db"), None)
    for cuts in range(4):
        assert play(str(tmp_path / f"{cuts}.db"), cuts) == whole


def test_both_stores_give_the_same_books(tmp_path: Path, pg_url: str) -> None:
    assert play(pg_url, 1) == play(str(tmp_path / "books.db"), 2)


def test_an_import_that_is_run_again_changes_nothing(shop: Shop) -> None:
    events = day(shop, 3, 200)
    first = [said(each) for each in shop(*events, importing=True)]
    state = shop.state()
    again = shop(*events, importing=True)
    assert all(each.again for each in again)
    assert [said(each) for each in again] == first
    assert shop.state() == state


def test_another_order_within_an_account_is_another_history(tmp_path: Path) -> None:
    """The twin: the comparison does see a difference."""
    with Shop(str(tmp_path / "a.db")) as one, Shop(str(tmp_path / "b.db")) as other:
        for shop, amounts in ((one, (1000, 2000)), (other, (2000, 1000))):
            shop(shop.enrol("1"), *[shop.buy(f"{a}", "1", a) for a in amounts])
        assert one.state() != other.state()


@pytest.mark.parametrize("seed", range(3))
def test_the_cache_changes_nothing(tmp_path: Path, seed: int) -> None:
    with Shop(str(tmp_path / "a.db")) as one, Shop(str(tmp_path / "b.db")) as other:
        other.desk.cache = None
        for shop in (one, other):
            for event in day(shop, seed, 100):
                shop(event, importing=True)
        assert one.state() == other.state()
