"""Periods: earning rules whose rate depends on the total of a period (``over``).

Guarantee: what a period gives is what its total earns, however its events came in. Such a
rule counts now and gives when the period ends, or at once as the total grows; an event or a
refund that comes after that settles the period again and books the difference today.

A modifier on such a rule counts its own lines and makes more of their part of the result,
so that a double week pays double and counts once towards the band.

Of a balance that a household does not pool, each member has a total of their own.
"""

from __future__ import annotations

from kantis.core import windows
from kantis.core.account import NEVER, Account
from kantis.core.amounts import Ratio
from kantis.core.basket import Sums
from kantis.core.calendar import Calendar
from kantis.core.code import Code
from kantis.core.conditions import write_gates
from kantis.core.earner import Earner
from kantis.core.limits import give_caps_back, use_caps
from kantis.core.lots import claw_back, issue
from kantis.core.places import REVERSED
from kantis.core.rates import by_limit, exact, rounded
from kantis.core.recipes import REASON
from kantis.core.records import Member
from kantis.core.turn import Turn
from kantis.features.earning import Earning


def counter(earner: Earner, modifier: Earner | None = None) -> str:
    """The counter of what a rule, or a modifier on it, has counted in a period."""
    return f"over {earner.name}" + (f" {modifier.name}" if modifier else "")


def write(code: Code, earning: Earning, event: str, sums: Sums) -> None:
    """Write what an event counts for the rules over a period."""
    for earner in earning.by_event.get(event, []):
        if earner.rule.over is None:
            continue
        count = code.constant(_count, "count_period")
        rule = code.constant(earner, "rule")
        what = {"money": "amounts", "item": "items"}.get(earner.per, "measures")
        base = sums.name(what, earner.bit)
        rule_ = earner.rule
        gate = write_gates(code, rule_.who, rule_.when, rule_.if_, sums.of(earner.bit))
        tests = [f"{base} > 0", *(test for test, _ in gate)]
        with code.block(f"if {' and '.join(tests)}:"):
            code.add("parts = {}")
            for each in earner.modifiers:
                part = sums.name(what, earner.bit | each.bit)
                rule_ = each.rule
                both = sums.of(earner.bit | each.bit)
                more = write_gates(code, rule_.who, rule_.when, rule_.if_, both)
                with code.block(f"if {' and '.join([f'{part} > 0', *(t for t, _ in more)])}:"):
                    code.add(f"parts[{counter(earner, each)!r}] = {part}")
            code.add(f"{count}({rule}, turn, {base}, parts)")


def mine(earner: Earner, turn: Turn) -> Turn:
    """The turn of whose total a rule goes by: the account's, or the member's own."""
    pooled = earner.balance is None or earner.balance.pooled
    return turn if pooled else turn.own()


def _count(earner: Earner, turn: Turn, base: int, parts: dict[str, int]) -> None:
    own, window = mine(earner, turn), earner.rule.over
    joined = own.account.joined
    assert window is not None
    bucket = windows.bucket(window, turn.day, joined)
    own.change("count", counter(earner), bucket, base)
    for name, part in parts.items():
        own.change("count", name, bucket, part)
    settled = bucket in own.account.issued.get(earner.name, {})
    if settled or earner.rule.settled == "at once":
        settle(earner, turn, bucket)
    else:
        turn.wake_on(windows.end(window, turn.day, joined))


def settle_again(earning: Earning, turn: Turn) -> None:
    """Settle the rules again whose band a counter picks, where it has just counted anew."""
    for earner in earning.picked:
        settled = turn.account.issued.get(earner.name)
        if not settled:
            continue
        name = earner.rule.by_the_total_of
        counted = {c[2] for c in turn.decision.changes if c[0] == "count" and c[1] == name}
        for bucket in sorted(counted & set(settled)):
            settle(earner, turn, bucket)


def settle(earner: Earner, turn: Turn, bucket: int) -> None:
    """Give what a period's total earns, or the difference to what was given for it before."""
    own = mine(earner, turn)
    earner = _of_then(earner, own, bucket)
    assert earner.balance is not None
    assert earner.rule.over is not None
    total = _earned(earner, own, bucket)
    settled = own.account.issued.get(earner.name, {})
    before, name = settled.get(bucket, 0), earner.balance.name
    if total > before:
        points = use_caps(earner.caps, turn, total - before, 0)
        if points:
            last = windows.end(earner.rule.over, bucket, own.account.joined) - 1
            opens = earner.rule.available.opens(turn, min(last, turn.day))
            lot = issue(
                turn,
                earner.balance,
                points,
                REASON,
                opens=opens,
                funder=earner.rule.funded_by,
                day=turn.calendar.day(turn.at),
            )
            base = own.account.counters.get(counter(earner), {}).get(bucket, 0)
            turn.decision.fired.append((earner.name, name, base, points, lot, total - before))
        total = before + points
    elif total < before:
        asked = before - total
        missing = _take_back(earner, turn, asked, everybody=own is turn)
        give_caps_back(earner.caps, turn, asked)
        taken = asked - missing
        base = own.account.counters.get(counter(earner), {}).get(bucket, 0)
        turn.decision.fired.append((earner.name, name, base, -taken, 0, -asked))
    if total != before or bucket not in settled:
        own.change("issue", earner.name, bucket, total)


def _take_back(earner: Earner, turn: Turn, asked: int, *, everybody: bool) -> int:
    """Take back what a period gave too much, the latest lot first; what could not be taken.

    What still waits goes first, of all lots that may hold points of the rule: nobody owes what
    is on its way.
    """
    assert earner.balance is not None
    rest, lots = (
        asked,
        [
            lot
            for lot in reversed(turn.account.lots.values())
            if lot.balance == earner.balance.name and (everybody or lot.member == turn.member)
        ],
    )
    for lot in lots:
        waits = not lot.group and lot.funder == earner.rule.funded_by
        if part := min(rest, lot.pending) if waits else 0:
            claw_back(turn, earner.balance, lot.id, part, REVERSED, REASON)
            rest -= part
    latest = lots[0].id if lots else 0
    return claw_back(turn, earner.balance, latest, rest, REVERSED, REASON) if rest else 0


def _of_then(earner: Earner, turn: Turn, bucket: int) -> Earner:
    """The rule as it stood at the end of the period: new terms do not reach back."""
    window = earner.rule.over
    assert window is not None
    end = turn.calendar.start(windows.end(window, bucket, turn.account.joined)) - 1
    if turn.plan_at is None or end > turn.at:
        return earner
    found = turn.plan_at(end).earning.by_name.get(earner.name)
    return found if found is not None and found.rule.over == window else earner


def _earned(earner: Earner, turn: Turn, bucket: int) -> int:
    """What the total of a period earns, modifiers included."""
    counters, how = turn.account.counters, earner.rule.round
    base = counters.get(counter(earner), {}).get(bucket, 0)
    whole = base - base % how.spend_step
    level = turn.level(earner.give.group) if earner.give.group else 0
    if earner.rule.by_the_total_of:
        picked = counters.get(earner.rule.by_the_total_of, {}).get(bucket, 0)
        value = by_limit(earner.give, whole, picked)
    else:
        value = exact(earner.give, whole, level) if base > 0 else Ratio(0)
    total = rounded(value, how)
    for modifier in earner.modifiers:
        part = counters.get(counter(earner, modifier), {}).get(bucket, 0)
        if part and base:
            more = modifier.more
            extra = Ratio(value.num * part * more.num, value.den * base * more.den)
            total += rounded(extra, how)
    return total


def _holders(account: Account) -> list[tuple[str, Account | Member]]:
    """The account, and its members by name, who may have totals of their own."""
    found: list[tuple[str, Account | Member]] = [("", account)]
    return [*found, *account.members.items()]


def due(earning: Earning, account: Account, days: Calendar) -> int:
    """The next end of a period that has counted something and is not settled."""
    first = NEVER
    for earner in earning.periods:
        assert earner.rule.over is not None
        for _, whose in _holders(account):
            settled = whose.issued.get(earner.name, {})
            for bucket in whose.counters.get(counter(earner), {}):
                if bucket not in settled:
                    end = windows.end(earner.rule.over, bucket, whose.joined)
                    first = min(first, days.start(end))
    return first


def run(earning: Earning, turn: Turn) -> None:
    """Settle the periods that have ended, the members' own in the order of their joining."""
    account = turn.account
    for earner in earning.periods:
        assert earner.rule.over is not None
        for member, whose in _holders(account):
            for bucket in list(whose.counters.get(counter(earner), {})):
                settled = whose.issued.get(earner.name, {})
                end = windows.end(earner.rule.over, bucket, whose.joined)
                if bucket not in settled and end <= turn.day:
                    turn.member = member
                    settle(earner, turn, bucket)
    turn.member = ""
