"""Move: books of one store in another, with the proof that both are equal."""

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kantis.core.events import Event, Line, Purchase
from kantis.desk.move import move, undo
from kantis.desk.verify import verify
from kantis.desk.whole import Hindrance, books_at, shown
from kantis.desk.writer import open_desk
from kantis.store import byhand, schema
from kantis.store.books import Books, Outage
from kantis.store.copies import is_empty
from kantis.store.sqlite import SqliteBooks
from tests.desk.day import day
from tests.desk.shop import Shop, state
from tests.desk.stub import STUB
from tests.desk.test_backup import quiet
from tests.desk.test_verify import edited, unguard


@pytest.fixture(params=["to postgres", "to sqlite", "between files"])
def ways(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Where the books are, and where they go."""
    one, other = str(tmp_path / "a.db"), str(tmp_path / "b.db")
    if request.param == "between files":
        return one, other
    pg = str(request.getfixturevalue("pg_url"))
    return (one, pg) if request.param == "to postgres" else (pg, other)


def open_shop(url: str, count: int = 150) -> list[Any]:
    """Something in every table; what the books say of accounts."""
    with Shop(url) as shop:
        shop(*day(shop, 5, count), importing=True)
        shop.desk.checkpoint()
        shop(*[shop.mug(f"mug{n}", f"{n}") for n in range(5)], shop.buy("lonely", ""))
        shop(shop.buy("early", "99"), shop.bomb("bomb", "1"))
        shop.desk.settle()
        return shop.state()


def test_both_books_are_equal(ways: tuple[str, str]) -> None:
    source, target = ways
    before = open_shop(source)
    moved = move(source, target, quiet)
    assert (moved.copied, moved.differences, moved.checkpoints) == (True, [], 1)
    with books_at(source) as one, books_at(target) as other:
        assert state(other) == state(one) == before
        assert one.counts() == other.counts()
        assert one.places() == other.places()
        assert one.purses() == other.purses()
        assert one.checkpoints() == other.checkpoints()
        assert list(one.heads(0)) == list(other.heads(0))
        assert verify(other).ok
    with Shop(target) as shop:
        assert shop(shop.buy("after", "1"))[0].outcome == "decided"
        shop.prove()
    assert not move(source, target, quiet).equal  # it went on, and differs


def test_a_move_that_is_run_again_only_proves(ways: tuple[str, str]) -> None:
    source, target = ways
    open_shop(source)
    assert move(source, target, quiet).copied
    again = move(source, target, quiet)
    assert (again.copied, again.equal) == (False, True)


def test_moved_books_are_closed_until_it_is_undone(ways: tuple[str, str], tmp_path: Path) -> None:
    source, target = ways
    open_shop(source)
    before = open_desk(source, engine=STUB) if source.startswith("postgres") else None
    move(source, target, quiet)
    with pytest.raises(Outage, match=r"were moved to .*kantis move --undo"):
        Shop(source)
    if before is not None:  # a process that was connected all the time
        with before, pytest.raises(Outage, match="were moved elsewhere"):
            before.submit([Event("till", "late", 0, "card:1", Purchase((Line("1", "x"),)))])
    with pytest.raises(Hindrance, match="moved"):
        move(source, str(tmp_path / "third.db"), quiet)
    assert undo(source) == shown(target)
    with Shop(source) as shop:
        assert shop(shop.buy("again", "1"))[0].outcome == "decided"
        shop.prove()
    with pytest.raises(Hindrance, match="were not moved"):
        undo(source)


def test_books_that_are_not_closed_take_what_nobody_will_read(
    ways: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    source, target = ways
    open_shop(source)
    monkeypatch.setattr(Books, "close_for", lambda *about: None)
    move(source, target, quiet)
    with Shop(source) as shop:
        assert shop(shop.buy("lost", "1"))[0].outcome == "decided"
    assert not move(source, target, quiet).equal


def closed(books: Books) -> set[str]:
    """The tables that books have closed, as the database itself lists them."""
    catalogue = {
        "sqlite": "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE ?",
        "postgres": "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE t.tgname LIKE ?",
    }["sqlite" if isinstance(books, SqliteBooks) else "postgres"]
    return {str(name) for (name,) in books.rows(catalogue, ("%_moved%",))}


def test_every_table_is_carried_and_closed(ways: tuple[str, str]) -> None:
    """The tables are those of the schema, so that a new one cannot be forgotten."""
    source, target = ways
    open_shop(source)
    moved = move(source, target, quiet)
    everything = set(schema.tables())
    assert set(moved.seal) == everything
    with books_at(source) as one, books_at(target) as other:
        assert set(one.layout()) == set(other.layout()) == everything
        assert closed(one) == everything
        assert not closed(other)
    with books_at(source, write=True) as books:
        for said in (
            "INSERT INTO cancelled (program, version, at) VALUES (1, 9, 9)",
            "INSERT INTO setting (program, name, value) VALUES (1, 'x', 1)",
            "UPDATE account SET due = 1",
            "DELETE FROM balance",
        ):
            books.begin()
            with pytest.raises(Exception, match="were moved elsewhere"):
                books.execute(said)
            books.rollback()
    undo(source)
    with books_at(source) as one:
        assert not closed(one)


def test_a_table_that_is_not_closed_takes_what_nobody_will_read(
    ways: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: closed as it was before, by a list that somebody has to think of."""
    source, target = ways
    open_shop(source)
    close = byhand.close
    monkeypatch.setattr(byhand, "close", lambda _: close(["event", "entry"]))
    move(source, target, quiet)
    with books_at(source, write=True) as books:
        assert closed(books) != set(schema.tables())
        books.execute("INSERT INTO cancelled (program, version, at) VALUES (1, 9, 9)")
    assert not move(source, target, quiet).equal


def test_there_and_back_again(tmp_path: Path, pg_url: str) -> None:
    one, other = str(tmp_path / "a.db"), str(tmp_path / "b.db")
    before = open_shop(one)
    assert move(one, pg_url, quiet).seal == move(pg_url, other, quiet).seal
    with books_at(other) as books:
        assert state(books) == before


KEYS = {
    "entry": "account, seq", "posting": "account, seq, n", "account": "id", "event": "n",
    "balance": "account, balance", "card": "program, token", "flag": "n",
    "shared_limit": "program, name", "version": "program, number", "checkpoint": "number",
}  # fmt: skip


def edit(books: Books, dice: random.Random) -> str:
    """Change one value of one row of any table; the table, or nothing when it was refused."""
    table = dice.choice(list(KEYS))
    columns = books.layout()[table].columns
    key = KEYS[table].split(", ")
    rows = books.rows(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {KEYS[table]}")
    if not rows:
        return ""
    row = dice.choice(rows)
    at = dice.randrange(len(columns))
    value = edited(row[at], columns[at], dice)
    if value == row[at]:
        return ""
    where = " AND ".join(f"{name} = ?" for name in key)
    place = [row[columns.index(name)] for name in key]
    try:
        books.execute(f"UPDATE {table} SET {columns[at]} = ? WHERE {where}", (value, *place))
    except Exception:  # a key or a check of the database refuses it
        return ""
    return table


def test_each_edited_row_of_the_target_is_found(ways: tuple[str, str]) -> None:
    """Whatever value of whatever row, also of those that no other proof covers."""
    source, target = ways
    open_shop(source, 40)
    assert move(source, target, quiet).equal
    dice = random.Random(3)
    found = 0
    with books_at(target, write=True) as books:
        unguard(books)
        while found < 12:
            books.begin()
            table = edit(books, dice)
            if not table:
                books.rollback()
                continue
            books.commit()
            (said,) = move(source, target, quiet).differences
            assert said.startswith(f"{table} "), said
            found += 1
            _repair(source, books, table)
        assert move(source, target, quiet).equal


def _repair(source: str, books: Books, table: str) -> None:
    with books_at(source) as right:
        columns = right.layout()[table]
        rows = right.rows(f"SELECT {', '.join(columns.columns)} FROM {table}")
    books.begin()
    books.execute(f"DELETE FROM {table}")
    books.take_in(table, books.layout()[table], iter(rows))
    books.commit()


def test_rows_that_are_missing_or_more_are_named(ways: tuple[str, str]) -> None:
    source, target = ways
    open_shop(source, 40)
    move(source, target, quiet)
    with books_at(target, write=True) as books:
        unguard(books)
        books.execute("DELETE FROM card WHERE token = '3'")
        books.execute(
            "INSERT INTO flag (event, account, seq, flag, raised) VALUES ('', 1, 1, 'x', 1)"
        )
    card, flag = move(source, target, quiet).differences
    assert card.startswith("card program 1, token 3: is missing in the copy")
    assert "is in the copy only" in flag


# ── nobody writes meanwhile ──────────────────────────────────────────────────


def test_a_file_that_somebody_writes_to_is_not_moved(tmp_path: Path, pg_url: str) -> None:
    url = str(tmp_path / "a.db")
    with Shop(url) as shop:
        shop(shop.enrol("1"))
        with pytest.raises(Hindrance) as said:
            move(url, pg_url, quiet)
        assert said.value.code == "in-use"
        shop(shop.buy("a", "1"))
    assert move(url, pg_url, quiet).equal


def test_a_database_is_frozen_while_it_is_moved(tmp_path: Path, pg_url: str) -> None:
    """Whoever writes meanwhile waits, and then learns that the books are elsewhere."""
    open_shop(pg_url)
    ended: list[float] = []
    shop = Shop(pg_url)

    def sell() -> None:
        with shop, pytest.raises(Outage, match="were moved elsewhere"):
            shop(shop.buy("meanwhile", "1"))
        ended.append(time.monotonic())

    seller = threading.Thread(target=sell)

    def tell(what: str, done: int, total: int) -> None:
        if what == "copying event" and not seller.ident:
            seller.start()
            time.sleep(0.3)

    moved = move(pg_url, str(tmp_path / "b.db"), tell)
    over = time.monotonic()
    seller.join()
    assert moved.equal
    assert ended[0] > over - 0.05
    for store in (pg_url, str(tmp_path / "b.db")):
        with books_at(store) as books:
            assert not books.events(["till/meanwhile"])


def test_a_writer_that_does_not_stop_hinders_the_move(
    tmp_path: Path, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_shop(pg_url, 20)
    monkeypatch.setattr("kantis.store.postgres._LOCK_WAIT_MS", 200)
    with psycopg.connect(pg_url) as other:
        other.execute("UPDATE flag SET cleared = 1")
        with pytest.raises(Outage, match="does not stop"):
            move(pg_url, str(tmp_path / "b.db"), quiet)
    assert not (tmp_path / "b.db").exists()


def test_the_same_books_and_none_are_refused(tmp_path: Path, pg_url: str) -> None:
    url = str(tmp_path / "a.db")
    with pytest.raises(Hindrance) as said:
        move(url, pg_url, quiet)
    assert said.value.code == "no-store"
    open_shop(url, 20)
    with pytest.raises(Hindrance) as said:
        move(url, f"sqlite:///{url}", quiet)
    assert said.value.code == "same-store"


# ── kills ────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_a_move_that_is_killed_is_run_again(ways: tuple[str, str]) -> None:
    source, target = ways
    open_shop(source, 1_500)
    command = [sys.executable, "-m", "kantis", "move", "--store", source, "--to", target, "--json"]
    killed = 0
    for number in range(8):
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            running.communicate(timeout=0.3 + number * 0.05)
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            killed += 1
        running.communicate()
        if running.returncode == 0:
            break
        assert _empty(target) or move(source, target, quiet).equal
    assert killed
    moved = move(source, target, quiet)
    assert moved.equal
    with books_at(target) as books:
        assert verify(books).ok


def _empty(target: str) -> bool:
    if not target.startswith("postgresql:"):
        return not Path(target).exists()
    with books_at(target) as books:
        return not books.schema_number() or is_empty(books)
