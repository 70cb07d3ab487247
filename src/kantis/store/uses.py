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


def uses(books: Reading) -> dict[str, int]:
    """When each key was used last, by its prefix; those never used are missing."""
    return {str(key): int(at) for key, at in books.rows("SELECT key, at FROM key_use")}


def use(books: Books, key: str, at: int) -> None:
    """A key was used; what is known to be later stays."""
    books.execute(
        "INSERT INTO key_use (key, at) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET "
        "at = excluded.at WHERE key_use.at < excluded.at",
        (key, at),
    )
