"""Server: uvicorn's HTTP, with the head and the body of an answer in one write, and with a lane.

A write is a call of the kernel that costs more than all else that the server does for an answer.
What the ``lane`` of the application takes gets past the framework; for the server it is a request
like any other, whose answer comes later.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from kantis.doors.api.lane import BYTES_MAX, Lane

#: Headers of requests that go the long way: their body, or the answer, needs more than a look.
_LONG: Final = (b"transfer-encoding", b"expect", b"upgrade")


class Joined:
    """A transport that holds the head of an answer back until its body comes.

    What is held is written at the latest when the event loop goes round, also where no body
    comes at all.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write, or hold back what is a head."""
        if self._held:
            data, self._held = self._held + data, b""
            self._transport.write(data)
        elif data[-4:] == b"\r\n\r\n" and data[:5] == b"HTTP/":
            self._held = data
            self._loop.call_soon(self.flush)
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Write what is held back."""
        if self._held:
            data, self._held = self._held, b""
            self._transport.write(data)

    def close(self) -> None:
        """Write what is held back, and close."""
        self.flush()
        self._transport.close()


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 of one connection."""

    #: the body so far of a request that the lane may take
    _parts: list[bytes] | None = None
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Joined(transport, self.loop))  # type: ignore[arg-type]
        self._lane: Lane = self.config.app.lane  # type: ignore[union-attr]

    def on_headers_complete(self) -> None:
        if self._is_for_the_lane():
            self._parts, self._size = [], 0
        else:
            super().on_headers_complete()

    def _is_for_the_lane(self) -> bool:
        """Whether there is anything to wait for before the body is whole: nothing before it is
        under way, and it is what the lane is for."""
        parser, before = self.parser, self.cycle
        return (
            self.url == self._lane.target
            and parser.get_method() == b"POST"
            and (before is None or before.response_complete)
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not self.flow.write_paused
        )

    def on_body(self, body: bytes) -> None:
        if self._parts is None:
            super().on_body(body)
            return
        self._parts.append(body)
        self._size += len(body)
        if self._size > BYTES_MAX:
            self._go_the_long_way()

    def on_message_complete(self) -> None:
        if self._parts is None:
            super().on_message_complete()
        elif self._takes(dict(self.headers), b"".join(self._parts)):
            self._parts = None
        else:
            self._go_the_long_way()
            super().on_message_complete()

    def _takes(self, headers: dict[bytes, bytes], body: bytes) -> bool:
        """Whether the lane takes a request, which then is under way."""
        if len(headers) < len(self.headers) or any(each in headers for each in _LONG):
            return False
        wire = Underway(self)
        taken = self._lane.take(wire, headers, body, self._address(headers))
        if taken:
            self.cycle = wire  # type: ignore[assignment]
        return taken

    def _go_the_long_way(self) -> None:
        """Hand the application what has come of a request, as if it came now."""
        parts, self._parts = self._parts or [], None
        super().on_headers_complete()
        for each in parts:
            super().on_body(each)

    def _address(self, headers: dict[bytes, bytes]) -> str:
        """Where a request comes from, as a proxy says it that is trusted."""
        host = self.client[0] if self.client else ""
        said = headers.get(b"x-forwarded-for")
        if said and isinstance(self.app, ProxyHeadersMiddleware) and host in self.app.trusted_hosts:
            named, _ = self.app.trusted_hosts.get_trusted_client_address(said.decode("latin-1"))
            return named or host
        return host


class Underway:
    """A request in the lane, as the server sees it among its own."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol: Protocol | None = protocol
        self.response_complete = self.disconnected = False
        self.keep_alive = True
        self.message_event = _NOBODY_WAITS

    def answer(self, status: int, headers: bytes, body: bytes) -> None:
        """Write the answer, unless the caller has hung up."""
        self.response_complete = True
        protocol, self._protocol = self._protocol, None  # each holds the other no longer
        if protocol is None or self.disconnected:
            return
        parts = [STATUS_LINE[status]]
        for each in protocol.server_state.default_headers:
            parts.append(b"%b: %b\r\n" % each)
        parts += [headers, b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n", body]
        protocol.transport.write(b"".join(parts))
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()


_NOBODY_WAITS: Final = asyncio.Event()
