"""Imports: files that somebody brought over HTTP, and what became of each.

The file itself stands in no table: it is in the folder of keys until it is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

#: States of an import: brought, read for a dry run, read, taken, taken whole, stopped by a
#: fault, and thrown away.
NEW: Final = 0
CHECKING: Final = 1
CHECKED: Final = 2
TAKING: Final = 3
TAKEN: Final = 4
FAILED: Final = 5
DROPPED: Final = 6
STATES: Final = ("new", "checking", "checked", "being taken", "taken", "failed", "dropped")
#: In these states nobody works on it, and its file is there.
OPEN: Final = (NEW, CHECKED, FAILED)
#: In these states its file is there.
HERE: Final = (*OPEN, CHECKING, TAKING)

TABLES: Final = f"""
CREATE TABLE import (
    number {{counted}} PRIMARY KEY,
    program {{int}} NOT NULL,
    file {{text}} NOT NULL UNIQUE,
    name {{text}} NOT NULL,
    mapping {{text}} NOT NULL,
    state {{bit}} NOT NULL CHECK (state BETWEEN 0 AND {len(STATES) - 1}),
    who {{text}} NOT NULL,
    person {{text}} NOT NULL,
    made {{int}} NOT NULL,
    changed {{int}} NOT NULL,
    job {{int}} NOT NULL,
    summary {{text}} NOT NULL,
    trouble {{text}} NOT NULL
){{end}};
"""


class ImportRow(NamedTuple):
    """An import. ``file`` is the name of its file in the folder, ``name`` how it was called
    where it comes from; ``mapping`` and ``summary`` are JSON, ``trouble`` says why it failed."""

    number: int
    program: int
    file: str
    name: str
    mapping: str
    state: int
    who: str
    person: str
    made: int
    changed: int
    job: int
    summary: str
    trouble: str


_IMPORT: Final = ", ".join(ImportRow._fields)


def add(books: Books, row: ImportRow) -> int:
    """Record an import, whatever number stands in the row; its number."""
    return books.insert_counted("import", row._asdict())


def one(books: Reading, number: int) -> ImportRow | None:
    """An import by its number."""
    found = books.rows(f"SELECT {_IMPORT} FROM import WHERE number = ?", (number,))
    return ImportRow._make(found[0]) if found else None


def newest(books: Reading, program: int, most: int) -> list[ImportRow]:
    """The imports of a program, the newest first."""
    found = books.rows(
        f"SELECT {_IMPORT} FROM import WHERE program = ? ORDER BY number DESC LIMIT ?",
        (program, most),
    )
    return list(map(ImportRow._make, found))


def unfinished(books: Reading, program: int) -> int:
    """How many imports of a program have their file here."""
    marks = ", ".join(map(str, HERE))
    said = f"SELECT count(*) FROM import WHERE program = ? AND state IN ({marks})"
    return int(books.one(said, (program,)))


def move(books: Books, row: ImportRow, state: int, at: int, **changed: str | int) -> bool:
    """Bring an import into another state; ``False`` when it is not in that of ``row`` any more."""
    values = {"state": state, "changed": at, **changed}
    said = ", ".join(f"{name} = ?" for name in values)
    return bool(
        books.execute(
            f"UPDATE import SET {said} WHERE number = ? AND state = ?",
            (*values.values(), row.number, row.state),
        )
    )


def left(books: Reading, before: int) -> list[ImportRow]:
    """Imports that nobody has gone on with since an instant."""
    marks = ", ".join(map(str, OPEN))
    found = books.rows(
        f"SELECT {_IMPORT} FROM import WHERE state IN ({marks}) AND changed < ? ORDER BY number",
        (before,),
    )
    return list(map(ImportRow._make, found))


def there(books: Reading) -> set[str]:
    """The names of the files that somebody may still want."""
    marks = ", ".join(map(str, HERE))
    return {row[0] for row in books.rows(f"SELECT file FROM import WHERE state IN ({marks})")}
