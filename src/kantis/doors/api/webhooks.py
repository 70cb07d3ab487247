"""Webhooks: who is told what happens in a program, and what became of each message.

A key sees the webhooks of its own program only. What they are told has no personal data in
it; their secrets are shown once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kantis.core.calendar import show_instant
from kantis.core.knobs import ProgramError
from kantis.desk import hooks
from kantis.desk.submit import Desk
from kantis.doors.api import wire
from kantis.doors.api.access import Caller
from kantis.doors.api.events import body_of
from kantis.doors.api.looking import caller_of, office_of
from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem
from kantis.doors.outbound.addresses import literal, public
from kantis.store.outgoing import DELIVERY_STATES

router = APIRouter()

PAGE_MAX: Final = 100
_N_END: Final = 1 << 62
_HookId = Annotated[str, Path(description="The id of a webhook.", max_length=50)]
_MessageId = Annotated[str, Path(description="The id of a message.", max_length=100)]
_State = Literal["", "waiting", "delivered", "dead"]
_Body = TypeVar("_Body", bound=BaseModel)
_T = TypeVar("_T")


class NewWebhook(BaseModel):
    """Where to send, and what. Without types everything is sent; `points.*` is a whole group."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(max_length=1_000)
    types: list[str] = Field(default=[], max_length=50)
    name: str = Field(default="", max_length=100)


class WebhookChange(BaseModel):
    """What is to be changed; the rest stays. One that is not paused is called again."""

    model_config = ConfigDict(extra="forbid")
    url: str | None = Field(default=None, max_length=1_000)
    types: list[str] | None = Field(default=None, max_length=50)
    name: str | None = Field(default=None, max_length=100)
    paused: bool | None = None


class Range(BaseModel):
    """Which deliveries are sent again: by when they were made, and what became of them."""

    model_config = ConfigDict(extra="forbid")
    since: dt.datetime
    until: dt.datetime
    state: _State = "dead"


class Webhook(BaseModel):
    """A webhook without its secret. ``reason`` says why it is disabled."""

    id: str
    url: str
    types: list[str]
    name: str
    state: str
    reason: str
    created: str
    failing_since: str | None
    former_secret_until: str | None


class WebhookMade(Webhook):
    """A webhook with its secret, which is not shown again."""

    secret: str


class Secret(BaseModel):
    """A new secret, which is not shown again; the former one signs beside it until then."""

    secret: str
    former_secret_until: str | None


class WebhookList(BaseModel):
    """The webhooks of the program."""

    webhooks: list[Webhook]


class AttemptTold(BaseModel):
    """One call: its status (0: no answer), how long it took, and how the answer begins."""

    time: str
    ms: int
    status: int
    outcome: str
    answer: str


class DeliveryTold(BaseModel):
    """A message for a webhook. ``next`` is when it is tried again."""

    message: str
    type: str
    account: int
    made: str
    state: str
    tries: int
    next: str | None
    attempts: list[AttemptTold]


class DeliveryPage(BaseModel):
    """Deliveries, newest first; ``next`` is the cursor of the page after this one."""

    deliveries: list[DeliveryTold]
    next: str | None


class Staged(BaseModel):
    """How many messages will be sent."""

    staged: int


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    """The body of a request in the contract; it is read by ``read_body``."""
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.get("/v1/webhooks", summary="The webhooks of the program")
async def list_webhooks(request: Request) -> WebhookList:
    """All of them, oldest first."""
    office, caller = _who(request)
    found = await office.read(lambda reader: hooks.hooks(reader.books, caller.number))
    return WebhookList(webhooks=[Webhook(**_plain(each)) for each in found])


@router.post(
    "/v1/webhooks", summary="Make a webhook; its secret is shown once",
    status_code=201, openapi_extra=_takes(NewWebhook),
)  # fmt: skip
async def make_webhook(request: Request) -> WebhookMade:
    """It is told what happens from now on."""
    office, caller = _who(request)
    said = await _read(request, NewWebhook)
    _check(said.url, lan=office.setup.lan)
    about = await office.seals(), caller.number, said.url, said.types, said.name
    id, secret = await _change(office, lambda desk: hooks.make(desk, *about, lan=office.setup.lan))
    return WebhookMade(**_plain(await _find(office, caller, id)), secret=secret)


@router.get("/v1/webhooks/{webhook}", summary="A webhook")
async def one_webhook(request: Request, webhook: _HookId) -> Webhook:
    """How it stands, and whether it is called."""
    office, caller = _who(request)
    return Webhook(**_plain(await _find(office, caller, webhook)))


@router.patch(
    "/v1/webhooks/{webhook}", summary="Change a webhook, pause it, or let it be called again",
    openapi_extra=_takes(WebhookChange),
)  # fmt: skip
async def change_webhook(request: Request, webhook: _HookId) -> Webhook:
    """One that is called again is told what came meanwhile."""
    office, caller = _who(request)
    found, said = await _find(office, caller, webhook), await _read(request, WebhookChange)
    url = found.url if said.url is None else said.url
    types = found.types if said.types is None else said.types
    name = found.name if said.name is None else said.name
    paused = (found.state == "paused") if said.paused is None else said.paused
    if said.url is not None:
        _check(url, lan=office.setup.lan)

    def change(desk: Desk) -> None:
        hooks.check(url, types, name, lan=office.setup.lan or said.url is None)
        desk.chore("change_hook", found.number, url, types, name, paused)

    await _change(office, change)
    return Webhook(**_plain(await _find(office, caller, webhook)))


@router.delete("/v1/webhooks/{webhook}", summary="Take a webhook away", status_code=204)
async def drop_webhook(request: Request, webhook: _HookId) -> None:
    """What is on its way to it is forgotten."""
    office, caller = _who(request)
    found = await _find(office, caller, webhook)
    await _change(office, lambda desk: desk.chore("drop_hook", found.number))


@router.post("/v1/webhooks/{webhook}/secret", summary="Make a new secret; it is shown once")
async def rotate_secret(request: Request, webhook: _HookId) -> Secret:
    """Both secrets sign for a day, so that the receiver can change over."""
    office, caller = _who(request)
    found = await _find(office, caller, webhook)
    seals = await office.seals()
    secret = await _change(office, lambda desk: hooks.rotate(desk, seals, found.number, found.id))
    until = (await _find(office, caller, webhook)).former_until
    return Secret(secret=secret, former_secret_until=hooks.since_when(until))


@router.post("/v1/webhooks/{webhook}/test", summary="Send a test message", status_code=202)
async def send_test(request: Request, webhook: _HookId) -> Staged:
    """A message of type `webhook.test`, whatever types the webhook asks for."""
    office, caller = _who(request)
    found = await _find(office, caller, webhook)
    await _change(office, lambda desk: desk.chore("test_hook", found.number))
    return Staged(staged=1)


@router.get("/v1/webhooks/{webhook}/deliveries", summary="What became of each message")
async def list_deliveries(
    request: Request,
    webhook: _HookId,
    state: Annotated[_State, Query(description="Only those in this state.")] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="Deliveries per page.")] = 20,
    cursor: Annotated[str, Query(max_length=20, description="From 'next' of a page.")] = "",
) -> DeliveryPage:
    """Deliveries with their attempts, newest first. They are kept for 30 days."""
    if cursor and not (cursor.isascii() and cursor.isdecimal() and 0 < int(cursor) < _N_END):
        raise Problem("bad-cursor")
    below = int(cursor) if cursor else _N_END
    office, caller = _who(request)
    found = await _find(office, caller, webhook)

    def read(reader: Desk) -> list[tuple[hooks.Sent, list[hooks.Attempt]]]:
        return hooks.deliveries(reader.books, found.number, state, below, limit)

    page = await office.read(read)
    last = str(page[-1][0].n) if len(page) == limit else None
    return DeliveryPage(deliveries=[_told(*each) for each in page], next=last)


@router.post(
    "/v1/webhooks/{webhook}/deliveries/{message}/resend", summary="Send one message again",
    status_code=202,
)  # fmt: skip
async def resend_one(request: Request, webhook: _HookId, message: _MessageId) -> Staged:
    """Whatever became of it before. It has the same id and body, and a new signature."""
    office, caller = _who(request)
    found = await _find(office, caller, webhook)
    if not await _change(office, lambda desk: desk.chore("resend", found.number, message)):
        raise Problem("unknown-message")
    return Staged(staged=1)


@router.post(
    "/v1/webhooks/{webhook}/resend", summary="Send the messages of a time again", status_code=202,
    openapi_extra=_takes(Range),
)  # fmt: skip
async def resend_many(request: Request, webhook: _HookId) -> Staged:
    """Those that are dead, or in another state; of any with an empty one."""
    office, caller = _who(request)
    found, said = await _find(office, caller, webhook), await _read(request, Range)
    try:
        since, until = wire.instant(said.since), wire.instant(said.until)
    except wire.Malformed as error:
        raise Problem("malformed", str(error)) from error
    names = [said.state] if said.state else list(DELIVERY_STATES)
    states = [DELIVERY_STATES.index(each) for each in names]

    def change(desk: Desk) -> int:
        return int(desk.chore("resend_range", found.number, since, until, states))

    return Staged(staged=await _change(office, change))


# ── what they share ──────────────────────────────────────────────────────────


def _who(request: Request) -> tuple[Office, Caller]:
    return office_of(request), caller_of(request)


async def _read(request: Request, model: type[_Body]) -> _Body:
    try:
        headers = dict(request.scope["headers"])
        return model.model_validate_json(await body_of(headers, request.receive))
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise Problem("malformed", f"{said}.") from error


async def _find(office: Office, caller: Caller, id: str) -> hooks.Hook:
    """The webhook of that id in the program of the caller."""
    found = await office.read(lambda reader: hooks.hook(reader.books, caller.number, id))
    if found is None:
        raise Problem("unknown-webhook")
    return found


def _check(url: str, *, lan: bool) -> None:
    """An address that could not be called is told at once; a name is looked at when it is."""
    try:
        address = literal(urlsplit(url).hostname or "")
    except ValueError:
        return  # no URL at all, which is told in other words
    if address is not None and not lan and not public(address):
        raise Problem("bad-webhook", "This address is not on the public internet.")


def _plain(hook: hooks.Hook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "url": hook.url,
        "types": hook.types,
        "name": hook.name,
        "state": hook.state,
        "reason": hook.reason,
        "created": show_instant(hook.created),
        "failing_since": hooks.since_when(hook.failing),
        "former_secret_until": hooks.since_when(hook.former_until),
    }


def _told(sent: hooks.Sent, attempts: list[hooks.Attempt]) -> DeliveryTold:
    return DeliveryTold(
        message=sent.message,
        type=sent.type,
        account=sent.account,
        made=show_instant(sent.made),
        state=sent.state,
        tries=sent.tries,
        next=show_instant(sent.due) if sent.state == "waiting" else None,
        attempts=[
            AttemptTold(
                time=show_instant(each.at), ms=each.ms, status=each.status,
                outcome=each.outcome, answer=each.answer,
            )
            for each in attempts
        ],
    )  # fmt: skip


async def _change(office: Office, do: Callable[[Desk], _T]) -> _T:
    """What a small change of the books answers; ``Problem`` when no such webhook can be."""
    try:
        return await office.act(do)
    except ProgramError as error:
        raise Problem("bad-webhook", error.faults[0].message) from error
