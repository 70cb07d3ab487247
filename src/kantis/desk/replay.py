"""Replay: decide again what was decided, from what is recorded and nothing else.

It reads the events, the instant to which each account was advanced, the versions that were
known, and the context that each decision saw. Shared limits are not contested again. An
account needs nothing of another one but recorded entries of those that became a part of it, so
that ranges of accounts can be replayed anywhere.

The *re-decide* proof compares the outcome with the books. A difference after an upgrade is
told as "would decide differently now", with what the engine has changed since where that is
why; it is never rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import Struct, field, structs

from kantis.core.account import Account, Posting
from kantis.core.decision import (
    ENGINE,
    Context,
    Decision,
    Entry,
    Original,
    apply,
    encode_decision,
)
from kantis.desk.booking import STAMP
from kantis.desk.programs import Engine, Homes
from kantis.desk.recorded import Seen, decode_seen, entry_of, event_of, original_of
from kantis.desk.report import Progress, Report
from kantis.engine.editions import since
from kantis.engine.explain import explain
from kantis.engine.program import Program
from kantis.store.books import Books
from kantis.store.reading import Ledger, Reading
from kantis.store.rows import EntryRow, EventRow, VersionRow

#: Accounts whose events are read together.
_CHUNK = 200

#: Differences that are described; the others are counted.
SHOWN_MAX = 20


class Step(Struct):
    """One recorded event of an account with the entries it made, and those made now.

    ``decided`` is ``None`` where nothing can be decided again: the body of the event is
    gone, or a newer engine decided it. ``because`` is what the engine decides otherwise since,
    where the entries differ.
    """

    account: int
    recorded: list[Entry]
    decided: list[Entry] | None
    because: list[str] = []

    @property
    def differing(self) -> list[Entry]:
        """The recorded entries that would be others now; the last where their number differs."""
        decided = self.decided
        if decided is None:
            return []
        pairs = zip(self.recorded, decided, strict=False)
        found = [recorded for recorded, now in pairs if _bytes(recorded) != _bytes(now)]
        return found or self.recorded[-1:] * (len(self.recorded) != len(decided))


class Difference(Struct):
    """An event, or a stretch of time, that would be decided differently now, in words."""

    account: int
    seq: int
    event: str
    recorded: list[str]
    now: list[str]
    because: list[str] = []


class Replayed(Struct):
    """What was decided again, and what would differ; the first differences are described."""

    accounts: int = 0
    entries: int = 0
    skipped: int = 0
    different: int = 0
    differences: list[Difference] = field(default_factory=list)


def again(books: Books, engine: Engine, progress: Progress | None = None) -> Iterator[Step]:
    """Everything that is in the books as of now, decided again."""
    with books.reader() as frozen:
        frozen.freeze()
        first, last = frozen.account_range()
        for step in replay(frozen, engine, first, last):
            if progress is not None and step.recorded[0].seq == 1:
                progress("accounts", step.account - first + 1, last - first + 1)
            yield step


def redecide(
    books: Books, report: Report, engine: Engine | None = None, progress: Progress | None = None
) -> Report:
    """The re-decide proof over all of the books, into the report.

    ``Unreadable`` where a published program cannot be read any more.
    """
    engine = engine or Engine()
    Homes(engine).refresh(books)
    for step in again(books, engine, progress):
        if step.decided is not None:
            report.redecided += len(step.recorded)
            for entry in step.differing:
                _differs(report, step, entry)
    return report


def replayed(
    books: Books, engine: Engine | None = None, progress: Progress | None = None
) -> Replayed:
    """What would be decided differently now, over all of the books, in the words of the programs.

    ``Unreadable`` where a published program cannot be read any more.
    """
    found, homes, account = Replayed(), Homes(Engine()), 0
    homes.refresh(books)
    for step in again(books, engine or Engine(), progress):
        if step.account != account:
            account, found.accounts = step.account, found.accounts + 1
        if step.decided is None:
            found.skipped += len(step.recorded)
            continue
        found.entries += len(step.recorded)
        if step.differing:
            found.different += 1
            if len(found.differences) < SHOWN_MAX:
                row = books.account(account)
                assert row is not None
                program = homes.numbered(row.program).program
                found.differences.append(_in_words(books, program, step, step.decided))
    return found


def _in_words(books: Books, program: Program, step: Step, decided: list[Entry]) -> Difference:
    own = step.recorded[-1]
    rows = books.events([own.event]) if own.event else []
    event = event_of(rows[0]) if rows and rows[0].body else None

    def words(entries: list[Entry]) -> list[str]:
        said = [(each, event if each.event == own.event else None) for each in entries]
        return [str(sentence) for each, what in said for sentence in explain(program, each, what)]

    recorded, now = words(step.recorded), words(decided) or ["It cannot be decided."]
    return Difference(step.account, own.seq, own.event, recorded, now, step.because)


def _bytes(entry: Entry) -> bytes:
    """What of an entry has to be the same; when the account is due next is a hint only."""
    head = f"{entry.seq} {entry.at} {entry.version} {entry.event} "
    return head.encode() + encode_decision(entry.decision)


def _differs(report: Report, step: Step, entry: Entry) -> None:
    what = f"the event {entry.event}" if entry.event else "what time did"
    why = " ".join(step.because) or "No edition of the engine says why: report this as a bug."
    message = (
        f"Kantis would decide {what} differently now. {why} The books stand as they are; what is "
        "not right in them is adjusted by an event with a reason."
    )
    report.tell_difference(step.account, entry.seq, message)


def replay(books: Reading, engine: Engine, first: int, last: int) -> Iterator[Step]:
    """Every event of the accounts from ``first`` to ``last``, account by account."""
    versions = {number: books.versions(number) for number in books.programs().values()}
    programs = {row.id: row.program for row in books.all_accounts(first, last)}
    ledgers = books.ledgers(first, last)
    while chunk := list(islice(ledgers, _CHUNK)):
        seen = {id(row): decode_seen(row.context) for _, each in chunk for row, _, _ in each}
        keys = {row.event for _, each in chunk for row, _, _ in each if row.event}
        for each in seen.values():
            keys.update(key for key, _, _ in each.originals)
            keys.update(key for _, key in each.receipts)
            keys.update(key for key, *_ in each.elsewhere)
        events = {row.key: row for row in books.events(sorted(keys))}
        others = _others(books, seen.values())
        for account, ledger in chunk:
            known = versions[programs[account]]
            player = _Player(account, ledger, known, engine, events, seen, others)
            yield from player.play()


#: An entry with its postings.
_Kept = tuple[EntryRow, list[Posting]]


def _others(books: Reading, seen: Iterable[Seen]) -> dict[tuple[int, int], _Kept]:
    """The entries of other accounts that decisions saw, by account and seq."""
    places: set[tuple[int, int]] = set()
    for each in seen:
        for _, account, seq, undone in each.elsewhere:
            places.update((number, n) for number, n in ((account, seq), *undone) if number)
    return {(row.account, row.seq): (row, postings) for row, postings in books.entries(places)}


class _Player:
    """Replays one account."""

    def __init__(
        self,
        number: int,
        ledger: Ledger,
        versions: list[VersionRow],
        engine: Engine,
        events: dict[str, EventRow],
        seen: dict[int, Seen],
        others: dict[tuple[int, int], _Kept],
    ) -> None:
        self.number, self.ledger, self.versions = number, ledger, versions
        self.engine, self.events, self.seen, self.others = engine, events, seen, others
        self.account = Account(number)
        self.entries = [entry_of(row, postings) for row, postings, _ in ledger]
        self.known = 0
        self.program: object = None

    def play(self) -> Iterator[Step]:
        """Step by step; each begins with the account as the books have it."""
        begin = 0
        while begin < len(self.entries):
            end = begin
            while end < len(self.entries) - 1 and not self.entries[end].event:
                end += 1
            recorded = self.entries[begin : end + 1]
            self._know(max(entry.version for entry in recorded))
            step = Step(self.number, recorded, self._decide(begin, end))
            decided = step.decided
            if decided is None or list(map(_bytes, decided)) != list(map(_bytes, recorded)):
                self._fold(end)
                step.because = self._because(end)
            yield step
            begin = end + 1

    def _because(self, end: int) -> list[str]:
        """What has changed since an entry was decided, on the account as it is after it."""
        row = self.ledger[end][0]
        said, (_, zones) = self.events.get(row.event), STAMP
        found = since(row.engine, said.type if said is not None else "", self.account)
        if row.zones != zones:
            found.append(f"It was decided with the time zone data {row.zones}, and now {zones}.")
        return found

    def _know(self, version: int) -> None:
        """From here on this version was published."""
        if version > self.known:
            self.known = version
            known = [each for each in self.versions if each.number <= version]
            self.program = self.engine.assemble(known)
            if self.account.seq:  # who comes later is not woken
                self.account.due = min(self.account.due, known[-1].since)

    def _decide(self, begin: int, end: int) -> list[Entry] | None:
        row = self.ledger[end][0]
        if any(each[0].engine > ENGINE for each in self.ledger[begin : end + 1]):
            return None
        try:
            if not row.event:
                return self.engine.advance(self.program, self.account, row.at)
            said = self.events.get(row.event)
            if said is None or said.body is None:
                return None
            event, context = event_of(said, row.value, row.at), self._context(end)
            return self.engine.decide(self.program, self.account, event, context)
        except Exception:  # what raises now is decided differently now
            return []

    def _context(self, end: int) -> Context:
        """What the decision saw, from the same books."""
        seen = self.seen[id(self.ledger[end][0])]
        originals: dict[str, Original] = {}
        for key, seq, undone in seen.originals:
            row, postings, _ = self.ledger[seq - 1]
            decisions: Iterable[Decision] = (self.entries[n - 1].decision for n in undone)
            originals[key] = original_of(self.events[key], row, postings, decisions)
        for key, account, seq, by in seen.elsewhere:
            row, postings = self._entry(account, seq)
            decisions = [entry_of(*self._entry(*each)).decision for each in by]
            found = original_of(self.events[key], row, postings, decisions)
            places = tuple(number for number, _ in by)
            originals[key] = structs.replace(found, account=account, elsewhere=places)
        receipts = {receipt: event_of(self.events[key]) for receipt, key in seen.receipts}
        return Context(originals, receipts, seen.limits)

    def _entry(self, account: int, seq: int) -> _Kept:
        """An entry of this account (0), or of one that became a part of it."""
        if account:
            return self.others[account, seq]
        row, postings, _ = self.ledger[seq - 1]
        return row, postings

    def _fold(self, end: int) -> None:
        """Take the account as the books have it after an entry."""
        self.account = Account(self.number)
        for entry in self.entries[: end + 1]:
            apply(self.account, entry)
