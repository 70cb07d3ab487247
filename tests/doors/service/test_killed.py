"""Killed and stopped under load: what was acknowledged is in the books, once."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median_low

import pytest

from tests.doors.service.server import KANTIS, begin, buy, served
from tests.doors.service.tills import HASTY, ROUNDS, Tills, lost, open_shop, points, settle


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Books of either kind that survive a kill."""
    if request.param == "sqlite":
        yield str(tmp_path / "books.db")
    else:
        yield request.getfixturevalue("pg_durable_url")


def test_killed_under_load_nothing_acknowledged_is_lost_or_doubled(store: str) -> None:
    keys = begin(store, "club")
    ids: set[str] = set()
    seconds: list[float] = []
    with served(store) as server:
        open_shop(server, keys["club/till"])
        for round in range(ROUNDS):
            tills = Tills(server, keys["club/till"], f"r{round}")
            tills.wait(150)
            killed = time.monotonic()
            server.end(signal.SIGKILL)
            tills.end()
            server.start()
            with server.client(keys["club/till"]) as client:
                first = buy(f"after-{round}", "0", 1)
                assert client.post("/v1/events", json=first).status_code == 200
                seconds.append(time.monotonic() - killed)
                assert lost(client, tills) == []
                settle(client, tills)
            ids |= tills.sent.keys() | {first["id"]}
        status, log = server.end()
    assert status == 0, log
    assert points(store) == len(ids)
    assert median_low(seconds) < (10 if "://" in store else 5)


def test_a_service_that_answers_too_early_is_caught(tmp_path: Path) -> None:
    store = tmp_path / "books.db"
    keys = begin(str(store), "club")
    with served(store) as honest:
        open_shop(honest, keys["club/till"])
    with served(store, HASTY) as hasty:
        tills = Tills(hasty, keys["club/till"], "hasty")
        tills.wait(20)
        hasty.end(signal.SIGKILL)
        tills.end()
    with served(store) as honest, honest.client(keys["club/till"]) as client:
        assert lost(client, tills)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_what_is_under_way(tmp_path: Path, sign: signal.Signals) -> None:
    store = tmp_path / "books.db"
    keys = begin(str(store), "club")
    with served(store) as server:
        open_shop(server, keys["club/till"])
        tills = Tills(server, keys["club/till"], "stop")
        tills.wait(100)
        status, log = server.end(sign)
        tills.end()
        assert status == 0, log
        assert '"fault"' not in log
        assert tills.statuses <= {200, 503}
        assert not (tmp_path / "books.db.socket").exists()
        server.start()
        with server.client(keys["club/till"]) as client:
            assert lost(client, tills) == []


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
