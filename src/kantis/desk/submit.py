"""Submit: the one way in.

Guarantee: nobody is answered before the commit that holds their event. Requests that
come while a batch runs are joined into the next one, so that many tills share one
commit; an import gets at most every other place, so that a till waits for one batch of it.

Whoever comes first works for all: there is no thread of its own.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

from kantis.core.events import Event
from kantis.desk.batch import READY_MAX, Batch, Request
from kantis.desk.cache import Cache
from kantis.desk.programs import Engine, Homes
from kantis.desk.publish import publish
from kantis.desk.results import UNKNOWN, Result, refuse
from kantis.desk.sweep import checkpoint, sweep
from kantis.store.books import Books, Conflict, Outage, Unknown
from kantis.store.schema import READY

#: Events of small requests that are joined into one batch.
BATCH_MAX: Final = 1_000
#: A request with more events than this, or an import, waits in the second queue.
BULK_FROM: Final = 100
_TRIES: Final = 50


def wall_clock() -> int:
    """Milliseconds since 1970, as the machine's clock shows them."""
    return time.time_ns() // 1_000_000


class _Waiting:
    """A request and, later, its answer; or the turn to work for all who wait."""

    __slots__ = ("answer", "error", "gate", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.answer: list[Result] | None = None
        self.error: BaseException | None = None
        self.gate = threading.Lock()
        self.gate.acquire()

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None


class Desk:
    """The desk of one process. Any thread may submit."""

    def __init__(
        self,
        books: Books,
        *,
        engine: Engine | None = None,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        self.books = books
        self.engine = engine or Engine()
        self.clock = clock
        self.homes = Homes(self.engine)
        self.cache = Cache() if books.alone else None
        self.lock = threading.RLock()
        self._queues = threading.Lock()
        self._working = False
        self._tills: deque[_Waiting] = deque()
        self._bulk: deque[_Waiting] = deque()
        self.on_close: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish the running batch and let go of the books."""
        with self.lock:
            self.books.close()
            if self.on_close is not None:
                self.on_close()

    # ── submit ───────────────────────────────────────────────────────────────

    def submit(
        self, events: Sequence[Event], *, program: str = "", importing: bool = False
    ) -> list[Result]:
        """Record and decide events; the answers come in the same order, after the commit.

        An import takes each event's own time as the instant of its receipt. ``Outage``
        when the books cannot be used: then nothing was recorded.
        """
        waiting = _Waiting(Request(program, list(events), importing))
        queue = self._bulk if importing or len(waiting.request.events) > BULK_FROM else self._tills
        with self._queues:
            queue.append(waiting)
            mine, self._working = not self._working, True
        if not mine:
            waiting.gate.acquire()
        if not waiting.done:
            self._work_until(waiting)
        if waiting.error is not None:
            raise waiting.error
        assert waiting.answer is not None
        return waiting.answer

    def _work_until(self, mine: _Waiting) -> None:
        """Run batches until one has held the request, then let somebody else work."""
        try:
            while not mine.done:
                with self.lock:
                    self._work()
        finally:
            with self._queues:
                following = (self._tills or self._bulk or [None])[0]
                self._working = following is not None
            if following is not None:
                following.gate.release()

    def quote(self, events: Sequence[Event], *, program: str = "") -> list[Result]:
        """What ``submit`` would answer now: the real path, rolled back. It promises nothing."""
        with self.lock:
            self.books.begin()
            try:
                self.homes.refresh(self.books)
                batch = Batch(self.books, self.homes, None, self.clock())
                batch.decide([Request(program, list(events))], ready=0)
                return batch.results()[0]
            finally:
                self.books.rollback()

    # ── the other verbs ──────────────────────────────────────────────────────

    def settle(self) -> int:
        """Decide follow-ups, and what is known now, until nothing is ready; how many there were."""
        count = 0
        while True:
            with self.lock:
                found = len(self.books.waiting(READY, READY_MAX))
            if not found:
                return count
            count += found
            self.submit([])

    def publish(self, name: str, since: int, source: str, tree: Any) -> int:
        """Record a version of a program that holds from an instant on; its number."""
        return publish(self, name, since, source, tree)

    def sweep(self, until: int | None = None, count: int = 1_000) -> int:
        """Let time pass for the accounts that are due; how many there were."""
        return sweep(self, until, count)

    def checkpoint(self) -> int:
        """Commit to all entries since the last checkpoint; its number, 0 when nothing changed."""
        return checkpoint(self)

    def retry(self, key: str) -> bool:
        """Let a parked event, or one that was set aside, be decided by the next batch.

        An ask that was set aside is not tried again: whoever asked has gone home.
        """
        with self.lock:
            rows = [row for row in self.books.events([key]) if not row.ask]
            return any(self.books.retry(row.n, "tried again") for row in rows)

    def clear_flag(self, n: int) -> bool:
        """Somebody has looked at a flag."""
        with self.lock:
            return self.books.clear_flag(n, self.clock())

    # ── batches ──────────────────────────────────────────────────────────────

    def _work(self) -> None:
        """Join what waits into one batch, and answer all of it."""
        joined: list[_Waiting] = []
        count = 0
        with self._queues:
            while self._tills and count < BATCH_MAX:
                joined.append(self._tills.popleft())
                count += len(joined[-1].request.events)
            if self._bulk:
                joined.append(self._bulk.popleft())
        try:
            answers = self.transact([waiting.request for waiting in joined])
            for waiting, answer in zip(joined, answers, strict=True):
                waiting.answer = answer
        except BaseException as error:
            for waiting in joined:
                waiting.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            for waiting in joined:
                if waiting.gate.locked():
                    waiting.gate.release()
        self.books.tidy()

    def transact(self, requests: list[Request]) -> list[list[Result]]:
        """Run one batch; if it cannot be written, find the event at fault. The lock is held."""
        try:
            return self._transact(requests)
        except (Conflict, Outage):
            raise
        except Exception:
            return self._one_by_one(requests)

    def _one_by_one(self, requests: list[Request]) -> list[list[Result]]:
        """Each event in a batch of its own, so that only the one at fault is set aside."""
        answers = [
            [self._single(Request(each.program, [event], each.importing)) for event in each.events]
            for each in requests
        ]
        while self.books.waiting(READY, 1):
            self._careful([], 1)
        return answers

    def _single(self, request: Request) -> Result:
        try:
            return self._careful([request], 0)[0][0]
        except (Conflict, Outage):
            raise
        except Exception:
            return refuse(request.events[0].key, "malformed-body")

    def _careful(self, requests: list[Request], ready: int) -> list[list[Result]]:
        """A batch of one event, which is set aside if it cannot be written."""
        try:
            return self._transact(requests, ready)
        except (Conflict, Outage):
            raise
        except Exception as error:
            return self._transact(requests, ready, f"{type(error).__name__}: {error}")

    def _transact(
        self, requests: list[Request], ready: int = READY_MAX, aside: str = ""
    ) -> list[list[Result]]:
        """Run one batch, again when somebody else was faster."""
        books = self.books
        for attempt in range(_TRIES):
            try:
                books.begin()
                self.homes.refresh(books)
                batch = Batch(books, self.homes, self.cache, self.clock())
                batch.decide(requests, ready, aside)
                batch.write()
                books.commit()
            except Conflict:
                self.forget()
                time.sleep(0.001 * min(attempt, 20))
                continue
            except Unknown:
                self.forget()
                return [
                    [Result(event.key, UNKNOWN) for event in request.events] for request in requests
                ]
            except BaseException:
                self.forget()
                raise
            batch.keep()
            return batch.results()
        raise Outage("Others kept changing the same accounts; nothing was recorded. Try again.")

    def forget(self) -> None:
        """Roll back, and believe nothing that was read."""
        if self.cache is not None:
            self.cache.clear()
        self.books.rollback()
