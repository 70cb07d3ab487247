"""Sharing: members join a household's account, leave it, and stand differently in it.

Guarantee: what leaves one account stands in transit until the other one takes it, and comes
back where the household is full; what comes to the account of somebody who shares another one
reaches that one; a member's own counters and levels move along, and stand in
one account only.
"""

from __future__ import annotations

from typing import Any

from msgspec import structs

from kantis.core import windows
from kantis.core.decision import DESK, follow_up_id
from kantis.core.events import (
    Activity,
    Body,
    Cancel,
    CarriedPlan,
    CarriedTier,
    Carry,
    Confirm,
    Forfeit,
    Join,
    Leave,
    Permit,
    Purchase,
    Redeem,
    Referred,
    Refund,
    Unsubscribe,
    Void,
    named,
)
from kantis.core.turn import Refused, Turn
from kantis.engine.forget import windows_of
from kantis.engine.plan import Plan
from kantis.features import households


def _join(plan: Plan, turn: Turn, body: Join) -> None:
    if not body.into:
        household = households.check_joining(plan.household, turn, body.member)
        _become(plan, turn, household, body.member, "")
        return
    if plan.household is None:
        households.check_joining(None, turn, body.member)
    if turn.account.members or turn.account.away[0]:
        raise Refused("member-already", "Its member shares an account already.")
    account = turn.account
    lots = [(x.id, x.available, x.pending) for x in account.lots.values()]
    taken = households.take_along(turn, [each for each in lots if each[1] or each[2]])
    tiers, counters = take_own(plan, turn)
    home = f"account:{account.id}"
    running = tuple(
        CarriedPlan(each.plan)
        for each in account.plans.values()
        if each.state != "ended" and each.renews
    )
    turn.change("away", body.into, body.member)
    turn.follow(
        body.into,
        Carry("join", tuple(taken), tiers, counters, plans=running, member=body.member, home=home),
    )


def forward(turn: Turn, body: Body) -> bool:
    """Whose member shares another account: what has happened to them goes there.

    An ask is refused, for it wants its answer from that account. Whether it was sent on.
    """
    into, name = turn.account.away
    if isinstance(body, Refund | Cancel):
        original = turn.context.originals.get(named(turn.event, body))
        if original is None or not original.entry.decision.follow_ups:
            return False
        sent = follow_up_id(turn.account.id, original.entry.seq, 0)
        turn.decision.cause = original.event.key
        of_it = Refund(sent, body.lines, DESK, body.reason) if isinstance(body, Refund) else None
        turn.follow(into, of_it or Cancel(sent, body.reason))
        return True
    if not isinstance(body, Purchase | Activity | Redeem | Confirm | Void | Forfeit | Referred):
        return False
    if turn.event.ask or isinstance(body, Redeem):
        raise Refused("in-a-household", f"This member shares an account, as {name!r}.")
    says = isinstance(body, Purchase | Activity)
    turn.follow(into, structs.replace(body, member=name) if says else body)
    return True


def take_own(
    plan: Plan, turn: Turn
) -> tuple[tuple[CarriedTier, ...], tuple[tuple[str, int, int], ...]]:
    """The levels and counters that are a member's own leave the account."""
    account, tiers, counters = turn.account, [], []
    for group in plan.own_tiers:
        standing = account.tiers.get(group.name)
        if standing is None:
            continue
        if standing.level:
            since = turn.calendar.day(standing.since)
            level = group.levels[standing.level]
            tiers.append(CarriedTier(group.name, level, since, standing.until))
        turn.change("untier", group.name)
    for name in sorted(plan.own_counters & set(account.counters)):
        for bucket, amount in list(account.counters[name].items()):
            if amount:
                counters.append((name, bucket, amount))
            turn.change("forget", name, bucket)
    return tuple(tiers), tuple(counters)


def _become(
    plan: Plan, turn: Turn, household: households.HouseholdSection, name: str, home: str
) -> None:
    """Somebody is a member now; the founder's own counters and levels are theirs alone."""
    founds = not turn.account.members
    tiers, counters = take_own(plan, turn) if founds else ((), ())
    households.join(household, plan.balances, turn, name, home)
    bring_own(plan, turn.of(name), tiers, counters)


def bring_own(
    plan: Plan,
    turn: Turn,
    tiers: tuple[CarriedTier, ...],
    counters: tuple[tuple[str, int, int], ...],
) -> None:
    """Levels and counters come to whom the turn is of; of two levels the higher one stays."""
    groups = {group.name: group for group in plan.tiers}
    known = windows_of(plan)
    for tier in tiers:
        group = groups.get(tier.group)
        if group is None or tier.level not in group.levels:
            continue
        level = group.levels.index(tier.level)
        if level <= turn.standing(group.name).level:
            continue
        since = turn.calendar.start(tier.since) if tier.since else turn.moment
        turn.change("tier", group.name, level, since, tier.until, households.REASON)
        if tier.until:
            turn.wake_on(tier.until)
    for name, day, amount in counters:
        window = known.get(name)
        bucket = windows.bucket(window, day or turn.day, turn.account.joined) if window else day
        turn.change("count", name, bucket, amount)


def welcome(plan: Plan, turn: Turn, body: Carry) -> None:
    """Who comes with a carry becomes a member; ``Refused`` where the household is full.

    A plan is the household's: one that the member pays for alone is given up, by its own terms.
    """
    household = households.check_joining(plan.household, turn, body.member)
    if not turn.account.members:
        raise Refused("no-household", "Nobody has founded a household here.")
    _become(plan, turn, household, body.member, body.home)
    for each in body.plans:
        turn.follow(body.home, Unsubscribe(each.plan))


def _leave(plan: Plan, turn: Turn, body: Leave) -> None:
    if plan.household is None:
        raise Refused("no-households", "Members of this program do not share accounts.")
    member = households.check_leaving(turn, body)
    tiers, counters = take_own(plan, turn.of(body.member))
    lots = households.leave(plan.household, plan.balances, turn, body.member)
    carried = Carry("leave", tuple(lots), tiers, counters)
    turn.follow(body.to or member.home, carried)


def _permit(plan: Plan, turn: Turn, body: Permit) -> None:
    households.permit(plan.household, turn, body)


HANDLERS: dict[type, Any] = {Join: _join, Leave: _leave, Permit: _permit}
