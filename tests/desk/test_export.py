"""Export: of one instant, in constant memory, and nothing lost where a stream breaks."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from kantis.desk import export
from kantis.desk.export import Span
from kantis.desk.programs import Engine
from tests.desk.shop import Shop
from tests.desk.test_byhand import home
from tests.desk.test_byhand import plain_terms as terms


@pytest.fixture
def shop_with_terms(url: str) -> Iterator[Shop]:
    """A shop with a real program."""
    with Shop(url, Engine(), terms()) as shop:
        yield shop
        shop.prove()


def fill(shop: Shop, first: int, count: int) -> None:
    for start in range(first, first + count, 200):
        numbers = range(start, min(start + 200, first + count))
        shop(*(shop.enrol(str(n)) for n in numbers), *(shop.buy(f"b{n}", str(n)) for n in numbers))


def peak(shop: Shop, what: str) -> tuple[int, int]:
    """The most memory that a stream needs, in bytes; and its rows."""
    rows, _ = export.EXPORTS[what]
    with shop.desk.books.reader() as frozen:
        frozen.freeze()
        tracemalloc.start()
        count = sum(
            part.count(b"\n") for part in export.ndjson(rows(frozen, home(shop), Span(0, 1 << 60)))
        )
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most, count


def test_a_stream_needs_no_more_memory_for_more_rows(tmp_path: Path) -> None:
    with Shop(str(tmp_path / "books.db"), Engine(), terms()) as shop:
        fill(shop, 0, 1_000)
        small = {what: peak(shop, what) for what in export.EXPORTS}
        fill(shop, 1_000, 5_000)
        for what, (before, count) in small.items():
            after, more = peak(shop, what)
            if what != "liability":
                assert more >= 5 * count
            assert after < 1.5 * before + 100_000, what


def test_a_stream_is_of_one_instant(shop_with_terms: Shop) -> None:
    shop = shop_with_terms
    fill(shop, 0, 50)
    with shop.desk.books.reader() as frozen:
        frozen.freeze()
        rows = export.accounts(frozen, home(shop), Span(0, 1 << 60))
        first = next(rows)
        fill(shop, 50, 50)
        assert [first["number"], *(row["number"] for row in rows)] == list(range(1, 51))


def test_two_parts_are_one_stream(shop_with_terms: Shop) -> None:
    shop = shop_with_terms
    fill(shop, 0, 30)
    books, settled = shop.desk.books, shop.desk.books.settled()
    whole = list(export.entries(books, home(shop), export.span_of("entries", settled, 0, 0)))
    fill(shop, 30, 30)
    for cut in (0, 1, 17, len(whole) - 1):
        after = whole[cut]["number"]
        span = export.span_of("entries", shop.desk.books.settled(), after, settled[0])
        rest = list(export.entries(books, home(shop), span))
        assert [row for row in whole if row["number"] <= after] + rest == whole
    assert json.loads(next(export.ndjson(iter(whole))).splitlines()[0]) == whole[0]
