"""Recorded: rows of the books turned back into entries, events and contexts.

What a decision saw beside its account is recorded by reference: the entries it read stand
in the same books, so a replay finds them there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct, msgpack

from kantis.core.account import Posting
from kantis.core.decision import Context, Decision, Entry, Original, decode_decision
from kantis.core.events import Event, decode_body
from kantis.store.people import STOPPED
from kantis.store.rows import EntryRow, EventRow

#: The flag of an event whose time could not be.
OUT_OF_RANGE: Final = "time-out-of-range"
#: What an event is flagged with on its arrival.
FLAGS: Final = frozenset((OUT_OF_RANGE, *(f"card-{state}" for state in STOPPED)))


def flag_of(note: str | None) -> str:
    """The flag that an event has had since it came, from the note of its row.

    >>> flag_of("time-out-of-range: tried again"), flag_of("ValueError: no"), flag_of(None)
    ('time-out-of-range', '', '')
    """
    code = (note or "").partition(":")[0]
    return code if code in FLAGS else ""


def noted(flag: str, note: str | None) -> str:
    """The note of an event that waits: its flag, and what became of it."""
    return f"{flag}: {note}" if flag and note else note or flag


#: (account, seq) of the entries that undid something; account 0 is that of the decision
Undone = tuple[tuple[int, int], ...]


class Seen(Struct, array_like=True):
    """What a decision saw: (event, its seq, seqs that undid it), (receipt, event), limits; and
    of events of accounts that became a part of this one (event, its account, its seq, what
    undid it)."""

    originals: list[tuple[str, int, tuple[int, ...]]]
    receipts: list[tuple[str, str]]
    limits: dict[str, int]
    elsewhere: list[tuple[str, int, int, Undone]] = []


_encode = msgpack.Encoder().encode
_decode = msgpack.Decoder(Seen).decode


def encode_seen(context: Context, undone: Mapping[str, Undone]) -> bytes:
    """The record of a context; ``undone`` has the entries that undid each original."""
    originals, elsewhere = [], []
    for key, original in context.originals.items():
        by, seq = undone.get(key, ()), original.entry.seq
        if original.account or any(account for account, _ in by):
            elsewhere.append((key, original.account, seq, by))
        else:
            originals.append((key, seq, tuple(each for _, each in by)))
    receipts = [(receipt, event.key) for receipt, event in context.receipts.items()]
    return _encode(Seen(originals, receipts, context.limits, elsewhere))


def decode_seen(data: bytes) -> Seen:
    """What a decision saw, from its record."""
    return _decode(data) if data else Seen([], [], {})


def entry_of(row: EntryRow, postings: list[Posting]) -> Entry:
    """The entry that a row and its postings stand for."""
    decision = decode_decision(row.decision)
    decision.postings = postings
    return Entry(row.seq, row.at, row.version, decision, row.event, row.due)


def event_of(row: EventRow, time: int | None = None, received: int = 0) -> Event:
    """The event that a row stands for, at the time and the instant at which it was decided.

    Without them it is the event as it came; one that said no time, or an impossible one,
    counts as of its receipt.
    """
    source, _, name = row.key.partition("/")
    assert row.body is not None, f"the body of {row.key} is gone"
    body = decode_body(row.body)
    if time is None:
        time = row.received if not row.time or flag_of(row.note) == OUT_OF_RANGE else row.time
    return Event(source, name, time, row.subject, body, received or row.received, bool(row.ask))


def original_of(
    event: EventRow, row: EntryRow, postings: list[Posting], undone: Iterable[Decision]
) -> Original:
    """An earlier event with its entry, as a later decision sees it."""
    said = event_of(event, row.value, row.at) if row.event == event.key else event_of(event)
    return Original(said, entry_of(row, postings), tuple(undone))
