"""Shops: connections to shops, and what each of them has told of its orders.

What was told is kept by the source of the events that follow from it, so that a shop that is
connected anew goes on where it was. A connection is taken away by a date, never by deleting it:
its name stands in what it sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books

TABLES = """
CREATE TABLE shop (
    number {int} PRIMARY KEY,
    name {text} NOT NULL UNIQUE,
    kind {text} NOT NULL,
    program {int} NOT NULL,
    source {text} NOT NULL,
    secrets {bytes} NOT NULL,
    settings {bytes} NOT NULL,
    created {int} NOT NULL,
    removed {int}
){end};

CREATE TABLE shop_order (
    source {text} NOT NULL,
    reference {text} NOT NULL,
    changed {int} NOT NULL,
    waits {bit} NOT NULL CHECK (waits IN (0, 1)),
    known {bytes} NOT NULL,
    PRIMARY KEY (source, reference)
){roomy};
CREATE INDEX shop_order_waits ON shop_order (source) WHERE waits = 1;
"""


class ShopRow(NamedTuple):
    """A connection to a shop; ``removed`` is when it was taken away."""

    number: int
    name: str
    kind: str
    program: int
    source: str
    secrets: bytes
    settings: bytes
    created: int
    removed: int | None = None


_SHOP = ", ".join(ShopRow._fields)


def shops(books: Books) -> list[ShopRow]:
    """All connections, oldest first, those that were taken away too."""
    return list(map(ShopRow._make, books.rows(f"SELECT {_SHOP} FROM shop ORDER BY number")))


def shop(books: Books, name: str) -> ShopRow | None:
    """The connection of that name, unless it was taken away."""
    found = books.rows(f"SELECT {_SHOP} FROM shop WHERE name = ? AND removed IS NULL", (name,))
    return ShopRow._make(found[0]) if found else None


def add_shop(books: Books, row: ShopRow) -> None:
    """Record a connection."""
    marks = ", ".join("?" * len(row))
    books.execute(f"INSERT INTO shop ({_SHOP}) VALUES ({marks})", list(row))


def remove_shop(books: Books, name: str, at: int) -> bool:
    """Take a connection away, and forget its secrets; ``False`` when there is none."""
    return bool(
        books.execute(
            "UPDATE shop SET removed = ?, secrets = ?, name = ? WHERE name = ? AND removed IS NULL",
            (at, b"", f"{name}@{at}", name),
        )
    )


def order(books: Books, source: str, reference: str) -> bytes | None:
    """What a shop has told of an order."""
    found = books.rows(
        "SELECT known FROM shop_order WHERE source = ? AND reference = ?", (source, reference)
    )
    return bytes(found[0][0]) if found else None


def keep_order(
    books: Books, source: str, reference: str, at: int, waits: bool, known: bytes
) -> None:
    """Remember what a shop has told of an order."""
    books.execute(
        "INSERT INTO shop_order (source, reference, changed, waits, known) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (source, reference) DO UPDATE SET changed = excluded.changed, "
        "waits = excluded.waits, known = excluded.known",
        (source, reference, at, int(waits), known),
    )


def counts(books: Books) -> dict[str, tuple[int, int]]:
    """For each source how many orders it told of, and how many of them wait for more."""
    found = books.rows("SELECT source, count(*), sum(waits) FROM shop_order GROUP BY source")
    return {source: (count, int(waiting or 0)) for source, count, waiting in found}
