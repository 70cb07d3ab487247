"""Server: uvicorn's HTTP, with the head and the body of an answer in one write.

A write is a call of the kernel that costs more than all else that the server does for an answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


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

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Joined(transport, self.loop))  # type: ignore[arg-type]
