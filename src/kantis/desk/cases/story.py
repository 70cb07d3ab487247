"""The story of an account in a case: which rules fired, and what moved, entry by entry."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from kantis.core import calendar, places
from kantis.core.decision import Entry
from kantis.core.events import Event
from kantis.engine.program import Program


class Told(Struct):
    """An entry of an account, and the event that it decides (none for time)."""

    entry: Entry
    event: Event | None


def story(program: Program, told: Iterable[Told], balance: str = "") -> list[str]:
    """A line for each entry that says something, of one balance or of all."""
    return [line for each in told if (line := _line(program, each, balance))]


def _line(program: Program, told: Told, balance: str) -> str:
    entry, decision = told.entry, told.entry.decision
    local = program.calendar.local(told.event.time if told.event else entry.at)
    name = f"{told.event.type} {told.event.id}" if told.event else "time passes"
    said = [*_rules(program, entry, balance), *_moves(program, entry, balance)]
    if not balance:
        said += _standing(program, entry)
    if decision.refusal is not None:
        said.append(f"refused: {decision.refusal.code}")
    if not said and (told.event is None or balance):
        return ""
    return f"{local:%Y-%m-%d %H:%M}  {name}: {'; '.join(said) or 'nothing'}"


def _rules(program: Program, entry: Entry, balance: str) -> list[str]:
    """What each earning rule gave."""
    found = []
    for fact in entry.decision.fired:
        unit = program.units.get(fact[1])
        if unit is None or (balance and fact[1] != balance) or not fact[4]:
            continue
        found.append(f"{fact[0]} {'+' if fact[3] >= 0 else ''}{unit.show(fact[3])}")
    for line, rule, amount in entry.decision.effects:
        if not balance:
            where = f"line {line}" if line else "the basket"
            found.append(f"{rule} {program.money.show(amount)} off {where}")
    if not balance:
        for name, why, fee in entry.decision.fees:
            found.append(f"{name} {program.money.show(fee)} ({why})")
    return found


def _moves(program: Program, entry: Entry, balance: str) -> list[str]:
    """What moved between places, without what rules gave."""
    sums: dict[tuple[str, int, int, str], int] = {}
    given = {fact[1] for fact in entry.decision.fired if fact[4]}
    for name, source, target, amount, _, reason in entry.decision.postings:
        if (balance and name != balance) or (source == places.ISSUED and name in given):
            continue
        key = (name, source, target, reason)
        sums[key] = sums.get(key, 0) + amount
    return [
        f"{program.units[name].show(amount)} {places.CHART[source].name}"
        f" → {places.CHART[target].name} ({reason})"
        for (name, source, target, reason), amount in sums.items()
        if name in program.units
    ]


def _standing(program: Program, entry: Entry) -> list[str]:
    """Levels reached and lost, vouchers issued."""
    found = []
    groups = {group.name: group.levels for group in program.plan_of(entry.version, entry.at).tiers}
    for change in entry.decision.changes:
        if change[0] == "tier" and change[1] in groups:
            end = calendar.show_day(change[4] - 1 if change[4] else 0)
            found.append(f"{change[1]} is {groups[change[1]][change[2]]} until {end}")
        elif change[0] == "voucher":
            found.append(f"voucher {change[1]} worth {program.money.show(change[3])}")
        elif change[0] == "voucher state":
            found.append(f"voucher {change[1]} is {change[2]}")
    return found
