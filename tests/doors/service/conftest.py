"""One server for the tests of a module, with the programs club and other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from kantis.desk.verify import verify
from kantis.store.sqlite import SqliteBooks
from tests.doors.service.market import MARKET
from tests.doors.service.server import Server, begin, enrol, served


@dataclass
class Place:
    """A running server and its keys."""

    server: Server
    keys: dict[str, str]

    def client(self, who: str = "club/till") -> httpx.Client:
        return self.server.client(self.keys[who])


@contextmanager
def proved(store: Path, keys: dict[str, str]) -> Iterator[Place]:
    """A server whose books are proved at the end, and whose log has no fault."""
    with served(store) as server:
        yield Place(server, keys)
        status, log = server.end()
        assert status == 0, log
        assert '"fault"' not in log
        assert "Traceback" not in log
    with SqliteBooks(store, write=False) as books:
        assert verify(books).ok


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server that many tests use."""
    store: Path = tmp_path_factory.mktemp("service") / "books.db"
    with proved(store, begin(str(store), "club", "other")) as place:
        with place.client() as till:
            assert till.post("/v1/events", json=enrol("1")).status_code == 200
        yield place


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server with the program market, and with market's terms under another name."""
    store: Path = tmp_path_factory.mktemp("market") / "books.db"
    with proved(store, begin(str(store), "market", "bazaar", terms=MARKET)) as place:
        yield place


@pytest.fixture
def shop(market: Place) -> Iterator[httpx.Client]:
    """A shop of the market."""
    with market.client("market/shop") as client:
        yield client


@pytest.fixture
def till(place: Place) -> Iterator[httpx.Client]:
    """A till of the club."""
    with place.client() as client:
        yield client
