"""Rows: what the tables hold, as the store hands it out and takes it in.

Rows that are written come as plain tuples in the order of the ``…_COLUMNS`` below; rows
that are read come as records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final, NamedTuple

from kantis.core.account import Posting
from kantis.store.schema import tables

Row = tuple[Any, ...]

EVENT_COLUMNS: Final = (
    "key", "program", "type", "time", "received", "subject", "ask", "imported", "state",
    "account", "seq", "receipt", "waits", "note", "body", "hash",
)  # fmt: skip
ENTRY_COLUMNS: Final = (
    "account", "seq", "event", "at", "booked", "value", "due", "version", "engine", "zones",
    "hashing", "cause", "digest", "decision", "context", "chain",
)  # fmt: skip
POSTING_COLUMNS: Final = (
    "account", "seq", "n", "balance", "source", "target", "amount", "lot", "reason",
    "value", "booked",
)  # fmt: skip
BALANCE_COLUMNS: Final = (
    "account", "balance", "available", "pending", "held", "owed", "voucher", "payout",
)  # fmt: skip


class EventRow(NamedTuple):
    """A recorded event. ``n`` counts arrivals; ``body`` is gone when its time is over."""

    n: int
    key: str
    program: int
    type: str
    time: int
    received: int
    subject: str
    ask: int
    imported: int
    state: int
    account: int | None
    seq: int | None
    receipt: str | None
    waits: str | None
    note: str | None
    body: bytes | None
    hash: bytes


class AccountRow(NamedTuple):
    """An account: its snapshot, the chain value of its last entry, and when it is due."""

    id: int
    program: int
    seq: int
    due: int | None
    head: bytes
    snapshot: bytes


class EntryRow(NamedTuple):
    """An entry without its postings."""

    account: int
    seq: int
    event: str
    at: int
    booked: int
    value: int
    due: int
    version: int
    engine: int
    zones: str
    hashing: int
    cause: str
    digest: bytes
    decision: bytes
    context: bytes
    chain: bytes


class BalanceRow(NamedTuple):
    """A balance of an account, per place of the member."""

    account: int
    balance: str
    available: int
    pending: int
    held: int
    owed: int
    voucher: int
    payout: int


class VersionRow(NamedTuple):
    """A published version: the text as it was given, and its tree as JSON."""

    program: int
    number: int
    since: int
    source: str
    tree: str
    published: int
    hash: bytes


class FlagRow(NamedTuple):
    """Something that a person should look at."""

    n: int
    event: str
    account: int
    seq: int
    flag: str
    raised: int
    cleared: int | None


class LimitRow(NamedTuple):
    """A shared limit: how many there are, and how many are taken."""

    program: int
    name: str
    quantity: int
    taken: int


class CheckpointRow(NamedTuple):
    """A root over the chain values that changed up to an entry, and over events up to one."""

    number: int
    entry: int
    event: int
    made: int
    heads: int
    root: bytes


class Table(NamedTuple):
    """A table as it stands in a database: its columns by name, their types, and its key."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    key: tuple[str, ...]


def tables_of(found: Iterable[Row]) -> dict[str, Table]:
    """The tables of the books from (table, column, place in the key or 0, type)."""
    columns: dict[str, list[Row]] = {}
    for name, *column in sorted(found):
        columns.setdefault(name, []).append(tuple(column))
    return {
        name: Table(
            tuple(each[0] for each in columns[name]),
            tuple(each[2] for each in columns[name]),
            tuple(each[0] for each in sorted(columns[name], key=itemgetter(1)) if each[1]),
        )
        for name in tables()
        if name in columns
    }


#: An entry with its postings, as it is read back.
Recorded = tuple[EntryRow, list[Posting]]


@dataclass(slots=True)
class Page:
    """All rows that one batch writes, each list in the order of the table's columns.

    The desk leaves the hashes of ``unsealed`` events and the chain values of ``ledgers`` to
    whoever writes the page; ``sealing.seal`` makes rows of both.
    """

    #: the engine and the time zone rules that decided
    stamp: tuple[int, str] = (0, "")
    events: list[Row] = field(default_factory=list)
    #: events without their last column, the hash
    unsealed: list[Row] = field(default_factory=list)
    #: what accounts have got: see ``sealing``
    ledgers: list[Row] = field(default_factory=list)
    #: (state, account, seq, waits, note, n): events that were recorded before
    settled: list[Row] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)
    postings: list[Row] = field(default_factory=list)
    #: (id, program, seq, due, head, snapshot)
    opened: list[Row] = field(default_factory=list)
    #: (seq, due, head, snapshot, id)
    accounts: list[Row] = field(default_factory=list)
    balances: list[Row] = field(default_factory=list)
    #: (program, token, account)
    cards: list[Row] = field(default_factory=list)
    #: (event, account, seq, flag, raised)
    flags: list[Row] = field(default_factory=list)
    #: what parked events wait for and has come now, beside the decided ones of ``events``
    arrived: list[str] = field(default_factory=list)


class Ahead(NamedTuple):
    """What a batch is going to ask when it has begun, as far as is known before.

    A store to which each question is a way there and back asks all of it at once.
    """

    #: how many events that wait it takes up; 0 is none
    ready: int = 0
    #: the numbers of keys of callers, to find those that were revoked
    shown: Sequence[int] = ()
    #: of events, to find what came before
    keys: Sequence[str] = ()
    #: (program, token) of cards whose accounts are not known, and the accounts that are
    cards: Sequence[tuple[int, str]] = ()
    accounts: Sequence[int] = ()
    #: the last change of a card that is known
    card_change: int = 0


class KeyRow(NamedTuple):
    """A key of a caller: its hash and what it may do. ``revoked`` is when it was taken away.

    The program 0 is the whole installation; a limit of 0 is none.
    """

    number: int
    prefix: str
    hash: bytes
    name: str
    program: int
    scope: str
    source: str
    location: str
    created: int
    revoked: int | None = None
    per_minute: int = 0
    largest: int = 0
    goodwill: int = 0


class AuditRow(NamedTuple):
    """What somebody did by hand: who by which key, what about, and the details as JSON."""

    n: int
    at: int
    who: str
    name: str
    program: int
    deed: str
    about: str
    said: str


class AdjustmentRow(NamedTuple):
    """An adjustment that somebody asked for, and what another person said to it."""

    n: int
    key: str
    program: int
    source: str
    who: str
    subject: str
    balance: str
    amount: int
    reason: str
    at: int
    state: int
    decider: str | None
    decided: int | None
    note: str | None
    sent: int


class LinkRow(NamedTuple):
    """A link for the first admin: the hash of its token, and until when it opens."""

    number: int
    hash: bytes
    made: int
    expires: int
    used: int | None
