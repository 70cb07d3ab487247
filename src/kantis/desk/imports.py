"""Imports: a file that somebody brought is looked at, tried, taken as a job, and gone.

Guarantee: a file stands in the folder of keys, readable for nobody else, only until it is
taken or thrown away, and a day at most after somebody last went on with it. One process works
on an import at a time. Taking it leaves a line in the audit log, with what it added up to.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from kantis.core.calendar import DAY_MS
from kantis.desk import audit, jobs
from kantis.desk.audit import By
from kantis.desk.chores import chore
from kantis.desk.vault.opening import folder_of
from kantis.store import imports as rows
from kantis.store.books import Books
from kantis.store.imports import ImportRow

if TYPE_CHECKING:
    from pathlib import Path

    from kantis.store.reading import Reading

#: The kind of job that reads and takes files.
JOB: Final = "import"
#: A file that nobody goes on with is thrown away after so long; a file of bad rows, too.
KEPT_MS: Final = DAY_MS
BAD_KEPT_MS: Final = 7 * DAY_MS
#: Imports of a program whose files may stand here at once.
OPEN_MAX: Final = 5
_BAD: Final = ".bad.csv"
_FRESH_MS: Final = 3_600_000
_TROUBLE_LETTERS: Final = 1_000


def folder(address: str, vault: str) -> Path:
    """Where the files of imports are: in the folder of keys, which no backup of the books has."""
    return folder_of(address, vault) / "imports"


def bad_name(file: str) -> str:
    """The file of bad rows that belongs to a file.

    >>> bad_name("3f2a.csv")
    '3f2a.bad.csv'
    """
    return file.rpartition(".")[0] + _BAD


@chore
def bring_import(
    books: Books, now: int, program: int, file: str, name: str, mapping: str, by: list[str]
) -> int:
    """Record a file that is in the folder; its number. 0 where too many are there already."""
    if rows.unfinished(books, program) >= OPEN_MAX:
        return 0
    who = By(*by)
    row = ImportRow(
        0, program, file, name, mapping, rows.NEW, who.who, who.name, now, now, 0, "", ""
    )  # fmt: skip
    return rows.add(books, row)


@chore
def map_import(books: Books, now: int, number: int, mapping: str) -> bool:
    """Keep another mapping; ``False`` while somebody works on the import."""
    row = rows.one(books, number)
    if row is None or row.state not in rows.OPEN:
        return False
    return rows.move(books, row, rows.NEW, now, mapping=mapping, summary="", trouble="")


@chore
def start_import(books: Books, now: int, number: int, state: int) -> bool:
    """Ask for a dry run (``CHECKING``) or for the file to be taken (``TAKING``)."""
    row = rows.one(books, number)
    if row is None or row.state not in rows.OPEN:
        return False
    job = jobs.ask_job(books, now, now, JOB, str(number))
    return rows.move(books, row, state, now, job=job, summary="", trouble="")


@chore
def end_import(books: Books, now: int, number: int, state: int, summary: str, trouble: str) -> bool:
    """Say what a dry run found, or what became of a file."""
    row = rows.one(books, number)
    if row is None or row.state not in (rows.CHECKING, rows.TAKING):
        return False
    if state == rows.TAKEN:
        said: dict[str, Any] = json.loads(summary)
        told = {name: value for name, value in said.items() if value and name != "unused"}
        by = By(row.who, row.person)
        audit.record(books, now, by, row.program, "import", row.name, number=number, **told)
    return rows.move(books, row, state, now, summary=summary, trouble=trouble[:_TROUBLE_LETTERS])


@chore
def drop_import(books: Books, now: int, number: int) -> bool:
    """Throw an import away; ``False`` while somebody works on it."""
    row = rows.one(books, number)
    if row is None or row.state not in rows.OPEN:
        return False
    return rows.move(books, row, rows.DROPPED, now)


@chore
def drop_left_imports(books: Books, now: int) -> int:
    """Throw away what nobody has gone on with for a day; how many."""
    found = rows.left(books, now - KEPT_MS)
    return sum(rows.move(books, row, rows.DROPPED, now) for row in found)


def sweep_files(books: Reading, place: Path, now: int) -> int:
    """Delete the files that nobody may want any more; how many."""
    if not place.is_dir():
        return 0
    wanted, gone = rows.there(books), 0
    for path in sorted(place.iterdir()):
        age = now - int(path.stat().st_mtime) * 1_000
        bad = path.name.endswith(_BAD)
        # a file that was brought just now has its row a moment later
        if age > BAD_KEPT_MS or (not bad and path.name not in wanted and age > _FRESH_MS):
            path.unlink(missing_ok=True)
            gone += 1
    return gone
