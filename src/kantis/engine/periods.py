"""Periods: earning rules whose rate depends on the total of a period (``over``).

Guarantee: what a period gives is what its total earns, however its events came in. Such a
rule counts now and gives when the period ends, or at once as the total grows; an event or a
refund that comes after that settles the period again and books the difference today.

A modifier on such a rule counts its own lines and makes more of their part of the result,
so that a double week pays double and counts once towards the band.
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
from kantis.core.rates import exact, rounded
from kantis.core.turn import Turn
from kantis.features.earning import REASON, Earning


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


def _count(earner: Earner, turn: Turn, base: int, parts: dict[str, int]) -> None:
    window, joined = earner.rule.over, turn.account.joined
    assert window is not None
    bucket = windows.bucket(window, turn.day, joined)
    turn.change("count", counter(earner), bucket, base)
    for name, part in parts.items():
        turn.change("count", name, bucket, part)
    settled = bucket in turn.account.issued.get(earner.name, {})
    if settled or earner.rule.settled == "at once":
        settle(earner, turn, bucket)
    else:
        turn.wake_on(windows.end(window, turn.day, joined))


def settle(earner: Earner, turn: Turn, bucket: int) -> None:
    """Give what a period's total earns, or the difference to what was given for it before."""
    earner = _of_then(earner, turn, bucket)
    assert earner.balance is not None
    assert earner.rule.over is not None
    total = _earned(earner, turn, bucket)
    settled = turn.account.issued.get(earner.name, {})
    before, name = settled.get(bucket, 0), earner.balance.name
    if total > before:
        points = use_caps(earner.caps, turn, total - before, 0)
        if points:
            last = windows.end(earner.rule.over, bucket, turn.account.joined) - 1
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
            turn.decision.fired.append((earner.name, name, total, points, lot, total))
        total = before + points
    elif total < before:
        latest = (lot.id for lot in reversed(turn.account.lots.values()) if lot.balance == name)
        asked = before - total
        missing = claw_back(turn, earner.balance, next(latest, 0), asked, REVERSED, REASON)
        give_caps_back(earner.caps, turn, asked)
        taken = asked - missing
        turn.decision.fired.append((earner.name, name, total, -taken, 0, -asked))
    if total != before or bucket not in settled:
        turn.change("issue", earner.name, bucket, total)


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
    value = exact(earner.give, whole, level) if base > 0 else Ratio(0)
    total = rounded(value, how)
    for modifier in earner.modifiers:
        part = counters.get(counter(earner, modifier), {}).get(bucket, 0)
        if part and base:
            more = modifier.more
            extra = Ratio(value.num * part * more.num, value.den * base * more.den)
            total += rounded(extra, how)
    return total


def due(earning: Earning, account: Account, days: Calendar) -> int:
    """The next end of a period that has counted something and is not settled."""
    first = NEVER
    for earner in earning.periods:
        assert earner.rule.over is not None
        settled = account.issued.get(earner.name, {})
        for bucket in account.counters.get(counter(earner), {}):
            if bucket not in settled:
                end = windows.end(earner.rule.over, bucket, account.joined)
                first = min(first, days.start(end))
    return first


def run(earning: Earning, turn: Turn) -> None:
    """Settle the periods that have ended."""
    for earner in earning.periods:
        assert earner.rule.over is not None
        for bucket in list(turn.account.counters.get(counter(earner), {})):
            settled = turn.account.issued.get(earner.name, {})
            end = windows.end(earner.rule.over, bucket, turn.account.joined)
            if bucket not in settled and end <= turn.day:
                settle(earner, turn, bucket)
