"""Partners: where partners and charities stand, and their statements for the days of a period.

Guarantee: whoever signs in for a partner sees what stands under its name, and nothing else:
neither the others' names nor how many there are. A foreign name is a page that is not there.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from kantis.core import calendar
from kantis.core.amounts import Unit
from kantis.core.calendar import Calendar
from kantis.core.money import coins_of
from kantis.desk.programs import Home
from kantis.desk.settlement import (
    Line,
    Settlement,
    Statement,
    outsiders,
    plain,
    points_of,
    positions,
    settle,
)
from kantis.desk.staff import PARTNER, Staff
from kantis.desk.submit import Desk
from kantis.doors.web.console import placed
from kantis.doors.web.pages import NotHere, Visit
from kantis.doors.web.places import Place

#: So many months are offered to look at.
MONTHS: Final = 12
_COLUMNS: Final = (
    "from", "to", "name", "position", "kind", "balance", "points", "exact", "amount",
)  # fmt: skip
_EARLIEST: Final = calendar.day("1970-01-02")
_LATEST: Final = calendar.day("2999-12-31")


class Period(Struct, frozen=True):
    """The days of a statement, first and last, on the program's calendar."""

    first: int
    last: int

    @property
    def days(self) -> dict[str, str]:
        """Them as an address has them."""
        return {"from": calendar.show_day(self.first), "to": calendar.show_day(self.last)}


class Figures(Struct, frozen=True):
    """What partners have, for whoever asks."""

    place: Place
    home: Home
    period: Period
    months: tuple[Period, ...]
    names: tuple[str, ...]
    stand: tuple[Statement, ...]
    settled: Settlement

    @property
    def money(self) -> Unit:
        """The money of the program."""
        unit: Unit = self.home.program.money
        return unit


async def everybody(visit: Visit) -> Response:
    """Where all of them stand, and their statements; a partner goes to its own page."""
    if visit.staff.role == PARTNER:
        return visit.go(f"/c/{visit.about['program']}/partners/{visit.staff.partner}")
    return _shown(visit, await visit.office.study(_figures, visit, ""), "")


async def one(visit: Visit) -> Response:
    """Where one stands, and its statements."""
    name = visit.about["partner"]
    return _shown(visit, await visit.office.study(_figures, visit, name), name)


async def file(visit: Visit) -> Response:
    """The lines of the statements on the screen, for a spreadsheet."""
    name = visit.about.get("partner", "")
    found = await visit.office.study(_figures, visit, name)
    days = found.period.days.values()
    rows = (
        (*days, said["name"], said["position"], *line.values())
        for said in (plain(found.home, each) for each in found.settled.statements)
        for line in said["lines"]
    )
    return visit.table("-".join((found.place.name, "statement", *days)), _COLUMNS, rows)


def sees(staff: Staff, name: str) -> bool:
    """A partner sees itself; whoever looks after the program sees everybody."""
    return staff.role != PARTNER or name == staff.partner


def _shown(visit: Visit, found: Figures, name: str) -> Response:
    spoken, money = visit.language, found.money
    period = found.period

    def amount(fine: int) -> str:
        return spoken.money(coins_of(fine), money)

    def points(line: Line) -> str:
        number = points_of(found.home, line.balance, line.points).replace(",", "")
        return say.amount(number, line.balance) if line.balance else ""

    say = found.place.speaker(spoken)
    return visit.page(
        "console-partners.html", place=found.place, say=say, name=name, names=found.names,
        stand=found.stand, statements=found.settled.statements, amount=amount, points=points,
        coins=lambda coins: spoken.money(coins, money), problems=found.settled.problems,
        days=period.days, first=spoken.day(period.first), last=spoken.day(period.last),
        months=[(each.days, _month(visit, each), each == period) for each in found.months],
    )  # fmt: skip


def _month(visit: Visit, period: Period) -> str:
    day = dt.date.fromordinal(period.first)
    return visit.language.month(day)


# ── what a reader finds ──────────────────────────────────────────────────────


def _figures(reader: Desk, visit: Visit, name: str) -> Figures:
    place, home = placed(reader, visit)
    staff, now = visit.staff, reader.clock()
    names = tuple(each for each in outsiders(reader.books, home) if sees(staff, each))
    if name and name not in names:
        raise NotHere
    days: Calendar = home.program.calendar
    today = days.day(now)
    period = _period(visit, today)

    def shown(found: list[Statement]) -> list[Statement]:
        wanted = [each for each in found if each.name == (name or each.name)]
        return [each for each in wanted if sees(staff, each.name)]

    with reader.books.reader() as frozen:
        frozen.freeze()
        settled = settle(frozen, home, days.start(period.first), days.start(period.last + 1))
        stand = positions(frozen, home, now + 1)
    problems = [] if staff.role == PARTNER else settled.problems
    return Figures(
        place, home, period, _months(today), names, tuple(shown(stand)),
        Settlement(shown(settled.statements), problems),
    )  # fmt: skip


def _period(visit: Visit, today: int) -> Period:
    """The days that are asked for; the month that runs, where none are or they cannot be read."""
    said: dict[str, Any] = dict(visit.request.query_params)
    try:
        first, last = calendar.day(said.get("from", "")), calendar.day(said.get("to", ""))
    except ValueError:
        return _months(today)[0]
    first, last = (min(max(each, _EARLIEST), _LATEST) for each in sorted((first, last)))
    return Period(first, last)


def _months(today: int) -> tuple[Period, ...]:
    """The month that runs and those before it, the newest first."""
    first = calendar.window_start("month", today)
    starts = [calendar.add_months(first, -n) for n in range(MONTHS)]
    return tuple(Period(each, calendar.window_end("month", each) - 1) for each in starts)
