"""Decision: what should happen, and how it is recorded.

``turn.Turn`` makes a decision: each posting and each change is applied to the account at
once and written down at once, so the record and the state cannot part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct, field, msgpack

from kantis.core.account import CHANGES, Account, Change, Posting, change
from kantis.core.events import Body, Event
from kantis.core.postings import post

#: Raised when what a decision does changes for the same events; ``engine/editions.py`` says how.
ENGINE = 3


class Refusal(Struct, frozen=True, array_like=True):
    """A no: a code for machines and a sentence that tells people what to do next."""

    code: str
    sentence: str


class FollowUp(Struct, frozen=True, array_like=True):
    """An event for another account that this decision causes; its id and time come from it."""

    subject: str
    body: Body


#: The source of events that decisions cause; nobody else may use it.
DESK: Final = "desk"


def follow_up_id(account: int, seq: int, position: int) -> str:
    """The id of an event that an entry causes: its account, its number, and which of them."""
    return f"{account}-{seq}-{position}"


class Decision(Struct, array_like=True, gc=False):
    """One entry of an account's books.

    ``fired`` is what each rule did: (rule, balance, base, points, lot, points without caps);
    of what is taken back the points are below zero, and the last is what was to be taken.
    ``effects`` is what a price rule took off: (line, rule, amount).
    ``claims`` is what it takes of shared limits: (limit, amount).
    ``cause`` is the event that this entry undoes or completes.
    ``fees`` is money that the member owes the merchant, or gets back (below zero), in minor
    units: (plan or rule, why, amount).
    """

    postings: list[Posting] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    fired: list[tuple[Any, ...]] = field(default_factory=list)
    effects: Sequence[tuple[str, str, int]] = ()
    flags: Sequence[str] = ()
    claims: Sequence[tuple[str, int]] = ()
    notices: Sequence[tuple[Any, ...]] = ()
    follow_ups: Sequence[FollowUp] = ()
    refusal: Refusal | None = None
    cause: str = ""
    fees: Sequence[tuple[str, str, int]] = ()


_encode = msgpack.Encoder().encode
_decode = msgpack.Decoder(Decision).decode


def encode_decision(decision: Decision) -> bytes:
    """The bytes that are recorded, and that the account's chain commits to."""
    return _encode(decision)


def decode_decision(data: bytes) -> Decision:
    """The recorded decision."""
    return _decode(data)


def brought(decision: Decision) -> int:
    """How many of its changes, the first ones, bring what an account had that became a part of
    this one: told and counted there, when it happened.

    >>> brought(Decision(changes=[("voucher", "a"), ("merged", 7), ("tier", "status", 1)]))
    1
    """
    return next((n for n, each in enumerate(decision.changes) if each[0] == "merged"), 0)


class Entry(Struct, array_like=True, gc=False):
    """A decision with its place in the account's books.

    ``seq`` counts from 1 without a gap, ``at`` is the instant to which the account was
    advanced, ``version`` the program version that decided. ``event`` is the key of the
    decided event, or empty for what time did by itself; ``due`` is the account's next
    instant at which time may do something, as it was after this entry.
    """

    seq: int
    at: int
    version: int
    decision: Decision
    event: str = ""
    due: int = 0


class Original(Struct, frozen=True):
    """An earlier event of the account with its entry, and the decisions that undid part of it.

    ``account`` is the one that it was decided on, where that became a part of this one (0: it
    was this one); ``elsewhere`` are the accounts of the decisions in ``undone``, likewise.
    """

    event: Event
    entry: Entry
    undone: tuple[Decision, ...] = ()
    account: int = 0
    elsewhere: tuple[int, ...] = ()


class Needs(Struct, frozen=True):
    """What a decision has to see beside its account.

    ``originals`` are event keys, ``receipts`` name purchases without a member, ``limits``
    are names of shared limits.
    """

    originals: tuple[str, ...] = ()
    receipts: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


class Context(Struct):
    """What the desk found of the ``Needs``; what is missing was not found.

    ``limits`` is what is left of each shared limit.
    """

    originals: dict[str, Original] = {}
    receipts: dict[str, Event] = {}
    limits: dict[str, int] = {}


def apply(account: Account, entry: Entry) -> None:
    """Fold one recorded entry into a snapshot: how a snapshot is proved.

    Changes that make a lot come before the postings that fill it, so all changes are
    applied first, except those that drop lots.
    """
    decision, later = entry.decision, []
    for each in decision.changes:
        code = each[0]
        if code in ("drop", "hollow"):
            later.append(each)
        else:
            CHANGES[code](account, each)
    for posting in decision.postings:
        post(account, posting)
    for each in later:
        change(account, each)
    account.seq, account.at, account.due = entry.seq, entry.at, entry.due
    account.calm = 0
