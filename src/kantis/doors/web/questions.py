"""Questions: a member says how a purchase was, on the card or by the link in a letter.

Guarantee: what was written, by the member or to them, is shown to that member alone, signed in,
and where nobody shares the account. A link in a letter answers its one question and opens
nothing else; looking at it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from starlette.responses import Response

from kantis.core.calendar import show_day
from kantis.core.events import Line, Purchase
from kantis.desk import surveys
from kantis.desk.programs import Home
from kantis.desk.recorded import event_of
from kantis.desk.submit import Desk
from kantis.desk.surveys import SCORES
from kantis.desk.vault import answering
from kantis.desk.vault.answering import Said
from kantis.desk.vault.vault import Reader, Vault
from kantis.doors.api.problems import Problem
from kantis.doors.web import stopping
from kantis.doors.web.basket import GOODS
from kantis.doors.web.enquiring import PURPOSE, worded
from kantis.doors.web.languages import Language
from kantis.doors.web.own import MYSELF
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place, place_of
from kantis.doors.web.portal import mine
from kantis.store import people
from kantis.store import surveys as rows
from kantis.store.books import Books
from kantis.store.surveys import QuestionRow

_FIELDS: Final = ("answers",)
_NEVER: Final = "never"


class Asked(Struct, frozen=True):
    """A question as a page shows it. ``action`` is where its form goes."""

    number: int
    event: str
    action: str
    wording: str
    bought: str
    open: bool
    may_write: bool
    score: int
    wrote: str = ""
    reply: str = ""
    replied: str = ""


async def one(visit: Visit) -> Response:
    """A question, what was said, and what the shop replied."""
    place, shown, lines = await visit.office.people(_one, visit)
    return visit.page(
        "portal-question.html", place=place, say=place.speaker(visit.language), asked=shown,
        scores=SCORES, lines=lines,
    )  # fmt: skip


async def answered(visit: Visit) -> Response:
    """The member gives a score, adds words, or passes it over."""
    form = await visit.form()
    await visit.office.people(_answer_own, visit, form)
    if form.get("do") == _NEVER:
        return visit.go("/me/you#consents")
    return visit.go(f"/me/questions/{whole(visit.about['number'])}")


async def again(visit: Visit) -> Response:
    """The member wants to be asked again."""
    assert visit.session is not None
    account = visit.session.account
    await visit.change(lambda desk: desk.chore("ask_again", account))
    return visit.go("/me/you#consents")


async def ask(visit: Visit) -> Response:
    """The page that the link of a letter opens."""
    return await _by_link(visit, {})


async def asked(visit: Visit) -> Response:
    """What was pressed on it."""
    return await _by_link(visit, await visit.form())


async def about(visit: Visit, events: Iterable[str]) -> dict[str, Asked]:
    """The questions about some purchases, by event; none where the keys cannot be used."""
    keys = [each for each in events if each]
    if not await visit.office.read(_own, visit, keys):
        return {}
    try:
        return await visit.office.people(_about, visit, keys)
    except Problem:  # the history is there without them
        return {}


async def _by_link(visit: Visit, form: dict[str, str]) -> Response:
    place, shown = await visit.office.people(_linked, visit, form)
    if place is None or shown is None:
        return visit.page("question.html", status=404, place=None, asked=None, scores=SCORES)
    return visit.page("question.html", place=place, asked=shown, scores=SCORES,
                      say=place.speaker(visit.language),
                      never=form.get("do") == _NEVER)  # fmt: skip


# ── what a keeper does ───────────────────────────────────────────────────────


def lines_of(books: Books, home: Home, event: str, language: Language) -> list[str]:
    """What was bought, line by line, as far as it is kept."""
    (row,) = books.events([event])
    body = event_of(row).body if row.body is not None else None
    if not isinstance(body, Purchase):
        return []
    return [
        f"{language.number(each.quantity)} × {_called(each, language)}, "
        f"{language.money(each.amount, home.program.money)}"
        for each in body.lines
    ]


def _called(line: Line, language: Language) -> str:
    """What a line was: the article, or else what kind of goods."""
    product = line.product if line.product != GOODS else ""
    return product or line.category.replace("-", " ") or language.gettext("Goods")


def _shown(books: Books, home: Home, each: Said, now: int, language: Language, to: str) -> Asked:
    row, days = each.row, home.program.calendar
    return Asked(
        row.number, row.event, to, worded(books, row, language), show_day(days.day(row.bought)),
        surveys.is_open(row, now), surveys.may_write(row, now), row.score or 0, each.wrote,
        each.reply, show_day(days.day(row.replied)) if row.replied else "",
    )  # fmt: skip


def _own(reader: Desk, visit: Visit, events: list[str]) -> list[QuestionRow]:
    row, _, _ = mine(reader, visit)
    return surveys.own(reader.books, row.id, rows.of_events(reader.books, row.id, events))


def _read(reader: Desk, vault: Vault, visit: Visit, found: list[QuestionRow]) -> list[Asked]:
    """Questions of the member's own in plain words, after noting who reads them."""
    row, home, _ = mine(reader, visit)
    members = vault.open(people.by_account(reader.books, [row.id]))
    vault.note(members, Reader(MYSELF, "own page"), _FIELDS)
    about = reader.clock(), visit.language
    return [
        _shown(reader.books, home, each, *about, f"/me/questions/{each.row.number}")
        for each in answering.opened(vault, found)
    ]


def _about(reader: Desk, vault: Vault, visit: Visit, events: list[str]) -> dict[str, Asked]:
    found = _read(reader, vault, visit, _own(reader, visit, events))
    return {each.event: each for each in found}


def _must(reader: Desk, visit: Visit) -> QuestionRow:
    account, _, _ = mine(reader, visit)
    row = rows.question(reader.books, whole(visit.about["number"]))
    if row is None or not surveys.own(reader.books, account.id, [row]):
        raise NotHere
    return row


def _one(reader: Desk, vault: Vault, visit: Visit) -> tuple[Place, Asked, list[str]]:
    row = _must(reader, visit)
    _, home, place = mine(reader, visit)
    (shown,) = _read(reader, vault, visit, [row])
    return place, shown, lines_of(reader.books, home, row.event, visit.language)


def _answer_own(reader: Desk, vault: Vault, visit: Visit, form: dict[str, str]) -> None:
    _take(reader, vault, _must(reader, visit), form)


def _take(reader: Desk, vault: Vault, row: QuestionRow, form: dict[str, str]) -> None:
    """What a form says to a question; what comes too late changes nothing."""
    if "score" in form:
        home = reader.homes.numbered(row.program)
        surveys.answer(vault.desk, home, row.number, whole(form["score"]))
    elif "text" in form:
        answering.write(vault, row, form["text"])
    elif form.get("do") in ("skip", _NEVER):
        vault.desk.chore("skip_question", row.number, form["do"] == _NEVER)


def _linked(
    reader: Desk, vault: Vault, visit: Visit, form: dict[str, str]
) -> tuple[Place | None, Asked | None]:
    number = stopping.number_of(vault, visit.about["code"], PURPOSE)
    row = rows.question(reader.books, number) if number else None
    if row is None or row.member != surveys.member_of(reader.books, row.account):
        return None, None
    if form:
        _take(reader, vault, row, form)
        row = rows.question(reader.books, number) or row
    home, now = reader.homes.numbered(row.program), reader.clock()
    to = f"/ask/{visit.about['code']}"
    return place_of(home, now), _shown(reader.books, home, Said(row), now, visit.language, to)
