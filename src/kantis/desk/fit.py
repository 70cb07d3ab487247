"""Fit: what a program would have cost and brought, had it run over past purchases.

Guarantee: the figures come from the same ``decide`` that runs at the till. What nobody can
know of the past is assumed in one direction and said aloud: every customer joins with the
first purchase, redeems as soon as they can, and uses every voucher with the next purchase, so
cost and reach are the most they can be; nobody comes more often because of it, so what it
brings is not in it. A plan is taken by whoever would have got more than its fees; others are
not reached by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import median_low
from typing import Final

from msgspec import Struct, field, structs

from kantis.core.account import Account
from kantis.core.amounts import divide
from kantis.core.calendar import DAY_MS
from kantis.core.decision import Context, Decision, Entry
from kantis.core.events import Enrol, Event, Purchase, Redeem, Subscribe
from kantis.core.places import AVAILABLE, HELD, PENDING
from kantis.engine.decide import advance, decide
from kantis.engine.program import Program
from kantis.features.rewards import RewardSection, unit_of

#: A customer who comes this often in a year has a use for a loyalty program: a rule of thumb.
VISITS_A_YEAR: Final = 4
#: Fewer days than this say nothing about a year.
DAYS_LEAST: Final = 28

Progress = Callable[[int], None]


class Past(Struct):
    """What a file of purchases says about visits. Money in minor units.

    ``often`` is how many customers came as often as ``VISITS_A_YEAR`` asks for, scaled to
    the days that the file covers; ``item`` is what one item costs on average.
    """

    customers: int = 0
    purchases: int = 0
    without_card: int = 0
    days: int = 0
    sales: int = 0
    items: int = 0
    often: int = 0

    @property
    def visits(self) -> int:
        """Visits of a customer in a year, in tenths."""
        known = self.purchases - self.without_card
        return divide(known * 3650, max(1, self.customers * self.days), "half up")

    @property
    def item(self) -> int:
        """What an item costs on average: what a treat is taken to be worth."""
        return divide(self.sales, max(1, self.items), "half up")

    @property
    def worth_it(self) -> bool:
        """Whether visits justify a program at all, as far as the days can tell."""
        return self.days >= DAYS_LEAST and self.visits >= VISITS_A_YEAR * 10


class Fit(Struct):
    """What one program would have done. Money in minor units, times in days.

    ``cost`` is what members got beyond their fees: money off, and vouchers at the worth of what
    they are good for; ``open`` what they could still claim in the end.
    """

    program: str
    members: int = 0
    reached: int = 0
    visits_to_first: int = 0
    days_to_first: int = 0
    cost: int = 0
    open: int = 0
    sales: int = 0

    @property
    def reach(self) -> int:
        """The share of members who got a reward, in thousandths."""
        return divide(self.reached * 1000, max(1, self.members), "half up")

    @property
    def rate(self) -> int:
        """Cost as a share of sales to members, in thousandths of them."""
        return divide(self.cost * 1000, max(1, self.sales), "half up")


def look_back(events: Iterable[Event]) -> Past:
    """The visits that purchases, in order of time, are made of."""
    past, visits = Past(), dict[str, int]()
    first = last = 0
    for event in events:
        body = event.body
        if not isinstance(body, Purchase):
            continue
        first, last = first or event.time, event.time
        amount = sum(line.amount for line in body.lines)
        past.purchases += 1
        past.sales += amount
        past.items += sum(max(1, line.quantity) for line in body.lines)
        if event.subject:
            visits[event.subject] = visits.get(event.subject, 0) + 1
        else:
            past.without_card += 1
    past.customers = len(visits)
    past.days = (last - first) // DAY_MS + 1 if past.purchases else 0
    past.often = sum(count * 365 >= VISITS_A_YEAR * past.days for count in visits.values())
    return past


class _Member(Struct):
    account: Account
    joined: int
    visits: int = 0
    got: int = 0
    fees: int = 0
    first: tuple[int, int] = (0, 0)
    used: set[str] = field(default_factory=set)

    @property
    def gains(self) -> bool:
        """Whether the program gave the member more than it took."""
        return self.got > self.fees


class Trial:
    """One program over past purchases. Members take ``plans``, or the first that there is."""

    def __init__(self, program: Program, item: int, plans: tuple[str, ...] | None = None) -> None:
        self.program, self.item, self._plans = program, item, plans
        self.fit = Fit(program.name)
        self._members: dict[str, _Member] = {}
        #: what is left of stocks and budgets
        self._limits = program.limits()

    def play(self, events: Iterable[Event], progress: Progress = lambda done: None) -> Fit:
        """Decide all purchases of customers, in order of time."""
        last = 0
        for number, event in enumerate(events, 1):
            if event.subject and isinstance(event.body, Purchase):
                self._visit(event, event.body)
            last = max(last, event.time)
            if not number % 2_000:
                progress(number)
        self._end(last)
        return self.fit

    def _visit(self, event: Event, body: Purchase) -> None:
        event, body = self._at_partner(event, body)
        member = self._members.get(event.subject)
        if member is None:
            number = len(self._members) + 1
            member = self._members[event.subject] = _Member(Account(number), event.time)
            self._decide(member, Event("fit", f"join-{number}", event.time, event.subject, Enrol()))
            first = tuple(self.program.plan(event.time).plans.sections)[:1]
            for plan in first if self._plans is None else self._plans:
                name, body_of = f"plan-{number}", Subscribe(plan)
                self._decide(member, Event("fit", name, event.time, event.subject, body_of))
        member.visits += 1
        amount = sum(line.amount for line in body.lines)
        self.fit.sales += amount
        for entry in advance(self.program, member.account, event.time):
            self._take(member, event, entry)
        self._get(member, event, self._vouchers(member))
        self._redeem(member, event, amount)
        self._decide(member, event)

    def only(self) -> tuple[int, int, Account]:
        """Of the only member: what they got, which fees they paid, and what they have now."""
        (member,) = self._members.values()
        return member.got, member.fees, member.account

    def _vouchers(self, member: _Member) -> int:
        """What the vouchers are worth that can be used now, and were not before."""
        vouchers = member.account.vouchers.items()
        new = [code for code, each in vouchers if each.state == "open" and code not in member.used]
        member.used.update(new)
        return sum(member.account.vouchers[code].worth or self.item for code in new)

    def _at_partner(self, event: Event, body: Purchase) -> tuple[Event, Purchase]:
        """A shop that names no partner is taken to be the first one of a coalition."""
        partners = self.program.plan(event.time).partners
        if not partners or body.partner in partners:
            return event, body
        body = structs.replace(body, partner=next(iter(partners)))
        return structs.replace(event, body=body), body

    def _redeem(self, member: _Member, event: Event, amount: int) -> None:
        """Whatever can be had as money off this purchase is taken."""
        plan = self.program.plan(event.time)
        for reward in plan.rewards.values():
            purse = member.account.purse.get(unit_of(reward))
            if purse is None or not purse[AVAILABLE] or reward.issued != "on request":
                continue
            partner = getattr(event.body, "partner", "")
            ask = Redeem(reward.name, amount, partner=partner)
            name = f"{event.id} {reward.name}"
            had = self._decide(member, Event("fit", name, event.time, event.subject, ask, 0, True))
            if had.refusal is None and reward.gives.thing:
                self._get(member, event, self.item)

    def _decide(self, member: _Member, event: Event) -> Decision:
        entries = decide(self.program, member.account, event, Context(limits=dict(self._limits)))
        for entry in entries:
            self._take(member, event, entry)
            for name, amount in entry.decision.claims:
                self._limits[name] -= amount
        return entries[-1].decision

    def _take(self, member: _Member, event: Event, entry: Entry) -> None:
        """Count the money off and the fees of an entry."""
        self._get(member, event, sum(amount for _, _, amount in entry.decision.effects))
        member.fees += _fees(entry)

    def _get(self, member: _Member, event: Event, worth: int) -> None:
        if worth and not member.got:
            days = (event.time - member.joined) // DAY_MS
            member.first = max(1, member.visits), days
        member.got += worth

    def _end(self, last: int) -> None:
        fit = self.fit
        rewards = [each for each in self.program.plan(last).rewards.values() if unit_of(each)]
        for member in self._members.values():
            member.fees += sum(map(_fees, advance(self.program, member.account, last)))
            fit.open += max((self._open(member.account, each) for each in rewards), default=0)
            fit.open += self._vouchers(member)
        gain = [member for member in self._members.values() if member.gains]
        fit.members, fit.reached = len(self._members), len(gain)
        fit.cost = sum(member.got - member.fees for member in gain)
        if gain:
            fit.visits_to_first = median_low(member.first[0] for member in gain)
            fit.days_to_first = median_low(member.first[1] for member in gain)

    def _open(self, account: Account, reward: RewardSection) -> int:
        """What the points of an account are worth in a reward, the waiting ones too."""
        purse = account.purse.get(unit_of(reward))
        if purse is None:
            return 0
        points = purse[AVAILABLE] + purse[PENDING] + purse[HELD]
        if reward.rate is not None:
            return divide(points * reward.rate.money, reward.rate.points, "down")
        if reward.rungs:
            return max((worth for least, worth, _ in reward.rungs if least <= points), default=0)
        worth = reward.gives.money or self.item
        cost = reward.cost.amount if reward.cost else 0
        return divide(points * worth, cost, "down") if cost else 0


def _fees(entry: Entry) -> int:
    """What the member paid for plans, less what came back."""
    return sum(amount for _, _, amount in entry.decision.fees)


def best(fits: Iterable[Fit], most: int = 50) -> Fit | None:
    """Of the programs that cost at most so many thousandths of sales, the one that gave most
    members a reward; of equal ones, the sooner first reward."""
    fitting = [each for each in fits if each.reached and each.rate <= most]
    return max(fitting, key=lambda each: (each.reach, -each.days_to_first), default=None)
