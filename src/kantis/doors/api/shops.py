"""Shops: the one route that their webhooks come to, and the connections of a program.

Guarantee: nothing unsigned, signed with another secret, of another shop or too old has an
effect. A delivery is answered with 200 after the commit that holds it, so that a shop that got
no answer sends it again; what it sends again has no second effect.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import structlog
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from kantis.core.calendar import show_instant
from kantis.core.knobs import ProgramError
from kantis.desk import shops
from kantis.desk.results import Result
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.events import BODY_BYTES_MAX
from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem
from kantis.doors.shops import kinds
from kantis.doors.shops.kinds import Kind
from kantis.doors.shops.pulling import Client, Silent
from kantis.doors.shops.reading import Unreadable
from kantis.store.books import Conflict, Outage

router = APIRouter()

#: A shop waits some seconds for its answer; so long we ask it for what a delivery leaves out.
_ASK_S = 2.0
_ASK_TRIES = 1


class ShopNew(BaseModel, extra="forbid"):
    """A connection to make. ``secrets`` are never shown again."""

    name: str = Field(max_length=63, examples=["web-shop"])
    kind: str = Field(max_length=20, examples=list(shops.KINDS))
    secrets: dict[str, str] = Field(examples=[{"signing": "…"}])
    settings: dict[str, str] = Field(default={}, examples=[{"domain": "club.myshopify.com"}])


class ShopTold(BaseModel):
    """A connection, how many orders it told of, and how many of them wait for more."""

    name: str
    kind: str
    source: str
    settings: dict[str, str]
    created: str
    told: int
    waiting: int
    webhook: str = Field(description="The path that the shop sends its webhooks to.")


class Shops(BaseModel):
    """The connections of the program."""

    shops: list[ShopTold]


async def webhook(request: Request) -> Response:
    """POST /v1/shops/{connection}/webhook."""
    office: Office = request.scope["state"]["office"]
    name = request.path_params["connection"]
    connection = await office.read(lambda reader: shops.find(reader.books, name))
    if connection is None:
        raise Problem("not-found")
    kind = Kind(shops.opened(await office.seals(), connection))
    body = await _body(request)
    headers = dict(request.headers)
    if kind.greeting(headers, body):
        return _json({"outcomes": []})
    if not kind.verify(headers, body, office.desk.clock()):
        raise Problem("not-signed", www_authenticate="Signature")
    try:
        results = await asyncio.to_thread(_hear, office.desk, kind, headers, body)
    except Unreadable as error:
        raise Problem("unreadable", str(error)) from error
    except ProgramError as error:  # it was removed meanwhile
        raise Problem("not-found") from error
    except (Outage, Conflict, Silent) as error:
        raise Problem("unusable", retry_after="60") from error
    for each in results:
        office.journal.count(each.outcome)
        if each.outcome != "decided":
            log: Any = structlog.get_logger()
            code = each.refusal.code if each.refusal is not None else ""
            log.info("shop", shop=name, key=each.key, outcome=each.outcome, code=code)
    return _json({"outcomes": [each.outcome for each in results]})


async def _body(request: Request) -> bytes:
    """The bytes that the signature is about."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise Problem("body-too-large", connection="close")
        parts.append(part)
    return b"".join(parts)


def _hear(desk: Desk, kind: Kind, headers: dict[str, str], body: bytes) -> list[Result]:
    reports = kind.read(headers, body)
    if reports and kind.asks:
        with Client(tries=_ASK_TRIES, timeout_s=_ASK_S) as client:
            reports = [made for each in reports for made in _completed(kind, client, each)]
    return desk.hear(kind.connection.name, shops.encode(reports)) if reports else []


def _completed(kind: Kind, client: Client, report: shops.Report) -> list[shops.Report]:
    """What the shop could be asked for; what it did not tell, the next pull does."""
    try:
        return kind.complete(client, report)
    except Silent:
        if report.reference.startswith(shops.LOOK):
            raise
        return [report]


def _json(found: Any) -> Response:
    return Response(msgspec.json.encode(found), media_type="application/json")


@router.get("/v1/shops", summary="The connections to shops")
async def list_shops(request: Request) -> Shops:
    """Without their secrets."""
    caller = _caller(request)
    office: Office = request.scope["state"]["office"]
    found = await office.read(lambda reader: shops.shown(reader.books, caller.program))
    return Shops(shops=[_told(each) for each in found])


@router.post("/v1/shops", summary="Connect a shop", status_code=201)
async def add_shop(request: Request, said: ShopNew) -> ShopTold:
    """Its events come from the source of the key that makes it. It only listens: a token, and
    an address of the shop's API, are given on the command line."""
    caller = _caller(request)
    office: Office = request.scope["state"]["office"]
    if "token" in said.secrets or "api" in said.settings:
        message = "Where Kantis asks a shop itself is said on the command line: kantis shop add."
        raise Problem("malformed", message)
    about = said.name, said.kind, caller.program, caller.source, said.secrets, said.settings
    try:
        kinds.check(said.kind, said.secrets, said.settings)
        seals = await office.seals()
        await asyncio.to_thread(shops.connect, office.desk, seals, *about)
    except ProgramError as error:
        raise Problem("malformed", " ".join(each.message for each in error.faults)) from error
    found = await office.read(lambda reader: shops.shown(reader.books, caller.program))
    return _told(next(each for each in found if each.name == said.name))


@router.delete("/v1/shops/{connection}", summary="Disconnect a shop", status_code=204)
async def remove_shop(request: Request, connection: str = Path(max_length=63)) -> Response:
    """Its secrets are forgotten; what it told stays."""
    caller = _caller(request)
    office: Office = request.scope["state"]["office"]
    found = await office.read(lambda reader: shops.find(reader.books, connection))
    if found is None or found.program != caller.program:
        raise Problem("not-found")
    await asyncio.to_thread(office.desk.remove_shop, connection)
    return Response(status_code=204)


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["state"]["caller"]
    return caller


def _told(each: shops.Shown) -> ShopTold:
    return ShopTold(
        name=each.name, kind=each.kind, source=each.source, settings=each.settings,
        created=show_instant(each.created), told=each.told, waiting=each.waiting,
        webhook=f"/v1/shops/{each.name}/webhook",
    )  # fmt: skip
