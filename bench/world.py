"""World: the two shops that are measured, their members with some months behind them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from kantis.core.account import Account, decode_account, encode_account
from kantis.core.calendar import DAY_MS, MINUTE_MS
from kantis.core.events import Enrol, Event, Line, Load, Purchase
from kantis.core.knobs import plain
from kantis.desk import text
from kantis.engine.decide import advance, decide
from kantis.engine.program import Program, Version, assemble

PROGRAMS = Path(__file__).parents[1] / "programs"
MEMBERS = 1_000
#: Purchases of each member on the day that is measured.
EACH = 2

_DEPARTMENTS = ("GROCERY", "GROCERY", "DRUG GM", "DELI", "PASTRY", "NUTRITION")
_FRESH = ("PRODUCE", "MEAT", "SEAFOOD")


def tree(name: str) -> Any:
    """What a program file says, as plain values."""
    return plain(text.read_file(PROGRAMS / f"{name}.yaml"))


def program(name: str) -> Program:
    """A program of the ``programs`` folder, assembled."""
    return assemble([Version.of(1, 0, tree(name))])


def coffee(dice: Random) -> Purchase:
    """Two lines at the café: some cups, a third of them the member's own, and a cake."""
    tags = ("own-cup",) if dice.random() < 0.3 else ()
    cups = 2 if dice.random() < 0.2 else 1
    drink = Line("1", dice.choice(("latte", "espresso")), cups, 350 * cups, "coffee", tags=tags)
    return Purchase((drink, Line("2", "bun", 1, 300, "cake")), location="1")


def basket(dice: Random, coupon: bool = False) -> Purchase:
    """Nine lines at the grocer: fuel, which earns nothing, fresh food and the house's brand.

    In one basket of twenty there is a gift card, which earns nothing either.
    """
    gift = ("gift-card",) if dice.random() < 0.05 else ()
    lines = [Line("1", "regular", 1, dice.randint(1500, 4000), "GAS", "", "FUEL", ("fuel",))]
    for number in range(2, 10):
        fresh = number < 5
        lines.append(
            Line(
                str(number),
                str(dice.randint(1, 5000)),
                dice.randint(1, 3),
                dice.randint(99, 1500),
                dice.choice(("SOUP", "FRUIT", "CHEESE")),
                "Private" if number % 3 == 0 else "National",
                dice.choice(_FRESH if fresh else _DEPARTMENTS),
                ("coupon",) if coupon and number == 9 else gift if number == 8 else (),
            )
        )
    return Purchase(tuple(lines), location="367")


class Shop:
    """A program, its members as they stand in the morning, and the purchases of the day."""

    def __init__(self, name: str, members: int = MEMBERS) -> None:
        self.name, self.program, self.dice = name, program(name), Random(name)
        self.members = members
        cafe = name == "corner-cafe"
        self.now = self.program.calendar.read("2017-06-01T08:00")
        accounts = [Account(number) for number in range(1, members + 1)]
        history = sorted(self._past(cafe), key=lambda event: event.time)
        for event in history:
            decide(self.program, accounts[int(event.subject[8:]) - 1], event)
        for account in accounts:
            advance(self.program, account, self.now)
        self.events = self._today(accounts, cafe)
        self.bytes = [encode_account(account) for account in accounts]

    def _past(self, cafe: bool) -> Iterator[Event]:
        dice = self.dice
        for member in range(1, self.members + 1):
            start = self.now - dice.randint(30, 150) * DAY_MS
            yield self._event(f"join-{member}", start, member, Enrol())
            for number in range(dice.choice((3, 8, 20, 40))):
                time = dice.randint(start + 1, self.now - DAY_MS)
                body = coffee(dice) if cafe else basket(dice)
                yield self._event(f"past-{member}-{number}", time, member, body)

    def _today(self, accounts: list[Account], cafe: bool) -> list[Event]:
        """Each member shops twice; one in five has loaded an offer before."""
        dice, found = self.dice, []
        for visit in range(EACH):
            for member in range(1, self.members + 1):
                time = self.now + (visit * 240 + 60) * MINUTE_MS + member * 1000
                coupon = not cafe and visit == 0 and dice.random() < 0.2
                if coupon:
                    load = Load(f"coupon-{dice.choice('abc')}")
                    event = self._event(f"load-{member}", self.now + 1, member, load)
                    decide(self.program, accounts[member - 1], event)
                body = coffee(dice) if cafe else basket(dice, coupon)
                found.append(self._event(f"today-{visit}-{member}", time, member, body))
        return found

    def _event(self, name: str, time: int, member: int, body: Any) -> Event:
        return Event("till", name, time, f"account:{member}", body, time)

    def morning(self) -> list[Account]:
        """Fresh accounts, as they stood in the morning."""
        return [decode_account(each) for each in self.bytes]

    def pairs(self) -> list[tuple[Account, Event]]:
        """The purchases of the day with fresh accounts to decide them on."""
        accounts = self.morning()
        return [(accounts[int(event.subject[8:]) - 1], event) for event in self.events]
