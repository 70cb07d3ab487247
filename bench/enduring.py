"""Rows of endurance: an open loop, whatever the service does, and then a spike.

300 purchases a second with redemptions, look-ups and quotes; afterwards ten times as many.
Short by default; ``--seconds 1800`` is the half hour that the goal is about.
"""

from __future__ import annotations

import threading
from pathlib import Path

from bench.load import Answers, Heard, Phase, Plan, begin, end
from bench.measure import Row, Spread
from bench.places import Files, Place
from kantis.desk.verify import verify
from kantis.store.sqlite import SqliteBooks

#: Requests a second of which three in four are purchases.
RATE = 400
MIX = {"buy": 30, "redeem": 2, "read": 6, "quote": 2}
#: More callers than may wait, so that there is somebody to turn away.
CALLERS = 2_500
SECONDS, SECONDS_QUICK, SPIKE_S = 60, 15, 60


def rows(quick: bool, folder: Path, seconds: int = 0) -> list[Row]:
    """On one SQLite file."""
    files = Files(folder)
    last = seconds or (SECONDS_QUICK if quick else SECONDS)
    spike = min(SPIKE_S, last)
    phases = [
        Phase("first", last / 3, RATE), Phase("then", 2 * last / 3, RATE),
        Phase("spike", spike, 10 * RATE), Phase("after", last / 3, RATE),
    ]  # fmt: skip
    with files.service() as place:
        plan = Plan(place.address, files.key, CALLERS, phases, MIX, "endure")
        with _Memory(place, last / 3) as memory:
            heard = end(begin(plan))
    return _rows(files, heard, memory.found, last)


class _Memory:
    """What a server has in memory, each time that so many seconds have passed."""

    def __init__(self, place: Place, every_s: float) -> None:
        self._place, self._every_s = place, every_s
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
            self.found.append(self._place.memory_mib())


def _rows(files: Files, heard: list[Heard], memory: list[float], seconds: int) -> list[Row]:
    first, then, spike, after = heard
    calm = max(each.answers["buy"].p99 for each in (first, then))
    statuses = {k: v for each in spike.answers.values() for k, v in each.statuses.items()}
    told = sum(_kept(each.answers.get(kind)) for each in heard for kind in ("buy", "redeem"))
    booked, proved = _booked(files)
    allowed = {"200", "409", "429"}
    label = f"open loop, SQLite, {RATE} requests/s for {seconds} s"
    bought = spike.answers["buy"].statuses
    notes = [
        f"in the spike {bought.get('200', 0):,} purchases were taken and {bought.get('429', 0):,}"
        f" turned away; p99 afterwards {after.answers['buy'].p99:.0f} ms"
    ]
    grown = memory[1] / memory[0]
    return [
        Row(f"{label}: a purchase, p99", Spread.of([calm]), "ms", "≤ 150", calm <= 150),
        Row("acknowledged, and in the books that are proved", Spread.of([float(told)]), "events",
            "as many", told == booked and proved, "events in the books",
            Spread.of([float(booked)])),
        Row("memory of the service after two thirds", Spread.of([memory[1]]), "MiB",
            "≤ 1.1 times", grown <= 1.1, "after the first third", Spread.of([memory[0]]),
            Spread.of([grown]), "times as much"),
        Row(f"a spike of {10 * RATE:,} requests/s: answers that are no 200, 409 or 429",
            Spread.of([float(sum(n for s, n in statuses.items() if s not in allowed))]),
            "answers", "none", set(statuses) <= allowed, notes=notes),
    ]  # fmt: skip


def _kept(answers: Answers | None) -> int:
    """Events that were acknowledged as recorded: decided, or refused by the program."""
    return sum(answers.statuses.get(each, 0) for each in ("200", "409")) if answers else 0


def _booked(files: Files) -> tuple[int, bool]:
    """Events of the load in the books, and whether these are proved."""
    with SqliteBooks(files.path, write=False) as books:
        count = books.one("SELECT count(*) FROM event WHERE key GLOB 'till-1/endure-*'")
        return int(count), verify(books).ok
