"""Row 6: books of a million accounts and five million postings, beside small ones.

The big books are written in bulk: each account has joined and shopped five times, in rows
of the same shape and size as the desk's. There are two copies of every books: the desk takes
a stretch of purchases into one of them, then the bare loop writes the same rows into the other.
"""

from __future__ import annotations

import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import apsw
import psycopg
from psycopg import sql

from bench import onpostgres, onsqlite
from bench.measure import Row, Spread, wall
from bench.stream import BATCH, START, batches, enrolments, note, purchases
from bench.world import tree
from kantis.core.account import decode_account, encode_account
from kantis.desk.submit import Desk
from kantis.store.rows import (
    BALANCE_COLUMNS,
    ENTRY_COLUMNS,
    EVENT_COLUMNS,
    POSTING_COLUMNS,
    Page,
)
from tests.support.postgres import Cluster, NoPostgres, fresh_database

SHOP: Final = "corner-cafe"
SMALL, BIG = 1_000, 1_000_000
EACH = 5
WARM = 3
ROUNDS = 5
GOAL = 0.9
#: Bytes of disk that an account takes in both copies, with room for the logs.
ROOM: Final = 40_000
_CHUNK: Final = 20_000

_ACCOUNT: Final = ("id", "program", "seq", "due", "head", "snapshot")
#: Columns of each table, and what is another in the rows of account ``i``.
_COPIED: Final[dict[str, tuple[tuple[str, ...], dict[str, str]]]] = {
    "event": (
        EVENT_COLUMNS,
        {"account": "i", "subject": "'card:' || i", "key": "t.key || '-' || (100000000 + i)"},
    ),
    "entry": (
        ENTRY_COLUMNS,
        {"account": "i", "event": "t.event || '-' || (100000000 + i)"},
    ),
    "posting": (POSTING_COLUMNS, {"account": "i"}),
    "balance": (BALANCE_COLUMNS, {"account": "i"}),
    "card": (("program", "token", "account"), {"account": "i", "token": "CAST(i AS text)"}),
}


class Twice(ABC):
    """The same books twice, with so many accounts; purchases come in stretches."""

    def __init__(self, members: int, events: int) -> None:
        self.members = members
        total = (WARM + ROUNDS * events // BATCH) * BATCH
        self._groups = iter(batches(purchases(SHOP, 1, members, total)))
        self.events = events
        self.desk: Desk

    def warm(self) -> None:
        """Both copies take a few batches before any clock starts."""
        self._stretch(WARM)

    def stretch(self) -> tuple[float, float]:
        """Seconds in which the desk, then the bare loop, takes the next purchases."""
        return self._stretch(self.events // BATCH)

    def _stretch(self, count: int) -> tuple[float, float]:
        groups = [next(self._groups) for _ in range(count)]
        pages: list[Page] = []
        note(self.desk.books, pages.append)
        self.settle()

        def submit() -> None:
            for _ in self.desk.stream(groups, importing=True):
                pass

        ours = wall(submit)
        self.settle()
        return ours, self.bare(pages)

    @abstractmethod
    def settle(self) -> None:
        """Housekeeping that no clock should see."""

    @abstractmethod
    def bare(self, pages: list[Page]) -> float:
        """Seconds in which a bare loop writes the same into the other copy."""

    @abstractmethod
    def gigabytes(self) -> float:
        """The size of one copy."""


def rows(quick: bool, folder: Path) -> list[Row]:
    """Both stores; a tenth of the size when quick."""
    size, events = (BIG // 10, 3_000) if quick else (BIG, 10_000)
    if shutil.disk_usage(folder).free < size * ROOM:
        print(f"\nbig is left out: {size * ROOM >> 30} GiB of disk are needed", file=sys.stderr)
        return []
    found = []
    with ExitStack() as stack:
        small, big = (OnSqlite(each, events, folder, stack) for each in (SMALL, size))
        found.append(_row("SQLite", small, big))
    try:
        with ExitStack() as stack:
            cluster = stack.enter_context(Cluster(durable=True))
            onpostgres.settle(cluster)
            few, many = (OnPostgres(each, events, cluster, stack) for each in (SMALL, size))
            found.append(_row("PostgreSQL", few, many))
    except NoPostgres as error:
        print(f"\nbig on PostgreSQL is left out: {error}", file=sys.stderr)
    return found


def _row(store: str, small: Twice, big: Twice) -> Row:
    small.warm()
    big.warm()
    turns = [(small.stretch(), big.stretch()) for _ in range(ROUNDS)]
    there = Spread.of([bare / ours for (ours, bare), _ in turns])
    here = Spread.of([bare / ours for _, (ours, bare) in turns])
    kept = Spread.of([(mb / mo) / (fb / fo) for (fo, fb), (mo, mb) in turns])
    few, many = (Spread.of([turn[which][0] for turn in turns]).middle for which in (0, 1))
    return Row(
        f"submit, {store}: ratio to the bare loop at {big.members:,} accounts,"
        f" {big.members * EACH:,} earlier postings",
        here, "of the limit", f"≥ {GOAL} of the small one", kept.middle >= GOAL,
        f"the ratio at {SMALL:,} accounts", there, kept, "of the small one",
        [
            f"books of {big.gigabytes():.1f} GiB; {ROUNDS} stretches of {big.events:,} purchases,"
            f" one writer; {big.events / many:,.0f} a second, small {big.events / few:,.0f}"
        ],
    )  # fmt: skip


def _copies(execute: Callable[[str], object], numbers: str) -> None:
    """The rows of the first account, again for each other one."""
    for table, (columns, other) in _COPIED.items():
        chosen = ", ".join(other.get(each, f"t.{each}") for each in columns)
        execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen}"
            f" FROM {numbers} CROSS JOIN copied_{table} t"
        )


def _accounts(row: Any, members: int) -> Iterator[Any]:
    """The row of the first account, again for each other one."""
    account = decode_account(row[5])
    for number in range(2, members + 1):
        account.id = number
        yield (number, *row[1:5], encode_account(account))


def _model(desk: Desk, members: int) -> None:
    """One member who has joined and shopped; all of them if they are few."""
    desk.publish(SHOP, 0, "", tree(SHOP))
    there = members if members <= SMALL else 1
    for batch in batches(enrolments(1, there)):
        desk.submit(batch, importing=True)
    if there < members:
        past = purchases(SHOP, 1, 1, EACH, START - EACH * 86_400_000, "past")
        desk.submit(past, importing=True)


class OnSqlite(Twice):
    """Two files."""

    def __init__(self, members: int, events: int, folder: Path, stack: ExitStack) -> None:
        super().__init__(members, events)
        paths = [folder / f"big-{members}-{n}.db" for n in range(2)]
        for path in paths:
            stack.callback(onsqlite.remove, path)
        with onsqlite.desk_of(paths[0]) as desk:
            _model(desk, members)
            desk.books.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if members > SMALL:
            self._grow(paths[0])
        shutil.copyfile(*paths)
        self.paths = paths
        self.desk = stack.enter_context(onsqlite.desk_of(paths[0]))
        self._bare = onsqlite.connect(paths[1])
        stack.callback(self._bare.close)

    def _grow(self, path: Path) -> None:
        db = apsw.Connection(str(path))
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1048576"):
            db.execute(f"PRAGMA {setting}").fetchall()
        row = db.execute(f"SELECT {', '.join(_ACCOUNT)} FROM account").fetchall()[0]
        for table in _COPIED:
            db.execute(f"CREATE TEMP TABLE copied_{table} AS SELECT * FROM {table}")
        db.execute("CREATE TEMP TABLE number (i INTEGER PRIMARY KEY)")
        db.executemany("INSERT INTO number VALUES (?)", ((i,) for i in range(2, self.members + 1)))
        with db:
            marks = ", ".join("?" * len(_ACCOUNT))
            db.executemany(
                f"INSERT INTO account ({', '.join(_ACCOUNT)}) VALUES ({marks})",
                _accounts(row, self.members),
            )
            _copies(db.execute, "number")
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        db.close()

    def settle(self) -> None:
        self.desk.books.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._bare.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def bare(self, pages: list[Page]) -> float:
        written = list(map(onsqlite.statements, pages))
        return wall(lambda: onsqlite.write(self._bare, written))

    def gigabytes(self) -> float:
        return self.paths[1].stat().st_size / 2**30


class OnPostgres(Twice):
    """Two databases of one server."""

    def __init__(self, members: int, events: int, cluster: Cluster, stack: ExitStack) -> None:
        super().__init__(members, events)
        url = stack.enter_context(fresh_database(cluster.url))
        with onpostgres.desk_of(url) as desk:
            _model(desk, members)
        if members > SMALL:
            with psycopg.connect(url, autocommit=True) as connection:
                self._grow(connection)
        other = stack.enter_context(onpostgres.copy_of(cluster.url, url))
        self.desk = stack.enter_context(onpostgres.desk_of(url))
        self._bare = stack.enter_context(onpostgres.connect(other))

    def _grow(self, db: psycopg.Connection[Any]) -> None:
        db.execute("SET synchronous_commit = off")
        columns = sql.SQL(", ").join(map(sql.Identifier, _ACCOUNT))
        found = db.execute(sql.SQL("SELECT {} FROM account").format(columns)).fetchone()
        for table in _COPIED:
            name = sql.Identifier(f"copied_{table}"), sql.Identifier(table)
            db.execute(sql.SQL("CREATE TEMP TABLE {} AS SELECT * FROM {}").format(*name))
        with db.cursor() as cursor:
            into = sql.SQL("COPY account ({}) FROM STDIN (FORMAT BINARY)").format(columns)
            with cursor.copy(into) as copy:
                copy.set_types(("int8", "int8", "int8", "int8", "bytea", "bytea"))
                for row in _accounts(found, self.members):
                    copy.write_row(row)
        for low in range(2, self.members + 1, _CHUNK):
            high = min(low + _CHUNK - 1, self.members)
            _copies(db.execute, f"generate_series({low}, {high}) AS number(i)")  # type: ignore[arg-type]
        db.execute("VACUUM ANALYZE")

    def settle(self) -> None:
        self._bare.execute("CHECKPOINT")

    def bare(self, pages: list[Page]) -> float:
        groups = list(map(onpostgres.packed, pages))
        return wall(lambda: onpostgres.send(self._bare, groups))

    def gigabytes(self) -> float:
        found = self._bare.execute("SELECT pg_database_size(current_database())").fetchone()
        assert found is not None
        return int(found[0]) / 2**30
