"""Jobs: what has to be done some time, by whichever process gets to it first.

Guarantee: a job is done by one process at a time, the one that has its lease. Whoever dies
loses it within half a minute, and another takes the job over from its beginning; so a job is
one that may be begun twice. A job that comes again and again has one row, and its next turn
is due when this one has ended.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from msgspec import Struct

from kantis.desk.chores import chore
from kantis.desk.submit import Desk, wall_clock
from kantis.desk.writer import RemoteDesk
from kantis.store.books import Books
from kantis.store.outgoing import DONE, DUE, FAILED, JOB_STATES, RUNNING

#: Whoever does not say for so long that it still works has lost the job.
LEASE_MS: Final = 30_000
_BEAT_S: Final = 8.0
_POLL_S: Final = 0.5
#: A job that is not done again and again is given up after so many failures.
TRIES_MAX: Final = 5
_AGAIN_MS: Final = 60_000
_NOTE_LETTERS: Final = 500
#: Rows of jobs that are over are kept so long.
KEPT_MS: Final = 7 * 86_400_000


class Job(Struct, array_like=True):
    """A row of the table. ``done`` of ``total`` shows how far it is; 0 of 0: it does not say."""

    number: int
    kind: str
    about: str
    state: str
    due: int
    every: int
    worker: str
    lease: int
    tries: int
    done: int
    total: int
    note: str
    began: int
    ended: int


class Progress:
    """What a job says of itself while it runs, and whether it should stop."""

    def __init__(self, over: threading.Event) -> None:
        self._over = over
        #: set when another process has the job now
        self.lost = threading.Event()
        self.done = self.total = 0

    def say(self, done: int, total: int) -> None:
        """How far it is; written down with the next beat."""
        self.done, self.total = done, total

    def stop(self) -> bool:
        """Whether it should end now: the process is being stopped, or has lost the job."""
        return self._over.is_set() or self.lost.is_set()

    def pause(self, seconds: float) -> bool:
        """Let others have the books for a moment; whether it should end now."""
        self._over.wait(seconds)
        return self.stop()


class Kind(Struct, frozen=True):
    """What is done for a kind of job; what it says at the end stands in the row.

    ``every_ms``: it comes again and again, so long after the turn before has ended. 0: it is
    done when somebody asks for it.
    """

    run: Callable[[Desk | RemoteDesk, Job, Progress], str]
    every_ms: int = 0


_ROW: Final = (
    "number, kind, about, state, due, every, worker, lease, tries, done, total, note, began, ended"
)


# ── the table ────────────────────────────────────────────────────────────────


@chore
def plan_jobs(books: Books, _: int, at: int, plans: list[tuple[str, int]]) -> None:
    """See to it that each kind that comes again and again has its row."""
    for kind, every in plans:
        books.execute(
            "INSERT INTO job (kind, plan, about, state, due, every, worker, lease, tries, done, "
            "total, note, began, ended) VALUES (?, ?, '', ?, ?, ?, '', 0, 0, 0, 0, '', 0, 0) "
            "ON CONFLICT (plan) DO UPDATE SET every = excluded.every, due = CASE "
            "WHEN job.due < excluded.due THEN job.due ELSE excluded.due END",
            (kind, kind, DUE, at, every),
        )


def hasten(books: Books, at: int, kind: str) -> None:
    """Let the next turn of a job that comes again and again be due at an instant."""
    books.execute(
        "UPDATE job SET due = ? WHERE plan = ? AND state = ? AND due > ?", (at, kind, DUE, at)
    )


@chore
def ask_job(books: Books, _: int, at: int, kind: str, about: str) -> int:
    """Ask for something to be done; the number of the job."""
    found = books.rows(
        "INSERT INTO job (kind, plan, about, state, due, every, worker, lease, tries, done, "
        "total, note, began, ended) VALUES (?, NULL, ?, ?, ?, 0, '', 0, 0, 0, 0, '', 0, 0) "
        "RETURNING number",
        (kind, about, DUE, at),
    )
    return int(found[0][0])


@chore
def take_job(books: Books, _: int, at: int, worker: str, kinds: list[str]) -> list[Any]:
    """Take the job that is due first, or whose worker has died; empty when there is none."""
    marks = ", ".join("?" * len(kinds))
    found = books.rows(
        f"SELECT {_ROW} FROM job WHERE state IN ({DUE}, {RUNNING}) AND due <= ? "
        f"AND kind IN ({marks}) AND (state = {DUE} OR lease < ?) "
        f"ORDER BY due, number LIMIT 1{books.skip}",
        (at, *kinds, at),
    )
    if not found:
        return []
    row = list(found[0])
    books.execute(
        "UPDATE job SET state = ?, worker = ?, lease = ?, tries = tries + 1, done = 0, total = 0, "
        "note = '', began = ?, ended = 0 WHERE number = ?",
        (RUNNING, worker, at + LEASE_MS, at, row[0]),
    )
    row[3], row[6], row[7], row[8], row[12] = RUNNING, worker, at + LEASE_MS, row[8] + 1, at
    return row


@chore
def beat_job(
    books: Books, _: int, at: int, number: int, worker: str, done: int, total: int
) -> bool:
    """Keep the lease of a job; ``False`` when another has it by now."""
    return bool(
        books.execute(
            "UPDATE job SET lease = ?, done = ?, total = ? "
            "WHERE number = ? AND worker = ? AND state = ?",
            (at + LEASE_MS, done, total, number, worker, RUNNING),
        )
    )


@chore
def end_job(
    books: Books, _: int, at: int, number: int, worker: str, state: int, note: str, due: int
) -> bool:
    """Say what became of a job; ``False`` when another has it by now."""
    tries = "tries" if state == FAILED else "0"
    return bool(
        books.execute(
            f"UPDATE job SET state = ?, note = ?, due = ?, lease = 0, ended = ?, tries = {tries} "
            "WHERE number = ? AND worker = ? AND state = ?",
            (DUE if due else state, note[:_NOTE_LETTERS], due, at, number, worker, RUNNING),
        )
    )


@chore
def forget_jobs(books: Books, _: int, at: int) -> int:
    """Drop the rows of jobs that are over for long."""
    return books.execute(
        f"DELETE FROM job WHERE state IN ({DONE}, {FAILED}) AND ended < ?", (at - KEPT_MS,)
    )


def jobs(books: Books) -> list[Job]:
    """All jobs, those that are due first."""
    found = books.rows(f"SELECT {_ROW} FROM job ORDER BY state, due, number")
    return list(map(_job, found))


def _job(row: Sequence[Any]) -> Job:
    values = list(row)
    values[3] = JOB_STATES[values[3]]
    return Job(*values)


def job(books: Books, number: int) -> Job | None:
    """A job by its number."""
    return next((each for each in jobs(books) if each.number == number), None)


# ── doing them ───────────────────────────────────────────────────────────────


def worker_name() -> str:
    """The name of this process among all that do jobs."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Runner:
    """A thread that does jobs until it is closed. ``failed`` is told what went wrong."""

    def __init__(
        self,
        desk: Desk | RemoteDesk,
        kinds: Mapping[str, Kind],
        failed: Callable[[Exception], None],
        *,
        ended: Callable[[Job, str], None] = lambda job, note: None,
        now: Callable[[], int] = wall_clock,
    ) -> None:
        self._desk, self._kinds, self._failed, self._ended = desk, kinds, failed, ended
        self._now = now
        self._over = threading.Event()
        self._reader: Books | None = None
        self._planned = False
        self.name = f"{worker_name()}:{id(self):x}"
        self._thread = threading.Thread(target=self._work, name="kantis-jobs", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let the job at hand come to a stop, then end."""
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.is_set():
            try:
                if self._one():
                    continue
            except Exception as error:
                self._failed(error)
                self._close_reader()
            self._over.wait(_POLL_S)
        self._close_reader()

    def _close_reader(self) -> None:
        if self._reader is not None:
            with suppress(Exception):
                self._reader.close()
            self._reader = None

    def _one(self) -> bool:
        """Do one job; whether there was one."""
        if not self._planned:
            plans = [(name, kind.every_ms) for name, kind in self._kinds.items() if kind.every_ms]
            self._desk.chore("plan_jobs", self._now(), plans)
            self._planned = True
        if not self._something():
            return False
        row = self._desk.chore("take_job", self._now(), self.name, list(self._kinds))
        if not row:
            return False
        self._do(_job(row))
        return True

    def _something(self) -> bool:
        """Whether a job is due; asked of a reader, so that idling writes nothing."""
        if self._reader is None:
            self._reader = self._desk.books.reader()
        at, kinds = self._now(), list(self._kinds)
        return bool(
            self._reader.rows(
                f"SELECT 1 FROM job WHERE state IN ({DUE}, {RUNNING}) AND due <= ? "
                f"AND kind IN ({', '.join('?' * len(kinds))}) "
                f"AND (state = {DUE} OR lease < ?) LIMIT 1",
                (at, *kinds, at),
            )
        )

    def _do(self, job: Job) -> None:
        kind, progress, ended = self._kinds[job.kind], Progress(self._over), threading.Event()
        beat = threading.Thread(target=self._beat, args=(job, progress, ended), daemon=True)
        beat.start()
        state, note = DONE, ""
        try:
            note = kind.run(self._desk, job, progress)
        except Exception as error:
            state, note = FAILED, f"{type(error).__name__}: {error}"
            self._failed(error)
        finally:
            ended.set()
            beat.join()
        again = kind.every_ms or (_AGAIN_MS if state == FAILED and job.tries < TRIES_MAX else 0)
        at = self._now()
        due = at + again if again else 0
        if self._over.is_set() and state == DONE and not kind.every_ms:
            due = at  # it was stopped with the process: another one begins it again
        self._desk.chore("end_job", at, job.number, self.name, state, note, due)
        self._ended(job, note)

    def _beat(self, job: Job, progress: Progress, ended: threading.Event) -> None:
        while not ended.wait(_BEAT_S):
            about = job.number, self.name, progress.done, progress.total
            with suppress(Exception):
                if not self._desk.chore("beat_job", self._now(), *about):
                    progress.lost.set()
