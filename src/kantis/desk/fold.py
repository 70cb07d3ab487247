"""Fold: each account is the sum of its entries, and of nothing else.

Entries are counted without a gap; the chain value of each follows from the one before it
and from all that is recorded with it; the snapshot, the balance rows and the lots are what
the entries add up to. No rule of any program is needed for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final, Generic, TypeVar

from kantis.core.account import Account, decode_account, says_the_same
from kantis.core.decision import Entry, apply, decode_decision
from kantis.core.places import HELD
from kantis.desk.report import RESTORE, Progress, Report
from kantis.store import chain
from kantis.store.chain import link
from kantis.store.reading import Ledger, Reading
from kantis.store.rows import AccountRow, BalanceRow

#: Beyond every account.
FAR: Final = 1 << 62
_STEP: Final = 2_000

Item = TypeVar("Item")


def fold(
    books: Reading, report: Report, tell: Progress, first: int = -FAR, last: int = FAR
) -> None:
    """Each account from ``first`` to ``last`` is the fold of its entries."""
    low, high = books.account_range()
    low, high = max(low, first), min(high, last)
    wakes = _wakes(books)
    ledgers = _Merge(books.ledgers(first, last))
    purses = _Merge(_by_account(books.all_balances(first, last)))
    for row in books.all_accounts(first, last):
        for stray in (*ledgers.before(row.id), *purses.before(row.id)):
            report.add("no-account", stray, 0, f"There are rows without an account. {RESTORE}")
        _fold(row, ledgers.of(row.id), purses.of(row.id), wakes, report)
        report.accounts += 1
        if not report.accounts % _STEP:
            tell("accounts", row.id - low, high - low + 1)
    for stray in (*ledgers.before(1 << 63), *purses.before(1 << 63)):
        report.add("no-account", stray, 0, f"There are rows without an account. {RESTORE}")
    tell("accounts", high - low + 1, high - low + 1)


def _by_account(balances: Iterator[BalanceRow]) -> Iterator[tuple[int, list[BalanceRow]]]:
    return ((account, list(rows)) for account, rows in groupby(balances, itemgetter(0)))


class _Merge(Generic[Item]):
    """Lists by account, in the order of the accounts, taken account by account."""

    def __init__(self, lists: Iterator[tuple[int, list[Item]]]) -> None:
        self._lists = lists
        self._next = next(lists, None)

    def before(self, account: int) -> Iterator[int]:
        """Accounts that are passed over on the way to one."""
        while self._next is not None and self._next[0] < account:
            yield self._next[0]
            self._next = next(self._lists, None)

    def of(self, account: int) -> list[Item]:
        """The list of an account."""
        if self._next is None or self._next[0] != account:
            return []
        found = self._next[1]
        self._next = next(self._lists, None)
        return found


def _wakes(books: Reading) -> dict[int, set[int]]:
    """The instants at which versions begin, or would have: accounts may be made due then."""
    programs = books.programs().values()
    return {
        each: {version.since for version in books.versions(each, cancelled=True)}
        for each in programs
    }


def _fold(
    row: AccountRow,
    entries: Ledger,
    balances: list[BalanceRow],
    wakes: dict[int, set[int]],
    report: Report,
) -> None:
    account, head = Account(row.id), chain.EMPTY
    last = version = 0
    report.entries += len(entries)
    for entry, postings, agree in entries:
        _, seq, event, at, _, _, due, number, _, _, hashing, _, _, data, _, kept = entry
        report.postings += len(postings)
        if link(head, entry[:-1], postings) != kept or not agree or hashing != chain.HASHING:
            message = f"What is recorded is not what was committed to. {RESTORE}"
            report.add("chain", row.id, seq, message)
        if seq != account.seq + 1 or at < last:
            report.add("sequence", row.id, seq, f"Entries are missing or moved. {RESTORE}")
        head, last = kept, at
        try:
            decision = decode_decision(data)
            decision.postings = postings
            apply(account, Entry(seq, at, number, decision, event, due))
        except Exception as error:
            message = f"The entry does not fit the account: {error}. {RESTORE}"
            report.add("fold", row.id, seq, message)
            return
        if number != version:
            report.versions.add((row.program, version := number))
        for limit, amount in decision.claims:
            key = row.program, limit
            report.limits[key] = report.limits.get(key, 0) + amount
    _compare(row, account, head, wakes, report)
    _compare_balances(row.id, account, balances, report)
    _lots(account, entries, report)


def _compare(
    row: AccountRow, account: Account, head: bytes, wakes: dict[int, set[int]], report: Report
) -> None:
    if (row.seq, row.head) != (account.seq, head):
        report.add("tail", row.id, row.seq, f"The last entries are missing. {RESTORE}")
    try:
        stored = decode_account(row.snapshot)
    except Exception as error:
        report.add("snapshot", row.id, 0, f"The snapshot cannot be read: {error}. {RESTORE}")
        return
    account.due = stored.due
    if not says_the_same(row.snapshot, account):
        message = f"The snapshot is not the fold of the entries. {RESTORE}"
        report.add("snapshot", row.id, row.seq, message)
    due = row.due if row.due is not None else 1 << 62
    if due != stored.due and due not in wakes.get(row.program, ()):
        report.add("due", row.id, row.seq, f"The account is due at another instant. {RESTORE}")


def _compare_balances(
    number: int, account: Account, balances: list[BalanceRow], report: Report
) -> None:
    rows = {row.balance: list(row[2:]) for row in balances}
    if rows != account.purse:
        for name in sorted({*rows, *account.purse}):
            if rows.get(name) != account.purse.get(name):
                message = f"{name}: the row is not the sum of the postings. {RESTORE}"
                report.add("balance", number, account.seq, message)


def _lots(account: Account, entries: Ledger, report: Report) -> None:
    sums: dict[str, list[int]] = {name: [0, 0, 0] for name in account.purse}
    for lot in account.lots.values():
        gone = lot.spent + lot.expired + lot.reversed + lot.moved
        if lot.issued != gone + lot.available + lot.pending + lot.held:
            message = f"Lot {lot.id} does not add up. Report this as a bug."
            report.add("lot", account.id, account.seq, message)
        total = sums.setdefault(lot.balance, [0, 0, 0])
        total[0] += lot.available
        total[1] += lot.pending
        total[2] += lot.held
    for name, purse in account.purse.items():
        if sums[name] != purse[: HELD + 1] and not _without_lots(name, entries):
            message = f"{name}: open lots are not the balance. Report this as a bug."
            report.add("lot", account.id, account.seq, message)


def _without_lots(name: str, entries: Ledger) -> bool:
    """Whether a balance is kept without lots: then there is nothing to compare."""
    return any(
        balance == name and not lot and (source <= HELD or target <= HELD)
        for _, postings, _ in entries
        for balance, source, target, _, lot, _ in postings
    )


def fold_alone(books: Reading, first: int, last: int) -> Report:
    """A report about the accounts from ``first`` to ``last``."""
    report = Report()
    fold(books, report, lambda what, done, total: None, first, last)
    return report
