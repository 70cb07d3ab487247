"""Invariants: what must be true of the books after every event, whatever the program says.

The cheap ones look at one account and its new entries; the dear ones fold everything
again. ``Broken`` says what does not hold. The names I1 to I14 are those of the test plan.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from kantis.core.account import (
    NEVER,
    Account,
    decode_account,
    encode_account,
    value_at,
)
from kantis.core.decision import Entry, apply, decode_decision
from kantis.core.events import Activity, Purchase
from kantis.core.places import (
    AVAILABLE,
    CARRIED,
    CHART,
    EXPIRED,
    HELD,
    ISSUED,
    OWED,
    TRANSIT,
    VOUCHER,
)
from tests.simulation.world import Machine


class Broken(AssertionError):
    """Something that must always hold does not."""


def ensure(holds: bool, message: str, *about: Any) -> None:
    """Stop with the message where something does not hold."""
    if not holds:
        raise Broken(f"{message}: {about}")


def check_account(account: Account) -> None:
    """I2, I3, I4: purse = open lots, nothing below zero but a debt, each lot adds up."""
    sums: dict[str, list[int]] = {name: [0, 0, 0] for name in account.purse}
    waiting: dict[int, int] = {}
    for _, lot_id, amount in account.waiting:
        ensure(amount > 0, "I4 less than nothing waits", lot_id, amount)
        waiting[lot_id] = waiting.get(lot_id, 0) + amount
    for lot in account.lots.values():
        here, later, aside = lot.available, lot.pending, lot.held
        gone = lot.spent + lot.expired + lot.reversed + lot.moved
        if lot.issued != gone + here + later + aside:
            raise Broken(f"I4 a lot does not add up: {lot}")
        low = min(here, later, aside, lot.spent, lot.expired, lot.reversed, lot.moved)
        if low < 0:
            raise Broken(f"I3 a lot is below zero: {lot}")
        if waiting.get(lot.id, 0) != later and (later or waiting) and not lot.group:
            raise Broken(f"I4 what waits is not pending: {lot} {account.waiting}")
        if here or later or aside:
            total = sums[lot.balance]
            total[0] += here
            total[1] += later
            total[2] += aside
    vouchers: Counter[str] = Counter()
    for voucher in account.vouchers.values():
        if voucher.state == "open":
            vouchers[voucher.balance] += voucher.points
    held: Counter[str] = Counter()
    for hold in account.holds.values():
        held[hold.balance] += sum(amount for _, amount in hold.lots)
    for name, purse in account.purse.items():
        ensure(purse[: HELD + 1] == sums[name], "I2 purse and open lots differ", name, purse)
        ensure(purse[OWED] <= 0, "I3 more repaid than owed", name, purse)
        ensure(not (purse[OWED] and purse[AVAILABLE]), "a debt beside points", name, purse)
        ensure(purse[VOUCHER] == vouchers[name], "vouchers and points behind them", name, purse)
        ensure(purse[HELD] == held[name], "holds and points in them", name, purse, account.holds)
    for name, windows in account.counters.items():
        ensure(min(windows.values(), default=0) >= 0, "a counter is below zero", name, windows)
    for group, standing in account.tiers.items():
        last = standing.history[-1][1] if standing.history else 0
        ensure(last == standing.level, "I14 level and history differ", group, standing)


def check_entries(
    before: int, entries: list[Entry], account: Account, day: int, kept: frozenset[str]
) -> None:
    """I1, I9, I12: two-sided postings, nothing out of a dead lot, each point has a reason.

    Points of the balances in ``kept`` may outlive their end.
    """
    for entry in entries:
        ensure(entry.seq == before + 1, "an entry is missing", entry.seq, before)
        before = entry.seq
        issued: Counter[tuple[str, int]] = Counter()
        for balance, source, target, amount, lot_id, reason in entry.decision.postings:
            ensure(amount > 0 and source != target, "I1 a posting moves nothing", entry)
            ensure(0 <= min(source, target) <= max(source, target) < len(CHART), "I1 no place")
            ensure(bool(reason), "I12 a posting without a reason", entry)
            if reason == "earning" and source == ISSUED:
                issued[balance, lot_id] += amount
            lot = account.lots.get(lot_id)
            if lot is None or source != AVAILABLE or not lot.expires or balance in kept:
                continue
            leaves = target > HELD and target not in (OWED, EXPIRED, CARRIED)
            if leaves and entry is entries[-1] and entry.event and reason != "refunds":
                ensure(lot.expires > day, "I9 something left an expired lot", lot, day)
        if entry.decision.refusal is None:
            facts: Counter[tuple[str, int]] = Counter()
            for fact in entry.decision.fired:
                if len(fact) > 4 and fact[4] and fact[3] > 0:
                    facts[fact[1], fact[4]] += fact[3]
            ensure(+facts == +issued, "I12 points that no rule explains", facts, issued)
    ensure(account.seq == before, "an entry is missing", account.seq, before)


def check_refund(machine: Machine, key: str) -> None:
    """Never more is taken back than was earned, and all of it when all came back."""
    _, event, entry = machine.events[key]
    body = event.body
    assert isinstance(body, Purchase | Activity)
    earned: Counter[tuple[str, str, int]] = Counter()
    taken: Counter[tuple[str, str, int]] = Counter()
    returned: Counter[str] = Counter()
    periods = {each.name for each in machine.program.plan(event.time).earning.periods}
    for fact in entry.decision.fired:
        if fact[4] and fact[0] not in periods:
            earned[fact[0], fact[1], fact[4]] += fact[3]
    for decision in machine.undone.get(key, ()):
        for fact in decision.fired:
            if fact[0] == "refund":
                for line, quantity in fact[5]:
                    returned[line] += quantity
            elif fact[4]:
                taken[fact[0], fact[1], fact[4]] += -fact[5]
    lines = [(x.id, x.quantity) for x in body.lines] if isinstance(body, Purchase) else []
    lines = lines or [(body.name, body.quantity)]  # type: ignore[union-attr]
    whole = all(returned[line] == max(1, quantity) for line, quantity in lines)
    for each in taken:
        ensure(taken[each] <= earned[each], "more taken back than earned", key, each)
    if whole:
        ensure(taken == earned, "not all was taken back", key, taken, earned)


class Shadow:
    """I11: a second copy of each account, that only ever folds what was recorded."""

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}
        self.folded: dict[int, int] = defaultdict(int)
        self.levels: dict[int, list[tuple[int, str, int, int]]] = defaultdict(list)

    def check(self, machine: Machine, number: int) -> None:
        """Fold what is new, and compare byte for byte."""
        shadow = self.accounts.setdefault(number, Account(number))
        for entry, data in machine.entries[number][self.folded[number] :]:
            decision = decode_decision(data)
            fresh = Entry(entry.seq, entry.at, entry.version, decision, entry.event, entry.due)
            apply(shadow, fresh)
            for change in decision.changes:
                if change[0] == "tier":
                    self.levels[number].append((entry.seq, change[1], entry.at, change[2]))
        self.folded[number] = len(machine.entries[number])
        account = machine.accounts[number]
        shadow.due = account.due
        if encode_account(shadow) != encode_account(account):
            raise Broken(f"I11 the fold differs: {difference(shadow, account)}")

    def check_levels(self, machine: Machine, number: int) -> None:
        """I14: the level at a past instant, as it was known then, is worked out again."""
        account = machine.accounts[number]
        for group, standing in account.tiers.items():
            known = [each for each in self.levels[number] if each[1] == group]
            at, level = known[-1][2], known[-1][3]
            ensure(value_at(standing.history, at, 0) == level, "I14 another level then", known[-1])


def difference(one: Account, other: Account) -> str:
    """The first fields in which two accounts differ."""
    names = [n for n in one.__struct_fields__ if getattr(one, n) != getattr(other, n)]
    return "; ".join(f"{n}: {getattr(one, n)} / {getattr(other, n)}" for n in names) or "order"


def check_transit(machine: Machine, waiting: Counter[str]) -> None:
    """What has left one account and is not yet taken stands in transit."""
    found: Counter[str] = Counter()
    for entries in machine.entries.values():
        for entry, _ in entries:
            for balance, source, target, amount, _, _ in entry.decision.postings:
                found[balance] += amount * ((target == TRANSIT) - (source == TRANSIT))
    ensure(+found == +waiting and -found == -waiting, "points got lost in transit", found, waiting)


def check_stock(machine: Machine) -> None:
    """I8: given + held + left = all."""
    for name, quantity in machine.program.limits().items():
        ensure(0 <= machine.stock[name] <= quantity, "I8 too many were given", name)


def check_due(account: Account) -> None:
    """Nothing that time does lies behind."""
    ensure(account.due > account.at or account.due == NEVER, "time is behind", account.due)


def copy(account: Account) -> Account:
    """A copy through its bytes."""
    return decode_account(encode_account(account))
