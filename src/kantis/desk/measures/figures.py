"""Figures: what a program does, month by month and cohort by cohort, from its tallies.

Guarantee: of each balance and month, what was there at the beginning and what came and went
add up to what is there at its end, and the end of the last month is what stands in the books.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

from kantis.core import places
from kantis.core.calendar import add_months, window_start
from kantis.core.places import MEMBER_PLACES
from kantis.desk.measures import counting
from kantis.desk.measures.answers import Answers, answers
from kantis.desk.measures.counting import OPEN
from kantis.desk.measures.effects import Effect, effects
from kantis.desk.measures.had import OFFER, REWARD
from kantis.desk.measures.worth import costs_by_name, worth_of
from kantis.desk.programs import Home
from kantis.engine.plan import Plan
from kantis.store import tallies
from kantis.store.reading import Reading

#: Where value comes from and goes to, seen from the members; what is not named is elsewhere.
SIDES: Final = {
    places.ISSUED: "earned",
    places.CARRIED: "carried",
    places.TRANSIT: "moved",
    places.ADJUSTED: "adjusted",
    places.REDEEMED: "redeemed",
    places.EXPIRED: "expired",
    places.REVERSED: "reversed",
    places.FORFEITED: "forfeited",
}
ELSEWHERE: Final = "elsewhere"


class Flow(Struct):
    """A balance in a month, over all members: what was there, what came (above zero) and went
    (below zero) by the side of the system, and what is there per place at the end.

    ``activated`` became available, ``turned`` was turned into vouchers, ``spent`` was redeemed
    without one: they stand beside the sum.
    """

    opening: int = 0
    sides: dict[str, int] = field(default_factory=dict)
    purse: list[int] = field(default_factory=lambda: [0] * MEMBER_PLACES)
    activated: int = 0
    turned: int = 0
    spent: int = 0

    @property
    def closing(self) -> int:
        """What is there at the end, in any place of a member; less what they owe."""
        return sum(self.purse)

    @property
    def open(self) -> int:
        """What members have as points, available or not."""
        return sum(self.purse[place] for place in OPEN)

    def take(self, part: str, amount: int) -> None:
        """Count what moved between two places."""
        source, target = map(int, part.split(">"))
        if source < MEMBER_PLACES:
            self.purse[source] -= amount
        if target < MEMBER_PLACES:
            self.purse[target] += amount
        if source >= MEMBER_PLACES > target:
            side = SIDES.get(source, ELSEWHERE)
            self.sides[side] = self.sides.get(side, 0) + amount
        elif target >= MEMBER_PLACES > source:
            side = SIDES.get(target, ELSEWHERE)
            self.sides[side] = self.sides.get(side, 0) - amount
        if (source, target) == (places.PENDING, places.AVAILABLE):
            self.activated += amount
        if source in OPEN and target == places.VOUCHER:
            self.turned += amount
        elif source == places.VOUCHER and target in OPEN:
            self.turned -= amount
        if source in OPEN and target == places.REDEEMED:
            self.spent += amount
        elif source == places.REDEEMED and target in OPEN:
            self.spent -= amount


class Pair(Struct):
    """How many, and how much."""

    count: int = 0
    amount: int = 0

    def add(self, count: int, amount: int) -> None:
        """Count more."""
        self.count += count
        self.amount += amount


class Month(Struct):
    """A calendar month. Amounts of money are minor units."""

    first: int
    joined: int = 0
    members: int = 0
    active: int = 0
    bought: Pair = field(default_factory=Pair)
    alone: Pair = field(default_factory=Pair)
    returned: Pair = field(default_factory=Pair)
    #: purchases of members and those without a card, by channel; what lines cost, by type of
    #: product, of members and without a card
    channels: dict[str, Pair] = field(default_factory=dict)
    alone_channels: dict[str, Pair] = field(default_factory=dict)
    kinds: dict[str, Pair] = field(default_factory=dict)
    alone_kinds: dict[str, Pair] = field(default_factory=dict)
    price_cuts: int = 0
    fees: int = 0
    up: int = 0
    down: int = 0
    vouchers: dict[str, Pair] = field(default_factory=dict)
    open_vouchers: Pair = field(default_factory=Pair)
    flows: dict[str, Flow] = field(default_factory=dict)
    points_liability: int = 0
    points_cost: int = 0
    voucher_cost: int = 0
    #: what the points are worth that offers gave; they cost when they are spent
    offered: int = 0
    #: price cuts by rule, vouchers used by kind; what was had, and the points that it took; the
    #: points that rules gave, by rule and balance
    cuts: dict[str, int] = field(default_factory=dict)
    used: dict[str, Pair] = field(default_factory=dict)
    had: dict[str, int] = field(default_factory=dict)
    took: dict[tuple[str, str], int] = field(default_factory=dict)
    gave: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def sales(self) -> int:
        """What members bought, less what came back."""
        return self.bought.amount - self.returned.amount

    @property
    def liability(self) -> int:
        """What is owed to members at the end of the month."""
        return self.points_liability + self.open_vouchers.amount

    @property
    def cost(self) -> int:
        """What rewards cost: points spent, vouchers used, prices cut."""
        return self.points_cost + self.voucher_cost + self.price_cuts


class Cohort(Struct):
    """Those who joined in a month; ``active`` and ``sales`` by how many months later."""

    first: int
    joined: int = 0
    active: list[int] = field(default_factory=list)
    sales: list[int] = field(default_factory=list)


class Earned(Struct):
    """Points of a balance that were earned in a month, and what of them is used by now."""

    first: int
    balance: str
    earned: int = 0
    spent: int = 0


class Return(Struct):
    """Those who bought for the first time in a month, and after how many days they came again."""

    first: int
    members: int = 0
    days: dict[int, int] = field(default_factory=dict)

    @property
    def again(self) -> int:
        """How many came again."""
        return sum(self.days.values())

    @property
    def median(self) -> int | None:
        """The days after which half of those who came again had come; the lower of two.

        >>> Return(1, 4, {2: 1, 7: 1, 9: 1}).median
        7
        """
        left = (self.again + 1) // 2
        for days in sorted(self.days):
            left -= self.days[days]
            if left <= 0:
                return days
        return None


class Measures(Struct):
    """All figures of a program; ``upto`` is when the last of what is counted was booked."""

    months: list[Month]
    cohorts: list[Cohort]
    earned: list[Earned]
    returns: list[Return]
    effects: list[Effect]
    upto: int
    answers: dict[int, Answers] = field(default_factory=dict)


def measure(books: Reading, home: Home) -> Measures:
    """The figures of a program, from its first month to the last one that is counted."""
    rows = tallies.of_program(books, home.number)
    upto = tallies.tallied(books).upto
    firsts = _months(home, [row[0] for row in rows], upto)
    found = _Found({first: Month(first) for first in firsts})
    for day, what, name, part, count, amount in rows:
        found.take(window_start("month", day), what, name, part, count, amount)
    found.add_up(home)
    months = list(found.months.values())
    cohorts = [_cohort(each, firsts, found.active) for each in months]
    earned, returns = list(found.earned.values()), list(found.returns.values())
    drawn = effects(books, home.number, home.program.calendar)
    said = answers(books, home.number)
    return Measures(months, cohorts, earned, returns, drawn, upto, said)


def _months(home: Home, days: list[int], upto: int) -> list[int]:
    """The first days of all months that have figures."""
    if not days:
        return []
    first, last = window_start("month", min(days)), window_start("month", max(days))
    last = max(last, window_start("month", home.program.calendar.day(upto)))
    found = [first]
    while found[-1] < last:
        found.append(add_months(found[-1], 1))
    return found


def _cohort(month: Month, firsts: list[int], active: dict[tuple[int, int], Pair]) -> Cohort:
    made = Cohort(month.first, month.joined)
    for first in firsts:
        if first >= month.first:
            pair = active.get((month.first, first), Pair())
            made.active.append(pair.count)
            made.sales.append(pair.amount)
    return made


class _Found(Struct):
    """What rows of tallies add up to."""

    months: dict[int, Month]
    active: dict[tuple[int, int], Pair] = field(default_factory=dict)
    earned: dict[tuple[int, str], Earned] = field(default_factory=dict)
    returns: dict[int, Return] = field(default_factory=dict)

    def take(self, first: int, what: str, name: str, part: str, count: int, amount: int) -> None:
        """Count a row into its month; who went without is told beside the budget."""
        if what == counting.MISSED:
            return
        _TAKE[what](self, self.months[first], name, part, Pair(count, amount))

    def add_up(self, home: Home) -> None:
        """What is there at the end of each month, and what it is worth."""
        members, open_ = 0, Pair()
        purses: dict[str, list[int]] = {}
        for month in self.months.values():
            members += month.joined
            month.members = members
            for state, pair in month.vouchers.items():
                sign = 1 if state == "issued" else -1
                open_.add(sign * pair.count, sign * pair.amount)
            month.open_vouchers = Pair(open_.count, open_.amount)
            plan = home.program.plan(home.program.calendar.start(add_months(month.first, 1)) - 1)
            for balance in purses.keys() | month.flows.keys():
                before = purses.get(balance, [0] * MEMBER_PLACES)
                flow = month.flows.setdefault(balance, Flow())
                flow.opening = sum(before)
                flow.purse = [a + b for a, b in zip(before, flow.purse, strict=True)]
                purses[balance] = flow.purse
                month.points_liability += worth_of(plan, balance, flow.open)
                spent = flow.spent - _costed(plan, month, balance)
                month.points_cost += _signed(worth_of(plan, balance, abs(spent)), spent)
            _name_costs(plan, month)
            month.offered = sum(
                _signed(worth_of(plan, balance, abs(points)), points)
                for (rule, balance), points in month.gave.items()
                if rule in plan.offers
            )
            month.flows = dict(sorted(month.flows.items()))

    # ── one of each kind of row ──────────────────────────────────────────────

    def _moved(self, month: Month, name: str, part: str, pair: Pair) -> None:
        month.flows.setdefault(name, Flow()).take(part, pair.amount)

    def _joined(self, month: Month, name: str, part: str, pair: Pair) -> None:
        month.joined += pair.count

    def _bought(self, month: Month, name: str, part: str, pair: Pair) -> None:
        month.bought.add(pair.count, pair.amount)
        month.channels.setdefault(name, Pair()).add(pair.count, pair.amount)

    def _alone(self, month: Month, name: str, part: str, pair: Pair) -> None:
        month.alone.add(pair.count, pair.amount)
        month.alone_channels.setdefault(name, Pair()).add(pair.count, pair.amount)

    def _kinds(self, month: Month, name: str, part: str, pair: Pair) -> None:
        by = month.alone_kinds if part == counting.ALONE else month.kinds
        by.setdefault(name, Pair()).add(pair.count, pair.amount)

    def _returned(self, month: Month, name: str, part: str, pair: Pair) -> None:
        month.returned.add(pair.count, pair.amount)

    def _active(self, month: Month, name: str, part: str, pair: Pair) -> None:
        month.active += pair.count
        self.active[int(name), month.first] = pair

    def _less(self, month: Month, name: str, part: str, pair: Pair) -> None:
        month.cuts[name] = month.cuts.get(name, 0) + pair.amount

    def _fees(self, month: Month, name: str, part: str, pair: Pair) -> None:
        month.fees += pair.amount

    def _levels(self, month: Month, name: str, part: str, pair: Pair) -> None:
        if part == "up":
            month.up += pair.count
        else:
            month.down += pair.count

    def _vouchers(self, month: Month, name: str, part: str, pair: Pair) -> None:
        month.vouchers.setdefault(part, Pair()).add(pair.count, pair.amount)
        if part == "used":
            month.used.setdefault(name, Pair()).add(pair.count, pair.amount)

    def _had(self, month: Month, name: str, part: str, pair: Pair) -> None:
        month.had[name] = month.had.get(name, 0) + pair.count
        month.took[name, part] = month.took.get((name, part), 0) + pair.amount

    def _gave(self, month: Month, name: str, part: str, pair: Pair) -> None:
        month.gave[name, part] = month.gave.get((name, part), 0) + pair.amount

    def _earned(self, month: Month, name: str, part: str, pair: Pair) -> None:
        self._of(month, name).earned += pair.amount

    def _spent(self, month: Month, name: str, part: str, pair: Pair) -> None:
        self._of(month, name).spent += pair.amount

    def _of(self, month: Month, balance: str) -> Earned:
        return self.earned.setdefault((month.first, balance), Earned(month.first, balance))

    def _first(self, month: Month, name: str, part: str, pair: Pair) -> None:
        self.returns.setdefault(month.first, Return(month.first)).members += pair.count

    def _second(self, month: Month, name: str, part: str, pair: Pair) -> None:
        found = self.returns.setdefault(month.first, Return(month.first))
        found.days[int(name)] = found.days.get(int(name), 0) + pair.count


def _costed(plan: Plan, month: Month, balance: str) -> int:
    """Points that were spent on rewards whose cost the program names."""
    return sum(
        month.took.get((f"{REWARD} {each.name}", balance), 0)
        for each in plan.rewards.values()
        if costs_by_name(each)
    )


def _name_costs(plan: Plan, month: Month) -> None:
    """Count what the program says that one costs, and the rest as it was booked."""
    for reward in plan.rewards.values():
        if reward.costs_us is not None and costs_by_name(reward):
            month.points_cost += reward.costs_us.amount * month.had.get(
                f"{REWARD} {reward.name}", 0
            )
    for name, pair in month.used.items():
        kind = plan.vouchers.get(name)
        named = kind is not None and kind.costs_us
        month.voucher_cost += pair.count * named.amount if named else pair.amount
    for name, amount in month.cuts.items():
        offer = plan.offers.get(name)
        named = offer is not None and offer.costs_us
        times = month.had.get(f"{OFFER} {name}", 0)
        month.price_cuts += times * named.amount if named else amount


def _signed(amount: int, like: int) -> int:
    return amount if like >= 0 else -amount


_TAKE: Final[dict[str, Callable[[_Found, Month, str, str, Pair], None]]] = {
    counting.MOVED: _Found._moved,
    counting.JOINED: _Found._joined,
    counting.BOUGHT: _Found._bought,
    counting.ALONE: _Found._alone,
    counting.RETURNED: _Found._returned,
    counting.KINDS: _Found._kinds,
    counting.ACTIVE: _Found._active,
    counting.LESS: _Found._less,
    counting.FEES: _Found._fees,
    counting.LEVELS: _Found._levels,
    counting.VOUCHERS: _Found._vouchers,
    counting.HAD: _Found._had,
    counting.GAVE: _Found._gave,
    counting.EARNED: _Found._earned,
    counting.SPENT: _Found._spent,
    counting.FIRST: _Found._first,
    counting.SECOND: _Found._second,
}
