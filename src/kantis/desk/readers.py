"""Readers: connections beside the desk's own, for quotes and for whoever looks something up.

Guarantee: a reader changes nothing, and neither waits for a batch nor makes one wait. It
sees what is committed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from kantis.desk.programs import Homes
from kantis.desk.submit import Desk
from kantis.store.books import Outage


class Readers:
    """Some desks that only read. One thread has one at a time."""

    def __init__(self, desk: Desk, count: int) -> None:
        self._desk = desk
        self._free = [self._open() for _ in range(count)]
        self._left = threading.Semaphore(count)
        self._lock = threading.Lock()

    def _open(self) -> Desk:
        desk = self._desk
        reader = Desk(desk.books.reader(), engine=desk.engine, clock=desk.clock)
        if desk.books.alone:  # then whatever changes a program or a card visits that desk
            reader.homes = Homes(desk.engine, lambda: desk.visits)
        return reader

    @contextmanager
    def one(self) -> Iterator[Desk]:
        """A desk for reading, with all programs that are published now."""
        with self._left:
            with self._lock:
                desk = self._free.pop() if self._free else None
            if desk is None:
                desk = self._open()
            try:
                desk.homes.refresh(desk.books)
                yield desk
            except Outage:  # a connection that died: the next one is new
                with suppress(Exception):
                    desk.close()
                raise
            except BaseException:
                self._give_back(desk)
                raise
            self._give_back(desk)

    def _give_back(self, desk: Desk) -> None:
        with self._lock:
            self._free.append(desk)

    def close(self) -> None:
        """Let go of all that are free."""
        with self._lock:
            while self._free:
                self._free.pop().close()
