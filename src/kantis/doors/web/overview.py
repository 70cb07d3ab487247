"""Overview: the first page of a program: what waits, how it does, and what happened just now."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from kantis.desk import budget_stops, budgets, flags, signoffs
from kantis.desk.adjusting import CONSOLE
from kantis.desk.programs import Home
from kantis.desk.showing import latest
from kantis.desk.submit import Desk
from kantis.doors.web import measures
from kantis.doors.web.beginning import Step, steps
from kantis.doors.web.console import placed
from kantis.doors.web.measures import Figures
from kantis.doors.web.pages import Visit
from kantis.doors.web.roles import WRITING
from kantis.store import hands
from kantis.store.reading import Reading

#: So many of the newest events are told.
NEWEST: Final = 6
#: The charts that stand here too, where there is one of them.
_CHARTS: Final = ("active", "points")


class Waiting(Struct, frozen=True):
    """What waits for whoever looks: alarms of budgets, adjustments to answer, drafts to sign and
    to publish, flags with what was set aside, and the first steps of a program."""

    alarms: int
    proposed: int
    awaited: int
    ready: int
    flags: int
    steps: list[Step]


class Overview(Struct, frozen=True):
    """What the page shows. Before anything is counted it has how many members there are, and what
    is open of each balance."""

    waiting: Waiting
    figures: Figures
    members: int
    open: dict[str, str]
    newest: list[tuple[int, dict[str, Any]]]


async def page(visit: Visit) -> Response:
    """How a program does."""
    found = await visit.office.read(_overview, visit)
    place = found.figures.place
    say = place.speaker(visit.language)
    words = measures.Words(found.figures, visit.language, say)
    panels = found.figures.board.panels
    shown = [
        next((each for each in panels if each.key.partition("-")[0] == key), None)
        for key in _CHARTS
    ]
    return visit.page(
        "console-home.html", place=place, say=say, found=found, figures=words.headlines(),
        panels=[words.panel(each) for each in shown if each is not None],
    )  # fmt: skip


def _overview(reader: Desk, visit: Visit) -> Overview:
    place, home = placed(reader, visit)
    figures = measures.figures(reader, visit)
    books, say = reader.books, place.teller(visit.language)
    members, open_ = 0, {}
    if not figures.board.panels:  # then there are few of them
        count = books.one("SELECT count(*) FROM account WHERE program = ?", (place.number,))
        members, open_ = int(count or 0), _open(books, home)
    newest = [(number, each.plain(say)) for number, each in latest(books, home, NEWEST)]
    return Overview(_waiting(reader, visit, home), figures, members, open_, newest)


def _waiting(reader: Desk, visit: Visit, home: Home) -> Waiting:
    books, now, writes = reader.books, reader.clock(), visit.staff.role in WRITING
    drafts = signoffs.standings(books, home.number)
    own = CONSOLE + visit.staff.login
    alarms = [each.alarming for each in budgets.standings(books, home, now)]
    alarms += [each.alarming for each in budget_stops.stops(books, home, now)]
    return Waiting(
        alarms=sum(alarms),
        proposed=hands.answerable(books, home.number, own) if writes else 0,
        awaited=sum(each.waits_for(visit.staff.number) for each in drafts),
        ready=sum(each.ready for each in drafts) if writes else 0,
        flags=flags.count(books, home.number),
        steps=steps(books, home.number, home.name) if writes else [],
    )


def _open(books: Reading, home: Home) -> dict[str, str]:
    units = home.program.units
    return {
        name: units[name].number(sums[0] + sums[1] + sums[2])
        for name, sums in books.purses(home.number).items()
        if name in units
    }
