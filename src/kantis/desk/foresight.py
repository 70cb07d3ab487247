"""Foresight: what the decisions of a batch have to see beside their accounts.

Everything is read before the first decision, with a constant number of statements; what
an earlier decision of the same batch has made is seen too.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from kantis.core.budgets import PREFIX, missed
from kantis.core.decision import Context, Decision, Entry, Needs, Original
from kantis.core.events import Event, Purchase, named
from kantis.desk.recorded import Undone, encode_seen, entry_of, event_of, original_of
from kantis.desk.tasks import Live, Task
from kantis.store.books import Books
from kantis.store.rows import EventRow, Recorded
from kantis.store.schema import ALONE, DECIDED, PARKED

Limit = tuple[int, str]


class Foresight:
    """What a batch reads for its decisions, and what its decisions take of what is shared."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.needs: dict[int, Needs] = {}
        self.looked: list[Task] = []
        #: what is left of each limit as far as this batch knows, and as it was first seen
        self.limits: dict[Limit, int] = {}
        self.first_seen: dict[Limit, int] = {}
        self.claimed: dict[Limit, int] = {}
        self.refused: set[Limit] = set()
        #: purchases without a member that this batch has claimed: by key, (claiming task, row)
        self.members: dict[str, tuple[Task, EventRow | None]] = {}
        self._tasks: dict[str, Task] = {}
        self._rows: dict[str, EventRow] = {}
        self._entries: dict[tuple[int, int], Recorded] = {}
        self._undoing: dict[tuple[int, str], list[Recorded]] = {}
        self._receipts: dict[tuple[int, str], list[EventRow]] = {}
        self._wanted: set[tuple[int, str]] = set()

    # ── before the first decision ────────────────────────────────────────────

    def remember(self, tasks: Iterable[Task]) -> None:
        """Know the events of the batch by their keys."""
        self._tasks = {task.key: task for task in tasks}

    def owners(self, nameless: list[Task], tasks: list[Task]) -> None:
        """Whose events those are that name no member, but an earlier event."""
        self.remember(tasks)
        naming = {}
        for task in nameless:
            key = original_key(task.event)
            if key:
                naming[task] = key
        if not naming:
            return
        rows = {row.key: row for row in self.books.events(sorted(set(naming.values())))}
        for task, key in naming.items():
            twin, row = self._tasks.get(key), rows.get(key)
            if twin is not None and twin.account:
                task.account = twin.account
            elif row is not None and row.account and row.state == DECIDED:
                task.account = row.account
            else:
                lonely = row is not None and row.state == ALONE
                if lonely or (twin is not None and _alone(twin.event)):
                    task.state = ALONE
                task.waits = key

    def expect(self, live: Live, task: Task, need: Needs) -> None:
        """Note what a decision is going to need."""
        self.needs[id(task)] = need
        for key in need.originals:
            self._wanted.update(_places(live, key))
        for receipt in need.receipts:
            self._receipts.setdefault((live.home.number, receipt), [])
        for name in need.limits:
            self.first_seen.setdefault((live.home.number, name), -1)

    def read(self) -> None:
        """Read all that is expected."""
        if self._wanted:
            self._read_originals(self._wanted)
        if self._receipts:
            self._read_receipts(list(self._receipts))
        if self.first_seen:
            self._read_limits(list(self.first_seen))

    def _read_originals(self, wanted: set[tuple[int, str]]) -> None:
        keys = {key for _, key in wanted}
        self._rows.update((row.key, row) for row in self.books.events(sorted(keys)))
        places = [
            (row.account, row.seq)
            for row in (self._rows.get(key) for key in keys)
            if row is not None and row.account and row.seq
        ]
        for entry, postings in self.books.entries(places):
            self._entries[entry.account, entry.seq] = entry, postings
        for each in wanted:
            self._undoing[each] = []
        for entry, postings in self.books.undoing(sorted(wanted)):
            self._undoing[entry.account, entry.cause].append((entry, postings))

    def _read_receipts(self, wanted: list[tuple[int, str]]) -> None:
        for each in wanted:
            self._receipts[each] = []
        for row in self.books.receipts(sorted(wanted)):
            self._receipts[row.program, row.receipt or ""].append(row)

    def _read_limits(self, wanted: list[Limit]) -> None:
        for row in self.books.limits(wanted, lock=False):
            limit = row.program, row.name
            self.limits[limit] = self.first_seen[limit] = row.quantity - row.taken

    # ── while deciding ───────────────────────────────────────────────────────

    def context(self, live: Live, task: Task, need: Needs) -> tuple[Context, bytes]:
        """The context of a decision and its record. A tell may have to wait for its original."""
        originals: dict[str, Original] = {}
        undone: dict[str, Undone] = {}
        for key in need.originals:
            missing = {each for each in _places(live, key) if each not in self._undoing}
            if missing:
                self._read_originals(missing)
            found, seqs = self._original(live, key)
            if found is not None:
                originals[key], undone[key] = found, seqs
            elif not task.event.ask and not self._known(key):
                task.state, task.waits = PARKED, key
        receipts = {}
        for receipt in need.receipts:
            purchase = self._purchase(live, receipt)
            if purchase is not None:
                receipts[receipt] = purchase
        limits = {}
        for name in need.limits:
            limit = live.home.number, name
            if limit not in self.first_seen:
                self.first_seen[limit] = -1
                self._read_limits([limit])
            if limit in self.limits:
                limits[name] = self.limits[limit]
        if need.limits:
            self.looked.append(task)
        context = Context(originals, receipts, limits)
        return context, encode_seen(context, undone)

    def _known(self, key: str) -> bool:
        """Whether the original is decided, on whatever account."""
        row, task = self._rows.get(key), self._tasks.get(key)
        return (row is not None and row.state == DECIDED) or bool(task and task.entry)

    def _original(self, live: Live, key: str) -> tuple[Original | None, Undone]:
        """An earlier event of this account, or of one that became a part of it."""
        found, seqs = self._own(live, key)
        row = self._rows.get(key)
        before = {each: [*self._undoing[each, key]] for each in live.account.merged}
        if found is None and row is not None and row.account in before and row.seq:
            entry = self._entries[row.account, row.seq]
            own = [entry_of(*each) for each in self._undoing[live.id, key]]
            own += [each for each in live.entries if each.decision.cause == key]
            found = original_of(row, *entry, [each.decision for each in own])
            found = structs.replace(found, account=row.account)
            seqs = tuple((0, each.seq) for each in own)
        if found is None:
            return None, ()
        decisions, places = list(found.undone), [0] * len(found.undone)
        for number, stored in before.items():
            for each in stored:
                if each[0].event != key:
                    decisions.append(entry_of(*each).decision)
                    places.append(number)
                    seqs += ((number, each[0].seq),)
        if not any(places):
            return found, seqs
        return structs.replace(found, undone=tuple(decisions), elsewhere=tuple(places)), seqs

    def _own(self, live: Live, key: str) -> tuple[Original | None, Undone]:
        """An earlier event of this very account, from this batch or from the books."""
        stored = self._undoing[live.id, key]
        undone = [entry_of(*each) for each in stored]
        undone += [each for each in live.entries if each.decision.cause == key]
        task, row = self._tasks.get(key), self._rows.get(key)
        claimed = self.members.get(key)
        event: Event
        if claimed is not None and claimed[0].account == live.id and claimed[0].entry:
            entry = claimed[0].entry
            row = claimed[1]
            event = event_of(row) if row is not None else _said(self._tasks[key])
        elif task is not None and task.account == live.id and task.entry is not None:
            entry, event = task.entry, _said(task, task.entry.at)
        elif row is not None and row.account == live.id and row.seq:
            found = self._entries[live.id, row.seq]
            rest = [each for each in undone if each.seq != row.seq]
            decisions: list[Decision] = [each.decision for each in rest]
            return original_of(row, *found, decisions), tuple((0, each.seq) for each in rest)
        else:
            return None, ()
        rest = [each for each in undone if each.seq != entry.seq]
        decisions = [each.decision for each in rest]
        return Original(event, entry, tuple(decisions)), tuple((0, each.seq) for each in rest)

    def _purchase(self, live: Live, receipt: str) -> Event | None:
        """The oldest purchase without a member that has the receipt and waits for one."""
        wanted = live.home.number, receipt
        if wanted not in self._receipts:
            self._read_receipts([wanted])
        for row in self._receipts[wanted]:
            if row.key not in self.members:
                return event_of(row)
        for task in self._tasks.values():
            body = task.event.body
            waits = task.state == ALONE and task.home is live.home and task.key not in self.members
            if waits and isinstance(body, Purchase) and body.receipt == receipt:
                return _said(task)
        return None

    def caused(self, live: Live, task: Task, entry: Entry) -> None:
        """A decision names its cause; if that is a purchase without a member, it has one now."""
        key = entry.decision.cause
        need = self.needs.get(id(task))
        if need is None or not need.receipts or entry.decision.refusal is not None:
            return
        for receipt in need.receipts:
            for row in self._receipts[live.home.number, receipt]:
                if row.key == key:
                    self.members[key] = task, row
        if key not in self.members and key in self._tasks:
            self.members[key] = task, None

    def claim(self, program: int, claims: Iterable[tuple[str, int]]) -> None:
        """A decision takes something of shared limits, or gives it back."""
        for name, amount in claims:
            limit = program, name
            self.claimed[limit] = self.claimed.get(limit, 0) + amount
            if limit in self.limits:
                self.limits[limit] -= amount

    # ── shared limits, at the end ────────────────────────────────────────────

    def take(self) -> bool:
        """Take what was claimed; ``False`` when a decision would be another one now."""
        for task in self.looked:
            if task.entry is None:
                continue
            decision = task.entry.decision
            if decision.refusal is not None:
                need = self.needs.get(id(task)) or Needs()
                self.refused.update((task.home.number, name) for name in need.limits)
            for name in missed(decision):
                self.refused.add((task.home.number, PREFIX + name))
        concerned = {limit for limit, amount in self.claimed.items() if amount} | self.refused
        claims = []
        for row in self.books.limits(sorted(concerned), lock=True):
            limit, left = (row.program, row.name), row.quantity - row.taken
            amount = self.claimed.get(limit, 0)
            if amount > left:
                return False
            if limit in self.refused and left > self.first_seen.get(limit, left):
                return False
            if amount:
                claims.append((amount, row.program, row.name))
        return self.books.take(claims)

    def lock(self) -> None:
        """Lock every limit that the batch knows, and believe what the rows say."""
        wanted = sorted({*self.first_seen, *self.claimed})
        for row in self.books.limits(wanted, lock=True):
            self.first_seen[row.program, row.name] = row.quantity - row.taken

    def reset(self, redone: list[Task], lives: Iterable[Live]) -> None:
        """Forget what the tasks took that are decided again; others keep what they took."""
        self.looked, self.refused, self.claimed = [], set(), {}
        self.limits = {limit: left for limit, left in self.first_seen.items() if left >= 0}
        again = set(map(id, redone))
        self.members = {
            key: value for key, value in self.members.items() if id(value[0]) not in again
        }
        for live in lives:
            for entry in live.entries:
                if entry.decision.claims:
                    self.claim(live.home.number, entry.decision.claims)


def _said(task: Task, at: int = 0) -> Event:
    """An event of this batch, as a later decision sees it."""
    said = task.event
    received = at or said.received
    return Event(said.source, said.id, task.time, said.subject, said.body, received, said.ask)


def _alone(event: Event) -> bool:
    return not event.subject and isinstance(event.body, Purchase)


def original_key(event: Event) -> str:
    """The key of the earlier event that this one names; empty if it names none."""
    return named(event, event.body)


def _places(live: Live, key: str) -> list[tuple[int, str]]:
    """Where something of an earlier event can stand: here, and where it was before a merge."""
    return [(number, key) for number in (live.id, *live.account.merged)]
