"""Verify: any single edit of what is stored is found."""

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from msgspec import msgpack

from kantis.core.account import Account
from kantis.desk.verify import verify
from kantis.store.books import Books
from tests.desk.day import day
from tests.desk.shop import NOON, Shop

#: What the proof covers: table, its key, and its columns.
COVERED = {
    "entry": (
        "account, seq",
        "account seq event at booked value due version engine zones hashing cause digest "
        "decision context chain",
    ),
    "posting": (
        "account, seq, n",
        "account seq n balance source target amount lot reason value booked",
    ),
    "account": ("id", "id program seq due head snapshot"),
    "balance": ("account, balance", "account balance available pending held owed voucher payout"),
    "event": (
        "n",
        "key program type time received subject ask state account seq hash receipt body",
    ),
    "card": ("program, token", "program token account"),
    "shared_limit": ("program, name", "taken"),
    "version": ("program, number", "number since source tree published hash"),
    "checkpoint": ("number", "number entry event heads root"),
}


def unguard(books: Books) -> None:
    """What somebody does first who may change the database itself."""
    if books.lock:
        drop = "SELECT 'DROP TRIGGER ' || tgname || ' ON ' || tgrelid::regclass FROM pg_trigger"
        guards = books.rows(f"{drop} WHERE NOT tgisinternal")
    else:
        drop = "SELECT 'DROP TRIGGER ' || name FROM sqlite_schema WHERE type = 'trigger'"
        guards = books.rows(drop)
    assert guards
    for (statement,) in guards:
        books.execute(statement)


@pytest.fixture
def full(shop: Shop) -> Shop:
    """A shop with something in every table, and without the guards of the database."""
    shop(*day(shop, 5, 120), importing=True)
    shop.desk.checkpoint()
    shop(*[shop.mug(f"mug{n}", f"{n}") for n in range(5)])
    shop(shop.transfer("t", "1", "card:2", 1), shop.buy("lonely", ""), shop.buy("early", "99"))
    shop.desk.settle()
    shop.desk.checkpoint()
    assert shop.prove().checkpoints == 2
    unguard(shop.desk.books)
    return shop


def edited(value: Any, column: str, dice: random.Random) -> Any:
    """The value with one small change."""
    if value is None:
        return {"due": NOON, "receipt": "X", "account": 1, "seq": 1}.get(column)
    if isinstance(value, bytes):
        if not value:
            return b"\x00"
        at, bit = dice.randrange(len(value)), 1 << dice.randrange(8)
        return value[:at] + bytes([value[at] ^ bit]) + value[at + 1 :]
    if isinstance(value, int):
        return value + dice.choice([-1, 1, 7])
    if not value:
        return "x"
    at = dice.randrange(len(value))
    return value[:at] + ("y" if value[at] == "x" else "x") + value[at + 1 :]


def tamper(books: Books, dice: random.Random) -> str | None:
    """One random edit, or ``None`` when the database does not even take it."""
    table = dice.choice(list(COVERED))
    key, columns = COVERED[table]
    names = columns.split()
    keys = key.split(", ")
    rows = books.rows(f"SELECT {key}, {', '.join(names)} FROM {table} ORDER BY {key}")
    row = dice.choice(rows)
    where = " AND ".join(f"{name} = ?" for name in keys)
    kind = dice.randrange(12)
    try:
        # That the newest checkpoint is gone shows only beside an anchored root: see below.
        if kind == 0 and table not in ("shared_limit", "checkpoint"):
            books.execute(f"DELETE FROM {table} WHERE {where}", row[: len(keys)])
            return f"{table} {row[: len(keys)]} deleted"
        at = dice.randrange(len(names))
        value = edited(row[len(keys) + at], names[at], dice)
        if value == row[len(keys) + at]:
            return None
        books.execute(
            f"UPDATE {table} SET {names[at]} = ? WHERE {where}", (value, *row[: len(keys)])
        )
    except Exception:  # a CHECK or a key of the database refuses it
        return None
    return f"{table} {row[: len(keys)]}: {names[at]} {row[len(keys) + at]!r} → {value!r}"


def attack(shop: Shop, times: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was not found of so many edits, each undone before the next."""
    books, dice, missed, found = shop.desk.books, random.Random(seed), [], 0
    # The proof reads through the connection of the edit, which is then rolled back.
    monkeypatch.setattr(books, "reader", lambda: _Same(books))
    while found + len(missed) < times:
        books.execute("BEGIN")
        edit = tamper(books, dice)
        if edit is not None:
            if verify(books).ok:
                missed.append(edit)
            else:
                found += 1
        books.rollback()
    return missed


class _Same:
    """The books themselves, in the place of a reader."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def __enter__(self) -> Books:
        self.books.freeze = lambda: None  # type: ignore[method-assign]
        return self.books

    def __exit__(self, *_: object) -> None:
        pass


def test_each_of_200_edits_is_found(full: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert attack(full, 200, 11, monkeypatch) == []
    monkeypatch.undo()
    del full.desk.books.freeze


def test_books_without_edits_are_right(full: Shop) -> None:
    """The twin: the proof does not cry wolf."""
    report = full.prove()
    assert report.problems == []
    assert report.accounts == 12
    assert report.postings > 100


def reshape(books: Books, change: Callable[[list[Any]], list[Any]]) -> None:
    """Write every snapshot in another shape."""
    for row in books.all_accounts(0, 1 << 60):
        data = msgpack.encode(change(msgpack.decode(row.snapshot)))
        books.execute("UPDATE account SET snapshot = ? WHERE id = ?", (data, row.id))


def found(books: Books) -> set[str]:
    return {problem.code for problem in verify(books).problems}


def test_snapshots_of_a_version_that_knew_fewer_fields_are_proved(full: Shop) -> None:
    """An upgrade rewrites none of them; each gets the new fields when something happens."""
    books = full.desk.books
    reshape(books, lambda fields: fields[:-1])
    full.prove()
    full(full.buy("after", "1"))
    full.prove()
    reshape(books, lambda fields: [fields[0], fields[1] + 1, *fields[2:]])
    assert found(books) == {"snapshot"}
    reshape(books, lambda fields: [fields[0], fields[1] - 1, *fields[2:]])


def test_a_snapshot_with_more_than_there_is_to_know_is_found(full: Shop) -> None:
    reshape(full.desk.books, lambda fields: [*fields, {}])
    assert found(full.desk.books) == {"snapshot"}
    reshape(full.desk.books, lambda fields: fields[:-1])


def test_a_snapshot_with_more_inside_one_of_its_lots_is_found(full: Shop) -> None:
    place = Account.__struct_fields__.index("lots")

    def lots(change: Callable[[list[Any]], list[Any]]) -> None:
        def changed(fields: list[Any]) -> list[Any]:
            lots = {number: change(lot) for number, lot in fields[place].items()}
            return [*fields[:place], lots, *fields[place + 1 :]]

        reshape(full.desk.books, changed)

    lots(lambda lot: [*lot, 1])
    assert found(full.desk.books) == {"snapshot"}
    lots(lambda lot: lot[:-1])


def test_a_cut_tail_is_found_even_when_everything_else_is_made_to_fit(shop: Shop) -> None:
    """Somebody who can undo the last entry in all tables still does not have the checkpoint."""
    books = shop.desk.books
    shop(shop.enrol("1"), shop.buy("a", "1"))
    row, balance = books.account(1), books.balances(1)[0]
    assert row is not None
    shop(shop.buy("b", "1"))
    assert shop.desk.checkpoint() == 1
    root = books.last_checkpoint().root
    unguard(books)
    books.execute("DELETE FROM posting WHERE seq = 3")
    books.execute("DELETE FROM entry WHERE seq = 3")
    books.execute("DELETE FROM event WHERE key = 'till/b'")
    books.execute("UPDATE balance SET available = ?", (balance.available,))
    books.execute(
        "UPDATE account SET seq = 2, head = ?, snapshot = ?, due = ?",
        (row.head, row.snapshot, row.due),
    )
    report = verify(books)
    assert [problem.code for problem in report.problems] == ["checkpoint"]
    # With the checkpoint gone too, the root that was anchored elsewhere is missing.
    books.execute("DELETE FROM checkpoint")
    assert verify(books).ok
    (problem,) = verify(books, anchors={1: root}).problems
    assert problem.code == "anchor"


def test_a_replace_that_gets_past_the_guards_of_sqlite_is_found(tmp_path: Path) -> None:
    """Another program's REPLACE deletes without asking its triggers; the proof sees it."""
    path = tmp_path / "books.db"
    with Shop(str(path)) as shop:
        shop(shop.enrol("1"), shop.buy("a", "1"))
    stranger = apsw.Connection(str(path))
    columns = "account, seq, n, balance, source, target, amount + 1, lot, reason, value, booked"
    stranger.execute(f"REPLACE INTO posting SELECT {columns} FROM posting")
    stranger.close()
    with Shop(str(path)) as shop:
        assert not verify(shop.desk.books).ok


def test_a_problem_says_where_and_what_to_do(full: Shop) -> None:
    full.desk.books.execute("UPDATE balance SET available = available + 5 WHERE account = 3")
    report = verify(full.desk.books)
    assert not report.ok
    text = str(report.problems[0])
    assert text.startswith("account 3, entry ")
    assert "not the sum of the postings" in text
    assert "Restore" in text
    full.desk.books.execute("UPDATE balance SET available = available - 5 WHERE account = 3")


def test_progress_is_told(full: Shop) -> None:
    told: list[tuple[str, int, int]] = []
    verify(full.desk.books, lambda what, done, total: told.append((what, done, total)))
    assert told[-1][0] == "events"
    assert all(done <= total for _, done, total in told)


def test_several_processes_prove_the_same(full: Shop) -> None:
    books = full.desk.books
    alone, together = verify(books), verify(books, workers=2)
    assert together.ok
    assert together == alone
    for sign in (1, -1):
        books.execute(
            "UPDATE balance SET available = available + ? WHERE account IN (3, 9)", (5 * sign,)
        )
        books.execute("UPDATE event SET time = time + ? WHERE n = 4", (sign,))
        alone, together = verify(books), verify(books, workers=3)
        assert together.wrong == alone.wrong == (4 if sign > 0 else 0)
        assert sorted(map(str, together.problems)) == sorted(map(str, alone.problems))


def test_helpers_see_one_instant_while_others_write(shop: Shop) -> None:
    shop(*[shop.enrol(f"{n}") for n in range(40)])
    stop = threading.Event()

    def sell() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            shop(*[shop.buy(f"{number}-{n}", f"{n}") for n in range(40)])

    seller = threading.Thread(target=sell)
    seller.start()
    try:
        for _ in range(3):
            report = verify(shop.desk.books, workers=2)
            assert report.ok, report.problems[:3]
            assert (report.entries - 40) % 40 == 0
    finally:
        stop.set()
        seller.join()
