"""Proofs: a member shows a shop on the net that it is them, before much is spent.

Guarantee: where an owner has said from which amount on, an event of a shop's key that asks to
spend so much is refused, and not recorded, until the member has typed the code of a letter. The
code is good once, for one account and one shop; whether anybody got a letter is not told.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from kantis.core.calendar import show_instant
from kantis.desk import mailing
from kantis.desk.sessions import PROVED_MS, proof
from kantis.desk.submit import Desk
from kantis.desk.vault.vault import Vault
from kantis.doors.api.access import Caller
from kantis.doors.api.asking import Body
from kantis.doors.api.looking import Ref, account_of, caller_of, office_of, wanted_of
from kantis.doors.api.problems import Problem

router = APIRouter()


class CodeSaid(Body):
    """The code that the member has typed."""

    code: str = Field(max_length=40, examples=["ABCD-2345"])


class ProofAsked(BaseModel):
    """A letter is on its way, if the member has a confirmed address."""

    asked: bool


class Proved(BaseModel):
    """Until when the member may spend as much as they like with this shop."""

    until: str


@router.post(
    "/v1/accounts/{ref}/proofs", summary="Send the member a code", status_code=202,
    responses={429: {"description": ""}},
)  # fmt: skip
async def ask(request: Request, ref: Ref) -> ProofAsked:
    """To their confirmed e-mail address, in their language."""
    office, caller = office_of(request), caller_of(request)
    row = await office.read(account_of, caller, ref)
    language = (wanted_of(request) or ["en"])[0]
    if not await office.people(_ask, caller, row.id, language):
        raise Problem("too-many-tries", retry_after="900")
    return ProofAsked(asked=True)


@router.post(
    "/v1/accounts/{ref}/proofs/confirm", summary="Take the code that the member typed",
    responses={429: {"description": ""}},
)  # fmt: skip
async def confirm(request: Request, ref: Ref, said: CodeSaid) -> Proved:
    """For a quarter of an hour from now on what this key asks to spend is decided."""
    office, caller = office_of(request), caller_of(request)
    row = await office.read(account_of, caller, ref)
    hashed = proof(row.id, caller.source, said.code)
    why = await office.act(Desk.chore, "show_code", hashed, row.id, caller.source)
    if why == "too-many-tries":
        raise Problem(why, retry_after="900")
    if why:
        raise Problem(why)
    return Proved(until=show_instant(office.desk.clock() + PROVED_MS))


def _ask(_: Desk, vault: Vault, caller: Caller, account: int, language: str) -> bool:
    return mailing.ask_proof(vault, caller.number, account, caller.source, language)
