"""The routes on members: join, find, look, change, consent, export, erase.

Everything personal passes through here and the vault alone. Nothing personal stands in a path
or a query, so none comes into a log. What a scope is shown is said in ``people``.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Header, Path, Request
from msgspec import structs
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from kantis.core.calendar import show_instant
from kantis.desk.results import UNKNOWN, Result
from kantis.desk.submit import Desk
from kantis.desk.vault import membership, portable
from kantis.desk.vault.membership import Joining
from kantis.desk.vault.vault import Member, Reader, Vault
from kantis.doors.api.access import Caller
from kantis.doors.api.events import body_of, idempotency_key
from kantis.doors.api.looking import caller_of, office_of
from kantis.doors.api.people import (
    LOOKS,
    SHOWN,
    Changes,
    Consents,
    ConsentSaid,
    Export,
    Found,
    Joined,
    Joins,
    Look,
    MemberSeen,
    ReadingTold,
    changes_of,
    consent_of,
    consents_told,
    person_of,
    told,
)
from kantis.doors.api.problems import MEDIA, Problem, refusal, status_of
from kantis.store.people import readings_of

router = APIRouter()

_Body = TypeVar("_Body", bound=BaseModel)
Id = Annotated[str, Path(description="The id of a member.", max_length=40)]
_IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", description="The id of the request; sent again, the same.")
]
IfMatch = Annotated[
    str, Header(alias="If-Match", description="The ETag that the member had when it was read.")
]


def takes(body: type[BaseModel], *statuses: str) -> dict[str, Any]:
    """What the contract says of a route that takes a body, and which problems it has."""
    schema = {"$ref": f"#/components/schemas/{body.__name__}"}
    return {
        "openapi_extra": {
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}
        },
        "responses": {int(each): {} for each in (*statuses, "413", "415")},
    }


async def read(request: Request, body: type[_Body]) -> tuple[_Body, bytes]:
    """The body of a request, and its bytes."""
    data = await body_of(dict(request.scope["headers"]), request.receive)
    try:
        return body.model_validate_json(data), data
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}"
            for each in error.errors(include_input=False, include_url=False)
        )
        raise Problem("malformed", f"{said}.") from error


def answer(told: BaseModel, version: int, status: int = 200) -> Response:
    """A member as an answer, with its version as ETag."""
    headers = {"etag": f'"{version}"'}
    data = told.model_dump_json().encode()
    return Response(data, status, headers, media_type="application/json")


def member_of(reader: Desk, vault: Vault, caller: Caller, id: str) -> Member:
    """A member of the caller's program; those of others are as if nowhere."""
    member = vault.by_id(reader.books, caller.number, id)
    if member is None:
        raise Problem("unknown-member")
    return member


def shown(
    reader: Desk, vault: Vault, caller: Caller, members: list[Member], why: str
) -> list[MemberSeen]:
    """Members as their caller may see them, once it is written down who reads."""
    if SHOWN[caller.scope]:
        vault.note(members, Reader(caller.key, why), SHOWN[caller.scope])
    cards = membership.cards_told(reader, members)
    return [told(each, cards[each.row.account], caller.scope) for each in members]


# ── joining ──────────────────────────────────────────────────────────────────


_JOINS = takes(Joins, "409", "410")
_JOINS["responses"][200] = {"model": Joined, "description": "The same request came before."}


@router.post(
    "/v1/members", summary="Somebody joins", status_code=201, response_model=Joined, **_JOINS
)
async def enrol_member(request: Request, key: _IdempotencyKey = "") -> Response:
    """Personal data go to the vault; the account and its card are made by an event."""
    office, caller = office_of(request), caller_of(request)
    said, data = await read(request, Joins)
    id = idempotency_key(dict(request.scope["headers"]))
    if not id:
        raise Problem("id-missing")
    asked = membership.Request(caller.source, id, data)
    joining = await office.people(_joining, caller, asked, said)
    if joining.refused is not None:
        return refused(joining.refused, request, quoted=True)
    account = 0
    if joining.event is not None:
        (result,) = await office.line.submit(caller.program, [joining.event])
        if result.refusal is not None or result.outcome == UNKNOWN:
            return refused(result, request)
        if not result.account:  # set aside, after a fault
            raise Problem("fault")
        account = result.account
    found = await office.people(_joined, caller, asked, joining, account)
    return answer(found, found.version, 200 if found.again else 201)


def _joining(
    reader: Desk, vault: Vault, caller: Caller, asked: membership.Request, said: Joins
) -> Joining:
    home = reader.homes.numbered(caller.number)
    person = person_of(said, reader.clock(), caller.source)
    return membership.joining(reader, vault, home, asked, person, said.card, said.facts)


def _joined(
    reader: Desk,
    vault: Vault,
    caller: Caller,
    asked: membership.Request,
    joining: Joining,
    account: int,
) -> Joined:
    home, again = reader.homes.numbered(caller.number), joining.before is not None
    id = joining.before.row.id if joining.before is not None else ""
    if not again:
        id, again = membership.keep(reader, vault, home, joining, asked, account)
    (found,) = shown(reader, vault, caller, [member_of(reader, vault, caller, id)], "join")
    return Joined(**found.model_dump(), again=again)


def refused(result: Result, request: Request, *, quoted: bool = False) -> Response:
    """An event that was refused, or of which nobody knows what became."""
    data = refusal(result, request.scope["state"]["request"], quoted=quoted)
    return Response(data, status_of(result), media_type=MEDIA)


# ── looking ──────────────────────────────────────────────────────────────────


@router.post("/v1/members/search", summary="Find members", response_model=Found, **takes(Look))
async def search(request: Request) -> Found:
    """By e-mail, phone, card, receipt, or the start of a name; a body, so that nothing
    personal stands in a log on the way."""
    office, caller = office_of(request), caller_of(request)
    said, _ = await read(request, Look)
    if not said.by.keys() <= set(LOOKS[caller.scope]):
        (what,) = said.by
        raise Problem("not-allowed", f"A key for {caller.scope} does not search by {what}.")
    return Found(members=await office.people(_search, caller, said.by))


def _search(reader: Desk, vault: Vault, caller: Caller, by: dict[str, str]) -> list[MemberSeen]:
    members = membership.found(reader, vault, caller.number, by)
    (what,) = by
    return shown(reader, vault, caller, members, f"search by {what}")


@router.get("/v1/members/{member}", summary="A member", response_model=MemberSeen)
async def look(request: Request, member: Id) -> Response:
    """The member with the cards, and as much of the person as the caller may see."""
    found = await office_of(request).people(_look, caller_of(request), member, "look")
    return answer(found, found.version)


def _look(reader: Desk, vault: Vault, caller: Caller, id: str, why: str) -> MemberSeen:
    (found,) = shown(reader, vault, caller, [member_of(reader, vault, caller, id)], why)
    return found


@router.patch(
    "/v1/members/{member}", summary="Change what is known of a member", response_model=MemberSeen,
    **takes(Changes, "409", "410", "412", "428"),
)  # fmt: skip
async def change(request: Request, member: Id, match: IfMatch = "") -> Response:
    """Fields that are left out stay. It needs the ETag of what was read."""
    office, caller = office_of(request), caller_of(request)
    said, _ = await read(request, Changes)
    events = await office.people(_change, caller, member, changes_of(said), _version(match))
    if events:
        await office.line.submit(caller.program, events)
    found = await office.people(_look, caller, member, "change")
    return answer(found, found.version)


def _change(
    reader: Desk, vault: Vault, caller: Caller, id: str, changes: dict[str, Any], version: int
) -> list[Any]:
    member = member_of(reader, vault, caller, id)
    person = membership.change(reader, vault, member, changes, version)
    home = reader.homes.numbered(caller.number)
    return membership.birthday_told(reader, home, member, person, caller.source)


def _version(match: str) -> int:
    """The version that an ETag names."""
    said = match.strip().removeprefix("W/").strip('"')
    if not said:
        raise Problem("if-match-missing")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < _DIGITS else -1


_DIGITS: Final = 18


# ── consents ─────────────────────────────────────────────────────────────────


@router.get("/v1/members/{member}/consents", summary="What a member agreed to, and took back")
async def consents(request: Request, member: Id) -> Consents:
    """All of it, oldest first, with the wording that was shown."""
    return await office_of(request).people(_consents, caller_of(request), member)


@router.post(
    "/v1/members/{member}/consents", summary="A member agrees, or takes it back",
    response_model=Consents, **takes(ConsentSaid, "409", "410"),
)  # fmt: skip
async def consent(request: Request, member: Id) -> Consents:
    """What was said last of a purpose holds. Said again with the same text, nothing is added."""
    said, _ = await read(request, ConsentSaid)
    return await office_of(request).people(_consent, caller_of(request), member, said)


def _consents(reader: Desk, vault: Vault, caller: Caller, id: str) -> Consents:
    member = member_of(reader, vault, caller, id)
    if member.person is None:
        raise Problem("member-erased")
    vault.note([member], Reader(caller.key, "consents"), ("consents",))
    return Consents(consents=consents_told(member.person))


def _consent(reader: Desk, vault: Vault, caller: Caller, id: str, said: ConsentSaid) -> Consents:
    member = member_of(reader, vault, caller, id)
    if member.person is None:
        raise Problem("member-erased")
    last = next((x for x in reversed(member.person.consents) if x.purpose == said.purpose), None)
    given = consent_of(said, reader.clock(), caller.source)
    if last is None or (last.granted, last.version) != (said.granted, said.version):
        person = structs.replace(member.person, consents=(*member.person.consents, given))
        vault.change(member, person, vault.desk.clock())
    return _consents(reader, vault, caller, id)


# ── rights ───────────────────────────────────────────────────────────────────


@router.get("/v1/members/{member}/export", summary="Everything that is kept about a member")
async def export(request: Request, member: Id) -> Export:
    """Personal data, consents, cards, the account, its events and entries with their
    explanations, and who has read the personal data."""
    return await office_of(request).people(_export, caller_of(request), member)


def _export(reader: Desk, vault: Vault, caller: Caller, id: str) -> Export:
    found = _look(reader, vault, caller, id, "export")
    member = member_of(reader, vault, caller, id)
    home = reader.homes.numbered(caller.number)
    readings = [
        ReadingTold(at=show_instant(x.at), who=x.who, why=x.why, fields=x.fields.split())
        for x in readings_of(reader.books, id)
    ]
    account = portable.account_of(reader, vault, home, member)
    return Export(member=found, **account, readings=readings)


@router.delete("/v1/members/{member}", summary="Erase a member", response_model=MemberSeen)
async def erase(request: Request, member: Id) -> Response:
    """Holds are released, debts and points written off; then the key is destroyed. What is
    left says who it was to nobody. Sent again, nothing changes."""
    office, caller = office_of(request), caller_of(request)
    events = await office.people(_last_events, caller, member)
    for event in events:  # one after the other: what a hold gives back is taken after it
        await office.line.submit(caller.program, [event])
    found = await office.people(_erase, caller, member)
    return answer(found, found.version)


def _last_events(reader: Desk, vault: Vault, caller: Caller, id: str) -> list[Any]:
    member = member_of(reader, vault, caller, id)
    if member.row.erased is not None:
        return []
    home = reader.homes.numbered(caller.number)
    return membership.last_events(reader, home, member, caller.source)


def _erase(reader: Desk, vault: Vault, caller: Caller, id: str) -> MemberSeen:
    member = member_of(reader, vault, caller, id)
    if member.row.erased is None:
        home = reader.homes.numbered(caller.number)
        membership.erase(reader, vault, home, member, caller.key)
    return _look(reader, vault, caller, id, "erase")
