"""A small shop on every store: a desk with the stub engine, whose books are proved at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desk.shop import Shop


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where empty books can be, on each store in turn."""
    if request.param == "sqlite":
        return str(tmp_path / "books.db")
    return str(request.getfixturevalue("pg_url"))


@pytest.fixture
def shop(url: str) -> Iterator[Shop]:
    """A shop with a program ``p`` and nothing in its books."""
    with Shop(url) as shop:
        yield shop
        shop.prove()
