"""Writer: several processes, one file of books.

Whoever has the lease of a SQLite file writes; the others send their requests over a local
socket beside it, where they join the batch that is forming and are answered after its
commit. PostgreSQL needs none of this: each process has a desk of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

from msgspec import msgpack

from kantis.core.events import Event
from kantis.core.knobs import Fault, ProgramError
from kantis.desk import lease
from kantis.desk.batch import Request
from kantis.desk.programs import Engine
from kantis.desk.results import UNKNOWN, Result
from kantis.desk.submit import Desk, Who, wall_clock
from kantis.store.books import Books, Conflict, Outage
from kantis.store.scribe import ScribedBooks
from kantis.store.sqlite import SqliteBooks

_LENGTH: Final = struct.Struct(">I")
_REQUEST = msgpack.Decoder(Request)
_RESULTS = msgpack.Decoder(list[Result])
_FAULTS = msgpack.Decoder(list[Fault])
_PATIENCE_S: Final = 10.0


def open_desk(
    url: str,
    *,
    engine: Engine | None = None,
    clock: Callable[[], int] = wall_clock,
) -> Desk | RemoteDesk:
    """The desk of an installation: ``sqlite:///path``, a bare path, or ``postgresql://…``."""
    if url.startswith(("postgresql://", "postgres://")):
        from kantis.store.postgres import PostgresBooks

        shared: Books = PostgresBooks(url)
        try:
            shared.migrate()
        except BaseException:
            shared.close()
            raise
        return Desk(shared, engine=engine, clock=clock)
    path = Path(url.removeprefix("sqlite:///")).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    give_up = time.monotonic() + _PATIENCE_S
    while True:
        held = lease.take(path)
        if held is not None:
            return _first(path, held, engine, clock)
        with contextlib.suppress(OSError):
            return RemoteDesk(path)
        if time.monotonic() > give_up:
            raise Outage(
                f"Process {lease.holder(path)} has the lease of {path} and does not answer. "
                "Wait until it has ended, or end it."
            )
        time.sleep(0.02)


def _first(path: Path, held: lease.Lease, engine: Engine | None, clock: Callable[[], int]) -> Desk:
    """The desk of the process that has the lease; it listens for the others."""
    try:
        books = ScribedBooks(path)
        books.migrate()
    except BaseException:
        held.release()
        raise
    desk = Desk(books, engine=engine, clock=clock)
    ear = Ear(desk, socket_file(path))

    def finish() -> None:
        ear.close()
        held.release()

    desk.on_close = finish
    return desk


def socket_file(books: Path) -> Path:
    """Where the holder of the lease listens; elsewhere if the name would be too long."""
    beside = books.with_name(books.name + ".socket")
    if len(os.fsencode(beside)) < 100:
        return beside
    name = hashlib.blake2b(os.fsencode(books), digest_size=12).hexdigest()
    return Path(tempfile.gettempdir()) / f"kantis-{os.getuid()}-{name}.socket"


# ── frames ───────────────────────────────────────────────────────────────────


def _send(to: socket.socket, verb: str, data: bytes) -> None:
    name = verb.encode().ljust(12)
    to.sendall(_LENGTH.pack(len(data)) + name + data)


def _receive(of: socket.socket) -> tuple[str, bytes]:
    head = _exactly(of, _LENGTH.size + 12)
    (length,) = _LENGTH.unpack_from(head)
    return head[_LENGTH.size :].decode().strip(), _exactly(of, length)


def _exactly(of: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = of.recv(min(count, 1 << 20))
        if not part:
            raise ConnectionError("the other side is gone")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


# ── the holder of the lease ──────────────────────────────────────────────────


class Ear:
    """Listens for requests of other processes and hands them to the desk."""

    def __init__(self, desk: Desk, path: Path) -> None:
        self._desk, self._path = desk, path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        self._socket.bind(str(path))
        path.chmod(0o600)
        self._socket.listen(128)
        threading.Thread(target=self._accept, name="kantis-ear", daemon=True).start()

    def close(self) -> None:
        """Stop listening; whoever waits for an answer learns that it is unknown."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller, contextlib.suppress(OSError):
            while True:
                verb, data = _receive(caller)
                try:
                    answer = self._answer(verb, data)
                except ProgramError as error:
                    _send(caller, "faults", msgpack.encode(error.faults))
                except Conflict as error:
                    _send(caller, "conflict", msgpack.encode(str(error)))
                except Exception as error:
                    _send(caller, "outage", msgpack.encode(f"{type(error).__name__}: {error}"))
                else:
                    _send(caller, "answer", answer)

    def _answer(self, verb: str, data: bytes) -> bytes:
        if verb in ("submit", "quote"):
            asked = _REQUEST.decode(data)
            if verb == "quote":
                return msgpack.encode(self._desk.quote(asked.events, program=asked.program))
            results = self._desk.submit(
                asked.events, program=asked.program, importing=asked.importing
            )
            return msgpack.encode(results)
        assert verb in VERBS, f"no verb is called {verb!r}"
        return msgpack.encode(getattr(self._desk, verb)(*msgpack.decode(data)))


#: What another process can ask for, beside ``submit``.
VERBS: Final = (
    "publish", "cancel", "settle", "sweep", "checkpoint", "add_key", "revoke_key",
    "file_slips", "add_shop", "remove_shop", "hear", "chore",
)  # fmt: skip


# ── the others ───────────────────────────────────────────────────────────────


class RemoteDesk:
    """The desk of another process, over its socket; ``books`` is for reading only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = wall_clock
        self._lock = threading.Lock()
        self._socket: socket.socket | None = self._connect()
        self.books = SqliteBooks(path, write=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the other desk."""
        self.books.close()
        if self._socket is not None:
            self._socket.close()

    def submit(
        self, events: Sequence[Event], *, program: str = "", importing: bool = False
    ) -> list[Result]:
        """As ``Desk.submit``. When the other process ends meanwhile, answers are unknown."""
        request = msgpack.encode(Request(program, list(events), importing))
        try:
            return _RESULTS.decode(self._ask("submit", request))
        except ConnectionError:
            return [Result(event.key, UNKNOWN) for event in events]

    def stream(
        self, batches: Iterable[Sequence[Event]], *, program: str = "", importing: bool = False
    ) -> Iterator[list[Result]]:
        """As ``Desk.stream``, one batch after the other."""
        for events in batches:
            yield self.submit(events, program=program, importing=importing)

    def quote(self, events: Sequence[Event], *, program: str = "") -> list[Result]:
        """As ``Desk.quote``."""
        request = msgpack.encode(Request(program, list(events)))
        return _RESULTS.decode(self._ask("quote", request))

    def publish(
        self, name: str, since: int, source: str, tree: Any, by: Who = ("desk",),
        after: int = -1, at_once: bool = False,
    ) -> int:  # fmt: skip
        """As ``Desk.publish``."""
        return int(self._call("publish", name, since, source, tree, by, after, at_once))

    def cancel(self, name: str, number: int, by: Who = ("desk",)) -> int:
        """As ``Desk.cancel``."""
        return int(self._call("cancel", name, number, by))

    def settle(self) -> int:
        """As ``Desk.settle``."""
        return int(self._call("settle"))

    def sweep(self, until: int | None = None, count: int = 1_000) -> int:
        """As ``Desk.sweep``."""
        return int(self._call("sweep", until, count))

    def checkpoint(self) -> int:
        """As ``Desk.checkpoint``."""
        return int(self._call("checkpoint"))

    def add_key(self, *given: Any) -> int:
        """As ``Desk.add_key``."""
        return int(self._call("add_key", *given))

    def revoke_key(self, prefix: str, by: Who = ("desk",), program: int = 0) -> bool:
        """As ``Desk.revoke_key``."""
        return bool(self._call("revoke_key", prefix, by, program))

    def file_slips(self, slips: Sequence[Any]) -> list[str]:
        """As ``Desk.file_slips``."""
        return list(self._call("file_slips", slips))

    def add_shop(self, *given: Any) -> int:
        """As ``Desk.add_shop``."""
        return int(self._call("add_shop", *given))

    def remove_shop(self, name: str) -> bool:
        """As ``Desk.remove_shop``."""
        return bool(self._call("remove_shop", name))

    def hear(self, name: str, reports: bytes) -> list[Result]:
        """As ``Desk.hear``."""
        try:
            return _RESULTS.decode(self._ask("hear", msgpack.encode((name, reports))))
        except ConnectionError as error:
            raise Outage(f"The process that writes has ended: {error}") from error

    def chore(self, name: str, *given: Any) -> Any:
        """As ``Desk.chore``."""
        return self._call("chore", name, *given)

    def _call(self, verb: str, *values: Any) -> Any:
        try:
            return msgpack.decode(self._ask(verb, msgpack.encode(values)))
        except ConnectionError as error:
            raise Outage(f"The process that writes has ended: {error}") from error

    def _ask(self, verb: str, data: bytes) -> bytes:
        with self._lock:
            if self._socket is None:
                self._socket = self._again()
            try:
                _send(self._socket, verb, data)
                kind, answer = _receive(self._socket)
            except OSError as error:
                self._socket.close()
                self._socket = None
                raise ConnectionError(str(error)) from error
        if kind == "faults":
            raise ProgramError(_FAULTS.decode(answer))
        if kind == "conflict":
            raise Conflict(msgpack.decode(answer))
        if kind == "outage":
            raise Outage(msgpack.decode(answer))
        return answer

    def _connect(self) -> socket.socket:
        to = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            to.connect(str(socket_file(self.path)))
        except OSError:
            to.close()
            raise
        return to

    def _again(self) -> socket.socket:
        """Another process may have taken the lease: find it."""
        give_up = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return self._connect()
            except OSError as error:
                if time.monotonic() > give_up:
                    raise Outage(f"Nobody writes to {self.path}. Open the desk again.") from error
            time.sleep(0.02)
