"""Rows 3 and 6: ``desk.submit`` on SQLite, beside a bare loop that writes the same bytes.

The statements and rows that the desk writes are taken down once; the bare loop then writes
exactly those, in the same transactions, into a copy of the same file, with the same driver
and nothing else to do: no events to encode, no accounts to read, no rules, no hashes.
"""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw

import kantis.desk
from bench.measure import Row, Spread, in_turns, ratios, wall
from bench.stream import START, batches, enrolments, note, purchases
from bench.world import tree
from kantis.core.events import Event
from kantis.desk.submit import Desk
from kantis.store.rows import Page
from kantis.store.sqlite import SqliteBooks

#: (statement, rows) of one transaction.
Written = list[tuple[str, Sequence[Any]]]

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA cache_size = -262144",
    "PRAGMA mmap_size = 1073741824",
)
_LOG_PAGES = 20_000
WARM = 3


class Bench:
    """A file of books with enrolled members, and what the desk writes for a stream of events."""

    def __init__(self, folder: Path, shop: str, members: int, events: int) -> None:
        self.folder, self.shop, self.members = folder, shop, members
        self.base = folder / f"{shop}-{members}.db"
        self.groups = batches(purchases(shop, 1, members, events + WARM * 1_000))
        self.events = events

    def enrol(self) -> None:
        """Publish the program and enrol the members."""
        with desk_of(self.base) as desk:
            desk.publish(self.shop, 0, "", tree(self.shop))
            for batch in batches(enrolments(1, self.members)):
                desk.submit(batch, importing=True)
            desk.books.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy(self, name: str) -> Path:
        """A copy of the books as they are before the stream."""
        path = self.folder / name
        remove(path)
        shutil.copyfile(self.base, path)
        return path

    def written(self, groups: list[list[Event]]) -> list[Written]:
        """What the desk writes for each batch."""
        path = self.copy("taken.db")
        found: list[Written] = []
        with desk_of(path) as desk:
            note(desk.books, lambda page: found.append(statements(page)))
            for batch in groups:
                desk.submit(batch, importing=True)
        remove(path)
        return found

    def ours(self) -> float:
        """Seconds in which the desk takes the stream: from the answer to the last batch of
        the warming up to the answer to the last one, in one stream."""
        gc.collect()
        with desk_of(self.copy("ours.db")) as desk:
            start = 0.0
            for number, _ in enumerate(desk.stream(self.groups, importing=True), 1):
                if number == WARM:
                    start = time.perf_counter()
            return time.perf_counter() - start

    def bare(self, groups: list[Written], warm: int = WARM) -> float:
        """Seconds in which a bare loop writes the same."""
        db = connect(self.copy("bare.db"))
        write(db, groups[:warm])
        seconds = wall(lambda: write(db, groups[warm:]))
        db.close()
        return seconds


class _Taker:
    """Takes down what the store writes for a page."""

    def __init__(self) -> None:
        self.written: Written = []

    def _many(self, statement: str, rows: Sequence[Any]) -> None:
        self.written.append((statement, rows))

    def seal(self, page: Page) -> None:
        """It is sealed."""

    def arrive(self, page: Page) -> None:
        """Nothing waits in these books."""


def statements(page: Page) -> Written:
    """The rows of a batch with the statements that the store writes them with."""
    taker: Any = _Taker()
    SqliteBooks.write(taker, page)
    return list(taker.written)


def desk_of(path: Path) -> Desk:
    """The desk of a file; its clock stands still."""
    desk = kantis.desk.open(str(path), clock=lambda: START + 400 * 86_400_000)
    assert isinstance(desk, Desk)
    return desk


def connect(path: Path) -> apsw.Connection:
    """A connection for a bare loop."""
    db = apsw.Connection(str(path))
    for setting in _SETTINGS:
        db.execute(setting)
    db.wal_autocheckpoint(_LOG_PAGES)
    return db


def write(db: apsw.Connection, groups: list[Written]) -> None:
    """The bare loop."""
    for group in groups:
        db.execute("BEGIN IMMEDIATE")
        for statement, rows in group:
            db.executemany(statement, rows)
        db.execute("COMMIT")


def remove(path: Path) -> None:
    """Delete a database with the files beside it."""
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()


def same_rows(first: Path, second: Path) -> None:
    """Two files hold the same: the sizes and sums of all that counts."""
    found = []
    for path in (first, second):
        db = apsw.Connection(str(path))
        found.append(
            [
                db.execute("SELECT count(*), sum(amount), sum(lot) FROM posting").fetchall(),
                db.execute("SELECT count(*), sum(length(decision)) FROM entry").fetchall(),
                db.execute("SELECT group_concat(hex(head)) FROM account").fetchall(),
                db.execute("SELECT count(*), sum(length(body)) FROM event").fetchall(),
            ]
        )
        db.close()
    if found[0] != found[1]:
        raise AssertionError("the bare loop wrote other rows")


def rows(quick: bool, folder: Path) -> list[Row]:
    """Café and grocer."""
    found = []
    for shop, name in (("corner-cafe", "a café purchase"), ("grocer", "a grocer basket")):
        bench = Bench(folder, shop, 10_000, 5_000 if quick else 10_000)
        bench.enrol()
        found += _rows(bench, name, 3 if quick else 5)
    return found


def _rows(bench: Bench, name: str, rounds: int) -> list[Row]:
    groups = bench.written(bench.groups)
    few = batches(bench.groups[0], 1)
    singles = bench.written(few)
    mine, bare, single = in_turns(
        rounds,
        bench.ours,
        lambda: bench.bare(groups),
        lambda: bench.bare(singles, 0) * bench.events / len(few),
    )
    same_rows(bench.folder / "ours.db", *_again(bench, groups))
    rate = bench.events

    def speed(seconds: list[float]) -> Spread:
        return Spread.of([rate / each for each in seconds])

    near, more = ratios(bare, mine), ratios(single, mine)
    made = sum(len(rows) for group in groups[WARM:] for _, rows in group)
    notes = [
        f"{bench.members:,} members, {rate:,} purchases, {made / rate:.1f} rows a purchase,"
        f" {rounds} rounds; synchronous=FULL"
    ]
    return [
        Row(
            f"submit, SQLite: {name}, 1,000 to a batch",
            speed(mine), "events/s", "≥ 0.6", near.middle >= 0.6,
            "a bare loop, the same rows, 1,000 to a transaction",
            speed(bare), near, "of the limit", notes,
        ),
        Row(
            f"submit, SQLite: {name}, 1,000 to a batch",
            speed(mine), "events/s", "≥ 3 times", more.middle >= 3,
            "a bare loop, one purchase to a transaction",
            speed(single), more, "times as fast",
        ),
    ]  # fmt: skip


def _again(bench: Bench, groups: list[Written]) -> tuple[Path]:
    """The file that the bare loop wrote in full."""
    bench.bare(groups)
    return (bench.folder / "bare.db",)
