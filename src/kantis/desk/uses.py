"""Uses: which keys were used when, written into the books once a minute, for all at once.

A use says nothing about what was done: the books have that, event by event. It shows which
keys nobody needs any more.
"""

from __future__ import annotations

import threading
from typing import Final

from kantis.desk.chores import chore
from kantis.store import uses
from kantis.store.books import Books

EVERY_MS: Final = 60_000


class Uses:
    """The keys that were used since it was last written down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[str, int] = {}
        self._since: int | None = None

    def note(self, key: str, now: int) -> bool:
        """A key was used; whether it is time to write down what there is.

        >>> seen = Uses()
        >>> seen.note("a", 5), seen.note("a", EVERY_MS), seen.note("b", EVERY_MS + 5)
        (False, False, True)
        >>> seen.take()
        {'a': 60000, 'b': 60005}
        """
        with self._lock:
            self._used[key] = now
            if self._since is None:
                self._since = now
            if now - self._since < EVERY_MS:
                return False
            self._since = now
        return True

    def take(self) -> dict[str, int]:
        """What is to be written down now."""
        with self._lock:
            found, self._used = self._used, {}
        return found


@chore
def note_uses(books: Books, _: int, used: dict[str, int]) -> int:
    """Write down when keys were used last; how many there were."""
    for key, at in sorted(used.items()):
        uses.use(books, key, at)
    return len(used)
