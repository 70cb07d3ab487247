"""Tries: how often something may be tried within a quarter of an hour.

Guarantee: a try is counted before it is looked at, so that nobody gets more of them by asking at
many doors at once.
"""

from __future__ import annotations

from typing import Final

from kantis.desk.chores import chore
from kantis.store import staff as rows
from kantis.store.books import Books

WITHIN_MS: Final = 15 * 60_000


def count(books: Books, now: int, limits: dict[bytes, int]) -> list[int]:
    """Count a try for each subject, and how many of it there may be; the numbers of the tries.
    Nothing is counted, and there are none, where one subject has had its share of late."""
    since = now - WITHIN_MS
    if any(rows.tries(books, each, since) >= most for each, most in limits.items()):
        return []
    return [rows.add_try(books, each, now, since) for each in limits]


@chore
def may_try(books: Books, now: int, subject: bytes, most: int) -> bool:
    """Count a try of something; ``False`` when there were so many of late already."""
    return bool(count(books, now, {subject: most}))
