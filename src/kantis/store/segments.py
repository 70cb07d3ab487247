"""Segments: rules that a merchant has written for members, and who meets them, in the books."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

TABLES: Final = """
CREATE TABLE segment (
    program {int} NOT NULL,
    name {text} NOT NULL,
    source {text} NOT NULL,
    made {int} NOT NULL,
    refreshed {int} NOT NULL,
    ended {int},
    PRIMARY KEY (program, name)
){end};

CREATE TABLE segment_member (
    program {int} NOT NULL,
    name {text} NOT NULL,
    account {int} NOT NULL,
    since {int} NOT NULL,
    PRIMARY KEY (program, name, account)
){narrow};
"""

DRAWS: Final = """
ALTER TABLE segment ADD COLUMN held {int} NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN drawn {int} NOT NULL DEFAULT 0;
"""


class SegmentRow(NamedTuple):
    """A segment: its rules as text, and when its members were found last (0: not yet). One that
    is ``ended`` has nobody, and goes once its members know. Of its members ``held`` hundredths
    of a percent are held back, by the lots that were ``drawn`` at that instant."""

    program: int
    name: str
    source: str
    made: int
    refreshed: int = 0
    ended: int | None = None
    held: int = 0
    drawn: int = 0


_ROW: Final = ", ".join(SegmentRow._fields)


def write(books: Books, row: SegmentRow) -> None:
    """Write a segment down, or its new rules; who meets those is found at the next refresh."""
    books.execute(
        "INSERT INTO segment (program, name, source, made, refreshed, ended, held, drawn) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (program, name) DO UPDATE SET "
        "source = excluded.source, made = excluded.made, ended = excluded.ended, "
        "held = excluded.held, drawn = excluded.drawn",
        row,
    )


def drop(books: Books, program: int, name: str) -> None:
    """Forget a segment that has ended, and who was in it."""
    books.execute("DELETE FROM segment_member WHERE program = ? AND name = ?", (program, name))
    books.execute(
        "DELETE FROM segment WHERE program = ? AND name = ? AND ended IS NOT NULL", (program, name)
    )


def refreshed(books: Books, program: int, name: str, at: int) -> None:
    """Note that the members of a segment were found."""
    books.execute(
        "UPDATE segment SET refreshed = ? WHERE program = ? AND name = ?", (at, program, name)
    )


def move(
    books: Books, program: int, name: str, come: Iterable[int], gone: Iterable[int], at: int
) -> None:
    """Accounts that come into a segment, and those that leave it."""
    for account in come:
        books.execute(
            "INSERT INTO segment_member (program, name, account, since) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (program, name, account, at),
        )
    for account in gone:
        books.execute(
            "DELETE FROM segment_member WHERE program = ? AND name = ? AND account = ?",
            (program, name, account),
        )


def segments(books: Reading, program: int = 0) -> list[SegmentRow]:
    """The segments of a program or (0) of all, also those that end."""
    found = books.rows(
        f"SELECT {_ROW} FROM segment WHERE ? IN (0, program) ORDER BY program, name", (program,)
    )
    return [SegmentRow(*row) for row in found]


def counts(books: Reading, program: int) -> dict[str, int]:
    """How many members each segment has."""
    found = books.rows(
        "SELECT name, count(*) FROM segment_member WHERE program = ? GROUP BY name", (program,)
    )
    return dict(found)


def members(books: Reading, program: int, name: str, above: int, count: int) -> list[int]:
    """The accounts in a segment above a number, in their order."""
    found = books.rows(
        "SELECT account FROM segment_member WHERE program = ? AND name = ? AND account > ? "
        "ORDER BY account LIMIT ?",
        (program, name, above, count),
    )
    return [row[0] for row in found]


def among(books: Reading, program: int, name: str, accounts: Sequence[int]) -> set[int]:
    """Which of some accounts, in order of their numbers, are in a segment."""
    found = books.rows(
        "SELECT account FROM segment_member WHERE program = ? AND name = ? "
        "AND account BETWEEN ? AND ?",
        (program, name, accounts[0], accounts[-1]),
    )
    return {row[0] for row in found} & set(accounts)


def bought(books: Reading, accounts: Iterable[int]) -> list[tuple[int, int, int, int, int]]:
    """(account, first day of the month, last day of buying, count, amount) of accounts."""
    found = books.rows(
        "SELECT e.account, e.month, e.last, e.count, e.amount "
        f"FROM {books.wanted['i']} tallied_month e WHERE e.account = j.a",
        books.keyed("i", [(number,) for number in accounts]),
    )
    return [tuple(row) for row in found]
