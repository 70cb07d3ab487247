"""Verify: prove that the books are what was decided.

The *fold* proof: every snapshot, balance, lot and limit is the fold of the recorded
entries; entries are counted without a gap; every chain value follows from the one before;
every event has the hash of what it said; every checkpoint has the root of the chain
values under it. It reads the books as of one instant and needs no rule of any program.

Guarantee: one changed, lost or inserted row shows, with the account, the entry and what
to do. What only helps people (notes, flags) is not covered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from multiprocessing.connection import Connection
from typing import Any, Final, Generic, TypeVar

from kantis.core.budgets import PREFIX
from kantis.core.events import decode_body
from kantis.core.places import CHART, MEMBER_PLACES
from kantis.desk.fold import FAR, fold, fold_alone
from kantis.desk.helpers import Job, helpers, share
from kantis.desk.report import RESTORE, Problem, Progress, Report
from kantis.desk.sweep import changed
from kantis.store import chain, people
from kantis.store.books import Books
from kantis.store.reading import Reading
from kantis.store.rows import EventRow, Row
from kantis.store.schema import ALONE, DECIDED

__all__ = ["Problem", "Report", "fold", "verify"]

_STEP: Final = 20_000
#: Pieces of work for each process, so that all of them end at about the same time.
_SHARES: Final = 8

Numbered = TypeVar("Numbered", bound=tuple[Any, ...])


def verify(
    books: Books,
    progress: Progress | None = None,
    anchors: Mapping[int, bytes] | None = None,
    workers: int = 1,
) -> Report:
    """The fold proof over all of the books, in so many processes.

    ``anchors`` are roots of checkpoints, by their number, that were kept in another place.
    """
    report = Report()
    tell = progress or (lambda what, done, total: None)
    with books.reader() as frozen:
        if workers > 1:
            with helpers(books, frozen, workers) as lines:
                _side_by_side(frozen, report, tell, lines)
        else:
            frozen.freeze()
            fold(frozen, report, tell)
            _events(frozen, report, tell)
        _limits(frozen, report)
        _places(frozen, report)
        _checkpoints(frozen, report, anchors or {})
        _versions(frozen, report)
    return report


def _side_by_side(books: Books, report: Report, tell: Progress, lines: list[Connection]) -> None:
    """The proofs of accounts and of events, shared among helpers."""
    first, last = books.account_range()
    step = max(1, (last - first + 1) // (len(lines) * _SHARES))
    cuts = [-FAR, *range(first + step, last + 1, step), FAR]
    jobs: list[Job] = [(events_alone, ())]
    jobs += [(fold_alone, (low, high - 1)) for low, high in pairwise(cuts)]

    def done(found: Report) -> None:
        report.take_over(found)
        tell("accounts", report.accounts, max(report.accounts, last - first + 1))

    share(lines, jobs, done)


def events_alone(books: Reading) -> Report:
    """A report about all events."""
    report = Report()
    _events(books, report, lambda what, done, total: None)
    return report


def _events(books: Reading, report: Report, tell: Progress) -> None:
    """Each event says what it said, and each entry has its event."""
    total = books.one("SELECT count(*) FROM event")
    opened = owned = matched = 0
    for row, entry in books.all_events():
        report.events += 1
        if not report.events % _STEP:
            tell("events", report.events, total)
        if _event(row, entry, report):
            matched += 1
            if row.seq == 1 and row.subject.startswith("card:"):
                opened += _mark(row.program, row.subject[5:], row.account or 0)
    entries = books.one("SELECT count(*) FROM entry WHERE event <> ''")
    if entries != matched:
        message = f"{entries} entries name an event, {matched} events have one. {RESTORE}"
        report.add("event", 0, 0, message)
    for change in people.card_changes(books):
        if change.state == people.ADDED:
            opened += _mark(change.program, change.token, change.account)
        elif change.state.startswith(people.MOVED):
            before = int(change.state.removeprefix(people.MOVED))
            opened += _mark(change.program, change.token, change.account)
            opened -= _mark(change.program, change.token, before)
    for card in books.all_cards():
        owned += _mark(*card)
    if owned != opened:
        message = f"Cards belong to others than those who enrolled or were given one. {RESTORE}"
        report.add("card", 0, 0, message)
    tell("events", total, total)


def _mark(program: int, token: str, account: int) -> int:
    """A number for a card, so that two lists of cards can be compared by their sums."""
    said = chain.event_hash(program, token, account, 0, "", 0, b"")
    return int.from_bytes(said, "big")


def _event(row: EventRow, entry: Row, report: Report) -> bool:
    """Check one event; whether an entry decides it."""
    if row.body is not None and not _hash_fits(row):
        message = f"The event {row.key} is not what was recorded. {RESTORE}"
        report.add("event", row.account or 0, row.seq or 0, message)
    if row.state != DECIDED:
        return False
    event, cause, digest, program = entry
    if event == row.key and digest == row.hash and program == row.program:
        return True
    if row.note == "came back" and row.account is None:
        return False
    if cause != row.key or program != row.program:
        message = f"The event {row.key} and its entry do not belong together. {RESTORE}"
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
    limits = books.all_limits()
    for (program, name), taken in report.limits.items():
        known = any((each.program, each.name) == (program, name) for each in limits)
        if taken and name.startswith(PREFIX) and not known:
            message = (
                f"{name}: decisions took {taken}, and nothing says how much there is. {RESTORE}"
            )
            report.add("limit", 0, 0, message)
    for limit in limits:
        taken = report.limits.get((limit.program, limit.name), 0)
        if taken != limit.taken:
            message = f"{limit.name}: {limit.taken} are taken, decisions took {taken}. {RESTORE}"
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
            message = f"{name}: members have {purses.get(name)}, postings say {members}. {RESTORE}"
            report.add("places", 0, 0, message)


def _checkpoints(books: Reading, report: Report, anchors: Mapping[int, bytes]) -> None:
    """Each checkpoint has the root over what came since the one before it."""
    roots = {each.number: each.root for each in books.checkpoints()}
    for number, kept in anchors.items():
        if roots.get(number) != kept:
            message = f"Checkpoint {number} is not the one that was anchored. {RESTORE}"
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
            message = f"Checkpoint {checkpoint.number} has another root. {RESTORE}"
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
    known: set[tuple[int, int]] = set()
    for program in books.programs().values():
        known.update((program, version.number) for version in books.versions(program))
        for number, version in enumerate(books.versions(program, cancelled=True), 1):
            if version.number != number or chain.version_hash(*version[:-1]) != version.hash:
                message = f"Version {version.number} is not what was published. {RESTORE}"
                report.add("version", 0, 0, message)
    for program, number in sorted(report.versions - known):
        message = f"Version {number} of program {program} is gone, or was cancelled. {RESTORE}"
        report.add("version", 0, 0, message)
