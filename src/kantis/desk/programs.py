"""Programs: the engine that is used, and the published programs as it has read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kantis.core.account import Account
from kantis.core.calendar import DAY_MS, MINUTE_MS
from kantis.core.decision import Context, Entry, Needs
from kantis.core.events import Event
from kantis.core.knobs import ProgramError
from kantis.desk.filing import Stops
from kantis.desk.freezing import Freezes
from kantis.engine.decide import advance, decide, needs
from kantis.engine.program import Program, Version, assemble
from kantis.store.books import Books, Outage
from kantis.store.rows import VersionRow

_LENGTHS_MS: Final = {
    "minute": MINUTE_MS,
    "hour": 60 * MINUTE_MS,
    "day": DAY_MS,
    "week": 7 * DAY_MS,
    "month": 31 * DAY_MS,
    "year": 366 * DAY_MS,
}


def _assemble(versions: Sequence[VersionRow]) -> Program:
    return assemble([Version.of(v.number, v.since, json.loads(v.tree)) for v in versions])


def _late_ms(program: Program) -> int:
    late = program.newest.head.late
    return late.count * _LENGTHS_MS[late.unit]


def _limits(program: Program) -> dict[str, int]:
    return program.limits()


class Unreadable(Outage):
    """A published program cannot be read: nothing can be decided, and nothing is recorded."""


@dataclass(frozen=True)
class Engine:
    """The pure functions that a desk calls; tests and the simulator can hand in others."""

    assemble: Callable[[Sequence[VersionRow]], Any] = _assemble
    needs: Callable[[Any, Account, Event], Needs] = needs
    decide: Callable[[Any, Account, Event, Context], list[Entry]] = decide
    advance: Callable[[Any, Account, int], list[Entry]] = advance
    late_ms: Callable[[Any], int] = _late_ms
    limits: Callable[[Any], dict[str, int]] = _limits


@dataclass(slots=True)
class Home:
    """A program of this installation: its number, its name, and all its versions, read."""

    number: int
    name: str
    program: Any
    late_ms: int
    #: whether an owner has frozen spending
    frozen: bool = False


class Homes:
    """All programs of an installation, read again when another version is published.

    ``visits`` counts what could have changed them, where nobody else writes to the books:
    then these are asked only after another visit.
    """

    def __init__(self, engine: Engine, visits: Callable[[], int] | None = None) -> None:
        self.engine, self._visits = engine, visits
        self._seen = -1
        #: grows with each version that was read
        self.edition = -1
        #: cards that do nothing any more
        self.stops = Stops()
        #: what keeps points from being spent
        self.freezes = Freezes()
        self._by_name: dict[str, Home] = {}
        self._by_number: dict[int, Home] = {}

    def refresh(self, books: Books) -> None:
        """Read the programs if there is a version that is not read yet; or ``Unreadable``."""
        visits = self._visits() if self._visits is not None else -1
        if visits < 0 or visits != self._seen or self.edition < 0:
            self.stops.refresh(books)
            self.freezes.refresh(books)
            self._read(books)
            self._seen = visits
            for home in self._by_number.values():
                home.frozen = (home.number, 0) in self.freezes.held

    def _read(self, books: Books) -> None:
        edition = books.edition()
        if edition == self.edition:
            return
        found = {}
        for name, number in books.programs().items():
            try:
                program = self.engine.assemble(books.versions(number))
            except ProgramError as error:
                message = f"This version of Kantis cannot read the published program {name!r}."
                hint = "Use the version that published it, or publish it anew in new books."
                raise Unreadable(f"{message} {hint} {error}") from error
            found[name] = Home(number, name, program, self.engine.late_ms(program))
        self._by_name = found
        self._by_number = {home.number: home for home in found.values()}
        self.edition = edition

    def find(self, name: str) -> Home | None:
        """The program of that name; without a name the only one there is."""
        if not name and len(self._by_name) == 1:
            return next(iter(self._by_name.values()))
        return self._by_name.get(name)

    def numbered(self, number: int) -> Home:
        """The program of that number."""
        return self._by_number[number]
