"""The crowd: people who shop, return, save, forget and come late, drawn from one seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import structs

from kantis.core import calendar
from kantis.core.calendar import DAY_MS, MINUTE_MS
from kantis.core.events import (
    Activity,
    Adjust,
    Body,
    Cancel,
    Capture,
    CarriedLot,
    CarriedTier,
    CarriedVoucher,
    Carry,
    Choose,
    Claim,
    Confirm,
    Enrol,
    Event,
    Know,
    Line,
    Load,
    Purchase,
    Redeem,
    Refund,
    Release,
    Tick,
    Transfer,
    Use,
    Void,
)
from tests.simulation.world import EDITS, Machine, Step, dice

START = calendar.instant("2021-01-04T08:00:00Z")
LEAP = calendar.instant("2020-02-29T16:00:00Z")
LATE = {"market": 40, "hotel": 30, "grocer": 30, "corner-cafe": 30}

#: product, category or department, brand, tags, the price of one in minor units
GOODS: dict[str, list[tuple[str, str, str, tuple[str, ...], int]]] = {
    "market": [
        ("apple", "fresh", "own", (), 210),
        ("fish", "fresh", "sea", (), 1150),
        ("bun", "bakery", "own", (), 135),
        ("cake", "bakery", "fine", (), 890),
        ("card", "gift-card", "own", (), 2500),
        ("soap", "home", "own", (), 333),
        ("lamp", "home", "fine", (), 4999),
    ],
    "hotel": [
        ("steak", "dining", "", (), 2750),
        ("soup", "dining", "", (), 895),
        ("massage", "spa", "", (), 6400),
        ("beer", "bar", "", (), 780),
        ("city tax", "tax", "", (), 350),
    ],
    "grocer": [
        ("apple", "PRODUCE", "Private", (), 245),
        ("steak", "MEAT", "National", ("coupon",), 1899),
        ("salmon", "SEAFOOD", "Private", (), 2450),
        ("cereal", "GROCERY", "Private", ("coupon",), 499),
        ("feast", "DELI", "National", (), 9100),
        ("petrol", "FUEL", "National", ("fuel",), 4200),
        ("gas", "GROCERY", "National", ("fuel",), 3100),
        ("voucher", "GROCERY", "National", ("gift-card",), 5000),
        ("stamps", "MISCELLANEOUS", "National", (), 900),
    ],
    "corner-cafe": [
        ("latte", "coffee", "", (), 380),
        ("espresso", "coffee", "", ("own-cup",), 240),
        ("filter", "coffee", "", ("own-cup", "refill"), 200),
        ("bun", "bakery", "", (), 310),
    ],
}

#: how often each kind of thing happens
WEIGHTS: dict[str, dict[str, int]] = {
    "market": {
        "purchase": 420,
        "refund": 110,
        "redeem": 90,
        "finish": 50,
        "cancel": 30,
        "activity": 45,
        "load": 40,
        "know": 25,
        "adjust": 20,
        "transfer": 25,
        "carry": 8,
        "group": 45,
        "use": 20,
        "alone": 10,
        "tick": 15,
        "advance": 30,
        "restart": 3,
        "nonsense": 12,
    },
}
WEIGHTS["hotel"] = WEIGHTS["market"] | {"activity": 170, "choose": 25, "load": 1, "alone": 0}
WEIGHTS["grocer"] = WEIGHTS["market"] | {"activity": 0, "group": 0, "alone": 0}
WEIGHTS["corner-cafe"] = WEIGHTS["market"] | {
    "activity": 0, "group": 0, "load": 0, "know": 5, "redeem": 30, "use": 60, "alone": 0,
}  # fmt: skip
BALANCES = {
    "market": ("points", "points", "stars", "tokens"),
    "hotel": ("miles", "miles", "cash"),
    "grocer": ("points",),
    "corner-cafe": ("stamps",),
}
REWARDS = {
    "market": ("gift", "gift", "mug", "pay", "pay", "treat", "nothing"),
    "hotel": ("suite", "credit", "nothing"),
    "grocer": ("money-off", "money-off", "nothing"),
    "corner-cafe": ("free-drink", "nothing"),
}


class Crowd:
    """Draws the steps of a run, looking at the machine to aim well."""

    def __init__(self, seed: int, machine: Machine, members: int = 9) -> None:
        self.dice = dice(seed)
        self.machine, self.name = machine, machine.name
        self.members = members
        self.now = START + self.dice.randrange(0, 120 * DAY_MS)
        if seed % 5 == 1:
            self.now = LEAP
        self.number = 0
        self.bought: list[tuple[int, Event]] = []
        self.redeemed: list[tuple[int, Event]] = []
        self.groups: list[tuple[int, str]] = []
        self.receipts: list[tuple[str, int]] = []
        self.transit: list[tuple[int, Body]] = []
        self.last: list[Step] = []
        self.publishes = self.dice.randrange(100, 800) if self.name in EDITS else -1

    def step(self) -> Step:
        """The next thing that happens."""
        self.number += 1
        self.pass_time()
        if self.number == self.publishes:
            return Step("publish", self.now, cuts=(self.since(),))
        if self.transit and self.dice.random() < 0.5:
            number, body = self.transit.pop(0)
            event = self.event(number, body, late=False, source="desk")
            return Step("event", self.now, number, event)
        kinds = WEIGHTS[self.name]
        kind = self.dice.choices(list(kinds), list(kinds.values()))[0]
        number = self.member()
        if kind == "restart":
            return Step("restart", self.now)
        if kind == "advance":
            return self.advance(number)
        draw: Callable[[int], tuple[int, Body] | None] = getattr(self, kind)
        found = draw(number) or (number, self.buy())
        number, body = found
        event = self.event(number, body)
        if isinstance(body, Purchase):
            if kind == "alone":
                event = structs.replace(event, subject="")
                return Step("alone", self.now, event=event)
            self.bought.append((number, event))
            if body.group:
                self.groups.append((number, body.group))
        if isinstance(body, Activity):
            self.bought.append((number, event))
        if isinstance(body, Redeem):
            self.redeemed.append((number, event))
        return Step("event", self.now, number, event)

    def pass_time(self) -> None:
        chance = self.dice.random()
        if chance < 0.45:
            gap = self.dice.randrange(1, 90 * MINUTE_MS)
        elif chance < 0.90:
            gap = self.dice.randrange(0, DAY_MS)
        elif chance < 0.99:
            gap = self.dice.randrange(DAY_MS, 4 * DAY_MS)
        elif chance < 0.9985:
            gap = self.dice.randrange(8 * DAY_MS, 60 * DAY_MS)
        else:
            gap = self.dice.randrange(100 * DAY_MS, 500 * DAY_MS)
        self.now += gap

    def since(self) -> int:
        """When a new version begins: soon, at midnight, or with a month."""
        days = self.machine.program.calendar
        day = days.day(self.now)
        chance = self.dice.random()
        if chance < 0.3:
            return self.now + self.dice.randrange(1, 10 * DAY_MS)
        if chance < 0.6:
            return days.start(day + self.dice.randrange(1, 30))
        return days.start(calendar.window_end("month", day))

    def member(self) -> int:
        """Some come often, some rarely."""
        return int(self.members * self.dice.random() ** 1.7) + 1

    def event(self, number: int, body: Body, *, late: bool = True, source: str = "till") -> Event:
        chance, time = self.dice.random(), self.now
        if late and chance < 0.10:
            time -= self.dice.randrange(0, LATE[self.name] * DAY_MS)
        elif late and chance < 0.35:
            time -= self.dice.randrange(0, 20_000)
        elif late and chance < 0.36:
            time += self.dice.randrange(0, 2 * MINUTE_MS)
        ask = late and self.dice.random() < 0.5
        return Event(source, f"e{self.number}", time, f"card:{number}", body, self.now, ask)

    def advance(self, number: int) -> Step:
        """Time for one account: all at once, and in several cuts."""
        far = self.dice.choice((DAY_MS, 20 * DAY_MS, 20 * DAY_MS, 200 * DAY_MS))
        until = self.now + self.dice.randrange(1, far)
        cuts = sorted(
            self.dice.randrange(self.now, until + 1) for _ in range(self.dice.randint(1, 4))
        )
        return Step("advance", self.now, number, cuts=(*cuts, until))

    # ── what people do ───────────────────────────────────────────────────────

    def buy(self) -> Purchase:
        lines = []
        for number in range(self.dice.choice((1, 1, 2, 2, 3, 4))):
            product, kind, brand, tags, price = self.dice.choice(GOODS[self.name])
            quantity = self.dice.choice((1, 1, 1, 2, 3, 5))
            amount = price * quantity
            if self.dice.random() < 0.2:
                amount = self.dice.choice((0, 1, amount // 2, amount + self.dice.randrange(1, 99)))
            if self.dice.random() < 0.02:
                quantity = 0
            department = kind if self.name in ("grocer", "hotel") else ""
            category = "" if department else kind
            lines.append(
                Line(f"l{number}", product, quantity, amount, category, brand, department, tags)
            )
        values: dict[str, Any] = {}
        if self.name == "market":
            if self.dice.random() < 0.2:
                values["channel"] = "app"
            if self.dice.random() < 0.8:
                values["group"] = f"g{self.number}"
            if self.dice.random() < 0.06:
                values["points"] = {"pay": self.dice.choice((5, 20, 40, 100))}
        return Purchase(tuple(lines), **values)

    def purchase(self, number: int) -> tuple[int, Body]:
        body = self.buy()
        codes = self.codes(number)
        if codes and self.dice.random() < 0.05:
            body = Purchase(
                body.lines, channel=body.channel, group=body.group, points=body.points,
                vouchers=(self.dice.choice(codes),),
            )  # fmt: skip
        return number, body

    def codes(self, number: int) -> list[str]:
        account = self.machine.accounts.get(number)
        return list(account.vouchers) if account is not None else []

    def recent(self, what: list[tuple[int, Event]]) -> tuple[int, Event] | None:
        """Mostly one of the last, sometimes any."""
        if not what:
            return None
        if self.dice.random() < 0.8:
            return self.dice.choice(what[-12:])
        return self.dice.choice(what)

    def refund(self, number: int) -> tuple[int, Body] | None:
        found = self.recent(self.bought)
        if found is None:
            return None
        number, event = found
        if isinstance(event.body, Activity):
            some = ((event.body.name, self.dice.randint(1, 4)),)
            back = (Cancel(event.id), Refund(event.id), Refund(event.id, some))
            return number, self.dice.choice(back)
        assert isinstance(event.body, Purchase)
        if self.dice.random() < 0.4:
            return number, Refund(event.id)
        lines = self.dice.sample(event.body.lines, self.dice.randint(1, len(event.body.lines)))
        some = tuple((x.id, self.dice.randint(1, max(1, x.quantity))) for x in lines)
        return number, Refund(event.id, some)

    def redeem(self, number: int) -> tuple[int, Body]:
        reward = self.dice.choice(REWARDS[self.name])
        basket = points = 0
        if reward in ("pay", "money-off", "credit", "treat") and self.dice.random() < 0.7:
            basket = self.dice.randrange(1, 5000)
        if reward in ("pay", "money-off", "credit") and self.dice.random() < 0.5:
            points = self.dice.choice((5, 20, 50, 55, 100, 200, 300, basket))
        if reward == "treat" and self.dice.random() < 0.5:
            points = self.dice.choice((20, 50))
        return number, Redeem(reward, basket, points, hold=self.dice.random() < 0.35)

    def finish(self, number: int) -> tuple[int, Body] | None:
        held = [each for each in self.redeemed[-30:] if each[1].body.hold]  # type: ignore[union-attr]
        if not held:
            return None
        number, event = self.dice.choice(held)
        return number, (Capture if self.dice.random() < 0.6 else Release)(event.id)

    def cancel(self, number: int) -> tuple[int, Body] | None:
        young = [each for each in self.redeemed if self.now - each[1].time < 300 * DAY_MS]
        found = self.recent(young)
        return (found[0], Cancel(found[1].id)) if found is not None else None

    def activity(self, number: int) -> tuple[int, Body]:
        name = "night" if self.name == "hotel" else self.dice.choice(("survey", "trip", "other"))
        group = ""
        if name in ("night", "trip"):
            group = f"s{number}-{self.number // 40}" if self.dice.random() < 0.8 else ""
            if group:
                self.groups.append((number, group))
        return number, Activity(
            name, self.dice.randint(1, 4), self.dice.randrange(0, 40_000), group
        )

    def group(self, number: int) -> tuple[int, Body] | None:
        if not self.groups:
            return None
        number, group = self.dice.choice(self.groups[-15:])
        return number, (Confirm if self.dice.random() < 0.7 else Void)(group)

    def load(self, number: int) -> tuple[int, Body]:
        offers = {
            "market": ("coupon", "double", "discount"),
            "grocer": ("coupon-a", "coupon-b", "coupon-c"),
        }
        return number, Load(self.dice.choice((*offers.get(self.name, ()), "other")))

    def choose(self, number: int) -> tuple[int, Body]:
        return number, Choose("treat", self.dice.choice(("spa", "spa", "bar", "other")))

    def know(self, number: int) -> tuple[int, Body]:
        if self.dice.random() < 0.2:
            date = f"19{self.dice.randint(50, 99)}-{self.dice.randint(1, 12):02}-"
            return number, Know("birthday", f"{date}{self.dice.randint(1, 28):02}")
        return number, Know("segment club", self.dice.choice(("yes", "yes", "no")))

    def adjust(self, number: int) -> tuple[int, Body]:
        amount = self.dice.choice((-200, -30, -5, 0, 5, 30, 120))
        return number, Adjust(self.dice.choice(BALANCES[self.name]), amount, "a talk at the till")

    def transfer(self, number: int) -> tuple[int, Body]:
        name = self.dice.choice(BALANCES[self.name])
        account = self.machine.accounts.get(number)
        there = account.purse.get(name, [0])[0] if account is not None else 0
        amount = self.dice.choice((there, max(1, there // 2), there + 1, 5))
        return number, Transfer(name, amount, f"card:{self.member()}")

    def carry(self, number: int) -> tuple[int, Body]:
        """What comes from another product: lots, a tier, counters, a voucher."""
        today = self.machine.program.calendar.day(self.now)
        lots = []
        for _ in range(self.dice.randint(1, 3)):
            earned = today - self.dice.randrange(0, 50)
            expires = self.dice.choice((0, 0, today + self.dice.randrange(-5, 80)))
            opens = self.now + self.dice.choice((0, 0, -DAY_MS, 5 * DAY_MS))
            name = self.dice.choice(BALANCES[self.name])
            waits = opens if opens != self.now else 0
            lots.append(CarriedLot(name, self.dice.randrange(1, 90), earned, expires, waits))
        tiers: tuple[CarriedTier, ...] = ()
        if self.name in ("market", "hotel"):
            until = today + self.dice.randrange(1, 100)
            level = self.dice.choice(("silver", "gold"))
            tiers = (CarriedTier("status", level, today - self.dice.randrange(0, 60), until),)
        counters = (("spend", today, 5_000),) if self.name in ("market", "hotel") else ()
        kind = {"market": "gift", "hotel": "night", "grocer": "quarter"}.get(
            self.name, "free-drink"
        )
        voucher = CarriedVoucher(
            f"old-{self.number}", kind, 300, today + self.dice.randrange(0, 60)
        )
        return number, Carry("opening", tuple(lots), tiers, counters, (voucher,))

    def use(self, number: int) -> tuple[int, Body]:
        codes = self.codes(number)
        return number, Use(self.dice.choice(codes) if codes else "none")

    def alone(self, number: int) -> tuple[int, Body]:
        """A purchase without a member, or somebody who claims one."""
        late = LATE[self.name] * DAY_MS
        fresh = [r for r, time in self.receipts[-5:] if self.now - time < late // 2]
        if fresh and self.dice.random() < 0.6:
            receipt = self.dice.choice(fresh)
            if receipt in self.machine.alone:
                self.bought.append((number, self.machine.alone[receipt]))
            return number, Claim(receipt)
        receipt = f"r{self.number}"
        self.receipts.append((receipt, self.now))
        return number, Purchase(self.buy().lines, receipt=receipt, group=f"g{self.number}")

    def tick(self, number: int) -> tuple[int, Body]:
        return number, Tick()

    def nonsense(self, number: int) -> tuple[int, Body]:
        """What no program can do anything with."""
        line = Line("l1", "x", 1, -500, "fresh")
        bodies: list[Body] = [
            Purchase((line,)),
            Refund("never was"),
            Refund(self.bought[0][1].id, (("l9", 1),)) if self.bought else Tick(),
            Capture("never was"),
            Cancel("never was"),
            Use("never was"),
            Confirm("never was"),
            Transfer(BALANCES[self.name][0], -5, "card:1"),
            Enrol((("segment club", "yes"),)),
        ]
        return number, self.dice.choice(bodies)
