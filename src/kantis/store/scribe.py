"""Scribe: a process of its own that writes one batch while the next one is decided.

Guarantee: batches are written in the order in which they were handed over, each whole or
not at all; behind one that could not be written, none is. Nobody else writes meanwhile,
and nothing is read that is about to change: whoever asks for a row that is on its way
waits until it has landed.

The scribe holds a lock of its own while it runs, so that a process that takes the lease of
a file waits until the scribe of the one before has ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from msgspec import msgpack

from kantis.store.books import Books, Conflict, Forbidden, Outage, Unknown
from kantis.store.rows import AccountRow, EventRow, Page
from kantis.store.schema import READY
from kantis.store.sqlite import SqliteBooks

_LENGTH: Final = struct.Struct(">Q")
#: Bytes that may be on the way to the scribe, as far as the system allows: a few batches, so
#: that the desk goes on while the scribe is at work and takes nothing in.
_ROOM: Final = 4 << 20
_PAGE: Final = msgpack.Decoder(Page)
_ENDED: Final = "The process that writes has ended."
_ERRORS: Final = {each.__name__: each for each in (Conflict, Forbidden, Outage, Unknown)}
#: Parked events beyond this many are not remembered, but asked for.
_WAITS_MAX: Final = 10_000
_EVENT_STATE, _EVENT_WAITS = 8, 12
#: So many chain values a scribe remembers; others it reads.
_HEADS_MAX: Final = 200_000
#: Rows that come to be, less those that go, before cycles are looked for: there are none.
_ROWS_MAX: Final = 200_000

News = Callable[[], None]


class Flight:
    """A batch on its way into the file. ``error`` is why it could not be written."""

    def __init__(self, page: Page) -> None:
        self.landed = threading.Event()
        self.error: Exception | None = None
        self.keys = {row[0] for row in page.unsealed}
        self.accounts = {row[0] for row in page.ledgers}
        self.cards = {(row[0], row[1]) for row in page.cards}
        #: what parked events may have waited for
        self.arrived = self.keys.union(page.arrived)
        self.stirs = bool(page.settled) or any(row[_EVENT_STATE] == READY for row in page.unsealed)

    def land(self, error: Exception | None = None) -> None:
        """It is written, or it will not be."""
        self.error = error
        self.landed.set()


class Scribe:
    """The process, as the desk's side sees it."""

    def __init__(self, path: str, news: News) -> None:
        self._news = news
        self._flights: deque[Flight] = deque()
        self._lock = threading.Lock()
        self.alive = True
        self._failed = False
        mine, theirs = socket.socketpair()
        with contextlib.suppress(OSError):  # then the desk waits a little
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
        self._socket = mine
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, path, str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        threading.Thread(target=self._listen, name="kantis-scribe", daemon=True).start()

    def write(self, page: Page) -> Flight:
        """Hand a batch over."""
        data, flight = msgpack.encode(page), Flight(page)
        with self._lock:
            if self.alive:
                self._flights.append(flight)
            else:
                flight.land(Conflict(_ENDED))
        # When it has ended, what it answered before is still heard first.
        with contextlib.suppress(OSError):
            self._socket.sendall(_LENGTH.pack(len(data)) + data)
        return flight

    def close(self) -> None:
        """Let it end, and wait until it has."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._process.wait()
        self._socket.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while answer := _receive(self._socket):
                kind, message = msgpack.decode(answer)
                with self._lock:
                    flight = self._flights.popleft()
                flight.land(_ERRORS[kind](message) if kind else None)
                self._failed = bool(kind)
                self._news()
        self._fall()

    def _fall(self) -> None:
        """It has ended. Of the first batch nobody knows, unless one before it had failed: then
        none was begun any more, and neither were those behind the first."""
        with self._lock:
            self.alive = False
            lost, self._flights = self._flights, deque()
        for number, flight in enumerate(lost):
            flight.land(Conflict(_ENDED) if number or self._failed else Unknown(_ENDED))
        self._news()


class ScribedBooks(SqliteBooks):
    """The books in one SQLite file, whose opener holds the lease, with a scribe when it helps.

    A transaction begins with the first change; until then reads wait for what they would
    see too early. ``hand_over`` takes the place of ``commit``.
    """

    def __init__(self, path: str | Path) -> None:
        wait_for_scribe(path)
        super().__init__(path, alone=True)
        self.news: News = lambda: None
        self._scribe: Scribe | None = None
        self._flights: deque[Flight] = deque()
        self._page: Page | None = None
        #: between ``begin`` and the end of the batch; and whether its transaction has begun
        self._open = self._begun = self._sure = False
        #: what parked events wait for, and perhaps more; None when that is not known
        self._waits: set[str] | None = None
        self._last_id = 0

    def close(self) -> None:
        with contextlib.suppress(Conflict):
            self.land()
        if self._scribe is not None:
            self._scribe.close()
        super().close()

    # ── batches that are on their way ────────────────────────────────────────

    def hand_over(self) -> Flight | None:
        """Let the batch be written while the next one is decided.

        ``None`` when it had to be written in place: then it is committed.
        """
        page = self._page
        if page is None:
            self.commit()
            return None
        self._open, self._page = False, None
        if any(flight.error for flight in self._flights) or not (
            self._scribe and self._scribe.alive
        ):
            self.land()  # what this batch was decided on may not have come to be
            self._ground()
        if self._scribe is None:
            self._scribe = Scribe(self.path, lambda: self.news())
        self._clear()
        if self._waits is None and not self._flights:
            self._waits = self._waited_for()
        self._note(page)
        opened = [row[0] for row in page.ledgers if row[1] is not None]
        if opened:
            self._last_id = max(opened)
        self.sealed = {}
        flight = self._scribe.write(page)
        self._flights.append(flight)
        return flight

    def land(self) -> None:
        """Wait until all that was handed over is written; ``Conflict`` when something was not."""
        failed = None
        while self._flights:
            flight = self._flights.popleft()
            flight.landed.wait()
            failed = failed or flight.error
        if failed is not None:
            self._ground()
            raise Conflict(f"A batch before this one was not written: {failed}")

    def _clear(self) -> None:
        """Forget flights that have landed well."""
        while self._flights and self._flights[0].landed.is_set() and not self._flights[0].error:
            self._flights.popleft()

    def _ground(self) -> None:
        """Behind a batch that was not written, a scribe takes no other: another one begins."""
        self._waits, self._last_id = None, 0
        if self._scribe is not None:
            self._scribe.close()
            self._scribe = None

    def _waited_for(self) -> set[str] | None:
        found = self.rows(
            "SELECT waits FROM event WHERE waits IS NOT NULL LIMIT ?", (_WAITS_MAX + 1,)
        )
        return {row[0] for row in found} if len(found) <= _WAITS_MAX else None

    def _note(self, page: Page) -> None:
        """Remember what the events of a page wait for, unless it gets too much."""
        if self._waits is not None:
            self._waits.update(row[_EVENT_WAITS] for row in page.unsealed if row[_EVENT_WAITS])
            self._waits.update(row[3] for row in page.settled if row[3])
            if len(self._waits) > _WAITS_MAX:
                self._waits = None

    # ── reading ──────────────────────────────────────────────────────────────

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        if self._flights and not self._sure:
            self.land()
        return super().rows(statement, values)

    def stream(self, statement: str, values: Sequence[Any] = ()) -> Any:
        self.land()
        return super().stream(statement, values)

    @contextlib.contextmanager
    def _unless(self, touched: bool) -> Any:
        """Read at once, unless what is read is on its way."""
        if touched:
            self.land()
        self._sure = True
        try:
            yield
        finally:
            self._sure = False

    def edition(self) -> int:
        with self._unless(False):  # versions are never on their way
            return super().edition()

    def events(self, keys: Iterable[str]) -> list[EventRow]:
        self._clear()
        wanted = list(keys)
        with self._unless(any(not each.keys.isdisjoint(wanted) for each in self._flights)):
            return super().events(wanted)

    def cards(self, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], int]:
        self._clear()
        with self._unless(any(not each.cards.isdisjoint(keys) for each in self._flights)):
            return super().cards(keys)

    def accounts(self, ids: Sequence[int]) -> list[AccountRow]:
        self._clear()
        with self._unless(any(not each.accounts.isdisjoint(ids) for each in self._flights)):
            return super().accounts(ids)

    def ready(self, count: int) -> list[EventRow]:
        self._clear()
        with self._unless(any(map(self._stirs, self._flights))):
            return super().ready(count)

    def _stirs(self, flight: Flight) -> bool:
        """Whether a batch may change what is ready to be decided."""
        return flight.stirs or self._waits is None or not self._waits.isdisjoint(flight.arrived)

    def new_ids(self, count: int) -> list[int]:
        self._clear()
        if self._flights and self._last_id:
            return list(range(self._last_id + 1, self._last_id + 1 + count))
        with self._unless(any(each.accounts for each in self._flights)):
            return super().new_ids(count)

    # ── writing ──────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """A batch begins; its transaction does with the first change."""
        self._open, self._page = True, None

    def lock_file(self) -> None:
        super().lock_file()
        self._begun = True

    def _change(self) -> None:
        """Something is about to be changed in place, behind all that is on its way."""
        if self._begun:
            return
        self.land()
        self._last_id = 0  # this batch may open accounts, which a flight after it has to see
        if self._open:
            self.lock_file()
            page, self._page = self._page, None
            if page is not None:
                self.write(page)

    def write(self, page: Page) -> None:
        if self._begun:
            self._note(page)
            super().write(page)
        else:
            self._page = page

    def execute(self, statement: str, values: Sequence[Any] = ()) -> int:
        self._change()
        return super().execute(statement, values)

    def commit(self) -> None:
        if self._page is not None:
            self._change()
        if self._begun:
            super().commit()
        self._open = self._begun = False

    def rollback(self) -> None:
        self._open, self._begun, self._page = False, False, None
        super().rollback()


# ── the scribe's own side ────────────────────────────────────────────────────


class OwnBooks(SqliteBooks):
    """The books as the scribe writes them. It remembers the chain values that it has made.

    The desk leaves one out only where the scribe wrote the account last: whatever the desk
    has read, or has written in place since, comes with its chain value.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path, alone=True)
        self._heads: dict[int, bytes] = {}

    def chain_values(self, ids: Sequence[int]) -> dict[int, bytes]:
        heads = self._heads
        unknown = [number for number in ids if number not in heads]
        found = super().chain_values(unknown) if unknown else {}
        return found | {number: heads[number] for number in ids if number in heads}

    def commit(self) -> None:
        super().commit()
        if len(self._heads) > _HEADS_MAX:
            self._heads.clear()
        self._heads.update(self.sealed)


def wait_for_scribe(path: str | Path) -> None:
    """Wait until no scribe writes to a file any more."""
    with open(f"{path}.scribe", "a+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)


def serve(books: Books, to: socket.socket) -> None:
    """Write what comes, and say for each batch what became of it."""
    pages: SimpleQueue[bytearray | None] = SimpleQueue()
    gone = threading.Event()

    def listen() -> None:
        with contextlib.suppress(OSError):
            while data := _receive(to):
                pages.put(data)
        gone.set()
        pages.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while (data := pages.get()) is not None and not gone.is_set():
        kind, message = _written(books, _PAGE.decode(data))
        answer = msgpack.encode((kind, message))
        to.sendall(_LENGTH.pack(len(answer)) + answer)
        if kind:
            return
        books.tidy()


def _written(books: Books, page: Page) -> tuple[str, str]:
    try:
        books.begin()
        books.write(page)
        books.commit()
    except Exception as error:
        books.rollback()
        kind = type(error).__name__
        return kind if kind in _ERRORS else "Outage", str(error)
    return "", ""


def _receive(of: socket.socket) -> bytearray:
    """A message; empty at the end."""
    head = _exactly(of, _LENGTH.size)
    return _exactly(of, _LENGTH.unpack(head)[0]) if head else head


def _exactly(of: socket.socket, count: int) -> bytearray:
    data = bytearray(count)
    rest = memoryview(data)
    while rest:
        part = of.recv_into(rest)
        if not part:
            return bytearray()
        rest = rest[part:]
    return data


def main(path: str, descriptor: str, desk: str) -> None:
    """Hold the lock, and write until the other side has ended.

    What asks a whole group of processes to end is left to the desk, which answers first.
    """
    gc.set_threshold(_ROWS_MAX)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(f"{path}.scribe", "a+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        if os.getppid() != int(desk):
            return  # it ended before there was a lock, and another desk may be at work
        with socket.socket(fileno=int(descriptor)) as to, OwnBooks(path) as books:
            serve(books, to)


if __name__ == "__main__":
    main(*sys.argv[1:])
