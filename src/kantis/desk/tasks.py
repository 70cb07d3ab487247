"""Tasks: the events of one batch, and the accounts that they are decided on."""

from __future__ import annotations

from typing import Any, Final

from kantis.core.account import Account
from kantis.core.decision import Entry
from kantis.core.events import Body, Event, Purchase, encode_body
from kantis.desk.programs import Home
from kantis.desk.results import Result
from kantis.store.chain import event_hash
from kantis.store.rows import EventRow, Row
from kantis.store.schema import ALONE, DECIDED

#: The source of events that decisions cause; nobody else may use it.
DESK: Final = "desk"


class Task:
    """One event of a batch, and what becomes of it."""

    __slots__ = (
        "account",
        "again",
        "body",
        "entry",
        "event",
        "flag",
        "hash",
        "home",
        "imported",
        "note",
        "result",
        "row",
        "seq",
        "state",
        "time",
        "waits",
    )

    def __init__(self, event: Event, home: Home, imported: bool, row: EventRow | None) -> None:
        self.event = event
        self.home = home
        self.imported = imported
        self.row = row
        self.account = 0
        self.seq = 0
        self.state = DECIDED
        self.time = event.time
        self.flag = ""
        self.waits: str | None = None
        self.note: str | None = None
        self.entry: Entry | None = None
        self.result: Result | None = None
        self.again: Task | None = None
        self.body = b""
        self.hash = b""

    def seal(self) -> None:
        """Make the bytes and the hash under which the event is recorded."""
        event = self.event
        if self.row is not None and self.row.body is not None:
            self.body, self.hash = self.row.body, self.row.hash
            return
        self.body = encode_body(event.body)
        self.hash = event_hash(
            self.home.number,
            event.key,
            event.time,
            event.received,
            event.subject,
            int(event.ask),
            self.body,
        )

    def same_as(self, row: EventRow) -> bool:
        """Whether a recorded event says the same as this one."""
        event = self.event
        body = encode_body(event.body)
        program, time, subject = self.home.number, event.time, event.subject
        return event_hash(program, row.key, time, row.received, subject, row.ask, body) == row.hash

    def row_of(self, state: int, account: int | None, seq: int | None) -> Row:
        """The event as a row of the books; a receipt only where a member may claim it."""
        event = self.event
        body = event.body
        receipt = body.receipt if state == ALONE and isinstance(body, Purchase) else ""
        return (
            event.key,
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
            self.hash,
            receipt or None,
            self.waits,
            self.note,
            self.body,
        )


class Made:
    """An entry of this batch with what is recorded beside it."""

    __slots__ = ("booked", "digest", "entry", "imported", "seen", "value")

    def __init__(
        self,
        entry: Entry,
        now: int,
        imported: bool,
        value: int | None = None,
        digest: bytes = b"",
        seen: bytes = b"",
    ) -> None:
        self.entry = entry
        self.imported = imported
        #: history is booked when it happened, everything else now
        self.booked = entry.at if imported else now
        self.value = entry.at if value is None else value
        self.digest = digest
        self.seen = seen


class Live:
    """An account while a batch decides on it."""

    __slots__ = (
        "account",
        "broken",
        "head",
        "home",
        "id",
        "made",
        "opened",
        "size",
        "tail",
        "tasks",
    )

    def __init__(
        self, home: Home, account: Account, head: bytes, size: int = 0, *, opened: bool = False
    ) -> None:
        self.id = account.id
        self.home = home
        self.account = account
        self.head = head
        self.opened = opened
        self.made: list[Made] = []
        self.tasks: list[Task] = []
        self.broken = ""
        #: bytes of the snapshot, and the chain value after this batch
        self.size = size
        self.tail = head


_TAGS: dict[type, str] = {}


def tag_of(body: Body) -> str:
    """The type of an event with that body."""
    kind: Any = type(body)
    tag = _TAGS.get(kind)
    if tag is None:
        tag = _TAGS[kind] = str(kind.__struct_config__.tag)
    return tag
