"""Office: what the routes share while the service is up: the line, readers, keys, journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Concatenate, Final, ParamSpec, TypeVar

import structlog

from kantis.core.events import Event
from kantis.core.knobs import ProgramError
from kantis.desk import outbox
from kantis.desk.readers import Readers
from kantis.desk.results import Result
from kantis.desk.submit import Desk, wall_clock
from kantis.doors.api.access import Caller
from kantis.doors.api.journal import Journal
from kantis.doors.api.line import BULK_MAX, RETRY_AFTER_S, TILLS_MAX, Line
from kantis.doors.api.porter import Porter
from kantis.doors.api.problems import Problem
from kantis.doors.crew import Crew, Herald
from kantis.store.books import Conflict, Outage
from kantis.store.rows import KeyRow

READERS: Final = 2
#: Look-ups and quotes that may wait at once.
READS_MAX: Final = 500

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _log_fault(where: str, error: Exception) -> None:
    structlog.get_logger().error(where, error=type(error).__name__, exc_info=error)


class Office:
    """One per running service; made in its event loop."""

    def __init__(
        self,
        desk: Desk,
        *,
        tills_max: int = TILLS_MAX,
        bulk_max: int = BULK_MAX,
        jobs: bool = True,
        lan: bool = False,
    ) -> None:
        self.desk, self.lan = desk, lan
        self.line = Line(desk, tills_max=tills_max, bulk_max=bulk_max)
        self.journal = Journal()
        for queue, number in (("tills", 0), ("bulk", 1)):
            self.journal.figures.waiting.labels(queue).set_function(partial(self._waiting, number))
        self._readers = Readers(desk, READERS)
        self._crew = Crew(desk, _log_fault, lan=lan) if jobs else None
        self._herald = None if jobs or desk.books.alone else Herald(desk)
        self.journal.figures.webhooks(self._backlog, self._delivered)
        self._hand = ThreadPoolExecutor(1, "kantis-hand")
        self._threads = ThreadPoolExecutor(READERS, "kantis-reader")
        self._reads = 0
        self._names: dict[int, str] = {}
        self._callers: dict[int, Caller] = {}
        self._porter = Porter(self._look_up)

    def _waiting(self, queue: int) -> int:
        return self.line.waiting[queue]

    async def read(
        self, ask: Callable[Concatenate[Desk, _P], _T], *about: _P.args, **named: _P.kwargs
    ) -> _T:
        """What a reader answers; ``Problem`` when too many ask, or the books cannot be used."""
        if self._reads >= READS_MAX:
            raise Problem("busy", retry_after=str(RETRY_AFTER_S))

        def run() -> _T:
            with self._readers.one() as reader:
                return ask(reader, *about, **named)

        self._reads += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, run)
        except (Outage, Conflict) as error:
            raise Problem("unusable", retry_after=str(RETRY_AFTER_S)) from error
        finally:
            self._reads -= 1

    async def change(self, do: Callable[[Desk], _T]) -> _T:
        """What a small change of the books answers, one after the other; ``Problem`` when it
        is not done."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hand, do, self.desk)
        except ProgramError as error:
            raise Problem("bad-webhook", error.faults[0].message) from error
        except (Outage, Conflict) as error:
            raise Problem("unusable", retry_after=str(RETRY_AFTER_S)) from error

    def _backlog(self) -> dict[str, int]:
        with self._readers.one() as reader:
            found = outbox.backlog(reader.books)
        oldest = found["oldest"]
        return found | {"oldest_seconds": max(0, wall_clock() - oldest) // 1_000 if oldest else 0}

    def _delivered(self) -> dict[str, int]:
        return dict(self._crew.courier.counts) if self._crew is not None else {}

    async def submit(self, caller: Caller, events: list[Event]) -> list[Result]:
        """What became of a caller's events, after their commit."""
        results = await self.line.submit(caller.program, events)
        for each in results:
            self.journal.count(each.outcome)
        return results

    async def caller(self, secret: str) -> Caller:
        """Whose key this is; ``Problem`` when it is nobody's now."""
        keyring = self.desk.keyring
        try:
            row = keyring.find(secret)
        except LookupError:
            row = await self._porter.find(secret)
        if row is None:
            raise Problem("key-unknown", www_authenticate="Bearer")
        caller = self._callers.get(row.number)
        if caller is None:  # what a key is for never changes
            caller = self._callers[row.number] = Caller(
                row.prefix, await self._program(row), row.program, row.scope, row.source,
                row.location,
            )  # fmt: skip
        return caller

    async def _look_up(self, shown: list[str]) -> dict[str, KeyRow | None]:
        find = self.desk.keyring.find
        return await self.read(lambda reader: {each: find(each, reader.books) for each in shown})

    async def _program(self, row: KeyRow) -> str:
        """The name of a program, which never changes."""
        name = self._names.get(row.program)
        if name is None:
            found = await self.read(lambda reader: reader.books.programs())
            self._names = {number: each for each, number in found.items()}
            name = self._names[row.program]
        return name

    async def close(self) -> None:
        """Answer those who wait, and let go of the readers; the desk stays open."""
        for each in (self._crew, self._herald):
            if each is not None:
                await asyncio.to_thread(each.close)
        await self.line.close()
        self._threads.shutdown()
        self._hand.shutdown()
        self._readers.close()
        self.journal.write()
