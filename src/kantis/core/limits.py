"""Limits of giving: caps per purchase, window or for ever, and when points become available.

>>> reader = Reader(money("USD"))
>>> reader.units = {"points": Unit("points"), "point": Unit("points")}
>>> CAPS.read(node("100 points per calendar year"), reader)[0].window.kind
'year'
>>> cap = CAPS.read(node("2500 USD per calendar quarter"), reader)[0]
>>> cap.counts, cap.limit
('spend', 250000)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from kantis.core import calendar, windows
from kantis.core.amounts import Unit, money
from kantis.core.calendar import Calendar
from kantis.core.code import Code
from kantis.core.knobs import Kind, Node, Reader, Wrong, node, suggest
from kantis.core.phrases import Window, duration, list_of, some, text_of, window
from kantis.core.turn import Turn, write_count

__all__ = ["AVAILABLE_WHEN", "CAPS", "Reader", "Unit", "money", "node"]


class Cap(Struct, frozen=True):
    """At most ``limit`` per window, of what it ``counts``: points, spend, items or times.

    Rules that name the same cap share it; it is the ``household``'s, or each ``member``'s own.
    What was used stands in the counter ``cap <name>``.
    """

    name: str
    limit: int
    counts: str
    window: Window
    splits: bool = True
    whose: str = "household"

    @property
    def counter(self) -> str:
        """The name of the counter that holds what was used."""
        return f"cap {self.name}"

    def left(self, turn: Turn) -> int:
        """What the member may still get in the window of the event."""
        if self.whose == "member":
            turn = turn.own()
        used = windows.total(
            self.window,
            turn.account.counters.get(self.counter),
            turn.day,
            turn.account.joined,
        )
        return max(0, self.limit - used)

    def allow(self, turn: Turn, amount: int) -> int:
        """How much of an amount the cap lets through: a part, or all or nothing of it."""
        left = self.left(turn)
        return min(amount, left) if self.splits or amount <= left else 0

    def use(self, turn: Turn, amount: int, waits: bool = False) -> None:
        """Count what was given against the cap; and for its group, while that ``waits``."""
        if amount and self.window.kind != "purchase":
            if self.whose == "member":
                turn = turn.own()
            bucket = windows.bucket(self.window, turn.day, turn.account.joined)
            turn.change("count", self.counter, bucket, amount)
            if waits:
                turn.change("count", used_by(turn.group, self.counter), bucket, amount)


def caps_of(caps: Iterable[Cap | str], shared: Mapping[str, Cap]) -> tuple[Cap, ...]:
    """The caps that an entry says, with those of ``caps`` that it names."""
    return tuple(shared[cap] if isinstance(cap, str) else cap for cap in caps)


def used_by(group: str, counter: str) -> str:
    """Where it is kept what a group that waits has used of a cap."""
    return f"uses {group} {counter}"


def settle_caps(caps: Iterable[Cap], turn: Turn, group: str, confirmed: bool) -> bool:
    """What a group has used of caps stays used, or is free again where it is void.

    Says whether it had used any.
    """
    found, account = False, turn.account
    for counter in dict.fromkeys(cap.counter for cap in caps):
        key = used_by(group, counter)
        for bucket, amount in list(account.counters.get(key, {}).items()):
            found = True
            turn.change("forget", key, bucket)
            free = min(amount, account.counters.get(counter, {}).get(bucket, 0))
            if free and not confirmed:
                turn.change("count", counter, bucket, -free)
    return found


def use_caps(caps: tuple[Cap, ...], turn: Turn, points: int, used: int, waits: bool = False) -> int:
    """The points that the caps leave; what they take up is counted.

    ``used`` is the base, ``waits`` whether the points wait for the group of the event.
    """
    for cap in caps:
        if cap.counts == "points":
            points = cap.allow(turn, points)
    for cap in caps:
        amount = {"points": points, "times": 1 if points else 0}.get(cap.counts, used)
        cap.use(turn, amount, waits)
    return points


def write_caps(code: Code, caps: tuple[Cap, ...], points: str, used: str, waits: bool) -> None:
    """Write what caps leave of the variable ``points``, and count it; one cap on points of a
    calendar window is written out, where they do not wait for a group."""
    if not caps:
        return
    cap = caps[0]
    plain = cap.counts == "points" and cap.whose == "household" and len(caps) == 1 and not waits
    if not plain or windows.of_day(cap.window) is None:
        use, all_ = code.constant(use_caps, "use_caps"), code.constant(caps, "caps")
        code.add(f"{points} = {use}({all_}, turn, {points}, {used}, {waits})")
        return
    code.add(f"left = {cap.limit} - {windows.write_total(code, cap.window, cap.counter)}")
    with code.block(f"if {points} > left:"):
        code.add(f"{points} = {'left if left > 0 else 0' if cap.splits else '0'}")
    with code.block(f"if {points}:"):
        write_use(code, cap, points)


def write_use(code: Code, cap: Cap, points: str) -> None:
    """Write what ``Cap.use`` does."""
    write_count(code, cap.counter, windows.write_bucket(code, cap.window), points)


def give_caps_back(caps: tuple[Cap, ...], turn: Turn, points: int) -> None:
    """Points that were taken back are free again under the caps that they had used."""
    for cap in caps:
        if cap.counts == "points" and cap.window.kind != "purchase":
            own = turn.own() if cap.whose == "member" else turn
            bucket = windows.bucket(cap.window, own.day, own.account.joined)
            used = own.account.counters.get(cap.counter, {}).get(bucket, 0)
            if min(used, points):
                own.change("count", cap.counter, bucket, -min(used, points))


class Often(Struct, frozen=True):
    """How often a member may have something in a window; 0 is no limit.

    >>> OFTEN.read(node("4 per calendar year"), Reader())
    Often(times=4, window=Window(kind='year', count=1))
    """

    times: int = 0
    window: Window = Window("ever")

    def had(self, turn: Turn, counter: str) -> int:
        """How often the member had it in the window of the event."""
        counts = turn.account.counters.get(counter)
        return windows.total(self.window, counts, turn.day, turn.account.joined)

    def bucket(self, turn: Turn) -> int:
        """The bucket of the event."""
        return windows.bucket(self.window, turn.day, turn.account.joined)


_OFTEN = re.compile(r"(\d{1,9})(?: per (.+))?")


def _often(node: Node, reader: Reader) -> Often:
    match = _OFTEN.fullmatch(text_of(node))
    if not match:
        message = f"{text_of(node)!r} is no limit. Write for example 4 or 4 per calendar year."
        raise Wrong("limit-expected", message, node)
    span = window(match[2], node, match.start(2)) if match[2] else Window("ever")
    return Often(int(match[1]), span)


OFTEN = Kind("limit", _often, "digits | 4 per calendar year", ("1", "4 per calendar year"))

_CAP = re.compile(r"(.+?) (?:per (.+)|(ever))")


def read_cap(name: str, node: Node, reader: Reader) -> Cap:
    """The cap that a phrase such as ``100 points per calendar year`` says."""
    text = text_of(node)
    match = _CAP.fullmatch(text)
    if not match:
        message = f"{text!r} is no cap. Write for example '100 points per calendar year'."
        raise Wrong("cap-expected", message, node)
    limit = some(match[1], node, reader)
    span = Window("ever") if match[3] else window(match[2], node, match.start(2))
    if reader.money and limit.unit == reader.money.name:
        counts = "spend"
    elif limit.unit in ("items", "times"):
        counts = limit.unit
    else:
        counts = "points"
    return Cap(name, limit.amount, counts, span)


def _caps(node: Node, reader: Reader) -> tuple[Cap | str, ...]:
    shared = reader.names.get("caps", [])
    found: list[Cap | str] = []
    for each in list_of(node):
        text = text_of(each)
        if text in shared:
            found.append(text)
        elif " " not in text:
            message = f"There is no cap {text!r} under 'caps'. {suggest(text, shared)}"
            raise Wrong("unknown-cap", message, each)
        else:
            owner = reader.path[-2] if len(reader.path) > 1 else "this"
            found.append(read_cap(f"{owner} {len(found) + 1}", each, reader))
    return tuple(found)


CAPS = Kind(
    "caps",
    _caps,
    "500 points per purchase | 2500 USD per calendar quarter | 1 time per calendar week | a name",
    ("500 points per purchase", "100 points per calendar year"),
)


class Available(Struct, frozen=True):
    """When points can be spent: at once, after so long, on a day of the next month, or when
    their group is confirmed."""

    after_ms: int = 0
    after_days: int = 0
    day_of_next_month: int = 0
    group: bool = False

    def opens(self, turn: Turn, day: int = 0) -> int:
        """The instant from which the points are available; 0 at once or when confirmed.

        ``day`` is that of earning where it is another than the turn's.
        """
        if self.after_ms:
            return turn.moment + self.after_ms
        return self.opens_on(turn.calendar, day or turn.day)

    def opens_on(self, days: Calendar, day: int) -> int:
        """The same where it depends on nothing but the day of earning."""
        if self.after_days:
            return days.start(day + self.after_days)
        if self.day_of_next_month:
            first = calendar.window_end("month", day)
            last = calendar.window_end("month", first) - 1
            return days.start(min(first + self.day_of_next_month - 1, last))
        return 0


_ORDINAL = re.compile(r"on the (\d+)(?:st|nd|rd|th) of the next month")
_LOOKS = "at once | after 3 days | after 24 hours | on the 10th of the next month | when confirmed"


def _available(node: Node, reader: Reader) -> Available:
    text = text_of(node)
    if text == "at once":
        return Available()
    if text == "when confirmed":
        return Available(group=True)
    if (match := _ORDINAL.fullmatch(text)) and 1 <= int(match[1]) <= 31:
        return Available(day_of_next_month=int(match[1]))
    if text.startswith("after "):
        length = duration(text[6:], node, 6)
        if length.unit == "day":
            return Available(after_days=length.count)
        if length.unit in ("minute", "hour"):
            minutes = length.count * (60 if length.unit == "hour" else 1)
            return Available(after_ms=minutes * calendar.MINUTE_MS)
    raise Wrong("unknown-availability", f"{text!r} is no such time. Write one of: {_LOOKS}.", node)


AVAILABLE_WHEN = Kind("availability", _available, _LOOKS, ("at once", "after 3 days"))
