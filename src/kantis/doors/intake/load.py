"""Load: a whole file of purchases, refunds, members or opening balances into the books.

Guarantee: everything is read before anything is written; a file with totals is taken whole
or not at all; what was taken before has no second effect; and each row that is not taken
stands in the file of bad rows with its number and its reason.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol, TextIO

from msgspec import Struct

from kantis.core.amounts import Unit
from kantis.core.events import Event
from kantis.core.knobs import suggest
from kantis.desk.results import ALONE, BAD, DECIDED, PARKED, REFUSED, UNKNOWN, Result
from kantis.doors.intake.mapping import Mapping
from kantis.doors.intake.rows import Bad, RowReader
from kantis.doors.intake.spool import Differs, Spool
from kantis.doors.intake.tables import Table
from kantis.engine.program import Program
from kantis.store.reading import Reading

BATCH: Final = 1_000
_BAD_COLUMNS: Final = ("row", "column", "value", "code", "reason")

#: Told how far a stage is: its name, what is done, what there is to do.
Progress = Callable[[str, int, int], None]


class Door(Protocol):
    """The one way in: a desk of this process or of another one."""

    def stream(
        self, batches: Iterator[list[Event]], *, program: str, importing: bool
    ) -> Iterator[list[Result]]:  # pragma: no cover - a protocol
        """Record and decide batch after batch of events."""

    def settle(self) -> int:  # pragma: no cover - a protocol
        """Decide what waited and is known now."""


class Mismatch(Struct):
    """A total that the file does not have."""

    name: str
    expected: str
    got: str


class Summary(Struct):
    """What became of a file."""

    rows: int = 0
    bad_rows: int = 0
    events: int = 0
    accepted: int = 0
    again: int = 0
    refused: int = 0
    waiting: int = 0
    without_member: int = 0
    set_aside: int = 0
    unknown: int = 0
    people: int = 0
    people_refused: int = 0
    totals: dict[str, str] = {}
    unused: list[str] = []
    mismatches: list[Mismatch] = []
    bad_file: str = ""

    @property
    def fine(self) -> bool:
        """Whether every row was taken."""
        wrong = self.bad_rows + self.refused + self.set_aside + self.unknown
        wrong += self.people_refused
        return not wrong and not self.mismatches


class BadRows:
    """The file of bad rows; it comes to be with the first of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None
        self._writer: Any = None

    def add(self, row: int, bad: Bad) -> None:
        """Write down why a row was not taken."""
        if self._writer is None:
            self._file = self.path.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(_BAD_COLUMNS)
        self._writer.writerow((row, bad.column, bad.value[:200], bad.code, bad.reason))

    def close(self) -> str:
        """The name of the file; empty if there was no bad row."""
        if self._file is None:
            return ""
        self._file.close()
        return str(self.path)


class Loader:
    """Takes one file, in two stages: ``read`` and ``submit``."""

    def __init__(self, table: Table, mapping: Mapping, program: Program, bad_rows: BadRows) -> None:
        self.table, self.mapping, self.program = table, mapping, program
        self.bad_rows = bad_rows
        self.reader = RowReader(mapping, program)
        self.spool = Spool(mapping.source)
        told = [*mapping.columns.values(), *mapping.facts.values()]
        used = {each.column for each in told}
        self.summary = Summary(unused=[each for each in table.columns if each not in used])

    def read(self, progress: Progress) -> Summary:
        """Read all rows, and compare the totals."""
        summary, key = self.summary, self.reader.key
        for number, row, wrong in self.table.rows():
            summary.rows += 1
            if not summary.rows % 5_000:
                progress("reading", self.table.at(), self.table.size)
            try:
                if wrong:
                    raise Bad("unreadable-row", wrong)
                self._take(number, row)
            except Bad as bad:
                self._reject(number, bad, "" if wrong else key(row))
        progress("reading", self.table.size, self.table.size)
        summary.events = self.spool.finish()
        summary.totals = self._totals()
        self._compare()
        return summary

    def _take(self, number: int, row: dict[str, str]) -> None:
        before = dict(self.reader.sums)
        for piece in self.reader.read(number, row):
            if piece.id in self.spool.bad:
                self.reader.sums = before
                reason = f"Another row of {piece.id!r} is bad, so none of its rows is taken."
                raise Bad("with-bad-row", reason, value=piece.id)
            try:
                self.spool.add(piece)
            except Differs as differs:
                self.reader.sums = before
                reason = f"It {differs} than an earlier row of {piece.id!r}."
                raise Bad("rows-differ", reason, value=piece.id) from differs

    def _reject(self, number: int, bad: Bad, key: str) -> None:
        self.summary.bad_rows += 1
        self.bad_rows.add(number, bad)
        if key and key not in self.spool.bad:
            self.spool.drop(key)

    def _unit(self, name: str) -> Unit:
        if name in ("amount", "worth"):
            return self.program.money
        counted = self.program.counted.get(name.removeprefix("counter "))
        return self.program.units.get(name) or counted or Unit(name)

    def _totals(self) -> dict[str, str]:
        found = {name: self._unit(name).number(amount) for name, amount in self.reader.sums.items()}
        cards = self.spool.subjects()
        return {"rows": str(self.summary.rows), "cards": str(cards), **found}

    def _compare(self) -> None:
        """What the mapping says that the file adds up to; of an opening, each balance."""
        summary, stated = self.summary, self.mapping.totals
        for name, expected in stated.items():
            got = summary.totals.get(name)
            if got is None and name in self.program.units:
                got = "0"
            if got is None:
                got = f"no such total. {suggest(name, summary.totals)}"
            if _plain(got) != _plain(expected):
                summary.mismatches.append(Mismatch(name, expected, got))
        if self.mapping.kind == "opening":
            summary.mismatches += [
                Mismatch(name, "a total in the mapping", got)
                for name, got in summary.totals.items()
                if name in self.program.units and name not in stated
            ]
        if (stated or self.mapping.kind == "opening") and summary.bad_rows:
            summary.mismatches.append(Mismatch("bad rows", "0", str(summary.bad_rows)))

    def known(self, books: Reading) -> int:
        """How many of the events the books have already; to be asked after ``read``."""
        waiting, found = self.spool.events(), 0
        while batch := list(islice(waiting, BATCH)):
            found += len(books.events([event.key for _, event in batch]))
        return found

    def submit(self, door: Door, program: str, progress: Progress) -> Summary:
        """Submit the events, oldest first, then decide earlier ones that waited for them."""
        summary, done = self.summary, 0
        waiting = self.spool.events()
        rows: deque[int] = deque()

        def batches() -> Iterator[list[Event]]:
            while batch := list(islice(waiting, BATCH)):
                rows.extend(row for row, _ in batch)
                yield [event for _, event in batch]

        for results in door.stream(batches(), program=program, importing=True):
            for result in results:
                self._count(rows.popleft(), result)
            done += len(results)
            progress("submitting", done, summary.events)
        door.settle()
        return summary

    def _count(self, row: int, result: Result) -> None:
        summary, outcome = self.summary, result.outcome
        summary.again += result.again
        if outcome in (REFUSED, UNKNOWN, BAD):
            code, sentence = outcome, "It was set aside; look at it in the list of the desk."
            if result.refusal is not None:
                code, sentence = result.refusal.code, result.refusal.sentence
            elif outcome == UNKNOWN:
                sentence = "Nobody knows whether it was taken. Run the import again."
            self.bad_rows.add(row, Bad(code, sentence, value=result.key))
        summary.refused += outcome == REFUSED
        summary.unknown += outcome == UNKNOWN
        summary.set_aside += outcome == BAD
        summary.waiting += outcome == PARKED
        summary.without_member += outcome == ALONE
        summary.accepted += outcome == DECIDED

    def close(self) -> None:
        """Let go of the disk, and finish the file of bad rows."""
        self.summary.bad_file = self.bad_rows.close()
        self.spool.close()


def _plain(number: str) -> str:
    plain = number.replace(",", "").replace(" ", "").replace("_", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
