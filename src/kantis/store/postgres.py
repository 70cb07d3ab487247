"""PostgreSQL: the same tables, several writing processes.

Guarantee: two batches never decide on the same account at the same time. Each locks its
accounts in the order of their ids, under READ COMMITTED, so what it reads under the lock
is what the one before has committed; unique keys refuse whatever gets past that.

New rows of a large batch are copied in binary form, all others come as one array per column:
the number of statements does not depend on the size of a batch. What a small batch writes is
sent before the first answer is waited for.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar, Final, TypeAlias

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus as _Status

from kantis.store import arrays, schema
from kantis.store.ahead import Answers
from kantis.store.arrays import columns
from kantis.store.books import Books, Conflict, Forbidden, Outage, Unknown
from kantis.store.pipe import Pipe, Question
from kantis.store.rows import (
    BALANCE_COLUMNS,
    ENTRY_COLUMNS,
    EVENT_COLUMNS,
    POSTING_COLUMNS,
    AccountRow,
    Ahead,
    Page,
    Row,
    Table,
    tables_of,
)
from kantis.store.schema import ALONE, DECIDED, PARKED, READY

#: Shared by all batches, taken alone by whoever has to know that no batch is running.
_BATCHES: Final = 0x6B616E746973
_MIGRATIONS: Final = _BATCHES + 1
_LOCK_WAIT_MS: Final = 10_000
_FETCH_ROWS: Final = 5_000
# A batch only ever looks rows up by their keys. A plan that was made while the tables were
# small would read them whole, and stay; so nothing but look-ups is offered.
_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
_SETTINGS: Final = {
    "lock_timeout": f"{_LOCK_WAIT_MS}",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}

_COMMIT: Final[Question] = "COMMIT", []

_CONFLICTS: Final = (
    errors.UniqueViolation,
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
)

_TEXT, _INT, _SMALL, _BYTES = "text", "int8", "int2", "bytea"
_TYPES: Final = {
    "event": (
        _TEXT, _INT, _TEXT, _INT, _INT, _TEXT, _SMALL, _SMALL, _SMALL,
        _INT, _INT, _TEXT, _TEXT, _TEXT, _BYTES, _BYTES,
    ),
    "entry": (
        _INT, _INT, _TEXT, _INT, _INT, _INT, _INT, _INT, _INT, _TEXT,
        _INT, _TEXT, _BYTES, _BYTES, _BYTES, _BYTES,
    ),
    "posting": (_INT, _INT, _INT, _TEXT, _SMALL, _SMALL, _INT, _INT, _TEXT, _INT, _INT),
}  # fmt: skip

#: Who waits for news listens here.
_CHANNEL: Final = "kantis_news"
_HORIZON_S: Final = 5.0
#: The last numbers that anybody has taken, committed or not.
_TAKEN: Final = """
SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM entry_n_seq),
    (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM flag_n_seq)"""
#: The transactions that are batches, or wait to be one.
_RUNNING: Final = """
SELECT l.virtualtransaction FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.mode = 'ShareLock'
    AND l.classid = ?::bigint::oid AND l.objid = ?::bigint::oid AND l.objsubid = 1"""

#: The columns of all tables: name of the table, of the column, place in its key, type.
_LAYOUT: Final = """
SELECT c.relname::text, a.attname::text,
    coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0), t.typname::text
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
ORDER BY c.relname, a.attnum"""
#: The counters behind columns that count by themselves.
_COUNTED: Final = """
SELECT pg_get_serial_sequence(c.relname, a.attname), c.relname::text, a.attname::text
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE a.attidentity <> '' AND pg_table_is_visible(c.oid)"""

_SETTLED = """
UPDATE event e SET state = u.state, account = u.account, seq = u.seq, waits = u.waits,
    note = u.note
FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::bigint[])
    AS u(state, account, seq, waits, note, n)
WHERE e.n = u.n"""
_OPENED = """
INSERT INTO account (id, program, seq, due, head, snapshot)
SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bytea[], ?::bytea[])"""
_ACCOUNTS = """
UPDATE account a SET seq = u.seq, due = u.due, head = u.head, snapshot = u.snapshot
FROM unnest(?::bigint[], ?::bigint[], ?::bytea[], ?::bytea[], ?::bigint[])
    AS u(seq, due, head, snapshot, id)
WHERE a.id = u.id"""
_BALANCES = f"""
INSERT INTO balance ({", ".join(BALANCE_COLUMNS)})
SELECT * FROM unnest(?::bigint[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[],
    ?::bigint[], ?::bigint[])
ON CONFLICT (account, balance) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in BALANCE_COLUMNS[2:])}"""
_CARDS = """
INSERT INTO card (program, token, account)
SELECT * FROM unnest(?::bigint[], ?::text[], ?::bigint[])"""
# Ordered, so that the index is used even where nobody counted the rows yet.
_ARRIVED = f"""
UPDATE event SET state = {READY}, waits = NULL
WHERE state IN ({PARKED}, {ALONE}) AND waits IN (SELECT unnest(?::text[]))
    AND (SELECT waits FROM event WHERE waits IS NOT NULL ORDER BY waits LIMIT 1) IS NOT NULL"""
_FLAGS = """
INSERT INTO flag (event, account, seq, flag, raised)
SELECT * FROM unnest(?::text[], ?::bigint[], ?::bigint[], ?::text[], ?::bigint[])"""


_COLUMNS: Final = (EVENT_COLUMNS, ENTRY_COLUMNS, POSTING_COLUMNS)
#: As much is sent as arrays, all of it at once; more is copied, which takes a way there and
#: back for each table and then costs less a row.
_AT_ONCE: Final = 128
_LETTERS: Final = {_TEXT: "t", _INT: "i", _SMALL: "i", _BYTES: "b"}
_ARRAYS: Final = {"t": "?::text[]", "i": "?::bigint[]", "b": "?::bytea[]"}
_PACKS: Final = ["".join(_LETTERS[each] for each in types) for types in _TYPES.values()]
_NEW: Final = [
    f"INSERT INTO {table} ({', '.join(columns)}) "
    f"SELECT * FROM unnest({', '.join(_ARRAYS[letter] for letter in pack)})"
    for table, columns, pack in zip(_TYPES, _COLUMNS, _PACKS, strict=True)
]

#: A statement, the kinds of its columns, and its rows.
Change: TypeAlias = tuple[str, str, Sequence[Row]]


def _changed(page: Page) -> list[Change]:
    """What a page changes beside its new events, entries and postings."""
    return [
        (_SETTLED, "iiitti", page.settled),
        (_OPENED, "iiiibb", page.opened),
        (_ACCOUNTS, "iibbi", page.accounts),
        (_BALANCES, "itiiiiii", page.balances),
        (_CARDS, "iti", sorted(page.cards)),
        (_FLAGS, "tiiti", page.flags),
    ]


@lru_cache(maxsize=512)
def _dialect(statement: str) -> str:
    return statement.replace("?", "%s")


class PostgresBooks(Books):
    """The books in a PostgreSQL database, over one connection."""

    wanted: ClassVar[Mapping[str, str]] = {
        "i": "unnest(?::bigint[]) AS j(a) CROSS JOIN",
        "t": "unnest(?::text[]) AS j(a) CROSS JOIN",
        "ii": "unnest(?::bigint[], ?::bigint[]) AS j(a, b) CROSS JOIN",
        "it": "unnest(?::bigint[], ?::text[]) AS j(a, b) CROSS JOIN",
    }
    lock: ClassVar[str] = " FOR UPDATE"
    skip: ClassVar[str] = " FOR UPDATE SKIP LOCKED"

    def __init__(self, url: str, *, write: bool = True) -> None:
        self.url, self._write = url, write
        if not write:  # whoever only reads neither locks rows nor takes numbers
            self.lock = self.skip = ""  # type: ignore[misc]
        self._warning = ""
        self._hears = False
        self._names = itertools.count(1)
        #: what is sent with the commit, or before anything else that is asked
        self._unsent: list[Question] = []
        self._ahead: Answers | None = None
        self._db = self._connect()

    def _connect(self) -> psycopg.Connection[Any]:
        try:
            db = psycopg.connect(self.url, autocommit=True, prepare_threshold=3)
            db.add_notice_handler(self._notice)
            arrays.register(db)
            unsure = db.execute("SHOW synchronous_commit").fetchone() == ("off",)
            self._begin_batch = self._batch_begun(unsure and self._write)
            self._pipe = Pipe(db)
        except psycopg.Error as error:
            raise Outage(f"PostgreSQL cannot be reached: {error}") from error
        return db

    def _batch_begun(self, unsure: bool) -> list[Question]:
        """What begins a batch. Nothing is set for the session: behind a pooler another one may
        get it."""
        settings = {"synchronous_commit": "on"} | _SETTINGS if unsure else _SETTINGS
        said = [f"set_config('{name}', '{value}', true)" for name, value in settings.items()]
        said.append(f"pg_advisory_xact_lock_shared({_BATCHES})")
        begin = _BEGIN if self._write else f"{_BEGIN} READ ONLY"
        return [(begin, []), (f"SELECT {', '.join(said)}", [])]

    def _notice(self, notice: errors.Diagnostic) -> None:
        """A wait for a standby that was given up is told by a warning only."""
        if notice.severity_nonlocalized == "WARNING":
            self._warning = notice.message_primary or "a warning without words"

    def close(self) -> None:
        self._db.close()

    @classmethod
    def at(cls, address: str, *, write: bool = True) -> PostgresBooks:
        return PostgresBooks(address, write=write)

    @property
    def address(self) -> str:
        return self.url

    def schema_number(self) -> int:
        if self.one("SELECT to_regclass('migration') IS NULL"):
            return 0
        return int(self.one("SELECT max(number) FROM migration"))

    def begin_step(self) -> None:
        self.execute("BEGIN")
        self.execute("SELECT pg_advisory_xact_lock(?)", (_MIGRATIONS,))
        self.execute("SELECT pg_advisory_xact_lock(?)", (_BATCHES,))

    def take_step(self, step: schema.Step) -> None:
        try:
            self._db.execute(step.postgres)
        except psycopg.Error as error:
            raise _said(error) from error

    # ── a thin execute ───────────────────────────────────────────────────────

    def execute(self, statement: str, values: Sequence[Any] = ()) -> int:
        self.statements += 1
        if not self._write:
            raise Outage("These books are open for reading only.")
        self._send_rest()
        try:
            return self._db.execute(_dialect(statement), values).rowcount
        except psycopg.Error as error:
            raise _said(error) from error

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        told = self._ahead.told(statement, values) if self._ahead is not None else None
        if told is not None:
            return told
        self._send_rest()
        self.statements += 1
        try:
            return self._db.execute(_dialect(statement), values, binary=True).fetchall()
        except psycopg.Error as error:
            raise _said(error) from error

    def keyed(self, kinds: str, keys: Sequence[Row]) -> Sequence[Any]:
        return arrays.columns(kinds, keys)

    def stream(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        if self._db.info.transaction_status == _Status.IDLE:
            yield from self.rows(statement, values)  # only a transaction has cursors
            return
        self._send_rest()
        self.statements += 1
        with self._db.cursor(f"stream_{next(self._names)}") as cursor:
            cursor.execute(_dialect(statement), values, binary=True)
            while found := cursor.fetchmany(_FETCH_ROWS):
                yield from found

    def _copy(
        self, table: str, names: Sequence[str], rows: Iterable[Row], types: Sequence[str] = ()
    ) -> None:
        self._send_rest()
        self.statements += 1
        statement = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)"
        try:
            with self._db.cursor() as cursor, cursor.copy(statement) as copy:
                copy.set_types(types or _TYPES[table])
                for row in rows:
                    copy.write_row(row)
        except psycopg.Error as error:
            raise _said(error) from error

    # ── transactions ─────────────────────────────────────────────────────────

    def begin(self) -> None:
        self._begin(self._begin_batch)

    def begin_alone(self) -> None:
        self._begin([(each.replace("lock_shared", "lock"), []) for each, _ in self._begin_batch])

    def begin_asking(self, ahead: Ahead) -> None:
        answers = Answers(self, ahead)
        found = self._begin([*self._begin_batch, *answers.asked])
        answers.hear(found[len(self._begin_batch) :])
        self._ahead = answers

    def _begin(self, statements: list[Question]) -> list[list[Any]]:
        self._end()
        try:
            return self._ask(statements)
        except Conflict:
            self.rollback()
            raise
        except Outage:  # the connection died in the meantime, or has let go what was prepared
            self.rollback()
        if self._db.closed:
            self._db = self._connect()
        return self._ask(statements)

    def _ask(self, statements: list[Question]) -> list[list[Any]]:
        self.statements += len(statements)
        try:
            return self._pipe.ask(statements)
        except psycopg.Error as error:
            raise _said(error) from error

    def accounts(self, ids: Sequence[int]) -> list[AccountRow]:
        if self._ahead is None:
            return super().accounts(ids)
        return self._ahead.accounts(ids, super().accounts)

    def freeze(self, token: str = "") -> str:
        self._begin([("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", [])])
        if token:
            self._db.execute(f"SET TRANSACTION SNAPSHOT '{token}'")
        return str(self.one("SELECT pg_export_snapshot()"))

    def commit(self) -> None:
        """COMMIT goes with the last writes. Nothing is done where the connection was over before
        that, or where the server itself ended it with something before COMMIT."""
        statements = [*self._unsent, _COMMIT]
        self._end()
        self.statements += len(statements)
        if not self._pipe.is_open():
            self._db.close()
            raise Outage("PostgreSQL has ended the connection before the batch was sent.")
        self._warning = ""
        try:
            self._pipe.ask(statements)
        except psycopg.Error as error:
            state, refused = self._db.info.transaction_status, self._pipe.refused
            early = state == _Status.INERROR or 0 <= refused < len(statements) - 1
            if early or isinstance(error, _CONFLICTS):
                raise _said(error) from error  # COMMIT was not run, or it was refused
            raise Unknown(str(error)) from error
        if self._warning:
            raise Unknown(self._warning)

    def rollback(self) -> None:
        self._end()
        if self._db.info.transaction_status == _Status.IDLE:
            return
        try:
            self._pipe.say(b"ROLLBACK")
        except psycopg.Error:
            self._db.close()

    def mark(self) -> None:
        self._unsent.append(("SAVEPOINT mark", []))

    def back(self) -> None:
        self._unsent.append(("ROLLBACK TO SAVEPOINT mark", []))

    def _end(self) -> None:
        """The batch is over: it sends nothing more, and what it was told holds no longer."""
        self._unsent, self._ahead = [], None

    # ── what a batch writes ──────────────────────────────────────────────────

    def new_ids(self, count: int) -> list[int]:
        if not self._write:
            last = self.one("SELECT coalesce(max(id), 0) FROM account")
            return list(range(last + 1, last + 1 + count))
        found = self.rows("SELECT nextval('account_id') FROM generate_series(1, ?)", (count,))
        return sorted(row[0] for row in found)

    def write(self, page: Page) -> None:
        self.seal(page)
        new = page.events, page.entries, page.postings
        changes = [*zip(_NEW, _PACKS, new, strict=True), *_changed(page)]
        if max(map(len, new)) > _AT_ONCE:
            for table, names, rows in zip(_TYPES, _COLUMNS, new, strict=True):
                if rows:
                    self._copy(table, names, rows)
            changes = changes[len(new) :]
        self._unsent += [(each, columns(pack, rows)) for each, pack, rows in changes if rows]
        if page.events or page.arrived:
            self.arrive(page)

    def arrive(self, page: Page) -> None:
        decided = [(row[0],) for row in page.events if row[8] == DECIDED]
        keys = decided + [(each,) for each in page.arrived]
        self._unsent.append((_ARRIVED, columns("t", keys)))

    def _send_rest(self) -> None:
        """Send what waits for the commit, because something else is asked before it."""
        statements, self._unsent = self._unsent, []
        if statements:
            self._ask(statements)

    # ── whole books ──────────────────────────────────────────────────────────

    def layout(self) -> dict[str, Table]:
        return tables_of(self.rows(_LAYOUT))

    def take_in(self, name: str, table: Table, rows: Iterable[Row]) -> None:
        self._copy(name, table.columns, rows, table.types)

    def renumber(self) -> None:
        counted = self.rows(_COUNTED)
        for sequence, table, column in [*counted, ("account_id", "account", "id")]:
            self.rows(
                f"SELECT setval(?, coalesce(max({column}), 1), max({column}) IS NOT NULL) "
                f"FROM {table}",
                (sequence,),
            )

    @contextmanager
    def stopped(self) -> Iterator[Books]:
        names = ", ".join(self.layout())
        with PostgresBooks(self.url) as other:
            try:
                other.execute("BEGIN")
                other.execute(f"SET LOCAL lock_timeout = {_LOCK_WAIT_MS}")
                other.execute("SELECT pg_advisory_xact_lock(?)", (_BATCHES,))
                other.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
            except Conflict as error:
                message = "Somebody writes to these books and does not stop. End it first."
                raise Outage(message) from error
            yield other

    # ── following ────────────────────────────────────────────────────────────

    def horizon(self) -> tuple[int, int] | None:
        """Numbers are taken in one order and committed in another: wait for the batches that run
        now, and for no later one. No batch waits for this."""
        found = self.rows(_TAKEN)
        running = set(self.rows(_RUNNING, (_BATCHES >> 32, _BATCHES & 0xFFFFFFFF)))
        give_up = time.monotonic() + _HORIZON_S
        while running:
            if time.monotonic() > give_up:
                return None
            time.sleep(0.002)
            running &= set(self.rows(_RUNNING, (_BATCHES >> 32, _BATCHES & 0xFFFFFFFF)))
        return found[0][0], found[0][1]

    def call(self) -> bool:
        self.rows("SELECT pg_notify(?, '')", (_CHANNEL,))
        return True

    def hear(self, seconds: float) -> bool:
        try:
            if not self._hears:
                self._db.execute(f"LISTEN {_CHANNEL}")
                self._hears = True
            return any(True for _ in self._db.notifies(timeout=seconds, stop_after=1))
        except psycopg.Error as error:
            raise _said(error) from error

    # ── checkpoints ──────────────────────────────────────────────────────────

    def settled(self) -> tuple[int, int]:
        """Wait until no batch runs: then everything up to the last row is there."""
        self._begin([("BEGIN", []), (f"SELECT pg_advisory_xact_lock({_BATCHES})", [])])
        try:
            return super().settled()
        finally:
            self.rollback()


def _said(error: psycopg.Error) -> Exception:
    """What an error of the driver means to a batch."""
    if isinstance(error, _CONFLICTS):
        return Conflict(str(error))
    refused = isinstance(error, errors.IntegrityError | errors.RaiseException | errors.DataError)
    return Forbidden(str(error)) if refused else Outage(str(error))
