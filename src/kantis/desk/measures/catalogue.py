"""Catalogue: every reward, voucher and offer of a program, what it costs and who has had it.

Guarantee: what was had is counted from the books as the measures are. A cost is what the
program says that one costs, times how often it was had; where it says nothing, it is what was
booked: money off, the worth of vouchers, prices cut, and points given at their worth.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from kantis.core.amounts import divide
from kantis.core.phrases import Quantity
from kantis.desk.measures import counting
from kantis.desk.measures.had import KIND, OFFER, REWARD
from kantis.desk.measures.worth import costs_by_name, worth_of
from kantis.desk.programs import Home
from kantis.engine.plan import Plan
from kantis.engine.reach import fewest
from kantis.features.rewards import RewardSection, unit_of
from kantis.store import tallies
from kantis.store.reading import Reading

#: How far back it is looked, in days with today.
SPANS: Final = (30, 90, 365)
#: Whoever has so much of the points that it takes has it nearly within reach: three of four.
NEARLY: Final = (3, 4)


class Item(Struct):
    """A reward, a voucher or an offer.

    Amounts of money are minor units. ``times`` and ``members`` are of each span; ``cost`` is
    that of all times, or none where it is counted at the voucher ``via``. ``can`` members have
    the ``points`` that it takes, ``near`` nearly so; other conditions are not looked at.
    """

    what: str
    name: str
    title: dict[str, str]
    worth: int | None
    costs_us: int | None
    times: list[int] = field(default_factory=lambda: [0] * len(SPANS))
    members: list[int] = field(default_factory=lambda: [0] * len(SPANS))
    ever: int = 0
    cost: int | None = 0
    via: str = ""
    balance: str = ""
    points: int = 0
    can: int | None = None
    near: int | None = None

    @property
    def each(self) -> int | None:
        """What one has cost, rounded half up."""
        if self.cost is None or self.ever <= 0:
            return None
        return divide(self.cost, self.ever, "half up")


class Catalogue(Struct):
    """All items, and of how many members ``can`` and ``near`` are."""

    items: list[Item]
    members: int


def catalogue(books: Reading, home: Home, now: int) -> Catalogue:
    """What a program gives at an instant, and what became of it until then."""
    plan: Plan = home.program.plan(now)
    today = home.program.calendar.day(now)
    booked = Booked(books, home.number)
    items = [*_rewards(plan, booked), *_vouchers(plan, booked), *_offers(plan, booked)]
    members = books.one("SELECT count(*) FROM account WHERE program = ?", (home.number,))
    for position, days in enumerate(SPANS):
        since = today - days + 1
        had = _times(books, home.number, since)
        havers = tallies.havers(books, home.number, since)
        for item in items:
            item.times[position] = had.get(f"{item.what} {item.name}", 0)
            item.members[position] = havers.get(f"{item.what} {item.name}", 0)
    for item in items:
        if item.points and item.balance:
            item.can, item.near = _within(books, home.number, item)
    return Catalogue(items, members)


class Booked:
    """What the tallies of a program add up to, from one day (the first) to another."""

    def __init__(self, books: Reading, program: int, since: int = 0, until: int = 1 << 40) -> None:
        self._sums: dict[tuple[str, str, str], tuple[int, int]] = {}
        kinds = counting.HAD, counting.GAVE, counting.LESS, counting.VOUCHERS
        found = books.rows(
            "SELECT what, name, part, sum(count), sum(amount) FROM tally WHERE program = ? "
            "AND day >= ? AND day < ? AND what IN (?, ?, ?, ?) GROUP BY what, name, part",
            (program, since, until, *kinds),
        )
        for what, name, part, count, amount in found:
            self._sums[what, name, part] = int(count), int(amount)

    def had(self, what: str, name: str) -> int:
        """How often something was had."""
        wanted = counting.HAD, f"{what} {name}"
        return sum(count for key, (count, _) in self._sums.items() if key[:2] == wanted)

    def points(self, kind: str, name: str) -> dict[str, int]:
        """The points of each balance that something took or gave."""
        wanted = kind, name
        return {key[2]: amount for key, (_, amount) in self._sums.items() if key[:2] == wanted}

    def amount(self, kind: str, name: str, part: str = "") -> int:
        """An amount of money."""
        return self._sums.get((kind, name, part), (0, 0))[1]

    # ── what it cost ─────────────────────────────────────────────────────────

    def of_reward(self, reward: RewardSection) -> int | None:
        """What a reward cost; none where that is counted at its voucher."""
        if reward.gives.voucher:
            return None
        times = self.had(REWARD, reward.name)
        if reward.costs_us is not None and costs_by_name(reward):
            return reward.costs_us.amount * times
        points = sum(self.points(counting.HAD, f"{REWARD} {reward.name}").values())
        return money_for(reward, points, times)

    def of_voucher(self, name: str, costs_us: Quantity | None) -> int:
        """What the vouchers of a kind cost that were used."""
        if costs_us is not None:
            return costs_us.amount * self.had(KIND, name)
        return self.amount(counting.VOUCHERS, name, "used")

    def of_offer(self, plan: Plan, name: str, costs_us: Quantity | None) -> int:
        """What an offer cost: prices cut, and points given at their worth."""
        if costs_us is not None:
            return costs_us.amount * self.had(OFFER, name)
        given = self.points(counting.GAVE, name)
        worth = sum(worth_of(plan, balance, max(0, n)) for balance, n in given.items())
        return self.amount(counting.LESS, name) + worth


def money_for(reward: RewardSection, points: int, times: int) -> int:
    """The money off that so many points have brought at this reward, as far as it is known: of a
    table of rungs it is that of the best rung, and 0 of a thing.

    >>> from kantis.core.rates import Worth
    >>> money_for(RewardSection(name="off", rate=Worth(100, 10, "points")), 25, 2)
    250
    """
    if reward.rate is not None:
        return points * reward.rate.money // reward.rate.points
    if reward.rungs:
        return max(points * worth // least for least, worth, _ in reward.rungs)
    return reward.gives.money * times


def _rewards(plan: Plan, booked: Booked) -> list[Item]:
    items = []
    for reward in plan.rewards.values():
        item = _item(REWARD, reward.name, reward.title, reward.worth, reward.costs_us)
        item.ever = booked.had(REWARD, reward.name)
        item.cost, item.via = booked.of_reward(reward), reward.gives.voucher
        item.balance = unit_of(reward)
        item.points = fewest(reward) if item.balance else 0
        if item.worth is None and reward.gives.money and not reward.gives.up_to:
            item.worth = reward.gives.money
        items.append(item)
    return items


def _vouchers(plan: Plan, booked: Booked) -> list[Item]:
    items = []
    for kind in plan.vouchers.values():
        item = _item(KIND, kind.name, kind.title, kind.worth, kind.costs_us)
        item.ever = booked.had(KIND, kind.name)
        item.cost = booked.of_voucher(kind.name, kind.costs_us)
        items.append(item)
    return items


def _offers(plan: Plan, booked: Booked) -> list[Item]:
    items = []
    for offer in plan.offers.values():
        item = _item(OFFER, offer.name, offer.title, offer.worth, offer.costs_us)
        item.ever = booked.had(OFFER, offer.name)
        item.cost = booked.of_offer(plan, offer.name, offer.costs_us)
        items.append(item)
    return items


def _item(
    what: str, name: str, title: dict[str, str], worth: Quantity | None, costs: Quantity | None
) -> Item:
    found = Item(what, name, title, None, None)
    if worth is not None:
        found.worth = worth.amount
    if costs is not None:
        found.costs_us = costs.amount
    return found


def _times(books: Reading, program: int, since: int) -> dict[str, int]:
    """How often each thing was had from a day on."""
    found = books.rows(
        "SELECT name, sum(count) FROM tally WHERE program = ? AND day >= ? AND what = ? "
        "GROUP BY name",
        (program, since, counting.HAD),
    )
    return {name: int(count) for name, count in found}


def _within(books: Reading, program: int, item: Item) -> tuple[int, int]:
    """How many members have the points that it takes, and how many nearly do."""
    part, whole = NEARLY
    can, near = books.rows(
        "SELECT coalesce(sum(CASE WHEN b.available >= ? THEN 1 ELSE 0 END), 0), "
        "coalesce(sum(CASE WHEN b.available < ? AND b.available * ? >= ? THEN 1 ELSE 0 END), 0) "
        "FROM balance b JOIN account a ON a.id = b.account WHERE b.balance = ? AND a.program = ?",
        (item.points, item.points, whole, item.points * part, item.balance, program),
    )[0]
    return int(can), int(near)
