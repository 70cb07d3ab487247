"""Uses: when a key was used last, so that one that nobody uses can be taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

TABLES: Final = """
CREATE TABLE key_use (
    key {text} PRIMARY KEY,
    at {int} NOT NULL
){end};
"""
#: A step of its own: from where.
PLACES: Final = "ALTER TABLE key_use ADD COLUMN place {text} NOT NULL DEFAULT '';\n"


def uses(books: Reading) -> dict[str, tuple[int, str]]:
    """When and from where each key was used last, by its prefix; those never used are missing."""
    found = books.rows("SELECT key, at, place FROM key_use")
    return {str(key): (int(at), str(place)) for key, at, place in found}


def use(books: Books, key: str, at: int, place: str) -> None:
    """A key was used; what is known to be later stays."""
    books.execute(
        "INSERT INTO key_use (key, at, place) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
        "at = excluded.at, place = excluded.place WHERE key_use.at < excluded.at",
        (key, at, place),
    )
