"""Rewards: what each reward, voucher and offer costs, what it is worth, and who has had it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec import Struct
from starlette.responses import Response

from kantis.core.amounts import Unit
from kantis.desk.measures.catalogue import SPANS, Catalogue, Item, catalogue
from kantis.desk.submit import Desk
from kantis.doors.web.console import placed
from kantis.doors.web.languages import Language, said
from kantis.doors.web.pages import Visit
from kantis.doors.web.phrasebook import Speaker
from kantis.doors.web.places import Place

#: What there is, in the order of the page.
KINDS: Final = ("reward", "voucher", "offer")


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


async def page(visit: Visit) -> Response:
    """All rewards, vouchers and offers of a program."""
    place, units, found = await visit.office.read(_found, visit)
    say = place.speaker(visit.language)
    words = Words(visit.language, say, units, found.members)
    rows = {kind: [words.row(item) for item in found.items if item.what == kind] for kind in KINDS}
    return visit.page(
        "console-rewards.html", place=place, say=say, rows=rows, spans=SPANS,
        unsaid=any(each.unsaid for every in rows.values() for each in every),
    )  # fmt: skip


def _found(reader: Desk, visit: Visit) -> tuple[Place, Units, Catalogue]:
    place, home = placed(reader, visit)
    units = Units(home.program.money, home.program.units)
    return place, units, catalogue(reader.books, home, reader.clock())


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
