"""Periods: earning rules whose rate depends on the total of a period (``over``).

Guarantee: what a period gives is what its total earns, however its events came in. Such a
rule counts now and gives when the period ends; an event or a refund that comes after that
settles the period again and books the difference today.

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
from kantis.core.lots import claw_back, issue
from kantis.core.places import REVERSED
from kantis.core.rates import exact, rounded
from kantis.core.turn import Turn
from kantis.features.earning import REASON, Earner, Earning


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
                more = write_gates(code, rule_.who, rule_.when, rule_.if_, sums.of(each.bit))
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
    if bucket in turn.account.issued.get(earner.name, {}):
        settle(earner, turn, bucket)
    else:
        turn.wake_on(windows.end(window, turn.day, joined))


def settle(earner: Earner, turn: Turn, bucket: int) -> None:
    """Give what a period's total earns, or the difference to what was given for it before."""
    assert earner.balance is not None
    total = _earned(earner, turn, bucket)
    before = turn.account.issued.get(earner.name, {}).get(bucket, 0)
    name = earner.balance.name
    if total > before:
        opens = earner.rule.available.opens(turn)
        lot = issue(turn, earner.balance, total - before, REASON, opens=opens)
        turn.decision.fired.append((earner.name, name, total, total - before, lot, total))
    elif total < before:
        latest = (lot.id for lot in reversed(turn.account.lots.values()) if lot.balance == name)
        missing = claw_back(turn, earner.balance, next(latest, 0), before - total, REVERSED, REASON)
        taken = before - total - missing
        turn.decision.fired.append((earner.name, name, total, -taken, 0, total))
    turn.change("issue", earner.name, bucket, total)


def _earned(earner: Earner, turn: Turn, bucket: int) -> int:
    counters = turn.account.counters
    base = counters.get(counter(earner), {}).get(bucket, 0)
    level = turn.level(earner.give.group) if earner.give.group else 0
    value = exact(earner.give, base, level) if base > 0 else Ratio(0)
    total = rounded(value, earner.rule.round)
    for modifier in earner.modifiers:
        part = counters.get(counter(earner, modifier), {}).get(bucket, 0)
        if part and base:
            more = modifier.more
            extra = Ratio(value.num * part * more.num, value.den * base * more.den)
            total += rounded(extra, earner.rule.round)
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
