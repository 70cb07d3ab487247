"""One server for the tests of a module, with the programs club and other."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from kantis.desk.verify import verify
from kantis.store.sqlite import SqliteBooks
from tests.doors.service.server import Server, begin, enrol, served


@dataclass
class Place:
    """A running server and its keys."""

    server: Server
    keys: dict[str, str]

    def client(self, who: str = "club/till") -> httpx.Client:
        return self.server.client(self.keys[who])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server that many tests use; its books are proved at the end."""
    store: Path = tmp_path_factory.mktemp("service") / "books.db"
    keys = begin(str(store), "club", "other")
    with served(store) as server:
        place = Place(server, keys)
        with place.client() as till:
            assert till.post("/v1/events", json=enrol("1")).status_code == 200
        yield place
        status, log = server.end()
        assert status == 0, log
        assert '"fault"' not in log
        assert "Traceback" not in log
    with SqliteBooks(store, write=False) as books:
        assert verify(books).ok


@pytest.fixture
def till(place: Place) -> Iterator[httpx.Client]:
    """A till of the club."""
    with place.client() as client:
        yield client
