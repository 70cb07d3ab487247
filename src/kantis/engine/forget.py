"""Forget: what a snapshot no longer needs is dropped, so that it stays small for ever.

Guarantee: nothing is forgotten that a late event or a refund inside the program's horizon
could still ask for; the books themselves forget nothing.
"""

from __future__ import annotations

from functools import lru_cache

from kantis.core import windows
from kantis.core.account import Account
from kantis.core.lots import voided
from kantis.core.phrases import Duration, Window
from kantis.core.records import Award
from kantis.core.turn import Turn
from kantis.engine import periods
from kantis.engine.plan import Plan
from kantis.features import challenges, tiers, vouchers

_DAYS = {"day": 1, "week": 7, "month": 31, "year": 366}


def run(plan: Plan, turn: Turn) -> None:
    """Drop old windows of counters, periods that are settled for good, and closed lots."""
    late = turn.day - days(plan.head.late)
    refundable = late - days(plan.head.refunds.within)
    _counters(plan, turn, late, refundable)
    for member in turn.account.members:
        _counters(plan, turn.of(member), late, refundable)
        _issued(turn.of(member))
    _issued(turn)
    vouchers.forget(turn)
    for given, award in list(turn.account.awards.items()):
        if award.day < refundable and _over(plan, turn.account, given, award):
            turn.change("unaward", given)
    for lot_id, (day, _, _) in list(turn.account.lost.items()):
        if day <= late:
            turn.change("lost", lot_id, 0, 0, 0)
    kept = {lot for each in turn.account.forfeits.values() for lot, _ in each.lots}
    for lot in list(turn.account.lots.values()):
        if lot.id in kept:
            continue
        if lot.bucket >= refundable or lot.open:
            continue
        if lot.id not in turn.account.lost:
            ended = lot.expires and lot.expires < refundable
            if ended or (not lot.expires and lot.bucket + 366 < refundable):
                turn.change("drop", lot.id)
                if voided(lot.id) in turn.account.counters:
                    turn.change("forget", voided(lot.id), 0)


def _over(plan: Plan, account: Account, key: str, award: Award) -> bool:
    """Whether nothing can ask any more for what was given: it came for a friend, or for a
    window of a challenge that is forgotten."""
    if any(key.startswith(f"referral {name} ") for name in plan.referrals):
        return True
    mine, repeats, _ = key.partition(" at ")
    return bool(repeats) and award.day not in account.counters.get(mine, {})


def days(length: Duration) -> int:
    """A length in days, at least as long as it is by the calendar."""
    return length.count * _DAYS.get(length.unit, 1)


@lru_cache(maxsize=64)
def windows_of(plan: Plan) -> dict[str, Window]:
    """The window of every counter that a plan keeps: its own, its caps', its periods'."""
    found = dict(plan.windows)
    for earner in plan.earning.by_name.values():
        for cap in earner.caps:
            found[cap.counter] = cap.window
        if earner.rule.over is not None:
            found[periods.counter(earner)] = earner.rule.over
            for modifier in earner.modifiers:
                found[periods.counter(earner, modifier)] = earner.rule.over
    for name, offer in plan.offers.items():
        found[f"offer {name}"] = offer.uses.window
    for name, reward in plan.rewards.items():
        found[f"reward {name}"] = reward.per_member.window
        if reward.reached is not None:
            found[f"milestone {name}"] = plan.windows[reward.reached[0]]
    for group in plan.tiers:
        for counter in group.rolls:
            found[tiers.rolled(counter)] = plan.windows[counter]
    for caps in (
        *plan.entitlements.caps.values(),
        *(each.caps for each in plan.referrals.values()),
    ):
        found |= {cap.counter: cap.window for cap in caps}
    for name, challenge in plan.challenges.items():
        found[challenges.counter(name)] = challenge.section.counted_in
    for name, choice in plan.choices.items():
        found[f"choice {name}"] = choice.window
    return found


def _issued(turn: Turn) -> None:
    """Forget what periods gave of which nothing is counted any more."""
    for name, issued in list(turn.account.issued.items()):
        for key in [k for k in issued if k not in turn.account.counters.get(f"over {name}", {})]:
            turn.change("forget issue", name, key)


def _counters(plan: Plan, turn: Turn, late: int, refundable: int) -> None:
    account, known = turn.account, windows_of(plan)
    picking = {each.rule.by_the_total_of for each in plan.earning.picked}
    for name, counts in list(account.counters.items()):
        window = known.get(name)
        if window is None:
            if name.startswith("void group ") and max(counts) < plan.calendar.start(refundable):
                for key in list(counts):
                    turn.change("forget", name, key)
            continue
        kept = name.startswith(("over ", "challenge ")) or name in picking
        back = refundable if kept else late
        joined = account.joined
        if not counts or not windows.stale(window, min(counts), back, joined):
            continue
        for key in [k for k in counts if windows.stale(window, k, back, joined)]:
            counter = name.removeprefix("rolled ")
            until = tiers.kept_until(plan.tiers, counter, windows.last(window, key, joined))
            if name.startswith("challenge "):
                until = challenges.kept_until(plan.challenges[name[10:]], key, joined)
            if until <= back and _settled(plan, account, name, key):
                turn.change("forget", name, key)


def _settled(plan: Plan, account: Account, name: str, key: int) -> bool:
    """Whether a counter is of no period, or of one that has given what it gives."""
    if not name.startswith("over "):
        return True
    return any(
        name.startswith(periods.counter(earner)) and key in account.issued.get(earner.name, {})
        for earner in plan.earning.periods
    )
