"""Looked: how far a job has looked at accounts, so that the next time it reads what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

TABLES: Final = """
CREATE TABLE looked (
    what {text} PRIMARY KEY,
    about {text} NOT NULL,
    entry {int} NOT NULL,
    day {int} NOT NULL
){end};
"""


class LookedRow(NamedTuple):
    """A look at all accounts: ``what`` for, what it was ``about`` (other words look at all
    anew), up to which entry, and on which day."""

    what: str
    about: str
    entry: int
    day: int


def looked(books: Reading, what: str) -> LookedRow | None:
    """The last look; none where there was none."""
    found = books.rows("SELECT what, about, entry, day FROM looked WHERE what = ?", (what,))
    return LookedRow._make(found[0]) if found else None


def write(books: Books, row: LookedRow) -> None:
    """A look has come to its end."""
    books.execute(
        "INSERT INTO looked (what, about, entry, day) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (what) DO UPDATE SET about = excluded.about, entry = excluded.entry, "
        "day = excluded.day",
        row,
    )


def forget(books: Books, what: str) -> None:
    """The next look begins anew."""
    books.execute("DELETE FROM looked WHERE what = ?", (what,))


def ahead(books: Reading, above: int, upto: int, now: int) -> int:
    """The first entry of these that counts from a later instant than now; 0 for none."""
    return int(
        books.one(
            "SELECT coalesce(min(n), 0) FROM entry WHERE n > ? AND n <= ? AND value > ?",
            (above, upto, now),
        )
    )


def changed(books: Reading, program: int, above: int, upto: int) -> list[int]:
    """The accounts of a program that have got an entry after one number up to another."""
    found = books.rows(
        "SELECT DISTINCT e.account FROM entry e JOIN account a ON a.id = e.account "
        "WHERE e.n > ? AND e.n <= ? AND a.program = ? ORDER BY e.account",
        (above, upto, program),
    )
    return [account for (account,) in found]
