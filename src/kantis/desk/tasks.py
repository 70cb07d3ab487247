"""Tasks: the events of one batch, and the accounts that they are decided on."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from kantis.core.account import Account
from kantis.core.decision import Entry, encode_decision
from kantis.core.events import Body, Event, Purchase, encode_body
from kantis.desk.programs import Home
from kantis.desk.results import Result
from kantis.store.chain import event_hash
from kantis.store.rows import EventRow, Row
from kantis.store.schema import DECIDED


class Task(Struct, eq=False, gc=False):
    """One event of a batch, and what becomes of it.

    ``time`` is the instant that the event counts as; ``row`` is there when it was recorded
    before; ``again`` is the first of two equal ones in a batch.
    """

    event: Event
    home: Home
    imported: bool
    key: str
    time: int
    row: EventRow | None = None
    account: int = 0
    seq: int = 0
    state: int = DECIDED
    flag: str = ""
    waits: str | None = None
    note: str | None = None
    entry: Entry | None = None
    result: Result | None = None
    again: Task | None = None
    body: bytes = b""

    def same_as(self, row: EventRow) -> bool:
        """Whether a recorded event says the same as this one."""
        event, program = self.event, self.home.number
        said = event.time, row.received, event.subject, row.ask
        return event_hash(program, row.key, *said, encode_body(event.body)) == row.hash

    def row_of(self, state: int, account: int | None, seq: int | None) -> Row:
        """The event as a row of the books without its hash; with the receipt of a purchase, by
        which it is claimed and found."""
        event = self.event
        body = event.body
        receipt = body.receipt if isinstance(body, Purchase) else None
        return (
            self.key,
            self.home.number,
            tag_of(body),
            event.time,
            event.received,
            event.subject,
            1 if event.ask else 0,
            1 if self.imported else 0,
            state,
            account,
            seq,
            receipt or None,
            self.waits,
            self.note,
            self.body,
        )


class Live(Struct, eq=False, gc=False):
    """An account while a batch decides on it.

    ``head`` is its chain value before the batch, None where whoever writes knows it;
    ``snapshot`` is empty until the last event of the batch is decided, and ``size`` its
    bytes; ``broken`` is the event whose decision raised. ``entries`` are those that this batch
    has made, ``rows`` the same as they stand in the ledger (see ``store/sealing.py``), and
    ``marked`` those with flags or follow-ups: (entry, whether it is imported, booked).
    """

    id: int
    home: Home
    account: Account
    head: bytes | None
    size: int = 0
    snapshot: bytes = b""
    opened: bool = False
    broken: str = ""
    entries: list[Entry] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    marked: tuple[tuple[Entry, bool, int], ...] = ()
    tasks: list[Task] = field(default_factory=list)

    def book(
        self,
        entry: Entry,
        imported: bool,
        booked: int,
        value: int,
        digest: bytes | None = b"",
        seen: bytes = b"",
    ) -> None:
        """Take down an entry that a decision has just made; it is encoded while it is at hand.

        ``digest`` is the hash of its event, None where that is made with the event's row.
        """
        decision = entry.decision
        postings, decision.postings = decision.postings, []
        data = encode_decision(decision)
        decision.postings = postings
        self.entries.append(entry)
        self.rows.append((
            entry.seq, entry.event, entry.at, booked, value, entry.due, entry.version,
            decision.cause, digest, data, seen, postings,
        ))  # fmt: skip
        if decision.flags or decision.follow_ups:
            self.marked = (*self.marked, (entry, imported, booked))

    def start_again(self, account: Account) -> None:
        """Forget what this batch has made of an account, which is as it was before."""
        self.account, self.broken, self.snapshot = account, "", b""
        self.entries, self.rows, self.marked = [], [], ()


_TAGS: dict[type, str] = {}


def tag_of(body: Body) -> str:
    """The type of an event with that body."""
    kind: Any = type(body)
    tag = _TAGS.get(kind)
    if tag is None:
        tag = _TAGS[kind] = str(kind.__struct_config__.tag)
    return tag
