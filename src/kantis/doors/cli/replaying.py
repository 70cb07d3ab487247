"""The command ``replay``: decide again what was decided, and tell what would differ now.

Each account is replayed by itself, from its recorded events and what their decisions saw.
Nothing is written: the books stay what was decided, whatever would be decided today.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct, field
from rich.text import Text

from kantis.core.account import Account, decode_account, encode_account
from kantis.core.decision import ENGINE, Context, Entry, apply, encode_decision
from kantis.core.events import Event
from kantis.desk.recorded import Seen, decode_seen, entry_of, event_of, original_of
from kantis.doors.cli.opening import homes_of, opened
from kantis.doors.cli.output import NOT_FINE, Json, Store, count, json_out, leave, out
from kantis.doors.cli.progress import Bars
from kantis.engine import decide as engine
from kantis.engine.explain import explain
from kantis.engine.program import Program
from kantis.store.books import Books
from kantis.store.rows import EntryRow, EventRow, Recorded

SHOWN_MAX = 20


class Difference(Struct):
    """An entry that would be another one now."""

    account: int
    seq: int
    event: str
    recorded: list[str]
    now: list[str]


class Replayed(Struct):
    """What was decided again, and what would differ."""

    accounts: int = 0
    entries: int = 0
    skipped: int = 0
    different: int = 0
    differences: list[Difference] = field(default_factory=list)


class _Replay:
    """Replays one account after the other."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.homes = homes_of(books)
        self.found = Replayed()

    def account(self, number: int, program: Program) -> None:
        """Replay an account from its first entry."""
        recorded = [(row, made) for row, made, _ in self.books.history(number, number)]
        seen = [decode_seen(row.context) for row, _ in recorded]
        keys = {row.event for row, _ in recorded if row.event}
        keys |= {key for each in seen for _, key in each.receipts}
        events = {row.key: row for row in self.books.events(sorted(keys))}
        by_seq = {row.seq: (row, made) for row, made in recorded}
        truth, state = Account(number), Account(number)
        waiting: list[tuple[EntryRow, Entry]] = []
        self.found.accounts += 1
        for (row, made), what in zip(recorded, seen, strict=True):
            entry = entry_of(row, made)
            waiting.append((row, entry))
            apply(truth, entry)
            if not row.event:
                continue
            said = events.get(row.event)
            if said is None or said.body is None or row.engine != ENGINE:
                self.found.skipped += len(waiting)
                state = decode_account(encode_account(truth))
            else:
                context = _context(what, events, by_seq)
                event = event_of(said, row.value, row.at)
                again = engine.decide(program, state, event, context)
                if self.compare(program, number, waiting, again, event):
                    state = decode_account(encode_account(truth))
            waiting = []
        if waiting:
            again = engine.advance(program, state, waiting[-1][1].at)
            self.compare(program, number, waiting, again, None)

    def compare(
        self,
        program: Program,
        number: int,
        recorded: list[tuple[EntryRow, Entry]],
        again: list[Entry],
        event: Event | None,
    ) -> bool:
        """Whether something differs; the first differences are told."""
        self.found.entries += len(recorded)
        before = [(e.seq, e.at, e.version, encode_decision(e.decision)) for _, e in recorded]
        after = [(e.seq, e.at, e.version, encode_decision(e.decision)) for e in again]
        if before == after:
            return False
        self.found.different += 1
        if len(self.found.differences) < SHOWN_MAX:
            own = recorded[-1][1]
            self.found.differences.append(
                Difference(
                    number,
                    own.seq,
                    own.event,
                    _words(program, [entry for _, entry in recorded], event),
                    _words(program, again, event),
                )
            )
        return True


def _words(program: Program, entries: Iterable[Entry], event: Event | None) -> list[str]:
    said = []
    for entry in entries:
        own = event if event is not None and entry.event == event.key else None
        said += explain(program, entry, own)
    return said


def _context(seen: Seen, events: dict[str, EventRow], by_seq: dict[int, Recorded]) -> Context:
    """What the decision saw, from its record."""
    originals = {}
    for key, seq, undone in seen.originals:
        if seq in by_seq and key in events:
            row, made = by_seq[seq]
            decisions = [entry_of(*by_seq[each]).decision for each in undone]
            originals[key] = original_of(events[key], row, made, decisions)
    receipts = {receipt: event_of(events[key]) for receipt, key in seen.receipts if key in events}
    return Context(originals, receipts, seen.limits)


def run(books: Books, tell: Callable[[str, int, int], None]) -> Replayed:
    """Replay all accounts."""
    replay = _Replay(books)
    first, last = books.account_range()
    total = last - first + 1
    for row in books.all_accounts(first, last):
        replay.account(row.id, replay.homes.numbered(row.program).program)
        tell("accounts", row.id - first + 1, total)
    return replay.found


def replay(store: Store = "kantis.db", json: Json = False) -> None:
    """Decide again what was decided, and tell what would be decided differently now."""
    with opened(store) as desk, Bars(quiet=json) as bars, desk.books.reader() as frozen:
        frozen.freeze()
        found = run(frozen, bars.tell)
    if json:
        json_out(found)
    else:
        for each in found.differences:
            what = each.event or "time"
            out.print(Text(f"account {each.account}, entry {each.seq}, {what}", style="bold"))
            for sentence in each.recorded:
                out.print(Text(f"    recorded  {sentence}"))
            for sentence in each.now:
                out.print(Text(f"    now       {sentence}"))
        skipped = f", {found.skipped:,} cannot be decided again" if found.skipped else ""
        said = f"{count(found.accounts, 'account')}, {found.entries:,} entries{skipped}"
        if found.different:
            out.print(f"{said}: {found.different:,} would be decided differently now.")
        else:
            out.print(f"{said}: all would be decided the same way now.")
    if found.different:
        leave(NOT_FINE)
