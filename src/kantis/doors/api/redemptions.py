"""Redemptions: points that are set aside for a reward, then spent or given back.

A hold is an event *redeem* with ``hold``; its id is the redemption's. Whoever may see and
finish it is the source that made it: a hold of another source or program is nowhere.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from msgspec import UNSET, Meta, Struct, UnsetType
from pydantic import BaseModel
from starlette.responses import Response

from kantis.core import places
from kantis.core.calendar import show_instant
from kantis.core.events import Capture, Redeem, Release
from kantis.desk import redemptions
from kantis.desk.results import Result
from kantis.desk.submit import Desk
from kantis.doors.api import answers
from kantis.doors.api.access import Caller
from kantis.doors.api.deeds import Deed
from kantis.doors.api.looking import UNCHANGED, caller_of, office_of, tagged
from kantis.doors.api.problems import Problem

router = APIRouter()

_PATH: Final = "/v1/redemptions/{id}"


class Redemption(Struct, omit_defaults=True):
    """Points that were set aside, and what became of them.

    `points` and `worth` are whole numbers of the smallest part of their unit; `worth` is what
    comes off the price. What is held and not captured `until` then comes back by itself.
    """

    id: str
    state: Annotated[str, Meta(extra_json_schema={"enum": list(redemptions.STATES)})]
    account: int
    again: bool = False
    reward: str = ""
    balance: str = ""
    points: int = 0
    worth: int = 0
    until: answers.Time = ""
    vouchers: list[str] = []
    entry: answers.Entry | UnsetType = UNSET


class RedemptionTold(BaseModel):
    """A redemption as it stands now; `refusal` is the code of why it was refused."""

    id: str
    state: str
    account: int
    reward: str
    balance: str
    points: int
    worth: int
    until: str
    vouchers: list[str]
    refusal: str


def _held(result: Result) -> Redemption:
    """The answer to a hold: its id, and until when it holds."""
    made = result.entry
    assert made is not None
    found = redemptions.set_aside(made.decision)
    return Redemption(
        result.key.partition("/")[2], found.state, result.account, result.again, found.reward,
        found.balance, found.points, found.worth, show_instant(found.until),
        entry=answers.entry(made),
    )  # fmt: skip


def _finished(state: str, result: Result) -> Redemption:
    """The answer to a capture or a release."""
    made = result.entry
    assert made is not None
    did = made.decision
    moved = [each for each in did.postings if each[1] == places.HELD]
    return Redemption(
        did.cause.partition("/")[2], state, result.account, result.again,
        balance=moved[0][0] if moved else "", points=sum(each[3] for each in moved),
        vouchers=redemptions.vouchers_of(did), entry=answers.entry(made),
    )  # fmt: skip


def _captured(result: Result) -> Redemption:
    return _finished(redemptions.CAPTURED, result)


def _released(result: Result) -> Redemption:
    return _finished(redemptions.RELEASED, result)


DEEDS: Final = (
    Deed(
        "hold", "/v1/redemptions", "Set points aside for a reward", Redeem,
        fixed={"hold": True}, tell=_held, answer=Redemption, made=_PATH,
    ),
    Deed(
        "capture", f"{_PATH}/capture", "Spend what is held", Capture,
        at={"id": "of"}, tell=_captured, answer=Redemption,
    ),
    Deed(
        "release", f"{_PATH}/release", "Give back what is held", Release,
        at={"id": "of"}, tell=_released, answer=Redemption,
    ),
)  # fmt: skip


@router.get(
    _PATH, summary="A redemption as it stands now", response_model=RedemptionTold,
    responses=UNCHANGED,
)  # fmt: skip
async def redemption(
    request: Request,
    id: Annotated[str, Path(description="The id that the hold was made with.", max_length=200)],
) -> Response:
    """What was set aside, until when, and what became of it."""
    found = await office_of(request).read(_redemption, caller_of(request), id)
    return tagged(request, found)


def _redemption(reader: Desk, caller: Caller, id: str) -> RedemptionTold:
    home, key = reader.homes.numbered(caller.number), f"{caller.source}/{id}"
    found = redemptions.redemption(reader.books, home, key, reader.clock())
    if found is None:
        raise Problem("unknown-redemption")
    return RedemptionTold(
        id=id, state=found.state, account=found.account, reward=found.reward,
        balance=found.balance, points=found.points, worth=found.worth,
        until=show_instant(found.until) if found.until else "", vouchers=found.vouchers,
        refusal=found.refusal.code if found.refusal is not None else "",
    )  # fmt: skip
