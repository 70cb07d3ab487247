"""Rounds: what a process that stays up does for its books when nobody asks.

Guarantee: while it goes its rounds, what time does to accounts that nobody touches shows in
the books within a round, approved adjustments that were not sent are sent, parked events whose
cause another process wrote are decided, and a checkpoint stands over all that is older than
two rounds. A request waits for at most one batch of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from kantis.desk.adjusting import send_rest
from kantis.desk.submit import Desk
from kantis.desk.sweep import sweep

EVERY_S: Final = 60
#: Accounts that are advanced at once; a till may wait for them.
COUNT: Final = 200

#: Between two batches of it those who wait get the books.
PAUSE_S: Final = 0.005

#: Told what went wrong on a round; the next one tries again.
Failed = Callable[[Exception], None]


class Rounds:
    """A thread that goes round once in a while until it is closed."""

    def __init__(self, desk: Desk, failed: Failed, every_s: float = EVERY_S) -> None:
        self._desk, self._failed, self._every_s = desk, failed, every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._walk, name="kantis-rounds", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the batch at hand, then stop."""
        self._over.set()
        self._thread.join()

    def _walk(self) -> None:
        while not self._over.is_set():
            try:
                self._round()
            except Exception as error:
                self._failed(error)
            self._over.wait(self._every_s)

    def _round(self) -> None:
        desk = self._desk
        sweep(desk, count=COUNT, over=partial(self._over.wait, PAUSE_S))
        if not self._over.is_set():
            send_rest(desk)
            desk.settle()
            desk.checkpoint()
