"""Order: who acts on which event, and what time does by itself, in which order.

This is where features meet. ``PURCHASE`` is the order of the steps of a purchase (a
program may change it), ``HANDLERS`` says who answers an event, ``CLOCKWORK`` what happens
when time passes. Reading these tables is reading the system.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import structs

from kantis.core import calendar
from kantis.core.events import (
    Activity,
    Arrived,
    Body,
    Choose,
    Claim,
    Enrol,
    Exchange,
    Know,
    Load,
    Purchase,
    Redeem,
    Refer,
    Referred,
    Tick,
    Use,
)
from kantis.core.lots import take
from kantis.core.places import REDEEMED, VOUCHER
from kantis.core.turn import Refused, Turn
from kantis.engine import (
    birthdays,
    budgets,
    carry,
    forget,
    groups,
    members,
    merging,
    outward,
    paying,
    periods,
    progress,
    reverse,
    sharing,
    waking,
)
from kantis.engine.plan import Plan
from kantis.features import (
    balances,
    choices,
    counters,
    cycles,
    households,
    offers,
    partners,
    rewards,
    tiers,
    vouchers,
)

#: What an account remembers of its joining: nobody is welcomed twice, whoever says so again.
WELCOME: Final = "on joining"
#: So many rewards of one kind come by themselves at once; more are no gift but a mistake.
AT_ONCE: Final = 1_000
#: What has no lines, no amount and no items, and counts once: quantity, amount, items.
_ONCE = (1, 0, 0)


def _purchase(plan: Plan, turn: Turn, body: Purchase) -> None:
    if turn.member:
        _known(turn)
    if body.points or body.vouchers:
        _act(plan, turn, "purchase", "paid", body.lines, paying.paid(plan, turn, body))
    elif turn.trace is None:
        plan.purchase(turn, body.lines)
    else:
        _act(plan, turn, "purchase", "lines", body.lines)
    if plan.plans.uses and turn.decision.effects:
        members.uses(plan, turn)
    if plan.clocked:
        _signs(plan, turn, "purchase")


def _act(plan: Plan, turn: Turn, event: str, given: str, *what: Any) -> None:
    plan.act(event, given, turn.trace is not None)(turn, *what)


def _known(turn: Turn) -> None:
    """A member whom nobody knows refuses an ask; of a tell the lead gets it, with a flag."""
    try:
        households.known(turn)
    except Refused as refused:
        paying.or_flag(turn, refused)


def rewards_by_itself(plan: Plan, turn: Turn) -> None:
    """Rewards that come by themselves, whatever brought the points.

    Where more than ``AT_ONCE`` of one would come, none does: an amount that was typed wrong
    makes no million vouchers. The points stay, and a person is to look.
    """
    number = 0
    for reward, times in rewards.by_itself(plan.rewards, turn, plan.windows, plan.own_counters):
        if reward.cost is None:
            _grant(plan, turn, reward)
            continue
        balance = plan.balances[reward.cost.unit]
        kind = reward.gives.voucher
        if times > AT_ONCE:
            turn.flag("many-at-once")
            continue
        for _ in range(times):
            number += 1
            points = reward.cost.amount
            take(turn, balance, points, VOUCHER if kind else REDEEMED, rewards.REASON)
            if kind:
                vouchers.issue(
                    plan.vouchers,
                    turn,
                    kind,
                    worth=reward.gives.money,
                    balance=balance.name,
                    points=points,
                    number=number,
                )


def _grant(plan: Plan, turn: Turn, reward: rewards.RewardSection) -> None:
    """A reward that costs nothing: a milestone, or one of an occasion."""
    turn.decision.fired.append((reward.name, "", 0, 0, 0, 0))
    if reward.gives.voucher:
        vouchers.issue(
            plan.vouchers,
            turn,
            reward.gives.voucher,
            worth=reward.gives.money,
            balance="",
            points=0,
            number=1,
        )
    else:
        turn.notice("reward", reward.name)


def _occasion(plan: Plan, turn: Turn, occasion: str) -> None:
    for reward in rewards.on_occasion(plan.rewards, turn, occasion):
        _grant(plan, turn, reward)


def _signs(plan: Plan, turn: Turn, sign: str, only: str = "") -> None:
    """Signs of life: the event itself, and earning where something was earned."""
    if not plan.clocked:
        return
    balances.touch(plan.balances, turn, sign, only)
    for name in dict.fromkeys(fact[1] for fact in turn.decision.fired if fact[4] and fact[3] > 0):
        balances.touch(plan.balances, turn, "earning", name)


def _activity(plan: Plan, turn: Turn, body: Activity) -> None:
    if turn.member:
        _known(turn)
    if body.quantity < 0 or body.amount < 0:
        raise Refused("negative-amount", "An activity has no negative quantity.")
    _act(plan, turn, body.name, "deed", body.quantity, body.amount, body.quantity)
    _signs(plan, turn, "activity")


def _redeem(plan: Plan, turn: Turn, body: Redeem) -> None:
    households.may_burn(plan.household, turn)
    reward, points, worth = rewards.redeem(plan.rewards, plan.balances, turn, body)
    balance = plan.balances[rewards.unit_of(reward)]
    if reward.gives.payout:
        outward.pay_out(plan, turn, body, reward, balance, points)
        _signs(plan, turn, "redeeming", balance.name)
        return
    taken = rewards.spend(reward, balance, turn, points, hold=body.hold)
    turn.decision.fired.append((reward.name, balance.name, body.basket, points, 0, worth))
    if worth:
        turn.effect("", reward.name, worth)
    if body.hold:
        length = reward.held_for
        until = turn.at + (
            calendar.DAY_MS
            if length is None
            else length.count * {"minute": 60_000, "hour": 3_600_000}.get(length.unit, 86_400_000)
        )
        turn.change(
            "hold", turn.event.key, reward.name, balance.name, taken, worth, until, body.partner
        )
        turn.wake_at(until)
    elif reward.gives.voucher:
        vouchers.issue(
            plan.vouchers,
            turn,
            reward.gives.voucher,
            worth=worth,
            balance=balance.name,
            points=points,
            number=1,
        )
    if not body.hold:
        rewards.bring_back(reward, balance, turn, points)
    _signs(plan, turn, "redeeming", balance.name)
    members.uses(plan, turn)


def _exchange(plan: Plan, turn: Turn, body: Exchange) -> None:
    partners.exchange(plan.partners, plan.balances, turn, body)
    _signs(plan, turn, "earning" if body.back else "redeeming")


def _use(plan: Plan, turn: Turn, body: Use) -> None:
    vouchers.use(plan.vouchers, turn, body)
    members.uses(plan, turn)


def _load(plan: Plan, turn: Turn, body: Load) -> None:
    budget = plan.budgets.get(body.offer)
    short = budget is not None and budgets.left(budget, turn) < budget.least
    offers.load(plan.offers, turn, body, short=short)


def _choose(plan: Plan, turn: Turn, body: Choose) -> None:
    choices.choose(plan.choices, turn, body)
    if plan.keeps:
        turn.wake_at(turn.at)


def _referred(plan: Plan, turn: Turn, body: Referred) -> None:
    if progress.referred(plan, turn, body):
        _act(plan, turn, "referral", "deed", *_ONCE)


def _old_enough(plan: Plan, turn: Turn, body: Enrol) -> None:
    """``Refused`` for somebody who is known to be too young; nobody has to tell a birthday."""
    born = dict(body.facts).get("birthday") or turn.fact("birthday")
    least = plan.head.least_age
    if not least or born.count("-") != 2:
        return
    age = calendar.years_between(calendar.day(born), turn.day)
    if age < least:
        raise Refused("too-young", f"Members are {least} years old at least, this one is {age}.")


def _enrol(plan: Plan, turn: Turn, body: Enrol) -> None:
    _old_enough(plan, turn, body)
    for name, value in body.facts:
        _learn(plan, turn, name, value)
    account = turn.account  # whoever shares one was welcomed on their own
    if not account.members and WELCOME not in account.cycles:
        turn.change("cycle", WELCOME, turn.day)
        if body.welcome:
            _act(plan, turn, "enrol", "deed", *_ONCE)
            _occasion(plan, turn, WELCOME)
    _signs(plan, turn, "activity")


def _know(plan: Plan, turn: Turn, body: Know) -> None:
    _learn(plan, turn, body.fact, body.value)


def _learn(plan: Plan, turn: Turn, fact: str, value: str) -> None:
    """Something becomes known. A birthday counts from the day on which it is known, or changed."""
    turn.change("know", fact, turn.moment, value)
    if plan.keeps:
        turn.wake_at(turn.at)
    if fact == "birthday":
        if turn.account.cycles.get("birthday", 0) < turn.day - 1:
            turn.change("cycle", "birthday", turn.day - 1)
        if plan.birthdays:
            turn.wake_at(birthdays.following(plan, turn.account))


def _claim(plan: Plan, turn: Turn, body: Claim) -> None:
    found = turn.context.receipts.get(body.receipt)
    if found is None or not isinstance(found.body, Purchase):
        sentence = f"No purchase with the receipt {body.receipt!r} waits for a member."
        raise Refused("unknown-receipt", sentence)
    within, bought = plan.head.claims, turn.calendar.day(found.time)
    if within is not None and (not within.count or balances.later(bought, within) < turn.day):
        raise Refused("claim-too-late", "The time in which this purchase could be claimed is over.")
    turn.decision.cause = found.key
    turn.event = structs.replace(turn.event, body=found.body)
    turn.moment, turn.day = found.time, turn.calendar.day(found.time)
    turn.late = True
    budgets.within(reverse.plan_of(plan, turn, found, found.body), turn, found.body, _purchase)


def _tick(plan: Plan, turn: Turn, body: Tick) -> None:
    """Time passes before every event; nothing is left to do."""


Handler = Callable[[Plan, Turn, Body], None]

#: Who answers which event.
HANDLERS: dict[type, Callable[..., None]] = {
    Purchase: _purchase,
    Activity: _activity,
    Redeem: _redeem,
    Use: _use,
    Load: _load,
    Choose: _choose,
    Refer: progress.refer,
    Referred: _referred,
    Exchange: _exchange,
    Arrived: outward.arrived,
    Enrol: _enrol,
    Know: _know,
    Claim: _claim,
    Tick: _tick,
    **reverse.HANDLERS,
    **groups.HANDLERS,
    **carry.HANDLERS,
    **members.HANDLERS,
    **sharing.HANDLERS,
    **merging.HANDLERS,
}


def clockwork(plan: Plan, turn: Turn) -> None:
    """What time does at an instant, in this order; again until nothing more is due."""
    if waking.wakes(plan, turn.account):
        carry.wake(plan, turn)
    if turn.account.holds:
        reverse.release_overdue(plan, turn)
    if turn.account.plans:
        members.run(plan, turn)
    balances.run(plan.balances, turn)
    if turn.account.forfeits:
        members.expire_forfeited(plan, turn)
    if turn.account.vouchers:
        vouchers.run(turn)
    if plan.earning.periods:
        periods.run(plan.earning, turn)
    if plan.years and counters.run(plan.years, turn):
        for group in plan.tiers:
            if group.section.up == "at once":
                tiers.rise(group, turn)
    if plan.tiers:
        tiers.run(plan.tiers, turn)
        for member in turn.account.members:
            tiers.run(plan.own_tiers, turn.of(member))
    if plan.cycles:
        cycles.run(plan.cycles, plan.balances, turn, outward.makers(plan))
    if plan.birthdays:
        _birthday(plan, turn)
    if turn.decision.postings or turn.decision.changes:
        if rewards.may_come(plan.by_itself, turn.account):
            rewards_by_itself(plan, turn)
        if waking.forgets(turn.account):
            forget.run(plan, turn)


def attribute(plan: Plan, turn: Turn) -> None:
    """At the end of a decision: to which member of a household it counts."""
    if turn.account.members and plan.household is not None:
        households.attribute(plan.household, plan.balances, turn)


def _birthday(plan: Plan, turn: Turn) -> None:
    if birthdays.following(plan, turn.account) <= turn.moment:
        turn.change("cycle", "birthday", turn.day)
        _act(plan, turn, "birthday", "deed", *_ONCE)
        _occasion(plan, turn, "on the birthday")
