"""Audit: who did what by hand, when and about what, as a page and as a file.

Guarantee: lines are shown as the log holds them, newest first; the file has the lines that
the page shows, no more and no fewer. Whoever is for all programs sees the deeds of none too.
"""

from __future__ import annotations

import json
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from kantis.core import calendar
from kantis.core.calendar import show_instant
from kantis.desk.audit import DEEDS
from kantis.desk.submit import Desk
from kantis.doors.web.console import placed
from kantis.doors.web.pages import Visit
from kantis.doors.web.places import Place
from kantis.store import hands
from kantis.store.rows import AuditRow

#: Lines on a page.
PAGE: Final = 50
_PEOPLE_MAX: Final = 500
_WHO_MAX: Final = 100
#: Days that can be asked for.
_FIRST_DAY: Final = calendar.day("1970-01-02")
_LAST_DAY: Final = calendar.day("9999-01-01")
_COLUMNS: Final = ("number", "at", "who", "name", "program", "deed", "about", "details")


class Found(Struct, frozen=True):
    """Lines of a page, newest first, and what they can be chosen by."""

    place: Place
    names: dict[int, str]
    rows: list[AuditRow]
    people: list[tuple[str, str]]
    moments: list[str]
    wrong: list[str]


async def look(visit: Visit) -> Response:
    """The lines that were asked for."""
    found = await visit.office.read(_found, visit)
    lines = [
        {"moment": moment, "who": row.who, "name": row.name, "program": found.names[row.program],
         "deed": DEEDS.get(row.deed, row.deed), "about": row.about, "said": said_in(row)}
        for row, moment in zip(found.rows, found.moments, strict=True)
    ]  # fmt: skip
    more = found.rows[-1].n if len(found.rows) == PAGE else 0
    query = visit.request.query_params
    return visit.page(
        "console-audit.html", place=found.place, lines=lines, people=found.people, deeds=DEEDS,
        asked={each: query.get(each, "") for each in ("who", "deed", "from", "to")},
        older=visit.here(below=str(more)) if more else "", wrong=found.wrong,
        newest=visit.here(below="") if visit.number("below") else "",
        file=visit.here().replace("/audit", "/audit.csv", 1),
    )  # fmt: skip


async def file(visit: Visit) -> Response:
    """The same lines as a file."""
    found = await visit.office.read(_found, visit)
    rows = (
        (row.n, show_instant(row.at), row.who, row.name, found.names[row.program], row.deed,
         row.about, row.said)
        for row in found.rows
    )  # fmt: skip
    return visit.table(f"{found.place.name}-audit", _COLUMNS, rows)


def said_in(row: AuditRow) -> list[str]:
    """What a line says besides, each in its own words; what is empty is left out.

    >>> said_in(AuditRow(1, 0, "x", "X", 1, "key", "k", '{"name":"Till 1","location":""}'))
    ['name: Till 1']
    """
    said: dict[str, Any] = json.loads(row.said)
    return [
        f"{name}: {each if isinstance(each, str) else json.dumps(each, ensure_ascii=False)}"
        for name, each in said.items()
        if each not in ("", None)
    ]


def _found(reader: Desk, visit: Visit) -> Found:
    place, home = placed(reader, visit)
    query, days, books = visit.request.query_params, home.program.calendar, reader.books
    wrong = [each for each in ("from", "to") if _day(query.get(each, "")) < 0]
    since, until = (max(0, _day(query.get(each, ""))) for each in ("from", "to"))
    beside = not visit.staff.program
    deed = query.get("deed", "")
    rows = hands.audit(
        books, visit.number("below") or 1 << 60, PAGE, program=place.number,
        deed=deed if deed in DEEDS else "", who=query.get("who", "")[:_WHO_MAX],
        since=days.start(since) if since else 0, before=days.start(until + 1) if until else 0,
        beside=beside,
    )  # fmt: skip
    names = {number: name for name, number in books.programs().items()} | {0: ""}
    people = hands.auditees(books, place.number, _PEOPLE_MAX, beside=beside)
    moments = [visit.language.moment(days.local(row.at), "short") for row in rows]
    return Found(place, names, rows, people, moments, wrong)


def _day(text: str) -> int:
    """A day of an address; 0 for none, and below it for what is none."""
    if not text:
        return 0
    try:
        found = calendar.day(text)
    except ValueError:
        return -1
    return found if _FIRST_DAY <= found < _LAST_DAY else -1
