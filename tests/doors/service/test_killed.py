"""Killed and stopped under load: what was acknowledged is in the books, once."""

import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from kantis.desk.verify import verify
from kantis.store.sqlite import SqliteBooks
from tests.doors.service.server import KANTIS, Server, begin, buy, enrol, served

TILLS, CARDS, ROUNDS = 8, 5, 3
#: A service that answers before anything is written down.
HASTY = """
import sys
from kantis.doors import cli
from kantis.doors.api.line import Line
async def submit(self, program, events):
    return self._post._desk.quote(events, program=program)
Line.submit = submit
cli.main()
"""


class Load:
    """Tills that buy as fast as they are answered, and remember what they were told."""

    def __init__(self, server: Server, key: str, name: str) -> None:
        self._client = server.client(key)
        self._name = name
        self.sent: dict[str, dict[str, Any]] = {}
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.statuses: set[int] = set()
        self._over = False
        self._threads = [threading.Thread(target=self._till, args=(n,)) for n in range(TILLS)]
        for each in self._threads:
            each.start()

    def _till(self, till: int) -> None:
        for n in range(1_000_000):
            if self._over:
                return
            event = buy(f"{self._name}-{till}-{n}", str(n % CARDS), 1)
            self.sent[event["id"]] = event
            try:
                answer = self._client.post("/v1/events", json=event)
            except httpx.HTTPError:
                return
            self.statuses.add(answer.status_code)
            if answer.status_code == 200:
                self.acknowledged[event["id"]] = answer.json()

    def wait(self, count: int) -> None:
        give_up = time.monotonic() + 60
        while len(self.acknowledged) < count and time.monotonic() < give_up:
            time.sleep(0.005)
        assert len(self.acknowledged) >= count

    def end(self) -> None:
        self._over = True
        for each in self._threads:
            each.join()
        self._client.close()


def lost(client: httpx.Client, load: Load) -> list[str]:
    """What was acknowledged, and is now not known by its id with the same answer."""
    missing = []
    for id, told in load.acknowledged.items():
        again = client.post("/v1/events", json=load.sent[id])
        if again.json() != {**told, "again": True}:
            missing.append(id)
    return missing


def points(store: Path) -> int:
    with SqliteBooks(store, write=False) as books:
        assert verify(books).ok
        return sum(places[0] for places in books.purses().values())


def test_killed_under_load_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    store = tmp_path / "books.db"
    keys = begin(str(store), "club")
    ids: set[str] = set()
    server = Server(str(store))
    for round in range(ROUNDS):
        began = time.monotonic()
        server.start()
        assert time.monotonic() - began < 5
        with server.client(keys["club/till"]) as client:
            client.post("/v1/events", json=[enrol(str(n)) for n in range(CARDS)])
        load = Load(server, keys["club/till"], f"r{round}")
        load.wait(150)
        server.end(signal.SIGKILL)
        load.end()
        server.start()
        with server.client(keys["club/till"]) as client:
            assert lost(client, load) == []
            for event in load.sent.values():  # what was cut off is settled by its id
                assert client.post("/v1/events", json=event).status_code == 200
        ids |= load.sent.keys()
        status, log = server.end()
        assert status == 0, log
        assert points(store) == len(ids)


def test_a_service_that_answers_too_early_is_caught(tmp_path: Path) -> None:
    store = tmp_path / "books.db"
    keys = begin(str(store), "club")
    with served(store) as honest, honest.client(keys["club/till"]) as client:
        client.post("/v1/events", json=[enrol(str(n)) for n in range(CARDS)])
    with served(store, [sys.executable, "-c", HASTY]) as hasty:
        load = Load(hasty, keys["club/till"], "hasty")
        load.wait(20)
        hasty.end(signal.SIGKILL)
        load.end()
    with served(store) as honest, honest.client(keys["club/till"]) as client:
        assert lost(client, load)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_what_is_under_way(tmp_path: Path, sign: signal.Signals) -> None:
    store = tmp_path / "books.db"
    keys = begin(str(store), "club")
    with served(store) as server:
        with server.client(keys["club/till"]) as client:
            client.post("/v1/events", json=[enrol(str(n)) for n in range(CARDS)])
        load = Load(server, keys["club/till"], "stop")
        load.wait(100)
        status, log = server.end(sign)
        load.end()
        assert status == 0, log
        assert '"fault"' not in log
        assert load.statuses <= {200, 503}
        assert not (tmp_path / "books.db.socket").exists()
        server.start()
        with server.client(keys["club/till"]) as client:
            assert lost(client, load) == []


def test_one_server_serves_books_and_a_second_says_why_not(tmp_path: Path) -> None:
    import subprocess

    store = tmp_path / "books.db"
    begin(str(store), "club")
    with served(store):
        second = subprocess.run(
            [*KANTIS, "serve", "--json", "--store", str(store), "--port", "0"],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert second.returncode == 3
    assert '"store-in-use"' in second.stdout
