"""Reverse: undoing what an earlier event did.

A refund, a cancelled redemption or activity, a released hold and a voided group are one
thing: a decision that names its cause and takes back its part of it.

Guarantee: over all refunds of a purchase or an activity never more is taken back than it
earned, and all of it when everything came back; at the rate and the tier of the original.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kantis.core.account import NEVER, Account, Posting
from kantis.core.basket import ALL
from kantis.core.calendar import show_day
from kantis.core.decision import Decision, Original
from kantis.core.earner import Earner
from kantis.core.events import (
    EDITED,
    Activity,
    Cancel,
    Capture,
    Event,
    Purchase,
    Redeem,
    Refund,
    Release,
    named,
)
from kantis.core.limits import used_by
from kantis.core.lots import claw_back, give_back
from kantis.core.places import (
    AVAILABLE,
    CHARITY,
    HELD,
    ISSUED,
    OWED,
    PAYOUT,
    REDEEMED,
    REVERSED,
    SHARE_CAPITAL,
    VOUCHER,
)
from kantis.core.turn import Refused, Turn, member_of
from kantis.engine import budgets, editing, periods, progress
from kantis.engine.groups import void_group
from kantis.engine.plan import Plan
from kantis.engine.returning import Returning, bought, quantity_of, returned_by, returning_now
from kantis.features import balances, counters, rewards, tiers, vouchers

REFUND = "refunds"


def _original(turn: Turn, body: Refund | Cancel) -> Original:
    found = turn.context.originals.get(named(turn.event, body))
    if found is None:
        source = getattr(body, "of_source", "") or turn.event.source
        raise Refused("unknown-original", f"No event {body.of!r} of {source!r} is known here.")
    refusal = found.entry.decision.refusal
    if refusal is not None:
        sentence = f"{body.of!r} was refused itself: {refusal.sentence}"
        raise Refused("refused-original", sentence)
    return found


def _refund(plan: Plan, turn: Turn, body: Refund) -> None:
    original = _original(turn, body)
    purchase = bought(original.event.body)
    if purchase is None:
        sentence = f"{body.of!r} is neither a purchase nor an activity: there is nothing to refund."
        raise Refused("not-a-purchase", sentence)
    then = plan_of(plan, turn, original.event, purchase)
    edited = body.reason == EDITED
    if not edited:
        _check_time(then, turn, original)
    before = returned_by(original.undone)
    now = returning_now(purchase.lines, before, body)
    if turn.account.members:
        turn.member = member_of(turn.account, original.event)
    turn.decision.cause = original.event.key
    turn.decision.fired.append(("refund", "", 0, 0, 0, tuple(now.items())))
    after = {key: before.get(key, 0) + now.get(key, 0) for key in {*before, *now}}
    back = Returning(original, purchase, _masks(then, original, purchase), before, after)
    voids = turn.account.counters.get(void_group(back.group), ())
    back.void = any(moment >= original.entry.at for moment in voids)
    for fact in original.entry.decision.fired:
        _reverse_fact(then, turn, back, fact)
    _reverse_effects(turn, back)
    _reverse_tenders(then, turn, back)
    _reverse_caps(then, turn, back)
    if then.budgets:
        budgets.give_back(then, turn, original, whole=back.whole, void=back.void)
    _reverse_periods(then, turn, back)
    _reverse_counters(then, turn, back)
    tiers.roll_again(plan.tiers, turn, turn.calendar.day(original.event.time))
    progress.reverse(plan, then, turn, _counted(back), back)
    own = [(plan.own_tiers, turn.of(member)) for member in turn.account.members]
    for groups, whose in [(plan.tiers, turn), *own]:
        if edited:
            editing.fall(groups, whose, original.entry)
        tiers.fall_after_refund(groups, whose)


def plan_of(plan: Plan, turn: Turn, event: Event, purchase: Purchase) -> Plan:
    """The plan under which a purchase was decided: a refund goes by its rules."""
    at: Callable[[int], Plan] = turn.plan_at or plan.at
    then = at(event.time)
    if then.head.rules_of == "booking" and purchase.booked:
        then = at(purchase.booked)
    return then


def _check_time(plan: Plan, turn: Turn, original: Original) -> None:
    bought = turn.calendar.day(original.event.time)
    last = balances.later(bought, plan.head.refunds.within)
    if turn.day > last:
        sentence = f"A refund could come until {show_day(last)}."
        raise Refused("refund-too-late", sentence)


def _masks(then: Plan, original: Original, purchase: Purchase) -> list[int]:
    """What the lines are; an activity is nothing but itself."""
    activity = isinstance(original.event.body, Activity)
    return [ALL] if activity else then.classifier.masks(purchase.lines)


def _reverse_fact(then: Plan, turn: Turn, back: Returning, fact: tuple[Any, ...]) -> None:
    """Take back a rule's points for the lines that came back."""
    rule, name, _, points, lot, _ = fact
    if not points or not lot or name not in then.balances:
        return
    if rule in then.challenges or rule in then.referrals:
        return  # they are won or not won as a whole
    earner = then.earning.by_name.get(rule)
    if earner is not None and earner.rule.over is not None:
        return
    if earner is None:
        amount = back.part(points, _every)
    else:
        amount = back.part(points, earner.means, (earner.on or [earner])[0].per)
    if amount <= 0:
        return
    waits = [each for each in back.original.entry.decision.changes if each[0] == "wait"]
    opens = next((each[1] for each in waits if each[2] == lot), 0)
    missing = claw_back(turn, then.balances[name], lot, amount, REVERSED, REFUND, opens)
    turn.decision.fired.append((rule, name, 0, -(amount - missing), lot, -amount))
    used = {counter: (whose, bucket) for whose, counter, bucket, _ in _counted(back)}
    for cap in earner.caps if earner is not None and not (back.void and _waits(earner)) else ():
        if cap.counts == "points" and cap.counter in used:
            whose, bucket = used[cap.counter]
            _count_off(turn, whose, cap.counter, bucket, amount)
            _count_off(turn, whose, used_by(back.group, cap.counter), bucket, amount)


def _waits(earner: Earner) -> bool:
    """Whether the points of a rule, or of those that it is on, wait for their group."""
    return (earner.on or [earner])[0].rule.available.group


def _every(mask: int) -> bool:
    return True


def _reverse_effects(turn: Turn, back: Returning) -> None:
    """A price effect comes back with its line, as a negative effect."""
    quantities = {line.id: quantity_of(line) for line in back.purchase.lines}
    for line, rule, amount in back.original.entry.decision.effects:
        if line in quantities:
            total = quantities[line]
            part = amount * back.after.get(line, 0) // total
            part -= amount * back.before.get(line, 0) // total
            if part:
                turn.effect(line, rule, -part)


def _reverse_tenders(then: Plan, turn: Turn, back: Returning) -> None:
    """Points that paid for a part of the purchase come back to the lots they came from."""
    paid = [p for p in back.original.entry.decision.postings if p[2] == REDEEMED]
    for name, points in (back.purchase.points or {}).items():
        worth = next((e[2] for e in back.original.entry.decision.effects if e[:2] == ("", name)), 0)
        reward = then.rewards.get(name)
        if reward is None or not worth:
            continue
        every = back.weights(_every)
        weights = rewards.payable(reward, back.purchase.lines, every)
        if not any(weights):  # a tell of what could not be paid so
            weights = every
        first = back.portion(points, weights, back.before)
        last = back.portion(points, weights, back.after)
        balance = then.balances[rewards.unit_of(reward)]
        mine = [p for p in paid if p[0] == balance.name]
        for lot, amount in reversed(_between(mine, points - last, points - first)):
            give_back(turn, balance, [(lot, amount)], REDEEMED, REFUND)
        part = back.portion(worth, weights, back.after) - back.portion(worth, weights, back.before)
        if part:
            turn.effect("", name, -part)


def _between(postings: list[Posting], first: int, last: int) -> list[tuple[int, int]]:
    """(lot, amount) of what was taken, from the first unit to the last; lot 0 was owed."""
    found, position = [], 0
    for _, _, _, amount, lot, _ in postings:
        part = min(position + amount, last) - max(position, first)
        if part > 0:
            found.append((lot, part))
        position += amount
    return found


def _any_of(earners: list[Earner]) -> Callable[[int], bool]:
    """Lines that at least one of the rules means."""
    return lambda mask: any(each.means(mask) for each in earners)


def _all_of(bits: int) -> Callable[[int], bool]:
    """Lines that all of the filters mean."""
    return lambda mask: mask & bits == bits


def _reverse_caps(then: Plan, turn: Turn, back: Returning) -> None:
    """What the lines that came back had used of a cap is free again; points are so already."""
    rules = [each for each in then.earning.by_name.values() if each.rule.over is None]
    caps = {cap.counter: cap for earner in rules for cap in earner.caps}
    counted = {(whose, name, bucket): amount for whose, name, bucket, amount in _counted(back)}
    for (whose, name, bucket), amount in counted.items():
        cap, key = caps.get(name), used_by(back.group, name)
        if cap is None or cap.counts == "points":
            continue
        using = [earner for earner in rules if cap in earner.caps]
        waited = counted.get((whose, key, bucket), 0)
        for waits, used in ((False, amount - waited), (True, 0 if back.void else waited)):
            mine = _any_of([each for each in using if _waits(each) == waits])
            part = back.part(used, mine, "item" if cap.counts == "items" else "money")
            if cap.counts == "times":
                part = used if back.whole else 0
            _count_off(turn, whose, name, bucket, part)
            if waits:
                _count_off(turn, whose, key, bucket, part)


def _reverse_counters(then: Plan, turn: Turn, back: Returning) -> None:
    """What was counted of the lines that came back is counted off, in the bucket of then."""
    counted = {name: (whose, bucket, amount) for whose, name, bucket, amount in _counted(back)}
    gave = {fact[0] for fact in back.original.entry.decision.fired}
    items = ("items", "quantity") if back.activity else ("items",)
    for counter in then.counters.get(back.activity or "purchase", []):
        waits = counters.waiting(counter.name, back.group)
        if counter.name not in counted and (waits not in counted or back.void):
            continue
        whose, bucket, amount = counted.get(counter.name) or counted[waits]
        if counter.section.counts == "points":
            part = counters.points_taken(turn, counter.section.of, gave)
        elif counter.section.counts in ("spend", "measure", *items):
            per = "item" if counter.section.counts in items else counter.section.counts
            part = back.part(amount, _all_of(counter.bit), per)
        else:
            part = amount if back.whole else 0
        name = counter.name
        if waits in counted:
            kept = _whose(turn, whose).account.counters
            name = waits if waits in kept else counter.name
            bucket = max(kept.get(name, {}), default=bucket)
        _count_off(turn, whose, name, bucket, part)


def _counted(back: Returning) -> list[tuple[str, str, int, int]]:
    """What the purchase counted, for each counter and bucket: (whose, counter, bucket, amount).

    What rolled over into a later window because of it is set right from there.
    """
    found: dict[tuple[str, str, int], int] = {}
    for change in back.original.entry.decision.changes:
        whose, change = (change[1], change[2:]) if change[0] == "of" else ("", change)
        if change[0] == "count":
            key = (whose, change[1], change[2])
            found[key] = found.get(key, 0) + change[3]
    return [
        (whose, name, bucket, own)
        for (whose, name, bucket), amount in found.items()
        if (own := amount - found.get((whose, tiers.rolled(name), bucket), 0))
    ]


def _whose(turn: Turn, member: str) -> Turn:
    """The turn of a member's own things, where that is one of several who still is here."""
    return turn.of(member) if member and member in turn.account.members else turn


def _count_off(turn: Turn, whose: str, name: str, bucket: int, part: int) -> None:
    """Take something off a counter, never more than is in it."""
    turn = _whose(turn, whose)
    left = turn.account.counters.get(name, {}).get(bucket, 0)
    if min(part, left) > 0:
        turn.change("count", name, bucket, -min(part, left))


def _reverse_periods(then: Plan, turn: Turn, back: Returning) -> None:
    """Rules over a period: the total of then is lowered, and a settled one settled again."""
    counted = {name: (bucket, amount) for _, name, bucket, amount in _counted(back)}
    for earner in then.earning.periods:
        touched = set()
        for modifier in (None, *earner.modifiers):
            name = periods.counter(earner, modifier)
            if name not in counted:
                continue
            bucket, amount = counted[name]
            both = earner.bit | (modifier.bit if modifier is not None else earner.bit)
            part = back.part(amount, _all_of(both), earner.per)
            own = periods.mine(earner, turn)
            _count_off(own, "", name, bucket, part)
            touched.add(bucket)
        settled = periods.mine(earner, turn).account.issued.get(earner.name, {})
        for bucket in touched & set(settled):
            periods.settle(earner, turn, bucket)


def _capture(plan: Plan, turn: Turn, body: Capture) -> None:
    hold = turn.account.holds.get(named(turn.event, body))
    if hold is None:
        raise Refused("unknown-hold", f"Nothing is held for {body.of!r}; it may have run out.")
    turn.decision.cause = named(turn.event, body)
    turn.partner = hold.partner
    reward = plan.rewards.get(hold.reward)
    rewards.capture(reward, hold.balance, turn, hold.lots)
    turn.change("unhold", turn.decision.cause)
    if reward is not None and reward.gives.voucher in plan.vouchers:
        vouchers.issue(
            plan.vouchers,
            turn,
            reward.gives.voucher,
            worth=hold.worth,
            balance=hold.balance,
            points=sum(amount for _, amount in hold.lots),
            number=1,
        )
    points = sum(amount for _, amount in hold.lots)
    rewards.bring_back(reward, plan.balances[hold.balance], turn, points)


def _release(plan: Plan, turn: Turn, body: Release) -> None:
    key = named(turn.event, body)
    if key not in turn.account.holds:
        raise Refused("unknown-hold", f"Nothing is held for {body.of!r}; it may have run out.")
    turn.decision.cause = key
    _let_go(plan, turn, key)


def _let_go(plan: Plan, turn: Turn, key: str) -> None:
    hold = turn.account.holds[key]
    give_back(turn, plan.balances[hold.balance], hold.lots, HELD, rewards.REASON)
    turn.change("unhold", key)
    rewards.give_up(plan.rewards.get(hold.reward), turn)


def release_overdue(plan: Plan, turn: Turn) -> None:
    """Holds whose time is over are given back."""
    for key, hold in list(turn.account.holds.items()):
        if hold.until <= turn.moment:
            _let_go(plan, turn, key)


def due(account: Account) -> int:
    """The next end of a hold."""
    return min((hold.until for hold in account.holds.values()), default=NEVER)


def _cancel(plan: Plan, turn: Turn, body: Cancel) -> None:
    """A redemption is undone: its points return to their lots, its voucher is void.

    An activity that is cancelled comes back like a purchase.
    """
    original = _original(turn, body)
    if isinstance(original.event.body, Activity):
        _refund(plan, turn, Refund(body.of))
        return
    if not isinstance(original.event.body, Redeem):
        sentence = f"{body.of!r} is no redemption and no activity; a purchase is refunded."
        raise Refused("not-a-redemption", sentence)
    if any(_undoes(decision) for decision in original.undone):
        raise Refused("cancelled-already", f"{body.of!r} was undone before.")
    entry = original.entry.decision
    made = [change for each in (entry, *original.undone) for change in each.changes]
    issued = [change[1] for change in made if change[0] == "voucher"]
    for code in issued:
        voucher = turn.account.vouchers.get(code)
        if voucher is None or voucher.state != "open":
            raise Refused("voucher-gone", f"The voucher {code!r} is used or over.")
    source = VOUCHER if issued else REDEEMED
    reward = plan.rewards.get(original.event.body.reward)
    if reward is not None and reward.gives.payout and not issued:
        source = PAYOUT
        _still_here(turn, entry.postings)
    moved = [p for p in entry.postings if p[1] in (AVAILABLE, OWED) and p[2] == source]
    captured = [p for d in original.undone for p in d.postings if p[1] == HELD and p[2] == source]
    if not moved and not captured:
        raise Refused("nothing-to-cancel", f"{body.of!r} has spent nothing.")
    turn.decision.cause = original.event.key
    for code in issued:
        turn.change("voucher state", code, "reversed")
    rewards.give_up(reward, turn)
    for posting in moved or captured:
        balance = plan.balances[posting[0]]
        give_back(turn, balance, [(posting[4], posting[3])], source, rewards.REASON)
    for decision in (entry, *original.undone):
        for name, source, _, amount, lot, why in decision.postings:
            if source == ISSUED and why == rewards.REASON:
                claw_back(turn, plan.balances[name], lot, amount, REVERSED, rewards.REASON)


def _still_here(turn: Turn, postings: list[Posting]) -> None:
    """What was to be paid out is still on its way, all of it; ``Refused`` where it is not."""
    if any(p[2] in (SHARE_CAPITAL, CHARITY) for p in postings):
        raise Refused("given-already", "A part of it was given to a charity, or to the share.")
    for balance in {p[0] for p in postings if p[2] == PAYOUT}:
        wanted = sum(p[3] for p in postings if p[0] == balance and p[2] == PAYOUT)
        if turn.account.purse[balance][PAYOUT] < wanted:
            raise Refused("arrived-already", "The money has arrived at the member.")


def _undoes(decision: Decision) -> bool:
    return any(p[1] in (REDEEMED, VOUCHER, PAYOUT) for p in decision.postings)


HANDLERS: dict[type, Any] = {
    Refund: _refund,
    Capture: _capture,
    Release: _release,
    Cancel: _cancel,
}
