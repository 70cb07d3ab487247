"""Printing: the numbers of cards that were printed, whether or not somebody has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from kantis.store.people import BLOCKED, STOPPED, CardChange

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

#: Rows of one statement.
_AT_ONCE: Final = 200


class BatchRow(NamedTuple):
    """A batch of cards; ``blocked`` is the instant since which none of it works."""

    number: int
    program: int
    name: str
    size: int
    made: int
    who: str
    blocked: int | None


class PrintedCard(NamedTuple):
    """A card of a batch, and the account of whoever has it."""

    token: str
    account: int | None


_BATCH: Final = ", ".join(f"b.{name}" for name in BatchRow._fields)
_GIVEN: Final = (
    "(SELECT count(*) FROM printed_card p JOIN card c ON c.program = p.program "
    "AND c.token = p.token WHERE p.batch = b.number)"
)


def batches(books: Reading, program: int) -> list[tuple[BatchRow, int]]:
    """The batches of a program, newest first, each with how many of its cards are given."""
    found = books.rows(
        f"SELECT {_BATCH}, {_GIVEN} FROM card_batch b WHERE b.program = ? ORDER BY b.number DESC",
        (program,),
    )
    return [(BatchRow._make(row[:-1]), row[-1]) for row in found]


def batch(books: Reading, number: int) -> BatchRow | None:
    """One batch."""
    found = books.rows(f"SELECT {_BATCH} FROM card_batch b WHERE b.number = ?", (number,))
    return BatchRow._make(found[0]) if found else None


def cards(books: Reading, number: int, above: str, count: int) -> list[PrintedCard]:
    """Cards of a batch above one, in the order of their numbers."""
    found = books.rows(
        "SELECT p.token, c.account FROM printed_card p LEFT JOIN card c "
        "ON c.program = p.program AND c.token = p.token "
        "WHERE p.batch = ? AND p.token > ? ORDER BY p.token LIMIT ?",
        (number, above, count),
    )
    return list(map(PrintedCard._make, found))


def printed(books: Reading, program: int, tokens: Sequence[str]) -> set[str]:
    """Those of some numbers that were printed."""
    found: set[str] = set()
    for first in range(0, len(tokens), _AT_ONCE):
        part = tokens[first : first + _AT_ONCE]
        marks = ", ".join("?" * len(part))
        rows = books.rows(
            f"SELECT token FROM printed_card WHERE program = ? AND token IN ({marks})",
            (program, *part),
        )
        found |= {token for (token,) in rows}
    return found


def add_batch(books: Books, row: BatchRow, tokens: Sequence[str]) -> int:
    """Record a batch with its numbers; its own number is given here."""
    number = int(books.one("SELECT coalesce(max(number), 0) FROM card_batch")) + 1
    books.insert("card_batch", row._replace(number=number)._asdict())
    values = [(row.program, token, number) for token in tokens]
    _insert(books, "printed_card (program, token, batch)", values)
    return number


def block(books: Books, row: BatchRow, at: int, who: str) -> int:
    """No card of a batch works any more; how many that stops which did until now."""
    books.execute("UPDATE card_batch SET blocked = ? WHERE number = ?", (at, row.number))
    marks = ", ".join("?" * len(STOPPED))
    stopped = {
        token
        for (token,) in books.rows(
            "SELECT p.token FROM printed_card p JOIN card_change x ON x.program = p.program "
            f"AND x.token = p.token WHERE p.batch = ? AND x.state IN ({marks})",
            (row.number, *STOPPED),
        )
    }
    values = [
        (row.program, each.token, each.account or 0, BLOCKED, at, who)
        for each in cards(books, row.number, "", row.size)
        if each.token not in stopped
    ]
    _insert(books, f"card_change ({', '.join(CardChange._fields[1:])})", values)
    return len(values)


def _insert(books: Books, into: str, values: Sequence[tuple[object, ...]]) -> None:
    for first in range(0, len(values), _AT_ONCE):
        part = values[first : first + _AT_ONCE]
        marks = ", ".join([f"({', '.join('?' * len(part[0]))})"] * len(part))
        books.execute(f"INSERT INTO {into} VALUES {marks}", [x for row in part for x in row])
