"""Problems: every "no" of the service, as problem+json (RFC 9457), with a code and a next step."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from kantis.desk.results import REFUSED, UNKNOWN, Result

MEDIA: Final = "application/problem+json"

#: code: (status, title, what is wrong and what to do)
PROBLEMS: Final[dict[str, tuple[int, str, str]]] = {
    "malformed": (400, "Malformed", "Correct the body and send it again."),
    "id-missing": (
        400,
        "No id",
        "An event has an id of its own. Give it as 'id' or as Idempotency-Key.",
    ),
    "ids-differ": (
        400,
        "Two ids",
        "The Idempotency-Key and the 'id' of the event are two spellings of one thing. "
        "Send one of them, or the same twice.",
    ),
    "bad-cursor": (
        400,
        "Unknown cursor",
        "Take the cursor from 'next' of the page before, or leave it out.",
    ),
    "key-missing": (
        401,
        "No key",
        "Send a key as 'Authorization: Bearer kantis_…'. To make one: kantis key new.",
    ),
    "key-unknown": (
        401,
        "Unknown key",
        "This key is not known here, or it was revoked. To make one: kantis key new.",
    ),
    "not-allowed": (
        403,
        "Not allowed",
        "A key of this scope may not do this. Use another key; docs/service.md has the table.",
    ),
    "other-location": (
        403,
        "Another location",
        "This key speaks for one location. Leave the location out, or use the key of the other.",
    ),
    "other-partner": (
        403,
        "Another partner",
        "A partner's key speaks for the partner named like its source. Name that one.",
    ),
    "not-found": (404, "Nothing here", "Look at the paths in /openapi.json."),
    "unknown-account": (
        404,
        "No such account",
        "There is no such card or account in this program. Check the number.",
    ),
    "unknown-redemption": (
        404,
        "No such redemption",
        "This key has made no hold of that id. Check the id, or hold the points first.",
    ),
    "unknown-webhook": (
        404,
        "No such webhook",
        "There is no webhook of this id in this program. GET /v1/webhooks has them.",
    ),
    "unknown-message": (
        404,
        "No such message",
        "No message of this id was made for this webhook. Its deliveries have the ids.",
    ),
    "method-not-allowed": (405, "Not this method", "The header Allow has those that there are."),
    "body-too-large": (413, "Too large", "Send fewer events at once."),
    "media-type": (415, "Not JSON", "Send JSON, with 'Content-Type: application/json'."),
    "too-many-events": (422, "Too many events", "Send at most 1,000 events at once."),
    "bad-webhook": (422, "No webhook", "Correct it and send it again; docs/webhooks.md says how."),
    "busy": (429, "Busy", "Too many events wait already. Send it again after Retry-After."),
    "fault": (
        500,
        "A fault of Kantis",
        "This is a bug. Send it again with the same id; the log has it under the request's id.",
    ),
    "unusable": (503, "Books not usable", "Nothing was recorded. Send it again with the same id."),
    "outcome-unknown": (
        503,
        "Outcome unknown",
        "Nobody can say whether it was recorded. Send it again with the same id to learn it.",
    ),
    "closing": (503, "Closing", "The service is being stopped. Send it again with the same id."),
}

#: What a refusal of the desk is over HTTP: it was not recorded, and its id is not used up.
_NOT_RECORDED: Final = {
    "unknown-card": 404,
    "unknown-account": 404,
    "unknown-original": 404,
    "unknown-program": 404,
}
_NOT_RECORDED_ELSE: Final = 422
#: A refusal by a rule is recorded and final under its id.
_REFUSED: Final = 409
#: Recorded, but not decided yet.
_ACCEPTED: Final = 202


class Told(Struct, omit_defaults=True):
    """RFC 9457. `detail` says what is wrong and what to do next."""

    type: str
    title: str
    status: int
    code: Annotated[str, Meta(examples=sorted(PROBLEMS))]
    detail: str
    instance: str
    event: str = ""
    account: int = 0
    recorded: bool | UnsetType = UNSET


class Problem(Exception):
    """Why a request is not done. ``said`` is put before what to do next."""

    def __init__(self, code: str, said: str = "", **headers: str) -> None:
        self.code, self.headers = code, headers
        self.status, self.title, step = PROBLEMS[code]
        self.detail = f"{said} {step}" if said else step
        super().__init__(self.detail)

    def body(self, request: str) -> bytes:
        """The problem as JSON."""
        return _encoded(self.status, self.title, self.code, self.detail, request)


def response(problem: Problem, request: str) -> Response:
    """The problem as an answer."""
    headers = {name.replace("_", "-"): value for name, value in problem.headers.items()}
    return Response(problem.body(request), problem.status, headers, MEDIA)


def _encoded(status: int, title: str, code: str, detail: str, request: str, **more: Any) -> bytes:
    kind, instance = f"urn:kantis:problem:{code}", f"urn:kantis:request:{request}"
    return msgspec.json.encode(Told(kind, title, status, code, detail, instance, **more))


def status_of(result: Result) -> int:
    """The status that says what became of a single event."""
    refusal = result.refusal
    if refusal is not None:
        if result.outcome == REFUSED and result.entry is None:
            return _NOT_RECORDED.get(refusal.code, _NOT_RECORDED_ELSE)
        return _REFUSED
    return _ACCEPTED if result.outcome in ("parked", "bad") else 200


def refusal(result: Result, request: str, *, quoted: bool = False) -> bytes:
    """A single event that was refused, as a problem; ``Problem`` when nobody knows."""
    if result.outcome == UNKNOWN:
        raise Problem("outcome-unknown", retry_after="1")
    assert result.refusal is not None
    recorded = result.entry is not None and not quoted
    title = "Refused by the program" if result.entry is not None else "Refused"
    said = result.refusal
    more = {"event": result.key, "recorded": recorded, "account": result.account}
    return _encoded(status_of(result), title, said.code, said.sentence, request, **more)
