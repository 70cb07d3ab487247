"""Programs over HTTP: validate a file, publish a version, and what versions there are.

Two people do not publish over each other: whoever publishes says which version they have
seen last, as the ETag of the program, and is refused when there is a newer one.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field

from kantis.core.calendar import show_instant
from kantis.core.knobs import ProgramError
from kantis.desk import editing, text
from kantis.desk.compare import Comparison
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.asking import Body, Name, Number, program_of
from kantis.doors.api.looking import caller_of, office_of
from kantis.doors.api.problems import Problem, faults_of
from kantis.store.rows import VersionRow

router = APIRouter()

_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": ""} for status in (409, 412, 422, 428)
}
#: Why a file that is fine is not published.
_OWN_CODES: Final = ("published-meanwhile", "signatures-missing")


class VersionTold(BaseModel):
    """A published version of a program; ``since`` is null where it has held always."""

    version: int
    since: str | None
    published: str


class ProgramTold(BaseModel):
    """A program and its versions."""

    program: str
    versions: list[VersionTold]


class Programs(BaseModel):
    """The programs that the key may see."""

    programs: list[ProgramTold]


class VersionSource(VersionTold):
    """A version with its file, as it was published."""

    program: str
    source: str


class ChangeTold(BaseModel):
    """What two versions say of the same thing; null where one does not say it."""

    path: str
    before: Any
    after: Any


class DifferenceTold(BaseModel):
    """What changes from one version to another, and the same as a difference of lines."""

    program: str
    earlier: int
    later: int
    changes: list[ChangeTold]
    lines: str


class DraftSaid(Body):
    """A program file. Times are on the program's clock, as in 2027-01-01 or 2027-01-01 06:00."""

    source: str = Field(max_length=text.SIZE_MAX_BYTES, description="The file, as YAML.")
    since: str = Field("", max_length=40, description="From when it holds. Default: now.")


class Validation(DraftSaid):
    """A program file to be looked at."""

    until: str = Field("", max_length=40, description="How far ahead to look. Default: a year.")
    compare: bool = Field(True, description="Whether to tell who would gain and who would lose.")


class FaultFound(BaseModel):
    """What is wrong with a file, where (counted from 1; 0: no place), and what to do."""

    code: str
    message: str
    line: int
    column: int
    path: str


class SumsTold(BaseModel):
    """How many accounts have less and more of a balance, and in all how much, in its own unit."""

    losing: int
    loss: str
    gaining: int
    gain: str


class LevelTold(BaseModel):
    """A level that another one takes the place of, for so many accounts."""

    group: str
    before: str
    after: str
    up: bool
    accounts: int


class MomentTold(BaseModel):
    """How accounts differ at an instant from what they would have without the new version."""

    at: str
    balances: dict[str, SumsTold]
    levels: list[LevelTold]


class EffectsTold(BaseModel):
    """What a version would change for the accounts there are. ``begins`` is when anything
    differs first, ``failed`` are accounts that the new terms cannot be applied to."""

    version: int
    since: str
    until: str
    accounts: int
    touched: int
    begins: str | None
    failed: list[int]
    moments: list[MomentTold]


class Validated(BaseModel):
    """Whether a file can be published, what is wrong with it, and what it would change."""

    ok: bool
    faults: list[FaultFound]
    warnings: dict[str, str]
    effects: EffectsTold | None


class PublishedTold(BaseModel):
    """The newest version; ``published`` is false when it says what was there before."""

    program: str
    version: int
    since: str | None
    published: bool


@router.get("/v1/programs", summary="The programs of the key, with their versions")
async def programs(request: Request) -> Programs:
    """Which versions were published, and from when each holds."""
    return Programs(programs=await office_of(request).read(_programs, caller_of(request)))


@router.get("/v1/programs/{name}", summary="One program, with its ETag")
async def program(request: Request, response: Response, name: Name) -> ProgramTold:
    """Its versions. The ETag is what publishing asks for as If-Match."""
    versions = await office_of(request).read(_versions, caller_of(request), name)
    response.headers["etag"] = _etag(versions[-1].number)
    return ProgramTold(program=name, versions=[_version(each) for each in versions])


@router.post("/v1/programs/{name}/validate", summary="Look at a program file before publishing")
async def validate(request: Request, name: Name, said: Validation) -> Validated:
    """Its faults with line, column and suggestion; warnings; who would gain and who would lose."""
    return await office_of(request).study(_validated, caller_of(request), name, said)


@router.get("/v1/programs/{name}/versions/{number}", summary="A version with its file")
async def version(request: Request, name: Name, number: Number) -> VersionSource:
    """The file as it was published."""
    versions = await office_of(request).read(_versions, caller_of(request), name)
    found = _numbered(versions, number)
    return VersionSource(program=name, source=found.source, **_version(found).model_dump())


@router.get("/v1/programs/{name}/difference", summary="The difference between two versions")
async def difference(
    request: Request,
    name: Name,
    later: Annotated[int, Query(ge=0, description="Default: the newest.")] = 0,
    earlier: Annotated[int, Query(ge=0, description="Default: the one before.")] = 0,
) -> DifferenceTold:
    """What changes, thing by thing and as lines."""
    versions = await office_of(request).read(_versions, caller_of(request), name)
    two = _numbered(versions, later or versions[-1].number)
    one = _numbered(versions, earlier or two.number - 1)
    changes, lines = editing.difference(one, two)
    told = [ChangeTold(path=c.path, before=c.before, after=c.after) for c in changes]
    return DifferenceTold(
        program=name, earlier=one.number, later=two.number, changes=told, lines=lines
    )


@router.post(
    "/v1/programs/{name}/versions",
    summary="Publish a version, now or from a later time on",
    responses=_REFUSED,
)
async def publish(
    request: Request,
    response: Response,
    name: Name,
    said: DraftSaid,
    if_match: Annotated[str, Header(description="The ETag of the program.")] = "",
    if_none_match: Annotated[str, Header(description="'*' for a new program.")] = "",
) -> PublishedTold:
    """Publish after the version that was seen last. The same file again changes nothing."""
    office, caller = office_of(request), caller_of(request)
    after = _seen(if_match, if_none_match)
    await office.read(_may_publish, caller, name, after)
    try:
        done = await office.act(_publish, caller, name, said, after)
    except ProgramError as error:
        code = error.faults[0].code
        raise Problem(
            code if code in _OWN_CODES else "program-faulty",
            error.faults[0].message,
            faults_of(error),
        ) from error
    response.headers["etag"] = _etag(done.version)
    since = show_instant(done.since) if done.since else None
    return PublishedTold(
        program=done.program, version=done.version, since=since, published=done.fresh
    )


@router.delete(
    "/v1/programs/{name}/versions/{number}",
    summary="Cancel a version that has not begun",
    responses={409: {"description": ""}},
)
async def cancel(request: Request, response: Response, name: Name, number: Number) -> ProgramTold:
    """It is as if it had never been published; what is left of the versions. The same again
    changes nothing."""
    office, caller = office_of(request), caller_of(request)
    await office.read(_versions, caller, name)
    try:
        await office.act(Desk.cancel, name, number, (caller.by.who, caller.by.name))
    except ProgramError as error:
        fault = error.faults[0]
        known = fault.code if fault.code == "unknown-version" else "cannot-cancel"
        raise Problem(known, fault.message) from error
    return await program(request, response, name)


def _seen(if_match: str, if_none_match: str) -> int:
    """The version that the caller has seen last; 0 for none."""
    if if_none_match.strip() == "*" and not if_match:
        return 0
    tag = if_match.strip().removeprefix("W/").strip('"')
    if not tag.isascii() or not tag.isdecimal():
        raise Problem("condition-missing")
    return int(tag)


def _may_publish(reader: Desk, caller: Caller, name: str, after: int) -> None:
    """A key of one program publishes that one only, and has to know what it follows."""
    if caller.number and caller.program != name:
        raise Problem("unknown-program")
    if after and name not in reader.books.programs():
        raise Problem("unknown-program")


def _publish(
    desk: Desk, caller: Caller, name: str, said: DraftSaid, after: int
) -> editing.Published:
    draft = editing.read(said.source, name=name)
    return editing.publish(desk, draft, said.since, desk.clock(), caller.by, after)


def _validated(reader: Desk, caller: Caller, name: str, said: Validation) -> Validated:
    books = reader.books
    if caller.number and caller.program != name:
        raise Problem("unknown-program")
    try:
        draft = editing.read(said.source, name=name)
        now = reader.clock()
        found = editing.effects(books, draft, said.since, said.until, now) if said.compare else None
    except ProgramError as error:
        faults = [
            FaultFound(
                code=each.code, message=each.message, line=each.line, column=each.column,
                path=each.path,
            )
            for each in error.faults
        ]  # fmt: skip
        return Validated(ok=False, faults=faults, warnings={}, effects=None)
    effects = _effects(draft, found) if found is not None else None
    ok = effects is None or not effects.failed
    return Validated(ok=ok, faults=[], warnings=editing.warnings(draft), effects=effects)


def _effects(draft: editing.Draft, found: Comparison) -> EffectsTold:
    units = draft.program.units
    moments = []
    for each in found.moments:
        balances = {}
        for name, sums in each.balances.items():
            number = units[name].number if name in units else str
            balances[name] = SumsTold(
                losing=sums.losing, loss=number(sums.loss), gaining=sums.gaining,
                gain=number(sums.gain),
            )  # fmt: skip
        levels = [
            LevelTold(group=m.group, before=m.before, after=m.after, up=m.up, accounts=count)
            for m, count in sorted(each.moves.items())
        ]
        moments.append(MomentTold(at=show_instant(each.at), balances=balances, levels=levels))
    return EffectsTold(
        version=found.version, since=show_instant(found.since), until=show_instant(found.until),
        accounts=found.accounts, touched=found.touched,
        begins=show_instant(found.begins) if found.begins else None, failed=found.failed,
        moments=moments,
    )  # fmt: skip


def _programs(reader: Desk, caller: Caller) -> list[ProgramTold]:
    return [
        ProgramTold(program=name, versions=[_version(v) for v in reader.books.versions(number)])
        for name, number in sorted(reader.books.programs().items())
        if caller.number in (0, number)
    ]


def _versions(reader: Desk, caller: Caller, name: str) -> list[VersionRow]:
    return reader.books.versions(program_of(reader, caller, name))


def _numbered(versions: list[VersionRow], number: int) -> VersionRow:
    for each in versions:
        if each.number == number:
            return each
    raise Problem("unknown-version")


def _version(row: VersionRow) -> VersionTold:
    since = show_instant(row.since) if row.since else None
    return VersionTold(version=row.number, since=since, published=show_instant(row.published))


def _etag(number: int) -> str:
    return f'"{number}"'
