"""backup, restore, move, migrate and doctor: what they print, and how they leave."""

from pathlib import Path

import pytest

from kantis import desk as desks
from kantis.core.events import Enrol, Event, Line, Purchase
from kantis.desk.submit import wall_clock
from tests.doors.command import Kantis


@pytest.fixture
def shop(kantis: Kantis, cafe: Path) -> None:
    """Books with one member and one purchase of today."""
    assert kantis("publish", cafe).status == 0
    now = wall_clock()
    with desks.open("kantis.db") as desk:
        desk.submit([Event("t", "e", now, "card:1", Enrol())])
        desk.submit([Event("t", "p", now, "card:1", Purchase((Line("1", "tea", 1, 250),)))])


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store, on each kind in turn."""
    if request.param == "sqlite":
        return str(tmp_path / "other.db")
    return str(request.getfixturevalue("pg_url"))


def test_backup_and_restore(kantis: Kantis, shop: None, target: str) -> None:
    made = kantis("backup", "a.backup", "--json").json
    assert (made["accounts"], made["entries"], made["last"]) == (1, 2, "t/p")
    said = kantis("restore", "a.backup", "--to", target, "--verify")
    assert said.status == 0
    assert "the books are what was decided" in said.out
    again = kantis("restore", "a.backup", "--to", target, "--json")
    assert (again.status, again.json["error"]["code"]) == (3, "not-empty")
    assert "[file-exists]" in kantis("backup", "a.backup").err
    assert "[not-a-backup]" in kantis("restore", "corner-cafe.yaml", "--to", "x.db").err
    assert kantis("verify", "--store", "a.backup").status == 0
    back = kantis("backup", "b.backup", "--store", target)
    assert "1 account, 2 entries" in back.out


def test_move_proves_and_finds(kantis: Kantis, shop: None, target: str) -> None:
    moved = kantis("move", "--to", target, "--json").json
    assert (moved["copied"], moved["equal"], moved["rows"]["entry"]) == (True, True, 2)
    assert "They were there already" in kantis("move", "--to", target).out
    with desks.open(target) as desk:
        desk.submit([Event("t", "q", wall_clock(), "card:1", Purchase((Line("1", "tea", 1, 1),)))])
    said = kantis("move", "--to", target)
    assert (said.status, "entry" in said.out) == (1, True)


def test_migrate_has_nothing_to_do(kantis: Kantis, shop: None) -> None:
    assert "nothing changed" in kantis("migrate").out
    assert "[no-store]" in kantis("migrate", "--store", "none.db").err


def test_doctor_tells_what_needs_a_person(kantis: Kantis, shop: None) -> None:
    said = kantis("doctor")
    assert said.status == 0, said.out
    assert "Nothing needs a person." in said.out
    with desks.open("kantis.db") as desk:
        desk.books.execute("UPDATE account SET due = 1")
        desk.books.execute(
            "INSERT INTO flag (event, account, seq, flag, raised) VALUES ('t/p', 1, 2, 'x', 1)"
        )
        found = kantis("doctor", "--json")
        assert found.status == 1
        acts = {each["code"] for each in found.json["findings"] if each["act"]}
        assert acts == {"flags", "time"}
        (writer,) = (each for each in found.json["findings"] if each["code"] == "writer")
        assert "writes" in writer["said"]


def test_doctor_knows_the_settings_of_a_server(kantis: Kantis, shop: None, pg_url: str) -> None:
    kantis("move", "--to", pg_url)
    found = kantis("doctor", "--store", pg_url, "--json").json["findings"]
    acts = {each["code"] for each in found if each["act"]}
    assert acts == {"fsync", "full-page-writes"}  # the server of the tests is fast, not durable
