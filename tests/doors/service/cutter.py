"""A proxy between the service and PostgreSQL that cuts a connection at its COMMIT.

It reads the protocol of the client's side message by message: the text of simple queries, of
statements that are prepared, and which of those is executed. It listens on a socket in a folder
of its own, as PostgreSQL does.
"""

import contextlib
import socket
import struct
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

PORT = 5432
#: When to cut: before COMMIT gets through, or after it was executed and before that is told.
BEFORE, AFTER = "before", "after"
#: What the server says when a transaction is committed.
_COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"


class Cutter:
    """Passes everything on; once it is ``armed`` it cuts at the next COMMIT."""

    def __init__(self, url: str, folder: Path) -> None:
        parts = urlsplit(url)
        self._server = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.{PORT}"
        query = urlencode({"host": str(folder)}, safe="/")
        self.url = urlunsplit(parts._replace(query=query))
        self.armed, self.cuts = "", 0
        self._lock = threading.Lock()
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(f"{folder}/.s.PGSQL.{PORT}")
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those that are there go on."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                for each in (self._ask, self._answer):
                    threading.Thread(target=each, args=(client, server), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        said = _Said()
        with client, contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                if said.commit(data) and self._fires(BEFORE):
                    break
                server.sendall(data)
        _hang_up(client, server)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with server, contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                if _COMMITTED in data and self._fires(AFTER):
                    break
                client.sendall(data)
        _hang_up(client, server)

    def _fires(self, how: str) -> bool:
        with self._lock:
            if self.armed != how:
                return False
            self.armed = ""
            self.cuts += 1
            return True


class _Said:
    """What a client sends, as messages."""

    def __init__(self) -> None:
        self._rest = b""
        self._started = False
        #: names of prepared statements that are a COMMIT
        self._names: set[bytes] = set()

    def commit(self, data: bytes) -> bool:
        """Whether a COMMIT is among what has come; messages that are not whole yet wait."""
        self._rest += data
        found = False
        while True:
            head = 1 if self._started else 0  # the first message has no letter
            if len(self._rest) < head + 4:
                return found
            (size,) = struct.unpack_from(">I", self._rest, head)
            if len(self._rest) < head + size:
                return found
            kind, body = self._rest[:head], self._rest[head + 4 : head + size]
            self._rest, self._started = self._rest[head + size :], True
            found = self._is_commit(kind, body) or found

    def _is_commit(self, kind: bytes, body: bytes) -> bool:
        words = body.split(b"\0")
        if kind == b"P" and words[1].strip().upper() == b"COMMIT":
            self._names.add(words[0])
        return (kind == b"Q" and words[0].strip().upper() == b"COMMIT") or (
            kind == b"B" and words[1] in self._names
        )


def _hang_up(*ends: socket.socket) -> None:
    for each in ends:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
