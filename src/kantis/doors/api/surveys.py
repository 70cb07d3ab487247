"""What members say about purchases, over HTTP: their answers, and the merchant's replies.

A key of the scope ``staff`` reads what was written, which is noted for each member; an auditor's
sees scores and purchases only.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from kantis.core.calendar import show_instant
from kantis.desk.submit import Desk
from kantis.desk.surveys import REPLY_MAX, SCORES
from kantis.desk.vault import answering
from kantis.desk.vault.answering import Said
from kantis.desk.vault.vault import Reader, Vault
from kantis.doors.api.access import STAFF, Caller
from kantis.doors.api.asking import Body, Cursor, Limit, Number
from kantis.doors.api.looking import caller_of, cursor_of, office_of, seq_of
from kantis.doors.api.problems import Problem
from kantis.store import people
from kantis.store import surveys as rows
from kantis.store.surveys import Filter, QuestionRow

router = APIRouter()


class ReplySaid(Body):
    """A reply to a member. ``seen`` is when the reply was written that this one changes."""

    text: str = Field(min_length=1, max_length=REPLY_MAX)
    seen: str = Field("", max_length=40, description="'replied' of the answer; empty: none yet.")


class SurveyAnswer(BaseModel):
    """What a member said about a purchase. ``text`` and ``reply`` are for staff only."""

    number: int
    account: int
    member: str
    event: str = Field(description="The purchase.")
    location: str
    score: int = Field(description=f"From {SCORES[0]}, not at all satisfied, to {SCORES[-1]}.")
    answered: str
    text: str | None
    reply: str | None
    replied: str | None
    replied_by: str | None


class SurveyAnswers(BaseModel):
    """Answers, newest first; ``next`` is the cursor of the page after this one."""

    answers: list[SurveyAnswer]
    next: str | None


@router.get("/v1/survey-answers", summary="What members say about purchases")
async def survey_answers(
    request: Request,
    limit: Limit = 20,
    cursor: Cursor = "",
    score: Annotated[int, Query(ge=0, le=SCORES[-1], description="Only this one; 0: any.")] = 0,
    location: Annotated[str, Query(max_length=60, description="Only of this one.")] = "",
    unreplied: Annotated[bool, Query(description="Only those without a reply.")] = False,
) -> SurveyAnswers:
    """Newest first."""
    office, caller = office_of(request), caller_of(request)
    wanted = Filter((score,) if score else (), location, unreplied)
    below = seq_of(cursor) if cursor else 0
    found = await office.read(_found, caller, wanted, below, limit)
    said = [Said(row) for row in found]
    if caller.scope == STAFF and found:
        said = await office.people(_read, caller, found)
    more = len(found) == limit
    told = [_told(each, caller) for each in said]
    return SurveyAnswers(answers=told, next=cursor_of(found[-1].number) if more else None)


@router.post(
    "/v1/survey-answers/{number}/reply", summary="Reply to a member",
    responses={409: {"description": ""}, 410: {"description": ""}},
)  # fmt: skip
async def survey_reply(request: Request, number: Number, said: ReplySaid) -> SurveyAnswer:
    """The member sees it on the card, and hears of it by mail where they agreed to that."""
    office, caller = office_of(request), caller_of(request)
    return await office.people(_reply, caller, number, said)


def _found(
    reader: Desk, caller: Caller, wanted: Filter, below: int, count: int
) -> list[QuestionRow]:
    return rows.answers(reader.books, caller.number, wanted, below, count)


def _read(reader: Desk, vault: Vault, caller: Caller, found: list[QuestionRow]) -> list[Said]:
    members = vault.open(people.by_id(reader.books, sorted({each.member for each in found})))
    vault.note(members, Reader(caller.key, "answers"), ("answers",))
    return answering.opened(vault, found)


def _reply(
    reader: Desk, vault: Vault, caller: Caller, number: int, said: ReplySaid
) -> SurveyAnswer:
    row = rows.question(reader.books, number)
    if row is None or row.program != caller.number or row.answered is None:
        raise Problem("unknown-answer")
    if not answering.tidy(said.text, REPLY_MAX):
        raise Problem("bad-value", "text: Write a reply.")
    there = show_instant(row.replied) if row.replied else ""
    seen = (row.replied or 0) if said.seen == there else -1
    if not answering.reply(vault, row, said.text, seen, caller.by):
        raise Problem("replied-meanwhile")
    now = rows.question(reader.books, number)
    assert now is not None
    return _told(_read(reader, vault, caller, [now])[0], caller)


def _told(said: Said, caller: Caller) -> SurveyAnswer:
    row, reads = said.row, caller.scope == STAFF
    assert row.score is not None
    assert row.answered is not None
    return SurveyAnswer(
        number=row.number, account=row.account, member=row.member, event=row.event,
        location=row.location, score=row.score, answered=show_instant(row.answered),
        text=said.wrote if reads else None, reply=said.reply if reads else None,
        replied=show_instant(row.replied) if row.replied else None,
        replied_by=row.replier if row.replied else None,
    )  # fmt: skip
