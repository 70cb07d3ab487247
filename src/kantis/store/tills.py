"""Tills: codes that pair a device, who stands at a till, and PINs, in the books.

What a till may do stands in its key; here is only what a counter needs beside it. A code and
a PIN never stand here: of a code there is the SHA-256, of a PIN what Argon2 makes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

TABLES: Final = """
CREATE TABLE pairing (
    digest {bytes} PRIMARY KEY CHECK (length(digest) = 32),
    program {int} NOT NULL,
    name {text} NOT NULL,
    location {text} NOT NULL,
    ends {int} NOT NULL
){end};

CREATE TABLE till (
    key {text} PRIMARY KEY,
    staff {int} NOT NULL,
    seen {int} NOT NULL
){end};

CREATE TABLE pin (
    staff {int} PRIMARY KEY,
    hash {text} NOT NULL
){end};
"""


class PairingRow(NamedTuple):
    """A code that pairs a device with a program and a location, once, until ``ends``."""

    digest: bytes
    program: int
    name: str
    location: str
    ends: int


class TillRow(NamedTuple):
    """A device, by the prefix of its key; ``staff`` stands at it (0: nobody)."""

    key: str
    staff: int
    seen: int


def add_pairing(books: Books, row: PairingRow, now: int) -> None:
    """Record a code, and forget those that are over."""
    books.execute("DELETE FROM pairing WHERE ends <= ?", (now,))
    books.insert("pairing", row._asdict())


def take_pairing(books: Books, digest: bytes, now: int) -> PairingRow | None:
    """Use a code up; ``None`` where it is not there (any more)."""
    columns = ", ".join(PairingRow._fields)
    found = books.rows(f"SELECT {columns} FROM pairing WHERE digest = ?", (digest,))
    books.execute("DELETE FROM pairing WHERE digest = ?", (digest,))
    row = PairingRow._make(found[0]) if found else None
    return row if row is not None and row.ends > now else None


def add_till(books: Books, key: str, at: int) -> None:
    """Record a device; nobody stands at it yet."""
    books.insert("till", {"key": key, "staff": 0, "seen": at})


def tills(books: Reading) -> dict[str, TillRow]:
    """All devices by the prefix of their key, those whose key was revoked too."""
    found = books.rows("SELECT key, staff, seen FROM till")
    return {row[0]: TillRow._make(row) for row in found}


def till(books: Reading, key: str) -> TillRow | None:
    """The device that has a key."""
    found = books.rows("SELECT key, staff, seen FROM till WHERE key = ?", (key,))
    return TillRow._make(found[0]) if found else None


def stand_at(books: Books, key: str, staff: int, at: int) -> None:
    """Somebody stands at a till now, or nobody (0)."""
    books.execute("UPDATE till SET staff = ?, seen = ? WHERE key = ?", (staff, at, key))


def pins(books: Reading) -> dict[int, str]:
    """What Argon2 made of the PINs, by who has them."""
    return dict(books.rows("SELECT staff, hash FROM pin"))


def set_pin(books: Books, staff: int, hashed: str) -> None:
    """Somebody has another PIN now."""
    books.execute("DELETE FROM pin WHERE staff = ?", (staff,))
    books.insert("pin", {"staff": staff, "hash": hashed})
