"""Copies: whole books from one store into another, and the proof that both are equal.

Guarantee: a copy is made from one instant, however much is written meanwhile, and holds
every table of the schema with every column. Two books have the same seal only when every
row of every table is the same in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import blake2b
from itertools import islice, zip_longest
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import apsw
from msgspec import msgpack

from kantis.store.books import Books, Outage
from kantis.store.reading import Reading
from kantis.store.rows import Row, Table
from kantis.store.sqlite import SqliteBooks

#: Told while something long runs: what is being done, how far, and of how much.
Progress = Callable[[str, int, int], None]
#: Of each table, how many rows it has and the hash over them in the order of their keys.
Seal = dict[str, tuple[int, str]]

_STEP_ROWS: Final = 2_000
_STEP_PAGES: Final = 2_000
#: What differs between the stores is put in one order here.
_ORDER: Final = {"entry": ("account", "seq")}
_encode = msgpack.Encoder().encode


class DraftBooks(SqliteBooks):
    """A new file that nobody knows yet: what is lost with it can be made again."""

    def _settings(self) -> None:
        self._db.execute("PRAGMA journal_mode = MEMORY")
        self._db.execute("PRAGMA synchronous = OFF")


def ordered(books: Reading, name: str, table: Table, key: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a table in the order of a key."""
    columns, order = ", ".join(table.columns), ", ".join(key)
    return books.stream(f"SELECT {columns} FROM {name} ORDER BY {order}")


def seal(books: Reading, tell: Progress) -> Seal:
    """The seal of books that are frozen."""
    made: Seal = {}
    for name, table in books.layout().items():
        try:
            made[name] = _sealed(books, name, table, tell)
        except apsw.Error as error:
            raise Outage(f"{name} cannot be read: {error}") from error
    return made


def _sealed(books: Reading, name: str, table: Table, tell: Progress) -> tuple[int, str]:
    rows = ordered(books, name, table, _ORDER.get(name, table.key))
    total, count, hashed = _count(books, name), 0, blake2b(digest_size=16)
    while part := list(islice(rows, _STEP_ROWS)):
        hashed.update(_encode(part))
        count += len(part)
        tell(f"proving {name}", count, total)
    return count, hashed.hexdigest()


def _count(books: Reading, name: str) -> int:
    return int(books.one(f"SELECT count(*) FROM {name}"))


def is_empty(books: Reading) -> bool:
    """Whether there is no row in any table of books."""
    return not any(books.rows(f"SELECT 1 FROM {name} LIMIT 1") for name in books.layout())


def pour(source: Reading, target: Books, tell: Progress) -> None:
    """Write all rows of frozen books into empty ones, within the transaction of those."""
    there = target.layout()
    for name, table in source.layout().items():
        taken = there[name]
        rows = ordered(source, name, table, taken.key)
        target.take_in(name, taken, _told(rows, f"copying {name}", _count(source, name), tell))
    target.renumber()


def _told(rows: Iterator[Row], stage: str, total: int, tell: Progress) -> Iterator[Row]:
    done = 0
    for done, row in enumerate(rows, 1):
        if not done % _STEP_ROWS:
            tell(stage, done, total)
        yield row
    tell(stage, done, total)


def pages(source: SqliteBooks, target: Path, tell: Progress) -> None:
    """Copy a frozen file page by page into a new one that stands alone, without a log."""
    try:
        with closing(apsw.Connection(str(target))) as copy:
            with copy.backup("main", source.connection, "main") as run:
                while not run.done:
                    run.step(_STEP_PAGES)
                    tell("copying pages", run.page_count - run.remaining, run.page_count)
            copy.execute("PRAGMA journal_mode = DELETE")
    except apsw.Error as error:
        raise Outage(f"{target} cannot be written: {error}") from error


def difference(one: Reading, other: Reading, name: str) -> str:
    """The first row in which a table of two books differs, in words; empty when none does."""
    table = one.layout()[name]
    key = _ORDER.get(name, table.key)
    place = itemgetter(*(table.columns.index(column) for column in key))
    for left, right in zip_longest(
        ordered(one, name, table, key), ordered(other, name, table, key)
    ):
        if left == right:
            continue
        if left is None or (right is not None and place(right) < place(left)):
            return f"{name} {_named(key, place(right))}: is in the copy only"
        if right is None or place(left) < place(right):
            return f"{name} {_named(key, place(left))}: is missing in the copy"
        at, mine, its = next(
            (n, a, b) for n, (a, b) in enumerate(zip(left, right, strict=True)) if a != b
        )
        said = f"{table.columns[at]} is {_shown(mine)}, and {_shown(its)} in the copy"
        return f"{name} {_named(key, place(left))}: {said}"
    return ""


def _named(key: tuple[str, ...], values: Any) -> str:
    listed = values if len(key) > 1 else (values,)
    return ", ".join(f"{column} {value}" for column, value in zip(key, listed, strict=True))


def _shown(value: Any) -> str:
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
