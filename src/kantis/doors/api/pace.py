"""Pace: how many requests a key may send per minute.

Guarantee: of a key with a limit, no more requests than that are let through within any
minute of the clock; whoever is turned away is told when the next one begins. Each process
of the service counts for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_MINUTE_S: Final = 60


class Pace:
    """Counts per key and minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._minute = 0
        self._counts: dict[str, int] = {}

    def wait_s(self, key: str, per_minute: int) -> int:
        """0 when the request may pass, or else after how many seconds to come again.

        >>> pace = Pace(lambda: 130.0)
        >>> [pace.wait_s("a", 2) for _ in range(3)], pace.wait_s("b", 2)
        ([0, 0, 50], 0)
        """
        now = self._clock()
        minute = int(now // _MINUTE_S)
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
        count = self._counts[key] = self._counts.get(key, 0) + 1
        return 0 if count <= per_minute else _MINUTE_S - int(now % _MINUTE_S)
