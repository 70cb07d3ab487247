"""Row 4: ``desk.submit`` on PostgreSQL with two workers, beside three limits.

pgbench cannot send a thousand given rows in one statement, so the limit with our rows and
bytes is written by psycopg in two processes: what the desk sends (binary COPY, one array
per column) is packed beforehand, and only sent. The two other limits are pgbench's own.
"""

from __future__ import annotations

import contextlib
import gc
import re
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg

import kantis.desk
from bench.measure import Row, Spread, in_turns, ratios
from bench.stream import START, batches, enrolments, note, purchases
from bench.world import tree
from kantis.desk.submit import Desk
from kantis.doors.cli import RECORDS_MAX
from kantis.store import arrays
from kantis.store.postgres import _TYPES, PostgresBooks, _dialect
from kantis.store.rows import Page
from tests.support.postgres import Cluster, fresh_database

WORKERS = 2
MEMBERS = 10_000
WARM = 3
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "jit": "off"}
#: (statement, bytes to copy) or (statement, arrays) of one batch.
Sent = list[tuple[str, Any]]

MINIMAL = """
CREATE TABLE event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, idem uuid UNIQUE,
    member_id bigint, amount bigint, payload jsonb);
CREATE TABLE entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id bigint,
    account_id bigint, amount bigint, lot_expires date);
CREATE INDEX ON entry (account_id, id);
CREATE TABLE balance (account_id bigint PRIMARY KEY, balance bigint, version bigint)
    WITH (fillfactor = 70);
INSERT INTO balance SELECT g, 0, 0 FROM generate_series(1, 100000) g;
"""
_PAYLOAD = '\'{"a": "' + "x" * 280 + "\"}'::jsonb"
_THOUSAND = f"""
WITH p AS MATERIALIZED (SELECT gen_random_uuid() AS idem,
        1 + (random() * 49999)::int + 50000 * (:client_id % 2) AS m, 100 AS a
    FROM generate_series(1, 1000)),
e AS (INSERT INTO event (idem, member_id, amount, payload) SELECT idem, m, a, {_PAYLOAD} FROM p
    ON CONFLICT DO NOTHING RETURNING id, member_id, amount),
l AS (INSERT INTO entry (event_id, account_id, amount, lot_expires)
    SELECT id, member_id, amount, date '2030-01-01' FROM e
    UNION ALL SELECT id, 0, -amount, NULL::date FROM e)
UPDATE balance b SET balance = b.balance + s.a, version = version + 1
FROM (SELECT member_id, sum(amount) AS a FROM e GROUP BY 1) s WHERE b.account_id = s.member_id;
"""
CLASSIC = f"""
\\set m random(1, 100000)
BEGIN;
INSERT INTO event (idem, member_id, amount, payload)
    VALUES (gen_random_uuid(), :m, 100, {_PAYLOAD});
INSERT INTO entry (event_id, account_id, amount) VALUES (lastval(), :m, 100);
INSERT INTO entry (event_id, account_id, amount) VALUES (lastval(), 0, -100);
UPDATE balance SET balance = balance + 100, version = version + 1 WHERE account_id = :m;
COMMIT;
"""


def rows(quick: bool, folder: Path) -> list[Row]:
    """Café and grocer."""
    with Cluster(durable=True) as cluster:
        settle(cluster)
        found = []
        for shop, name in (("corner-cafe", "a café purchase"), ("grocer", "a grocer basket")):
            found += _rows(cluster, shop, name, 3 if quick else 8, 2 if quick else 5, folder)
        return found


def settle(cluster: Cluster) -> None:
    """Give a server the settings that are measured."""
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        for name, value in SETTINGS.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    cluster.stop()
    cluster.start()


def _rows(
    cluster: Cluster, shop: str, name: str, count: int, rounds: int, folder: Path
) -> list[Row]:
    with fresh_database(cluster.url) as base, fresh_database(cluster.url) as minimal:
        _enrol(base, shop)
        sent = [_sent(cluster.url, base, shop, worker, count) for worker in range(WORKERS)]
        with psycopg.connect(minimal, autocommit=True) as connection:
            connection.execute(MINIMAL)
        seconds = 1 if count < 8 else 3
        mine, same, thousand, classic = in_turns(
            rounds,
            lambda: _race(cluster.url, base, _work, [(shop, n, count) for n in range(WORKERS)]),
            lambda: _race(cluster.url, base, _send, [(each,) for each in sent]),
            lambda: 1_000 * pgbench(cluster, minimal, _THOUSAND, WORKERS, seconds, folder),
            lambda: pgbench(cluster, minimal, CLASSIC, 8, seconds, folder),
        )
    events = WORKERS * count * 1_000
    rates = [[events / each for each in seconds_] for seconds_ in (mine, same)]
    near, more = ratios(rates[0], rates[1]), ratios(rates[0], classic)
    label = f"submit, PostgreSQL, 2 workers: {name}, 1,000 to a batch"
    notes = [
        f"{events:,} purchases of {MEMBERS:,} members, {rounds} rounds; fsync and"
        f" synchronous_commit on; {SETTINGS}"
    ]
    return [
        Row(label, Spread.of(rates[0]), "events/s", "≥ 0.4", near.middle >= 0.4,
            "psycopg, the same rows packed beforehand, 2 connections",
            Spread.of(rates[1]), near, "of the limit", notes),
        Row(label, Spread.of(rates[0]), "events/s", "≥ 3 times", more.middle >= 3,
            "pgbench, a transaction per purchase, 8 clients",
            Spread.of(classic), more, "times as fast"),
        Row(label, Spread.of(rates[0]), "events/s", "for comparison", None,
            "pgbench, the smallest tables, 1,000 to a statement, 2 clients",
            Spread.of(thousand), ratios(rates[0], thousand), "of it"),
    ]  # fmt: skip


# ── ours ─────────────────────────────────────────────────────────────────────


def desk_of(url: str) -> Desk:
    """The desk of a database; its clock stands still."""
    desk = kantis.desk.open(url, clock=lambda: START + 400 * 86_400_000)
    assert isinstance(desk, Desk)
    return desk


def _enrol(url: str, shop: str) -> None:
    with desk_of(url) as desk:
        desk.publish(shop, 0, "", tree(shop))
        for batch in batches(enrolments(1, MEMBERS)):
            desk.submit(batch, importing=True)


def _mine(shop: str, worker: int, count: int) -> list[Any]:
    each = MEMBERS // WORKERS
    first = worker * each + 1
    return batches(purchases(shop, first, first + each - 1, (WARM + count) * 1_000))


def _work(url: str, barrier: Barrier, shop: str, worker: int, count: int) -> None:
    gc.set_threshold(RECORDS_MAX)
    groups = _mine(shop, worker, count)
    with desk_of(url) as desk:
        for batch in groups[:WARM]:
            desk.submit(batch, importing=True)
        barrier.wait()
        for batch in groups[WARM:]:
            desk.submit(batch, importing=True)
        barrier.wait()


# ── the same rows, packed beforehand ─────────────────────────────────────────


def _sent(server: str, base: str, shop: str, worker: int, count: int) -> list[Sent]:
    """What the desk sends for each batch of a worker."""
    found: list[Sent] = []
    with copy_of(server, base) as url, desk_of(url) as desk:
        note(desk.books, lambda page: found.append(packed(page)))
        for batch in _mine(shop, worker, count):
            desk.submit(batch, importing=True)
    return found


class _Taker:
    """Takes down what the store sends for a page, ready to be sent again."""

    def __init__(self) -> None:
        self.sent: Sent = []
        self._unsent: list[Any] = []

    def _copy(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
        self.sent.append((statement, _binary(_TYPES[table], rows)))

    def seal(self, page: Page) -> None:
        """It is sealed."""

    def arrive(self, page: Page) -> None:
        """Nothing waits in these books."""


def packed(page: Page) -> Sent:
    """The rows of a batch as the store sends them: bytes to copy, and arrays."""
    taker: Any = _Taker()
    PostgresBooks.write(taker, page)
    return [*taker.sent, *((_dialect(each), values) for each, values in taker._unsent)]


def _binary(kinds: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> bytes:
    """Rows in PostgreSQL's binary form of COPY."""
    pack = {
        "int8": lambda value: struct.pack(">iq", 8, value),
        "int2": lambda value: struct.pack(">ih", 2, value),
        "text": lambda value: struct.pack(">i", len(value.encode())) + value.encode(),
        "bytea": lambda value: struct.pack(">i", len(value)) + value,
    }
    packs = [pack[kind] for kind in kinds]
    parts = [b"PGCOPY\n\xff\r\n\0" + bytes(8)]
    for row in rows:
        parts.append(struct.pack(">h", len(row)))
        parts += [
            struct.pack(">i", -1) if value is None else put(value)
            for put, value in zip(packs, row, strict=True)
        ]
    return b"".join([*parts, struct.pack(">h", -1)])


def _send(url: str, barrier: Barrier, groups: list[Sent]) -> None:
    with connect(url) as connection:
        send(connection, groups[:WARM])
        barrier.wait()
        send(connection, groups[WARM:])
        barrier.wait()


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection that takes what is packed."""
    connection = psycopg.connect(url, autocommit=True, prepare_threshold=3)
    arrays.register(connection)
    return connection


def send(connection: psycopg.Connection[Any], groups: list[Sent]) -> None:
    """The limit: rows that are packed are sent, each batch in its transaction."""
    for group in groups:
        connection.execute("BEGIN")
        for statement, data in group:
            if isinstance(data, bytes):
                with connection.cursor() as cursor, cursor.copy(statement) as stream:
                    stream.write(data)
            else:
                connection.execute(statement, data)
        connection.execute("COMMIT")


# ── races and pgbench ────────────────────────────────────────────────────────


@contextlib.contextmanager
def copy_of(server: str, base: str) -> Iterator[str]:
    """A copy of a database that nobody uses."""
    name = base.partition("?")[0].rpartition("/")[2]
    with fresh_database(server, template=name) as url:
        yield url


def _race(server: str, base: str, work: Callable[..., None], jobs: list[Any]) -> float:
    """Seconds from the common start of the workers to the end of the last, on fresh books."""
    context = get_context("spawn")
    with copy_of(server, base) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        barrier = context.Barrier(len(jobs) + 1)
        workers = [context.Process(target=work, args=(url, barrier, *job)) for job in jobs]
        for worker in workers:
            worker.start()
        barrier.wait(120)
        start = time.perf_counter()
        barrier.wait(300)
        seconds = time.perf_counter() - start
        for worker in workers:
            worker.join()
        return seconds


def pgbench(
    cluster: Cluster, url: str, script: str, clients: int, seconds: int, folder: Path
) -> float:
    """Transactions a second, as pgbench tells them."""
    path = folder / "pgbench.sql"
    path.write_text(script)
    name = url.partition("?")[0].rpartition("/")[2]
    done = subprocess.run(
        [
            str(cluster.binaries.folder / "pgbench"), "-n", "-M", "prepared", "-f", str(path),
            "-c", str(clients), "-j", "2", "-T", str(seconds), "-h", str(cluster.base),
            "-U", "postgres", name,
        ],
        capture_output=True, text=True,
    )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found is not None, done.stderr
    return float(found[1])
