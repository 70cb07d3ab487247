"""Measures: what a program does, in charts that have their tables, and each table as a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from markupsafe import Markup
from msgspec import Struct
from starlette.responses import Response

from kantis.core.amounts import Unit
from kantis.desk.measures import panels
from kantis.desk.measures.definitions import DEFINITIONS
from kantis.desk.measures.figures import measure
from kantis.desk.measures.panels import Board, Cell, Panel
from kantis.desk.submit import Desk
from kantis.doors.web import charts
from kantis.doors.web.charts import FINE, Series
from kantis.doors.web.console import placed
from kantis.doors.web.languages import Language
from kantis.doors.web.pages import NotHere, Visit
from kantis.doors.web.phrasebook import Speaker
from kantis.doors.web.places import Place

#: So many months can be looked at.
SPANS: Final = (12, 24, 60)
_HEATS: Final = 10
_MARGIN_MAX: Final = 100


class Figures(Struct, frozen=True):
    """The figures of a program, and in which units they are."""

    place: Place
    board: Board
    units: dict[str, Unit]
    money: Unit
    counted: dt.datetime | None


class Shown(Struct, frozen=True):
    """A panel in words of a language."""

    key: str
    title: str
    how: str
    columns: list[str]
    rows: list[list[str]]
    unit: str
    heats: list[list[int]]
    triangle: bool
    chart: Markup
    legend: Markup


async def page(visit: Visit) -> Response:
    """All measures of a program."""
    found = await visit.office.read(figures, visit)
    say = found.place.speaker(visit.language)
    words = Words(found, visit.language, say)
    counted = visit.language.moment(found.counted, "short") if found.counted else ""
    return visit.page(
        "console-measures.html", place=found.place, say=say, spans=SPANS, months=_span(visit),
        margin=_margin(visit), until=found.board.last, every=words.every(), counted=counted,
        figures=words.headlines(), panels=[words.panel(each) for each in found.board.panels],
    )  # fmt: skip


async def file(visit: Visit) -> Response:
    """The table of one measure, as it is on the screen, for a spreadsheet."""
    found = await visit.office.read(figures, visit)
    wanted = visit.about["panel"].removesuffix(".csv")
    panel = _named(found.board, wanted)
    head = map(visit.language.gettext, panel.columns)
    rows = ([panels.plain(each, found.money, found.units) for each in row] for row in panel.rows)
    return visit.table(f"{found.place.name}-{wanted}", head, rows)


def _named(board: Board, key: str) -> Panel:
    """The panel of that key; without a row where nothing is counted of it yet."""
    for panel in board.panels:
        if panel.key == key:
            return panel
    for each in DEFINITIONS:
        if each.key == key:
            return Panel(key, each, each.columns, [])
    raise NotHere


def _span(visit: Visit) -> int:
    wanted = visit.number("months")
    return wanted if wanted in SPANS else SPANS[0]


def _margin(visit: Visit) -> int:
    wanted = visit.number("margin")
    return wanted if 0 < wanted <= _MARGIN_MAX else panels.MARGIN


def figures(reader: Desk, visit: Visit) -> Figures:
    """The figures that an address asks for; twelve months, where it says nothing."""
    place, home = placed(reader, visit)
    units: dict[str, Unit] = home.program.units
    found = measure(reader.books, home)
    board = panels.board(found, units, _span(visit), _margin(visit), visit.number("until"))
    counted = home.program.calendar.local(board.upto) if board.panels else None
    return Figures(place, board, units, home.program.money, counted)


class Words:
    """Figures in a language."""

    def __init__(self, found: Figures, language: Language, say: Speaker) -> None:
        self.found, self.language, self.say = found, language, say

    def cell(self, cell: Cell | None) -> str:
        """A figure as people read it."""
        if cell is None:
            return ""
        spoken, value = self.language, cell.value
        if cell.kind == "name":
            return cell.unit
        if cell.kind == "text":
            return spoken.gettext(cell.unit)
        if cell.kind == "day":
            return spoken.day(value, "medium")
        if cell.kind == "month":
            return self.month(value, "yMMM")
        if cell.kind == "money":
            return spoken.money(value, self.found.money)
        if cell.kind == "points":
            return self.say.number(self.found.units[cell.unit].number(value))
        if cell.kind == "share":
            return spoken.percent(Decimal(value) / cell.of)
        if cell.kind == "rate":
            return spoken.number(Decimal(value) / cell.of, 1)
        return spoken.number(value)

    def month(self, first: int, form: str) -> str:
        """The name of a month."""
        return self.language.month(dt.date.fromordinal(first), form)

    def every(self) -> list[tuple[int, str]]:
        """All months that there are, the newest first."""
        return [(each, self.month(each, "yMMMM")) for each in reversed(self.found.board.months)]

    def headlines(self) -> list[dict[str, str]]:
        """What stands above all charts."""
        return [
            {
                "title": self.language.gettext(each.title),
                "figure": self.cell(each.cell) or "–",
                "month": self.month(each.month, "yMMMM") if each.month else "",
            }
            for each in self.found.board.headlines
        ]

    def panel(self, panel: Panel) -> Shown:
        """A measure with its chart, its table and its definition."""
        said = self.language.gettext
        title = said(panel.definition.title)
        if panel.name:
            title %= {"name": self.say.name(panel.name)}
        how, columns = said(panel.definition.how), [said(each) for each in panel.columns]
        rows = [[self.cell(each) for each in row] for row in panel.rows]
        series = [
            Series(columns[n], _values(panel.rows, n), [row[n] for row in rows])
            for n in panel.draws
        ]
        chart, unit = Markup(""), ""
        if series and panel.rows:
            labels = [self.month(_value(row[0]), "MMM") for row in panel.rows]
            like = next((row[panel.draws[0]] for row in panel.rows if row[panel.draws[0]]), None)
            kind = like.kind if like is not None else "number"
            whole = kind == "number" or (kind == "points" and not self._scale(like))
            unit = self.found.money.name if kind == "money" else ""
            about = panel.key, title, how, labels, series, self._axis(like)
            chart = charts.draw(*about, whole=whole)
        return Shown(
            panel.key, title, how, columns, rows, unit,
            [[_heat(each) for each in row] for row in panel.rows],
            panel.triangle, chart,
            charts.legend(series) if chart else Markup(""),
        )  # fmt: skip

    def _scale(self, like: Cell | None) -> int:
        """The decimals of such a figure."""
        if like is not None and like.kind == "points":
            return self.found.units[like.unit].scale
        return self.found.money.scale

    def _axis(self, like: Cell | None) -> charts.Say:
        """How figures such as this one are said on an axis."""
        kind = like.kind if like is not None else "number"
        scale = self._scale(like)

        def say(fine: int) -> str:
            value = Decimal(fine) / FINE
            if kind == "share":
                return self.language.percent(value)
            if kind in ("money", "points"):
                value = value.scaleb(-scale)
            exact = value == value.to_integral_value() or value >= FINE
            return self.language.number(value, 0 if exact else 1 if value >= 10 else 2)

        return say


def _values(rows: Sequence[Sequence[Cell | None]], column: int) -> list[int | None]:
    cells = [row[column] for row in rows]
    return [None if each is None else each.value * FINE // each.of for each in cells]


def _value(cell: Cell | None) -> int:
    return cell.value if cell is not None else 0


def _heat(cell: Cell | None) -> int:
    """How much of all a share is, in tenths; -1 for what is no share."""
    if cell is None or cell.kind != "share":
        return -1
    return max(0, min(_HEATS, (cell.value * _HEATS * 2 + cell.of) // (2 * cell.of)))
