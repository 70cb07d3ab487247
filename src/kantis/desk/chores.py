"""Chores: small changes of the books beside batches, each in a transaction of its own.

Guarantee: a chore is done whole or not at all, and never while a batch runs on the same
connection. Whoever is not the writer of a SQLite file hands it to the one who is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from kantis.store.books import Books, Conflict, Outage

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

#: A chore has the books, the clock's instant, and what it was given; it answers what can be
#: sent to another process.
Chore = Callable[..., Any]
CHORES: Final[dict[str, Chore]] = {}
#: Chores that have to know that no batch runs anywhere meanwhile.
ALONE: Final[set[str]] = set()
_TRIES: Final = 20


def chore(function: Chore) -> Chore:
    """Let a function be asked for by its name, from other processes too."""
    CHORES[function.__name__] = function
    return function


def chore_alone(function: Chore) -> Chore:
    """As ``chore``, while no batch runs in any process."""
    ALONE.add(function.__name__)
    return chore(function)


def named(name: str) -> Chore:
    """A chore by its name, whatever this process has used before."""
    if name not in CHORES:
        from kantis.desk import (  # noqa: F401 (whoever has chores names them)
            budget_stops,
            budgets,
            designing,
            flags,
            freezing,
            gifts,
            hooks,
            imports,
            jobs,
            large,
            lately,
            mailing,
            outbox,
            reminding,
            rescue,
            signoffs,
            surveys,
            tries,
            uses,
        )
        from kantis.desk.measures import tallying  # noqa: F401
        from kantis.desk.segments import refreshing  # noqa: F401
        from kantis.desk.vault import passkeys, seals  # noqa: F401
    return CHORES[name]


def do(desk: Desk, name: str, given: list[Any]) -> Any:
    """Do a chore; its answer, once it is committed."""
    for attempt in range(_TRIES):
        try:
            return _do(desk, name, given)
        except Conflict:
            time.sleep(0.002 * attempt)
    raise Outage("Others kept changing the same rows; nothing was changed. Try again.")


def _do(desk: Desk, name: str, given: list[Any]) -> Any:
    wanted = named(name)
    with desk.quiet():
        books: Books = desk.books
        try:
            if name in ALONE:
                books.begin_alone()
            else:
                books.begin()
            found = wanted(books, desk.clock(), *given)
            books.commit()
        except BaseException:
            books.rollback()
            raise
        books.tidy()
    return found
