"""Keys and the audit log over HTTP, for owners.

An owner of the installation sees all keys and makes any; an owner of one program those of
that program only.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from kantis.core.calendar import show_instant
from kantis.core.knobs import ProgramError
from kantis.desk import audit, keys
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.asking import Body, Cursor, Limit
from kantis.doors.api.looking import caller_of, cursor_of, office_of, seq_of
from kantis.doors.api.problems import Problem
from kantis.store import hands

router = APIRouter()


class LimitsSaid(Body):
    """What the key may do at most; 0 is no limit. Amounts are in the smallest unit."""

    per_minute: int = Field(0, ge=0, le=1_000_000, description="Requests per minute.")
    largest: int = Field(
        0, ge=0, le=1 << 53, description="Of a balance, what one event may spend, bring or adjust."
    )
    goodwill: int = Field(
        0, ge=0, le=1 << 53, description="What a till may give by hand alone per day and balance."
    )


class KeySaid(Body):
    """A key to be made. An owner's key without a program is for all of them."""

    name: str = Field(max_length=100, description="Who has it, for people.")
    scope: str = Field(examples=list(keys.SCOPES))
    source: str = Field(description="What its events come from, as in till-7.")
    program: str = ""
    location: str = Field("", max_length=200, description="The only location it speaks for.")
    limits: LimitsSaid = Field(default_factory=lambda: LimitsSaid.model_validate({}))


class KeyTold(BaseModel):
    """A key without its secret."""

    prefix: str
    name: str
    program: str
    scope: str
    source: str
    location: str
    created: str
    revoked: str | None
    used: str | None = Field(description="When it was used last, to about a minute.")
    used_from: str = Field(
        description="The network from which: of an address the first 24 bits, or 48.",
        examples=["203.0.113.0/24"],
    )
    limits: dict[str, int]


class KeyMade(BaseModel):
    """A key with its secret, which is nowhere else."""

    key: str
    prefix: str
    program: str
    scope: str
    source: str


class Keys(BaseModel):
    """Keys, oldest first."""

    keys: list[KeyTold]


class AuditLine(BaseModel):
    """What somebody did, and by which key."""

    number: int
    at: str
    key: str
    name: str
    program: str
    deed: str
    about: str
    details: dict[str, Any]


class AuditPage(BaseModel):
    """AuditPage, newest first; ``next`` is the cursor of the page after this one."""

    lines: list[AuditLine]
    next: str | None


@router.get("/v1/keys", summary="The keys, without their secrets")
async def list_keys(request: Request) -> Keys:
    """Revoked ones too, oldest first."""
    return Keys(keys=await office_of(request).read(_keys, caller_of(request)))


@router.post(
    "/v1/keys", summary="Make a key; it is shown once", status_code=201,
    responses={422: {"description": ""}},
)  # fmt: skip
async def make_key(request: Request, said: KeySaid) -> KeyMade:
    """The answer is the only place where the key stands. If it is lost, revoke it by its prefix."""
    caller = caller_of(request)
    program = said.program or caller.program
    if caller.number and program != caller.program:
        raise Problem("unknown-program")
    try:
        secret, prefix = await office_of(request).act(_make, caller, program, said)
    except ProgramError as error:
        raise Problem("key-refused", error.faults[0].message) from error
    return KeyMade(key=secret, prefix=prefix, program=program, scope=said.scope, source=said.source)


@router.delete(
    "/v1/keys/{prefix}", summary="Revoke a key, from the next request on", status_code=204,
    response_class=Response,
)  # fmt: skip
async def revoke_key(
    request: Request, prefix: Annotated[str, Path(max_length=20, description="As a list shows.")]
) -> Response:
    """For ever; a key is not given back."""
    caller = caller_of(request)
    by = msgspec.structs.astuple(caller.by)
    if not await office_of(request).act(Desk.revoke_key, prefix, by, caller.number):
        raise Problem("unknown-key")
    return Response(status_code=204)


@router.get("/v1/audit", summary="Who did what by hand, and by which key")
async def audit_log(
    request: Request,
    limit: Limit = 20,
    cursor: Cursor = "",
    deed: Annotated[
        str, Query(max_length=20, description=f"Only this: {', '.join(audit.DEEDS)}.")
    ] = "",
    key: Annotated[str, Query(max_length=20, description="Only by the key of this prefix.")] = "",
) -> AuditPage:
    """Newest first. A line is never changed and never taken away."""
    below = seq_of(cursor)
    found = await office_of(request).read(_lines, caller_of(request), below, limit, deed, key)
    more = len(found) == limit and found[-1].number > 1
    return AuditPage(lines=found, next=cursor_of(found[-1].number) if more else None)


def _keys(reader: Desk, caller: Caller) -> list[KeyTold]:
    return [
        KeyTold(
            prefix=each.prefix, name=each.name, program=each.program, scope=each.scope,
            source=each.source, location=each.location, created=show_instant(each.created),
            revoked=show_instant(each.revoked) if each.revoked is not None else None,
            used=show_instant(each.used) if each.used is not None else None,
            used_from=each.used_from,
            limits={n: v for n, v in msgspec.structs.asdict(each.limits).items() if v},
        )
        for each in keys.shown(reader.books, caller.number)
    ]  # fmt: skip


def _make(desk: Desk, caller: Caller, program: str, said: KeySaid) -> tuple[str, str]:
    limits = keys.Limits(said.limits.per_minute, said.limits.largest, said.limits.goodwill)
    about = said.name, program, said.scope, said.source, said.location
    return keys.make(desk, *about, limits, caller.by)


def _lines(
    reader: Desk, caller: Caller, below: int, count: int, deed: str, who: str
) -> list[AuditLine]:
    names = {number: name for name, number in reader.books.programs().items()} | {0: ""}
    rows = hands.audit(reader.books, below, count, program=caller.number, deed=deed, who=who)
    return [
        AuditLine(
            number=row.n, at=show_instant(row.at), key=row.who, name=row.name,
            program=names[row.program], deed=row.deed, about=row.about,
            details=json.loads(row.said),
        )
        for row in rows
    ]  # fmt: skip
