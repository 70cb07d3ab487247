"""Recipes: where the points of rules go, how they come into their lots, and what is told of it.

>>> Recipe("3", None, Available(), "").add("points4")
'given3 += points4'
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from kantis.core.account import NEVER
from kantis.core.calendar import Calendar
from kantis.core.code import Code
from kantis.core.earner import Earner
from kantis.core.limits import Available
from kantis.core.lots import Balance, LotKind, put
from kantis.core.places import ISSUED
from kantis.core.turn import Turn

REASON = "earning"


def come_apart(
    turn: Turn,
    days: Calendar,
    recipes: Mapping[int, Recipe],
    more: Mapping[int, int],
    lots: dict[int, int],
) -> None:
    """The points that only offers give come into their lots, whose numbers are noted."""
    for number in sorted(more, reverse=True):
        if more[number]:
            lots[number] = recipes[number].come(turn, days, more[number])


class Recipe(Struct):
    """Where the points of some rules go: they come into one lot, and wait for the same.

    Where only offers give them, the number is below zero, and the points are noted in ``more``.
    """

    number: str
    balance: Balance
    available: Available
    funder: str
    fresh: bool = True

    @property
    def apart(self) -> bool:
        """Whether only offers give them."""
        return self.number.startswith("-") or self.number == "0"

    @property
    def given(self) -> str:
        """The variable of the points."""
        return f"given{self.number}"

    @property
    def lot(self) -> str:
        """The variable of the lot's number."""
        return f"lot{self.number}"

    def add(self, points: str) -> str:
        """The line that adds points."""
        if self.apart:
            return f"more[{self.number}] = more.get({self.number}, 0) + {points}"
        return f"{self.given} += {points}"

    def come(self, turn: Turn, days: Calendar, points: int) -> int:
        """The points come into their lot; its number."""
        balance, available, day = self.balance, self.available, turn.day
        expires = balance.fixed(day)
        group = turn.group if available.group else ""
        kind: LotKind = (balance.name, balance.bucket(day), expires, group, "", self.funder)
        ends = days.start(expires) if expires else NEVER
        waits = available != Available() and not available.group
        opens = available.opens(turn) if waits else 0
        return put(turn, balance, points, REASON, kind, ends, ISSUED, opens, turn.late)


class Fact(Struct):
    """A fact that a rule fired: ``when``, and its text without and with the lot.

    That of all offers on a rule is ``all_of`` the facts in a list.
    """

    when: str
    parts: str = ""
    text: str = ""
    all_of: str = ""

    @staticmethod
    def of(earner: Earner, unit: str, base: str, points: str, lot: str, plain: str) -> Fact:
        """The fact of one rule."""
        first = f"{earner.name!r}, {unit!r}, {base}, {points}"
        return Fact(plain, f"{first}, {plain}", f"({first}, {lot}, {plain})")


def write_lot(code: Code, recipe: Recipe, days: Calendar) -> None:
    """The points come into their lot. What the calendar says of the day is remembered."""
    balance, available = recipe.balance, recipe.available
    name, funder = balance.name, recipe.funder

    def kind(day: int) -> LotKind:
        return name, balance.bucket(day), balance.fixed(day), "", "", funder

    def ends(day: int) -> int:
        expires = balance.fixed(day)
        return days.start(expires) if expires else NEVER

    kinds, end = code.of_day(kind, "kind"), code.of_day(ends, "ends")
    opens = "0"
    if available.group:
        kinds = f"({name!r}, {kinds}[1], {kinds}[2], turn.group, '', {funder!r})"
    elif available.after_ms:
        opens = f"turn.moment + {available.after_ms}"
    elif available != Available():
        opens = code.of_day(lambda day: available.opens_on(days, day), "opens")
    put_ = code.constant(put, "put")
    code.add(
        f"{recipe.lot} = {put_}(turn, {code.constant(balance, 'balance')}, {recipe.given},"
        f" {REASON!r}, {kinds}, {end}, {code.constant(ISSUED, 'ISSUED')}, {opens}, turn.late)"
    )
