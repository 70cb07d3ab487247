"""The route that makes one member of two who are the same person."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from kantis.desk.results import UNKNOWN
from kantis.desk.submit import Desk
from kantis.desk.vault import membership
from kantis.desk.vault.vault import Vault
from kantis.doors.api.access import Caller
from kantis.doors.api.looking import caller_of, office_of
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

router = APIRouter()


@router.post(
    "/v1/members/{member}/merge", summary="Make one member of two", response_model=MemberSeen,
    **takes(MergeSaid, "409", "410"),
)  # fmt: skip
async def merge(request: Request, member: Id) -> Response:
    """Points, levels and counters of the other account come to this one, the other cards answer
    to it, and the other member is erased. Sent again, nothing changes."""
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
    if second.row.erased is not None:
        return []
    return membership.merging(reader, home, member, second)


def _merge(reader: Desk, vault: Vault, caller: Caller, id: str, other: str) -> MemberSeen:
    member = member_of(reader, vault, caller, id)
    second = member_of(reader, vault, caller, other)
    if second.row.erased is None:
        home = reader.homes.numbered(caller.number)
        membership.merge(reader, vault, home, member, second, caller.key)
    (found,) = shown(reader, vault, caller, [member_of(reader, vault, caller, id)], "merge")
    return found
