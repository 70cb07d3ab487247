"""Mix: draws members and events from what a program file itself names.

Products, categories, tags and places of its filters, its activities, offers, rewards,
choices, plans, partners, households and referrals; refunds, late events and silences go with
any program. What is drawn need not make sense: a no is an answer too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kantis.core import events as e
from kantis.core.account import NEVER
from kantis.core.calendar import DAY_MS, MINUTE_MS
from kantis.core.events import Body, Event, Line
from kantis.engine.plan import Plan
from tests.simulation.world import Machine, Step, dice

MEMBERS = 6
SOURCE = "till"
#: What happens, and how often.
WEIGHTS = {
    "purchase": 30,
    "activity": 10,
    "redeem": 8,
    "refund": 8,
    "load": 5,
    "know": 4,
    "choose": 3,
    "use": 3,
    "finish": 3,
    "group": 3,
    "subscribe": 6,
    "enjoy": 2,
    "exchange": 3,
    "move": 3,
    "carry": 2,
    "household": 4,
    "refer": 2,
    "arrived": 2,
    "alone": 2,
    "tick": 2,
}
_OWN = {"purchase", "birthday", "enrol", "year ended"}


class Mix:
    """The dice of a seed, and what a program names."""

    def __init__(self, seed: int, machine: Machine) -> None:
        self.dice, self.machine = dice(seed), machine
        plan = machine.program.newest
        start = max(plan.since, machine.program.calendar.read("2024-03-06T12:00"))
        self.now = start if plan.until == NEVER else min(start, plan.until - 200 * DAY_MS)
        self.number = 0
        self.bought: list[tuple[int, Event]] = []
        self.redeemed: list[tuple[int, str]] = []
        self.groups: list[tuple[int, str]] = []
        self.receipts: list[str] = []
        self.values: dict[str, list[str]] = {}
        for pair in plan.classifier.filters:
            for each in pair:
                for name, values in each.parts if each is not None else ():
                    self.values.setdefault(name, []).extend(values)
        rules = [each.rule for each in plan.earning.by_name.values()]
        asked = [rule.if_ for rule in rules if rule.if_ is not None]
        self.words = {
            name: [word for each in asked for word in getattr(each, name)] + ["", "other"]
            for name in ("tender", "channel", "location", "partner")
        }
        self.words["partner"] += plan.partners
        who = [rule.who for rule in rules if rule.who is not None]
        self.segments = sorted({each for one in who for each in one.segments}) or ["club"]

        has = {
            "load": plan.offers,
            "choose": plan.choices,
            "subscribe": plan.plans.sections,
            "enjoy": plan.entitlements.sections,
            "exchange": plan.partners,
            "household": plan.household,
            "refer": plan.referrals,
            "redeem": plan.rewards,
        }
        #: what the program does not have is rarely asked for
        self.weights = {
            name: weight * 10 if has.get(name, True) else 1 for name, weight in WEIGHTS.items()
        }

    @property
    def plan(self) -> Plan:
        """What is in force now."""
        return self.machine.program.plan(self.now)

    def one(self, of: Any, other: str = "other") -> str:
        """One of some names, now and then another."""
        names = list(of)
        return self.dice.choice(names) if names and self.dice.random() < 0.95 else other

    def step(self) -> Step:
        """The next thing that happens."""
        dice = self.dice
        gaps = (1, MINUTE_MS, 60 * MINUTE_MS, DAY_MS, 5 * DAY_MS, 40 * DAY_MS)
        self.now += dice.randint(1, dice.choices(gaps, (4, 6, 6, 8, 3, 1))[0])
        self.number += 1
        account = dice.randint(1, MEMBERS)
        if self.number <= MEMBERS:
            facts = (("birthday", "1990-03-08"),) if dice.random() < 0.5 else ()
            return self.event(self.number, e.Enrol(facts))
        if dice.random() < 0.12:
            cuts = sorted(self.now + dice.randrange(120 * DAY_MS) for _ in range(3))
            self.now = cuts[-1] if dice.random() < 0.3 else self.now
            return Step("advance", self.now, account, cuts=tuple(cuts))
        draw: Callable[[int], Body] = getattr(
            self, dice.choices(list(self.weights), list(self.weights.values()))[0]
        )
        return self.event(account, draw(account))

    def event(self, account: int, body: Body) -> Step:
        """An event now, or one that comes late."""
        late = self.dice.randrange(9 * DAY_MS) if self.dice.random() < 0.08 else 0
        ask = self.dice.random() < 0.3
        who = f"account:{account}"
        made = Event(SOURCE, f"e{self.number}", self.now - late, who, body, self.now, ask)
        if isinstance(body, e.Purchase | e.Activity):
            self.bought.append((account, made))
            if body.group:
                self.groups.append((account, body.group))
        if isinstance(body, e.Redeem):
            self.redeemed.append((account, made.id))
        return Step("alone" if made.id in self.receipts else "event", self.now, account, made)

    # ── what happens ─────────────────────────────────────────────────────────

    def lines(self) -> tuple[Line, ...]:
        dice, coin = self.dice, 10**self.plan.money.scale
        found = []
        for number in range(dice.randint(1, 5)):
            said = {name: self.one(values) for name, values in self.values.items() if name != "tag"}
            tags = tuple(
                sorted({each for each in self.values.get("tag", ()) if dice.random() < 0.3})
            )
            amount = dice.randrange(dice.choice((9, 120, 900)) * coin)
            found.append(
                Line(
                    f"l{number}",
                    said.pop("product", "thing"),
                    dice.randint(1, 4),
                    amount,
                    **said,  # type: ignore[arg-type]
                    tags=tags,
                    measure=dice.choice((0, 12_500)),
                )
            )
        return tuple(found)

    def purchase(self, number: int) -> Body:
        dice = self.dice
        said = {name: dice.choice(words) for name, words in self.words.items()}
        points = {}
        if self.plan.rewards and dice.random() < 0.15:
            points = {self.one(self.plan.rewards): dice.choice((1, 100, 500, 2500))}
        codes = tuple(self.codes(number)[:1]) if dice.random() < 0.2 else ()
        group = f"g{self.number}" if dice.random() < 0.5 else ""
        return e.Purchase(self.lines(), group=group, points=points or None, vouchers=codes, **said)

    def activity(self, number: int) -> Body:
        plan, dice = self.plan, self.dice
        names = sorted({*plan.earning.by_event, *plan.counters} - _OWN)
        group = f"g{self.number}" if dice.random() < 0.4 else ""
        amount = dice.randrange(500 * 10**plan.money.scale)
        return e.Activity(
            self.one(names), dice.randint(1, 4), amount, group, dice.choice(self.words["partner"])
        )

    def redeem(self, number: int) -> Body:
        dice, coin = self.dice, 10**self.plan.money.scale
        return e.Redeem(
            self.one(self.plan.rewards),
            dice.choice((0, 20 * coin, 300 * coin)),
            dice.choice((0, 0, 100, 1000)),
            hold=dice.random() < 0.3,
            lines=self.lines() if dice.random() < 0.3 else (),
        )

    def finish(self, number: int) -> Body:
        mine = [each for owner, each in self.redeemed if owner == number]
        kind = self.dice.choice((e.Capture, e.Release, e.Cancel))
        return kind(self.dice.choice(mine[-4:]) if mine else "none")

    def refund(self, number: int) -> Body:
        mine = [each for owner, each in self.bought if owner == number]
        if not mine:
            return e.Refund("none")
        event = self.dice.choice(mine[-6:])
        body = event.body
        if isinstance(body, e.Purchase) and self.dice.random() < 0.5:
            line = self.dice.choice(body.lines)
            return e.Refund(event.id, ((line.id, self.dice.randint(1, line.quantity)),))
        return e.Refund(event.id)

    def load(self, number: int) -> Body:
        return e.Load(self.one(self.plan.offers))

    def know(self, number: int) -> Body:
        if self.dice.random() < 0.3:
            month, day = self.dice.randint(1, 12), self.dice.randint(1, 28)
            return e.Know("birthday", f"19{self.dice.randint(50, 99)}-{month:02}-{day:02}")
        return e.Know(f"segment {self.one(self.segments)}", self.dice.choice(("yes", "yes", "no")))

    def choose(self, number: int) -> Body:
        choices = self.plan.choices
        name = self.one(choices)
        options = choices[name].options if name in choices else ()
        return e.Choose(name, self.one(options))

    def codes(self, number: int) -> list[str]:
        account = self.machine.accounts.get(number)
        return [] if account is None else [*account.vouchers]

    def use(self, number: int) -> Body:
        return e.Use(self.one(self.codes(number)), 5000, self.dice.choice(self.words["partner"]))

    def group(self, number: int) -> Body:
        mine = [each for owner, each in self.groups if owner == number]
        kind = self.dice.choice((e.Confirm, e.Confirm, e.Void, e.Forfeit, e.Reinstate))
        return kind(self.dice.choice(mine[-6:]) if mine else "none")

    def enjoy(self, number: int) -> Body:
        return e.Enjoy(self.one(self.plan.entitlements.sections), self.dice.randrange(9000))

    def exchange(self, number: int) -> Body:
        lot = self.dice.choice((100, 250, 400, 500, 1000))
        back = self.dice.random() < 0.4
        return e.Exchange(self.one(self.plan.partners), lot * self.dice.randint(1, 4), back)

    def move(self, number: int) -> Body:
        """Points that are given or taken by hand, or go to another account."""
        name, dice = self.one(self.plan.balances), self.dice
        if dice.random() < 0.6:
            return e.Adjust(name, dice.choice((-200, -5, 30, 400, 9000)), "a talk at the till")
        there = dice.choice([each for each in range(1, MEMBERS + 1) if each != number])
        return e.Transfer(name, dice.choice((5, 50, 600)), f"account:{there}")

    def carry(self, number: int) -> Body:
        day = self.machine.program.calendar.day(self.now)
        name = self.dice.choice(list(self.plan.balances))
        ends = self.dice.choice((0, 0, day + self.dice.randint(1, 90)))
        lot = e.CarriedLot(name, self.dice.randint(1, 900), day - self.dice.randrange(50), ends)
        return e.Carry("opening", (lot,))

    def household(self, number: int) -> Body:
        dice, lead = self.dice, "account:1"
        if dice.random() < 0.6:
            return e.Join("m1") if number == 1 else e.Join(f"m{number}", lead)
        kind = dice.choice((e.Leave, e.Permit))
        return kind(f"m{dice.randint(1, MEMBERS)}")

    def refer(self, number: int) -> Body:
        return e.Refer(self.one(self.plan.referrals), f"account:{self.dice.randint(1, MEMBERS)}")

    def arrived(self, number: int) -> Body:
        amount = self.dice.randint(1, 900)
        return e.Arrived(self.one(self.plan.balances), amount, self.dice.random() < 0.4)

    def alone(self, number: int) -> Body:
        """A purchase without a member, or somebody who claims one."""
        if self.receipts and self.dice.random() < 0.6:
            return e.Claim(f"r-{self.dice.choice(self.receipts[-4:])}")
        self.receipts.append(f"e{self.number}")
        return e.Purchase(self.lines(), receipt=f"r-e{self.number}")

    def tick(self, number: int) -> Body:
        return e.Tick()

    def subscribe(self, number: int) -> Body:
        dice, name = self.dice, self.one(self.plan.plans.sections)
        kind = dice.choice((e.Subscribe, e.Subscribe, e.Unsubscribe, e.Pay, e.Unpaid))
        return kind(name)
