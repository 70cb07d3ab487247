"""PostgreSQL falls over under load: nothing acknowledged is lost or doubled, and the service,
which nobody touches, serves again by itself."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median_low
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.doors.service.server import Server, begin, served
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
from tests.support.postgres import Cluster, fresh_database

#: In the middle of all rounds; a machine with much else to do may be late now and then.
SERVES_AGAIN_S = 10
#: A service that never connects a second time.
FAITHFUL = changed("""
from kantis.store.books import Outage
from kantis.store.postgres import PostgresBooks
connect = PostgresBooks._connect
def once(self):
    if "_db" in vars(self):
        raise Outage("once is enough")
    return connect(self)
PostgresBooks._connect = once
""")

Break = Callable[[Cluster, str], None]


def backends(cluster: Cluster, url: str) -> list[int]:
    """The server's processes that work for a database."""
    name = urlsplit(url).path[1:]
    with psycopg.connect(cluster.url) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s ORDER BY query_start DESC", (name,)
        )
        return [pid for (pid,) in found]


def terminate(cluster: Cluster, url: str) -> None:
    """As an administrator or a proxy does it; each connection of the service."""
    pids = backends(cluster, url)
    assert pids
    with psycopg.connect(cluster.url) as connection:
        for pid in pids:
            connection.execute("SELECT pg_terminate_backend(%s)", (pid,))


def kill_one(cluster: Cluster, url: str) -> None:
    """The server then ends all the others and recovers."""
    os.kill(backends(cluster, url)[0], signal.SIGKILL)


def kill_all(cluster: Cluster, url: str) -> None:
    """Postmaster and all; whoever looks after it starts it again."""
    cluster.kill()
    cluster.start()


@contextmanager
def shop(cluster: Cluster, command: tuple[str, ...] | None = None) -> Iterator[tuple[Server, str]]:
    """A server on a database of the cluster, and the key of a till."""
    with fresh_database(cluster.url) as url:
        key = begin(url, "club")["club/till"]
        with served(url) as honest:
            open_shop(honest, key)
        with served(url, *([command] if command else [])) as server:
            yield server, key


@pytest.mark.parametrize("fault", [terminate, kill_one, kill_all])
def test_nothing_is_lost_and_it_serves_again_by_itself(
    pg_own_cluster: Cluster, fault: Break
) -> None:
    ids: set[str] = set()
    seconds: list[float] = []
    with shop(pg_own_cluster) as (server, key):
        for round in range(ROUNDS):
            tills = Tills(server, key, f"r{round}", stubborn=True)
            tills.wait(100)
            broken = time.monotonic()
            fault(pg_own_cluster, server.store)
            seconds.append(tills.served_again(broken))
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
    assert median_low(seconds) < SERVES_AGAIN_S


def test_a_service_that_answers_too_early_is_caught(pg_own_cluster: Cluster) -> None:
    with shop(pg_own_cluster, HASTY) as (server, key):
        tills = Tills(server, key, "hasty", stubborn=True)
        tills.wait(20)
        tills.end()
        kill_all(pg_own_cluster, server.store)
        with served(server.store) as honest, honest.client(key) as client:
            assert lost(client, tills)


def test_a_service_that_never_connects_again_is_caught(pg_own_cluster: Cluster) -> None:
    with shop(pg_own_cluster, FAITHFUL) as (server, key):
        tills = Tills(server, key, "faithful", stubborn=True)
        tills.wait(20)
        terminate(pg_own_cluster, server.store)
        broken = time.monotonic()  # what was sent before may have been served
        with pytest.raises(AssertionError):
            tills.served_again(broken, 2)
        tills.end()
