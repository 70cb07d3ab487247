"""Looking things up: accounts, and their entries with explanations.

A key sees its own program only; what is in another one is answered as if it were nowhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from kantis.desk.showing import standing, told
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.looking import (
    UNCHANGED,
    Ref,
    account_of,
    caller_of,
    cursor_of,
    office_of,
    seq_of,
    tagged,
    wanted_of,
)
from kantis.doors.web.telling import teller

router = APIRouter()

PAGE_MAX: Final = 100


class Lot(BaseModel):
    """Points that were earned together and end together. Days are the program's own."""

    balance: str
    amount: str
    earned: str
    until: str
    group: str


class Step(BaseModel):
    """What a counter has, of what a level takes."""

    counter: str
    has: str
    takes: str
    missing: str


class Tier(BaseModel):
    """A level, and the last day that it is sure for, or `never`.

    `next` is the level above, and `way` what it takes: any one of the lists, of that all
    steps. `keep` is what would keep the present level for longer, where that can be done now.
    """

    level: str
    until: str
    next: str
    way: list[list[Step]]
    keep: list[list[Step]]


class Waiting(BaseModel):
    """Pending points: the instant at which they open, or the group that they wait for."""

    balance: str
    amount: str
    opens: str
    group: str


class HoldTold(BaseModel):
    """Points that are set aside; `key` is source and id of the hold."""

    key: str
    reward: str
    balance: str
    points: str
    worth: str
    until: str


class MemberTold(BaseModel):
    """One of the members of a household; `home` is the account that they came from."""

    role: str
    joined: str
    burns: bool
    home: str


class Voucher(BaseModel):
    """A voucher that can be used."""

    code: str
    kind: str
    worth: str
    until: str


class Plan(BaseModel):
    """A membership, and whether it renews by itself."""

    state: str
    per: str
    until: str
    renews: bool


class Entitlement(BaseModel):
    """What the member may have now."""

    good_for: str = Field(validation_alias="good for")
    until: str


class Account(BaseModel):
    """An account as it stands now. Amounts are decimal numbers in their own unit.

    `members` are those of a household; `shares` is the household's account that this one's
    member has joined.
    """

    account: int
    program: str
    cards: list[str]
    joined: str
    balances: dict[str, dict[str, str]]
    lots: list[Lot]
    waiting: list[Waiting]
    tiers: dict[str, Tier]
    counters: dict[str, str]
    vouchers: list[Voucher]
    plans: dict[str, Plan]
    entitlements: dict[str, Entitlement]
    offers: list[str]
    choices: dict[str, str]
    facts: dict[str, str]
    holds: list[HoldTold]
    members: dict[str, MemberTold]
    shares: str


class EntryTold(BaseModel):
    """What an event did to the account, in sentences. ``time`` is the program's local time.

    The sentences are in the best of the languages of Accept-Language that there is (en, fi, et,
    vi), and in English where there is none.
    """

    seq: int
    time: str
    event: str
    type: str
    version: int
    sentences: list[str]


class EntryPage(BaseModel):
    """Entries, newest first; ``next`` is the cursor of the page after this one."""

    entries: list[EntryTold]
    next: str | None


@router.get(
    "/v1/accounts/{ref}", summary="An account as it stands now", response_model=Account,
    responses=UNCHANGED,
)  # fmt: skip
async def account(request: Request, ref: Ref) -> Response:
    """Balances per place, lots, tiers, counters, vouchers, plans, entitlements and offers."""
    found = await office_of(request).read(standing_of, caller_of(request), ref)
    return tagged(request, Account.model_validate(found))


@router.get("/v1/accounts/{ref}/entries", summary="What happened to an account, and why")
async def entries(
    request: Request,
    ref: Ref,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="Entries per page.")] = 20,
    cursor: Annotated[str, Query(max_length=40, description="From 'next' of a page.")] = "",
) -> EntryPage:
    """Entries with their explanations, newest first."""
    below = seq_of(cursor)
    about = ref, below, limit, wanted_of(request)
    found = await office_of(request).read(_entries, caller_of(request), *about)
    page = [EntryTold.model_validate(each) for each in found]
    first = page[-1].seq if page else 1
    return EntryPage(entries=page, next=cursor_of(first) if first > 1 else None)


def standing_of(reader: Desk, caller: Caller, ref: str) -> dict[str, Any]:
    """An account of the caller's program as it stands now."""
    row = account_of(reader, caller, ref)
    return standing(reader.books, reader.homes.numbered(row.program), row, reader.clock())


def _entries(
    reader: Desk, caller: Caller, ref: str, below: int, count: int, tongues: list[str]
) -> list[dict[str, object]]:
    row = account_of(reader, caller, ref)
    end = min(below, row.seq + 1)
    wanted = [(row.id, seq) for seq in range(max(1, end - count), end)]
    home = reader.homes.numbered(row.program)
    found = told(reader.books, home.program, wanted)
    say = teller(home, reader.clock(), tongues)
    return [each.plain(say) for each in reversed(found)]
