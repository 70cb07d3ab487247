"""Merging: two accounts of one person become one.

Guarantee: no point is lost or doubled. What leaves the account stands in transit until the
other one takes it, and comes back where nobody does. What comes to the merged account later, a
refund of what was bought on it, a purchase that was sent late, reaches the other one: points
that appear on it leave at once, and what it comes to owe is owed there.

Levels and counters go along; of two levels the higher one stays. What was counted for a
purchase of the merged account is not counted off when that purchase comes back later.
"""

from __future__ import annotations

from typing import Any

from kantis.core.account import Account
from kantis.core.decision import DESK
from kantis.core.events import Adjust, CarriedTier, Carry, Merge
from kantis.core.places import ADJUSTED, OWED, PAYOUT
from kantis.core.turn import Refused, Turn
from kantis.engine.plan import Plan
from kantis.features import households

REASON = "merge"


def merged(account: Account) -> bool:
    """Whether the account has become a part of another one."""
    return bool(account.away[0]) and not account.away[1]


def _merge(plan: Plan, turn: Turn, body: Merge) -> None:
    account = turn.account
    if not body.into.startswith("account:") or body.into == f"account:{account.id}":
        raise Refused("own-merge", f"{body.into!r} is not the number of another account.")
    if merged(account):
        raise Refused("merged-already", f"It was merged into {account.away[0]}.")
    if account.members or account.away[0]:
        raise Refused("merge-household", "A household is not merged; its members leave it.")
    open_vouchers = [code for code, each in account.vouchers.items() if each.state == "open"]
    running = [each.plan for each in account.plans.values() if each.state != "ended"]
    on_its_way = [name for name, purse in account.purse.items() if purse[PAYOUT]]
    left = [*account.holds, *open_vouchers, *running, *on_its_way]
    if left or account.forfeits:
        named = ", ".join(left) or "points that were forfeited"
        raise Refused("merge-not-settled", f"It still has {named}.")
    tiers = []
    for group in plan.tiers:
        standing = account.tiers.get(group.name)
        if standing is not None and standing.level:
            since = turn.calendar.day(standing.since)
            level = group.levels[standing.level]
            tiers.append(CarriedTier(group.name, level, since, standing.until))
            turn.change("untier", group.name)
    counters = []
    for name in list(account.counters):
        for bucket, amount in list(account.counters[name].items()):
            if amount:
                counters.append((name, bucket, amount))
            turn.change("forget", name, bucket)
    turn.change("away", body.into, "")
    turn.follow(body.into, Carry("transfer", _lots(turn), tuple(tiers), tuple(counters)))


def _lots(turn: Turn) -> tuple[Any, ...]:
    """Everything that is available or pending goes in transit."""
    lots = [(x.id, x.available, x.pending) for x in turn.account.lots.values()]
    return tuple(households.take_along(turn, [each for each in lots if each[1] or each[2]]))


def drain(turn: Turn) -> None:
    """What has come to a merged account goes on to the other one, and so does what it owes.

    What that one sends back ends here: of two that were merged into each other, one lives on.
    """
    into, event = turn.account.away[0], turn.event
    if event.source == DESK and into == f"account:{event.id.partition('-')[0]}":
        turn.change("away", "", "")
        return
    lots = _lots(turn)
    if lots:
        turn.follow(into, Carry("transfer", lots))
    for name, purse in turn.account.purse.items():
        owed = -purse[OWED]
        if owed:
            turn.post(name, ADJUSTED, OWED, owed, 0, REASON)
            turn.follow(into, Adjust(name, -owed, "merge"))


HANDLERS: dict[type, Any] = {Merge: _merge}
