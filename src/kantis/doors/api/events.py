"""The hot routes: events and quotes, read and written with msgspec, without a thread each.

A single event is answered with a status of its own; a list always with 200 and a result
for each event, in the order of the list.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import msgspec
from msgspec import Raw, structs
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kantis.core.decision import Refusal
from kantis.core.events import Event
from kantis.desk.results import REFUSED, UNKNOWN, Result
from kantis.desk.submit import Desk
from kantis.doors.api import answers, wire
from kantis.doors.api.access import Caller, allowed
from kantis.doors.api.bodies import idempotency_key, json_body
from kantis.doors.api.office import Office
from kantis.doors.api.problems import MEDIA, Problem, refusal, status_of

EVENTS_MAX: Final = 1_000

_encode = msgspec.json.Encoder().encode
_list = msgspec.json.Decoder(list[Raw]).decode


class Events:
    """POST /v1/events, or POST /v1/quotes where nothing is recorded."""

    def __init__(self, *, quotes: bool = False) -> None:
        self._quotes = quotes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["state"]
        office, caller, request = state["office"], state["caller"], state["request"]
        asked = Request(scope, receive)
        body = await json_body(asked)
        key = idempotency_key(asked.headers.get("idempotency-key", ""))
        if body.lstrip()[:1] == b"[":
            response = await self._many(office, caller, body, key)
        else:
            response = await self._one(office, caller, body, key, request)
        await response(scope, receive, send)

    async def _one(
        self, office: Office, caller: Caller, body: bytes, key: str, request: str
    ) -> Response:
        event = self._read(caller, body, key)
        (result,) = await self._ask(office, caller, [event])
        if result.refusal is not None or result.outcome == UNKNOWN:
            data = refusal(result, request, quoted=self._quotes)
            return Response(data, status_of(result), media_type=MEDIA)
        return _json(answers.answer(result, quoted=self._quotes), status_of(result))

    async def _many(self, office: Office, caller: Caller, body: bytes, key: str) -> Response:
        if key:
            raise Problem("ids-differ", "A list has many events, and an Idempotency-Key is one id.")
        try:
            items = _list(body)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Problem("malformed", f"{error}.") from error
        if len(items) > EVENTS_MAX:
            raise Problem("too-many-events")
        results: list[Result | None] = []
        events = []
        for item in items:
            try:
                events.append(self._read(caller, bytes(item), ""))
                results.append(None)
            except Problem as problem:
                results.append(Result("", REFUSED, refusal=Refusal(problem.code, problem.detail)))
        told = iter(await self._ask(office, caller, events) if events else ())
        found = [answers.answer(each or next(told), quoted=self._quotes) for each in results]
        return _json(found, 200)

    def _read(self, caller: Caller, data: bytes, key: str) -> Event:
        try:
            event = wire.read_event(data, caller.source)
        except wire.Malformed as error:
            raise Problem("malformed", str(error)) from error
        if key and event.id not in ("", key):
            raise Problem("ids-differ")
        if not event.id:
            if not key and not self._quotes:
                raise Problem("id-missing")
            event = structs.replace(event, id=key or f"quote-{secrets.token_hex(8)}")
        return allowed(caller, event)

    async def _ask(self, office: Office, caller: Caller, events: list[Event]) -> list[Result]:
        if self._quotes:
            return await office.read(Desk.quote, events, program=caller.program)
        results = await office.line.submit(caller.program, events)
        for each in results:
            office.figures.events.labels(each.outcome).inc()
        return results


def _json(found: Any, status: int) -> Response:
    return Response(_encode(found), status, media_type="application/json")
