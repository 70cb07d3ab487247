"""Benefits: rewards, vouchers, offers and entitlements of an account, and their use."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from kantis.core.events import Enjoy, Load, Use
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
    subject_of,
    tagged,
    wanted_of,
)
from kantis.doors.api.wire import NUMBER_MAX
from kantis.doors.web.telling import teller

router = APIRouter()

_PATH: Final = "/v1/accounts/{ref}"


class Reward(BaseModel):
    """A reward, seen from the account; amounts are decimal numbers.

    `can`: it can be had now, for `points`. Otherwise `missing` says how many points there are
    too few, and `code` and `why` why not. `comes` is how: on request, by itself, on the
    birthday, on joining. `left` is how often still, `stock` how many there are for all. Titles,
    `gives` and `why` are in the best language of Accept-Language that there is.
    """

    reward: str
    title: str
    gives: str
    comes: str
    balance: str
    points: str
    worth: str
    can: bool
    missing: str
    code: str
    why: str
    left: int | None
    stock: int | None


class Rewards(BaseModel):
    """What can be had comes first, then by how much is missing."""

    rewards: list[Reward]


class VoucherTold(BaseModel):
    """A voucher; `state` is open, used, expired or reversed."""

    code: str
    kind: str
    title: str
    good_for: str
    worth: str
    state: str
    issued: str
    until: str
    least_basket: str
    at: list[str]


class Vouchers(BaseModel):
    """Vouchers, the first to end first."""

    vouchers: list[VoucherTold]


class Offer(BaseModel):
    """An offer that is meant for the member; `state` is open, loaded, coming or used up."""

    offer: str
    title: str
    says: str
    state: str
    since: str
    until: str
    loaded: str
    used: int
    left: int | None


class Offers(BaseModel):
    """Offers in the order of the program."""

    offers: list[Offer]


class EntitlementTold(BaseModel):
    """What the member may have now, to which day, and how often still."""

    entitlement: str
    title: str
    good_for: str
    until: str
    left: int | None


class Entitlements(BaseModel):
    """Entitlements in the order of the program."""

    entitlements: list[EntitlementTold]


DEEDS: Final = (
    Deed("use_voucher", f"{_PATH}/vouchers/{{code}}/use", "Use a voucher up", Use,
         at={"code": "voucher"}),
    Deed("load_offer", f"{_PATH}/offers/{{offer}}/load", "Load an offer", Load,
         at={"offer": "offer"}),
    Deed("enjoy", f"{_PATH}/entitlements/{{entitlement}}/enjoy",
         "Record that a member had what they are entitled to", Enjoy,
         at={"entitlement": "entitlement"}),
)  # fmt: skip


@router.get(
    f"{_PATH}/rewards", summary="What points can be spent on, and how far it is to the rest",
    response_model=Rewards, responses=UNCHANGED,
)  # fmt: skip
async def rewards(
    request: Request,
    ref: Ref,
    basket: Annotated[
        int, Query(ge=0, le=NUMBER_MAX, description="The price in minor units to take off.")
    ] = 0,
) -> Response:
    """All rewards of the program, asked as a redemption would be."""
    wanted = wanted_of(request)
    found = await office_of(request).read(_rewards, caller_of(request), ref, basket, wanted)
    return tagged(request, Rewards.model_validate({"rewards": found}))


@router.get(
    f"{_PATH}/vouchers", summary="The vouchers of an account", response_model=Vouchers,
    responses=UNCHANGED,
)  # fmt: skip
async def vouchers(
    request: Request,
    ref: Ref,
    closed: Annotated[bool, Query(description="Those that are used or over, too.")] = False,
) -> Response:
    """Vouchers with what they are good for and until when."""
    wanted = wanted_of(request)
    found = await office_of(request).read(_vouchers, caller_of(request), ref, wanted, closed)
    return tagged(request, Vouchers.model_validate({"vouchers": found}))


@router.get(
    f"{_PATH}/offers", summary="The offers that are meant for a member", response_model=Offers,
    responses=UNCHANGED,
)  # fmt: skip
async def offers(request: Request, ref: Ref) -> Response:
    """Offers that can be loaded, are loaded, are used up or are to come."""
    found = await office_of(request).read(_offers, caller_of(request), ref, wanted_of(request))
    return tagged(request, Offers.model_validate({"offers": found}))


@router.get(
    f"{_PATH}/entitlements", summary="What a member may have now",
    response_model=Entitlements, responses=UNCHANGED,
)  # fmt: skip
async def entitlements(request: Request, ref: Ref) -> Response:
    """Delivery, prices, access, support: what plan, level or segment entitle to."""
    wanted = wanted_of(request)
    found = await office_of(request).read(_entitlements, caller_of(request), ref, wanted)
    return tagged(request, Entitlements.model_validate({"entitlements": found}))


_Found = list[dict[str, Any]]


def _rewards(reader: Desk, caller: Caller, ref: str, basket: int, wanted: list[str]) -> _Found:
    row, home = account_of(reader, caller, ref), reader.homes.numbered(caller.number)
    now = reader.clock()
    about = reader.books, home, row, now, subject_of(ref)
    return around.rewards(*about, basket, wanted, teller(home, now, wanted))


def _vouchers(reader: Desk, caller: Caller, ref: str, wanted: list[str], closed: bool) -> _Found:
    row, home = account_of(reader, caller, ref), reader.homes.numbered(caller.number)
    return around.vouchers(home, row, reader.clock(), wanted, closed=closed)


def _offers(reader: Desk, caller: Caller, ref: str, wanted: list[str]) -> _Found:
    row, home = account_of(reader, caller, ref), reader.homes.numbered(caller.number)
    now = reader.clock()
    say = teller(home, now, wanted)
    return around.offers(reader.books, home, row, now, subject_of(ref), wanted, say)


def _entitlements(reader: Desk, caller: Caller, ref: str, wanted: list[str]) -> _Found:
    row, home = account_of(reader, caller, ref), reader.homes.numbered(caller.number)
    return around.entitlements(home, row, reader.clock(), subject_of(ref), wanted)
