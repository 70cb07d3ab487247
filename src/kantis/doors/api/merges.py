"""The routes that make one member of two who are the same person, and say before what comes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from kantis.desk.results import UNKNOWN
from kantis.desk.submit import Desk
from kantis.desk.vault import merging
from kantis.desk.vault.vault import Vault
from kantis.doors.api.access import Caller
from kantis.doors.api.looking import caller_of, office_of, wanted_of
from kantis.doors.api.members import (
    Id,
    answer,
    member_of,
    read,
    refused,
    shown,
    takes,
)
from kantis.doors.api.people import MemberSeen, MergeSaid
from kantis.doors.api.wording import say_for

router = APIRouter()


class MergePreview(BaseModel):
    """What a merge would bring, in sentences. It cannot be undone."""

    comes: Annotated[list[str], Field(description="What comes to this member.")]
    stays: Annotated[
        list[str],
        Field(description="What both have, and which therefore stays as it is here."),
    ]
    first: Annotated[
        list[str],
        Field(description="Plans of the other member that both have: end one of the two first."),
    ]
    cards: Annotated[list[str], Field(description="The cards that answer to this member then.")]


@router.get("/v1/members/{member}/merge", summary="See what a merge would bring",
            response_model=MergePreview)  # fmt: skip
async def preview(
    request: Request,
    member: Id,
    other: Annotated[str, Query(min_length=1, max_length=40, description="The id.")],
) -> MergePreview:
    """What would come over, what would not, and what has to be done first; nothing changes."""
    office, caller = office_of(request), caller_of(request)
    found = await office.people(_preview, caller, member, other)
    say = await office.read(say_for, caller, wanted_of(request))
    return MergePreview(
        comes=[say(each) for each in found.comes],
        stays=[say(each) for each in found.stays],
        first=found.first,
        cards=found.cards,
    )


def _preview(reader: Desk, vault: Vault, caller: Caller, id: str, other: str) -> merging.Preview:
    home = reader.homes.numbered(caller.number)
    one, second = (member_of(reader, vault, caller, each) for each in (id, other))
    return merging.preview(reader, home, *merging.accounts(one, second))


@router.post(
    "/v1/members/{member}/merge", summary="Make one member of two", response_model=MemberSeen,
    **takes(MergeSaid, "409", "410"),
)  # fmt: skip
async def merge(request: Request, member: Id) -> Response:
    """Everything on the other account comes to this one, the other cards answer to it, and the
    other member is erased. It cannot be undone; look first. Sent again, nothing changes."""
    office, caller = office_of(request), caller_of(request)
    said, _ = await read(request, MergeSaid)
    for event in await office.people(_merging, caller, member, said.other):
        (result,) = await office.line.submit(caller.program, [event])
        if result.refusal is not None or result.outcome == UNKNOWN:
            return refused(result, request)
        await office.line.submit(caller.program, [])
    found = await office.people(_merge, caller, member, said.other)
    return answer(found, found.version)


def _merging(reader: Desk, vault: Vault, caller: Caller, id: str, other: str) -> list[Any]:
    member = member_of(reader, vault, caller, id)
    second = member_of(reader, vault, caller, other)
    home = reader.homes.numbered(caller.number)
    if second.row.erased is not None and second.row.id != member.row.id:
        return []
    return merging.merging_of(reader, home, *merging.accounts(member, second))


def _merge(reader: Desk, vault: Vault, caller: Caller, id: str, other: str) -> MemberSeen:
    member = member_of(reader, vault, caller, id)
    second = member_of(reader, vault, caller, other)
    if second.row.erased is None:
        home = reader.homes.numbered(caller.number)
        into, of = merging.accounts(member, second)
        merging.finish(reader, vault, home, into, of, caller.key, member, second)
    (found,) = shown(reader, vault, caller, [member_of(reader, vault, caller, id)], "merge")
    return found
