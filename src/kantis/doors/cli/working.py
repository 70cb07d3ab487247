"""The commands ``worker`` and ``jobs``: what is done when nobody asks, and how far it is."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.text import Text

from kantis.core.calendar import show_instant
from kantis.desk import lease, outbox
from kantis.desk.jobs import Job, jobs
from kantis.desk.submit import Desk, wall_clock
from kantis.desk.vault.keyfile import Locked
from kantis.desk.vault.opening import open_seals
from kantis.desk.whole import path_of, shown
from kantis.desk.writer import RemoteDesk
from kantis.doors.cli.letters import Address, MailFrom, Smtp, mail_of
from kantis.doors.cli.opening import opened
from kantis.doors.cli.output import Json, Store, Trouble, Vault, json_out, out, table
from kantis.doors.cli.serving import Lan
from kantis.doors.crew import Crew
from kantis.doors.outbound.postman import Postman
from kantis.store.books import Books, Conflict, Outage

_LOOK_S: Final = 0.5
#: Deliveries are told together, at most so often.
_TELL_S: Final = 10.0


def worker(
    store: Store = "kantis.db",
    vault: Vault = "",
    lan: Lan = False,
    smtp: Smtp = "",
    mail_from: MailFrom = "",
    address: Address = "",
    json: Json = False,
) -> None:
    """Do jobs, deliver webhooks and send letters beside ``kantis serve --no-jobs``."""
    mail = mail_of(smtp, mail_from, address)
    over = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: over.set())
    told = _Told(json)
    path = path_of(store)
    told.say("worker", f"works on {shown(store)}")
    while not over.is_set():
        if path is not None and not _written(path, over, told):
            return
        try:
            with opened(store) as desk:
                postman = Postman(vault, mail, address)
                _work(desk, over, told, postman, lan=lan, vault=vault)
        except Locked as error:  # without the keys every webhook would fail, again and again
            raise Trouble(error.code, str(error)) from None
        except (Trouble, Outage, Conflict) as error:
            if path is None:
                raise
            told.say("fault", str(error))
            over.wait(_LOOK_S)
    told.say("worker", "has ended")


def _written(path: Path, over: threading.Event, told: _Told) -> bool:
    """Wait until a process writes to a file of books: it is the only one, and takes ours."""
    waits = False
    while not lease.is_held(lease.lock_file(path)):
        if not waits:
            told.say("worker", "waits for a process that writes to these books: kantis serve")
            waits = True
        if over.wait(_LOOK_S):
            return False
    return not over.is_set()


def _work(
    desk: Desk | RemoteDesk,
    over: threading.Event,
    told: _Told,
    postman: Postman,
    *,
    lan: bool,
    vault: str,
) -> None:
    """Work until it is stopped, or until the process that writes has ended; ``Locked`` where
    the keys that sign webhooks are missing."""
    if isinstance(desk, Desk) and desk.books.alone:
        return  # whoever wrote has just ended; the file is left to the next one
    open_seals(desk, vault)
    with _beside(desk) as (other, news):
        crew = Crew(
            desk, told.fault, postman, lan=lan, vault=vault, courier=other, news=news,
            ended=told.job,
        )  # fmt: skip
        try:
            while not over.wait(_LOOK_S):
                told.deliveries(crew.courier.counts)
                if isinstance(desk, RemoteDesk) and not lease.is_held(lease.lock_file(desk.path)):
                    return
        finally:
            crew.close()
            told.deliveries(crew.courier.counts, now=True)


@contextmanager
def _beside(
    desk: Desk | RemoteDesk,
) -> Iterator[tuple[Desk | RemoteDesk, Callable[[float], object]]]:
    """A desk of its own for the courier, and how it hears of news."""
    if isinstance(desk, RemoteDesk):
        with RemoteDesk(desk.path) as other:
            yield other, time.sleep
        return
    with Desk(desk.books.at(desk.books.address), engine=desk.engine) as own:
        ear = _Ear(own.books)
        try:
            yield own, ear.hear
        finally:
            ear.close()


class _Ear:
    """Listens on a connection of its own, which is made anew when it breaks."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._reader: Books | None = None

    def hear(self, seconds: float) -> None:
        try:
            if self._reader is None:
                self._reader = self._books.reader()
            self._reader.hear(seconds)
        except Outage:
            self.close()
            time.sleep(seconds)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


class _Told:
    """Says what is done, a line each: for people, or as JSON."""

    def __init__(self, json: bool) -> None:
        self._json, self._last = json, 0.0
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def say(self, what: str, said: str, **more: Any) -> None:
        at = show_instant(wall_clock())
        with self._lock:
            if self._json:
                line = msgspec.json.encode({"time": at, "what": what, "said": said, **more})
                sys.stdout.buffer.write(line + b"\n")
            else:
                out.print(Text(f"{at[:19]}  {what:<8}  {said}"))
            sys.stdout.flush()

    def fault(self, where: str, error: Exception) -> None:
        self.say("fault", f"{where}: {type(error).__name__}: {error}")

    def job(self, job: Job, note: str) -> None:
        ms = wall_clock() - job.began
        self.say("job", f"{job.kind}: {note or 'done'} ({ms} ms)", kind=job.kind, ms=ms)

    def deliveries(self, counts: dict[str, int], *, now: bool = False) -> None:
        news = {each: n - self._counts.get(each, 0) for each, n in counts.items()}
        news = {each: n for each, n in news.items() if n}
        if news and (now or time.monotonic() - self._last > _TELL_S):
            self._counts, self._last = dict(counts), time.monotonic()
            said = ", ".join(f"{n} {each}" for each, n in sorted(news.items()))
            self.say("webhooks", said, **news)


def list_jobs(store: Store = "kantis.db", json: Json = False) -> None:
    """List the jobs, how far each is, and what waits to be delivered."""
    with opened(store) as desk:
        found, waits = jobs(desk.books), outbox.backlog(desk.books)
    if json:
        json_out({"jobs": [msgspec.structs.asdict(each) for each in found], "webhooks": waits})
        return
    rows = [
        (str(each.number), each.kind, each.state, f"{each.done:,} of {each.total:,}"
         if each.total else "", show_instant(each.due)[:19] if each.due else "", each.worker,
         each.note)
        for each in found
    ]  # fmt: skip
    columns = ("job", "kind", "state", "done", "due (UTC)", "worker", "what became of it")
    out.print(table("", columns, rows))
    out.print(
        f"Webhooks: {waits['waiting']:,} messages wait, {waits['dead']:,} are dead, "
        f"{waits['behind']:,} entries not looked at yet."
    )
