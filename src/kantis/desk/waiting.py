"""Waiting: requests before their answer, and how they get it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from kantis.desk.batch import Batch, Request
from kantis.desk.results import UNKNOWN, Result
from kantis.store.scribe import Flight

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
        #: where whoever listens without the turn stands; who is told instead needs none
        self.gate: threading.Lock | None = None

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None

    def stand(self) -> None:
        """Be about to wait; under the lock of the queues."""
        if self.gate is None:
            self.gate = threading.Lock()
            self.gate.acquire()

    def wait(self) -> None:
        """Wait for the answer, or for the turn; what came before is there already."""
        if self.gate is not None and not (self.done or self.turn):
            self.gate.acquire()

    def wake(self) -> None:
        """Let whoever waits at the gate go on: there is an answer, or the turn."""
        if self.gate is not None:
            with suppress(RuntimeError):  # it is open already
                self.gate.release()


class Flying:
    """A batch on its way into the books, and who waits for it."""

    def __init__(self, batch: Batch, requests: list[Request], flight: Flight | None) -> None:
        self.batch, self.requests, self.flight = batch, requests, flight
        self.joined: list[Waiting] = []

    @property
    def landed(self) -> bool:
        """Whether it is there, or lost."""
        return self.flight is None or self.flight.landed.is_set()


def give(joined: list[Waiting], answers: list[list[Result]]) -> None:
    """Each gets its answer."""
    for waiting, answer in zip(joined, answers, strict=True):
        waiting.answer = answer
    _open(joined)


def fail(joined: list[Waiting], error: BaseException) -> None:
    """All get the same error."""
    for waiting in joined:
        waiting.error = error
    _open(joined)


def unknown(requests: list[Request]) -> list[list[Result]]:
    """The answers where nobody knows whether the batch was committed."""
    return [[Result(event.key, UNKNOWN) for event in request.events] for request in requests]


def _open(joined: list[Waiting]) -> None:
    """Those who wait at their gate go on; the others are told, once for a batch."""
    told: dict[Told, list[Waiting]] = {}
    for waiting in joined:
        waiting.wake()
        if waiting.told is not None:
            told.setdefault(waiting.told, []).append(waiting)
    for tell, those in told.items():
        tell(those)
