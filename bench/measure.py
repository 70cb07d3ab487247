"""Measure: interleaved rounds, medians, and rows of the table.

Two things that are compared take turns, so that a busy minute of the machine hits both;
their ratio is taken round by round. Every figure is a median with its least and greatest.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

Work = Callable[[], float]


@dataclass
class Spread:
    """The median of several rounds, with the least and the greatest."""

    middle: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """The spread of some values."""
        return cls(median(values), min(values), max(values))

    def times(self, factor: float) -> Spread:
        """The same in another unit."""
        return Spread(self.middle * factor, self.least * factor, self.greatest * factor)


@dataclass
class Row:
    """A row of the table: what was measured, the limit beside it, the ratio, the goal.

    ``ratio`` says how near the limit is, or how many times more it takes, as ``of`` says.
    """

    name: str
    ours: Spread
    unit: str
    goal: str
    reached: bool | None = None
    limit: str = ""
    theirs: Spread | None = None
    ratio: Spread | None = None
    of: str = ""
    notes: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """The row as plain values."""
        return asdict(self)


def cpu(work: Callable[[], object]) -> float:
    """Seconds of processor time that this process spends on something."""
    gc.collect()
    before = time.process_time()
    work()
    return time.process_time() - before


def wall(work: Callable[[], object]) -> float:
    """Seconds on the clock that something takes."""
    gc.collect()
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def in_turns(rounds: int, *works: Work) -> list[list[float]]:
    """What each of the works measures in each round; they take turns, forwards and backwards."""
    found: list[list[float]] = [[] for _ in works]
    order = list(range(len(works)))
    for number in range(rounds):
        for position in order if number % 2 == 0 else reversed(order):
            found[position].append(works[position]())
    return found


def ratios(above: list[float], below: list[float]) -> Spread:
    """The ratio of two works, round by round."""
    return Spread.of([a / b for a, b in zip(above, below, strict=True)])


def number(value: float) -> str:
    """A number as people read it, with three digits that count."""
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(value: Spread | None) -> str:
    """A spread as people read it: ``12.0 (11.5–13.1)``."""
    if value is None:
        return ""
    if value.least == value.greatest:
        return number(value.middle)
    return f"{number(value.middle)} ({number(value.least)}–{number(value.greatest)})"
