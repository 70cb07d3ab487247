"""The hot routes: events and quotes, read and written with msgspec, without a thread each.

A single event is answered with a status of its own; a list always with 200 and a result
for each event, in the order of the list.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw, structs
from starlette.types import Receive, Scope, Send

from kantis.core.decision import Refusal
from kantis.core.events import Event
from kantis.desk.forecasts import quoted
from kantis.desk.results import REFUSED, UNKNOWN, Result
from kantis.desk.submit import Desk
from kantis.doors.api import answers, forecasts, wire
from kantis.doors.api.access import Caller, allowed
from kantis.doors.api.looking import languages
from kantis.doors.api.office import Office
from kantis.doors.api.problems import MEDIA, Problem, refusal, status_of
from kantis.doors.api.wording import say_for, worded
from kantis.doors.web.telling import is_english

#: Where events are sent; the batch of an event looks whether the key of its caller holds.
EVENTS: Final = "/v1/events"
EVENTS_MAX: Final = 1_000
BODY_BYTES_MAX: Final = 4 << 20

JSON: Final = b"application/json"
_PROBLEM: Final = MEDIA.encode()
#: Status, media type, body.
Reply = tuple[int, bytes, bytes]

_encode = msgspec.json.Encoder().encode
_list = msgspec.json.Decoder(list[Raw]).decode


class Events:
    """POST /v1/events, or POST /v1/quotes where nothing is recorded."""

    def __init__(self, *, quotes: bool = False) -> None:
        self._quotes = quotes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["state"]
        office, caller, request = state["office"], state["caller"], state["request"]
        headers = state["headers"]
        body = await body_of(headers, receive)
        key = idempotency_key(headers)
        if body.lstrip()[:1] == b"[":
            status, media, data = await self._many(office, caller, body, key)
        else:
            wanted = languages(headers.get(b"accept-language", b"").decode("latin-1"))
            status, media, data = await self._one(office, caller, body, key, request, wanted)
        said = [(b"content-type", media), (b"content-length", b"%d" % len(data))]
        await send({"type": "http.response.start", "status": status, "headers": said})
        await send({"type": "http.response.body", "body": data})

    async def _one(
        self, office: Office, caller: Caller, body: bytes, key: str, request: str,
        wanted: list[str],
    ) -> Reply:  # fmt: skip
        event = read(caller, body, key, quoted=self._quotes)
        forecast = None
        if self._quotes:
            ask = office.read(quoted, event, program=caller.program)
            result, forecast = await ask
        else:
            (result,) = await office.submit(caller, [event])
        if result.refusal is not None or result.outcome == UNKNOWN:
            return await refused(office, caller, result, request, wanted, quoted=self._quotes)
        found = answers.answer(result, quoted=self._quotes)
        if forecast is not None:
            say = str if is_english(wanted) else await office.read(say_for, caller, wanted)
            found.forecast = forecasts.told(forecast, wanted, say)
        return status_of(result), JSON, _encode(found)

    async def _many(self, office: Office, caller: Caller, body: bytes, key: str) -> Reply:
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
                events.append(read(caller, bytes(item), "", quoted=self._quotes))
                results.append(None)
            except Problem as problem:
                results.append(Result("", REFUSED, refusal=Refusal(problem.code, problem.detail)))
        if not events:
            await office.check(caller)
        told = iter(await self._ask(office, caller, events) if events else ())
        found = [answers.answer(each or next(told), quoted=self._quotes) for each in results]
        return 200, JSON, _encode(found)

    async def _ask(self, office: Office, caller: Caller, events: list[Event]) -> list[Result]:
        if self._quotes:
            return await office.read(Desk.quote, events, program=caller.program)
        return await office.submit(caller, events)


def read(caller: Caller, data: bytes, key: str, *, quoted: bool = False) -> Event:
    """The event that a caller sends, perhaps under an Idempotency-Key; ``Problem`` for no event,
    and for one that the caller may not send."""
    try:
        event = wire.read_event(data, caller.source)
    except wire.Malformed as error:
        raise Problem("malformed", str(error)) from error
    if key and event.id not in ("", key):
        raise Problem("ids-differ")
    if not event.id:
        if not key and not quoted:
            raise Problem("id-missing")
        event = structs.replace(event, id=key or f"quote-{secrets.token_hex(8)}")
    return allowed(caller, event)


async def refused(
    office: Office, caller: Caller, result: Result, request: str, wanted: list[str],
    *, quoted: bool = False,
) -> Reply:  # fmt: skip
    """What is said of a single event that was refused, or of which nobody knows."""
    result = await worded(office, caller, result, wanted)
    return status_of(result), _PROBLEM, refusal(result, request, quoted=quoted)


async def body_of(
    headers: dict[bytes, bytes], receive: Receive, *, may_be_empty: bool = False
) -> bytes:
    """The body of a request, as JSON that is not too large."""
    media = headers.get(b"content-type", b"")
    if media != JSON:
        media = media.partition(b";")[0].strip().lower()
    if media != JSON and not (may_be_empty and not media):
        raise Problem("media-type")
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Problem("malformed", "The body was cut off.")
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
        size += len(parts[-1])
        if size > BODY_BYTES_MAX:
            raise Problem("body-too-large", connection="close")
    if size and not media:
        raise Problem("media-type")
    return b"".join(parts)


def idempotency_key(headers: Mapping[bytes, bytes]) -> str:
    """The id that the header says, as a structured string or bare."""
    said = headers.get(b"idempotency-key", b"").decode("latin-1").strip()
    if len(said) > 1 and said[0] == said[-1] == '"':
        said = said[1:-1]
    if len(said) > wire.ID_MAX:
        raise Problem("malformed", f"An Idempotency-Key has at most {wire.ID_MAX} characters.")
    return said
