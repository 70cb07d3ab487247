"""Uses: which keys were used when, written into the books once a minute, for all at once.

A use says nothing about what was done: the books have that, event by event. It shows which
keys nobody needs any more, and which are used from where nobody should: the network that a call
came from, and not the machine.
"""

from __future__ import annotations

import ipaddress
import threading
from typing import Final

from kantis.desk.chores import chore
from kantis.store import uses
from kantis.store.books import Books

EVERY_MS: Final = 60_000
#: So much of an address is written down.
_BITS_4: Final = 24
_BITS_6: Final = 48


def network(address: str) -> str:
    """The network that an address is in, and no more; nothing where it is no address.

    >>> network("203.0.113.7"), network("2001:db8:1:2::7"), network("testclient")
    ('203.0.113.0/24', '2001:db8:1::/48', '')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    bits = _BITS_4 if found.version == 4 else _BITS_6
    return str(ipaddress.ip_network((found, bits), strict=False))


class Uses:
    """The keys that were used since it was last written down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[str, tuple[int, str]] = {}
        self._since: int | None = None

    def note(self, key: str, now: int, address: str) -> bool:
        """A key was used from an address; whether it is time to write down what there is.

        >>> seen, at = Uses(), "203.0.113.7"
        >>> seen.note("a", 5, at), seen.note("a", EVERY_MS, at), seen.note("b", EVERY_MS + 5, "")
        (False, False, True)
        >>> seen.take()
        {'a': (60000, '203.0.113.0/24'), 'b': (60005, '')}
        """
        with self._lock:
            self._used[key] = now, address  # its network costs as much as all else of a request
            if self._since is None:
                self._since = now
            if now - self._since < EVERY_MS:
                return False
            self._since = now
        return True

    def take(self) -> dict[str, tuple[int, str]]:
        """What is to be written down now."""
        with self._lock:
            found, self._used = self._used, {}
        return {key: (at, network(address)) for key, (at, address) in found.items()}


@chore
def note_uses(books: Books, _: int, used: dict[str, tuple[int, str]]) -> int:
    """Write down when and from where keys were used last; how many there were."""
    for key, (at, place) in sorted(used.items()):
        uses.use(books, key, at, place)
    return len(used)
