"""Program: a document in versions, read into plans.

A program is a list of published versions. Each holds from its day until the next one
begins, and any value inside it can be dated; a **plan** is what is in force on a stretch
of days on which nothing changes, compiled once. ``Program.plan`` finds it by instant.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, Final

from msgspec import Struct

from kantis.core import calendar, dated
from kantis.core.account import NEVER, Account
from kantis.core.amounts import Unit
from kantis.core.calendar import Calendar
from kantis.core.events import Event
from kantis.core.knobs import (
    Fault,
    Node,
    ProgramError,
    Wrong,
    node,
)
from kantis.core.phrases import (
    text_of,
)
from kantis.engine.check_reach import unearned
from kantis.engine.plan import Plan, entries, read_plan
from kantis.features.counters import unit_of

#: How the facts begin that say in which pilots an account is.
PILOT: Final = "pilot "


class Version(Struct, frozen=True):
    """A published version: its number, the instant from which it holds, and its tree."""

    number: int
    since: int
    tree: Node

    @staticmethod
    def of(number: int, since: int, plain: Any) -> Version:
        """A version from plain mappings, lists and texts."""
        return Version(number, since, plain if isinstance(plain, Node) else node(plain))


class Pilot(Struct, frozen=True):
    """A version that holds for the members of some locations, from an instant to another."""

    number: int
    since: int
    until: int
    locations: frozenset[str]

    @property
    def fact(self) -> str:
        """The fact that says that an account is in it."""
        return f"{PILOT}{self.number}"


def _is_pilot(version: Version) -> bool:
    return "pilot" in entries(version.tree)


class Program:
    """A program with all its versions. ``plan`` is what is in force at an instant.

    A version with a ``pilot`` is a branch: it holds for the accounts that are in the pilot,
    until the next version for everybody. ``plan_for`` is what is in force for an account;
    ``within`` is given for such a branch alone: the pilots whose versions it follows.
    """

    def __init__(self, versions: list[Version], within: frozenset[int] | None = None) -> None:
        self.versions = versions
        first, *later = versions
        taken = within or frozenset()
        self._line = [first, *(v for v in later if not _is_pilot(v) or v.number in taken)]
        self._branches: dict[frozenset[int], Program] = {}
        self._starts: list[int] = []
        self._stretches: list[tuple[Version, int]] = []
        self._plans: dict[int, Plan] = {}
        self._last: Plan | None = None
        faults = [fault for each in versions for fault in dated.overlaps(each.tree)]
        if faults:
            raise ProgramError(faults)
        self._stretch()
        for position in range(len(self._starts)):
            self._plan(position)
        self.newest = self.plan(NEVER)
        self._nothing_vanishes()
        if faults := unearned([each.tree for each in self._line]):
            raise ProgramError(faults)
        self.name: str = self.newest.head.program
        self.money: Unit = self.newest.money
        self.calendar: Calendar = self.newest.calendar
        self.number: int = versions[-1].number
        #: the pilots, oldest first; none in most programs
        self.pilots: list[Pilot] = []
        if within is None:
            self.pilots = [self._pilot(each) for each in later if _is_pilot(each)]
        #: the shared limits of all budgets that it has, or had
        self.budgeted = self._budgeted()
        self.limits()

    @property
    def units(self) -> dict[str, Unit]:
        """The units of all balances that the newest version, or a pilot, has."""
        balances = dict(self.newest.balances)
        for branch in self._branches.values():
            balances = branch.newest.balances | balances
        return {name: balance.unit for name, balance in balances.items()}

    @property
    def counted(self) -> dict[str, Unit]:
        """The units of all counters that the program has, or had."""
        return {
            counter.name: unit_of(counter.section, self.money, self.units)
            for plan in self.plans
            for counters in plan.counters.values()
            for counter in counters
        }

    def _stretch(self) -> None:
        for position, version in enumerate(self._line):
            fields = entries(version.tree)
            zone = fields.get("timezone")
            try:
                days = Calendar(calendar.zone(text_of(zone) if zone else "UTC"))
            except (ValueError, Wrong):
                days = Calendar(calendar.zone("UTC"))
            ends = self._line[position + 1].since if position + 1 < len(self._line) else NEVER
            begins = version.since if position else -NEVER
            self._starts.append(begins)
            wall = days.wall(max(begins, 0)) if position else dated.DAY_MINUTES
            self._stretches.append((version, wall))
            for minute in sorted(dated.boundaries(version.tree)):
                start = days.from_wall(minute)
                if begins < start < ends:
                    self._starts.append(start)
                    self._stretches.append((version, minute))

    def _nothing_vanishes(self) -> None:
        """What members hold stays in the program: its balances, and their decimals."""
        before: dict[str, Unit] = {}
        for position in range(len(self._starts)):
            plan = self._plan(position)
            for name, unit in before.items():
                balance = plan.balances.get(name)
                if balance is None or balance.unit.scale != unit.scale:
                    message = (
                        f"Members hold {name}: a later version keeps the balance and its decimals;"
                        " a rule that no longer gives any is enough to end it."
                    )
                    raise ProgramError([Fault("balance-removed", message)])
            before |= {name: balance.unit for name, balance in plan.balances.items()}

    @property
    def plans(self) -> list[Plan]:
        """The plans of all stretches of days, oldest first."""
        return [self._plan(position) for position in range(len(self._starts))]

    def plan(self, moment: int) -> Plan:
        """The plan in force at an instant."""
        last = self._last
        if last is not None and last.since <= moment < last.until:
            return last
        found = self._last = self._plan(bisect_right(self._starts, moment) - 1)
        return found

    def _pilot(self, version: Version) -> Pilot:
        ends = [each.since for each in self._line if each.since > version.since]
        plan = self.branch(frozenset((version.number,))).plan(version.since)
        assert plan.head.pilot is not None
        locations = frozenset(plan.head.pilot.locations)
        return Pilot(version.number, version.since, min(ends, default=NEVER), locations)

    def branch(self, pilots: frozenset[int]) -> Program:
        """What holds for the accounts in these pilots; the program itself without any."""
        if not pilots:
            return self
        found = self._branches.get(pilots)
        if found is None:
            found = self._branches[pilots] = Program(self.versions, pilots)
        return found

    def entered(self, account: Account, moment: int) -> frozenset[int]:
        """The pilots that an account was in at an instant."""
        facts = account.facts
        return frozenset(
            pilot.number
            for pilot in self.pilots
            if any(at <= moment and said == "yes" for at, said in facts.get(pilot.fact, ()))
        )

    def plan_for(self, account: Account, moment: int) -> Plan:
        """The plan in force for an account at an instant."""
        return self.branch(self.entered(account, moment)).plan(moment)

    def plan_of(self, version: int, moment: int) -> Plan:
        """The plan in force at an instant for those for whom a version held."""
        pilots = frozenset(each.number for each in self.pilots if each.number == version)
        return self.branch(pilots).plan(moment)

    def enters(self, account: Account, event: Event) -> Pilot | None:
        """The pilot that an event brings the account into; of several the newest."""
        location = getattr(event.body, "location", "")
        for pilot in reversed(self.pilots if location else ()):
            if pilot.since <= event.time < pilot.until and location in pilot.locations:
                return None if pilot.fact in account.facts else pilot
        return None

    def _plan(self, position: int) -> Plan:
        found = self._plans.get(position)
        if found is None:
            version, minute = self._stretches[position]
            tree = dated.at(version.tree, minute)
            until = self._starts[position + 1] if position + 1 < len(self._starts) else NEVER
            if tree is None or not isinstance(tree.value, dict):
                message = "A program is keys and their values. Begin with 'program: its-name'."
                raise ProgramError([Fault("mapping-expected", message)])
            days = next(iter(self._plans.values())).calendar if self._plans else None
            found, faults = read_plan(tree, version.number, self._starts[position], until, days)
            if faults:
                raise ProgramError(faults)
            found.at = self.plan
            if position:
                found.follow(self._plan(position - 1))
            self._plans[position] = found
        return found

    def _budgeted(self) -> tuple[str, ...]:
        own = [each.limit for plan in self.plans for each in plan.budgets.values()]
        piloted = [each for branch in self._branches.values() for each in branch.budgeted]
        return tuple(dict.fromkeys([*own, *piloted]))

    def limits(self) -> dict[str, int]:
        """The shared limits of the newest version: name and quantity. That of an entry with
        dates is there in good time, and stays; ``ProgramError`` where a budget has two."""
        found: dict[str, int] = {}
        for branch in self._branches.values():
            found |= branch.limits()
        own: dict[str, int] = {}
        for position, (version, _) in enumerate(self._stretches):
            if version is self._line[-1]:
                plan = self._plan(position)
                own |= {f"stock {x.name}": x.stock for x in plan.rewards.values() if x.stock}
                for budget in plan.budgets.values():
                    if own.setdefault(budget.limit, budget.amount) != budget.amount:
                        raise ProgramError([_two_budgets(budget.name)])
        return found | own


def _two_budgets(name: str) -> Fault:
    message = (
        f"{name!r} has two budgets. It has one for all its dates, and a new version raises or"
        " lowers it; or give the second campaign a name of its own."
    )
    return Fault("budget-twice", message)


def assemble(versions: list[Version]) -> Program:
    """The program of these versions, oldest first. ``ProgramError`` with all faults."""
    return Program(versions)
