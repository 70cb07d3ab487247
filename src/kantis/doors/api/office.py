"""Office: what the routes share while the service is up: the line, readers, keys, journal."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Concatenate, Final, ParamSpec, TypeVar

import structlog
from msgspec import structs

from kantis.core.events import Event
from kantis.desk import outbox
from kantis.desk.codes import digest
from kantis.desk.demo import is_demo
from kantis.desk.keys import Limits
from kantis.desk.readers import Readers
from kantis.desk.results import NO_KEY, Result
from kantis.desk.submit import Desk, wall_clock
from kantis.desk.uses import Uses
from kantis.desk.vault.keyfile import Locked
from kantis.desk.vault.opening import open_vault
from kantis.desk.vault.person import Wrong
from kantis.desk.vault.seals import Seals
from kantis.desk.vault.vault import Refusal, Vault
from kantis.doors.api.access import Caller
from kantis.doors.api.journal import Journal
from kantis.doors.api.limits import keep_proved, keep_to
from kantis.doors.api.line import RETRY_AFTER_S, Line
from kantis.doors.api.pace import Pace
from kantis.doors.api.porter import Porter
from kantis.doors.api.problems import Problem
from kantis.doors.api.setup import Setup
from kantis.doors.api.window import Window
from kantis.doors.crew import Crew, Herald
from kantis.doors.outbound.postman import Postman
from kantis.store.books import Conflict, Outage, Unknown
from kantis.store.rows import KeyRow

READERS: Final = 2
#: Streams of whole tables that may run at once; each holds a snapshot of the books.
EXPORTS_MAX: Final = 2
#: Threads that open personal data, and write down who reads them.
KEEPERS: Final = 4
#: Look-ups and quotes that may wait at once.
READS_MAX: Final = 500

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def _by(whom: ThreadPoolExecutor, do: Callable[[], _T]) -> _T:
    return await asyncio.get_running_loop().run_in_executor(whom, do)


def _unknown_key() -> Problem:
    return Problem(NO_KEY, www_authenticate="Bearer")


def _log_fault(where: str, error: Exception) -> None:
    structlog.get_logger().error(where, error=type(error).__name__, exc_info=error)


class Office:
    """One per running service; made in its event loop."""

    def __init__(self, desk: Desk, setup: Setup) -> None:
        self.desk, self.setup = desk, setup
        self._vault: Vault | None = None
        self._seals: Seals | None = None
        self.line = Line(desk, tills_max=setup.tills_max, bulk_max=setup.bulk_max)
        self.journal = Journal()
        for queue, number in (("tills", 0), ("bulk", 1)):
            self.journal.figures.waiting.labels(queue).set_function(partial(self._waiting, number))
        self._readers = Readers(desk, READERS)
        postman = Postman(setup.vault, setup.mail, setup.address)
        self._crew = (
            Crew(desk, _log_fault, postman, lan=setup.lan, vault=setup.vault)
            if setup.jobs
            else None
        )
        self._herald = None if setup.jobs or desk.books.alone else Herald(desk)
        self.journal.figures.webhooks(self._backlog, self._delivered)
        self._window = Window(self._readers, READERS)
        self._clerk = ThreadPoolExecutor(1, "kantis-clerk")
        self._scholar = ThreadPoolExecutor(1, "kantis-scholar")
        self._keepers = ThreadPoolExecutor(KEEPERS, "kantis-keeper")
        self._desks = Readers(desk, KEEPERS)
        self._opening = threading.Lock()
        self.pace = Pace()
        self._uses = Uses()
        #: streams of whole tables that run now
        self.exporting = 0
        self._reads = 0
        with self._readers.one() as reader:
            #: whether these are the books of the demo, which each page says
            self.demo = is_demo(reader.books)
        self._names: dict[int, str] = {}
        self._callers: dict[int, Caller] = {}
        #: by the hash, where other processes may revoke keys; each is looked at in its batch
        self._known: dict[bytes, Caller] = {}
        self._porter = Porter(self._look_up)

    def _waiting(self, queue: int) -> int:
        return self.line.waiting[queue]

    async def read(
        self, ask: Callable[Concatenate[Desk, _P], _T], *about: _P.args, **named: _P.kwargs
    ) -> _T:
        """What a reader answers; ``Problem`` when too many ask, or the books cannot be used."""
        return await self._in_time(self._window.ask(lambda reader: ask(reader, *about, **named)))

    async def act(
        self, do: Callable[Concatenate[Desk, _P], _T], *about: _P.args, **named: _P.kwargs
    ) -> _T:
        """What a verb of the desk answers that changes more than events do."""
        return await self._in_time(_by(self._clerk, partial(do, self.desk, *about, **named)))

    async def study(
        self, ask: Callable[Concatenate[Desk, _P], _T], *about: _P.args, **named: _P.kwargs
    ) -> _T:
        """What takes long to find out, so that no look-up waits for it; one at a time."""

        def run() -> _T:
            with self._readers.one() as reader:
                return ask(reader, *about, **named)

        return await self._in_time(_by(self._scholar, run))

    async def _in_time(self, answer: Coroutine[None, None, _T]) -> _T:
        """An answer, unless too many wait for one already."""
        if self._reads >= READS_MAX:
            answer.close()
            raise Problem("busy", retry_after=str(RETRY_AFTER_S))
        self._reads += 1
        try:
            return await answer
        except Unknown as error:
            raise Problem("outcome-unknown", retry_after=str(RETRY_AFTER_S)) from error
        except (Outage, Conflict) as error:
            raise Problem("unusable", retry_after=str(RETRY_AFTER_S)) from error
        finally:
            self._reads -= 1

    async def people(
        self, ask: Callable[Concatenate[Desk, Vault, _P], _T], *about: _P.args, **named: _P.kwargs
    ) -> _T:
        """What the vault answers, with a reader of its own; ``Problem`` when it says no."""
        if self._reads >= READS_MAX:
            raise Problem("busy", retry_after=str(RETRY_AFTER_S))

        def run() -> _T:
            with self._desks.one() as reader:
                return ask(reader, self._open_vault(), *about, **named)

        self._reads += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._keepers, run)
        except Refusal as error:
            raise Problem("changed-meanwhile" if error.code == "stale" else error.code) from error
        except Wrong as error:
            raise Problem("bad-value", f"{error.field}: {error}") from error
        except Locked as error:
            structlog.get_logger().error("keys", code=error.code, said=str(error))
            raise Problem("keys-unusable") from error
        except (Outage, Conflict, Unknown) as error:
            raise Problem("unusable", retry_after=str(RETRY_AFTER_S)) from error
        finally:
            self._reads -= 1

    async def seals(self) -> Seals:
        """What seals and opens secrets; ``Problem`` when the keys cannot be used."""
        if self._seals is None:
            self._seals = await self.people(lambda _, vault: Seals(vault.keys))
        return self._seals

    def _open_vault(self) -> Vault:
        with self._opening:
            if self._vault is None:
                self._vault = open_vault(self.desk, self.setup.vault)
            return self._vault

    def _backlog(self) -> dict[str, int]:
        with self._readers.one() as reader:
            found = outbox.backlog(reader.books)
        oldest = found["oldest"]
        return found | {"oldest_seconds": max(0, wall_clock() - oldest) // 1_000 if oldest else 0}

    def _delivered(self) -> dict[str, int]:
        return dict(self._crew.courier.counts) if self._crew is not None else {}

    async def submit(self, caller: Caller, events: list[Event]) -> list[Result]:
        """What became of a caller's events, after their commit; within the limits of the key."""
        held = await keep_to(self, caller, events)
        if held is not None:
            return [held]
        await keep_proved(self, caller, events)
        results = await self.line.submit(caller.program, events, caller.unchecked)
        self.heard(results)
        return results

    def heard(self, results: list[Result]) -> None:
        """Count what became of events; ``Problem`` when their key was revoked before."""
        for each in results:
            if each.refusal is not None and each.refusal.code == NO_KEY:
                raise _unknown_key()
            self.journal.count(each.outcome)

    async def caller(self, secret: str, address: str = "") -> Caller:
        """Whose key this is, that came from an address; ``Problem`` when it is nobody's now."""
        keyring = self.desk.keyring
        try:
            row = keyring.find(secret)
        except LookupError:
            row = await self._porter.find(secret)
            if row is not None and not row.largest:
                known = await self.caller_of(row)
                self._known[digest(secret)] = structs.replace(known, unchecked=row.number)
        if row is None:
            raise _unknown_key()
        self._note_use(row.prefix, address)
        return await self.caller_of(row)

    def known(self, secret: str, address: str) -> Caller | None:
        """Whose key this was when somebody looked; whether it still holds is for the batch of an
        event to say, or for ``check``. A key that may move only so much is always looked up."""
        caller = self._known.get(digest(secret)) if self._known else None
        if caller is not None:
            self._note_use(caller.key, address)
        return caller

    def at_hand(self, secret: str, address: str) -> Caller | None:
        """Whose key this is, where nobody has to be asked; ``None`` where somebody has to be."""
        try:
            row = self.desk.keyring.find(secret)
        except LookupError:
            return self.known(secret, address)
        caller = self._callers.get(row.number) if row is not None else None
        if caller is not None:
            self._note_use(caller.key, address)
        return caller

    async def check(self, caller: Caller) -> None:
        """``Problem`` when the key of a caller was revoked at which no batch has looked."""
        if caller.unchecked:
            shown = [caller.unchecked]
            revoked = await self.read(lambda reader: reader.books.revoked(shown))
            if revoked:
                raise _unknown_key()

    def _note_use(self, key: str, address: str) -> None:
        if self._uses.note(key, self.desk.clock(), address):
            self._clerk.submit(self._write_uses)

    def _write_uses(self) -> None:
        """When keys were used last; what cannot be written now is not worth an outage."""
        with suppress(Outage, Conflict, Unknown):
            self.desk.chore("note_uses", self._uses.take())

    async def caller_of(self, row: KeyRow) -> Caller:
        """What a key that is known may do."""
        caller = self._callers.get(row.number)
        if caller is None:  # what a key is for never changes
            caller = self._callers[row.number] = Caller(
                row.prefix, await self.program_of(row), row.program, row.scope, row.source,
                row.location, row.name, Limits(row.per_minute, row.largest, row.goodwill),
            )  # fmt: skip
        return caller

    async def _look_up(self, shown: list[str]) -> dict[str, KeyRow | None]:
        find = self.desk.keyring.find
        return await self.read(lambda reader: {each: find(each, reader.books) for each in shown})

    async def program_of(self, row: KeyRow) -> str:
        """The name of a key's program, which never changes; none for the whole installation."""
        if not row.program:
            return ""
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
        await asyncio.to_thread(self._write_uses)
        for pool in (self._clerk, self._scholar, self._keepers):
            pool.shutdown()
        self._window.close()
        self._desks.close()
        self._readers.close()
        self.journal.write()
