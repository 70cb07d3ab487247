"""Verify: prove that the books are what was decided.

The *fold* proof: every snapshot, balance, lot and limit is the fold of the recorded
entries; entries are counted without a gap; every chain value follows from the one before;
every event has the hash of what it said; every checkpoint has the root of the chain
values under it. It reads the books as of one instant and needs no rule of any program.

Guarantee: one changed, lost or inserted row shows, with the account, the entry and what
to do. What only helps people (notes, flags) is not covered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct, field

from kantis.core.account import Account, decode_account, encode_account
from kantis.core.decision import Entry, apply, decode_decision
from kantis.core.events import decode_body
from kantis.core.places import CHART, HELD, MEMBER_PLACES
from kantis.desk.sweep import changed
from kantis.store import chain
from kantis.store.books import Books
from kantis.store.chain import link
from kantis.store.reading import Ledger, Reading
from kantis.store.rows import AccountRow, BalanceRow, EventRow, Row
from kantis.store.schema import ALONE, DECIDED

#: Problems that are described; the others are counted.
PROBLEMS_MAX: Final = 100
_STEP: Final = 2_000

Item = TypeVar("Item")
Numbered = TypeVar("Numbered", bound=tuple[Any, ...])
Progress = Callable[[str, int, int], None]


class Problem(Struct, frozen=True):
    """Something in the books that cannot be, and what to do about it."""

    code: str
    account: int
    seq: int
    message: str

    def __str__(self) -> str:
        where = f"account {self.account}" if self.account else "books"
        where += f", entry {self.seq}" if self.seq else ""
        return f"{where}: {self.message} [{self.code}]"


class Report(Struct):
    """What was proved, and what was not."""

    accounts: int = 0
    entries: int = 0
    postings: int = 0
    events: int = 0
    checkpoints: int = 0
    redecided: int = 0
    differences: int = 0
    wrong: int = 0
    problems: list[Problem] = field(default_factory=list)
    different: list[Problem] = field(default_factory=list)
    limits: dict[tuple[int, str], int] = field(default_factory=dict)
    versions: set[tuple[int, int]] = field(default_factory=set)

    def tell_difference(self, account: int, seq: int, message: str) -> None:
        """Note a decision that would be another one now; that is no problem of the books."""
        self.differences += 1
        if len(self.different) < PROBLEMS_MAX:
            self.different.append(Problem("differs", account, seq, message))

    @property
    def ok(self) -> bool:
        """Whether everything was proved."""
        return not self.wrong

    def add(self, code: str, account: int, seq: int, message: str) -> None:
        """Note a problem; the first ones are described."""
        self.wrong += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(code, account, seq, message))


_RESTORE = "Restore the row from a backup, and find out who can write to the database."


def verify(
    books: Books,
    progress: Progress | None = None,
    anchors: Mapping[int, bytes] | None = None,
) -> Report:
    """The fold proof over all of the books.

    ``anchors`` are roots of checkpoints, by their number, that were kept in another place.
    """
    report = Report()
    tell = progress or (lambda what, done, total: None)
    with books.reader() as frozen:
        frozen.freeze()
        fold(frozen, report, tell)
        _events(frozen, report, tell)
        _limits(frozen, report)
        _places(frozen, report)
        _checkpoints(frozen, report, anchors or {})
        _versions(frozen, report)
    return report


# ── accounts ─────────────────────────────────────────────────────────────────


def fold(
    books: Reading, report: Report, tell: Progress, first: int = 0, last: int = 1 << 62
) -> None:
    """Each account from ``first`` to ``last`` is the fold of its entries."""
    low, high = books.account_range()
    low, high = max(low, first), min(high, last)
    wakes = _wakes(books)
    ledgers = _Merge(books.ledgers(first, last))
    purses = _Merge(_by_account(books.all_balances(first, last)))
    for row in books.all_accounts(first, last):
        for stray in (*ledgers.before(row.id), *purses.before(row.id)):
            report.add("no-account", stray, 0, f"There are rows without an account. {_RESTORE}")
        _fold(row, ledgers.of(row.id), purses.of(row.id), wakes, report)
        report.accounts += 1
        if not report.accounts % _STEP:
            tell("accounts", row.id - low, high - low + 1)
    for stray in (*ledgers.before(1 << 63), *purses.before(1 << 63)):
        report.add("no-account", stray, 0, f"There are rows without an account. {_RESTORE}")
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
    """The instants at which versions begin: accounts may be made due then."""
    programs = books.programs().values()
    return {each: {version.since for version in books.versions(each)} for each in programs}


def _fold(
    row: AccountRow,
    entries: Ledger,
    balances: list[BalanceRow],
    wakes: dict[int, set[int]],
    report: Report,
) -> None:
    account, head, lotless = Account(row.id), chain.EMPTY, set[str]()
    last = version = 0
    for entry, postings, agree in entries:
        report.entries += 1
        report.postings += len(postings)
        made = link(head, entry[:-1], postings)
        if made != entry.chain or not agree or entry.hashing != chain.HASHING:
            message = f"What is recorded is not what was committed to. {_RESTORE}"
            report.add("chain", row.id, entry.seq, message)
        if entry.seq != account.seq + 1 or entry.at < last:
            report.add("sequence", row.id, entry.seq, f"Entries are missing or moved. {_RESTORE}")
        head, last = entry.chain, entry.at
        try:
            decision = decode_decision(entry.decision)
            decision.postings = postings
            each = Entry(entry.seq, last, entry.version, decision, entry.event, entry.due)
            apply(account, each)
        except Exception as error:
            message = f"The entry does not fit the account: {error}. {_RESTORE}"
            report.add("fold", row.id, entry.seq, message)
            return
        if entry.version != version:
            version = entry.version
            report.versions.add((row.program, version))
        for limit, amount in decision.claims:
            key = row.program, limit
            report.limits[key] = report.limits.get(key, 0) + amount
        for posting in postings:
            if not posting[4] and (posting[1] <= HELD or posting[2] <= HELD):
                lotless.add(posting[0])
    _compare(row, account, head, wakes, report)
    _compare_balances(row.id, account, balances, report)
    _lots(account, lotless, report)


def _compare(
    row: AccountRow, account: Account, head: bytes, wakes: dict[int, set[int]], report: Report
) -> None:
    if (row.seq, row.head) != (account.seq, head):
        report.add("tail", row.id, row.seq, f"The last entries are missing. {_RESTORE}")
    try:
        stored = decode_account(row.snapshot)
    except Exception as error:
        report.add("snapshot", row.id, 0, f"The snapshot cannot be read: {error}. {_RESTORE}")
        return
    account.due = stored.due
    if encode_account(account) != row.snapshot:
        message = f"The snapshot is not the fold of the entries. {_RESTORE}"
        report.add("snapshot", row.id, row.seq, message)
    due = row.due if row.due is not None else 1 << 62
    if due != stored.due and due not in wakes.get(row.program, ()):
        report.add("due", row.id, row.seq, f"The account is due at another instant. {_RESTORE}")


def _compare_balances(
    number: int, account: Account, balances: list[BalanceRow], report: Report
) -> None:
    rows = {row.balance: list(row[2:]) for row in balances}
    if rows != account.purse:
        for name in sorted({*rows, *account.purse}):
            if rows.get(name) != account.purse.get(name):
                message = f"{name}: the row is not the sum of the postings. {_RESTORE}"
                report.add("balance", number, account.seq, message)


def _lots(account: Account, lotless: set[str], report: Report) -> None:
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
        if name not in lotless and sums[name] != purse[: HELD + 1]:
            message = f"{name}: open lots are not the balance. Report this as a bug."
            report.add("lot", account.id, account.seq, message)


# ── the rest of the books ────────────────────────────────────────────────────


def _events(books: Reading, report: Report, tell: Progress) -> None:
    """Each event says what it said, and each entry has its event."""
    total = books.one("SELECT count(*) FROM event")
    opened = owned = matched = 0
    for row, entry in books.all_events():
        report.events += 1
        if not report.events % (_STEP * 10):
            tell("events", report.events, total)
        if _event(row, entry, report):
            matched += 1
            if row.seq == 1 and row.subject.startswith("card:"):
                opened += _mark(row.program, row.subject[5:], row.account or 0)
    entries = books.one("SELECT count(*) FROM entry WHERE event <> ''")
    if entries != matched:
        message = f"{entries} entries name an event, {matched} events have one. {_RESTORE}"
        report.add("event", 0, 0, message)
    for card in books.all_cards():
        owned += _mark(*card)
    if owned != opened:
        report.add("card", 0, 0, f"Cards belong to others than those who enrolled. {_RESTORE}")
    tell("events", total, total)


def _mark(program: int, token: str, account: int) -> int:
    """A number for a card, so that two lists of cards can be compared by their sums."""
    said = chain.event_hash(program, token, account, 0, "", 0, b"")
    return int.from_bytes(said, "big")


def _event(row: EventRow, entry: Row, report: Report) -> bool:
    """Check one event; whether an entry decides it."""
    if row.body is not None and not _hash_fits(row):
        message = f"The event {row.key} is not what was recorded. {_RESTORE}"
        report.add("event", row.account or 0, row.seq or 0, message)
    if row.state != DECIDED:
        return False
    event, cause, digest, program = entry
    if event == row.key and digest == row.hash and program == row.program:
        return True
    if row.note == "came back" and row.account is None:
        return False
    if cause != row.key or program != row.program:
        message = f"The event {row.key} and its entry do not belong together. {_RESTORE}"
        report.add("event", row.account or 0, row.seq or 0, message)
    return False


def _hash_fits(row: EventRow) -> bool:
    assert row.body is not None
    made = chain.event_hash(
        row.program, row.key, row.time, row.received, row.subject, row.ask, row.body
    )
    tag = row.type.encode()
    if made != row.hash or row.body[1:2] != bytes([0xA0 | len(tag)]):
        return False
    if row.receipt is not None or row.state == ALONE:
        body = decode_body(row.body)
        if (row.receipt or "") != getattr(body, "receipt", ""):
            return False
    return row.body[2 : 2 + len(tag)] == tag


def _limits(books: Reading, report: Report) -> None:
    for limit in books.all_limits():
        taken = report.limits.get((limit.program, limit.name), 0)
        if taken != limit.taken:
            message = f"{limit.name}: {limit.taken} are taken, decisions took {taken}. {_RESTORE}"
            report.add("limit", 0, 0, message)


def _places(books: Reading, report: Report) -> None:
    """What members have is what the sides of the system gave, for each balance."""
    sums: dict[str, list[int]] = {}
    for name, source, target, amount in books.places():
        totals = sums.setdefault(name, [0] * len(CHART))
        totals[source] -= amount
        totals[target] += amount
    purses = books.purses()
    for name in sorted({*sums, *purses}):
        members = sums.get(name, [0] * len(CHART))[:MEMBER_PLACES]
        if members != purses.get(name, [0] * MEMBER_PLACES):
            message = f"{name}: members have {purses.get(name)}, postings say {members}. {_RESTORE}"
            report.add("places", 0, 0, message)


def _checkpoints(books: Reading, report: Report, anchors: Mapping[int, bytes]) -> None:
    """Each checkpoint has the root over what came since the one before it."""
    roots = {each.number: each.root for each in books.checkpoints()}
    for number, kept in anchors.items():
        if roots.get(number) != kept:
            message = f"Checkpoint {number} is not the one that was anchored. {_RESTORE}"
            report.add("anchor", 0, 0, message)
    heads = _Until(books.heads(0))
    events = _Until(books.hashes(0))
    root = chain.EMPTY
    for number, checkpoint in enumerate(books.checkpoints(), 1):
        last = changed(heads.upto(checkpoint.entry))
        root = chain.root(root, last, (each for _, each in events.upto(checkpoint.event)))
        report.checkpoints += 1
        found = checkpoint.number, checkpoint.heads, checkpoint.root
        complete = heads.last == checkpoint.entry and events.last == checkpoint.event
        if found != (number, len(last), root) or not complete:
            message = f"Checkpoint {checkpoint.number} has another root. {_RESTORE}"
            report.add("checkpoint", 0, 0, message)
            root = checkpoint.root


class _Until(Generic[Numbered]):
    """Rows in the order of their first value, taken up to a number."""

    def __init__(self, rows: Iterator[Numbered]) -> None:
        self._rows = rows
        self._next = next(rows, None)
        self.last = 0

    def upto(self, number: int) -> Iterator[Numbered]:
        """The rows up to a number; ``last`` is the number of the last one."""
        while self._next is not None and self._next[0] <= number:
            self.last = self._next[0]
            yield self._next
            self._next = next(self._rows, None)


def _versions(books: Reading, report: Report) -> None:
    """Each version is what was published, and each one that decided is there."""
    known = set()
    for program in books.programs().values():
        for number, version in enumerate(books.versions(program), 1):
            known.add((program, version.number))
            if version.number != number or chain.version_hash(*version[:-1]) != version.hash:
                message = f"Version {version.number} is not what was published. {_RESTORE}"
                report.add("version", 0, 0, message)
    for program, number in sorted(report.versions - known):
        report.add("version", 0, 0, f"Version {number} of program {program} is gone. {_RESTORE}")
