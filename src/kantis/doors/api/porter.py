"""Porter: asks the books whose keys were shown, for all who have come meanwhile at once.

Guarantee: what a caller is told was asked after the caller came, so a key that was revoked
does nothing from the next request on, though hundreds of requests share one look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from kantis.store.rows import KeyRow

#: Looks secrets up in the books.
Ask = Callable[[list[str]], Awaitable[dict[str, KeyRow | None]]]


class Porter:
    """Of one event loop."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._next: dict[str, asyncio.Future[KeyRow | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def find(self, secret: str) -> KeyRow | None:
        """The key, unless it is unknown or revoked now."""
        future = self._next.get(secret)
        if future is None:
            future = self._next[secret] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = asyncio.create_task(self._work())
        return await asyncio.shield(future)  # who hangs up takes nobody's answer away

    async def _work(self) -> None:
        while self._next:
            asked, self._next = self._next, {}
            try:
                found = await self._ask(list(asked))
            except Exception as error:
                for future in asked.values():
                    future.set_exception(error)
            else:
                for secret, future in asked.items():
                    future.set_result(found[secret])
        self._asking = None
