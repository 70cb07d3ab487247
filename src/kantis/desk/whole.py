"""Whole books: how operating verbs find a store, read it at one instant, and fill an empty one.

Guarantee: a store that is filled is there whole or not at all. A file is made under another
name and renamed when it is complete and on the disk; a database is filled in one
transaction. What holds rows already is left as it is.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kantis.desk import lease
from kantis.store import schema
from kantis.store.books import Books, Outage
from kantis.store.copies import DraftBooks, Progress, Seal, is_empty, pages, pour, seal
from kantis.store.reading import Reading
from kantis.store.scribe import wait_for_scribe
from kantis.store.sqlite import SqliteBooks

_SERVERS: Final = ("postgresql://", "postgres://")
#: The table in which a backup says what it is; it is none of the books.
BACKUP: Final = "backup"


class Hindrance(Exception):
    """Why something cannot be done with these books: a code, the place, and what to do next."""

    def __init__(self, code: str, message: str, place: str) -> None:
        super().__init__(message)
        self.code, self.message, self.place = code, message, place


def path_of(store: str) -> Path | None:
    """The file of a store; ``None`` for a database of a server."""
    if store.startswith(_SERVERS):
        return None
    return Path(store.removeprefix("sqlite:///")).absolute()


def shown(store: str) -> str:
    """A store as it may stand in a log: without its password.

    >>> shown("postgresql://kantis:secret@host/books")
    'postgresql://kantis:…@host/books'
    """
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", store)


def books_at(store: str, *, write: bool = False) -> Books:
    """The books of a store that is there, without the lease of their file."""
    path = path_of(store)
    if path is None:
        from kantis.store.postgres import PostgresBooks

        return PostgresBooks(store, write=write)
    if not path.is_file():
        raise Hindrance("no-store", "There are no books here. Name others.", str(path))
    try:
        books = SqliteBooks(path, write=write)
        books.schema_number()
    except Outage as error:
        message = f"This file is something else than books ({error}). Name another one."
        raise Hindrance("not-a-store", message, str(path)) from error
    return books


def current(books: Reading, store: str) -> None:
    """``Hindrance`` when the tables are not those of this code."""
    number, newest = books.schema_number(), schema.newest()
    if not number:
        raise Hindrance("no-store", "There are no books in this database.", store)
    if number != newest:
        then = "Install the newer version." if number > newest else "First: kantis migrate."
        message = f"The books have schema {number}, and this version works with {newest}. {then}"
        raise Hindrance("other-schema", message, store)


@contextmanager
def frozen(books: Books) -> Iterator[Books]:
    """A reader of books that sees them as they are at one instant."""
    with books.reader() as reader:
        reader.freeze()
        yield reader


@contextmanager
def held(store: str) -> Iterator[None]:
    """The lease of a file, so that no other desk writes to it; nothing for a server."""
    path = path_of(store)
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    taken = lease.take(path)
    if taken is None:
        message = f"Process {lease.holder(path)} writes to these books. End it, and try again."
        raise Hindrance("in-use", message, str(path))
    try:
        wait_for_scribe(path)
        yield
    finally:
        taken.release()


# ── filling ──────────────────────────────────────────────────────────────────


def holds_rows(store: str) -> bool:
    """Whether there are books with something in them, in a store that may not be there."""
    path = path_of(store)
    if path is not None and (not path.exists() or not path.stat().st_size):
        return False
    with books_at(store) as books:
        return bool(books.schema_number()) and not is_empty(books)


def fill(source: Books, store: str, tell: Progress, expected: Seal | None = None) -> None:
    """Fill an empty store from frozen books, and prove it before anybody can see it.

    ``expected`` is the seal that the rows must have. The lease of the store is held.
    """
    path = path_of(store)
    if path is not None:
        with drafted(path) as draft:
            copy_into(draft, source, tell)
            with SqliteBooks(draft, write=False) as made:
                _prove(made, store, tell, expected)
        return
    with books_at(store, write=True) as target:
        target.migrate()
        target.begin_step()
        try:
            if not is_empty(target):
                raise Hindrance("not-empty", "There are books already. Name an empty one.", store)
            pour(source, target, tell)
            _prove(target, store, tell, expected)
            target.commit()
        finally:
            target.rollback()


def copy_into(draft: Path, source: Books, tell: Progress) -> None:
    """Write frozen books into a file that is not there yet, as fast as it can be done."""
    if isinstance(source, SqliteBooks):
        pages(source, draft, tell)
        with DraftBooks(draft) as made:
            made.execute(f"DROP TABLE IF EXISTS {BACKUP}")
        return
    with DraftBooks(draft) as target:
        target.upgrade(source.schema_number())
        target.begin()
        pour(source, target, tell)
        target.commit()


def _prove(made: Reading, store: str, tell: Progress, expected: Seal | None) -> None:
    if expected is not None and (found := seal(made, tell)) != expected:
        names = ", ".join(name for name in expected if found.get(name) != expected[name])
        message = f"The copy is not what it should be ({names}). Nothing was written; try again."
        raise Hindrance("not-equal", message, store)


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """A file of another name, put in its place when all went well, and gone otherwise."""
    for old in path.parent.glob(f".{path.name}.*.draft*"):  # of processes that were killed
        if not _runs(old.name.removeprefix(f".{path.name}.").partition(".")[0]):
            old.unlink(missing_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        _sync(draft)
        for suffix in ("-wal", "-shm"):  # of empty books that stood here
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        draft.replace(path)
        _sync(path.parent)
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)


def _runs(pid: str) -> bool:
    if not pid.isdecimal() or int(pid) == os.getpid():
        return False
    with contextlib.suppress(PermissionError):
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return False
    return True


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def scratch(source: Books, tell: Progress) -> Iterator[Books]:
    """A copy of frozen books with the newest schema, which is thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="kantis-") as folder:
        path = Path(folder) / "books.db"
        copy_into(path, source, tell)
        with DraftBooks(path) as older:
            older.upgrade()
        with SqliteBooks(path, write=False) as books:
            books.freeze()
            yield books
