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

from collections.abc import Callable

from kantis.core import calendar
from kantis.core.code import Code
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


def of_day(window: Window) -> Callable[[int], int] | None:
    """The bucket as a function of the day alone, where it is, and the window holds no other."""
    if window.kind not in _CALENDAR and window.kind != "ever":
        return None
    return _OF_DAY.setdefault(window.kind, lambda day: bucket(window, day, 0))


_OF_DAY: dict[str, Callable[[int], int]] = {}


def write_bucket(code: Code, window: Window) -> str:
    """The expression of the bucket of the event's day."""
    days = of_day(window)
    if days is not None:
        return code.of_day(days, f"this_{window.kind}".replace("-", "_"))
    call = code.constant(bucket, "bucket")
    return f"{call}({code.constant(window, 'window')}, day, account.joined)"


def write_total(code: Code, window: Window, counter: str) -> str:
    """The expression of what the window that holds the event's day has counted."""
    days, name = of_day(window), f"account.counters.get({counter!r}"
    if days is not None:
        return f"{name}, {code.constant(_NOTHING, 'nothing')}).get({write_bucket(code, window)}, 0)"
    call = code.constant(total, "window_total")
    return f"{call}({code.constant(window, 'window')}, {name}), day, account.joined)"


_NOTHING: dict[int, int] = {}


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
