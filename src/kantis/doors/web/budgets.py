"""Budgets: what may be spent on rewards, what is used, where it leads, and what stops it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import partial
from typing import Any, Final

from babel.dates import format_date
from msgspec import Struct
from starlette.responses import Response

from kantis.core.calendar import Calendar
from kantis.core.knobs import ProgramError
from kantis.desk import budget_stops
from kantis.desk import budgets as desk
from kantis.desk.budget_stops import Stop
from kantis.desk.budgets import ALARM, MONEY, TIMES, Standing
from kantis.desk.measures.catalogue import catalogue
from kantis.desk.submit import Desk
from kantis.doors.web.console import placed
from kantis.doors.web.languages import Language, said
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.doors.web.reckoning import minor
from kantis.doors.web.rewards import Units, Words
from kantis.store.budgets import BudgetRow

_STOCK: Final = "stock "


class Shown(Struct, frozen=True):
    """A budget in words of a language; ``part`` of ``whole`` fills its bar."""

    number: int
    name: str
    what: str
    per: str
    first: str
    last: str
    used: str
    amount: str
    part: int
    whole: int
    alarm: str
    alarming: bool
    over: bool
    forecast: str
    above: bool
    gone: str


class Found(Struct, frozen=True):
    """The budgets of a program, the limits in its file, and what can have a budget."""

    place: Place
    units: Units
    titles: dict[tuple[str, str], dict[str, str]]
    standings: list[Standing]
    zone: Calendar
    stops: list[Stop]
    stocks: list[tuple[str, int, int]]
    choices: list[tuple[str, str]]


async def page(visit: Visit) -> Response:
    """All budgets of a program."""
    return await _page(visit)


async def make(visit: Visit) -> Response:
    """A budget is set."""
    found = await visit.office.read(_found, visit)
    form = await visit.form()
    what, _, name = form.get("of", "")[:200].partition(" ")
    counts, typed = form.get("counts", ""), form.get("amount", "").strip()[:20]
    amount = minor(typed, found.place.money) if counts == MONEY else whole(typed)
    alarm = whole(form.get("alarm", ""))
    row = BudgetRow(
        0, found.place.number, what, name, counts, amount, form.get("per", ""), alarm, 0
    )
    try:
        await visit.change(desk.make, row, visit.by)
    except ProgramError as error:
        trouble = [each.code for each in error.faults]
        return await _page(visit, status=422, trouble=trouble, form=form)
    return visit.go(f"/c/{found.place.name}/budgets")


async def end(visit: Visit) -> Response:
    """A budget counts no longer."""
    found = await visit.office.read(_found, visit)
    number = whole(visit.about["number"])
    if not await visit.change(desk.end, found.place.number, number, visit.by):
        raise NotHere
    return visit.go(f"/c/{found.place.name}/budgets")


async def _page(visit: Visit, *, status: int = 200, **more: Any) -> Response:
    found = await visit.office.read(_found, visit)
    words = _Words(found, visit.language)
    about = {"trouble": [], "form": {}} | more
    return visit.page(
        "console-budgets.html", status=status, place=found.place, windows=desk.WINDOWS,
        budgets=[words.budget(each) for each in found.standings], alarm=ALARM,
        stops=[words.stop(each) for each in found.stops],
        stocks=[words.stock(*each) for each in found.stocks],
        choices=[(f"{what} {name}", words.name(what, name), what) for what, name in found.choices],
        **about,
    )  # fmt: skip


def _found(reader: Desk, visit: Visit) -> Found:
    place, home = placed(reader, visit)
    now, books = reader.clock(), reader.books
    plan = home.program.plan(now)
    titles = {(each.what, each.name): each.title for each in catalogue(books, home, now).items}
    return Found(
        place,
        Units(home.program.money, home.program.units),
        titles,
        desk.standings(books, home, now),
        home.program.calendar,
        budget_stops.stops(books, home, now),
        [
            (each.name.removeprefix(_STOCK), each.taken, each.quantity)
            for each in books.all_limits()
            if each.program == home.number and each.name.removeprefix(_STOCK) in plan.rewards
        ],
        desk.choices(plan),
    )


class _Words:
    """Says budgets in a language."""

    def __init__(self, found: Found, language: Language) -> None:
        self.found, self.language = found, language
        self.say = found.place.speaker(language)
        self.words = Words(language, self.say, found.units, 0)

    def name(self, what: str, name: str) -> str:
        """How something is called; nothing for the whole program."""
        title = self.found.titles.get((what, name), {})
        return said(title, self.language.tag, self.say.name(name)) if name else ""

    def amount(self, row: BudgetRow, amount: int) -> str:
        """An amount of what a budget counts."""
        if row.counts == MONEY:
            return self.language.money(amount, self.found.units.money)
        return self.language.number(amount)

    def day(self, day: int) -> str:
        """A day; nothing where there is none."""
        if not day:
            return ""
        date = dt.date.fromordinal(day)
        return str(format_date(date, "medium", locale=self.language.locale))

    def stock(self, name: str, taken: int, quantity: int) -> dict[str, Any]:
        """A limit of the program file."""
        number = self.language.number
        return {
            "name": self.name("reward", name), "part": taken, "whole": max(1, quantity),
            "used": number(taken), "amount": number(quantity), "over": taken >= quantity,
        }  # fmt: skip

    def stop(self, each: Stop) -> dict[str, Any]:
        """A budget of the program file."""
        at = self.found.zone.local(each.stopped) if each.stopped else None
        counted = partial(self.words.counted, each)
        return {
            "name": said(each.title, self.language.tag, self.say.name(each.budget.name)),
            "what": each.what, "times": each.budget.counts == TIMES,
            "used": counted(each.used), "amount": counted(each.amount),
            "left": counted(each.left), "part": each.used, "whole": each.amount,
            "over": each.over, "alarming": each.alarming, "missed": each.missed,
            "gone": "" if each.over else self.day(each.gone), "first": self.day(each.first),
            "stopped": self.language.moment(at, "short") if at else "",
        }  # fmt: skip

    def budget(self, each: Standing) -> Shown:
        """A budget as a card of the page."""
        row = each.row
        forecast = each.forecast
        return Shown(
            row.number,
            self.name(row.what, row.name),
            row.what,
            row.per,
            self.day(each.first),
            self.day(each.end - 1 if each.end else 0),
            self.amount(row, each.used),
            self.amount(row, row.amount),
            max(0, min(each.used, row.amount)),
            row.amount,
            self.language.percent(Decimal(row.alarm) / 100),
            each.alarming,
            each.over,
            "" if forecast is None else self.amount(row, forecast),
            forecast is not None and forecast > row.amount,
            "" if each.over else self.day(each.gone),
        )
