"""Problems: every "no" of the service, as problem+json (RFC 9457), with a code and a next step."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, structs
from starlette.responses import Response

from kantis.core.knobs import ProgramError
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
    "token-unknown": (
        401,
        "Unknown token",
        "This is no token of a checkout, or its key was revoked. Ask for one with the key of the "
        "shop: POST /v1/checkout-tokens.",
    ),
    "token-expired": (401, "Old token", "This token is over. Let the shop's server ask for one."),
    "other-origin": (
        403,
        "Another origin",
        "A page of this origin may not do this. Name it when the service starts: "
        "kantis serve --checkout-origin https://shop.example.",
    ),
    "over-limit": (
        403,
        "Over the limit",
        "The token does not allow to set so many points aside. Nothing was done.",
    ),
    "refused": (409, "Refused by the program", "Nothing was set aside."),
    "not-signed": (
        401,
        "Not signed",
        "The signature is not of this connection, or too old. Nothing was recorded. Look at the "
        "secret and the address in the shop's settings.",
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
    "above-limit": (
        403,
        "Above the limit",
        "Ask somebody whose key has a higher limit; an adjustment can be proposed under "
        "/v1/adjustments.",
    ),
    "proof-needed": (
        403,
        "The member has to show that it is them",
        "So much is spent only by somebody who has just shown who they are. Nothing was recorded. "
        "Send them a code with POST /v1/accounts/{ref}/proofs, hand what they type to "
        "/v1/accounts/{ref}/proofs/confirm, and send this again.",
    ),
    "wrong-code": (
        403,
        "Not this code",
        "The code is wrong, too old, or used. Ask for another one.",
    ),
    "same-person": (
        403,
        "The same person",
        "Whoever asks for an adjustment does not answer it. Use the key of somebody else.",
    ),
    "unknown-program": (
        404,
        "No such program",
        "There is no program of that name that this key may see. Look at /v1/programs.",
    ),
    "unknown-version": (404, "No such version", "Look at the versions of the program."),
    "unknown-key": (
        404,
        "No such key",
        "No key that holds begins like this. Look at /v1/keys.",
    ),
    "unknown-adjustment": (404, "No such adjustment", "Look at /v1/adjustments."),
    "unknown-answer": (404, "No such answer", "Look at /v1/survey-answers."),
    "replied-meanwhile": (
        409,
        "Replied meanwhile",
        "Somebody has replied since you read it. Read it again; to change that reply, send its "
        "'replied' as 'seen'.",
    ),
    "link-unknown": (
        404,
        "This link does not open",
        "It was used, or it is too old. Start the service again to get another one, or run: "
        "kantis key new.",
    ),
    "not-found": (404, "Nothing here", "Look at the paths in /openapi.json."),
    "unknown-account": (
        404,
        "No such account",
        "There is no such card or account in this program. Check the number.",
    ),
    "unknown-member": (
        404,
        "No such member",
        "There is no such member in this program. Search with POST /v1/members/search.",
    ),
    "no-such-card": (
        404,
        "No such card",
        "The member has no such card. Look at the list of cards.",
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
    "answered-before": (
        409,
        "Answered before",
        "Somebody has given another answer to this adjustment. Look at it; it stays so.",
    ),
    "adjustment-refused": (409, "Refused by the program", "The adjustment stays undone."),
    "published-meanwhile": (
        412,
        "Published meanwhile",
        "Get the newest version, put your changes into it, and publish with its ETag.",
    ),
    "signatures-missing": (
        409,
        "Signatures missing",
        "Put it up with POST /v1/programs/{name}/drafts; people sign it in the console.",
    ),
    "unknown-draft": (404, "No such draft", "Look at /v1/programs/{name}/drafts."),
    "draft-closed": (409, "No longer a draft", "It was published or taken back, and stays so."),
    "cannot-cancel": (
        409,
        "Cannot be cancelled",
        "Only a version that has not begun is cancelled, the last one first. Publish another one.",
    ),
    "email-taken": (
        409,
        "E-mail address taken",
        "Another member of this program has this e-mail address. Find them with "
        "POST /v1/members/search, and give them this card; or leave the address out.",
    ),
    "changed-of-late": (
        409,
        "Changed of late",
        "The address of this member has changed within three days, and changes back only by the "
        "letter to the old one. Wait, or let staff end it in the console first.",
    ),
    "card-taken": (
        409,
        "Card taken",
        "This card is another member's. Take another one, or leave it out: a number is made.",
    ),
    "card-stopped": (
        409,
        "Card stopped",
        "This card was blocked or replaced, for ever. Take another one.",
    ),
    "merge-shared": (
        409,
        "Not merged",
        "Several members share one of the accounts, or it was merged before. Let the member leave "
        "the household first, or merge into the one who shares it; name the one that lives on.",
    ),
    "merge-two-plans": (
        409,
        "Two plans run",
        "Both members have a plan that runs, of which one person has one at a time. Unsubscribe "
        "one of the two; 'first' of GET /v1/members/{member}/merge names them.",
    ),
    "merge-under-way": (
        503,
        "Still on its way",
        "Not everything of the other account has come yet. Send the same request again.",
    ),
    "merge-with-itself": (409, "The same member", "Name two members, neither of them erased."),
    "member-erased": (
        410,
        "Erased",
        "This member was erased; nothing is left of who it was. They may join again.",
    ),
    "changed-meanwhile": (
        412,
        "Changed meanwhile",
        "Somebody changed this member since you read it. Read it again, and decide anew.",
    ),
    "if-match-missing": (
        428,
        "No If-Match",
        "Send the ETag of what you read as If-Match, so that nobody's change is lost.",
    ),
    "import-busy": (
        409,
        "Somebody works on it",
        "Wait until GET /v1/imports/{number} says 'checked' or 'failed', then take it; what was "
        "taken or dropped is brought again.",
    ),
    "body-too-large": (413, "Too large", "Send fewer events at once."),
    "media-type": (415, "Not JSON", "Send JSON, with 'Content-Type: application/json'."),
    "program-faulty": (
        422,
        "Faults in the program",
        "Nothing was published. 'faults' has each with its line, its column and what to do.",
    ),
    "key-refused": (422, "No such key can be made", "Correct it and ask again."),
    "adjustment-unclear": (422, "No such adjustment can be made", "Correct it and ask again."),
    "condition-missing": (
        428,
        "Say which version you have seen",
        "Send If-Match with the ETag of the program; for a new program send 'If-None-Match: *'.",
    ),
    "too-often": (
        429,
        "Too often",
        "The key has a limit per minute. Send it again after Retry-After.",
    ),
    "too-many-tries": (
        429,
        "Too many tries",
        "Wait a quarter of an hour. The codes that were sent stay good until they are over.",
    ),
    "unreadable": (
        422,
        "Unreadable",
        "Nothing was recorded. Look at the version of the webhook, and at the connection's "
        "settings.",
    ),
    "too-many-events": (422, "Too many events", "Send at most 1,000 events at once."),
    "bad-value": (422, "Not a value", "Nothing was recorded. Correct it and send it again."),
    "bad-card": (422, "Not a card", "A card is 1 to 64 printable letters without a space around."),
    "other-body": (
        422,
        "Another body",
        "Something else was sent under this Idempotency-Key before. Take a new one.",
    ),
    "bad-webhook": (422, "No webhook", "Correct it and send it again; docs/webhooks.md says how."),
    "busy": (429, "Busy", "Too many events wait already. Send it again after Retry-After."),
    "fault": (
        500,
        "A fault of Kantis",
        "This is a bug. Send it again with the same id; the log has it under the request's id.",
    ),
    "unusable": (503, "Books not usable", "Nothing was recorded. Send it again with the same id."),
    "keys-unusable": (
        503,
        "Keys not usable",
        "Personal data cannot be read or written now. Let kantis doctor say why; the rest works.",
    ),
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


class FaultTold(Struct, omit_defaults=True):
    """What is wrong with a program file, where (counted from 1), and what to do."""

    code: str
    message: str
    line: int = 0
    column: int = 0
    path: str = ""


def faults_of(error: ProgramError) -> list[FaultTold]:
    """What is wrong, for an answer."""
    return [FaultTold(*structs.astuple(each)) for each in error.faults]


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
    faults: list[FaultTold] = []


class Problem(Exception):
    """Why a request is not done. ``said`` is put before what to do next."""

    def __init__(
        self, code: str, said: str = "", faults: list[FaultTold] | None = None, **headers: str
    ) -> None:
        self.code, self.headers, self.faults = code, headers, faults or []
        self.status, self.title, step = PROBLEMS[code]
        self.detail = f"{said} {step}" if said else step
        super().__init__(self.detail)

    def body(self, request: str) -> bytes:
        """The problem as JSON."""
        more = {"faults": self.faults} if self.faults else {}
        return _encoded(self.status, self.title, self.code, self.detail, request, **more)


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
