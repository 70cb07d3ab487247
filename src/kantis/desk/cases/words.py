"""The words of a case file: how its values are read, in the vocabulary of its program.

Amounts are decimal numbers of the program's money or of a balance, times are the clock on
the program's wall, and dates that something lasts ``until`` are the last day inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from kantis.core import calendar
from kantis.core.amounts import Unit
from kantis.core.knobs import Fault, Node, Wrong, suggest
from kantis.engine.program import Program
from kantis.features.counters import YEAR_ENDED

ITEMS: Final = Unit("items")

_AMOUNT = re.compile(r"(-?)([0-9]+(?:\.[0-9]+)?)(?: (.+))?")


class Words:
    """Reads the values of a case file in the words of its program, and collects faults."""

    def __init__(self, program: Program, faults: list[Fault] | None = None) -> None:
        self.program = program
        self.faults = [] if faults is None else faults
        self.counters = program.counted
        spoken = {"purchase", "enrol", "birthday", YEAR_ENDED}
        events = {
            event for plan in program.plans for event in (*plan.earning.by_event, *plan.counters)
        }
        for plan in program.plans:
            events |= {each.section.for_ for each in plan.challenges.values()}
            events |= {x for each in plan.referrals.values() for x in each.section.stages}
        self.activities = sorted(events - spoken)

    def fault(self, wrong: Wrong) -> None:
        """Write down that something is wrong, with its place."""
        node = wrong.node
        column = node.column + wrong.offset
        self.faults.append(Fault(wrong.code, wrong.message, node.line, column))

    def fields(self, node: Node, known: Iterable[str], what: str) -> dict[str, Node]:
        """The values of a mapping by key; ``Wrong`` for a key that has no meaning here."""
        if not isinstance(node.value, dict):
            raise Wrong("mapping-expected", f"{what} is a mapping of keys and values.", node)
        for key in node.value:
            if key not in known:
                message = f"{what} has no {key!r}. {suggest(key, known)}"
                raise Wrong("unknown-key", message, at_key(node, key))
        return dict(node.value)

    def text(self, node: Node | None) -> str:
        """A text; empty where nothing stands."""
        if node is None:
            return ""
        if not isinstance(node.value, str):
            raise Wrong("text-expected", "Here stands one value, not a list or a mapping.", node)
        return node.value

    def texts(self, node: Node | None) -> tuple[str, ...]:
        """A list of texts; one text is a list of one."""
        if node is None:
            return ()
        items = node.value if isinstance(node.value, list) else [node]
        return tuple(self.text(each) for each in items)

    def whole(self, node: Node | None, default: int = 0) -> int:
        """A whole number."""
        if node is None:
            return default
        if not re.fullmatch("-?[0-9]{1,12}", self.text(node)):
            raise Wrong("whole-number-expected", f"{node.value!r} is not a whole number.", node)
        return int(node.value)

    def yes(self, node: Node | None, default: bool = False) -> bool:
        """``yes`` or ``no``."""
        if node is None:
            return default
        if node.value not in ("yes", "no"):
            raise Wrong("unknown-word", f"{node.value!r} cannot stand here. Write yes or no.", node)
        return bool(node.value == "yes")

    def amount(self, node: Node | None, unit: Unit) -> int:
        """Minor units of a decimal number, with or without its unit's name behind it."""
        if node is None:
            return 0
        match = _AMOUNT.fullmatch(self.text(node))
        if not match:
            raise Wrong("number-expected", f"{node.value!r} is not a number of {unit.name}.", node)
        if match[3] and match[3] not in (unit.name, unit.one):
            message = f"{match[3]!r} cannot stand here; this is counted in {unit.name}."
            raise Wrong("unknown-unit", message, node, match.start(3))
        try:
            amount = unit.read(match[2])
        except ValueError as error:
            raise Wrong("too-many-decimals", f"{error}.", node) from error
        return -amount if match[1] else amount

    def money(self, node: Node | None) -> int:
        """Minor units of the program's money."""
        return self.amount(node, self.program.money)

    def balance(self, name: str, node: Node) -> Unit:
        """The unit of a balance; ``Wrong`` if the program does not have it."""
        unit = self.program.units.get(name)
        if unit is None:
            message = f"The program has no balance {name!r}. {suggest(name, self.program.units)}"
            raise Wrong("unknown-balance", message, node)
        return unit

    def level(self, group: str, level: str, node: Node) -> None:
        """Check that a level exists; ``Wrong`` if not."""
        groups: dict[str, list[str]] = {}
        for each in (group for plan in self.program.plans for group in plan.tiers):
            groups[each.name] = [*groups.get(each.name, []), *each.levels]
        if group not in groups:
            message = f"The program has no tiers {group!r}. {suggest(group, groups)}"
            raise Wrong("unknown-tiers", message, node)
        if level not in groups[group]:
            message = f"{group!r} has no level {level!r}. {suggest(level, groups[group])}"
            raise Wrong("unknown-level", message, node)

    def plan(self, node: Node, name: str = "") -> str:
        """The name of a plan; ``Wrong`` if the program never has it."""
        name = name or self.text(node)
        known = [each for plan in self.program.plans for each in plan.plans.sections]
        if name not in known:
            message = f"The program has no plan {name!r}. {suggest(name, dict.fromkeys(known))}"
            raise Wrong("unknown-plan", message, node)
        return name

    def reward(self, name: str) -> Any:
        """The reward of that name, of whatever time."""
        found = [plan.rewards[name] for plan in self.program.plans if name in plan.rewards]
        return found[-1] if found else None

    def day(self, node: Node | None) -> int:
        """A day; 0 where nothing stands, and for ``never``."""
        if node is None or self.text(node) == "never":
            return 0
        try:
            return calendar.day(node.value)
        except ValueError as error:
            raise Wrong("date-expected", f"{error}.", node) from error

    def last_day(self, node: Node | None) -> int:
        """The first day outside of what lasts until a day; 0 for ``never``."""
        day = self.day(node)
        return day + 1 if day else 0

    def moment(self, node: Node) -> int:
        """An instant: local date and time, or a date for its 00:00."""
        text = self.text(node)
        if not re.fullmatch(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?", text):
            message = f"{text!r} is not a time. Write for example 2024-03-01 09:00."
            raise Wrong("time-expected", message, node)
        try:
            if len(text) == 10:
                return self.program.calendar.start(calendar.day(text))
            return self.program.calendar.read(text)
        except ValueError as error:
            raise Wrong("time-expected", f"{text!r} is no time: {error}.", node) from error


def at_key(node: Node, key: str) -> Node:
    """The place of a key of a mapping."""
    line, column = node.keys.get(key, (node.line, node.column))
    return Node(key, line, column)
