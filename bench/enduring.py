"""Rows of endurance: an open loop, whatever the service does, and then a spike.

On SQLite 300 purchases a second, on PostgreSQL 1,000 to two services, both with redemptions,
look-ups and quotes; afterwards ten times as many. Short by default; ``--seconds 1800`` is the
half hour that the goal is about.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

from bench import onpostgres, places
from bench.load import Answers, Heard, Phase, Plan, begin, end
from bench.measure import Row, Spread
from bench.places import Files, Place
from kantis.desk.verify import verify
from kantis.store.postgres import PostgresBooks
from kantis.store.reading import Reading
from kantis.store.sqlite import SqliteBooks
from tests.support.postgres import Cluster, fresh_database

#: Requests a second of which three in four are purchases.
RATE, RATE_POSTGRES = 400, 1_334
MIX = {"buy": 30, "redeem": 2, "read": 6, "quote": 2}
#: More callers of a service than may wait, so that there is somebody to turn away.
CALLERS = 2_500
WORKERS = 2
#: More members than a service keeps in memory, so that what it keeps is full from the start.
MEMBERS = 50_000
SECONDS, SECONDS_QUICK, SPIKE_S = 60, 15, 60

#: Events of the load in the books, and whether these are proved.
Booked = Callable[[], tuple[int, bool]]
_COUNT = "SELECT count(*) FROM event WHERE key LIKE ?"


def rows(quick: bool, folder: Path, seconds: int = 0) -> list[Row]:
    """On one SQLite file."""
    files = Files(folder, MEMBERS)

    def booked() -> tuple[int, bool]:
        with SqliteBooks(files.path, write=False) as books:
            return _booked(books)

    last = seconds or (SECONDS_QUICK if quick else SECONDS)
    with files.service() as place:
        heard, memory = _endure([place], files.key, RATE, last)
    return _rows(f"SQLite, {RATE}", last, heard, memory, booked)


def postgres_rows(quick: bool, folder: Path, seconds: int = 0) -> list[Row]:
    """Two services on one database."""
    last = seconds or (SECONDS_QUICK if quick else SECONDS)
    with Cluster(durable=True) as cluster, fresh_database(cluster.url) as url:
        onpostgres.settle(cluster)
        key = places.prepare(url, MEMBERS)

        def booked() -> tuple[int, bool]:
            with PostgresBooks(url, write=False) as books:
                return _booked(books)

        with ExitStack() as stack:
            two = [stack.enter_context(places.service(url)) for _ in range(WORKERS)]
            heard, memory = _endure(two, key, RATE_POSTGRES, last)
        where = f"PostgreSQL, {WORKERS} services, {RATE_POSTGRES:,}"
        return _rows(where, last, heard, memory, booked)


def _endure(
    served: list[Place], key: str, rate: int, last: int
) -> tuple[list[list[Heard]], list[float]]:
    """What the callers of each phase heard, and what the services had in memory."""
    spike, share = min(SPIKE_S, last), rate / len(served)
    phases = [
        Phase("first", last / 3, share), Phase("then", 2 * last / 3, share),
        Phase("spike", spike, 10 * share), Phase("after", last / 3, share),
    ]  # fmt: skip
    with _Memory(served, last / 3) as memory:
        callers = [
            begin(
                Plan(place.address, key, CALLERS, phases, MIX, f"endure-{number}", members=MEMBERS)
            )
            for number, place in enumerate(served)
        ]
        heard = [end(caller) for caller in callers]
    return [list(each) for each in zip(*heard, strict=True)], memory.found


class _Memory:
    """What servers have in memory, each time that so many seconds have passed."""

    def __init__(self, served: list[Place], every_s: float) -> None:
        self._served, self._every_s = served, every_s
        self._over = threading.Event()
        self.found: list[float] = []
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self._every_s):
            self.found.append(sum(place.memory_mib() for place in self._served))


def _rows(
    where: str, seconds: int, heard: list[list[Heard]], memory: list[float], booked: Booked
) -> list[Row]:
    first, then, spike, after = heard
    calm, later = _late([*first, *then]), _late(after)
    answers = [x for each in spike for x in each.answers.values()]
    strange = sum(n for x in answers for s, n in x.statuses.items() if s not in _ALLOWED)
    told = sum(
        _kept(each.answers.get(kind)) for each in chain(*heard) for kind in ("buy", "redeem")
    )
    count, proved = booked()
    bought = [each.answers["buy"].statuses for each in spike]
    taken, refused = (sum(each.get(s, 0) for each in bought) for s in ("200", "429"))
    notes = [
        f"in the spike {taken:,} purchases were taken and {refused:,} turned away;"
        f" p99 afterwards {later:.0f} ms"
    ]
    grown = memory[1] / memory[0]
    label = f"open loop, {where} requests/s for {seconds} s"
    return [
        Row(f"{label}: a purchase, p99", Spread.of([calm]), "ms", "≤ 150", calm <= 150),
        Row("acknowledged, and in the books that are proved", Spread.of([float(told)]), "events",
            "as many", told == count and proved, "events in the books",
            Spread.of([float(count)])),
        Row("memory of the service after two thirds", Spread.of([memory[1]]), "MiB",
            "≤ 1.1 times", grown <= 1.1, "after the first third", Spread.of([memory[0]]),
            Spread.of([grown]), "times as much"),
        Row("a spike ten times as high: answers that are no 200, 409 or 429",
            Spread.of([float(strange)]), "answers", "none", not strange, notes=notes),
    ]  # fmt: skip


_ALLOWED = {"200", "409", "429"}


def _late(heard: list[Heard]) -> float:
    return max(each.answers["buy"].p99 for each in heard)


def _kept(answers: Answers | None) -> int:
    """Events that were acknowledged as recorded: decided, or refused by the program."""
    return sum(answers.statuses.get(each, 0) for each in ("200", "409")) if answers else 0


def _booked(books: Reading) -> tuple[int, bool]:
    count = books.one(_COUNT, ("till-1/endure-%",))
    return int(count), verify(books).ok
