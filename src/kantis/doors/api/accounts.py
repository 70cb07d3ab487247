"""Looking things up: accounts, their entries with explanations, and programs.

A key sees its own program only; what is in another one is answered as if it were nowhere.
"""

from __future__ import annotations

import base64
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from kantis.core.calendar import show_instant
from kantis.desk.showing import standing, told
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem
from kantis.store.rows import AccountRow

router = APIRouter()

PAGE_MAX: Final = 100
_ID_END: Final = 1 << 63

Ref = Annotated[
    str,
    Path(description="card:NUMBER or account:NUMBER; a bare number is a card.", max_length=200),
]


class Lot(BaseModel):
    """Points that were earned together and end together. Days are the program's own."""

    balance: str
    amount: str
    earned: str
    until: str
    group: str


class Tier(BaseModel):
    """A level, and the last day that it is sure for (empty: no end)."""

    level: str
    until: str


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
    """An account as it stands now. Amounts are decimal numbers in their own unit."""

    account: int
    program: str
    cards: list[str]
    joined: str
    balances: dict[str, dict[str, str]]
    lots: list[Lot]
    tiers: dict[str, Tier]
    counters: dict[str, str]
    vouchers: list[Voucher]
    plans: dict[str, Plan]
    entitlements: dict[str, Entitlement]
    offers: list[str]
    choices: dict[str, str]
    facts: dict[str, str]
    holds: dict[str, str]


class EntryTold(BaseModel):
    """What an event did to the account, in sentences. ``time`` is the program's local time."""

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


@router.get("/v1/accounts/{ref}", summary="An account as it stands now")
async def account(request: Request, ref: Ref) -> Account:
    """Balances per place, lots, tiers, counters, vouchers, plans, entitlements and offers."""
    found = await _office(request).read(_standing, _caller(request), ref)
    return Account.model_validate(found)


@router.get("/v1/accounts/{ref}/entries", summary="What happened to an account, and why")
async def entries(
    request: Request,
    ref: Ref,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="Entries per page.")] = 20,
    cursor: Annotated[str, Query(max_length=40, description="From 'next' of a page.")] = "",
) -> EntryPage:
    """Entries with their explanations, newest first."""
    below = _seq(cursor)
    found = await _office(request).read(_entries, _caller(request), ref, below, limit)
    page = [EntryTold.model_validate(each) for each in found]
    first = page[-1].seq if page else 1
    return EntryPage(entries=page, next=_cursor(first) if first > 1 else None)


@router.get("/v1/programs", summary="The program of the key, with its versions")
async def programs(request: Request) -> Programs:
    """Which versions were published, and from when each holds."""
    found = await _office(request).read(_programs, _caller(request))
    return Programs.model_validate({"programs": found})


def _office(request: Request) -> Office:
    office: Office = request.scope["state"]["office"]
    return office


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["state"]["caller"]
    return caller


def _row(reader: Desk, caller: Caller, ref: str) -> AccountRow:
    """The account of a reference, in the program of the caller."""
    books = reader.books
    kind, _, name = ref.rpartition(":")
    number = 0
    if kind in ("", "card"):
        number = books.cards([(caller.number, name)]).get((caller.number, name), 0)
    elif kind == "account" and name.isascii() and name.isdecimal():
        number = int(name)
    row = books.account(number) if 0 < number < _ID_END else None
    if row is None or row.program != caller.number:
        raise Problem("unknown-account")
    return row


def _standing(reader: Desk, caller: Caller, ref: str) -> dict[str, Any]:
    row = _row(reader, caller, ref)
    return standing(reader.books, reader.homes.numbered(row.program), row, reader.clock())


def _entries(
    reader: Desk, caller: Caller, ref: str, below: int, count: int
) -> list[dict[str, object]]:
    row = _row(reader, caller, ref)
    end = min(below, row.seq + 1)
    wanted = [(row.id, seq) for seq in range(max(1, end - count), end)]
    found = told(reader.books, reader.homes.numbered(row.program).program, wanted)
    return [each.plain() for each in reversed(found)]


def _programs(reader: Desk, caller: Caller) -> list[dict[str, Any]]:
    versions = [
        {
            "version": each.number,
            "since": show_instant(each.since) if each.since else None,
            "published": show_instant(each.published),
        }
        for each in reader.books.versions(caller.number)
    ]
    return [{"program": caller.program, "versions": versions}]


def _cursor(seq: int) -> str:
    return base64.urlsafe_b64encode(f"before {seq}".encode()).decode().rstrip("=")


def _seq(cursor: str) -> int:
    """The ``seq`` that a cursor ends before."""
    if not cursor:
        return _ID_END
    try:
        said = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        seq = int(said.removeprefix("before "))
    except ValueError as error:
        raise Problem("bad-cursor") from error
    if said != f"before {seq}" or not 0 < seq < _ID_END:
        raise Problem("bad-cursor")
    return seq
