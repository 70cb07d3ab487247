"""Reverse: undoing what an earlier event did.

A refund, a cancelled redemption, a released hold and a voided group are one thing: a
decision that names its cause and takes back its part of it.

Guarantee: over all refunds of a purchase never more is taken back than it earned, and all
of it when everything came back; at the rate and the tier of the original. Each rule's
points are cut over the lines that it counted by largest remainder; a part of a line takes
back the part of its points, rounded so that all of the line takes back all of them.
"""

from __future__ import annotations

from typing import Any

from kantis.core import windows
from kantis.core.account import NEVER, Account
from kantis.core.amounts import share
from kantis.core.basket import ALL
from kantis.core.decision import Decision, Original
from kantis.core.events import (
    Cancel,
    Capture,
    Confirm,
    Line,
    Purchase,
    Redeem,
    Refund,
    Release,
    Void,
)
from kantis.core.lots import claw_back, give_back, repay, stop_waiting
from kantis.core.places import (
    AVAILABLE,
    HELD,
    PENDING,
    REDEEMED,
    REVERSED,
    VOUCHER,
)
from kantis.core.turn import Refused, Turn
from kantis.engine import periods
from kantis.engine.program import Plan
from kantis.features import rewards, tiers

REFUND = "refunds"


def _original(turn: Turn, body: Refund | Cancel) -> Original:
    source = getattr(body, "of_source", "") or turn.event.source
    found = turn.context.originals.get(f"{source}/{body.of}")
    if found is None:
        raise Refused("unknown-original", f"No event {body.of!r} of {source!r} is known here.")
    return found


def _refund(plan: Plan, turn: Turn, body: Refund) -> None:
    original = _original(turn, body)
    purchase = original.event.body
    if not isinstance(purchase, Purchase):
        raise Refused("not-a-purchase", f"{body.of!r} is no purchase and cannot be refunded.")
    before = _returned(original)
    now = _returning(purchase.lines, before, body)
    turn.decision.cause = original.event.key
    turn.decision.fired.append(("refund", "", 0, 0, 0, tuple(now.items())))
    after = {key: before.get(key, 0) + now.get(key, 0) for key in {*before, *now}}
    for fact in original.entry.decision.fired:
        _reverse_fact(plan, turn, original, fact, before, after)
    _reverse_effects(turn, original, purchase, before, after)
    _reverse_counters(plan, turn, original, before, after)
    tiers.fall_after_refund(plan.tiers, turn)


def _returned(original: Original) -> dict[str, int]:
    """What came back before, by line."""
    found: dict[str, int] = {}
    for decision in original.undone:
        for fact in decision.fired:
            if fact[0] == "refund":
                for line, quantity in fact[5]:
                    found[line] = found.get(line, 0) + quantity
    return found


def _quantity(line: Line) -> int:
    return max(1, line.quantity)


def _returning(lines: tuple[Line, ...], before: dict[str, int], body: Refund) -> dict[str, int]:
    """What comes back now, by line; ``Refused`` when that is more than was bought."""
    left = {line.id: _quantity(line) - before.get(line.id, 0) for line in lines}
    if not body.lines:
        if not any(left.values()):
            raise Refused("refunded-already", "All of this purchase came back before.")
        return {line: quantity for line, quantity in left.items() if quantity}
    now: dict[str, int] = {}
    for line, quantity in body.lines:
        now[line] = now.get(line, 0) + quantity
    for line, quantity in now.items():
        if line not in left:
            raise Refused("unknown-line", f"The purchase has no line {line!r}.")
        if quantity <= 0 or quantity > left[line]:
            sentence = f"Of line {line!r} {left[line]} can come back, not {quantity}."
            raise Refused("refund-too-large", sentence)
    return now


def _masks(plan: Plan, lines: tuple[Line, ...]) -> list[int]:
    return [plan.classifier.mask(line) for line in lines]


def _portion(
    points: int, lines: tuple[Line, ...], weights: list[int], returned: dict[str, int]
) -> int:
    """Of a rule's points, those that belong to what has come back: whole lines wholly."""
    total = 0
    for line, part in zip(lines, share(points, weights), strict=True):
        back = returned.get(line.id, 0)
        if back:
            total += part * back // _quantity(line)
    return total


def _weights(original: Original, lines: tuple[Line, ...], bit: int, masks: list[int]) -> list[int]:
    off: dict[str, int] = {}
    for line_id, _, amount in original.entry.decision.effects:
        off[line_id] = off.get(line_id, 0) + amount
    weights = [
        line.amount - off.get(line.id, 0) if mask & bit else 0
        for line, mask in zip(lines, masks, strict=True)
    ]
    if not any(weights):
        weights = [
            _quantity(line) if mask & bit else 0 for line, mask in zip(lines, masks, strict=True)
        ]
    return weights


def _reverse_fact(
    plan: Plan,
    turn: Turn,
    original: Original,
    fact: tuple[Any, ...],
    before: dict[str, int],
    after: dict[str, int],
) -> None:
    """Take back a rule's points for the lines that came back."""
    rule, name, _, points, lot, _ = fact
    if not points or not lot or name not in plan.balances:
        return
    earner = plan.earning.by_name.get(rule)
    lines = _lines(original)
    bit = earner.bit if earner is not None else ALL
    weights = _weights(original, lines, bit, _masks(plan, lines))
    amount = _portion(points, lines, weights, after) - _portion(points, lines, weights, before)
    if amount <= 0:
        return
    waits = [each for each in original.entry.decision.changes if each[0] == "wait"]
    opens = next((each[1] for each in waits if each[2] == lot), 0)
    missing = claw_back(turn, plan.balances[name], lot, amount, REVERSED, REFUND, opens)
    turn.decision.fired.append((rule, name, 0, -(amount - missing), lot, -amount))
    if earner is not None:
        for cap in earner.caps:
            if cap.counts == "points":
                _uncount(turn, original, cap.counter, cap.window, amount)


def _lines(original: Original) -> tuple[Line, ...]:
    body = original.event.body
    assert isinstance(body, Purchase)
    return body.lines


def _uncount(turn: Turn, original: Original, name: str, window: Any, amount: int) -> None:
    day = turn.calendar.day(original.event.time)
    bucket = windows.bucket(window, day, turn.account.joined)
    counted = turn.account.counters.get(name, {}).get(bucket, 0)
    if min(counted, amount):
        turn.change("count", name, bucket, -min(counted, amount))


def _reverse_effects(
    turn: Turn,
    original: Original,
    purchase: Purchase,
    before: dict[str, int],
    after: dict[str, int],
) -> None:
    """A price effect comes back with its line, as a negative effect."""
    quantities = {line.id: _quantity(line) for line in purchase.lines}
    for line, rule, amount in original.entry.decision.effects:
        if line in quantities:
            total = quantities[line]
            part = amount * after.get(line, 0) // total - amount * before.get(line, 0) // total
            if part:
                turn.effect(line, rule, -part)


def _reverse_counters(
    plan: Plan,
    turn: Turn,
    original: Original,
    before: dict[str, int],
    after: dict[str, int],
) -> None:
    """What was counted of the lines that came back is counted off, in the bucket of then."""
    lines = _lines(original)
    masks = _masks(plan, lines)
    counted = {each[1]: each for each in original.entry.decision.changes if each[0] == "count"}
    whole = all(after.get(line.id, 0) >= _quantity(line) for line in lines)
    for counter in plan.counters.get("purchase", []):
        change = counted.get(counter.name)
        if change is None:
            continue
        _, name, bucket, amount = change
        if counter.section.counts in ("spend", "items", "measure", "points"):
            weights = _weights(original, lines, counter.bit, masks)
            part = _portion(amount, lines, weights, after)
            part -= _portion(amount, lines, weights, before)
        else:
            part = amount if whole else 0
        left = turn.account.counters.get(name, {}).get(bucket, 0)
        if min(part, left) > 0:
            turn.change("count", name, bucket, -min(part, left))
    _reverse_periods(plan, turn, original, before, after, masks)


def _reverse_periods(
    plan: Plan,
    turn: Turn,
    original: Original,
    before: dict[str, int],
    after: dict[str, int],
    masks: list[int],
) -> None:
    """Rules over a period: the total of then is lowered, and a settled one settled again."""
    lines = _lines(original)
    for earner in plan.earning.periods:
        for change in original.entry.decision.changes:
            if change[0] != "count" or not str(change[1]).startswith(periods.counter(earner)):
                continue
            _, name, bucket, amount = change
            weights = _weights(original, lines, earner.bit, masks)
            part = _portion(amount, lines, weights, after)
            part -= _portion(amount, lines, weights, before)
            if part:
                turn.change("count", name, bucket, -part)
        for bucket in turn.account.issued.get(earner.name, {}):
            periods.settle(earner, turn, bucket)


def _capture(plan: Plan, turn: Turn, body: Capture) -> None:
    hold = turn.account.holds.get(f"{turn.event.source}/{body.of}")
    if hold is None:
        raise Refused("unknown-hold", f"Nothing is held for {body.of!r}; it may have run out.")
    turn.decision.cause = f"{turn.event.source}/{body.of}"
    reward = plan.rewards.get(hold.reward)
    rewards.capture(reward, hold.balance, turn, hold.lots)
    turn.change("unhold", turn.decision.cause)


def _release(plan: Plan, turn: Turn, body: Release) -> None:
    key = f"{turn.event.source}/{body.of}"
    if key not in turn.account.holds:
        raise Refused("unknown-hold", f"Nothing is held for {body.of!r}; it may have run out.")
    turn.decision.cause = key
    _let_go(plan, turn, key)


def _let_go(plan: Plan, turn: Turn, key: str) -> None:
    hold = turn.account.holds[key]
    give_back(turn, plan.balances[hold.balance], hold.lots, HELD, rewards.REASON)
    turn.change("unhold", key)
    reward = plan.rewards.get(hold.reward)
    if reward is not None and reward.stock:
        turn.claim(f"stock {reward.name}", -1)


def release_overdue(plan: Plan, turn: Turn) -> None:
    """Holds whose time is over are given back."""
    for key, hold in list(turn.account.holds.items()):
        if hold.until <= turn.moment:
            _let_go(plan, turn, key)


def due(account: Account) -> int:
    """The next end of a hold."""
    return min((hold.until for hold in account.holds.values()), default=NEVER)


def _cancel(plan: Plan, turn: Turn, body: Cancel) -> None:
    """A redemption is undone: its points return to their lots, its voucher is void."""
    original = _original(turn, body)
    if not isinstance(original.event.body, Redeem):
        raise Refused("not-a-redemption", f"{body.of!r} is no redemption.")
    if any(_undoes(decision) for decision in original.undone):
        raise Refused("cancelled-already", f"{body.of!r} was undone before.")
    entry = original.entry.decision
    issued = [change[1] for change in entry.changes if change[0] == "voucher"]
    for code in issued:
        voucher = turn.account.vouchers.get(code)
        if voucher is None or voucher.state != "open":
            raise Refused("voucher-gone", f"The voucher {code!r} is used or over.")
    source = VOUCHER if issued else REDEEMED
    moved = [p for p in entry.postings if p[1] == AVAILABLE and p[2] == source]
    captured = [p for d in original.undone for p in d.postings if p[1] == HELD and p[2] == source]
    if not moved and not captured:
        raise Refused("nothing-to-cancel", f"{body.of!r} has spent nothing.")
    turn.decision.cause = original.event.key
    for code in issued:
        turn.change("voucher state", code, "reversed")
    for posting in moved or captured:
        balance = plan.balances[posting[0]]
        give_back(turn, balance, [(posting[4], posting[3])], source, rewards.REASON)


def _undoes(decision: Decision) -> bool:
    return any(p[1] in (REDEEMED, VOUCHER) and p[2] == AVAILABLE for p in decision.postings)


def _confirm(plan: Plan, turn: Turn, body: Confirm) -> None:
    lots = [x for x in turn.account.lots.values() if x.group == body.group and x.pending]
    if not lots:
        raise Refused("unknown-group", f"Nothing waits for {body.group!r}.")
    for lot in lots:
        stop_waiting(turn, lot.id, lot.pending)
        turn.post(lot.balance, PENDING, AVAILABLE, lot.pending, lot.id, "activation")
        repay(turn, plan.balances[lot.balance], lot.id, "activation")


def _void(plan: Plan, turn: Turn, body: Void) -> None:
    lots = [x for x in turn.account.lots.values() if x.group == body.group and x.pending]
    if not lots:
        raise Refused("unknown-group", f"Nothing waits for {body.group!r}.")
    for lot in lots:
        stop_waiting(turn, lot.id, lot.pending)
        turn.post(lot.balance, PENDING, REVERSED, lot.pending, lot.id, REFUND)


HANDLERS: dict[type, Any] = {
    Refund: _refund,
    Capture: _capture,
    Release: _release,
    Cancel: _cancel,
    Confirm: _confirm,
    Void: _void,
}
