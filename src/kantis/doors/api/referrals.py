"""Referrals: a new member came by another one's invitation, and how far that has come.

The invitation of a member is their account or card; a code or a link of the shop stands for it.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from kantis.core.events import Refer
from kantis.desk import around
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.deeds import Deed
from kantis.doors.api.looking import (
    UNCHANGED,
    Ref,
    account_of,
    caller_of,
    office_of,
    tagged,
    wanted_of,
)

router = APIRouter()

DEEDS: Final = (
    Deed(
        "refer", "/v1/referrals", "A new member came by an invitation", Refer, reaches="by"
    ),
)  # fmt: skip


class Came(BaseModel):
    """By whose invitation the member came; `done` when they have done what it asks for."""

    referral: str
    by: str
    done: bool
    spent: str


class Friend(BaseModel):
    """A friend who has done it all, and what this member got for it."""

    referral: str
    friend: str
    day: str
    points: str


class ReferralTold(BaseModel):
    """What a referral asks of the friend, and what both get."""

    referral: str
    title: str
    balance: str
    friend_gets: str
    referrer_gets: str
    spends: str
    stages: list[str]


class Referrals(BaseModel):
    """A member's invitations, in both directions, and those that the program has now."""

    came: list[Came]
    friends: list[Friend]
    referrals: list[ReferralTold]


@router.get(
    "/v1/accounts/{ref}/referrals", summary="Who invited whom, and what it brings",
    response_model=Referrals, responses=UNCHANGED,
)  # fmt: skip
async def referrals(request: Request, ref: Ref) -> Response:
    """By whom the member came, and which friends they have brought."""
    wanted = wanted_of(request)
    found = await office_of(request).read(_referrals, caller_of(request), ref, wanted)
    return tagged(request, Referrals.model_validate(found))


def _referrals(reader: Desk, caller: Caller, ref: str, wanted: list[str]) -> dict[str, Any]:
    row, home = account_of(reader, caller, ref), reader.homes.numbered(caller.number)
    return around.referrals(home, row, reader.clock(), wanted)
