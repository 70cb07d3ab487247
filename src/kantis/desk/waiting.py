"""Waiting: requests before their answer, and how they get it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from kantis.desk.batch import Request
from kantis.desk.results import Result

Told = Callable[[list["Waiting"]], None]


class Waiting:
    """A request and, later, its answer; or the turn to work for all who wait.

    ``told`` is called with all those of a batch whose answer it takes, once they have it.
    Who ``listens`` can be given the ``turn``; both change under the lock of the queues only.
    """

    __slots__ = ("answer", "error", "gate", "listens", "request", "told", "turn")

    def __init__(self, request: Request, told: Told | None = None) -> None:
        self.request, self.told = request, told
        self.answer: list[Result] | None = None
        self.error: BaseException | None = None
        self.listens = self.turn = False
        self.gate = threading.Lock()
        self.gate.acquire()

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None

    def wake(self) -> None:
        """Let whoever waits at the gate go on: there is an answer, or the turn."""
        with suppress(RuntimeError):  # it is open already
            self.gate.release()
