"""Whatever order the deliveries of an order come in, the account stands the same."""

from collections.abc import Iterator
from itertools import count, permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import pytest

from kantis.desk import orders
from kantis.desk.verify import verify
from kantis.engine import editing
from tests.doors.shops.stage import Stage, shopify_life

#: Sets of deliveries of one order; of each all permutations are tried.
SETS = {
    "all of it": ("paid", "edited", "part", "after", "rest", "whole"),
    "twice": ("paid", "edited", "part", "paid", "edited", "part"),
    "edited back and forth": ("paid", "edited", "edited", "after"),
    "a refund of what comes later": ("part", "paid", "edited", "rest"),
    "paid and refunded": ("paid", "part", "rest", "paid"),
    "only the end is heard in time": ("whole", "paid"),
}


MEMORY = Path("/dev/shm")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Books that need not survive a power cut, so that many thousand commits are quick."""
    where = MEMORY if MEMORY.is_dir() else tmp_path
    with TemporaryDirectory(dir=where) as found, Stage(f"{found}/books.db") as stage:
        yield stage
        assert verify(stage.desk.books).ok


numbers = count(1_000)


def lives(stage: Stage, names: tuple[str, ...], spent: int) -> list[dict[str, Any]]:
    """How members stand after each permutation; each is a member of their own."""
    found = []
    for order in sorted(set(permutations(names))):
        number = next(numbers)
        card = f"shopify-{number}"
        stage.member(card, spent)
        life = shopify_life(number, number)
        for name in order:
            stage.shopify(*life[name])
        stands = stage.stands(card)
        if stands not in found:
            found.append(stands)
    return found


@pytest.mark.parametrize("spent", [300, 1_500, 5_000], ids=["just silver", "silver", "gold"])
@pytest.mark.parametrize("which", SETS)
def test_each_permutation_gives_the_same(stage: Stage, which: str, spent: int) -> None:
    (stands,) = lives(stage, SETS[which], spent)
    assert stage.flags() == []
    if which == "all of it":  # what there was before: base, and one more for each 10 EUR
        left = {300: "3", 1_500: "16", 5_000: "55"}[spent]
        assert stands["balances"]["points"]["available"] == left


def test_without_the_shops_version_it_would_not(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "_newer", lambda one, other: other)
    assert len(lives(stage, ("paid", "edited", "after"), 1_500)) > 1


def test_without_undoing_levels_it_would_not(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editing, "fall", lambda *_: None)
    assert len(lives(stage, ("paid", "edited"), 300)) > 1


def test_what_was_bought_is_exact(stage: Stage) -> None:
    """Coffee 2 x 12.50 less 2.50, tax 4.34 included; three teas of 6.10; the mug was removed."""
    stage.member("shopify-1")
    life = shopify_life(1, 1)
    for name in ("paid", "edited"):
        stage.shopify(*life[name])
    assert stage.stands("shopify-1")["counters"] == {"spend": "36.46", "orders": "1"}
    stage.shopify(*life["part"])  # one of two coffees
    assert stage.stands("shopify-1")["counters"] == {"spend": "27.38", "orders": "1"}


def test_on_postgres_too_also_told_by_two_at_once(pg_url: str) -> None:
    with Stage(pg_url) as stage, Stage(pg_url) as other:
        (stands,) = lives(stage, ("paid", "edited", "part"), 1_500)
        for number in range(2_000, 2_020):
            stage.member(f"shopify-{number}", 1_500)
            life = shopify_life(number, number)
            first = Thread(
                target=lambda life=life: [stage.shopify(*life[n]) for n in ("paid", "part")]
            )
            second = Thread(target=lambda life=life: other.shopify(*life["edited"]))
            for each in (first, second):
                each.start()
            for each in (first, second):
                each.join()
            assert stage.stands(f"shopify-{number}") == stands
        assert stage.flags() == []
        assert verify(stage.desk.books).ok
