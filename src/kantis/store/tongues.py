"""Tongues: the language in which somebody who works here reads, for letters to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

TABLES: Final = """
CREATE TABLE staff_language (
    staff {int} PRIMARY KEY,
    language {text} NOT NULL
){end};
"""


def language(books: Reading, staff: int) -> str:
    """The language in which somebody signed in last; empty where that is not known."""
    found = books.rows("SELECT language FROM staff_language WHERE staff = ?", (staff,))
    return str(found[0][0]) if found else ""


def speak(books: Books, staff: int, tag: str) -> None:
    """Somebody has signed in in a language."""
    books.execute(
        "INSERT INTO staff_language (staff, language) VALUES (?, ?) ON CONFLICT (staff) "
        "DO UPDATE SET language = excluded.language",
        (staff, tag),
    )
