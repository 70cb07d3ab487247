"""Answers: what members say about purchases, the merchant's reply, and how members are asked.

Guarantee: whose answer it is, and what was written, is read for those who help members, and
noted for each member before it is shown; an auditor sees scores and purchases. A reply does not
take the place of one that its writer has not seen.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct, json
from starlette.responses import Response

from kantis.core.calendar import show_day
from kantis.core.knobs import ProgramError
from kantis.desk import surveys
from kantis.desk.programs import Home
from kantis.desk.submit import Desk
from kantis.desk.surveys import GOOD, POOR, REPLY_MAX, SCORES
from kantis.desk.vault import answering
from kantis.desk.vault.answering import Said
from kantis.desk.vault.vault import Reader, Vault
from kantis.doors.web.console import placed
from kantis.doors.web.enquiring import USUAL
from kantis.doors.web.languages import LANGUAGES, language
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.doors.web.questions import lines_of
from kantis.doors.web.roles import HELPING
from kantis.store import people
from kantis.store import surveys as rows
from kantis.store.surveys import Filter, QuestionRow, SurveyRow

#: Answers on a page.
PAGE: Final = 20
#: What is read of a member beside what they wrote.
_READ: Final = ("given_name", "family_name", "answers")
#: Scores that can be looked for, by the word in the address.
SCORED: Final = {"poor": POOR, "good": GOOD} | {str(each): (each,) for each in SCORES}


class Shown(Struct, frozen=True):
    """An answer on the page. Without ``name`` and words for who sees nothing personal."""

    number: int
    account: int
    score: int
    location: str
    bought: str
    answered: str
    event: str
    lines: list[str]
    name: str
    wrote: str
    reply: str
    replied: str
    replier: str
    seen: int


# ── the inbox ────────────────────────────────────────────────────────────────


async def look(visit: Visit) -> Response:
    """Answers, the newest first."""
    return await _look(visit)


async def reply(visit: Visit) -> Response:
    """The merchant replies to an answer."""
    form, number = await visit.form(), whole(visit.about["number"])
    text = answering.tidy(form.get("reply", ""), REPLY_MAX)
    done = await visit.office.people(_reply, visit, number, text, whole(form.get("seen", "")))
    if not done:
        trouble = "replied" if text else "empty"
        return await _look(visit, trouble=trouble, about=number, typed=text, status=409)
    path, _, query = visit.here(done=str(number)).partition("?")
    return visit.go(f"{path.removesuffix(f'/{number}')}?{query}#a{number}")


async def _look(
    visit: Visit, *, trouble: str = "", about: int = 0, typed: str = "", status: int = 200
) -> Response:
    query = visit.request.query_params
    wanted = Filter(
        SCORED.get(query.get("score", ""), ()), query.get("location", "")[:60],
        bool(query.get("unreplied")), visit.number("member"),
    )  # fmt: skip
    place, home, found, known, live = await visit.office.read(_found, visit, wanted)
    below = found[PAGE - 1].number if len(found) > PAGE else 0
    if visit.staff.role in HELPING:
        shown = await visit.office.people(_read, visit, home, found[:PAGE])
    else:
        shown = await visit.office.read(_bare, visit, home, found[:PAGE])
    return visit.page(
        "console-answers.html", status=status, place=place, say=place.speaker(visit.language),
        answers=shown, older=below, wanted=query, locations=known, scores=SCORES, live=live,
        most=REPLY_MAX, trouble=trouble, about=about or visit.number("done"), typed=typed,
        filtered=wanted != Filter(),
    )  # fmt: skip


def _found(
    reader: Desk, visit: Visit, wanted: Filter
) -> tuple[Place, Home, list[QuestionRow], list[str], int]:
    place, home = placed(reader, visit)
    books, below = reader.books, visit.number("below")
    found = rows.answers(books, place.number, wanted, below, PAGE + 1)
    live = surveys.survey(books, place.number).live
    return place, home, found, rows.locations(books, place.number), live


def _read(
    reader: Desk, vault: Vault, visit: Visit, home: Home, found: list[QuestionRow]
) -> list[Shown]:
    """Answers with whose they are and what was written, after noting who reads them."""
    members = vault.open(people.by_id(reader.books, sorted({each.member for each in found})))
    vault.note(members, Reader(f"staff {visit.staff.login}", "answers"), _READ)
    names = {x.row.id: x.person.name for x in members if x.person is not None}
    return [
        _shown(reader, visit, home, each, names.get(each.row.member, ""))
        for each in answering.opened(vault, found)
    ]


def _bare(reader: Desk, visit: Visit, home: Home, found: list[QuestionRow]) -> list[Shown]:
    return [_shown(reader, visit, home, Said(each), "") for each in found]


def _shown(reader: Desk, visit: Visit, home: Home, said: Said, name: str) -> Shown:
    row, days = said.row, home.program.calendar

    def day(at: int | None) -> str:
        return show_day(days.day(at)) if at else ""

    return Shown(
        row.number, row.account, row.score or 0, row.location, day(row.bought),
        day(row.answered), row.event, lines_of(reader.books, home, row.event, visit.language),
        name, said.wrote, said.reply, day(row.replied), row.replier or "", row.replied or 0,
    )  # fmt: skip


def _reply(reader: Desk, vault: Vault, visit: Visit, number: int, text: str, seen: int) -> bool:
    place, _ = placed(reader, visit)
    row = rows.question(reader.books, number)
    if row is None or row.program != place.number or row.answered is None:
        raise NotHere
    return bool(text) and answering.reply(vault, row, text, seen, visit.by)


# ── how members are asked ────────────────────────────────────────────────────


async def survey(visit: Visit) -> Response:
    """How members are asked."""
    return await _survey(visit)


async def settle(visit: Visit) -> Response:
    """Members are asked in this way from now on."""
    form = await visit.form()
    place, _, row, _ = await visit.office.read(_settled, visit)
    words = {tag: form.get(f"words-{tag}", "").strip()[: surveys.WORDING_MAX] for tag in LANGUAGES}
    places = [" ".join(each.split()) for each in form.get("locations", "")[:6_000].splitlines()]
    made = SurveyRow(
        row.program, int(form.get("live") == "1"),
        json.encode({tag: each for tag, each in words.items() if each}).decode(),
        whole(form.get("hours", "")), whole(form.get("days", "")), whole(form.get("share", "")),
        "\n".join(each for each in places if each), form.get("activity", "")[:60],
    )  # fmt: skip
    try:
        await visit.change(surveys.put, made, visit.by)
    except ProgramError as error:
        trouble = [each.code for each in error.faults]
        return await _survey(visit, status=422, trouble=trouble, typed=made)
    return visit.go(f"/c/{place.name}/survey?saved=1")


async def _survey(
    visit: Visit, *, status: int = 200, typed: SurveyRow | None = None, **more: Any
) -> Response:
    place, _, row, activities = await visit.office.read(_settled, visit)
    row = typed or row
    return visit.page(
        "console-survey.html", status=status, place=place, row=row, words=surveys.wording(row),
        usual={tag: language(tag).gettext(USUAL) for tag in LANGUAGES},
        activities=activities, hours=surveys.HOURS_MAX, days=surveys.DAYS_MAX,
        most=surveys.WORDING_MAX, **{"trouble": [], "saved": visit.number("saved")} | more,
    )  # fmt: skip


def _settled(reader: Desk, visit: Visit) -> tuple[Place, Home, SurveyRow, list[str]]:
    place, home = placed(reader, visit)
    known = surveys.activities(home.program.plan(reader.clock()))
    return place, home, surveys.survey(reader.books, place.number), known
