"""Progress: how far members are in challenges and referrals, and what falls back with a refund.

Guarantee: what comes back is counted off by the rules of then, and what it had won is taken
back, in a referral on both sides.
"""

from __future__ import annotations

from collections.abc import Callable

from kantis.core import windows
from kantis.core.events import Refer, Referred
from kantis.core.turn import Turn
from kantis.engine.plan import Plan
from kantis.engine.returning import Returning
from kantis.features import challenges, referrals


def refer(plan: Plan, turn: Turn, body: Refer) -> None:
    """A new member came by an invitation."""
    referrals.refer(plan.referrals, turn, body)


def referred(plan: Plan, turn: Turn, body: Referred) -> bool:
    """A friend has done all, or it is undone; whether it counts as a referral now."""
    if not body.undone:
        return referrals.referred(plan.referrals, turn, body)
    award = referrals.undone(plan.referrals, turn, body)
    for counter in plan.counters.get("referral", []) if award.points else ():
        bucket = windows.bucket(counter.window, award.day, turn.account.joined)
        if turn.account.counters.get(counter.name, {}).get(bucket, 0):
            turn.change("count", counter.name, bucket, -1)
    return False


def reverse(
    plan: Plan, then: Plan, turn: Turn, counted: list[tuple[str, str, int, int]], back: Returning
) -> None:
    """What comes back of a purchase is counted off by the rules of ``then``.

    ``counted`` is what the purchase had counted: (whose, counter, bucket, amount).
    """
    for _, name, bucket, amount in counted:
        room, _, entry = name.partition(" ")
        if room == "challenge" and entry in then.challenges:
            challenge = then.challenges[entry]
            _count_off(turn, name, bucket, _part(challenge, amount, back))
            challenges.refunded(plan.challenges.get(entry, challenge), turn)
        elif room == "referral" and entry in then.referrals:
            part = back.part(amount, _means(then.referrals[entry].bit))
            _count_off(turn, name, bucket, part)
            referrals.refunded({**then.referrals, **plan.referrals}, turn, entry)


def _part(challenge: challenges.Challenge, amount: int, back: Returning) -> int:
    counts = challenge.section.goal.counts
    if counts == "purchases":
        return amount if back.whole else 0
    per = {"items": "item", "times": "item", "measure": "measure"}.get(counts, "money")
    return back.part(amount, _means(challenge.bit), per)


def _means(bit: int) -> Callable[[int], bool]:
    return lambda mask: bool(mask & bit)


def _count_off(turn: Turn, name: str, bucket: int, part: int) -> None:
    left = turn.account.counters.get(name, {}).get(bucket, 0)
    if min(part, left) > 0:
        turn.change("count", name, bucket, -min(part, left))
