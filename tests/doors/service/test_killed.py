"""Killed and stopped under load: what was acknowledged is in the books, once."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median_low

import pytest

from tests.desk.test_rounds import within
from tests.doors.service.server import KANTIS, Server, begin, buy, children, served
from tests.doors.service.tills import (
    HASTY,
    ROUNDS,
    Tills,
    changed,
    lost,
    open_shop,
    points,
    settle,
)

#: A service of several processes that does not start those again that die.
UNWATCHED = changed("""
from kantis.doors.cli import several
begin, crew = several._begin, []
def once(*given):
    if len(crew) < 2:
        crew.append(begin(*given))
    return crew[-1]
several._begin = once
""")


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


def go_on(server: Server, key: str, kill: Callable[[], float]) -> None:
    """Something behind a service is killed again and again, while tills go on; when it was."""
    ids: set[str] = set()
    open_shop(server, key)
    for round in range(ROUNDS):
        tills = Tills(server, key, f"r{round}", stubborn=True)
        tills.wait(150)
        tills.served_again(kill(), 10)
        tills.wait(50)
        tills.end()
        with server.client(key) as client:
            assert lost(client, tills) == []
            settle(client, tills)
        assert tills.lies == []
        assert tills.statuses <= {200, 503}
        assert tills.codes <= {"unusable", "outcome-unknown"}
        ids |= tills.sent.keys()
    status, log = server.end()
    assert status == 0, log
    assert '"fault"' not in log
    assert points(server.store) == len(ids)


def both_serve(server: Server) -> bool:
    """Whether two processes answer; the ids of their requests begin differently."""
    seen: set[str] = set()

    def look() -> bool:
        with server.client() as client:
            seen.add(client.get("/healthz").headers["x-request-id"][:16])
        return len(seen) == 2

    return within(60, look)


def kill_one_of(server: Server) -> float:
    """One of the processes that a service has started; another one takes its place."""
    assert both_serve(server)
    first, killed = children(server), time.monotonic()
    assert len(first) == 2
    os.kill(first[0], signal.SIGKILL)
    assert within(20, lambda: len(set(children(server)) - {first[0]}) == 2)
    return killed


def test_of_several_workers_one_is_killed_under_load_and_the_other_goes_on(
    pg_durable_url: str,
) -> None:
    key = begin(pg_durable_url, "club")["club/till"]
    with served(pg_durable_url, options=["--workers", "2"]) as server:
        go_on(server, key, lambda: kill_one_of(server))


def test_a_worker_that_nobody_starts_again_is_caught(pg_durable_url: str) -> None:
    begin(pg_durable_url, "club")
    with served(pg_durable_url, UNWATCHED, ["--workers", "2"]) as server:
        first = children(server)
        os.kill(first[0], signal.SIGKILL)
        assert not within(3, lambda: len(set(children(server)) - {first[0]}) == 2)


def test_the_scribe_is_killed_under_load_and_the_service_goes_on(tmp_path: Path) -> None:
    store = tmp_path / "books.db"
    key = begin(str(store), "club")["club/till"]

    def kill() -> float:
        assert within(20, lambda: bool(children(server)))  # it writes as soon as there is a load
        os.kill(children(server)[0], signal.SIGKILL)
        return time.monotonic()

    with served(store) as server:
        go_on(server, key, kill)


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
