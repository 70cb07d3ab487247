"""Upgrade: the tables brought to the newest schema, with a backup before it.

Guarantee: nobody writes while the backup is made nor while a step is taken, and the backup is
complete before the first step begins.
Each step is taken whole or not at all; after a kill the same command takes the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from kantis.core.calendar import show_instant
from kantis.desk.backup import Backup, write_backup
from kantis.desk.submit import wall_clock
from kantis.desk.whole import Hindrance, books_at, frozen, held, path_of
from kantis.store import schema
from kantis.store.copies import Progress


class Upgraded(Struct, frozen=True):
    """From which schema to which, what the steps did, and the backup that was made before."""

    before: int
    after: int
    steps: list[str]
    file: str = ""
    backup: Backup | None = None


def upgrade(
    store: str, file: Path | None, tell: Progress, clock: Callable[[], int] = wall_clock
) -> Upgraded:
    """Bring the books to the newest schema; ``file`` is where the backup goes."""
    newest = schema.newest()
    with books_at(store) as books:
        before = books.schema_number()
    if not before:
        raise Hindrance("no-store", "There are no books in this database.", store)
    if before > newest:
        message = f"The books have schema {before}. Install the newer version of Kantis."
        raise Hindrance("other-schema", message, store)
    if before == newest:
        return Upgraded(before, newest, [])
    made = clock()
    file = file or _name(store, before, made)
    if file.exists():
        message = "There is a file of that name. A backup replaces none: name another."
        raise Hindrance("file-exists", message, str(file))
    with held(store), books_at(store, write=True) as books:
        with books.stopped(), frozen(books) as reader:
            kept = write_backup(reader, file, made, tell)
        steps = books.upgrade()
    return Upgraded(before, newest, [step.does for step in steps], str(file), kept)


def _name(store: str, number: int, made: int) -> Path:
    """Beside the books, or in the current folder, named by the instant and the schema."""
    path = path_of(store) or Path("kantis").absolute()
    moment = (
        show_instant(made)[:23].translate({ord(each): None for each in ":-."}).replace("T", "-")
    )
    return path.with_name(f"{path.name}.{moment}.schema-{number}.backup")
