"""Every store goes through the same tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kantis.store.books import Books
from kantis.store.postgres import PostgresBooks
from kantis.store.sqlite import SqliteBooks


def connect(url: str) -> Books:
    """Another connection to the books at a URL."""
    return PostgresBooks(url) if url.startswith("postgresql:") else SqliteBooks(url)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where empty books can be, on each store in turn."""
    if request.param == "sqlite":
        return str(tmp_path / "books.db")
    return str(request.getfixturevalue("pg_url"))


@pytest.fixture
def books(url: str) -> Iterator[Books]:
    """Empty books."""
    with connect(url) as books:
        books.migrate()
        yield books
