"""Freezing: the tables of what keeps points from being spent, by program and by account.

A row of ``freezing`` is written once. The last one of a program, an account and a reason says
what holds: until when, or that it is over. ``proof`` says until when a member who spends
through a shop has shown who they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kantis.store import guards

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

_TABLES: Final = """
CREATE TABLE freezing (
    number {counted} PRIMARY KEY,
    program {int} NOT NULL,
    account {int} NOT NULL,
    reason {text} NOT NULL,
    until {int} NOT NULL,
    at {int} NOT NULL,
    who {text} NOT NULL
){end};
CREATE INDEX freezing_account ON freezing (program, account);

CREATE TABLE proof (
    account {int} NOT NULL,
    source {text} NOT NULL,
    until {int} NOT NULL,
    PRIMARY KEY (account, source)
){end};
"""
#: What is parked because nothing may be spent waits for this, and then the program and account.
WAITS: Final = "frozen:"


class FreezingRow(NamedTuple):
    """Spending is frozen from ``at`` on, ``until`` an instant; 0 says that it is over. The
    account 0 is the whole program."""

    number: int
    program: int
    account: int
    reason: str
    until: int
    at: int
    who: str


_FREEZING: Final = ", ".join(FreezingRow._fields)


def sqlite(words: dict[str, str]) -> str:
    """The step in the words of SQLite."""
    kept = guards.sqlite_written_once("freezing", "freeze or end it by another row")
    return _TABLES.format(**words) + kept


def postgres(words: dict[str, str]) -> str:
    """The step in the words of PostgreSQL."""
    return _TABLES.format(**words) + guards.postgres_written_once("freezing")


def changes(books: Reading, above: int) -> list[FreezingRow]:
    """What was frozen and what ended after a row, in the order in which it happened."""
    found = books.rows(
        f"SELECT {_FREEZING} FROM freezing WHERE number > ? ORDER BY number", (above,)
    )
    return list(map(FreezingRow._make, found))


def of_account(books: Reading, program: int, account: int) -> list[FreezingRow]:
    """What was frozen and what ended of an account, the newest first."""
    found = books.rows(
        f"SELECT {_FREEZING} FROM freezing WHERE program = ? AND account = ? ORDER BY number DESC",
        (program, account),
    )
    return list(map(FreezingRow._make, found))


def add(books: Books, row: FreezingRow) -> None:
    """Write down that something is frozen, or that it is over."""
    books.insert_counted("freezing", row._asdict())


def at_counter(books: Reading, program: int, source: str, scopes: tuple[str, ...]) -> bool:
    """Whether all keys of a source are of these scopes, and there are any."""
    found = books.rows(
        "SELECT DISTINCT scope FROM api_key WHERE program = ? AND source = ?", (program, source)
    )
    return bool(found) and all(scope in scopes for (scope,) in found)


def parked(books: Reading) -> list[tuple[str, int]]:
    """What waits because nothing may be spent: for which program and account, and how often."""
    found = books.rows(
        "SELECT waits, count(*) FROM event WHERE waits >= ? AND waits < ? GROUP BY waits",
        (WAITS, WAITS[:-1] + chr(ord(WAITS[-1]) + 1)),
    )
    return [(str(waits), int(count)) for waits, count in found]


def wake(books: Books, waits: str, state: int, note: str) -> int:
    """Let what waits for that be decided by the next batch; how many there were."""
    return books.execute(
        "UPDATE event SET state = ?, waits = NULL, note = ? WHERE waits = ?", (state, note, waits)
    )


def prove(books: Books, account: int, source: str, until: int) -> None:
    """A member has shown to a shop who they are."""
    books.execute("DELETE FROM proof WHERE account = ? AND source = ?", (account, source))
    books.insert("proof", {"account": account, "source": source, "until": until})


def proved(books: Reading, account: int, source: str) -> int:
    """Until when they have; 0 for never."""
    found = books.rows(
        "SELECT until FROM proof WHERE account = ? AND source = ?", (account, source)
    )
    return int(found[0][0]) if found else 0
