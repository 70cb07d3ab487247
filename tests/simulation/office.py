"""The office: the same people, but every event goes through the desk and its books.

Events come in batches cut at random. The desk crashes before a commit, the answer to a
commit gets lost, requests are sent twice, or again with another body. Beside it the engine
decides the same events in memory, and the naive model beside that; at the end the books
have to hold the same entries, byte for byte, and both proofs of ``verify`` have to hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import structs

import kantis.desk
from kantis.core.account import Account, decode_account, encode_account
from kantis.core.decision import Entry, encode_decision
from kantis.core.events import Cancel, Enrol, Event, Purchase, Refund
from kantis.desk.batch import AHEAD_MS
from kantis.desk.recorded import entry_of
from kantis.desk.replay import redecide
from kantis.desk.results import ALONE, DECIDED, PARKED, REFUSED, UNKNOWN, Result
from kantis.desk.submit import Desk
from kantis.desk.verify import verify
from kantis.store.books import Unknown
from tests.simulation.crowd import DAY_MS, LATE
from tests.simulation.invariants import Broken, difference, ensure
from tests.simulation.run import Failure, Run
from tests.simulation.world import EDITS, Step, dice, edited, tree_of


class PowerCut(BaseException):
    """The process ends here."""


class Office:
    """A desk on its books, kept in step with a run."""

    def __init__(self, seed: int, url: str) -> None:
        self.run = Run(seed)
        self.dice = dice(seed + 1_000_000)
        self.url, self.now = url, self.run.crowd.now
        self.name = self.run.machine.name
        self.importing = seed % 4 == 2
        self.desk = self.open()
        self.tree = tree_of(self.name)
        self.desk.publish(self.name, 1, "", self.tree)
        self.sent: list[tuple[Event, Result]] = []
        self.counts = {"batches": 0, "cuts": 0, "unknown": 0, "repeated": 0, "altered": 0}

    def open(self) -> Desk:
        """A desk as a fresh process has it."""
        desk = kantis.desk.open(self.url, clock=lambda: self.now)
        assert isinstance(desk, Desk)
        return desk

    def explore(self, events: int) -> None:
        """Draw steps and send them in batches, until so many have been drawn."""
        try:
            self.batch([self.enrol(n) for n in range(1, self.run.crowd.members + 1)])
            while self.run.crowd.number < events:
                self.draw()
            self.finish()
        except Failure:
            raise
        except Exception as error:
            raise Failure(self.run.seed, self.run.steps, error) from error
        finally:
            self.desk.close()

    def enrol(self, number: int) -> Step:
        event = Event("till", f"enrol-{number}", self.now, f"card:{number}", Enrol(), self.now)
        return Step("event", self.now, number, event)

    def draw(self) -> None:
        """A batch of some steps; a new version and a restart stand alone."""
        steps: list[Step] = []
        for _ in range(self.dice.choice((1, 1, 2, 5, 12, 40))):
            self.run.crowd.transit.clear()  # the desk delivers it
            step = self.run.crowd.step()
            if step.kind in ("event", "alone"):
                steps.append(step)
            elif step.kind in ("publish", "restart"):
                self.batch(steps)
                steps = []
                getattr(self, step.kind)(step)
            elif step.kind == "advance":
                self.batch(steps)
                steps = []
                self.now = step.now
                if not self.importing:
                    self.desk.sweep()
        self.batch(steps)

    def publish(self, step: Step) -> None:
        self.now = step.now
        self.run.take(step)
        second = edited(self.tree, EDITS.get(self.name, {}))
        self.desk.publish(self.name, step.cuts[0], "", second)

    def restart(self, step: Step) -> None:
        self.desk.close()
        self.desk = self.open()
        self.run.take(step)

    # ── batches ──────────────────────────────────────────────────────────────

    def batch(self, steps: list[Step]) -> None:
        """One request: follow-ups that wait come first, as the desk does it."""
        if not steps:
            return
        self.now = steps[-1].now
        self.deliver()
        asked = [step.event for step in steps if step.event is not None]
        expected = [self.play(step) for step in steps]
        self.committed = False
        answers = self.submit(asked)
        for event, answer, outcome in zip(asked, answers, expected, strict=True):
            ensure(
                answer.outcome == outcome[0], "the desk answers otherwise", event, answer, outcome
            )
            recorded = answer.entry is not None or answer.outcome != REFUSED
            ensure(answer.again == (self.committed and recorded), "an answer got lost", event)
            if outcome[1] is not None:
                assert answer.entry is not None
                ensure(
                    _said(answer.entry) == _said(outcome[1]), "the desk decided otherwise", event
                )
            if not answer.again and answer.outcome in (DECIDED, REFUSED) and answer.entry:
                self.sent.append((event, answer))
        self.again()

    def deliver(self) -> None:
        """What is on its way to another account, in the order in which the desk takes it up."""
        found, self.run.on_the_way = sorted(self.run.on_the_way, key=lambda x: x[:3]), []
        for account, seq, position, at, follow in found:
            key = f"{account}-{seq}-{position}"
            event = Event("desk", key, at, follow.subject, follow.body, self.now)
            self.play(Step("event", self.now, int(follow.subject[5:]), event))

    def play(self, step: Step) -> tuple[str, Entry | None]:
        """What the engine makes of it in memory, with the naive model beside it."""
        event = step.event
        assert event is not None
        event = structs.replace(event, received=self.now)
        earliest = self.now - LATE[self.name] * DAY_MS
        if self.importing:
            known = self.run.machine.accounts.get(step.account)
            event = structs.replace(event, received=max(event.time, known.at if known else 0))
        elif event.source != "desk" and not earliest <= event.time <= self.now + AHEAD_MS:
            if event.ask:
                return REFUSED, None
            event = structs.replace(event, time=self.now)
        if step.kind == "alone":
            self.run.take(Step("alone", self.now, event=event))
            return ALONE, None
        if isinstance(event.body, Refund | Cancel) and not event.ask:
            if f"{event.source}/{event.body.of}" not in self.run.machine.events:
                return PARKED, None
        self.run.take(Step("event", self.now, step.account, event))
        own = self.run.machine.events[event.key][2]
        return (REFUSED if own.decision.refusal else DECIDED), own

    def submit(self, events: list[Event]) -> list[Result]:
        """Send a request; now and then the process dies, or its answer gets lost."""
        self.counts["batches"] += 1
        chance = self.dice.random()
        if chance < 0.05:
            self.cut(events)
        elif chance < 0.10:
            self.lose(events)
        return self.send(events)

    def send(self, events: list[Event]) -> list[Result]:
        """Every fourth seed is an import: events count as received when they happened."""
        return self.desk.submit(events, importing=self.importing)

    def cut(self, events: list[Event]) -> None:
        """The process dies before its commit: nothing of the batch is there afterwards."""
        self.counts["cuts"] += 1

        def die() -> None:
            raise PowerCut

        self.during(die, events)

    def lose(self, events: list[Event]) -> None:
        """Nobody knows whether the commit took place; half the time it did."""
        self.counts["unknown"] += 1
        done, commit = self.dice.random() < 0.5, self.desk.books.commit

        def lost() -> None:
            if done:
                commit()
            raise Unknown("the answer got lost")

        answers = self.during(lost, events)
        ensure(all(x.outcome == UNKNOWN for x in answers or ()), "not unknown", answers)
        if done:
            self.committed = True
            self.deliver()

    def during(self, commit: Callable[[], None], events: list[Event]) -> list[Result] | None:
        """A request while the commit does something else; a process that died is opened again."""
        books: Any = self.desk.books
        books.commit = commit
        try:
            return self.send(events)
        except PowerCut:
            self.desk.close()
            self.desk = self.open()
            return None
        finally:
            vars(books).pop("commit", None)

    def again(self) -> None:
        """What was sent before is sent again: as it was, and with another body."""
        if not self.sent or self.dice.random() > 0.3:
            return
        event, answer = self.dice.choice(self.sent[-60:])
        self.counts["repeated"] += 1
        self.deliver()
        (repeated,) = self.send([event])
        ensure(repeated.again and repeated.outcome == answer.outcome, "I6 decided twice", event)
        assert repeated.entry is not None
        assert answer.entry is not None
        ensure(_said(repeated.entry) == _said(answer.entry), "I6 another answer", event)
        if isinstance(event.body, Purchase):
            self.counts["altered"] += 1
            self.deliver()
            body = structs.replace(event.body, location="elsewhere")
            (other,) = self.send([structs.replace(event, body=body)])
            code = other.refusal.code if other.refusal else ""
            ensure(code == "id-reused", "I6 another body under the same key", event, other)

    # ── at the end ───────────────────────────────────────────────────────────

    def finish(self) -> None:
        """The books hold what the engine decided in memory, and prove it."""
        self.deliver()
        self.desk.settle()
        self.desk.sweep()
        self.desk.checkpoint()
        machine = self.run.machine
        for number in machine.accounts:
            machine.advance(number, self.now)
        self.run.finish()
        books = self.desk.books
        with books.reader() as frozen:
            frozen.freeze()
            for row in frozen.all_accounts(0, 1 << 60):
                self.compare(row.id, decode_account(row.snapshot))
            seen = dict.fromkeys(machine.accounts, 0)
            for row, postings, _ in frozen.history(0, 1 << 60):
                entry, data = machine.entries[row.account][seen[row.account]]
                seen[row.account] += 1
                mine = (entry.seq, entry.at, entry.version, entry.event, data)
                ensure(_said(entry_of(row, postings)) == mine, "the books have another entry", row)
            for number, count in seen.items():
                ensure(count == len(machine.entries[number]), "entries are missing", number)
        report = verify(books)
        ensure(report.ok, "verify", [str(each) for each in report.problems])
        redecide(books, report)
        ensure(not report.differences, "decided otherwise now", report.differences)

    def compare(self, number: int, stored: Account) -> None:
        account = self.run.machine.accounts[number]
        stored.due = account.due
        if encode_account(stored) != encode_account(account):
            raise Broken(f"another snapshot of {number}: {difference(stored, account)}")


def _said(entry: Entry) -> tuple[Any, ...]:
    return entry.seq, entry.at, entry.version, entry.event, encode_decision(entry.decision)
