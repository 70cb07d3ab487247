"""SQLite: one file, one writer, many readers; the default.

Guarantee: what was committed survives a power cut (WAL, ``synchronous=FULL``), and while
a batch runs nobody else writes. The library is the one that comes with ``apsw``: the
machine's own is often older than the fix of a bug that loses committed rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, Final

import apsw
from msgspec import json

from kantis.store import schema
from kantis.store.books import Books, Conflict, Forbidden, Outage, Unknown
from kantis.store.rows import (
    BALANCE_COLUMNS,
    ENTRY_COLUMNS,
    EVENT_COLUMNS,
    POSTING_COLUMNS,
    Page,
    Row,
    Table,
    tables_of,
)

#: The first library of each branch that does not lose committed rows when the log restarts.
_SOUND: Final = {(3, 44): 6, (3, 50): 7}
_SOUND_FROM: Final = (3, 51, 3)

_TWICE: Final = (
    apsw.SQLITE_CONSTRAINT_UNIQUE,
    apsw.SQLITE_CONSTRAINT_PRIMARYKEY,
    apsw.SQLITE_CONSTRAINT_ROWID,
)

#: Pages in the log after which a checkpoint runs between two batches.
_LOG_PAGES: Final = 20_000
_CACHE_KIB: Final = 65_536
_BUSY_MS: Final = 10_000


def check_library(version: str) -> None:
    """``Outage`` for a library with the WAL-reset bug.

    >>> check_library("3.51.3"), check_library("3.50.7"), check_library("3.44.6")
    (None, None, None)
    """
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    if (major, minor, patch) >= _SOUND_FROM or patch >= _SOUND.get((major, minor), 1 << 30):
        return
    raise Outage(
        f"SQLite {version} can lose committed rows (the WAL-reset bug). Install apsw 3.51.3 or "
        "newer, whose wheel brings a SQLite of its own."
    )


def _insert(table: str, columns: tuple[str, ...], then: str = "") -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) {then}"


def _values(kinds: str) -> str:
    """The values of a wanted key, from JSON: itself where it is one value, or else a list."""
    if len(kinds) == 1:
        return "value AS a"
    types = {"i": "CAST(value ->> {0} AS bigint) AS {1}", "t": "value ->> {0} AS {1}"}
    return ", ".join(types[kind].format(n, "ab"[n]) for n, kind in enumerate(kinds))


_EVENTS = _insert("event", EVENT_COLUMNS)
_ENTRIES = _insert("entry", ENTRY_COLUMNS)
_POSTINGS = _insert("posting", POSTING_COLUMNS)
_OPENED = _insert("account", ("id", "program", "seq", "due", "head", "snapshot"))
_ACCOUNTS = "UPDATE account SET seq = ?, due = ?, head = ?, snapshot = ? WHERE id = ?"
_SETTLED = "UPDATE event SET state = ?, account = ?, seq = ?, waits = ?, note = ? WHERE n = ?"
_CARDS = _insert("card", ("program", "token", "account"))
_FLAGS = _insert("flag", ("event", "account", "seq", "flag", "raised"))
_BALANCES = _insert(
    "balance",
    BALANCE_COLUMNS,
    "ON CONFLICT DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in BALANCE_COLUMNS[2:]),
)


class SqliteBooks(Books):
    """The books in one SQLite file. ``alone`` says that its opener holds the lease."""

    # CROSS JOIN keeps the wanted list outside, so that each of its keys is one look-up.
    wanted: ClassVar[Mapping[str, str]] = {
        kinds: f"(SELECT {_values(kinds)} FROM json_each(?)) j CROSS JOIN"
        for kinds in ("i", "t", "ii", "it")
    }

    def __init__(
        self, path: str | Path, *, alone: bool = False, write: bool = True, vfs: str | None = None
    ) -> None:
        check_library(apsw.sqlite_lib_version())
        self.path, self.alone, self._write, self._vfs = str(path), alone, write, vfs
        flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if write else 0)
        try:
            self._db = apsw.Connection(self.path, flags=flags, vfs=vfs)
            self._db.set_busy_timeout(_BUSY_MS)
            self._settings()
        except apsw.Error as error:
            raise Outage(f"{self.path} cannot be opened: {error}") from error

    def _settings(self) -> None:
        self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._db.execute("PRAGMA recursive_triggers = ON")  # REPLACE must not get past a guard
        if not self._write:
            self._db.execute("PRAGMA query_only = ON")
            return
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.wal_autocheckpoint(0)

    def close(self) -> None:
        self._db.close()

    @classmethod
    def at(cls, address: str, *, write: bool = True) -> SqliteBooks:
        return SqliteBooks(address, write=write)

    @property
    def address(self) -> str:
        return self.path

    @property
    def connection(self) -> apsw.Connection:
        """The connection itself, for what only the library can do."""
        return self._db

    def reader(self) -> SqliteBooks:
        return SqliteBooks(self.path, write=False, vfs=self._vfs)

    @contextmanager
    def still(self) -> Iterator[None]:
        with closing(apsw.Connection(self.path, vfs=self._vfs)) as db:
            db.set_busy_timeout(_BUSY_MS)
            db.execute("BEGIN IMMEDIATE")
            yield
            db.execute("ROLLBACK")

    def schema_number(self) -> int:
        tables = {row[0] for row in self.rows("SELECT name FROM sqlite_schema")}
        if tables and "migration" not in tables:
            raise Outage(
                f"{self.path} is a database of something else. Name another file with --store."
            )
        return int(self.one("SELECT max(number) FROM migration")) if tables else 0

    def begin_step(self) -> None:
        self.lock_file()

    def take_step(self, step: schema.Step) -> None:
        try:
            self._db.execute(step.sqlite)
        except apsw.Error as error:
            raise _said(error) from error

    def layout(self) -> dict[str, Table]:
        return tables_of(
            self.rows(
                "SELECT t.name, c.name, c.pk, c.type FROM sqlite_schema t "
                "CROSS JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
            )
        )

    def take_in(self, name: str, table: Table, rows: Iterable[Row]) -> None:
        self._many(_insert(name, table.columns), rows)

    def stopped(self) -> AbstractContextManager[None]:
        return self.still()

    # ── a thin execute ───────────────────────────────────────────────────────

    def execute(self, statement: str, values: Sequence[Any] = ()) -> int:
        self.statements += 1
        try:
            self._db.execute(statement, values)
        except apsw.Error as error:
            raise _said(error) from error
        return self._db.changes()

    def _many(self, statement: str, rows: Iterable[Row]) -> None:
        self.statements += 1
        try:
            self._db.executemany(statement, rows)
        except apsw.Error as error:
            raise _said(error) from error

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        self.statements += 1
        try:
            return self._db.execute(statement, values).fetchall()
        except apsw.Error as error:
            raise Outage(str(error)) from error

    def keyed(self, kinds: str, keys: Sequence[Row]) -> Sequence[Any]:
        listed = [key[0] for key in keys] if len(kinds) == 1 else keys
        return (json.encode(listed).decode(),)

    def stream(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        self.statements += 1
        return iter(self._db.cursor().execute(statement, values))

    def freeze(self, token: str = "") -> str:
        self.execute("BEGIN")
        self.rows("SELECT 1 FROM migration")
        return token

    # ── transactions ─────────────────────────────────────────────────────────

    def begin(self) -> None:
        """Whoever only reads begins without a lock, and sees the books as of its first read."""
        if self._write:
            self.lock_file()
        else:
            self.execute("BEGIN")

    def lock_file(self) -> None:
        """Begin a transaction that nobody else can write beside."""
        self.statements += 1
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except apsw.Error as error:
            raise _said(error) from error

    def commit(self) -> None:
        self.statements += 1
        try:
            self._db.execute("COMMIT")
        except apsw.FullError as error:
            raise Outage(
                f"The disk is full; nothing was recorded. Make room and send it again. ({error})"
            ) from error
        except apsw.Error as error:
            raise Unknown(str(error)) from error

    def rollback(self) -> None:
        with suppress(apsw.ConnectionClosedError):  # what was open is rolled back already
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def tidy(self) -> None:
        """Bring the log into the database when it has grown, while nobody writes."""
        try:
            pages, _ = self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
            if pages > _LOG_PAGES:
                self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error:  # the batch before is committed; the next one will tell
            return

    # ── what a batch writes ──────────────────────────────────────────────────

    def new_ids(self, count: int) -> list[int]:
        last = self.one("SELECT coalesce(max(id), 0) FROM account")
        return list(range(last + 1, last + 1 + count))

    def write(self, page: Page) -> None:
        self.seal(page)
        for statement, rows in (
            (_EVENTS, page.events),
            (_SETTLED, page.settled),
            (_ENTRIES, page.entries),
            (_POSTINGS, page.postings),
            (_OPENED, page.opened),
            (_ACCOUNTS, page.accounts),
            (_BALANCES, page.balances),
            (_CARDS, page.cards),
            (_FLAGS, page.flags),
        ):
            if rows:
                self._many(statement, rows)
        if page.events or page.arrived:
            self.arrive(page)


def _said(error: apsw.Error) -> Exception:
    """What an error of the library means to a batch."""
    if not isinstance(error, apsw.ConstraintError):
        return Outage(str(error))
    if error.extendedresult in _TWICE:  # type: ignore[attr-defined]
        return Conflict(str(error))
    return Forbidden(str(error))
