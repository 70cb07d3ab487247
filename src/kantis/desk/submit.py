"""Submit: the one way in.

Guarantee: nobody is answered before the commit that holds their event. Requests that
come while a batch runs are joined into the next one, so that many tills share one
commit; an import gets at most every other place, so that a till waits for one batch of it.
Where books can be written by a process beside this one, the next batch is decided while
the one before it is written; batches are written, and answered, in the order of deciding.

Whoever comes first works for all: there is no thread of its own.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, Self

from msgspec import structs

from kantis.core.events import Event
from kantis.desk import chores, keys, shops
from kantis.desk.batch import READY_MAX, Batch, Request, ahead
from kantis.desk.cache import Cache
from kantis.desk.cancelling import cancel
from kantis.desk.filing import file_slips
from kantis.desk.programs import Engine, Homes
from kantis.desk.publish import publish
from kantis.desk.results import Result, refuse
from kantis.desk.sweep import checkpoint, sweep
from kantis.desk.waiting import Flying, Told, Waiting, fail, give, unknown
from kantis.store.books import Astray, Books, Conflict, Outage, Unknown
from kantis.store.schema import READY
from kantis.store.scribe import ScribedBooks

#: Events of small requests that are joined into one batch.
BATCH_MAX: Final = 1_000
#: A request with more events than this, or an import, waits in the second queue.
BULK_FROM: Final = 100
#: So many batches may be on their way into the books while another one is decided.
AHEAD: Final = 2
_TRIES: Final = 50

#: Who does something, as ``audit.By`` has it.
Who = tuple[str, ...]


def wall_clock() -> int:
    """Milliseconds since 1970, as the machine's clock shows them."""
    return time.time_ns() // 1_000_000


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
        self.homes = Homes(self.engine, (lambda: self.visits) if books.alone else None)
        self.cache: Cache | None = Cache(books.alone)
        self.keyring = keys.Keyring(books)
        self.lock = threading.RLock()
        self._queues = threading.Condition()
        self._working = False
        self._tills: deque[Waiting] = deque()
        self._bulk: deque[Waiting] = deque()
        self._flying: deque[Flying] = deque()
        #: who wants the books for themselves, and how many have had them
        self._guests = self.visits = 0
        self.on_close: Callable[[], None] | None = None
        #: set after a commit of events, for whoever tells others what has happened
        self.stirred = threading.Event()
        if isinstance(books, ScribedBooks):
            books.news = self._tell

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Answer those whose batch runs or is on its way, and let go of the books."""
        with self.quiet():
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
        return self.answer(self.queue(Request(program, list(events), importing)))

    def stream(
        self, batches: Iterable[Sequence[Event]], *, program: str = "", importing: bool = False
    ) -> Iterator[list[Result]]:
        """Submit batch after batch; each may be decided while those before it are written.

        The answers come in the same order, each after its commit. A stream that ends early
        takes back what no batch has joined: nobody decides it later.
        """
        ahead: deque[Waiting] = deque()
        try:
            for events in batches:
                ahead.append(self.queue(Request(program, list(events), importing)))
                if len(ahead) > AHEAD:
                    yield self.answer(ahead.popleft())
            while ahead:
                yield self.answer(ahead.popleft())
        finally:
            with self._queues:
                for queue in (self._tills, self._bulk):
                    for waiting in ahead:
                        with suppress(ValueError):
                            queue.remove(waiting)

    def queue(self, request: Request, told: Told | None = None) -> Waiting:
        """Let a request wait for the batch that is forming; ``answer`` has to be called for it."""
        return self.queue_all([request], told)[0]

    def queue_all(self, requests: Iterable[Request], told: Told | None) -> list[Waiting]:
        """Let requests wait; ``answer`` has to be called for each that is not done by then."""
        waiting = [Waiting(each, told) for each in requests]
        with self._queues:
            for each in waiting:
                bulk = each.request.importing or len(each.request.events) > BULK_FROM
                (self._bulk if bulk else self._tills).append(each)
            self._queues.notify()
        return waiting

    def answer(self, waiting: Waiting) -> list[Result]:
        """Wait for the answer, or work until it is there."""
        with self._queues:
            waiting.listens = True
            if not self._working:
                self._working = waiting.turn = True
            else:
                waiting.stand()
        try:
            waiting.wait()
            while waiting.turn and not waiting.done:
                self._let_in()
                with self.lock:
                    self._work()
        finally:
            self._leave(waiting)
        if waiting.error is not None:
            raise waiting.error
        assert waiting.answer is not None
        return waiting.answer

    def _leave(self, gone: Waiting) -> None:
        """Whoever has the turn lets somebody else work who waits for an answer."""
        with self._queues:
            gone.listens = False
            if not gone.turn:
                return
            gone.turn = False
            flying = (each for flight in self._flying for each in flight.joined)
            waiting = (*flying, *self._tills, *self._bulk)
            following = next((each for each in waiting if each.listens and not each.done), None)
            self._working = following is not None
            if following is not None:
                following.turn = True
                following.wake()

    def quote(self, events: Sequence[Event], *, program: str = "") -> list[Result]:
        """What ``submit`` would answer now: the real path, rolled back. It promises nothing."""
        with self.trial() as batch:
            batch.decide([Request(program, list(events))], ready=0)
            return batch.results()[0]

    @contextmanager
    def trial(self) -> Iterator[Batch]:
        """A batch that is taken back at the end, whatever it decides."""
        with self.quiet():
            self.books.begin()
            try:
                self.homes.refresh(self.books)
                yield Batch(self.books, self.homes, None, self.clock())
            finally:
                self.books.rollback()

    # ── the other verbs ──────────────────────────────────────────────────────

    def settle(self) -> int:
        """Decide follow-ups, and what is known now, until nothing is ready; how many there were."""
        count = 0
        while True:
            with self.quiet():
                found = len(self.books.waiting(READY, READY_MAX))
            if not found:
                return count
            count += found
            self.submit([])

    def publish(
        self, name: str, since: int, source: str, tree: Any, by: Who = ("desk",),
        after: int = -1, at_once: bool = False,
    ) -> int:  # fmt: skip
        """Record a version of a program that holds from an instant on; its number."""
        return publish(self, name, since, source, tree, by, after, at_once=at_once)

    def cancel(self, name: str, number: int, by: Who = ("desk",)) -> int:
        """Cancel a version that has not begun; the number of the newest one that is left."""
        return cancel(self, name, number, by)

    def sweep(self, until: int | None = None, count: int = 1_000) -> int:
        """Let time pass for the accounts that are due; how many there were."""
        return sweep(self, until, count)

    def checkpoint(self) -> int:
        """Commit to all entries since the last checkpoint; its number, 0 when nothing changed."""
        return checkpoint(self)

    def add_key(self, *given: Any) -> int:
        """Record the key of a caller (see ``keys.make``); its number."""
        return keys.add(self, *given)

    def revoke_key(self, prefix: str, by: Who = ("desk",), program: int = 0) -> bool:
        """Take a key away, at once; ``False`` when there is none of that prefix any more."""
        return keys.revoke(self, prefix, by, program)

    def file_slips(self, slips: Sequence[Any]) -> list[str]:
        """Write what the vault keeps of members (see ``filing``); what became of each slip."""
        return file_slips(self, slips)

    def add_shop(self, *given: Any) -> int:
        """Record a connection to a shop (see ``shops.add``); its number."""
        return shops.add(self, *given)

    def remove_shop(self, name: str) -> bool:
        """Take a connection away; ``False`` when there is none of that name."""
        return shops.remove(self, name)

    def hear(self, name: str, reports: bytes) -> list[Result]:
        """Take in what a shop tells (see ``shops.hear``)."""
        return shops.hear(self, name, reports)

    def chore(self, name: str, *given: Any) -> Any:
        """Do a small change of the books by its name (see ``chores``); its answer."""
        return chores.do(self, name, list(given))

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Nobody else uses the books, and no batch is on its way into them.

        However many batches wait, the one that runs is the last before it.
        """
        with self._queues:
            self._guests += 1
        try:
            with self.lock:
                self._land_all()
                try:
                    yield
                finally:
                    self.visits += 1  # before anybody else can use the books
        finally:
            with self._queues:
                self._guests -= 1
                self._queues.notify_all()

    def _let_in(self) -> None:
        """Between two batches, one of those who want the books for themselves has its turn."""
        with self._queues:
            served = self.visits
            while self._guests and self.visits == served:
                self._queues.wait()

    # ── batches ──────────────────────────────────────────────────────────────

    def _work(self) -> None:
        """Join what waits into one batch and run it; answer whose batches have landed."""
        joined = self._join()
        if joined:
            self._run(joined)
        elif self._flying:
            self._wait()
        while self._flying and (len(self._flying) > AHEAD or self._flying[0].landed):
            self._land()

    def _join(self) -> list[Waiting]:
        joined: list[Waiting] = []
        count = 0
        with self._queues:
            while self._tills and count < BATCH_MAX:
                joined.append(self._tills.popleft())
                count += len(joined[-1].request.events)
            if self._bulk:
                joined.append(self._bulk.popleft())
        return joined

    def _run(self, joined: list[Waiting]) -> None:
        """Decide a batch; write and answer it, or let it fly where several send."""
        requests = [waiting.request for waiting in joined]
        try:
            several = len(joined) > 1 or self._tills or self._bulk or self._flying
            flying = self._fly(requests) if several else None
            if flying is None:
                self._land_all()
                answers = self.transact(requests)
        except BaseException as error:
            fail(joined, error)
            if not isinstance(error, Exception):
                raise
            return
        if flying is None:
            give(joined, answers)
            self.stirred.set()
            self.books.tidy()
        else:
            flying.joined = joined
            with self._queues:
                self._flying.append(flying)

    def _fly(self, requests: list[Request]) -> Flying | None:
        """A batch that is decided and on its way; ``None`` where it has to be run in place."""
        books = self.books
        if not isinstance(books, ScribedBooks):
            return None
        try:
            batch = self._decided(requests, READY_MAX, "")
            flight = books.hand_over()
        except Exception:  # nothing is lost: in place its cause is found
            self.forget()
            return None
        except BaseException:
            self.forget()
            raise
        batch.keep()
        return Flying(batch, requests, flight)

    def _tell(self) -> None:
        """There is news of a batch that flies."""
        with self._queues:
            self._queues.notify()

    def _wait(self) -> None:
        """Wait until the first batch that flies has landed, or somebody comes."""
        with self._queues:
            while not (self._flying[0].landed or self._tills or self._bulk):
                self._queues.wait()

    def _land_all(self) -> None:
        while self._flying:
            self._land()

    def _land(self) -> None:
        """Answer those whose batch is first to land; one that did not is run in place."""
        flying = self._flying[0]
        error = None
        if flying.flight is not None:
            flying.flight.landed.wait()
            error = flying.flight.error
        with self._queues:
            self._flying.popleft()
        try:
            answers = flying.batch.results() if error is None else self._again(flying, error)
        except BaseException as again:
            fail(flying.joined, again)
            if not isinstance(again, Exception):
                raise
            return
        give(flying.joined, answers)
        self.stirred.set()
        if flying.flight is None:
            self.books.tidy()

    def _again(self, lost: Flying, error: Exception) -> list[list[Result]]:
        """Run a batch in place that was not written; those behind it were not either."""
        self.forget()
        assert isinstance(self.books, ScribedBooks)
        with suppress(Conflict):  # that is known now, and no reason for whoever comes next
            self.books.land()
        return (
            unknown(lost.requests) if isinstance(error, Unknown) else self.transact(lost.requests)
        )

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
            [self._single(structs.replace(each, events=[event])) for event in each.events]
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
        for attempt in range(_TRIES):
            try:
                batch = self._decided(requests, ready, aside)
                self.books.commit()
            except Conflict:
                self.forget()
                time.sleep(0.001 * min(attempt, 20))
                continue
            except Unknown:
                self.forget()
                return unknown(requests)
            except BaseException:
                self.forget()
                raise
            batch.keep()
            return batch.results()
        raise Outage("Others kept changing the same accounts; nothing was recorded. Try again.")

    def _decided(self, requests: list[Request], ready: int, aside: str) -> Batch:
        """A batch that is decided and written down, but not committed."""
        books = self.books
        if books.alone:
            books.begin()
        else:
            books.begin_asking(ahead(requests, self.homes, self.cache, ready))
        try:
            return self._decide(requests, ready, aside)
        except Astray:
            books.rollback()
            books.begin()
            return self._decide(requests, ready, aside)

    def _decide(self, requests: list[Request], ready: int, aside: str) -> Batch:
        books = self.books
        self.homes.refresh(books)
        batch = Batch(books, self.homes, self.cache, self.clock())
        batch.decide(requests, ready, aside)
        batch.write()
        return batch

    def forget(self) -> None:
        """Roll back, and believe nothing that was read."""
        if self.cache is not None:
            self.cache.clear()
        self.books.rollback()
