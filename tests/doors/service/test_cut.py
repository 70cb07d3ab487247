"""A COMMIT whose outcome nobody knows is told so, and settled by the same id sent again."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.doors.service.cutter import AFTER, BEFORE, Cutter
from tests.doors.service.server import KANTIS, Server, begin, buy, served
from tests.doors.service.tills import ROUNDS, Tills, changed, lost, open_shop, points, settle

#: Cuts in one round under load.
CUTS = 4
#: A service that takes a COMMIT without an answer for one that did not happen.
SURE = changed("""
from kantis.store.books import Outage, Unknown
from kantis.store.postgres import PostgresBooks
commit = PostgresBooks.commit
def surely(self):
    try:
        commit(self)
    except Unknown as error:
        raise Outage(str(error)) from error
PostgresBooks.commit = surely
""")


@contextmanager
def shop(url: str, command: tuple[str, ...] = KANTIS) -> Iterator[tuple[Server, Cutter, str]]:
    """A server that reaches PostgreSQL through a cutter, and the key of a till."""
    key = begin(url, "club")["club/till"]
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        cutter = Cutter(url, Path(folder))
        # without jobs, so that the COMMIT which is cut is that of the purchase
        with served(cutter.url, command, ["--no-jobs"]) as server:
            open_shop(server, key)
            yield server, cutter, key
        cutter.close()


def cut(client: httpx.Client, cutter: Cutter, how: str, id: str) -> httpx.Response:
    """The answer to a purchase whose COMMIT is cut."""
    cutter.armed = how
    answer = client.post("/v1/events", json=buy(id, "0", 1))
    assert cutter.armed == ""
    return answer


@pytest.mark.parametrize("how", [BEFORE, AFTER])
def test_an_unknown_outcome_is_told_and_the_same_id_settles_it(
    pg_durable_url: str, how: str
) -> None:
    with shop(pg_durable_url) as (server, cutter, key):
        with server.client(key) as client:
            for round in range(ROUNDS):
                told = cut(client, cutter, how, f"cut-{round}")
                assert (told.status_code, told.json()["code"]) == (503, "outcome-unknown")
                assert told.headers["retry-after"] == "1"
                answer = client.post("/v1/events", json=buy(f"cut-{round}", "0", 1))
                assert answer.status_code == 200
                assert answer.json().get("again", False) == (how == AFTER)
        status, log = server.end()
        assert status == 0, log
        assert points(pg_durable_url) == ROUNDS


def test_whoever_sends_again_under_another_id_buys_twice(pg_durable_url: str) -> None:
    with shop(pg_durable_url) as (server, cutter, key):
        with server.client(key) as client:
            cut(client, cutter, AFTER, "cut")
            client.post("/v1/events", json=buy("another", "0", 1))
        server.end()
        assert points(pg_durable_url) == 2


def load(server: Server, cutter: Cutter, key: str, name: str) -> Tills:
    """Tills that go on, whatever is cut."""
    tills = Tills(server, key, name, stubborn=True)
    for number in range(CUTS):
        tills.wait(20)
        cutter.armed = (BEFORE, AFTER)[number % 2]
        give_up = time.monotonic() + 20
        while cutter.armed and time.monotonic() < give_up:
            time.sleep(0.002)
        assert not cutter.armed
    tills.wait(20)
    tills.end()
    return tills


def test_cut_under_load_nothing_is_lost_or_doubled(pg_durable_url: str) -> None:
    ids: set[str] = set()
    with shop(pg_durable_url) as (server, cutter, key):
        for round in range(ROUNDS):
            tills = load(server, cutter, key, f"r{round}")
            assert "outcome-unknown" in tills.codes
            with server.client(key) as client:
                assert lost(client, tills) == []
                settle(client, tills)
            assert tills.lies == []
            ids |= tills.sent.keys()
        status, log = server.end()
        assert status == 0, log
        assert '"fault"' not in log
        assert points(pg_durable_url) == len(ids)


def test_a_service_that_says_nothing_was_recorded_is_caught(pg_durable_url: str) -> None:
    with shop(pg_durable_url, SURE) as (server, cutter, key):
        tills = load(server, cutter, key, "sure")
        assert "outcome-unknown" not in tills.codes
        assert tills.lies
