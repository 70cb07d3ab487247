"""kill -9 at random instants: nothing acknowledged is lost, doubled or half written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.desk.crasher import CARDS
from tests.desk.shop import Shop
from tests.support.postgres import REPO, Cluster

ROUNDS = 50


def crash(url: str, rounds: int, seed: int = 1) -> list[tuple[str, str, int]]:
    """What was acknowledged over so many kills."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.desk.crasher", url, str(rounds), str(seed)],
        cwd=REPO, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line.rsplit(" ", 2) for line in json.loads(done.stdout)]
    return [(key, outcome, int(seq)) for key, outcome, seq in lines]


def check(url: str, acknowledged: list[tuple[str, str, int]]) -> None:
    """Every acknowledged answer stands in the books once, and the books are proved."""
    with Shop(url) as shop:
        books = shop.desk.books
        keys = [key for key, _, _ in acknowledged]
        assert len(set(keys)) == len(keys)
        rows = {row.key: row for row in books.events(keys)}
        entries = {(e.account, e.seq): e for e, _ in books.entries(
            [(row.account or 0, row.seq or 0) for row in rows.values()]
        )}  # fmt: skip
        for key, _, seq in acknowledged:
            row = rows[key]
            assert row.seq == seq
            assert entries[row.account or 0, seq].event == key
        report = shop.prove()
        counts = books.counts()
        assert counts["event"] == counts["entry"] == report.entries >= len(keys) + CARDS


def open_shop(url: str) -> None:
    with Shop(url) as shop:
        shop(*[shop.enrol(f"{n}") for n in range(CARDS)])


@pytest.mark.slow
def test_sqlite_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    url = str(tmp_path / "books.db")
    open_shop(url)
    acknowledged = crash(url, ROUNDS)
    check(url, acknowledged)
    print(f"SQLite: {ROUNDS} kills, {len(acknowledged)} acknowledged, 0 lost")
    assert len(acknowledged) > ROUNDS * 10


@pytest.mark.slow
def test_postgres_loses_nothing_that_was_acknowledged(pg_durable_url: str) -> None:
    open_shop(pg_durable_url)
    acknowledged = crash(pg_durable_url, ROUNDS)
    check(pg_durable_url, acknowledged)
    print(f"PostgreSQL: {ROUNDS} kills, {len(acknowledged)} acknowledged, 0 lost")
    assert len(acknowledged) > ROUNDS * 10


@pytest.mark.slow
def test_a_crash_of_the_server_loses_nothing(pg_own_cluster: Cluster) -> None:
    url = pg_own_cluster.url
    open_shop(url)
    acknowledged: list[tuple[str, str, int]] = []
    for number in range(4):
        with Shop(url) as shop:
            for n in range(30):
                events = [shop.buy(f"{number}-{n}-{i}", f"{i}") for i in range(5)]
                for each in shop(*events):
                    assert each.entry is not None
                    acknowledged.append((each.key, each.outcome, each.entry.seq))
            pg_own_cluster.kill()
            pg_own_cluster.start()
            (again,) = shop(shop.buy(f"{number}-29-0", "0"))  # the same desk goes on by itself
            assert again.again
    check(url, acknowledged)


def test_a_lost_acknowledgement_would_be_seen(tmp_path: Path) -> None:
    """The twin: a row that is not there fails the check."""
    url = str(tmp_path / "books.db")
    open_shop(url)
    with pytest.raises(KeyError):
        check(url, [("till/never", "decided", 2)])
