"""Skeleton: the least that a service can do and still keep what it answers.

Bare ASGI, msgspec, and one thread that writes whatever has come while the last commit ran: the
event under its unique key, two entries, the balances, in one transaction; the answer has the
new balance. No rules, no lots, no keys of callers, no chain, no log. It runs on the same server
with the same settings as the service: ``python -m bench.skeleton STORE [--each]``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import threading
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import apsw
import msgspec
import psycopg
import uvicorn
from msgspec import Struct

from kantis.doors.cli.serving import SERVER, listen

BATCH_MAX = 512
_SQLITE = """
CREATE TABLE event (key text PRIMARY KEY, account integer, amount integer, body blob);
CREATE TABLE entry (id integer PRIMARY KEY, event text, account integer, amount integer);
CREATE TABLE balance (account integer PRIMARY KEY, amount integer NOT NULL);
"""
_POSTGRES = """
CREATE TABLE event (key text PRIMARY KEY, account bigint, amount bigint, body bytea);
CREATE TABLE entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event text,
    account bigint, amount bigint);
CREATE TABLE balance (account bigint PRIMARY KEY, amount bigint NOT NULL) WITH (fillfactor = 70);
"""
_CTE = """
WITH p AS MATERIALIZED (
    SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bytea[]) AS u(k, c, a, b)),
e AS (INSERT INTO event SELECT k, c, a, b FROM p ON CONFLICT DO NOTHING
    RETURNING key, account, amount),
l AS (INSERT INTO entry (event, account, amount)
    SELECT key, account, amount FROM e UNION ALL SELECT key, 0, -amount FROM e)
INSERT INTO balance AS b SELECT account, sum(amount) FROM
    (SELECT account, amount FROM e UNION ALL SELECT 0, -amount FROM e) s
    GROUP BY account ORDER BY account
ON CONFLICT (account) DO UPDATE SET amount = b.amount + excluded.amount
RETURNING account, amount
"""


class Line(Struct):
    """A line of a purchase."""

    id: str
    product: str
    amount: int
    quantity: int = 1
    category: str = ""
    tags: tuple[str, ...] = ()


class Bought(Struct):
    """What was bought, and where."""

    lines: list[Line]
    location: str = ""


class Sale(Struct):
    """A purchase as it comes."""

    id: str
    type: str
    subject: str
    data: Bought


class Told(Struct):
    """The answer."""

    event: str
    account: int
    balance: int


#: key, account, amount, body
Row = tuple[str, int, int, bytes]


class Store(Protocol):
    """Writes a batch in one transaction; the new balances of its accounts."""

    def write(self, rows: list[Row]) -> dict[int, int]: ...


class OnSqlite:
    """One file, ``synchronous=FULL``."""

    def __init__(self, path: str) -> None:
        self.db = apsw.Connection(path)
        for setting in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
            self.db.execute(f"PRAGMA {setting}")
        self.db.wal_autocheckpoint(20_000)
        self.db.execute(_SQLITE)

    def write(self, rows: list[Row]) -> dict[int, int]:
        db = self.db
        db.execute("BEGIN IMMEDIATE")
        known = {key for (key,) in db.execute(
            "SELECT e.key FROM json_each(?) j CROSS JOIN event e ON e.key = j.value",
            (json.dumps([row[0] for row in rows]),),
        )}  # fmt: skip
        fresh = [row for row in rows if row[0] not in known] if known else rows
        db.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", fresh)
        legs = [(key, account, amount) for key, account, amount, _ in fresh]
        legs += [(key, 0, -amount) for key, _, amount, _ in fresh]
        db.executemany("INSERT INTO entry (event, account, amount) VALUES (?, ?, ?)", legs)
        sums: Counter[int] = Counter()
        for _, account, amount in legs:
            sums[account] += amount
        found = dict(db.executemany(
            "INSERT INTO balance VALUES (?, ?) ON CONFLICT DO UPDATE "
            "SET amount = amount + excluded.amount RETURNING account, amount", list(sums.items()),
        ).fetchall())  # fmt: skip
        db.execute("COMMIT")
        return found


class OnPostgres:
    """One connection, one statement and one commit for a batch."""

    def __init__(self, url: str) -> None:
        self.db = psycopg.connect(url, autocommit=True, prepare_threshold=3)
        with self.db.transaction():
            self.db.execute("SELECT pg_advisory_xact_lock(1)")
            if self.db.execute("SELECT to_regclass('balance')").fetchone() == (None,):
                self.db.execute(_POSTGRES)

    def write(self, rows: list[Row]) -> dict[int, int]:
        columns = [list(each) for each in zip(*rows, strict=True)]
        return dict(self.db.execute(_CTE, columns, binary=True).fetchall())


Waits = tuple[Row, "asyncio.Future[int]"]


class Skeleton:
    """The ASGI application."""

    def __init__(self, store: Store, most: int) -> None:
        self._store, self._most = store, most
        self._open: deque[Waits] = deque()
        self._news = threading.Event()
        self._decode = msgspec.json.Decoder(Sale).decode
        self._encode = msgspec.json.Encoder().encode
        self._loop: asyncio.AbstractEventLoop

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._work, daemon=True).start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        data = b""
        while True:
            message = await receive()
            data += message.get("body", b"")
            if not message.get("more_body"):
                break
        sale = self._decode(data)
        account = int(sale.subject[5:])
        row = sale.id, account, sum(line.amount for line in sale.data.lines), data
        future = self._loop.create_future()
        self._open.append((row, future))
        self._news.set()
        answer = self._encode(Told(sale.id, account, await future))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _work(self) -> None:
        while self._news.wait():
            self._news.clear()
            while self._open:
                batch = [self._open.popleft() for _ in range(min(self._most, len(self._open)))]
                found = self._store.write([row for row, _ in batch])
                self._loop.call_soon_threadsafe(_tell, batch, found)


def _tell(batch: list[Waits], found: dict[int, int]) -> None:
    for row, future in batch:
        future.set_result(found.get(row[1], 0))


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.skeleton", description=__doc__)
    parser.add_argument("store")
    parser.add_argument("--each", action="store_true", help="one transaction per request")
    given = parser.parse_args()
    store: Store = (OnPostgres if "://" in given.store else OnSqlite)(given.store)
    with listen("127.0.0.1", 0) as listening:
        host, port = listening.getsockname()
        print(f"http://{host}:{port}", flush=True)
        app = Skeleton(store, 1 if given.each else BATCH_MAX)
        uvicorn.Server(uvicorn.Config(app, **SERVER)).run(sockets=[listening])


if __name__ == "__main__":
    main()
