"""Drafts over HTTP: a version is put up for signatures, and how far each draft is.

A key puts up and takes back; it never signs, as a signature is that of a person who has signed
in to the console. What is signed is published as any version is.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel

from kantis.core.calendar import show_instant
from kantis.core.knobs import ProgramError
from kantis.desk import editing, signoffs
from kantis.desk.signoffs import Standing
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.asking import Name, Number, program_of
from kantis.doors.api.looking import caller_of, office_of
from kantis.doors.api.problems import Problem, faults_of
from kantis.doors.api.programs import DraftSaid
from kantis.store import signoffs as rows

router = APIRouter()

_REFUSED: Final[dict[int | str, dict[str, Any]]] = {409: {"description": ""}}


class SignatureTold(BaseModel):
    """Who signed, as what, when, and with which remark."""

    name: str
    role: str
    at: str
    remark: str


class DraftTold(BaseModel):
    """What waits for signatures: a ``version``, or another ``demand``. ``since`` is null for at
    once; ``digest`` is the SHA-256 of what is signed; ``overtaken`` when something else was
    published after it was put up."""

    draft: int
    kind: str
    since: str | None
    digest: str
    by: str
    at: str
    signatures: list[SignatureTold]
    missing: int
    overtaken: bool


class Drafts(BaseModel):
    """What is demanded for a program, and what waits, the newest first."""

    program: str
    demanded: int
    roles: list[str]
    drafts: list[DraftTold]


@router.get("/v1/programs/{name}/drafts", summary="Drafts that wait for signatures")
async def drafts(request: Request, name: Name) -> Drafts:
    """How many signatures a version needs, of which roles, and which drafts have how many."""
    return await office_of(request).read(_drafts, caller_of(request), name)


@router.post(
    "/v1/programs/{name}/drafts",
    summary="Put a version up for signatures",
    responses={422: {"description": ""}},
)
async def put_up(request: Request, name: Name, said: DraftSaid) -> DraftTold:
    """The same again is the same draft. Another byte, day or version before it is another one."""
    office, caller = office_of(request), caller_of(request)
    program = await office.read(program_of, caller, name)
    try:
        number = await office.act(_put_up, caller, name, said)
    except ProgramError as error:
        sentence = error.faults[0].message
        raise Problem("program-faulty", sentence, faults_of(error)) from error
    return await office.read(_draft, program, number)


@router.delete(
    "/v1/programs/{name}/drafts/{number}", summary="Take a draft back", responses=_REFUSED
)
async def drop(request: Request, name: Name, number: Number) -> Drafts:
    """It waits no longer. The same again changes nothing; what was published stays."""
    office, caller = office_of(request), caller_of(request)
    program = await office.read(program_of, caller, name)
    try:
        await office.act(signoffs.drop, program, number, caller.by)
    except ProgramError as error:
        raise Problem(error.faults[0].code, error.faults[0].message) from error
    return await office.read(_drafts, caller, name)


def _put_up(desk: Desk, caller: Caller, name: str, said: DraftSaid) -> int:
    draft = editing.read(said.source, name=name)
    return editing.put_up(desk, draft, said.since, desk.clock(), caller.by)


def _draft(reader: Desk, program: int, number: int) -> DraftTold:
    row = rows.draft(reader.books, program, number)
    assert row is not None
    return _told(signoffs.standing(reader.books, row))


def _drafts(reader: Desk, caller: Caller, name: str) -> Drafts:
    program = program_of(reader, caller, name)
    wanted = signoffs.demand(reader.books, program)
    return Drafts(
        program=name, demanded=wanted.count, roles=list(wanted.roles),
        drafts=[_told(each) for each in signoffs.standings(reader.books, program)],
    )  # fmt: skip


def _told(found: Standing) -> DraftTold:
    row = found.row
    signatures = [
        SignatureTold(name=each.name, role=each.role, at=show_instant(each.at), remark=each.remark)
        for each in found.signed
    ]
    return DraftTold(
        draft=row.number, kind=row.kind, since=show_instant(row.since) if row.since else None,
        digest=row.digest.hex(), by=row.name, at=show_instant(row.at), signatures=signatures,
        missing=found.missing, overtaken=found.overtaken,
    )  # fmt: skip
