"""Carry: value and standing that come into an account, leave it, or are set by hand.

An opening import, a transfer, an adjustment and a new version that touches what is there
are all said by events, and booked like everything else: what leaves one account stands in
the place *in transit* until the other one takes it.
"""

from __future__ import annotations

from typing import Any

from kantis.core import windows
from kantis.core.amounts import Unit
from kantis.core.events import Adjust, CarriedLot, Carry, Transfer
from kantis.core.knobs import Reader, node
from kantis.core.lots import issue, open_lots, take
from kantis.core.phrases import QUANTITY
from kantis.core.places import ADJUSTED, AVAILABLE, CARRIED, OWED, TRANSIT
from kantis.core.turn import Refused, Turn
from kantis.engine import sharing
from kantis.engine.plan import Plan
from kantis.engine.sections import ExistingSection
from kantis.features import plans, tiers

REASON = "carry"


def _carry(plan: Plan, turn: Turn, body: Carry) -> None:
    for lot in body.lots:
        if lot.balance not in plan.balances:
            raise Refused("unknown-balance", f"The program has no balance {lot.balance!r}.")
        if lot.amount <= 0:
            raise Refused("negative-amount", "A lot that is brought holds more than nothing.")
    levels = {group.name: group for group in plan.tiers}
    for tier in body.tiers:
        if tier.group not in levels or tier.level not in levels[tier.group].levels:
            raise Refused("unknown-level", f"There is no level {tier.level!r} in {tier.group!r}.")
    for each in body.plans:
        if each.plan not in plan.plans.sections:
            raise Refused("unknown-plan", f"There is no plan {each.plan!r}.")
    if body.origin == "join":
        sharing.welcome(plan, turn, body)
    if turn.account.away[0] and body.origin in ("leave", "back"):
        turn.change("away", "", "")
    source = CARRIED if body.origin == "opening" else TRANSIT
    for lot in body.lots:
        issue(
            turn,
            plan.balances[lot.balance],
            lot.amount,
            REASON,
            source=source,
            expires=lot.expires or -1,
            opens=lot.opens,
            group=lot.group,
            member=lot.member,
            funder=lot.funder,
            day=lot.earned,
        )
    if plan.keeps and body.origin != "opening":
        turn.wake_at(turn.at)  # what only some may have may be lost here
    if body.origin == "opening":
        _standing(plan, turn, body)
    elif body.origin != "back" or not turn.account.members:
        sharing.bring_own(plan, turn.own(), body.tiers, body.counters)
    for name in {lot.balance for lot in body.lots}:
        clock = plan.balances[name].clock
        if clock is not None and name not in turn.account.touched:
            turn.change("touch", name, turn.day)
            turn.wake_on(clock.expires(turn.day))


def _standing(plan: Plan, turn: Turn, body: Carry) -> None:
    levels = {group.name: group for group in plan.tiers}
    for tier in body.tiers:
        level = levels[tier.group].levels.index(tier.level)
        since = turn.calendar.start(tier.since) if tier.since else turn.moment
        turn.change("tier", tier.group, level, since, tier.until, REASON)
        turn.wake_at(turn.at)  # points that another level protected
        if tier.until:
            turn.wake_on(tier.until)
    for name, day, amount in body.counters:
        window = plan.windows.get(name)
        bucket = windows.bucket(window, day or turn.day, turn.account.joined) if window else 0
        turn.change("count", name, bucket, amount)
    for voucher in body.vouchers:
        turn.change(
            "voucher",
            voucher.code,
            voucher.kind,
            voucher.worth,
            "",
            0,
            turn.day,
            voucher.expires,
        )
        if voucher.expires:
            turn.wake_on(voucher.expires)
    for offer in body.offers:
        turn.change("offer", offer, turn.moment, 0)
    for each in body.plans:
        plans.carry(plan.plans, turn, each)


def _transfer(plan: Plan, turn: Turn, body: Transfer) -> None:
    balance = plan.balances.get(body.balance)
    if balance is None:
        raise Refused("unknown-balance", f"The program has no balance {body.balance!r}.")
    if body.amount <= 0:
        raise Refused("negative-amount", "A transfer moves more than nothing.")
    available = sum(lot.available for lot in open_lots(turn, balance))
    if available < body.amount:
        sentence = f"{body.amount} were to be moved, there are {available}."
        raise Refused("not-enough", sentence)
    lots = []
    for lot_id, amount in take(turn, balance, body.amount, TRANSIT, "transfer"):
        lot = turn.account.lots[lot_id]
        lots.append(CarriedLot(lot.balance, amount, lot.bucket, lot.expires, funder=lot.funder))
    turn.follow(body.to, Carry("transfer", tuple(lots)))


def _adjust(plan: Plan, turn: Turn, body: Adjust) -> None:
    balance = plan.balances.get(body.balance)
    if balance is None:
        raise Refused("unknown-balance", f"The program has no balance {body.balance!r}.")
    if not body.reason or not body.amount:
        raise Refused("reason-missing", "An adjustment has an amount and says why.")
    if body.amount > 0:
        issue(turn, balance, body.amount, "adjust", source=ADJUSTED)
        return
    amount = -body.amount
    purse = turn.account.purse.get(body.balance)
    available = purse[AVAILABLE] if purse is not None else 0
    if available < amount and turn.event.ask:
        raise Refused("not-enough", f"{amount} were to be taken, there are {available}.")
    now = min(amount, available)
    if now:
        take(turn, balance, now, ADJUSTED, "adjust")
    if amount > now:
        turn.post(body.balance, OWED, ADJUSTED, amount - now, 0, "adjust")
        turn.flag("shortage")


def wake(plan: Plan, turn: Turn) -> None:
    """A change of terms reaches the account: what it does to what is there already.

    A level keeps its name, unless the program says which one takes its place.
    """
    _reach(plan, turn, plan.existing, plan.levels_before)


def enter(plan: Plan, turn: Turn, before: Plan, first: Plan) -> None:
    """An account comes into a pilot, whose ``first`` stretch says what that does to it."""
    levels = {group.name: group.levels for group in before.tiers}
    _reach(plan, turn, first.existing, levels)


def _reach(
    plan: Plan, turn: Turn, existing: ExistingSection, levels_before: dict[str, list[str]]
) -> None:
    turn.change("wake", plan.since)
    if existing.expiry == "follows":
        for lot in list(turn.account.lots.values()):
            fresh = plan.balances[lot.balance].fixed(lot.bucket)
            if lot.open and fresh != lot.expires:
                turn.change("dates", lot.id, fresh)
    for group in plan.tiers:
        standing = turn.account.tiers.get(group.name)
        before = levels_before.get(group.name, [])
        if standing is None or standing.level >= len(before):
            continue
        old = before[standing.level]
        new = plan.head.existing.levels.get(old, old)
        level = group.levels.index(new) if new in group.levels else 0
        if level != standing.level:
            until = standing.until if level else 0
            turn.change("tier", group.name, level, turn.moment, until, "version")
    for group in plan.tiers:
        if group.name in existing.measured_by:
            tiers.measure(group, turn, existing.measured_by[group.name])
    for counter, text in existing.grants.items():
        _grant(plan, turn, counter, text)


def _grant(plan: Plan, turn: Turn, counter: str, text: str) -> None:
    times = sum(turn.account.counters.get(counter, {}).values())
    reader = Reader(plan.money)
    for name, balance in plan.balances.items():
        unit: Unit = balance.unit
        reader.units[name] = reader.units[unit.one] = unit
    each = QUANTITY.read(node(text), reader)
    if times * each.amount > 0:
        issue(turn, plan.balances[each.unit], times * each.amount, "existing")


HANDLERS: dict[type, Any] = {Carry: _carry, Transfer: _transfer, Adjust: _adjust}
