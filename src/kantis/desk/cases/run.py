"""Cases: how anybody tests a program, with no database and no code.

A case file names its program and holds cases: what is ``given``, what happens ``when``,
and what is there ``then``. The cases run on the same engine as the till, on accounts that
live only as long as the case.

Guarantee: a case passes only if everything that it states is so, and nothing in it was
refused that it does not expect to be refused.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct, field, structs

from kantis.core.account import Account, decode_account, encode_account
from kantis.core.decision import DESK, Context, Decision, Entry, Original, follow_up_id
from kantis.core.events import Body, Carry, Event, Purchase, Use
from kantis.core.knobs import Fault, ProgramError
from kantis.desk.cases.file import NOBODY, Case, Step, read_cases
from kantis.desk.cases.look import Check, Expect, View
from kantis.desk.cases.story import Told, story
from kantis.engine import decide as engine
from kantis.engine.program import Program, Version, assemble


class Failure(Struct):
    """A difference: where, what, what was expected and what came, and what led there."""

    line: int
    what: str
    expected: str
    got: str
    story: list[str] = []


class CaseResult(Struct):
    """What became of a case; it passed if there are no failures."""

    name: str
    line: int
    checks: int = 0
    failures: list[Failure] = field(default_factory=list)


class FileResult(Struct):
    """What became of a file: its cases, or the faults for which it could not be read."""

    path: str
    cases: list[CaseResult] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every case passed."""
        return not self.faults and not any(case.failures for case in self.cases)


def run_file(path: Path) -> FileResult:
    """Run all cases of a file; faults of the file or of its program stand in the result."""
    found = FileResult(str(path))
    try:
        file = read_cases(path)
        program = assemble([file.version])
        for case in file.cases:
            found.cases.append(_Run(file.version, program).run(case))
    except ProgramError as error:
        found.faults = error.faults
    except OSError as error:
        found.faults = [Fault("no-file", f"{path} cannot be opened: {error.strerror}.")]
    return found


def run_case(version: Version, case: Case) -> CaseResult:
    """Run one case under a version of its program; ``ProgramError`` if that cannot be used."""
    return _Run(version, assemble([version])).run(case)


class _Run:
    """Runs one case on accounts of its own."""

    def __init__(self, version: Version, program: Program) -> None:
        self.versions = [version]
        self.program = program
        self.accounts: dict[str, Account] = {}
        self.told: dict[str, list[Told]] = {}
        self.originals: dict[str, tuple[str, Event, Entry]] = {}
        self.receipts: dict[str, Event] = {}
        self.limits = self.program.limits()
        self.quantities = dict(self.limits)
        self.done: dict[tuple[str, str], list[Decision]] = {}
        self.last: dict[str, list[Decision]] = {}
        self.refused: tuple[Step, Decision] | None = None
        self.now = 0
        self.result = CaseResult("", 0)

    def run(self, case: Case) -> CaseResult:
        """Take all steps; stop where the engine itself breaks down."""
        self.result = CaseResult(case.name, case.line)
        for step in case.steps:
            try:
                self.step(step)
            except Exception as error:
                got = f"{type(error).__name__}: {error}"
                self.fail(step.line, "the engine", "an answer", f"a fault of its own: {got}")
                return self.result
        self.unexpected()
        return self.result

    def step(self, step: Step) -> None:
        """Take one step, then look at what it expects."""
        if step.verb != "then":
            self.unexpected()
        self.now = max(self.now, step.received, step.time)
        if step.verb == "until" or (step.verb == "then" and step.time):
            self.advance(self.now)
        elif step.verb == "publish":
            self.publish(step)
        elif step.body is not None:
            self.event(step, step.body)
        if step.then is not None:
            self.look(step.then)

    def account(self, name: str) -> Account:
        """The account of a name; it comes to be when it is first spoken of."""
        if name not in self.accounts:
            self.accounts[name] = Account(len(self.accounts) + 1)
        return self.accounts[name]

    def advance(self, moment: int) -> None:
        """Time passes for all accounts."""
        for name, account in self.accounts.items():
            entries = engine.advance(self.program, account, moment) if account.joined else []
            self.write(name, None, entries)
            self.last[name] = [entry.decision for entry in entries]
            self.follow(name, entries)

    def publish(self, step: Step) -> None:
        """Another version of the program begins now."""
        assert step.version is not None
        number = self.versions[-1].number + 1
        self.versions = [*self.versions, Version(number, step.time, step.version)]
        self.program = assemble(self.versions)
        for name, quantity in self.program.limits().items():
            more = quantity - self.quantities.get(name, 0)
            self.limits[name] = self.limits.get(name, 0) + more
            self.quantities[name] = quantity
        for account in self.accounts.values():
            account.due = min(account.due, step.time)
        self.advance(step.time)

    def event(self, step: Step, body: Body) -> None:
        """Something happens to an account, or is only asked about."""
        if step.account == NOBODY:
            assert isinstance(body, Purchase), "only a purchase can be nobody's"
            event = Event("case", step.id, step.time, "", body, step.received)
            self.receipts[body.receipt] = event
            return
        body = self.resolved(step, body)
        subject = f"account:{step.account}"
        event = Event("case", step.id, step.time, subject, body, step.received, step.ask)
        entries = self.decide(step.account, event, dry=step.verb == "quote")
        own = entries[-1].decision
        self.last[step.account] = self.done[step.account, step.id] = [own]
        if own.refusal is not None:
            self.refused = (step, own)

    def resolved(self, step: Step, body: Body) -> Body:
        """A voucher is named by its kind where its code is not known; a line by itself."""
        if isinstance(body, Use):
            self.advance(step.received)
            vouchers = self.account(step.account).vouchers
            mine = [
                (each.expires or 1 << 60, code)
                for code, each in vouchers.items()
                if each.kind == body.voucher and each.state == "open"
            ]
            if body.voucher not in vouchers and mine:
                return structs.replace(body, voucher=min(mine)[1])
        return body

    def decide(self, name: str, event: Event, *, dry: bool = False) -> list[Entry]:
        """Let the engine decide, write down what it says, and see to what follows."""
        account = self.account(name)
        if dry:
            copy = decode_account(encode_account(account))
            return engine.decide(self.program, copy, event, self.context(copy, event))
        entries = engine.decide(self.program, account, event, self.context(account, event))
        self.write(name, event, entries)
        self.originals[event.key] = (name, event, entries[-1])
        self.follow(name, entries)
        return entries

    def context(self, account: Account, event: Event) -> Context:
        """What the decision has to see beside the account."""
        needs = engine.needs(self.program, account, event)
        found = Context({}, {}, {})
        for key in needs.originals:
            if key in self.originals:
                name, original, entry = self.originals[key]
                undone, own = self.undone(name, key), self.accounts[name]
                if own.id in account.merged:
                    here = self.undone(self.named(str(account.id)), key)
                    places = (own.id,) * len(undone) + (0,) * len(here)
                    known = Original(original, entry, undone + here, own.id, places)
                    found.originals[key] = known
                elif own is account or name == event.subject[8:]:
                    found.originals[key] = Original(original, entry, undone)
        for receipt in needs.receipts:
            if receipt in self.receipts:
                found.receipts[receipt] = self.receipts[receipt]
        for limit in needs.limits:
            found.limits[limit] = self.limits.get(limit, 0)
        return found

    def undone(self, name: str, key: str) -> tuple[Decision, ...]:
        """The decisions on an account that undid something of an earlier event."""
        told = [each.entry.decision for each in self.told.get(name, ())]
        return tuple(each for each in told if each.cause == key)

    def write(self, name: str, event: Event | None, entries: list[Entry]) -> None:
        """Remember what was decided, for the story behind a failure."""
        for entry in entries:
            own = event if event is not None and entry is entries[-1] else None
            self.told.setdefault(name, []).append(Told(entry, own))
            for limit, amount in entry.decision.claims:
                self.limits[limit] = self.limits.get(limit, 0) - amount

    def follow(self, name: str, entries: list[Entry]) -> None:
        """Events for other accounts, each with an id and a time from its cause."""
        for entry in entries:
            for number, each in enumerate(entry.decision.follow_ups):
                key = follow_up_id(self.account(name).id, entry.seq, number)
                event = Event(DESK, key, entry.at, each.subject, each.body, entry.at)
                self.deliver(name, event)

    def deliver(self, sender: str, event: Event) -> None:
        """A follow-up reaches its account; value that nobody takes comes back."""
        said = self.decide(self.named(event.subject.partition(":")[2]), event)[-1]
        body = event.body
        if said.decision.refusal is not None and isinstance(body, Carry):
            back = structs.replace(body, origin="back", member="")
            self.decide(sender, structs.replace(event, id=f"{event.id}-back", body=back))

    def named(self, reference: str) -> str:
        """The name of an account that is referred to by its name or its number."""
        for name, account in self.accounts.items():
            if reference == str(account.id):
                return name
        return reference

    def look(self, expect: Expect) -> None:
        """Compare what is with what should be."""
        if expect.moment:
            self.now = max(self.now, expect.moment)
            self.advance(self.now)
        if expect.refusal:
            self.refused = None
        account = self.account(expect.account)
        decisions = self.last.get(expect.account, [])
        if expect.of:
            decisions = self.done.get((expect.account, expect.of), [])
            if not decisions:
                self.fail(expect.line, "of", f"a step {expect.of!r}", "none")
        moment = max(self.now, account.at)
        plan = self.program.plan_for(account, moment)
        told = {
            name: [each.entry.decision for each in entries] for name, entries in self.told.items()
        }
        everyone = [decision for decisions in told.values() for decision in decisions]
        mine = told.get(expect.account, [])
        view = View(self.program, account, moment, decisions, plan, mine, everyone)
        for check in expect.checks:
            self.result.checks += 1
            got = check.get(view)
            if got != check.expected:
                self.differ(expect, check, got)

    def differ(self, expect: Expect, check: Check, got: str) -> None:
        """Write down a difference, with the entries that led there."""
        told = self.told.get(expect.account, [])
        lines = story(self.program, told, check.balance)
        self.result.failures.append(
            Failure(check.line, check.what, check.expected, got, lines[-12:])
        )

    def fail(self, line: int, what: str, expected: str, got: str) -> None:
        """Write down that something else went wrong."""
        self.result.failures.append(Failure(line, what, expected, got))

    def unexpected(self) -> None:
        """A refusal that nobody expected is a failure."""
        if self.refused is not None:
            step, decision = self.refused
            self.refused = None
            assert decision.refusal is not None
            got = f"{decision.refusal.code}: {decision.refusal.sentence}"
            self.fail(step.line, f"{step.verb} {step.id}", "no refusal", got)
