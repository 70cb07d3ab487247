"""Stream: purchases of many members in order of time, as a desk gets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from random import Random
from typing import Any

from bench.world import basket, coffee
from kantis.core.calendar import instant
from kantis.core.events import Enrol, Event, Purchase
from kantis.store.rows import Page

BATCH = 1_000
#: A member shops once a week.
WEEK_MS = 7 * 86_400_000
START = instant("2017-03-01T09:00:00Z")


def enrolments(first: int, last: int) -> list[Event]:
    """Members from one number to another join."""
    return [
        Event("till", f"join-{number:08d}", START - WEEK_MS + number, f"card:{number}", Enrol())
        for number in range(first, last + 1)
    ]


def purchases(
    shop: str, first: int, last: int, count: int, start: int = START, name: str = "buy"
) -> list[Event]:
    """Purchases of random members, so close that each member shops once a week.

    A thousand different baskets are dealt out again and again.
    """
    dice = Random(f"{shop} {first} {last}")
    bodies: list[Purchase] = [
        coffee(dice) if shop == "corner-cafe" else basket(dice) for _ in range(1_000)
    ]
    step = max(1, WEEK_MS // (last - first + 1))
    return [
        Event(
            "till",
            f"{name}-{first}-{number:08d}",
            start + number * step,
            f"card:{dice.randint(first, last)}",
            bodies[dice.randrange(1_000)],
        )
        for number in range(count)
    ]


def batches(events: Iterable[Event], size: int = BATCH) -> list[list[Event]]:
    """The events in batches."""
    rest, found = iter(events), []
    while batch := list(islice(rest, size)):
        found.append(batch)
    return found


def note(books: Any, tell: Callable[[Page], None]) -> None:
    """From now on, tell the rows of each batch when they are written.

    Books that put a batch off until its commit get it twice; only then it is sealed.
    """
    write = type(books).write

    def noting(page: Page) -> None:
        write(books, page)
        if not (page.unsealed or page.ledgers):
            tell(page)

    books.write = noting
