"""Adjustments over HTTP: given or taken by hand with a reason, alone or by two persons.

A key with no limit adjusts alone. Above its limit, or above a till's goodwill of the day, an
adjustment waits until somebody with a key of another source approves it.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field

from kantis.core.calendar import show_instant
from kantis.desk import adjusting
from kantis.desk.adjusting import Alone, Asked, Wrong
from kantis.desk.programs import Home
from kantis.desk.results import DECIDED, UNKNOWN, Result
from kantis.desk.submit import Desk
from kantis.doors.api.access import TILL, Caller
from kantis.doors.api.asking import Body, Cursor, Limit, Number
from kantis.doors.api.events import idempotency_key
from kantis.doors.api.looking import caller_of, cursor_of, office_of, seq_of
from kantis.doors.api.problems import Problem
from kantis.doors.api.wire import ID_MAX, WORD_MAX
from kantis.store import byhand, hands
from kantis.store.rows import AdjustmentRow

router = APIRouter()

_WHY: Final = "A sentence that an auditor will understand."


class AdjustmentSaid(Body):
    """An adjustment. The amount is in the smallest unit of the balance; below zero it takes."""

    id: str = Field("", max_length=ID_MAX, description="Unique per source; or Idempotency-Key.")
    subject: str = Field(max_length=ID_MAX, examples=["card:6407", "account:12"])
    balance: str = Field(max_length=WORD_MAX)
    amount: int = Field(ge=-(1 << 53), le=1 << 53)
    reason: str = Field(min_length=1, max_length=WORD_MAX, description=_WHY)


class AnswerSaid(Body):
    """What a second person says to it."""

    note: str = Field("", max_length=WORD_MAX)


class AdjustmentTold(BaseModel):
    """An adjustment: who asked for what, who answered, and what became of its event."""

    number: int
    event: str
    subject: str
    balance: str
    amount: int
    reason: str
    source: str
    at: str
    state: str = Field(examples=list(byhand.STATES))
    decided_by: str | None
    decided_at: str | None
    note: str | None
    outcome: str = Field(description="decided, refused or open; of its event.")
    account: int | None
    seq: int | None


class Adjustments(BaseModel):
    """Adjustments, newest first; ``next`` is the cursor of the page after this one."""

    adjustments: list[AdjustmentTold]
    next: str | None


_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "It waits for a second person.", "model": AdjustmentTold},
    409: {"description": ""},
}


@router.post(
    "/v1/adjustments", summary="Give or take by hand; above a limit it waits", responses=_ANSWERS
)
async def adjust(
    request: Request,
    response: Response,
    said: AdjustmentSaid,
    idempotency: Annotated[
        str, Header(alias="Idempotency-Key", description="Another spelling of the id.")
    ] = "",
) -> AdjustmentTold:
    """Made at once within the limits of the key (200), or proposed to a second person (202)."""
    office, caller = office_of(request), caller_of(request)
    asked = _asked(caller, said, idempotency_key(dict(request.scope["headers"])))
    (quoted,) = await office.read(Desk.quote, [asked.event], program=caller.program)
    home = await office.read(_home, caller.number)
    row = await office.read(lambda reader: hands.adjustment(reader.books, key=asked.key))
    if row is None:
        _refuse(quoted)
    try:
        row = await office.act(adjusting.ask, caller.by, home, asked, _alone(caller))
    except Wrong as wrong:
        raise Problem("adjustment-unclear", "Its id was used for something else.") from wrong
    return await _finish(request, response, row)


@router.get("/v1/adjustments", summary="Adjustments, and which of them wait")
async def adjustments(
    request: Request,
    limit: Limit = 20,
    cursor: Cursor = "",
    state: Annotated[str, Query(description=f"Only these: {', '.join(byhand.STATES)}.")] = "",
) -> Adjustments:
    """Newest first. A till sees its own."""
    if state and state not in byhand.STATES:
        raise Problem("malformed", f"No state is {state!r}.")
    number = byhand.STATES.index(state) if state else -1
    below, office = seq_of(cursor), office_of(request)
    found = await office.read(_adjustments, caller_of(request), below, limit, number)
    more = len(found) == limit and found[-1].number > 1
    return Adjustments(adjustments=found, next=cursor_of(found[-1].number) if more else None)


@router.get("/v1/adjustments/{number}", summary="One adjustment")
async def adjustment(request: Request, number: Number) -> AdjustmentTold:
    """Who asked for what, who answered, and what became of it."""
    return await office_of(request).read(_adjustment, caller_of(request), number)


@router.post(
    "/v1/adjustments/{number}/approve", summary="Approve what somebody else has proposed",
    responses={409: {"description": ""}},
)  # fmt: skip
async def approve(
    request: Request, response: Response, number: Number, said: AnswerSaid
) -> AdjustmentTold:
    """The adjustment is made now. Whoever proposed it cannot approve it."""
    return await _answer(request, response, number, True, said.note)


@router.post(
    "/v1/adjustments/{number}/decline", summary="Decline what somebody else has proposed",
    responses={409: {"description": ""}},
)  # fmt: skip
async def decline(
    request: Request, response: Response, number: Number, said: AnswerSaid
) -> AdjustmentTold:
    """The adjustment is not made, for ever."""
    return await _answer(request, response, number, False, said.note)


async def _answer(
    request: Request, response: Response, number: int, yes: bool, note: str
) -> AdjustmentTold:
    office, caller = office_of(request), caller_of(request)
    try:
        row = await office.act(
            adjusting.answer, caller.by, caller.source, caller.number, number, yes, note
        )
    except Wrong as wrong:
        raise Problem(wrong.code, wrong.sentence) from wrong
    return await _finish(request, response, row)


async def _finish(request: Request, response: Response, row: AdjustmentRow) -> AdjustmentTold:
    """Send the event of what nobody has to answer any more, and tell what became of it."""
    office, caller = office_of(request), caller_of(request)
    if row.state in (byhand.ALONE, byhand.APPROVED):
        (result,) = await office.line.submit(caller.program, [adjusting.event_of(row)])
        if result.outcome == UNKNOWN:
            raise Problem("outcome-unknown", retry_after="1")
        if not row.sent:
            await office.act(adjusting.settled, row, result)
        _refuse(result)
    response.status_code = 202 if row.state == byhand.WAITS else 200
    return await office.read(_adjustment, caller, row.n)


def _refuse(result: Result) -> None:
    """``Problem`` where the program refuses it, or there is no such account."""
    if result.refusal is not None:
        if result.refusal.code in ("unknown-card", "unknown-account"):
            raise Problem("unknown-account")
        raise Problem("adjustment-refused", result.refusal.sentence)
    if result.outcome != DECIDED:
        raise Problem("adjustment-unclear", "There is no member to adjust here yet.")


def _asked(caller: Caller, said: AdjustmentSaid, key: str) -> Asked:
    if key and said.id not in ("", key):
        raise Problem("ids-differ")
    if not (key or said.id):
        raise Problem("id-missing")
    if not said.amount:
        raise Problem("adjustment-unclear", "Nothing would be given or taken.")
    if "\x00" in f"{key}{said.id}{said.subject}{said.balance}{said.reason}":
        raise Problem("malformed", "Text has no character 0.")
    id = said.id or key
    return Asked(caller.source, id, said.subject, said.balance, said.amount, said.reason)


def _alone(caller: Caller) -> Alone:
    """What this key may do without a second person."""
    if caller.scope == TILL:
        return Alone(budget=caller.limits.goodwill)
    largest = caller.limits.largest
    return Alone(any=not largest, size=largest)


def _home(reader: Desk, program: int) -> Home:
    return reader.homes.numbered(program)


def _adjustments(
    reader: Desk, caller: Caller, below: int, count: int, state: int
) -> list[AdjustmentTold]:
    source = caller.source if caller.scope == TILL else ""
    rows = hands.adjustments(reader.books, caller.number, below, count, state=state, source=source)
    return [_told(reader, row) for row in rows]


def _adjustment(reader: Desk, caller: Caller, number: int) -> AdjustmentTold:
    row = hands.adjustment(reader.books, n=number)
    if row is None or row.program != caller.number:
        raise Problem("unknown-adjustment")
    if caller.scope == TILL and row.source != caller.source:
        raise Problem("unknown-adjustment")
    return _told(reader, row)


def _told(reader: Desk, row: AdjustmentRow) -> AdjustmentTold:
    outcome, account, seq = adjusting.outcome(reader.books, row)
    return AdjustmentTold(
        number=row.n, event=row.key, subject=row.subject, balance=row.balance,
        amount=row.amount, reason=row.reason, source=row.source, at=show_instant(row.at),
        state=byhand.STATES[row.state], decided_by=row.decider,
        decided_at=show_instant(row.decided) if row.decided is not None else None,
        note=row.note, outcome=outcome, account=account, seq=seq,
    )  # fmt: skip
