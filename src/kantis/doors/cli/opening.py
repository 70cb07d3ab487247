"""Opening the books: what every command on a store begins with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kantis import desk as desks
from kantis.core.knobs import suggest
from kantis.desk.programs import Engine, Home, Homes, Unreadable
from kantis.desk.submit import Desk
from kantis.desk.whole import shown
from kantis.desk.writer import RemoteDesk
from kantis.doors.cli.output import Trouble
from kantis.engine.program import Program
from kantis.store.books import Books, Conflict, Outage

_SERVERS = ("postgresql://", "postgres://")


@contextmanager
def opened(
    store: str, *, new: bool = False, engine: Engine | None = None
) -> Iterator[Desk | RemoteDesk]:
    """The desk of a store; ``Trouble`` when there is none, or it cannot be used."""
    path = Path(store.removeprefix("sqlite:///"))
    if not store.startswith(_SERVERS):
        if not new and not path.is_file():
            message = (
                "There are no books here. Publish a program to begin some, or name others"
                " with --store or KANTIS_STORE."
            )
            raise Trouble("no-store", message, str(path))
        if path.is_file() and not _is_database(path):
            message = "This file is something else than books. Name another one with --store."
            raise Trouble("not-a-store", message, str(path))
    try:
        with desks.open(store, engine=engine) as desk:
            yield desk
    except Unreadable as error:
        raise Trouble("program-unreadable", str(error)) from error
    except (Outage, Conflict) as error:
        raise Trouble("store-unusable", str(error), shown(store)) from error
    except OSError as error:
        message = f"{error.strerror or error}. Check the path and its rights, or name another."
        raise Trouble("store-unusable", message, shown(store)) from error


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(16)
    return not start or start == b"SQLite format 3\x00"


def local_time(program: Program, said: str) -> int:
    """The instant of a time on the program's clock; 0 where none is said."""
    if not said:
        return 0
    try:
        return program.calendar.read(said)
    except ValueError as error:
        message = f"{said!r} is no time. Write for example 2027-01-01 or 2027-01-01 06:00."
        raise Trouble("time-expected", message, status=2) from error


def home_of(books: Books, program: str = "") -> Home:
    """The program of that name, or the only one; ``Trouble`` if there is none."""
    homes = Homes(Engine())
    homes.refresh(books)
    found = homes.find(program)
    if found is not None:
        return found
    names = list(books.programs())
    if not names:
        raise Trouble("no-program", "No program is published here. First: kantis publish FILE.")
    if program:
        raise Trouble("unknown-program", f"There is no {program!r}. {suggest(program, names)}")
    listed = ", ".join(names)
    raise Trouble("which-program", f"There are several programs: {listed}. Say which: --program.")
