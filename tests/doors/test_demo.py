"""The demo: its figures add up, a second run changes nothing, a kill does not show."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from kantis import desk as desks
from kantis.core.events import Enrol, Event, Line, Purchase, Refund
from kantis.desk.submit import wall_clock
from kantis.store.scribe import wait_for_scribe
from tests.doors.command import Kantis

HOUSEHOLDS = 60
EVENTS = 4_022


def command(store: Path) -> list[str]:
    asked = ["demo", "--households", str(HOUSEHOLDS), "--store", str(store), "--json"]
    return [sys.executable, "-m", "kantis", *asked]


@contextmanager
def books(store: Path) -> Iterator[apsw.Connection]:
    database = apsw.Connection(str(store), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        database.set_busy_timeout(5_000)
        yield database
    finally:
        database.close()


def everything(store: Path) -> dict[str, list[Any]]:
    """What may not differ between two runs: accounts, balances, postings, decided events."""
    with books(store) as database:
        return {
            name: database.execute(query).fetchall()
            for name, query in {
                "accounts": "SELECT id, seq, head, snapshot FROM account ORDER BY id",
                "balances": "SELECT * FROM balance ORDER BY account, balance",
                "postings": "SELECT * FROM posting ORDER BY account, seq, n",
                "events": "SELECT key, state, account, seq, hash FROM event ORDER BY key",
            }.items()
        }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Books of one run without interruption, and what it said."""
    store = tmp_path_factory.mktemp("demo") / "whole.db"
    done = subprocess.run(command(store), capture_output=True, check=True, timeout=120)
    return store, json.loads(done.stdout)


def test_the_figures_add_up(whole: tuple[Path, dict[str, Any]]) -> None:
    _, said = whole
    assert said["members"] == HOUSEHOLDS
    assert said["data"]["lines"] == 35_130
    assert said["run"]["added"] == EVENTS
    assert said["run"]["wrong"] == 0
    assert said["verify"]["ok"]
    points = {name: int(number) for name, number in said["balances"]["points"].items()}
    here = ("available", "pending", "held", "in_vouchers")
    gone = ("redeemed", "expired", "expired_in_vouchers", "reversed")
    assert points["earned"] > 100_000
    assert points["earned"] == sum(points[name] for name in (*here, *gone)) - points["owed"]
    assert sum(said["tiers"]["status"].values()) == HOUSEHOLDS
    vouchers = said["vouchers"]["quarter"]
    states = ("used", "expired", "open")
    assert vouchers["issued"]["count"] == sum(vouchers[state]["count"] for state in states)
    owed = said["liability"]
    assert float(owed["total"]) == pytest.approx(float(owed["points"]) + float(owed["vouchers"]))
    assert said["run"]["slowest"] in said["run"]["stages"]


def test_a_second_run_changes_nothing(whole: tuple[Path, dict[str, Any]], kantis: Kantis) -> None:
    store, first = whole
    before = everything(store)
    said = kantis(*command(store)[3:]).json
    assert (said["run"]["found"], said["run"]["added"]) == (EVENTS, 0)
    assert said["data"] == first["data"]
    assert {**said, "run": 0} == {**first, "run": 0}
    assert everything(store) == before


def test_killed_half_way_it_goes_on_and_ends_with_the_same_books(
    whole: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    store = tmp_path / "killed.db"
    for _ in range(5):
        running = subprocess.Popen(
            command(store), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _wait_for_events(store, running)
        running.kill()
        running.wait()
        wait_for_scribe(store)  # what was on its way to it is still written
        found = _count(store)
        if 0 < found < EVENTS:
            break
        for file in tmp_path.iterdir():
            file.unlink()
    assert 0 < found < EVENTS
    done = subprocess.run(command(store), capture_output=True, check=True, timeout=120)
    assert f'"found": {found}' in done.stdout.decode()
    assert everything(store) == everything(whole[0])


def _wait_for_events(store: Path, running: "subprocess.Popen[bytes]") -> None:
    while running.poll() is None:
        if _count(store):
            return
        time.sleep(0.005)


def _count(store: Path) -> int:
    try:
        with books(store) as database:
            return int(database.execute("SELECT count(*) FROM event").fetchall()[0][0])
    except apsw.Error:
        return 0


def test_books_of_something_else_are_left_alone(kantis: Kantis, cafe: Path) -> None:
    assert kantis("publish", cafe).status == 0
    said = kantis("demo", "--households", 5, "--store", "kantis.db")
    assert (said.status, "[other-program]" in said.err) == (3, True)


def test_the_figures_are_those_of_the_demos_program(kantis: Kantis, cafe: Path) -> None:
    before = kantis("demo", "--households", 3, "--json").json
    neighbour = cafe.read_text().replace("stamps:", "points:").replace("stamp ", "point ")
    cafe.write_text(neighbour.replace("stamps", "points"))
    assert kantis("publish", cafe, "--store", "demo.db").status == 0
    now = wall_clock()
    drink = Purchase((Line("1", "latte", 5, 1750, "coffee"),))
    with desks.open("demo.db") as desk:
        events = [
            Event("till", "e", now, "card:1", Enrol()),
            Event("till", "p", now, "card:1", drink),
            Event("till", "r", now, "card:1", Refund("nothing")),
        ]
        assert len(desk.submit(events, program="corner-cafe")) == 3
    after = kantis("demo", "--households", 3, "--json").json
    for part in ("members", "baskets", "events", "flagged", "balances", "tiers", "liability"):
        assert after[part] == before[part]


def test_more_households_come_into_the_same_books(kantis: Kantis, cafe: Path) -> None:
    first = kantis("demo", "--households", 3, "--weeks", 5, "--json").json
    assert first["run"]["found"] == 0
    more = kantis("demo", "--households", 4, "--weeks", 9, "--json").json
    assert more["run"]["again"] == first["run"]["added"]
    assert (more["members"], more["verify"]["ok"]) == (4, True)
    assert kantis("demo", "--households", 4, "--weeks", 9, "--json").json["run"]["added"] == 0
