"""Line: callers wait here for the commit of their batch, without a thread each.

Events of tills and bulk loads stand in two lines with limits of their own, so that a bulk
load that is turned away turns no till away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from kantis.core.events import Event
from kantis.desk.batch import Request
from kantis.desk.post import Post
from kantis.desk.results import Result
from kantis.desk.submit import BULK_FROM, Desk
from kantis.desk.waiting import Waiting
from kantis.doors.api.problems import Problem
from kantis.store.books import Conflict, Outage

#: Events that may wait at once, in small requests and in bulk.
TILLS_MAX: Final = 2_000
BULK_MAX: Final = 10_000
RETRY_AFTER_S: Final = 1

#: Is called in the event loop once a request has its answer, or its error.
Tell = Callable[[Waiting], None]


class Line:
    """The line of one event loop before one desk."""

    def __init__(self, desk: Desk, *, tills_max: int = TILLS_MAX, bulk_max: int = BULK_MAX) -> None:
        self._loop = asyncio.get_running_loop()
        self._post = Post(desk, self._told)
        self._max = tills_max, bulk_max
        self._open: dict[Waiting, Tell] = {}
        #: what has come in this round of the event loop, and is handed in together
        self._fresh: list[tuple[Request, Tell]] = []
        #: how many events wait, of tills and in bulk
        self.waiting = [0, 0]
        self._closing = False

    @property
    def alive(self) -> bool:
        """Whether events are taken and answered."""
        return self._post.alive and not self._closing

    async def submit(self, program: str, events: list[Event], key: int = 0) -> list[Result]:
        """What became of events, after their commit; ``Problem`` when they are not taken.

        With the number of a key they are refused where that is revoked by then.
        """
        future: asyncio.Future[list[Result]] = self._loop.create_future()
        self.take(Request(program, events, False, key), partial(_settle, future))
        try:
            return await future
        except (Outage, Conflict) as error:
            raise Problem("unusable", retry_after=str(RETRY_AFTER_S)) from error

    def take(self, request: Request, tell: Tell) -> None:
        """Let a request stand in line; ``Problem`` when it is not taken."""
        count = len(request.events)
        bulk = int(count > BULK_FROM)
        if self._closing:
            raise Problem("closing", retry_after=str(RETRY_AFTER_S))
        if self.waiting[bulk] + count > self._max[bulk]:
            raise Problem("busy", retry_after=str(RETRY_AFTER_S))
        if not self._fresh:
            self._loop.call_soon(self._hand_in)
        self._fresh.append((request, tell))
        self.waiting[bulk] += count

    async def close(self) -> None:
        """Answer those who wait, and take nobody else."""
        self._closing = True
        self._hand_in()
        await asyncio.to_thread(self._post.close)

    def _hand_in(self) -> None:
        fresh, self._fresh = self._fresh, []
        if fresh:
            waiting = self._post.put([request for request, _ in fresh])
            self._open.update(zip(waiting, (tell for _, tell in fresh), strict=True))

    def _told(self, those: list[Waiting]) -> None:
        self._loop.call_soon_threadsafe(self._answer, those)

    def _answer(self, those: list[Waiting]) -> None:
        for waiting in those:
            count = len(waiting.request.events)
            self.waiting[int(count > BULK_FROM)] -= count
            self._open.pop(waiting)(waiting)


def _settle(future: asyncio.Future[list[Result]], waiting: Waiting) -> None:
    if future.done():  # the caller has hung up; the event is decided all the same
        return
    if waiting.error is not None:
        future.set_exception(waiting.error)
    else:
        assert waiting.answer is not None
        future.set_result(waiting.answer)
