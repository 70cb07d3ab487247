"""Windows of counting: which bucket an amount falls into, and what a window holds.

>>> year = Window("year")
>>> counts = {}
>>> for date, amount in (("2023-12-31", 100), ("2024-02-01", 20), ("2024-06-01", 5)):
...     key = bucket(year, calendar.day(date), 0)
...     counts[key] = counts.get(key, 0) + amount
>>> total(year, counts, calendar.day("2024-07-01"), 0)
25
"""

from __future__ import annotations

from kantis.core import calendar
from kantis.core.phrases import Window

_CALENDAR = frozenset(("day", "week", "month", "quarter", "half-year", "year"))


def bucket(window: Window, day: int, joined: int) -> int:
    """The bucket of a day: the first day of its window, of its month, the day itself, or 0."""
    kind = window.kind
    if kind in _CALENDAR:
        return calendar.window_start(kind, day)
    if kind in ("ever", "purchase"):
        return 0
    if kind == "rolling day":
        return day
    if kind == "rolling month":
        return calendar.window_start("month", day)
    return calendar.add_months(joined, _years(joined, day) * 12)


def _years(joined: int, day: int) -> int:
    """Full years of membership; who joined on 29 February begins one on the 28th."""
    years = calendar.years_between(joined, day)
    return years + (calendar.add_months(joined, (years + 1) * 12) <= day)


def total(window: Window, counts: dict[int, int] | None, day: int, joined: int) -> int:
    """What the window that holds the day has counted.

    A rolling window of N days holds the day and the N - 1 before it; one of N months holds
    the day's month and the N - 1 before it.
    """
    if not counts:
        return 0
    if window.kind in _CALENDAR:
        return counts.get(calendar.window_start(window.kind, day), 0)
    if window.kind.startswith("rolling"):
        first = _first(window, day)
        return sum(amount for key, amount in counts.items() if first <= key <= day)
    return counts.get(bucket(window, day, joined), 0)


def _first(window: Window, day: int) -> int:
    if window.kind == "rolling day":
        return day - window.count + 1
    return calendar.window_start("month", calendar.add_months(day, 1 - window.count))


def end(window: Window, day: int, joined: int) -> int:
    """The first day after the window that holds the day; 0 where it has no end."""
    kind = window.kind
    if kind in ("ever", "purchase") or kind.startswith("rolling"):
        return 0
    if kind == "anniversary":
        return calendar.add_months(joined, (_years(joined, day) + 1) * 12)
    return calendar.window_end(kind, day)


def last(window: Window, key: int, joined: int) -> int:
    """The last day whose window holds a bucket, of a window that ends."""
    if window.kind == "rolling day":
        return key + window.count - 1
    if window.kind == "rolling month":
        return calendar.window_end("month", calendar.add_months(key, window.count - 1)) - 1
    return end(window, key, joined) - 1


def stale(window: Window, key: int, day: int, joined: int) -> bool:
    """Whether a bucket can no longer matter to the day or to any later one."""
    if window.kind in _CALENDAR:
        return key < calendar.window_start(window.kind, day)
    if window.kind in ("ever", "purchase"):
        return False
    if window.kind.startswith("rolling"):
        return key < _first(window, day)
    return key < bucket(window, day, joined)
