"""Demo: books in which the year of real purchases stands are a demo, whoever serves them.

Guarantee: what is a demo says so on every page. Time goes on in it from where its books end,
so that the points, levels and vouchers of that year are there to be looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kantis.desk.submit import wall_clock
from kantis.store.reading import Reading

#: The source of the demo's purchases; nothing else has it.
SOURCE: Final = "complete-journey"

_OWN: Final = "FROM event WHERE key >= ? AND key < ?"
_KEYS: Final = (f"{SOURCE}/", f"{SOURCE}0")


def is_demo(books: Reading) -> bool:
    """Whether purchases of the demo stand in some books."""
    return bool(books.rows(f"SELECT 1 {_OWN} LIMIT 1", _KEYS))


def count(books: Reading) -> int:
    """How many events of the demo stand in the books."""
    return int(books.one(f"SELECT count(*) {_OWN}", _KEYS))


def clock_of(books: Reading, least: int) -> Callable[[], int]:
    """A clock that begins at the last instant in the books, or at ``least`` if that is later,
    and goes on from there."""
    booked = books.one("SELECT max(booked) FROM entry") or 0
    seen = books.one("SELECT max(seen) FROM session") or 0
    shift = max(least, booked, seen) - wall_clock()
    return lambda: wall_clock() + shift
