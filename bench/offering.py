"""Many offers: a purchase in a program with 2,000 of them, beside one with 20.

Both are the grocer with more coupons: for products, categories and brands, with points, prices
and multiples, some with dates. Each member has loaded a few of the twenty, which stand here and
there among the two thousand: what is decided is the same in every byte.
"""

from __future__ import annotations

from random import Random
from typing import Any

from msgspec import msgpack

from bench import world
from bench.measure import Row, Spread, cpu, in_turns, ratios
from kantis.core.account import Account, decode_account, encode_account
from kantis.core.calendar import MINUTE_MS
from kantis.core.events import Enrol, Event, Load
from kantis.engine.decide import decide
from kantis.engine.program import Program, Version, assemble

FEW, MANY = 20, 2_000
#: How many offers a member loads, and how many purchases it makes.
LOADED, EACH = 5, 4
GOAL = 3.0


def offer(dice: Random) -> dict[str, Any]:
    """One offer, as a grocer writes them."""
    where: dict[str, Any] = dice.choice(
        (
            {"product": [str(dice.randint(1, 5000)) for _ in range(3)]},
            {"category": dice.choice(("SOUP", "FRUIT", "CHEESE")), "brand": "Private"},
            {"category": f"C{dice.randint(1, 400)}"},
            {"product": str(dice.randint(1, 5000)), "tag": "fresh"},
        )
    )
    what: dict[str, Any] = dice.choice(
        (
            {"give": "50 points"},
            {"give": "2 points per item", "available": "after 2 days"},
            {"on": "shopping", "multiply": "3 times"},
            {"off": "10 %"},
        )
    )
    dates = {"when": dice.choice(("2017-05-01 to 2017-06-30", "2017-07-01 to 2017-07-31"))}
    return {"where": where, **what, **(dates if dice.random() < 0.5 else {}), "uses": 0}


def program(offers: int) -> Program:
    """The grocer with so many offers."""
    tree, step = world.tree("grocer"), offers // FEW
    numbers = [n // step if n % step == 0 else FEW + n for n in range(offers)]
    tree["offers"] = {f"offer-{number}": offer(Random(number)) for number in numbers}
    return assemble([Version.of(1, 0, tree)])


class Shop:
    """Members with loaded offers, and their purchases of a day."""

    def __init__(self, offers: int, members: int) -> None:
        self.began = cpu(lambda: setattr(self, "program", program(offers)))
        self.program: Program
        dice, self.bytes = Random("shop"), []
        now = self.program.calendar.read("2017-06-01T08:00")
        for member in range(1, members + 1):
            account = Account(member)
            self._decide(account, f"join-{member}", now, Enrol())
            for position in dice.sample(range(FEW), LOADED):
                load = Load(f"offer-{position}")
                self._decide(account, f"load-{member}-{position}", now + position, load)
            self.bytes.append(encode_account(account))
        self.events = [
            Event("till", f"{visit}-{member}", time, f"account:{member}", world.basket(dice), time)
            for visit in range(EACH)
            for member in range(1, members + 1)
            for time in [now + (visit * 60 + 10) * MINUTE_MS + member]
        ]

    def _decide(self, account: Account, name: str, time: int, body: Enrol | Load) -> None:
        event = Event("till", name, time, f"account:{account.id}", body, time)
        decide(self.program, account, event)

    def decided(self) -> list[Any]:
        """What is decided on the day."""
        accounts = [decode_account(each) for each in self.bytes]
        return [
            decide(self.program, accounts[int(event.subject[8:]) - 1], event)
            for event in self.events
        ]

    def work(self) -> float:
        """Seconds of a processor for the day."""
        accounts = [decode_account(each) for each in self.bytes]
        pairs = [(accounts[int(each.subject[8:]) - 1], each) for each in self.events]
        return cpu(lambda: [decide(self.program, account, event) for account, event in pairs])


def rows(quick: bool) -> list[Row]:
    """The one row."""
    members, rounds = 250, 7 if quick else 15
    few, many = Shop(FEW, members), Shop(MANY, members)
    if msgpack.encode(few.decided()) != msgpack.encode(many.decided()):
        raise AssertionError("offers that nobody has loaded change what is decided")
    ours, theirs = in_turns(rounds, many.work, few.work)
    ratio = ratios(ours, theirs)
    scale = 1e6 / len(few.events)
    return [
        Row(
            f"offers: a grocer basket, {MANY:,} offers",
            Spread.of(ours).times(scale),
            "µs",
            f"≤ {GOAL:.0f} times as long as with {FEW} offers",
            ratio.middle <= GOAL,
            f"the same with {FEW} offers",
            Spread.of(theirs).times(scale),
            ratio,
            "times as long",
            [
                f"{len(few.events):,} purchases, {LOADED} offers loaded by each member,"
                f" {rounds} rounds",
                f"reading and compiling the program: {many.began:.1f} s, {few.began:.2f} s with"
                f" {FEW} offers",
            ],
        )
    ]
