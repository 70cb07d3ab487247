"""Flags: what is marked for a look, and what could not be decided, until somebody sees to it."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from kantis.core.calendar import Calendar
from kantis.desk import flags
from kantis.desk.showing import told
from kantis.desk.submit import Desk
from kantis.doors.web.console import placed
from kantis.doors.web.pages import Visit, whole
from kantis.doors.web.places import Place
from kantis.doors.web.roles import HELPING
from kantis.store.rows import EventRow, FlagRow

#: Flags on a page.
PAGE: Final = 20


class Flagged(Struct, frozen=True):
    """A flag, and in words what was decided when it was raised; none where time stands still."""

    row: FlagRow
    entry: dict[str, Any] | None


class Found(Struct, frozen=True):
    """What waits for somebody."""

    place: Place
    days: Calendar
    flags: list[Flagged]
    aside: list[EventRow]


async def look(visit: Visit) -> Response:
    """What waits for somebody to look at it."""
    found = await visit.office.read(_found, visit)
    spoken = visit.language
    return visit.page(
        "console-flags.html", place=found.place, say=found.place.speaker(spoken), found=found,
        may=visit.staff.role in HELPING, meaning=flags.meaning, most=flags.REMARK_MAX,
        when=lambda at: spoken.moment(found.days.local(at), "short"),
        more=found.flags[-1].row.n if len(found.flags) == PAGE else 0,
    )  # fmt: skip


async def act(visit: Visit) -> Response:
    """Somebody has looked at a flag, or lets an event be decided again; what somebody else has
    seen to meanwhile is gone from the page."""
    form = await visit.form()
    place, _ = await visit.office.read(placed, visit)
    if form.get("again"):
        if await visit.change(flags.again, place.number, form["again"], visit.by):
            await visit.office.line.submit(place.name, [])
    else:
        number, remark = whole(form.get("flag", "")), form.get("remark", "")
        await visit.change(flags.clear, place.number, number, visit.by, remark)
    return visit.go(f"/c/{place.name}/flags")


def _found(reader: Desk, visit: Visit) -> Found:
    place, home = placed(reader, visit)
    books, say = reader.books, place.teller(visit.language)
    rows = flags.of_program(books, place.number, PAGE, visit.number("above"))
    wanted = sorted({(row.account, row.seq) for row in rows if row.event})
    entries = dict(zip(wanted, told(books, home.program, wanted), strict=True))
    shown = [
        Flagged(row, entries[row.account, row.seq].plain(say) if row.event else None)
        for row in rows
    ]
    return Found(place, home.program.calendar, shown, flags.set_aside(books, place.number))
