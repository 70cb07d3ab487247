"""Segments: named groups of members by rules, their numbers, their lists and their files."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from kantis.core.knobs import Fault, ProgramError
from kantis.desk.audit import note
from kantis.desk.drawing import HUNDREDTHS
from kantis.desk.segments import refreshing
from kantis.desk.segments.rules import audiences
from kantis.desk.submit import Desk
from kantis.doors.web.console import placed
from kantis.doors.web.languages import Language
from kantis.doors.web.pages import NotHere, Visit
from kantis.doors.web.places import Place
from kantis.store import segments as rows
from kantis.store.segments import SegmentRow

#: Members on a page of the list, and lines of a file that are read at once.
PAGE: Final = 50
_FILE_STEP: Final = 5_000
_FILE: Final = ".csv"
#: Rules to begin with.
EXAMPLE: Final = "last purchase: within 30 days\npurchases: at least 3 times in rolling 3 months"


class Found(Struct, frozen=True):
    """The segments of a program, how many are in each, and which entries name them."""

    place: Place
    segments: list[SegmentRow]
    counts: dict[str, int]
    audiences: dict[str, list[str]]
    zone: Any


async def page(visit: Visit) -> Response:
    """All segments of a program."""
    return await _page(visit)


async def make(visit: Visit) -> Response:
    """A segment gets its rules."""
    found = await visit.office.read(_found, visit)
    form = await visit.form()
    name, source = form.get("name", "").strip()[:60], form.get("rules", "")
    try:
        await visit.change(refreshing.make, found.place.number, name, source, visit.by)
    except ProgramError as error:
        return await _page(visit, status=422, faults=error.faults, form=form)
    return visit.go(f"/c/{found.place.name}/segments")


async def refresh(visit: Visit) -> Response:
    """Who belongs is found anew, as soon as somebody gets to it."""
    row, place = await _row(visit)
    await visit.change(refreshing.ask, place.number, row.name)
    return visit.go(f"/c/{place.name}/segments")


async def end(visit: Visit) -> Response:
    """A segment has nobody any more."""
    row, place = await _row(visit)
    if not await visit.change(refreshing.end, place.number, row.name, visit.by):
        raise NotHere
    return visit.go(f"/c/{place.name}/segments")


async def members(visit: Visit) -> Response:
    """Who is in a segment: a list to look at, or a file of account numbers."""
    row, place = await _row(visit)
    if visit.about["segment"].endswith(_FILE):
        return await _file(visit, place, row)
    above = visit.number("above")
    listed, count = await visit.office.read(
        lambda reader: (
            rows.members(reader.books, place.number, row.name, above, PAGE + 1),
            rows.counts(reader.books, place.number).get(row.name, 0),
        )
    )
    return visit.page(
        "console-segment.html", place=place, row=row, members=listed[:PAGE], count=count,
        more=listed[PAGE - 1] if len(listed) > PAGE else 0,
    )  # fmt: skip


async def _file(visit: Visit, place: Place, row: SegmentRow) -> Response:
    """The numbers of all accounts in a segment; taking them out is noted."""

    def numbers(reader: Desk) -> list[int]:
        found: list[int] = []
        while part := rows.members(
            reader.books, place.number, row.name, found[-1] if found else 0, _FILE_STEP
        ):
            found += part
        return found

    found = await visit.office.read(numbers)
    about = f"segment {row.name}"

    def taken(desk: Desk) -> None:
        note(desk, visit.by, place.number, "export", about, rows=len(found))

    await visit.change(taken)
    return visit.table(f"{place.name}-{row.name}", ["account"], ([number] for number in found))


async def _row(visit: Visit) -> tuple[SegmentRow, Place]:
    found = await visit.office.read(_found, visit)
    wanted = visit.about["segment"].removesuffix(_FILE)
    for row in found.segments:
        if row.name == wanted:
            return row, found.place
    raise NotHere


async def _page(
    visit: Visit,
    *,
    status: int = 200,
    faults: list[Fault] | None = None,
    form: dict[str, str] | None = None,
) -> Response:
    found = await visit.office.read(_found, visit)
    spoken = visit.language
    asked = visit.request.query_params.get("name", "")
    changed = next((each for each in found.segments if each.name == asked), None)
    if form is None:
        form = {"name": asked, "rules": changed.source} if changed else {}
    when = {
        each.name: spoken.moment(
            dt.datetime.fromtimestamp(each.refreshed / 1000, found.zone), "short"
        )
        for each in found.segments
        if each.refreshed >= each.made
    }
    return visit.page(
        "console-segments.html", status=status, place=found.place, segments=found.segments,
        counts=found.counts, audiences=found.audiences, when=when, faults=faults or [],
        form=form, example=EXAMPLE, held=_held(found, spoken),
    )  # fmt: skip


def _held(found: Found, spoken: Language) -> dict[str, tuple[str, str]]:
    """The share that a segment holds back, and the day on which lots were drawn."""
    return {
        each.name: (
            spoken.percent(Decimal(each.held) / HUNDREDTHS),
            spoken.day(dt.datetime.fromtimestamp(each.drawn / 1000, found.zone).toordinal()),
        )
        for each in found.segments
        if each.held
    }


def _found(reader: Desk, visit: Visit) -> Found:
    place, home = placed(reader, visit)
    plan = home.program.plan(reader.clock())
    return Found(
        place,
        [each for each in rows.segments(reader.books, home.number) if each.ended is None],
        rows.counts(reader.books, home.number),
        dict(audiences(plan)),
        home.program.calendar.zone,
    )
