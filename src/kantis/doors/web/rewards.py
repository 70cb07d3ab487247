"""Rewards: what each reward, voucher and offer costs, what it is worth, and who has had it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec import Struct, structs
from starlette.responses import Response

from kantis.core.amounts import Unit
from kantis.desk import budget_stops, budgets
from kantis.desk.budget_stops import Stop
from kantis.desk.budgets import MONEY, Standing
from kantis.desk.measures.catalogue import SPANS, Catalogue, Item, catalogue
from kantis.desk.submit import Desk
from kantis.doors.web.console import placed
from kantis.doors.web.languages import Language, said
from kantis.doors.web.pages import Visit
from kantis.doors.web.phrasebook import Speaker
from kantis.doors.web.places import Place
from kantis.doors.web.terms import said_of

#: What there is, in the order of the page, with the section of the file that has it.
KINDS: Final = {"reward": "rewards", "voucher": "vouchers", "offer": "offers"}
_COLUMNS: Final = (
    "what", "name", "title", "for whom", "worth", "costs us", "cost so far", "cost each",
)  # fmt: skip


class Units(Struct, frozen=True):
    """The units that amounts of a program are in."""

    money: Unit
    all: dict[str, Unit]


class Row(Struct, frozen=True):
    """An item in words of a language."""

    name: str
    price: str
    worth: str
    costs: str
    had: list[tuple[str, str]]
    cost: str
    each: str
    via: str
    can: str
    near: str
    unsaid: bool
    who: str = ""
    stops: list[tuple[str, str]] = []
    alarms: list[tuple[str, str]] = []


class Found(Struct, frozen=True):
    """A program with what it gives, and the budgets that stop and those that alarm."""

    place: Place
    units: Units
    items: Catalogue
    stops: list[Stop]
    budgets: list[Standing]


async def page(visit: Visit) -> Response:
    """All rewards, vouchers and offers of a program."""
    found = await visit.office.read(_found, visit)
    place = found.place
    say = place.speaker(visit.language)
    words = Words(visit.language, say, found.units, found.items.members)
    rows = {
        kind: [words.with_budgets(item, found) for item in found.items.items if item.what == kind]
        for kind in KINDS
    }
    return visit.page(
        "console-rewards.html", place=place, say=say, rows=rows, spans=SPANS,
        unsaid=any(each.unsaid for every in rows.values() for each in every),
    )  # fmt: skip


async def file(visit: Visit) -> Response:
    """The same figures for a spreadsheet; amounts are in the program's money."""
    found = await visit.office.read(_found, visit)
    words = Words(visit.language, found.place.speaker(visit.language), found.units, 0)
    money = found.units.money.number

    def row(item: Item) -> list[object]:
        had = [each for pair in zip(item.times, item.members, strict=True) for each in pair]
        amounts = (item.worth, item.costs_us, item.cost, item.each)
        said = ["" if each is None else money(each) for each in amounts]
        return [
            item.what, item.name, words.name(item), words.with_budgets(item, found).who, *said,
            *had, item.can, item.near,
        ]  # fmt: skip

    times = [f"{what} in {days} days" for days in SPANS for what in ("times", "members")]
    head = (*_COLUMNS, *times, "have enough", "nearly enough")
    return visit.table(f"{found.place.name}-rewards", head, map(row, found.items.items))


def _found(reader: Desk, visit: Visit) -> Found:
    place, home = placed(reader, visit)
    books, now = reader.books, reader.clock()
    return Found(
        place,
        Units(home.program.money, home.program.units),
        catalogue(books, home, now),
        budget_stops.stops(books, home, now),
        budgets.standings(books, home, now),
    )


class Words:
    """Says what items are in a language."""

    def __init__(self, language: Language, say: Speaker, units: Units, members: int) -> None:
        self.language, self.say, self.units, self.members = language, say, units, members

    def name(self, item: Item) -> str:
        """How it is called."""
        return said(item.title, self.language.tag, self.say.name(item.name))

    def money(self, amount: int | None) -> str:
        """An amount of money; nothing where it is not known."""
        return "" if amount is None else self.language.money(amount, self.units.money)

    def share(self, part: int | None) -> str:
        """A share of all members."""
        if part is None or not self.members:
            return ""
        return self.language.percent(Decimal(part) / self.members)

    def _points(self, item: Item) -> str:
        if not item.points or not item.balance:
            return ""
        return self.say.amount(self.units.all[item.balance].number(item.points), item.balance)

    def counted(self, each: Stop, amount: int) -> str:
        """An amount of what a budget of the file counts."""
        unit = self.units.all.get(each.budget.unit)
        if each.budget.counts == MONEY:
            return self.money(amount)
        if unit is None:
            return self.language.number(amount)
        return self.say.amount(unit.number(amount), each.budget.unit)

    def with_budgets(self, item: Item, found: Found) -> Row:
        """An item as a row, with whom it is for and how much may be had of it."""
        place, section = found.place, KINDS[item.what]
        stops = [
            (self.counted(each, each.used), self.counted(each, each.amount))
            for each in found.stops
            if (each.what, each.budget.name) == (item.what, item.name)
        ]
        alarms = []
        for each in found.budgets:
            if (each.row.what, each.row.name) == (item.what, item.name):
                tell = self.money if each.row.counts == MONEY else self.language.number
                alarms.append((tell(each.used), tell(each.row.amount)))
        who = said_of(place.tree, self.language, section, item.name, "who")
        return structs.replace(self.row(item), who=who, stops=stops, alarms=alarms)

    def row(self, item: Item) -> Row:
        """An item as a row of the page."""
        number = self.language.number
        return Row(
            self.name(item),
            self._points(item),
            self.money(item.worth),
            self.money(item.costs_us),
            [(number(a), number(b)) for a, b in zip(item.times, item.members, strict=True)],
            self.money(item.cost),
            self.money(item.each),
            self.say.name(item.via) if item.via else "",
            self.share(item.can),
            self.share(item.near),
            item.costs_us is None and not item.via,
        )
