"""Window: look-ups and quotes are handed in here, and answered by a few threads that read.

Guarantee: each is answered with what was committed before it was handed in, perhaps with
more, and none waits for a batch. What comes in one round of the event loop goes to one
thread together, and its answers come back together: a hop from thread to thread costs as
much as a look-up. Another thread helps where some wait for longer than a slow look-up takes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from kantis.desk.readers import Readers
from kantis.desk.submit import Desk

#: So long one thread has all that waits to itself.
HELP_AFTER_S: Final = 0.005
#: Answers are told at the latest after so long, also where more are found out.
_TELL_AFTER_S: Final = 0.002

_T = TypeVar("_T")
#: What is asked, and who waits for it.
_Asked = tuple[Callable[[Desk], Any], "asyncio.Future[Any]"]
#: Who waits, with the answer or the error.
_Found = tuple["asyncio.Future[Any]", Any, BaseException | None]


class Window:
    """Of one event loop, with as many threads as ``count`` says."""

    def __init__(self, readers: Readers, count: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._readers = readers
        self._fresh: list[_Asked] = []
        self._open: deque[_Asked] = deque()
        self._news = threading.Condition()
        self._busy = 0
        self._closing = False
        self._help: asyncio.TimerHandle | None = None
        self._threads = [
            threading.Thread(target=self._attend, name=f"kantis-reader-{number}", daemon=True)
            for number in range(count)
        ]
        for each in self._threads:
            each.start()

    async def ask(self, ask: Callable[[Desk], _T]) -> _T:
        """What a reader answers."""
        future: asyncio.Future[_T] = self._loop.create_future()
        if not self._fresh:
            self._loop.call_soon(self._hand_in)
        self._fresh.append((ask, future))
        return await future

    def close(self) -> None:
        """Answer what was handed in, then stop."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        for each in self._threads:
            each.join()

    def _hand_in(self) -> None:
        fresh, self._fresh = self._fresh, []
        with self._news:
            self._open += fresh
            if not self._busy:
                self._news.notify()
            elif self._help is None:
                self._help = self._loop.call_later(HELP_AFTER_S, self._call_help)

    def _call_help(self) -> None:
        self._help = None
        with self._news:
            if self._open:
                self._news.notify()
                if self._busy < len(self._threads):
                    self._help = self._loop.call_later(HELP_AFTER_S, self._call_help)

    def _attend(self) -> None:
        while True:
            with self._news:
                while not self._open:
                    if self._closing:
                        return
                    self._news.wait()
                self._busy += 1
            try:
                self._serve()
            finally:
                with self._news:
                    self._busy -= 1

    def _serve(self) -> None:
        """Answer all that waits, in the order in which it came."""
        found: list[_Found] = []
        told = time.monotonic()
        while True:
            try:
                ask, future = self._open.popleft()
            except IndexError:
                break
            try:
                with self._readers.one() as reader:
                    found.append((future, ask(reader), None))
            except StopIteration as error:  # a future takes any error but this one
                found.append((future, None, RuntimeError(f"a look-up ended early: {error}")))
            except BaseException as error:
                found.append((future, None, error))
            if time.monotonic() - told > _TELL_AFTER_S:
                self._tell(found)
                found, told = [], time.monotonic()
        self._tell(found)

    def _tell(self, found: list[_Found]) -> None:
        if found:
            with suppress(RuntimeError):  # the event loop has ended, and nobody waits any more
                self._loop.call_soon_threadsafe(_answer, found)


def _answer(found: list[_Found]) -> None:
    for future, answer, error in found:
        if future.done():  # the caller has hung up
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(answer)
