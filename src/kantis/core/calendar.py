"""Calendar: instants, local days and the windows a program counts in.

An **instant** is an ``int``, milliseconds since 1970-01-01 UTC. A **day** is an ``int``,
the proleptic ordinal of a local date (``date.toordinal()``). A program has one time
zone; what ends "on 1 July" ends at 00:00 local of that day.

>>> helsinki = Calendar(zone("Europe/Helsinki"))
>>> noon = instant("2024-03-31T12:00:00+03:00")
>>> show_day(helsinki.day(noon))
'2024-03-31'
>>> show_day(add_months(helsinki.day(noon), -1))
'2024-02-29'
>>> show_day(window_start("quarter", helsinki.day(noon))), show_day(window_end("half-year", 738976))
('2024-01-01', '2024-07-01')
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from kantis.core import slips

_T = TypeVar("_T")

MINUTE_MS = 60_000
DAY_MS = 86_400_000
DAY_MINUTES = 1_440
_QUARTER_HOUR_MS = 900_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_DAY = _EPOCH.toordinal()

#: Calendar windows, from short to long, and the number of months of those that have one.
WINDOWS = ("day", "week", "month", "quarter", "half-year", "year")
_MONTHS = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@lru_cache(maxsize=64)
def zone(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of that IANA name, from the pinned ``tzdata`` package, never the machine's.

    Raises ``ValueError`` for a name that is not known.
    """
    zoneinfo.reset_tzpath(to=[])
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"no time zone is called {name!r}") from error


def instant(text: str) -> int:
    """The instant of an ISO 8601 time that names its offset; ``ValueError`` without one."""
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC; write for example {text}Z")
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def show_instant(moment: int) -> str:
    """The instant in UTC, as ISO 8601 to the millisecond."""
    text = (_EPOCH + dt.timedelta(milliseconds=moment)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def day(text: str) -> int:
    """The day of a date written as ``2024-03-31``; ``ValueError`` for anything else."""
    match = _DATE.fullmatch(text)
    if not match:
        hint = slips.date(text) or "write year-month-day, for example 2024-03-31"
        raise ValueError(f"{text!r} is not a date; {hint[0].lower()}{hint[1:]}")
    try:
        return dt.date(*map(int, match.groups())).toordinal()
    except ValueError as error:
        hint = slips.date(text)
        also = f"; {hint[0].lower()}{hint[1:]}" if hint else ""
        raise ValueError(f"{text!r} is no day of the calendar{also}") from error


def show_day(day: int) -> str:
    """The day as an ISO date; the day 0 is ``never``."""
    return dt.date.fromordinal(day).isoformat() if day else "never"


def weekday(day: int) -> int:
    """0 for Monday to 6 for Sunday."""
    return (day - 1) % 7


def month_of(day: int) -> tuple[int, int]:
    """Year and month of the day."""
    date = dt.date.fromordinal(day)
    return date.year, date.month


def month_day(day: int) -> tuple[int, int]:
    """Month and day of the month."""
    date = dt.date.fromordinal(day)
    return date.month, date.day


def years_between(earlier: int, later: int) -> int:
    """Full years from one day to another; someone born on 29 February ages on 1 March."""
    a, b = dt.date.fromordinal(earlier), dt.date.fromordinal(later)
    return b.year - a.year - ((b.month, b.day) < (a.month, a.day))


@lru_cache(maxsize=16384)
def add_months(day: int, months: int) -> int:
    """The same day of the month so many months later, clipped to the month's end."""
    date = dt.date.fromordinal(day)
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    following = dt.date(year + month // 11, (month + 1) % 12 + 1, 1).toordinal()
    first = dt.date(year, month + 1, 1).toordinal()
    return min(first + date.day - 1, following - 1)


@lru_cache(maxsize=16384)
def window_start(kind: str, day: int) -> int:
    """The first day of the calendar window that holds the day; weeks start on Monday."""
    if kind == "day":
        return day
    if kind == "week":
        return day - weekday(day)
    date = dt.date.fromordinal(day)
    months = _MONTHS[kind]
    return dt.date(date.year, (date.month - 1) // months * months + 1, 1).toordinal()


@lru_cache(maxsize=16384)
def window_end(kind: str, day: int) -> int:
    """The first day after the calendar window that holds the day."""
    start = window_start(kind, day)
    if kind == "day":
        return start + 1
    if kind == "week":
        return start + 7
    return add_months(start, _MONTHS[kind])


@lru_cache(maxsize=4096)
def next_yearly(day: int, month: int, day_of_month: int) -> int:
    """The first such date on or after the day; 29 February falls on 1 March in a short year."""
    year = dt.date.fromordinal(day).year
    for candidate in (year, year + 1):
        try:
            ordinal = dt.date(candidate, month, day_of_month).toordinal()
        except ValueError:
            ordinal = dt.date(candidate, 3, 1).toordinal()
        if ordinal >= day:
            return ordinal
    raise AssertionError("a yearly date comes every year")


class Remembered(dict[int, _T]):
    """What a function says of whole numbers, worked out once for each of the last ones.

    >>> squares = Remembered(lambda number: number * number)
    >>> squares[7], squares[7]
    (49, 49)
    """

    __slots__ = ("_work_out",)

    def __init__(self, work_out: Callable[[int], _T]) -> None:
        super().__init__()
        self._work_out = work_out

    def __missing__(self, number: int) -> _T:
        if len(self) > 200_000:
            self.clear()
        found = self[number] = self._work_out(number)
        return found


class Calendar:
    """Local days of one time zone. Offsets change on quarter hours, so a quarter hour has one day.

    A day that starts twice or not at all at 00:00 starts at its first instant.
    """

    __slots__ = ("_days", "_offsets", "_starts", "zone")

    def __init__(self, zone: zoneinfo.ZoneInfo) -> None:
        self.zone = zone
        self._days = Remembered(self._day_of)
        self._offsets = Remembered(self._offset_of)
        self._starts = Remembered(self._start_of)

    def local(self, moment: int) -> dt.datetime:
        """Local date and time of an instant."""
        return (_EPOCH + dt.timedelta(milliseconds=moment)).astimezone(self.zone)

    def day(self, moment: int) -> int:
        """The local day of an instant."""
        return self._days[moment // _QUARTER_HOUR_MS]

    def _day_of(self, quarter: int) -> int:
        moment = quarter * _QUARTER_HOUR_MS
        offset = self._offsets[moment // DAY_MS]
        if offset is None:
            return self.local(moment).toordinal()
        return (moment + offset) // DAY_MS + _EPOCH_DAY

    def _offset_of(self, utc_day: int) -> int | None:
        """How far local time is ahead on a day of UTC, in milliseconds; none where it changes."""
        first, last = self.local(utc_day * DAY_MS), self.local((utc_day + 1) * DAY_MS - 1)
        offset = first.utcoffset()
        if offset is None or offset != last.utcoffset():
            return None
        return offset // dt.timedelta(milliseconds=1)

    def start(self, day: int) -> int:
        """The first instant of a local day."""
        return self._starts[day]

    def _start_of(self, day: int) -> int:
        date = dt.date.fromordinal(day)
        found = self.at(date.year, date.month, date.day)
        while self.day(found) < day:  # midnight was skipped
            found += _QUARTER_HOUR_MS
        return found

    def at(self, year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
        """The instant of a local date and time; of two, the earlier."""
        moment = dt.datetime(year, month, day, hour, minute, tzinfo=self.zone)
        return (moment.astimezone(dt.UTC) - _EPOCH) // dt.timedelta(milliseconds=1)

    def read(self, text: str) -> int:
        """An instant from ISO text; without an offset it is local time, a bare date is 00:00."""
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone)
        return (moment.astimezone(dt.UTC) - _EPOCH) // dt.timedelta(milliseconds=1)

    def minute(self, moment: int) -> int:
        """Minutes since local midnight, as the clock on the wall shows them."""
        local = self.local(moment)
        return local.hour * 60 + local.minute

    def wall(self, moment: int) -> int:
        """What the clock on the wall shows, as minutes: 1,440 for each day before this one."""
        return self.day(moment) * DAY_MINUTES + self.minute(moment)

    def from_wall(self, minutes: int) -> int:
        """The instant at which the clock on the wall shows so many minutes; of two, the earlier."""
        day, minute = divmod(minutes, DAY_MINUTES)
        if not minute:
            return self.start(day)
        date = dt.date.fromordinal(day)
        return self.at(date.year, date.month, date.day, *divmod(minute, 60))
