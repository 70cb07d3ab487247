"""Run: one seed, step by step, with the naive model beside the real code.

``explore`` draws and runs a seed; ``replay`` runs recorded steps; ``shrink`` cuts a failing
list of steps to a small one that still fails in the same way.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections import Counter
from typing import Any

from kantis.core.account import Account, encode_account
from kantis.core.decision import Entry, FollowUp, encode_decision
from kantis.core.events import Cancel, CarriedLot, Carry, Event, Purchase, Refund
from kantis.core.places import MEMBER_PLACES, OWED, PAYOUT, VOUCHER
from kantis.engine.decide import advance, decide
from tests.simulation import invariants, leaflets
from tests.simulation.crowd import Crowd
from tests.simulation.invariants import Broken, Shadow, difference, ensure
from tests.simulation.leaflets import Leaflet
from tests.simulation.world import Machine, Step

LEAFLETS = {
    "market": leaflets.Market,
    "hotel": leaflets.Hotel,
    "grocer": leaflets.Grocer,
    "corner-cafe": leaflets.Cafe,
}
#: which program a seed plays: the busy ones more often
PLAYS = ("market", "hotel", "market", "grocer", "market", "hotel", "corner-cafe", "market")


class Failure(AssertionError):
    """A run that failed, with all that is needed to see it again."""

    def __init__(self, seed: int, steps: list[Step], cause: BaseException) -> None:
        self.seed, self.steps, self.cause = seed, steps, cause
        self.number = len(steps)
        super().__init__(
            f"seed {seed} ({program_of(seed)}), event {self.number}, commit {commit()}:\n"
            f"{type(cause).__name__}: {cause}\n"
            f"replay: python -m tests.simulation --seed {seed} --events {self.number}"
        )


def commit() -> str:
    """The commit of this checkout, with a star where files are changed."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=*"], capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def program_of(seed: int) -> str:
    """The program that a seed plays."""
    return PLAYS[seed % len(PLAYS)]


class Run:
    """The machine and the naive model, kept in step."""

    def __init__(self, seed: int) -> None:
        self.seed, name = seed, program_of(seed)
        self.machine = Machine(name)
        self.naive: Leaflet = LEAFLETS[name]()
        self.shadow = Shadow()
        self.steps: list[Step] = []
        self.crowd = Crowd(seed, self.machine)
        self.transit: Counter[str] = Counter()
        self.on_the_way: list[tuple[int, int, int, int, FollowUp]] = []
        policies = self.machine.program.newest.balances.values()
        self.kept = frozenset(each.name for each in policies if each.kept is not None)
        self.digest = hashlib.blake2b(digest_size=16)

    def explore(self, events: int) -> None:
        """Draw and run so many steps."""
        for _ in range(events):
            self.take(self.crowd.step())
        self.finish()

    def replay(self, steps: list[Step]) -> None:
        """Run recorded steps."""
        for step in steps:
            self.take(step)
        self.finish()

    def take(self, step: Step) -> None:
        """One step, on both sides, and what must hold after it."""
        self.steps.append(step)
        try:
            getattr(self, step.kind)(step)
        except Exception as error:
            raise Failure(self.seed, self.steps, error) from error

    def finish(self) -> None:
        """What is looked at only at the end."""
        try:
            for number in self.machine.accounts:
                self.shadow.check(self.machine, number)
            invariants.check_transit(self.machine, self.transit)
        except Exception as error:
            raise Failure(self.seed, self.steps, error) from error

    # ── steps ────────────────────────────────────────────────────────────────

    def event(self, step: Step) -> None:
        event, number = step.event, step.account
        assert event is not None
        account = self.machine.account(number)
        twin = invariants.copy(account) if len(self.steps) % 16 == 0 else None
        before, stock = account.seq, dict(self.machine.stock)
        context = self.machine.context(account, event) if twin is not None else None
        entries = self.machine.event(number, event)
        self.hash(entries)
        day = self.machine.program.calendar.day(account.at)
        invariants.check_entries(before, entries, account, day, self.kept)
        if twin is not None:
            again = decide(self.machine.program, twin, event, context)
            ensure(_bytes(again) == _bytes(entries), "I11 decided otherwise on a copy")
            twin.due = account.due  # a lower bound, which depends on what is in the cache
            if encode_account(twin) != encode_account(account):
                raise Broken(f"I11 another state on a copy: {difference(twin, account)}")
        self.hash(self.machine.advance(number, account.at))
        decision = entries[-1].decision
        self.follow(number, event, entries[-1])
        yes, out = self.naive.event(number, event)
        ensure(
            yes == (decision.refusal is None),
            "the naive model says otherwise",
            yes,
            decision.refusal,
        )
        if out is not None:
            self.same_lots(out, decision.follow_ups[0].body.lots)  # type: ignore[union-attr]
        ensure(len(decision.follow_ups) == (out is not None), "a follow-up is missing")
        self.check(number)
        if isinstance(event.body, Refund | Cancel) and decision.fired:
            invariants.check_refund(self.machine, decision.cause)
        del stock

    def follow(self, number: int, event: Event, entry: Entry) -> None:
        """What has left goes to the other account later."""
        for position, each in enumerate(entry.decision.follow_ups):
            assert isinstance(each.body, Carry)
            for lot in each.body.lots:
                self.transit[lot.balance] += lot.amount
            self.crowd.transit.append((int(each.subject[5:]), each.body))
            self.on_the_way.append((number, entry.seq, position, entry.at, each))
        if isinstance(event.body, Carry) and event.body.origin == "transfer":
            for lot in event.body.lots:
                self.transit[lot.balance] -= lot.amount

    def same_lots(self, naive: list[CarriedLot], real: tuple[CarriedLot, ...]) -> None:
        sums: list[Counter[Any]] = [Counter(), Counter()]
        for which, lots in zip(sums, (naive, real), strict=True):
            for lot in lots:
                which[_same(lot.balance, lot.earned, lot.expires, "")] += lot.amount
        ensure(sums[0] == sums[1], "other lots leave", *sums)

    def alone(self, step: Step) -> None:
        event = step.event
        assert event is not None
        assert isinstance(event.body, Purchase)
        self.machine.alone[event.body.receipt] = event
        self.naive.alone[event.body.receipt] = event

    def advance(self, step: Step) -> None:
        account = self.machine.account(step.account)
        by_steps, at_once = invariants.copy(account), invariants.copy(account)
        before, until = account.seq, step.cuts[-1]
        entries: list[Entry] = []
        for cut in step.cuts:
            entries += advance(self.machine.program, by_steps, cut)
        direct = advance(self.machine.program, at_once, until)
        ensure(_bytes(entries) == _bytes(direct), "time in steps makes other entries")
        ensure(encode_account(by_steps) == encode_account(at_once), "time in steps ends elsewhere")
        real = self.machine.advance(step.account, step.now)
        self.hash(real)
        invariants.check_entries(before, real, account, 0, self.kept)
        member = self.naive.member(step.account)
        self.naive.pass_time(member, step.now)
        self.check(step.account)

    def publish(self, step: Step) -> None:
        self.machine.publish(step.cuts[0])
        self.naive.edited = step.cuts[0]
        self.naive.budgets |= self.naive.raised

    def restart(self, step: Step) -> None:
        self.machine.restart()

    # ── what must hold ───────────────────────────────────────────────────────

    def check(self, number: int) -> None:
        account = self.machine.accounts[number]
        if len(self.steps) % 2 == 0:
            invariants.check_account(account)
        invariants.check_due(account)
        invariants.check_stock(self.machine)
        for name, left in self.machine.stock.items():
            ensure(left == self.naive.left_of(name), "I8 given + left is not all", name, left)
        if len(self.steps) % 4 == 0:
            self.shadow.check(self.machine, number)
            self.shadow.check_levels(self.machine, number)
        deep = len(self.steps) % 3 == 0
        real, naive = self.real_view(account, deep), self.naive_view(number, deep)
        if real != naive:
            parts = [each for each in real if real[each] != naive[each]]
            lines = [f"{each}:\n  real  {real[each]}\n  naive {naive[each]}" for each in parts]
            raise Broken("the naive model has something else\n" + "\n".join(lines))

    def real_view(self, account: Account, deep: bool) -> dict[str, Any]:
        """What the account has; every third time also by lot."""
        lots: dict[Any, list[int]] = {}
        for lot in account.lots.values() if deep else ():
            if lot.open:
                key = _same(lot.balance, lot.bucket, lot.expires, lot.group)
                sums = lots.setdefault(key, [0, 0, 0])
                sums[0] += lot.available
                sums[1] += lot.pending
                sums[2] += lot.held
        purse = {
            name: [*each[:OWED], -each[OWED], each[VOUCHER], each[PAYOUT]]
            for name, each in account.purse.items()
            if any(each)
        }
        vouchers = sorted(
            (v.kind, v.worth, v.points, v.issued, v.expires, code)
            for code, v in account.vouchers.items()
            if v.state == "open"
        )
        tiers = {
            group: (each.level, each.until) for group, each in account.tiers.items() if each.level
        }
        return {"purse": purse, "lots": lots, "tiers": tiers, "vouchers": vouchers}

    def naive_view(self, number: int, deep: bool) -> dict[str, Any]:
        """The same, as the naive model has it."""
        m = self.naive.member(number)
        lots: dict[Any, list[int]] = {}
        purse: dict[str, list[int]] = {}

        def add(name: str, place: int, amount: int, key: Any = None) -> None:
            purse.setdefault(name, [0] * MEMBER_PLACES)[place] += amount
            if key and deep:
                lots.setdefault(_same(*key), [0, 0, 0])[place] += amount

        for b in self.naive.there(m):
            if b.amount:
                add(b.name, int(b.waits), b.amount, b.key)
        for hold in m.holds:
            for b, part in hold.taken:
                add(b.name, 2, part, b.key)
        for name, amount in m.owed.items():
            add(name, 3, amount)
        open_ = [v for v in m.vouchers if v.state == "open"]
        for v in open_:
            for b, part in v.taken:
                add(b.name, 4, part)
        if m.out:
            add("cash", 5, m.out)
        tiers = {group: each[-1][1:] for group, each in m.levels.items() if each and each[-1][1]}
        self.name_vouchers(number, open_)
        vouchers = sorted(
            (v.kind, v.worth, sum(n for _, n in v.taken), v.issued, v.end, v.code) for v in open_
        )
        purse = {name: each for name, each in purse.items() if any(each)}
        return {"purse": purse, "lots": lots, "tiers": tiers, "vouchers": vouchers}

    def name_vouchers(self, number: int, open_: list[Any]) -> None:
        """The naive vouchers that have no code yet get that of a real one that is the same."""
        if all(v.code for v in open_):
            return
        taken = {v.code for v in self.naive.member(number).vouchers}
        for code, real in self.machine.accounts[number].vouchers.items():
            if code in taken or real.state != "open":
                continue
            for v in open_:
                mine = v.kind, v.worth, sum(n for _, n in v.taken), v.issued, v.end
                if not v.code and mine == (
                    real.kind, real.worth, real.points, real.issued, real.expires
                ):  # fmt: skip
                    v.code = code
                    break

    def hash(self, entries: list[Entry]) -> None:
        for entry in entries:
            self.digest.update(encode_decision(entry.decision))
            self.digest.update(f"{entry.seq} {entry.at} {entry.version} {entry.due}".encode())


def _same(balance: str, day: int, end: int, group: str) -> tuple[Any, ...]:
    """What makes points alike: without an end of their own their day does not matter."""
    return balance, day if end else 0, end, group


def _bytes(entries: list[Entry]) -> list[tuple[Any, ...]]:
    return [(e.seq, e.at, e.version, e.event, encode_decision(e.decision)) for e in entries]


def fails(seed: int, steps: list[Step]) -> BaseException | None:
    """How a list of steps fails; None where it does not."""
    try:
        Run(seed).replay(steps)
    except Failure as failure:
        return failure.cause
    return None


def _kind(cause: BaseException) -> str:
    """How a failure reads, without its numbers."""
    return f"{type(cause).__name__} {cause}"[:45]


def shrink(failure: Failure, tries: int = 400) -> list[Step]:
    """A small part of the steps that still fails, by cutting."""
    steps, kind = list(failure.steps), _kind(failure.cause)
    cause = fails(failure.seed, steps)
    if cause is None or _kind(cause) != kind:  # it needs the books, which are not replayed here
        return steps
    size = len(steps) // 2
    while size and tries:
        position = 0
        while position < len(steps) and tries:
            rest = steps[:position] + steps[position + size :]
            tries -= 1
            cause = fails(failure.seed, rest) if rest else None
            if cause is not None and _kind(cause) == kind:
                steps = rest
            else:
                position += size
        size //= 2
    return steps


def report(failure: Failure) -> str:
    """A failure with the small list of steps that still fails, for people to read."""
    steps = shrink(failure)
    lines = [str(failure), f"the smallest list of steps found, {len(steps)} of {failure.number}:"]
    lines += [f"  {step}" for step in steps[-20:]]
    cause = fails(failure.seed, steps)
    return "\n".join([*lines, f"they fail with {type(cause).__name__}: {cause}"])
