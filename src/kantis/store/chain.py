"""Commitments: what makes an edited, lost or inserted row show.

Each event has a hash of all that was said; each entry has a chain value over the one
before it and over everything recorded with it; a checkpoint has a root over the chain
values that changed. A root kept in another place proves that nothing before it changed.

>>> first = link(EMPTY, (1, 1, "till/1"), [])
>>> link(first, (1, 2, "till/2"), []) == link(EMPTY, (1, 2, "till/2"), [])
False
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, Final

from msgspec import msgpack

#: The way in which hashes are made; recorded with each entry, so that it can change.
HASHING: Final = 1
SIZE: Final = 16
#: The chain value before the first entry of an account.
EMPTY: Final = bytes(SIZE)

_encode = msgpack.Encoder().encode


def event_hash(
    program: int, key: str, time: int, received: int, subject: str, ask: int, body: bytes
) -> bytes:
    """The hash of everything that an event said, and of when and to whom it came."""
    said = _encode((program, key, time, received, subject, ask, body))
    return blake2b(said, digest_size=SIZE).digest()


def version_hash(program: int, number: int, since: int, source: str, tree: str, at: int) -> bytes:
    """The hash of a published version."""
    said = _encode((program, number, since, source, tree, at))
    return blake2b(said, digest_size=SIZE).digest()


def link(before: bytes, entry: Sequence[Any], postings: Sequence[Any]) -> bytes:
    """The chain value of an entry: the row without its chain value, and its postings."""
    return blake2b(before + _encode((entry, postings)), digest_size=SIZE).digest()


def root(before: bytes, heads: Iterable[tuple[int, int, bytes]], events: Iterable[bytes]) -> bytes:
    """The root of a checkpoint over (account, seq, chain value) of what changed, and hashes."""
    made = blake2b(before, digest_size=SIZE)
    for head in sorted(heads):
        made.update(_encode(head))
    for each in events:
        made.update(each)
    return made.digest()
