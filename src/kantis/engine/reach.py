"""Reach: what a member could have now, and how far it is to the rest.

Guarantee: what is said to be had is what the event would get now, because the same checks
answer it; nothing is decided, and the account stays as it is. The account has been advanced
to the instant that is asked about.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from kantis.core import windows
from kantis.core.account import Account
from kantis.core.conditions import check_who
from kantis.core.decision import Context
from kantis.core.events import Body, Event, Load, Redeem
from kantis.core.lots import spendable
from kantis.core.phrases import on
from kantis.core.sentences import Amount, Name, No, Phrase, Several, Value
from kantis.core.turn import Refused, Turn, begin
from kantis.engine import budgets
from kantis.engine.explain import words_of
from kantis.engine.plan import Plan
from kantis.engine.program import Program
from kantis.features import households, offers, rewards
from kantis.features.challenges import Challenge, progress
from kantis.features.offers import OfferSection
from kantis.features.rewards import RewardSection
from kantis.features.tiers import TierGroup, earned_level, since_reached

#: How an offer stands with a member.
LOADED: Final = "loaded"
OPEN: Final = "open"
COMING: Final = "coming"
USED_UP: Final = "used up"


class RewardReach(Struct):
    """A reward, seen from an account.

    ``can`` says that it can be had now, for so many ``points``, worth so much ``money``;
    otherwise ``code`` and ``why`` say why not, and ``missing`` how many points there are too
    few. ``left`` is how often the member may still have it, ``stock`` how many there are for
    all (-1: no limit); ``comes`` is by what it comes.
    """

    name: str
    title: dict[str, str]
    gives: Value
    balance: str
    points: int = 0
    money: int = 0
    can: bool = False
    missing: int = 0
    code: str = ""
    why: Value = ""
    left: int = -1
    stock: int = -1
    comes: str = "on request"


class OfferReach(Struct):
    """An offer that is meant for a member: how it stands, and from when until when it is.

    ``since`` and ``until`` are days (0: none is named, ``until`` the first one without it);
    ``loaded`` is the instant of loading, ``left`` how often it can still be used (-1: always).
    """

    name: str
    title: dict[str, str]
    says: Value
    state: str
    since: int = 0
    until: int = 0
    loaded: int = -1
    used: int = 0
    left: int = -1


class ChallengeReach(Struct):
    """A challenge that can still be won: what of its ``goal`` is done, what it gives, and
    ``until`` when (the first day without it; 0: no end).

    ``counts`` is what is counted: ``spend``, ``purchases``, ``items``, ``times``, ``measure``,
    or of a streak its windows (``weeks``).
    """

    name: str
    title: dict[str, str]
    counts: str
    has: int
    goal: int
    until: int
    gives: Value


class Step(Struct):
    """What a counter has, of what a level takes."""

    counter: str
    has: int
    takes: int

    @property
    def missing(self) -> int:
        """How much is still to be counted."""
        return max(0, self.takes - self.has)


class TierReach(Struct):
    """Where a member stands in a tier group, and the ways on.

    ``next`` is the level above (empty: there is none), and ``way`` what it takes: any one of
    the lists, of that all steps. ``until`` is the first day on which the present level is not
    sure (0: no end); ``keep`` is what would keep it beyond, where that can be done now.
    """

    group: str
    level: str
    until: int
    next: str = ""
    way: list[list[Step]] = []
    keep: list[list[Step]] = []


def _asking(
    plan: Plan, account: Account, moment: int, subject: str, body: Body, limits: dict[str, int]
) -> Turn:
    """The turn of an ask that nobody has made."""
    event = Event("", "look", moment, subject, body, moment, True)
    return begin(account, plan.calendar, event, moment, moment, Context({}, {}, limits), plan.at)


def shared_limits(program: Program, account: Account, moment: int) -> list[str]:
    """The shared limits that what is in reach depends on: stocks, and budgets."""
    plan = program.plan_for(account, moment)
    stocks = [f"stock {each.name}" for each in plan.rewards.values() if each.stock]
    return [*stocks, *(each.limit for each in plan.budgets.values())]


def rewards_within(
    program: Program,
    account: Account,
    moment: int,
    subject: str = "",
    basket: int = 0,
    limits: dict[str, int] | None = None,
) -> list[RewardReach]:
    """All rewards: those that can be had first, then by how much is missing."""
    plan = program.plan_for(account, moment)
    found = []
    for reward in plan.rewards.values():
        body = Redeem(reward.name, basket)
        turn = _asking(plan, account, moment, subject, body, limits or {})
        found.append(_reward(plan, turn, reward, body))
    return sorted(found, key=lambda each: (not each.can, bool(each.why), each.missing))


def _reward(plan: Plan, turn: Turn, reward: RewardSection, body: Redeem) -> RewardReach:
    unit = rewards.unit_of(reward)
    found = RewardReach(reward.name, reward.title, _gives(plan, reward), unit)
    if reward.per_member.times:
        had = reward.per_member.had(turn, f"reward {reward.name}")
        found.left = max(0, reward.per_member.times - had)
    if reward.stock:
        found.stock = turn.context.limits.get(f"stock {reward.name}", reward.stock)
    if reward.issued != "on request" or not unit:
        found.comes = reward.issued if reward.issued != "on request" else "by itself"
        if unit and reward.cost is not None:
            found.points = reward.cost.amount
            found.missing = max(0, found.points - spendable(turn, plan.balances[unit]))
        return found
    try:
        households.may_burn(plan.household, turn)
        _, found.points, found.money = rewards.redeem(plan.rewards, plan.balances, turn, body)
        found.can = True
    except Refused as refused:
        found.code = refused.refusal.code
        found.why = No(found.code, refused.refusal.sentence)
        if found.code in ("not-enough", "below-minimum"):
            found.points = fewest(reward)
            found.missing = max(0, found.points - spendable(turn, plan.balances[unit]))
    return found


def fewest(reward: RewardSection) -> int:
    """The fewest points that a reward takes."""
    if reward.cost is not None:
        return reward.cost.amount
    if reward.rungs:
        return reward.rungs[0][0]
    least = max(1, reward.least.amount if reward.least is not None else 1)
    step = reward.step.amount if reward.step is not None else 1
    return -(-least // step) * step


def _gives(plan: Plan, reward: RewardSection) -> Phrase:
    gives = reward.gives
    if gives.voucher:
        kind = plan.vouchers[gives.voucher]
        return Phrase(kind.good_for or gives.voucher)
    if gives.money:
        return Phrase(f"{'up to ' if gives.up_to else ''}{plan.money.show(gives.money)} off")
    return Phrase(gives.thing or gives.payout)


# ── offers ────────────────────────────────────────────────────────────────────


def offers_within(
    program: Program,
    account: Account,
    moment: int,
    subject: str = "",
    limits: dict[str, int] | None = None,
) -> list[OfferReach]:
    """The offers that are meant for a member and are not over, in the order of the program.

    One whose budget is used up is offered to nobody; who has loaded it sees that it is so.
    """
    plan = program.plan_for(account, moment)
    found = []
    for offer in plan.offers.values():
        body = Load(offer.name)
        turn = _asking(plan, account, moment, subject, body, limits or {})
        state = _offer_state(offer, turn, body)
        budget = plan.budgets.get(offer.name)
        if budget is not None and budgets.left(budget, turn) < budget.least:
            state = USED_UP if state in (LOADED, USED_UP) else ""
        if not state:
            continue
        spans = offer.when.spans if offer.when is not None else ()
        has = offers.used(offer, turn)
        found.append(
            OfferReach(
                offer.name,
                offer.title,
                words_of(program, plan, moment, offer.name),
                state,
                next((each.first for each in spans), 0),
                spans[-1].last + 1 if spans and spans[-1].last else 0,
                account.offers.get(offer.name, (-1, 0))[0],
                has,
                max(0, offer.uses.times - has) if offer.uses.times else -1,
            )
        )
    return found


def _offer_state(offer: OfferSection, turn: Turn, body: Load) -> str:
    """How an offer stands; empty where it is over, or for others."""
    spans = offer.when.spans if offer.when is not None else ()
    if spans and spans[-1].last and turn.day > spans[-1].last:
        return ""
    if turn.account.offers.get(offer.name, (-1, 0))[0] >= 0:
        return LOADED
    try:
        offers.check(offer, turn, body)
    except Refused as refused:
        return USED_UP if refused.refusal.code == "offer-used-up" else ""
    return COMING if spans and turn.day < spans[0].first else OPEN


# ── challenges ────────────────────────────────────────────────────────────────


def challenges_within(
    program: Program, account: Account, moment: int, subject: str = ""
) -> list[ChallengeReach]:
    """The challenges that a member can win now, and how far they are."""
    plan = program.plan_for(account, moment)
    turn = _asking(plan, account, moment, subject, Load(""), {})
    found = []
    for challenge in plan.challenges.values():
        section = challenge.section
        streak, window = section.streak, section.counted_in
        has, won = progress(challenge, account, turn.day)
        spans = section.when.spans if section.when is not None else ()
        goal = section.goal.amount if streak is None else streak.count
        meant = section.who is None or not check_who(section.who, turn)
        over = won and (not section.repeats or (streak is None and has >= goal))
        if not meant or over or not on(spans, turn.day):
            continue
        ends = (
            [max(each.last for each in spans) + 1] if all(x.last for x in spans) and spans else []
        )
        if streak is None and (end := windows.end(window, turn.day, account.joined)):
            ends.append(end)
        found.append(
            ChallengeReach(
                challenge.name,
                section.title,
                section.goal.counts if streak is None else f"{streak.window}s",
                min(has, goal),
                goal,
                min(ends, default=0),
                _wins(challenge, plan),
            )
        )
    return found


def _wins(challenge: Challenge, plan: Plan) -> Value:
    """What a challenge gives."""
    section, balance = challenge.section, challenge.balance
    won: list[Value] = []
    if section.give is not None and balance is not None:
        won.append(Amount(balance.unit, section.give.amount))
    if section.voucher:
        won.append(Name(section.voucher, of="vouchers"))
    if section.badge:
        won.append(section.badge)
    return Several(tuple(won))


# ── levels ────────────────────────────────────────────────────────────────────


def tiers_within(
    program: Program, account: Account, moment: int, subject: str = ""
) -> list[TierReach]:
    """Where a member stands in each tier group, and what it takes to rise and to stay."""
    plan = program.plan_for(account, moment)
    return tiers_of(plan, _asking(plan, account, moment, subject, Load(""), {}))


def tiers_of(plan: Plan, turn: Turn) -> list[TierReach]:
    """Where the account of a turn stands in each tier group of a plan."""
    return [_tier(group, turn.own() if group in plan.own_tiers else turn) for group in plan.tiers]


def _tier(group: TierGroup, turn: Turn) -> TierReach:
    standing = turn.standing(group.name)
    level, day = standing.level, turn.day
    found = TierReach(group.name, group.levels[level], standing.until)
    if level + 1 < len(group.levels):
        found.next = group.levels[level + 1]
        found.way = _way(group, turn, level + 1)
    if not level or not standing.until:
        return found
    again = group.section.kept_by == "as much again"
    lasts = group.section.lasts
    extends = again or not lasts.window or lasts.until(day) > standing.until
    if extends and earned_level(group, turn.account, day, again=again) < level:
        found.keep = _way(group, turn, level, again=again)
    return found


def _way(group: TierGroup, turn: Turn, level: int, *, again: bool = False) -> list[list[Step]]:
    """What a level takes: any one of the lists, of that all steps."""
    return [
        [Step(counter, _has(group, turn, counter, again=again), takes) for counter, takes in part]
        for part in group.thresholds[level]
    ]


def _has(group: TierGroup, turn: Turn, counter: str, *, again: bool) -> int:
    account = turn.account
    if again:
        return since_reached(group, account, counter)
    window = group.windows[counter]
    return windows.total(window, account.counters.get(counter), turn.day, account.joined)
