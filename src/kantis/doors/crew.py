"""Crew: what one process does beside answering requests: jobs, letters, and the courier."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from kantis.desk import imports
from kantis.desk.jobs import Job, Kind, Runner
from kantis.desk.mailing import JOB
from kantis.desk.rounds import kinds
from kantis.desk.submit import Desk
from kantis.desk.writer import RemoteDesk
from kantis.doors.intake.importer import Importer
from kantis.doors.outbound.courier import Courier, News
from kantis.doors.outbound.postman import Postman
from kantis.store.books import Books, Outage

_GATHER_S: Final = 0.05
_SWEEP_EVERY_MS: Final = 3_600_000

#: Told where something went wrong, and what.
Failed = Callable[[str, Exception], None]


class Herald:
    """Tells workers in other processes that something was committed here; many batches at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._over = desk, threading.Event()
        self._thread = threading.Thread(target=self._work, name="kantis-herald", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Tell no more."""
        self._over.set()
        self._desk.stirred.set()
        self._thread.join()

    def _work(self) -> None:
        reader: Books | None = None
        while not self._over.is_set():
            self._desk.stirred.wait()
            self._desk.stirred.clear()
            try:
                reader = reader or self._desk.books.reader()
                reader.call()
            except Outage:  # nobody is told; who waits looks by itself after a moment
                reader = None
            self._over.wait(_GATHER_S)
        if reader is not None:
            reader.close()


class Crew:
    """Jobs and the courier of one process, until it is closed."""

    def __init__(
        self,
        desk: Desk | RemoteDesk,
        failed: Failed,
        postman: Postman,
        *,
        lan: bool = False,
        vault: str = "",
        news: News | None = None,
        courier: Desk | RemoteDesk | None = None,
        ended: Callable[[Job, str], None] = lambda job, note: None,
    ) -> None:
        """``courier`` is the desk that the courier has, where it should not wait for jobs, and
        ``vault`` the folder of keys that open the secrets of webhooks."""
        importer = Importer(vault)
        all_kinds = {
            **kinds(),
            JOB: Kind(postman.run),
            "import files": Kind(importer.sweep, _SWEEP_EVERY_MS),
        }
        self.runner = Runner(desk, all_kinds, lambda error: failed("jobs", error), ended=ended)
        # a long file keeps neither the rounds nor a letter waiting
        taking = {imports.JOB: Kind(importer.run)}
        self.taker = Runner(desk, taking, lambda error: failed("jobs", error), ended=ended)
        self.courier = Courier(
            courier or desk, lambda error: failed("courier", error), lan=lan, news=news,
            vault=vault,
        )  # fmt: skip

    def close(self) -> None:
        """Finish what is under way, then stop."""
        self.courier.close()
        self.taker.close()
        self.runner.close()
