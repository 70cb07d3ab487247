"""The routes on a member's cards: another one, one in the place of a lost one, and a block."""

from __future__ import annotations

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from kantis.desk.submit import Desk
from kantis.desk.vault import membership
from kantis.desk.vault.vault import Vault
from kantis.doors.api.access import Caller
from kantis.doors.api.events import idempotency_key
from kantis.doors.api.looking import caller_of, office_of
from kantis.doors.api.members import (
    Id,
    answer,
    member_of,
    read,
    shown,
    takes,
)
from kantis.doors.api.people import CardNamed, MemberSeen, NewCard
from kantis.doors.api.problems import Problem

router = APIRouter()


@router.post(
    "/v1/members/{member}/cards", summary="Give a member another card", response_model=MemberSeen,
    **takes(NewCard, "409", "410"),
)  # fmt: skip
async def add(
    request: Request, member: Id, key: str = Header("", alias="Idempotency-Key")
) -> Response:
    """Points stay with the account. A card that is replaced is refused from now on."""
    office, caller = office_of(request), caller_of(request)
    said, _ = await read(request, NewCard)
    about = idempotency_key(dict(request.scope["headers"]))
    if not about and not said.card:
        raise Problem("id-missing", "Without a card, the request has an id of its own.")
    found = await office.people(_add, caller, member, said, about)
    return answer(found, found.version)


def _add(
    reader: Desk, vault: Vault, caller: Caller, id: str, said: NewCard, about: str
) -> MemberSeen:
    home = reader.homes.numbered(caller.number)
    member = member_of(reader, vault, caller, id)
    membership.add_card(
        reader, vault, home, member, caller.key,
        card=said.card, about=f"{caller.source}/{about}", replaces=said.replaces,
    )  # fmt: skip
    (found,) = shown(reader, vault, caller, [member], "card")
    return found


@router.post(
    "/v1/members/{member}/cards/block", summary="Block a card of a member",
    response_model=MemberSeen, **takes(CardNamed, "409"),
)  # fmt: skip
async def block(request: Request, member: Id) -> Response:
    """From the next event on it is refused; what had happened with it is recorded and flagged."""
    said, _ = await read(request, CardNamed)
    found = await office_of(request).people(_block, caller_of(request), member, said.card)
    return answer(found, found.version)


def _block(reader: Desk, vault: Vault, caller: Caller, id: str, card: str) -> MemberSeen:
    home = reader.homes.numbered(caller.number)
    member = member_of(reader, vault, caller, id)
    membership.stop_card(reader, vault, home, member, card, caller.key)
    (found,) = shown(reader, vault, caller, [member], "card")
    return found
