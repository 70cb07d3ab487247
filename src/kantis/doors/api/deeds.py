"""Deeds: calls that make one event and have it decided, as ``POST /v1/events`` does.

Guarantee: a deed is an event whose id is the Idempotency-Key, kept for ever: sent again it
gets its first answer, and with another body it is refused. It is always an ask, so what the
program refuses changes nothing.

A row of ``Deed`` says which event a route makes and which of its fields the address gives;
the rest of the event's fields are the fields of the request. Nothing else is known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

import msgspec
from msgspec import structs
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kantis.core.events import Event
from kantis.desk.results import UNKNOWN, Result
from kantis.doors.api import answers, wire
from kantis.doors.api.access import Caller, allowed
from kantis.doors.api.events import body_of, idempotency_key
from kantis.doors.api.looking import account_of, languages, subject_of
from kantis.doors.api.problems import MEDIA, Problem, refusal, status_of
from kantis.doors.api.wording import worded

_encode: Final = msgspec.json.Encoder().encode
_NAMES: Final = re.compile(r"\{(\w+)\}")


class Deed:
    """A route that makes an event.

    ``at`` says which field of the body each name of the address gives, ``fixed`` which fields
    always have which value. ``{ref}`` of the address is the subject; where there is none the
    request says it, or the event names another one and needs no subject. ``tell`` makes the
    answer of a result that is decided, ``made`` the address of what has come to be.
    ``reaches`` names a field that is another account's reference: that account has to be
    there, and the event names it by its number, so that a card of one's own is known as that.
    """

    def __init__(
        self,
        name: str,
        path: str,
        summary: str,
        body: type,
        *,
        at: dict[str, str] | None = None,
        fixed: dict[str, Any] | None = None,
        tell: Callable[[Result], Any] = answers.answer,
        answer: type = answers.Answer,
        made: str = "",
        reaches: str = "",
    ) -> None:
        self.name, self.path, self.summary, self.body = name, path, summary, body
        self.at, self.fixed = at or {}, fixed or {}
        self.tell, self.answer, self.made, self.reaches = tell, answer, made, reaches
        self.subject = "{ref}" not in path and "of" not in self.at.values()
        title = "".join(word.capitalize() for word in name.split("_"))
        given = frozenset([*self.at.values(), *self.fixed])
        self.said = wire.asked(f"{title}Request", summary, body, given, subject=self.subject)
        self.fields = [each.name for each in structs.fields(self.said)]

    @cached_property
    def _decode(self) -> Callable[[bytes], Any]:
        return msgspec.json.Decoder(self.said).decode

    @property
    def needed(self) -> bool:
        """Whether there is anything that the request has to say."""
        return any(each.required for each in structs.fields(self.said))

    @property
    def status(self) -> int:
        """The status of an answer that is decided."""
        return 201 if self.made else 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["state"]
        office, caller = state["office"], state["caller"]
        request = Request(scope, receive)
        headers = dict(scope["headers"])
        key = idempotency_key(headers)
        if not key:
            raise Problem("id-missing")
        if self.made and "/" in key:
            raise Problem("malformed", "The id becomes a part of an address, so it has no slash.")
        body = await body_of(headers, receive, may_be_empty=True)
        event = self._event(caller, key, body, request.path_params)
        if self.reaches and (other := getattr(event.body, self.reaches)):
            row = await office.read(account_of, caller, other)
            found = {self.reaches: f"account:{row.id}"}
            event = structs.replace(event, body=structs.replace(event.body, **found))
        (result,) = await office.submit(caller, [event])
        wanted = languages(headers.get(b"accept-language", b"").decode("latin-1"))
        result = await worded(office, caller, result, wanted)
        response = self._answer(event, result, state["request"])
        await response(scope, receive, send)

    def _event(self, caller: Caller, key: str, body: bytes, names: dict[str, str]) -> Event:
        if not all(each.isprintable() and len(each) <= wire.WORD_MAX for each in names.values()):
            raise Problem("malformed", "A name in the address is too long, or no text.")
        try:
            said = wire.read(self._decode, body or b"{}")
            values = {each: getattr(said, each) for each in self.fields}
            subject = values.pop("subject", names.get("ref", ""))
            values |= self.fixed | {field: names[name] for name, field in self.at.items()}
            made = wire.body_from(self.body, values)
            subject = subject_of(subject) if subject else ""
            event = wire.checked(Event(caller.source, key, 0, subject, made, 0, True))
        except wire.Malformed as error:
            raise Problem("malformed", str(error)) from error
        return allowed(caller, event)

    def _answer(self, event: Event, result: Result, request: str) -> Response:
        if result.refusal is not None or result.outcome == UNKNOWN:
            return Response(refusal(result, request), status_of(result), media_type=MEDIA)
        status, headers = status_of(result), {}
        if status == 200 and self.made:
            status, headers = 201, {"location": self.made.format(id=event.id)}
        found = self.tell(result) if result.entry is not None else answers.answer(result)
        return Response(_encode(found), status, headers, "application/json")


def parameters(path: str) -> list[dict[str, Any]]:
    """The parameters of an address, as the contract has them."""
    about = {"ref": "card:NUMBER or account:NUMBER; a bare number is a card."}
    return [
        {
            "name": name, "in": "path", "required": True, "schema": {"type": "string"},
            **({"description": about[name]} if name in about else {}),
        }
        for name in _NAMES.findall(path)
    ]  # fmt: skip
