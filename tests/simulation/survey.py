"""Survey: any program file with a mix of its own, and what holds whatever a program says.

There is no naive model here: sums of lots, conservation, the fold, floors, time in steps and
a copy that decides the same are looked at.
"""

from __future__ import annotations

from collections import Counter

from kantis.core.account import encode_account
from kantis.core.decision import DESK, Entry, encode_decision, follow_up_id
from kantis.core.events import Event, Purchase
from kantis.core.places import MEMBER_PLACES
from kantis.engine.decide import advance, decide
from tests.simulation import invariants
from tests.simulation.invariants import Shadow, difference, ensure
from tests.simulation.mix import Mix
from tests.simulation.world import Machine, Step


class Fallen(AssertionError):
    """A program did not survive; says how to see it again."""


class Survey:
    """One program and one seed."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed = name, seed
        self.machine = Machine(name)
        self.mix = Mix(seed, self.machine)
        self.shadow = Shadow()
        self.done = 0
        self.refused: Counter[str] = Counter()
        policies = self.machine.program.newest.balances.values()
        self.kept = frozenset(each.name for each in policies if each.kept is not None)

    def explore(self, events: int) -> None:
        """Draw and run so many steps."""
        step = None
        try:
            for _ in range(events):
                self.done += 1
                step = self.mix.step()
                getattr(self, step.kind)(step)
            for number in self.machine.accounts:
                self.shadow.check(self.machine, number)
                self.conserved(number)
        except Exception as error:
            raise Fallen(
                f"{self.name}, seed {self.seed}, event {self.done}: {step}\n"
                f"{type(error).__name__}: {error}\nreplay: python -m tests.simulation"
                f" --program {self.name} --seed {self.seed} --events {self.done}"
            ) from error

    def alone(self, step: Step) -> None:
        """A purchase without a member waits for who claims it."""
        assert step.event is not None
        assert isinstance(step.event.body, Purchase)
        self.machine.alone[step.event.body.receipt] = step.event

    def event(self, step: Step) -> None:
        """An event, and those that it causes for other accounts."""
        waiting = [(step.account, step.event)]
        for number, event in waiting:
            assert event is not None
            own = self.decided(number, event)
            for position, each in enumerate(own.decision.follow_ups):
                there = int(each.subject.rpartition(":")[2])
                name = follow_up_id(number, own.seq, position)
                caused = Event(DESK, name, own.at, each.subject, each.body, step.now)
                waiting.append((there, caused))
            ensure(len(waiting) < 50, "events cause events without an end", event)

    def decided(self, number: int, event: Event) -> Entry:
        """The entry of an event, which a copy of the account makes too."""
        machine = self.machine
        account = machine.account(number)
        twin = invariants.copy(account) if self.done % 4 == 0 else None
        before, context = account.seq, machine.context(account, event)
        entries = machine.event(number, event)
        day = machine.program.calendar.day(account.at)
        invariants.check_entries(before, entries, account, day, self.kept)
        if twin is not None:
            again = decide(machine.program, twin, event, context)
            ensure(_bytes(again) == _bytes(entries), "I11 decided otherwise on a copy")
            twin.due = account.due
            same = encode_account(twin) == encode_account(account)
            ensure(same, "I11 another state on a copy", difference(twin, account))
        machine.advance(number, account.at)
        self.check(number)
        refusal = entries[-1].decision.refusal
        if refusal is not None:
            self.refused[refusal.code] += 1
        return entries[-1]

    def advance(self, step: Step) -> None:
        """Time passes, at once and in steps."""
        program, account = self.machine.program, self.machine.account(step.account)
        by_steps, at_once = invariants.copy(account), invariants.copy(account)
        entries = [each for cut in step.cuts for each in advance(program, by_steps, cut)]
        direct = advance(program, at_once, step.cuts[-1])
        ensure(_bytes(entries) == _bytes(direct), "time in steps makes other entries")
        ensure(encode_account(by_steps) == encode_account(at_once), "time in steps ends elsewhere")
        before = account.seq
        real = self.machine.advance(step.account, step.now)
        invariants.check_entries(before, real, account, 0, self.kept)
        self.check(step.account)

    def check(self, number: int) -> None:
        """What must hold of an account."""
        account = self.machine.accounts[number]
        invariants.check_account(account)
        invariants.check_due(account)
        invariants.check_stock(self.machine)
        if self.done % 4 == 0:
            self.shadow.check(self.machine, number)

    def conserved(self, number: int) -> None:
        """I5: what an account has is what came in from the sides, less what went out."""
        sums: dict[str, list[int]] = {}
        for entry, _ in self.machine.entries[number]:
            for balance, source, target, amount, _, _ in entry.decision.postings:
                places = sums.setdefault(balance, [0] * MEMBER_PLACES)
                if source < MEMBER_PLACES:
                    places[source] -= amount
                if target < MEMBER_PLACES:
                    places[target] += amount
        has = {name: list(each) for name, each in self.machine.accounts[number].purse.items()}
        moved = {name: each for name, each in sums.items() if any(each)}
        ensure(moved == {n: each for n, each in has.items() if any(each)}, "I5 lost", moved, has)


def _bytes(entries: list[Entry]) -> list[tuple[object, ...]]:
    return [(e.seq, e.at, e.version, e.event, encode_decision(e.decision)) for e in entries]
