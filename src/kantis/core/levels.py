"""Levels: what a level takes, how long it lasts, and what rolls over.

>>> reader = Reader()
>>> lasts = LASTS.read(node("to the end of February after the next calendar year"), reader)
>>> calendar.show_day(lasts.until(calendar.day("2025-01-15")))
'2027-03-01'
"""

from __future__ import annotations

import re

from msgspec import Struct

from kantis.core import calendar
from kantis.core.knobs import Kind, Node, Reader, Wrong, node, suggest
from kantis.core.phrases import MONTHS, Duration, lasting, list_of, quantity, text_of

__all__ = ["LASTS", "LEVELS", "REACHED", "ROLLS", "Reader", "calendar", "node"]


class Threshold(Struct, frozen=True):
    """What a level takes: any of several lists of (counter, amount) that all have to be reached."""

    any_of: tuple[tuple[tuple[str, int], ...], ...]


class Lasts(Struct, frozen=True):
    """How long a level lasts: a length, or to the end of a later calendar window."""

    length: Duration | None = None
    window: str = ""
    windows_later: int = 0
    month: int = 0
    forever: bool = False

    def until(self, day: int) -> int:
        """The first day on which a level reached on that day no longer holds; 0 for never."""
        if self.forever:
            return 0
        if self.length is not None:
            months = self.length.count * (12 if self.length.unit == "year" else 1)
            if self.length.unit in ("month", "year"):
                return calendar.add_months(day, months)
            return day + self.length.count * (7 if self.length.unit == "week" else 1)
        end = calendar.window_end(self.window, day)
        for _ in range(self.windows_later):
            end = calendar.window_end(self.window, end)
        return calendar.add_months(end, self.month) if self.month else end


_LASTS = re.compile(
    r"to the end of (the|the next|the second next) calendar (year|half-year|quarter|month)"
)
_INTO = re.compile(rf"to the end of ({'|'.join(MONTHS)}) (after the|after the next) calendar year")
_LOOKS = (
    "12 months | to the end of the next calendar year | to the end of February after the next"
    " calendar year | for ever"
)


def _lasts(node: Node, reader: Reader) -> Lasts:
    text = text_of(node)
    if text == "for ever":
        return Lasts(forever=True)
    if match := _LASTS.fullmatch(text):
        later = ("the", "the next", "the second next").index(match[1])
        return Lasts(window=match[2], windows_later=later)
    if match := _INTO.fullmatch(text):
        later = 0 if match[2] == "after the" else 1
        return Lasts(window="year", windows_later=later, month=MONTHS.index(match[1]) + 1)
    try:
        return Lasts(length=lasting(text, node))
    except Wrong as wrong:
        if wrong.code != "duration-expected":
            raise
        message = f"{text!r} does not say how long. Write one of: {_LOOKS}."
        raise Wrong("unknown-length", message, node) from wrong


LASTS = Kind("length of a level", _lasts, _LOOKS, ("to the end of the next calendar year",))


def _levels(node: Node, reader: Reader) -> tuple[tuple[str, Threshold], ...]:
    if not isinstance(node.value, dict) or not node.value:
        raise Wrong("levels-expected", "Write the levels from low to high, with a threshold.", node)
    return tuple((name, _threshold(child, reader)) for name, child in node.value.items())


def _threshold(node: Node, reader: Reader) -> Threshold:
    if isinstance(node.value, dict):
        if list(node.value) == ["any"]:
            return Threshold(
                tuple(
                    part
                    for each in list_of(node.value["any"])
                    for part in _threshold(each, reader).any_of
                )
            )
        return Threshold((tuple(counter_amount(k, v, reader) for k, v in node.value.items()),))
    text = text_of(node)
    if text == "from the start":
        return Threshold(((),))
    if text == "by hand":
        return Threshold(())
    return Threshold(((counter_amount("", node, reader),),))


def counter_amount(counter: str, node: Node, reader: Reader) -> tuple[str, int]:
    """A counter (empty: the group's own) and an amount of it: a number, or one with its unit."""
    known = reader.names.get("counters", [])
    if counter and counter not in known:
        message = f"There is no counter {counter!r}. {suggest(counter, known)}"
        raise Wrong("unknown-counter", message, node)
    text = text_of(node)
    if text.isdigit():
        return counter, int(text)
    return counter, quantity(text, node, reader).amount


LEVELS = Kind(
    "levels",
    _levels,
    "{basic: from the start, silver: 350 EUR, gold: {nights: 25, spend: 6000 EUR}}",
)


def _rolls(node: Node, reader: Reader) -> dict[str, int]:
    """The counters that roll over, and how much of each at most (0: all)."""
    if not isinstance(node.value, dict):
        raise Wrong("counter-expected", "Write a counter: {nights: at most 60}.", node)
    found = {}
    for counter, child in node.value.items():
        text = text_of(child)
        if text != "all" and not text.startswith("at most "):
            raise Wrong("at-most-expected", "Write 'all', or for example 'at most 60'.", child)
        most = text.removeprefix("at most ")
        plain = Node("0" if text == "all" else most, child.line, child.column)
        found[counter] = counter_amount(counter, plain, reader)[1]
    return found


ROLLS = Kind("roll-over", _rolls, "{counter: all | at most …}", ("{nights: at most 60}",))


def _reached(node: Node, reader: Reader) -> tuple[str, int]:
    if not isinstance(node.value, dict) or len(node.value) != 1:
        message = "Write one counter and its amount, for example {nights: 50}."
        raise Wrong("counter-expected", message, node)
    ((counter, child),) = node.value.items()
    return counter_amount(counter, child, reader)


REACHED = Kind("milestone", _reached, "{counter: amount}", ("{nights: 50}", "{spend: 500.00 EUR}"))
