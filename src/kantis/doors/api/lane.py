"""Lane: the short way of a single event, past the framework and without a task of its own.

Guarantee: what is answered here is answered as on the long way, after the commit. The lane takes
one event that is plainly in order, of a key that is known and has no limits; everything else, and
whatever is wrong with a request, is left to the long way before anything was recorded.

Between the server and the application a request costs as much as deciding and writing it, and
nearly all requests of a till are of this one kind.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec
import structlog

from kantis.core.events import Event
from kantis.desk.batch import Request
from kantis.desk.keys import UNLIMITED
from kantis.desk.results import UNKNOWN, Result
from kantis.desk.waiting import Waiting
from kantis.doors.api.access import SHOP, Caller, route_of
from kantis.doors.api.answers import answer
from kantis.doors.api.events import EVENTS, JSON, Reply, idempotency_key, read, refused
from kantis.doors.api.gate import Gate, request_id, secret_of
from kantis.doors.api.line import RETRY_AFTER_S
from kantis.doors.api.looking import languages
from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem, response, status_of
from kantis.store.books import Conflict, Outage

#: What every answer says beside its kind, its length and its request.
_ALWAYS: Final = b"x-content-type-options: nosniff\r\ncache-control: no-store\r\n"
_ROUTE: Final = route_of("POST", EVENTS)
#: A larger body is no single event of a till.
BYTES_MAX: Final = 1 << 16

_encode = msgspec.json.Encoder().encode
log: Any = structlog.get_logger()


class Wire(Protocol):
    """Where the answer goes."""

    def answer(self, status: int, headers: bytes, body: bytes) -> None: ...


class Lane:
    """Of one gate."""

    target: Final = EVENTS.encode()

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._explaining: set[asyncio.Task[None]] = set()

    def take(self, wire: Wire, headers: Mapping[bytes, bytes], body: bytes, address: str) -> bool:
        """Whether the lane takes a request, and answers it on the wire."""
        office = self._gate.office
        if office is None or headers.get(b"content-type") != JSON or body[:1] != b"{":
            return False
        try:
            caller = office.at_hand(secret_of(headers), address)
            if caller is None or not _is_plain(caller):
                return False
            event = read(caller, body, idempotency_key(headers))
            if event.ask and caller.scope == SHOP:  # its member may have to show that it is them
                return False
            ride = _Ride(self, office, caller, wire, headers)
            office.line.take(ride.request_of(event), ride.told)
        except Exception:  # the long way meets it again, and tells it or puts it in the log
            return False
        return True

    def explain(self, ride: _Ride, waiting: Waiting) -> None:
        """Answer what did not go well; that may have to be put into words of another language."""
        task = asyncio.get_running_loop().create_task(ride.explain(waiting))
        self._explaining.add(task)
        task.add_done_callback(self._explaining.discard)


def _is_plain(caller: Caller) -> bool:
    return caller.scope in _ROUTE.scopes and caller.limits == UNLIMITED


class _Ride:
    """One request in the lane."""

    __slots__ = ("_began", "_caller", "_headers", "_id", "_lane", "_office", "_wire")

    def __init__(
        self, lane: Lane, office: Office, caller: Caller, wire: Wire, headers: Mapping[bytes, bytes]
    ) -> None:
        self._lane, self._office, self._caller = lane, office, caller
        self._wire, self._headers = wire, headers
        self._began, self._id = time.perf_counter(), request_id(headers)

    def request_of(self, event: Event) -> Request:
        """What the line is handed."""
        return Request(self._caller.program, [event], False, self._caller.unchecked)

    def told(self, waiting: Waiting) -> None:
        """The event has its answer; no other one of its batch may suffer from it."""
        try:
            result = _well(waiting)
            if result is None:
                self._lane.explain(self, waiting)
                return
            self._office.heard([result])
            self._answer(status_of(result), JSON, _encode(answer(result)))
        except Exception as error:
            self._fault(error)

    async def explain(self, waiting: Waiting) -> None:
        """Say what did not go well."""
        try:
            status, media, body = await self._explained(waiting)
            self._answer(status, media, body)
        except Problem as problem:
            self._refuse(problem)
        except Exception as error:
            self._fault(error)

    async def _explained(self, waiting: Waiting) -> Reply:
        office, caller = self._office, self._caller
        if isinstance(waiting.error, Outage | Conflict):
            raise Problem("unusable", retry_after=str(RETRY_AFTER_S))
        if waiting.error is not None:
            raise waiting.error
        assert waiting.answer is not None
        office.heard(waiting.answer)
        wanted = languages(self._headers.get(b"accept-language", b"").decode("latin-1"))
        return await refused(office, caller, waiting.answer[0], self._id, wanted)

    def _fault(self, error: Exception) -> None:
        log.error("fault", request=self._id, error=type(error).__name__, exc_info=error)
        self._refuse(Problem("fault"))

    def _refuse(self, problem: Problem) -> None:
        found = response(problem, self._id)
        more = [each for each in found.raw_headers if each[0] not in (b"content-length",)]
        head = b"".join(b"%b: %b\r\n" % each for each in more)
        self._send(problem.status, head, bytes(found.body))

    def _answer(self, status: int, media: bytes, body: bytes) -> None:
        self._send(status, b"content-type: %b\r\n" % media, body)

    def _send(self, status: int, more: bytes, body: bytes) -> None:
        told = b"content-length: %d\r\nx-request-id: %b\r\n" % (len(body), self._id.encode())
        self._wire.answer(status, more + told + _ALWAYS, body)
        seconds = time.perf_counter() - self._began
        note = self._office.journal.note
        note(self._id, _ROUTE.method, _ROUTE.path, status, seconds, self._caller.key)


def _well(waiting: Waiting) -> Result | None:
    """What became of an event, where there is nothing to explain."""
    if waiting.answer is None:
        return None
    (result,) = waiting.answer
    return None if result.refusal is not None or result.outcome == UNKNOWN else result
