"""Reminding: who wants to be told before something ends, and what they were told of.

A row of ``reminded`` is written once for each thing and its last day, in the transaction that
asks for the letter; what stands in the letter is read from the account when it is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

TABLES: Final = """
CREATE TABLE reminder (
    account {int} NOT NULL,
    kind {text} NOT NULL,
    days {int} NOT NULL CHECK (days > 0),
    PRIMARY KEY (account, kind)
){end};

CREATE TABLE reminded (
    account {int} NOT NULL,
    kind {text} NOT NULL,
    what {text} NOT NULL,
    last {text} NOT NULL,
    mail {int} NOT NULL,
    begun {bit} NOT NULL CHECK (begun IN (0, 1)),
    PRIMARY KEY (account, kind, what, last)
){end};
CREATE INDEX reminded_mail ON reminded (mail);
"""


class EndRow(NamedTuple):
    """Something that ends, by its name in the books, and its last day (``2026-12-31``)."""

    kind: str
    what: str
    last: str


def wished(books: Reading, account: int) -> dict[str, int]:
    """How many days before, for each kind that a member wants to be reminded of."""
    found = books.rows("SELECT kind, days FROM reminder WHERE account = ?", (account,))
    return dict(found)


def wish(books: Books, account: int, kind: str, days: int) -> None:
    """A member wants to be reminded of a kind so many days before; 0: not any more."""
    books.execute("DELETE FROM reminder WHERE account = ? AND kind = ?", (account, kind))
    if days:
        books.execute("INSERT INTO reminder VALUES (?, ?, ?)", (account, kind, days))


def stop(books: Books, account: int) -> int:
    """A member wants no reminders any more; of how many kinds they did."""
    return books.execute("DELETE FROM reminder WHERE account = ?", (account,))


def wishers(books: Reading, above: int, count: int) -> list[int]:
    """The accounts whose members want reminders, in order, from behind one on."""
    found = books.rows(
        "SELECT DISTINCT account FROM reminder WHERE account > ? ORDER BY account LIMIT ?",
        (above, count),
    )
    return [account for (account,) in found]


def known(books: Reading, account: int) -> set[EndRow]:
    """What the member of an account was reminded of."""
    found = books.rows("SELECT kind, what, last FROM reminded WHERE account = ?", (account,))
    return set(map(EndRow._make, found))


def add(books: Books, account: int, row: EndRow, mail: int) -> bool:
    """A member is told of something in a letter; ``False`` when they were before."""
    return bool(
        books.execute(
            "INSERT INTO reminded VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING",
            (account, *row, mail),
        )
    )


def told_in(books: Reading, mail: int) -> set[EndRow]:
    """What a letter tells of."""
    found = books.rows("SELECT kind, what, last FROM reminded WHERE mail = ?", (mail,))
    return set(map(EndRow._make, found))


def begin(books: Books, mail: int, *, begun: bool) -> bool:
    """A letter leaves now, or it did not leave; ``False`` when it was so before."""
    return bool(
        books.execute(
            "UPDATE reminded SET begun = ? WHERE mail = ? AND begun = ?",
            (int(begun), mail, int(not begun)),
        )
    )


def forget(books: Books, before: str) -> int:
    """What ended before a day needs no row any more."""
    return books.execute("DELETE FROM reminded WHERE last < ?", (before,))
