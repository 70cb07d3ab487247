"""Post: requests that are handed in, and whose answers are told.

Guarantee: whoever hands a request in never waits; each answer is told once, after the
commit that holds it, and all answers of a batch are told together. ``close`` finishes
what was handed in before it.

A thread of its own works at the desk, so that an event loop can serve callers meanwhile.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Final

from kantis.desk.batch import Request
from kantis.desk.submit import Desk
from kantis.desk.waiting import Told, Waiting
from kantis.store.books import Conflict, Outage

#: After so long without a request, what follows from the last ones is decided by itself.
_IDLE_S: Final = 0.2
#: Where a batch costs ways to a server and back, the next one waits for those who were just
#: answered: for this part of the time that theirs took, and never longer than that.
_PATIENCE: Final = 0.5
_PATIENCE_S_MAX: Final = 0.005


class Post:
    """The letter box of a desk. ``told`` is called in whichever thread ran the batch."""

    def __init__(self, desk: Desk, told: Told) -> None:
        self._desk, self._told = desk, told
        self._open: deque[Waiting] = deque()
        self._news = threading.Condition()
        self._closing = False
        #: how many may come before the next batch begins, and how long it waits for them
        self._expected, self._until = 0, 0.0
        self._patience_s_max = 0 if desk.books.alone else _PATIENCE_S_MAX
        self._thread = threading.Thread(target=self._attend, name="kantis-post", daemon=True)
        self._thread.start()

    def put(self, requests: Iterable[Request]) -> list[Waiting]:
        """Hand requests in; they join the batch that is forming."""
        with self._news:
            assert not self._closing, "the post is closed"
            waiting = self._desk.queue_all(requests, self._told)
            self._open += waiting
            self._news.notify()
        return waiting

    def close(self) -> None:
        """Answer what was handed in, then stop."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether requests are still worked on."""
        return self._thread.is_alive()

    def _attend(self) -> None:
        settled = False
        while True:
            with self._news:
                while not self._open and not self._closing:
                    if not self._news.wait(None if settled else _IDLE_S):
                        break
                self._linger()
                waiting = self._open[0] if self._open else None
                closing = self._closing
            if waiting is not None:
                settled = False
                self._work(waiting)
            elif closing:
                return
            else:
                settled = True
                with contextlib.suppress(Outage, Conflict):  # the next batch takes them up
                    self._desk.settle()

    def _work(self, waiting: Waiting) -> None:
        """Answer somebody, and with them all who have come until now."""
        begun = time.monotonic()
        with contextlib.suppress(Exception):  # whoever handed it in is told of it
            self._desk.answer(waiting)
        with self._news:
            self._expected = len(self._open)
            while self._open and self._open[0].done:
                self._open.popleft()
        now = time.monotonic()
        self._until = now + min((now - begun) * _PATIENCE, self._patience_s_max)

    def _linger(self) -> None:
        """Whoever has just been answered is about to come again: wait for a while, because one
        batch for all costs the books less than one for each half."""
        while len(self._open) < self._expected and not self._closing:
            left = self._until - time.monotonic()
            if left <= 0 or not self._news.wait(left):
                return
