"""Backup: a copy of the books in one file, and the way back.

Guarantee: a backup holds the books as they were at one instant, however much was written
meanwhile: everything that was answered before that instant is in it. It is there whole or
not at all. It carries a seal over every row, so a file that was changed or damaged since
is refused, and nothing is restored by halves.

For SQLite the pages are copied by the library from a reader's snapshot; for PostgreSQL the
rows are read in one REPEATABLE READ transaction. Either way the file is a SQLite file of
books, with the seal in a table of its own: every command that only reads works on it, and
it can be restored to either store.

The keys to personal data are never in it. Whoever was erased since it was made is erased
again when it is restored beside the keys, and cannot be read in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import DecodeError, Struct, json

from kantis.desk.report import Report
from kantis.desk.submit import wall_clock
from kantis.desk.vault.keyfile import KEYS, FolderKeys
from kantis.desk.vault.opening import folder_of
from kantis.desk.vault.rotating import erase_again
from kantis.desk.verify import verify
from kantis.desk.whole import (
    BACKUP,
    Hindrance,
    books_at,
    copy_into,
    drafted,
    fill,
    frozen,
    held,
    holds_rows,
    scratch,
)
from kantis.store import schema
from kantis.store.books import Books, Outage
from kantis.store.copies import DraftBooks, Progress, Seal, seal
from kantis.store.sqlite import SqliteBooks

_TABLE: Final = f"CREATE TABLE {BACKUP} (said TEXT NOT NULL) STRICT"


class Backup(Struct, frozen=True):
    """What a backup says of itself.

    ``made`` is the instant up to which everything that was answered is in it, ``last`` the
    key of the event recorded last, ``seal`` the rows and the hash of each table.
    """

    made: int
    schema: int
    last: str
    seal: Seal

    def count(self, table: str) -> int:
        """How many rows of a table are in it."""
        return self.seal.get(table, (0, ""))[0]


def backup(store: str, file: Path, tell: Progress, clock: Callable[[], int] = wall_clock) -> Backup:
    """Copy the books of a store into a new file, while others may write to them."""
    _must_be_free(file)
    with books_at(store) as books:
        if not books.schema_number():
            raise Hindrance("no-store", "There are no books in this database.", store)
        made = clock()
        with frozen(books) as reader:
            return write_backup(reader, file, made, tell)


def write_backup(reader: Books, file: Path, made: int, tell: Progress) -> Backup:
    """Copy frozen books into a new file; ``made`` is the instant of the snapshot."""
    file = file.absolute()
    with drafted(file) as draft:
        try:
            copy_into(draft, reader, tell)
            with DraftBooks(draft) as copy:
                said = Backup(made, copy.schema_number(), _last(copy), seal(copy, tell))
                copy.execute(_TABLE)
                copy.execute("INSERT INTO backup VALUES (?)", (json.encode(said).decode(),))
        except OSError as error:
            raise _unwritable(file, error) from error
        _must_be_free(file)
    return said


def _must_be_free(file: Path) -> None:
    if file.exists():
        message = "There is a file of that name. A backup replaces none: name another."
        raise Hindrance("file-exists", message, str(file))
    if not file.absolute().parent.is_dir():
        raise Hindrance("no-folder", "There is no such folder. Make it first.", str(file))


def _unwritable(file: Path, error: OSError) -> Hindrance:
    return Hindrance("not-written", f"It cannot be written: {error.strerror}.", str(file))


def _last(books: Books) -> str:
    found = books.rows("SELECT key FROM event ORDER BY n DESC LIMIT 1")
    return str(found[0][0]) if found else ""


# ── the way back ─────────────────────────────────────────────────────────────


class Restored(Struct, frozen=True):
    """What was restored, from which schema, how many were erased since and are erased again,
    and what the proof says when it was asked for. ``keys`` says whether they are there."""

    backup: Backup
    upgraded: int
    erased: int = 0
    keys: bool = False
    report: Report | None = None


def restore(
    file: Path, store: str, tell: Progress, *, prove: bool = False, vault: str = ""
) -> Restored:
    """Bring a backup into an empty store of either kind.

    ``vault`` is the folder of the members' keys; it says who was erased since.
    """
    with _opened(file, tell) as (copy, said), held(store):
        if holds_rows(store):
            message = "There are books already. A backup is restored into an empty store only."
            raise Hindrance("not-empty", message, store)
        if said.schema == schema.newest():
            fill(copy, store, tell, said.seal)
        else:
            with scratch(copy, tell) as source:
                fill(source, store, tell, seal(source, tell))
    folder, erased = folder_of(store, vault), 0
    keys = (folder / KEYS).is_file()
    if keys:
        with held(store), books_at(store, write=True) as books:
            erased = erase_again(books, FolderKeys(folder))
    report = None
    if prove:
        with books_at(store) as books:
            report = verify(books, tell)
    return Restored(said, schema.newest() - said.schema, erased, keys, report)


@contextmanager
def _opened(file: Path, tell: Progress) -> Iterator[tuple[Books, Backup]]:
    """A backup that is what was written, frozen, and what it says of itself."""
    if not file.is_file():
        raise Hindrance("no-file", "There is no such file.", str(file))
    try:
        opened = SqliteBooks(file, write=False)
    except Outage as error:
        raise _foreign(file) from error
    with opened as copy:
        try:
            said = _said(copy, file)
            copy.freeze()
            if said.schema > schema.newest():
                message = f"It has schema {said.schema}. Install the newer version of Kantis."
                raise Hindrance("other-schema", message, str(file))
            found: Any = seal(copy, tell)
        except Outage as error:
            raise _broken(file, str(error)) from error
        if found != said.seal or copy.schema_number() != said.schema:
            names = [name for name in said.seal if found.get(name) != said.seal[name]]
            raise _broken(file, f"{', '.join(names) or 'its tables'} changed since it was made")
        yield copy, said


def _said(copy: Books, file: Path) -> Backup:
    try:
        tables = {row[0] for row in copy.rows("SELECT name FROM sqlite_schema")}
    except Outage as error:
        raise _foreign(file) from error
    if BACKUP not in tables:
        if "migration" in tables:
            message = "These are books and no backup. To copy them: kantis backup, kantis move."
            raise Hindrance("not-a-backup", message, str(file))
        raise _foreign(file)
    try:
        return json.decode(str(copy.one("SELECT said FROM backup")), type=Backup)
    except (DecodeError, IndexError) as error:
        raise _broken(file, f"what it says of itself cannot be read ({error})") from error


def _foreign(file: Path) -> Hindrance:
    message = "This is no backup of Kantis. Name a file that kantis backup has made."
    return Hindrance("not-a-backup", message, str(file))


def _broken(file: Path, why: str) -> Hindrance:
    message = f"The backup is damaged: {why}. Nothing was restored; use another backup."
    return Hindrance("broken-backup", message, str(file))
