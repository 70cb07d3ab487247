"""Statements: what an account had, what moved and why, and what it has."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from kantis.desk import statements
from kantis.desk.statements import Statement
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.accounts import PAGE_MAX, EntryTold
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
from kantis.doors.api.problems import Problem
from kantis.doors.web.telling import teller

router = APIRouter()

Purses = dict[str, dict[str, str]]
_FIRST: Final = dt.date(1970, 1, 1)


class Movement(EntryTold):
    """What an entry changed in the places of each balance, and what there was after it."""

    changes: Purses
    after: Purses


class StatementTold(BaseModel):
    """Opening and movements add up to closing, over all pages, in each place of each balance.

    `first` and `last` are the days of the statement; movements come in the order in which
    they happened, and `next` is the cursor of the page after this one.
    """

    first: str
    last: str
    opening: Purses
    movements: list[Movement]
    closing: Purses
    next: str | None


@router.get(
    "/v1/accounts/{ref}/statements", summary="Opening, movements with their reasons, closing",
    response_model=StatementTold, responses=UNCHANGED,
)  # fmt: skip
async def statement(
    request: Request,
    ref: Ref,
    first: Annotated[
        dt.date | None, Query(alias="from", description="The first day; default: of joining.")
    ] = None,
    last: Annotated[
        dt.date | None, Query(alias="to", description="The last day; default: today.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="Movements per page.")] = 50,
    cursor: Annotated[str, Query(max_length=40, description="From 'next' of a page.")] = "",
) -> Response:
    """A statement from a day to a day, both inside; days are the program's own."""
    if first is not None and last is not None and last < first:
        raise Problem("malformed", "A statement ends on the day it begins on, or later.")
    days = _day(first), _day(last)
    page = (seq_of(cursor) if cursor else 0), limit
    found = await office_of(request).read(
        _statement, caller_of(request), ref, days, page, wanted_of(request)
    )
    return tagged(
        request,
        StatementTold(
            first=found.first, last=found.last, opening=found.opening, closing=found.closing,
            movements=[Movement.model_validate(each) for each in found.movements],
            next=cursor_of(found.next) if found.next else None,
        ),
    )  # fmt: skip


def _day(date: dt.date | None) -> int:
    return max(date, _FIRST).toordinal() if date is not None else 0


def _statement(
    reader: Desk, caller: Caller, ref: str, days: tuple[int, int], page: tuple[int, int],
    wanted: list[str],
) -> Statement:  # fmt: skip
    row, home = account_of(reader, caller, ref), reader.homes.numbered(caller.number)
    now = reader.clock()
    say = teller(home, now, wanted)
    return statements.statement(reader.books, home, row, now, days, page, say)
