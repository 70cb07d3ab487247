"""Partners and charities over HTTP: where they stand, and statements for a period.

A partner's key sees what stands under the name of its source, and nothing else.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from kantis.core import calendar
from kantis.core.calendar import Calendar, show_instant
from kantis.desk.settlement import plain, positions, settle
from kantis.desk.submit import Desk
from kantis.doors.api.access import PARTNER, Caller
from kantis.doors.api.looking import caller_of, office_of
from kantis.doors.api.problems import Problem

router = APIRouter()

Day = Annotated[str, Query(max_length=10, examples=["2024-03-01"])]


class SettlementLine(BaseModel):
    """A kind of thing in a period. ``exact`` is to a millionth of the smallest coin, ``amount``
    its part of the total in coins."""

    kind: str
    balance: str
    points: str
    exact: str
    amount: str


class SettlementStatement(BaseModel):
    """A position of a partner (receivable, payable) or a charity (given) over a period."""

    name: str
    position: str
    before: str
    after: str
    total: str
    lines: list[SettlementLine]


class Settlements(BaseModel):
    """The statements of a period, and what is wrong with the books about it."""

    program: str
    statements: list[SettlementStatement]
    problems: list[str]


class Position(BaseModel):
    """What a partner owes (receivable), is owed (payable), or a charity was given; in money."""

    name: str
    position: str
    amount: str


class Positions(BaseModel):
    """Where partners and charities stood at an instant."""

    program: str
    at: str
    positions: list[Position]


@router.get("/v1/settlements", summary="What partners and charities owe and are owed for a period")
async def settlements(
    request: Request,
    first: Annotated[Day, Query(alias="from", description="The first day, in the program.")],
    last: Annotated[Day, Query(alias="to", description="The last day.")],
) -> Settlements:
    """By when it was booked. Statements that follow each other add up to that of all."""
    found = await office_of(request).study(_settled, caller_of(request), first, last)
    return Settlements.model_validate(found)


@router.get("/v1/positions", summary="Where partners and charities stand now")
async def stand(request: Request) -> Positions:
    """The sum of everything that was booked until now."""
    return Positions.model_validate(await office_of(request).study(_stand, caller_of(request)))


def _settled(reader: Desk, caller: Caller, first: str, last: str) -> dict[str, Any]:
    home = reader.homes.numbered(caller.number)
    days: Calendar = home.program.calendar
    begins, ends = _day(days, first), _day(days, last, 1)
    if ends <= begins:
        raise Problem("malformed", "The period ends before it begins.")
    with reader.books.reader() as frozen:
        frozen.freeze()
        found = settle(frozen, home, begins, ends)
    return {
        "program": caller.program,
        "statements": [plain(home, each) for each in found.statements if _sees(caller, each.name)],
        "problems": [] if caller.scope == PARTNER else found.problems,
    }


def _stand(reader: Desk, caller: Caller) -> dict[str, Any]:
    home, now = reader.homes.numbered(caller.number), reader.clock()
    told = [plain(home, each) for each in positions(reader.books, home, now + 1)]
    return {
        "program": caller.program,
        "at": show_instant(now),
        "positions": [
            {"name": each["name"], "position": each["position"], "amount": each["after"]}
            for each in told
            if _sees(caller, each["name"])
        ],
    }


def _sees(caller: Caller, name: str) -> bool:
    """A partner sees itself; whoever looks after the program sees everybody."""
    return caller.scope != PARTNER or name == caller.source


def _day(days: Calendar, text: str, later: int = 0) -> int:
    try:
        return days.start(calendar.day(text) + later)
    except ValueError as error:
        raise Problem("malformed", f"{text!r} is no day. Write for example 2024-03-01.") from error
