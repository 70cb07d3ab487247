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
            int(event.ask),
            int(self.imported),
            state,
            account,
            seq,
            receipt or None,
            self.waits,
            self.note,
            self.body,
        )


class Made(Struct, eq=False, gc=False):
    """An entry of this batch with what is recorded beside it.

    ``digest`` is the hash of its event, None where that is made with the event's row;
    ``data`` the decision without its postings.
    """

    entry: Entry
    imported: bool
    booked: int
    value: int
    digest: bytes | None
    seen: bytes
    data: bytes


def made(
    entry: Entry,
    imported: bool,
    booked: int,
    value: int,
    digest: bytes | None = b"",
    seen: bytes = b"",
) -> Made:
    """An entry that a decision has just made, which is encoded while it is at hand."""
    decision = entry.decision
    postings, decision.postings = decision.postings, []
    data = encode_decision(decision)
    decision.postings = postings
    return Made(entry, imported, booked, value, digest, seen, data)


class Live(Struct, eq=False):
    """An account while a batch decides on it.

    ``head`` is its chain value before the batch, None where whoever writes knows it;
    ``snapshot`` is empty until the last event of the batch is decided, and ``size`` its
    bytes; ``broken`` is the event whose decision raised.
    """

    id: int
    home: Home
    account: Account
    head: bytes | None
    size: int = 0
    snapshot: bytes = b""
    opened: bool = False
    broken: str = ""
    made: list[Made] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)


_TAGS: dict[type, str] = {}


def tag_of(body: Body) -> str:
    """The type of an event with that body."""
    kind: Any = type(body)
    tag = _TAGS.get(kind)
    if tag is None:
        tag = _TAGS[kind] = str(kind.__struct_config__.tag)
    return tag
