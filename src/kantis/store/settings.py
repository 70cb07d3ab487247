"""Settings: what the owner of a program has settled about the work with it."""

from __future__ import annotations

from kantis.store.books import Books
from kantis.store.reading import Reading


def setting(books: Reading, program: int, name: str) -> int | None:
    """What was settled; ``None`` where nothing was."""
    found = books.rows("SELECT value FROM setting WHERE program = ? AND name = ?", (program, name))
    return int(found[0][0]) if found else None


def settle(books: Books, program: int, name: str, value: int | None) -> None:
    """Settle it, or with ``None`` leave it open again."""
    books.execute("DELETE FROM setting WHERE program = ? AND name = ?", (program, name))
    if value is not None:
        books.insert("setting", {"program": program, "name": name, "value": value})
