"""Phrases: quantities, rates and times as people say them, read to exact values.

A phrase is a typed value with a small grammar, not an expression: no arithmetic, no
variables. What cannot be read says which word is wrong and what could stand there.

>>> reader = Reader(money("EUR"))
>>> reader.units = {"points": Unit("points"), "point": Unit("points")}
>>> QUANTITY.read(node("12.50 EUR"), reader)
Quantity(amount=1250, unit='EUR')
>>> DURATION.read(node("18 months"), reader)
Duration(count=18, unit='month')
>>> WINDOW.read(node("rolling 12 months"), reader)
Window(kind='rolling month', count=12)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from zoneinfo import available_timezones

from msgspec import Struct

from kantis.core import calendar, slips
from kantis.core.amounts import CURRENCIES, ROUNDINGS, Ratio, Unit, money, ratio
from kantis.core.knobs import Kind, Node, Reader, Wrong, node, suggest

__all__ = ["Quantity", "Reader", "Unit", "money", "node"]

NUMBER = r"[0-9]{1,15}(?:\.[0-9]+)?"
_AS_IN = "Write a number and its unit, as in 12.50 EUR"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January February March April May June July August September October November December".split()
)


class Quantity(Struct, frozen=True):
    """An amount in minor units of a unit: money, a balance, items, a measure or ``times``."""

    amount: int
    unit: str


class Duration(Struct, frozen=True):
    """So many minutes, hours, days, weeks, months or years."""

    count: int
    unit: str


class Window(Struct, frozen=True):
    """What a counter counts over.

    ``kind`` is a calendar window, ``rolling day``, ``rolling month``, ``anniversary``,
    ``purchase`` or ``ever``; ``count`` is the length of a rolling one.
    """

    kind: str
    count: int = 1


class Span(Struct, frozen=True):
    """Days from ``first`` to ``last``, both inside; 0 is open."""

    first: int = 0
    last: int = 0


def on(spans: Iterable[Span], day: int) -> bool:
    """Whether a day is inside of one of some spans; every day is, where there are none.

    >>> on([Span(5, 7), Span(10)], 8), on([Span(5, 7), Span(10)], 12), on([], 8)
    (False, True, True)
    """
    every = list(spans)
    return not every or any(x.first <= day and (not x.last or day <= x.last) for x in every)


def text_of(node: Node) -> str:
    """The text of a node; ``Wrong`` for a list or a mapping."""
    if not isinstance(node.value, str):
        raise Wrong("text-expected", "Here stands one value, not a list or a mapping.", node)
    return node.value


def list_of(node: Node) -> list[Node]:
    """The items of a list; a single value is a list of one."""
    if isinstance(node.value, list):
        return node.value
    return [node]


def one_of(node: Node, words: tuple[str, ...] | list[str]) -> str:
    """The text, which is one of the words."""
    word = text_of(node)
    if word not in words:
        raise Wrong("unknown-word", f"{word!r} cannot stand here. {suggest(word, words)}", node)
    return word


def _word(name: str, words: tuple[str, ...]) -> Kind:
    def read(node: Node, reader: Reader) -> str:
        return one_of(node, words)

    return Kind(name, read, " | ".join(words), words[:2], {"enum": list(words)})


def word(*words: str) -> Kind:
    """A kind that is one of these words."""
    return _word("word", words)


def _text(node: Node, reader: Reader) -> str:
    return text_of(node)


def _texts(node: Node, reader: Reader) -> tuple[str, ...]:
    return tuple(text_of(each) for each in list_of(node))


def _title(node: Node, reader: Reader) -> dict[str, str]:
    if isinstance(node.value, dict):
        return {language: text_of(child) for language, child in node.value.items()}
    return {"en": text_of(node)}


def _titles(node: Node, reader: Reader) -> dict[str, dict[str, str]]:
    if not isinstance(node.value, dict):
        message = "Write names with their titles, for example {gold: {en: Gold, fi: Kulta}}."
        raise Wrong("titles-expected", message, node)
    return {name: _title(child, reader) for name, child in node.value.items()}


def _yes(node: Node, reader: Reader) -> bool:
    return one_of(node, ("yes", "no")) == "yes"


def _whole(node: Node, reader: Reader) -> int:
    text = text_of(node)
    if not re.fullmatch("[0-9]{1,15}", text):
        raise Wrong("whole-number-expected", f"{text!r} is not a whole number such as 3.", node)
    return int(text)


def quantity(text: str, node: Node, reader: Reader, offset: int = 0) -> Quantity:
    """The quantity that a text such as ``12.50 EUR`` or ``50 points`` says."""
    match = re.fullmatch(rf"({NUMBER}) (.+)", text)
    if not match:
        units, own = list(reader.units), reader.money.name if reader.money else ""
        hint = slips.number(text, own) or slips.bare(text, units, own)
        message = f"{text!r} is not a quantity. {hint or _AS_IN}."
        raise Wrong("quantity-expected", message, node, offset)
    number, word = match.groups()
    at = offset + match.start(2)
    unit = reader.unit(word)
    if unit is None and word in ("item", "items", "time", "times"):
        unit = Unit(word.rstrip("s") + "s")
    if unit is None and word.rstrip("s") in {each.rstrip("s") for each in reader.measures}:
        unit = Unit(next(m for m in reader.measures if m.rstrip("s") == word.rstrip("s")), 3)
    if unit is None:
        own = reader.money.name if reader.money else ""
        known = [*([own] if own else []), *reader.units, *reader.measures]
        hint = slips.number(text, own)
        hint = f"{hint}." if hint else suggest(word, known)
        raise Wrong("unknown-unit", f"{word!r} is no unit here. {hint}", node, at)
    try:
        return Quantity(unit.read(number), unit.name)
    except ValueError as error:
        hint = slips.number(text, reader.money.name if reader.money else "")
        message = f"{error}. {hint or 'Write no more than that'}."
        raise Wrong("too-many-decimals", message, node, offset) from error


def some(text: str, node: Node, reader: Reader, offset: int = 0) -> Quantity:
    """A quantity above zero."""
    found = quantity(text, node, reader, offset)
    if not found.amount:
        raise Wrong("nothing", f"{text!r} is nothing. Write more than that.", node, offset)
    return found


def _some(node: Node, reader: Reader) -> Quantity:
    return some(text_of(node), node, reader)


def _coins(node: Node, reader: Reader) -> Quantity:
    found = quantity(text_of(node), node, reader)
    if reader.money is None or found.unit != reader.money.name:
        raise Wrong("money-expected", f"{text_of(node)!r} is not an amount of money.", node)
    return found


def _quantity(node: Node, reader: Reader) -> Quantity:
    return quantity(text_of(node), node, reader)


#: How long a length of time can be: a hundred years of each unit.
_UNITS = {
    "minute": 52_560_000,
    "hour": 876_000,
    "day": 36_500,
    "week": 5_200,
    "month": 1_200,
    "year": 100,
}


def duration(text: str, node: Node, offset: int = 0) -> Duration:
    """The duration that a text such as ``18 months`` says."""
    match = re.fullmatch(r"([0-9]+) ([a-z]+?)s?", text)
    if not match or match[2] not in _UNITS:
        message = f"{text!r} is not a length of time. Write for example 30 days or 18 months."
        raise Wrong("duration-expected", message, node, offset)
    if len(match[1]) > 9 or int(match[1]) > _UNITS[match[2]]:
        message = f"{text!r} is longer than 100 years. Write a shorter time."
        raise Wrong("too-long", message, node, offset)
    return Duration(int(match[1]), match[2])


def lasting(text: str, node: Node, offset: int = 0) -> Duration:
    """A duration that is longer than no time at all."""
    found = duration(text, node, offset)
    if not found.count:
        message = f"{text!r} is over before it begins. Write at least 1 {found.unit}."
        raise Wrong("nothing", message, node, offset)
    return found


def _duration(node: Node, reader: Reader) -> Duration:
    return duration(text_of(node), node)


_CALENDAR = {f"calendar {kind}": kind for kind in calendar.WINDOWS} | {"half-year": "half-year"}


def window(text: str, node: Node, offset: int = 0) -> Window:
    """The window that a text such as ``calendar year`` or ``rolling 12 months`` says."""
    if text in _CALENDAR:
        return Window(_CALENDAR[text])
    if text in ("purchase", "ever"):
        return Window(text)
    if text == "membership year":
        return Window("anniversary")
    match = re.fullmatch(r"rolling ([0-9]{1,9}) (day|month)s?", text)
    if match:
        if not 1 <= int(match[1]) <= _UNITS[match[2]]:
            message = f"{text!r} is no window. It holds at least one {match[2]}, at most 100 years."
            raise Wrong("unknown-window", message, node, offset)
        return Window(f"rolling {match[2]}", int(match[1]))
    words = [*_CALENDAR, "purchase", "ever", "membership year", "rolling 12 months"]
    raise Wrong("unknown-window", f"{text!r} is no window. {suggest(text, words)}", node, offset)


def _window(node: Node, reader: Reader) -> Window:
    return window(text_of(node), node)


def day(text: str, node: Node, offset: int = 0) -> int:
    """The day of an ISO date in a phrase."""
    try:
        return calendar.day(text)
    except ValueError as error:
        raise Wrong("date-expected", f"{error}.", node, offset) from error


def _day(node: Node, reader: Reader) -> int:
    return day(text_of(node), node)


def span(node: Node) -> Span:
    """The days that ``2024-01-08 to 2024-02-25``, ``from …``, ``before …`` or one date says."""
    text = text_of(node)
    if " to " in text:
        first, last = text.split(" to ", 1)
        found = Span(day(first, node), day(last, node, len(first) + 4))
        if found.last < found.first:
            raise Wrong("dates-reversed", f"{text!r} ends before it begins.", node)
        return found
    if text.startswith("from "):
        return Span(day(text[5:], node, 5), 0)
    if text.startswith("before "):
        return Span(0, day(text[7:], node, 7) - 1)
    only = day(text, node)
    return Span(only, only)


def _rounding(node: Node, reader: Reader) -> str:
    return one_of(node, ROUNDINGS)


def percent(text: str, node: Node, offset: int = 0) -> Ratio:
    """The exact ratio that a text such as ``2.5 %`` says."""
    match = re.fullmatch(rf"({NUMBER}) ?%", text)
    if not match:
        plain = re.fullmatch(NUMBER, text)
        hint = f"Write {slips.percent(text)}" if plain else slips.number(text, "")
        message = f"{text!r} is not a percentage. {hint or 'Write for example 2 % or 2.5 %'}."
        raise Wrong("percentage-expected", message, node, offset)
    if text[match.end(1)] == "%":
        raise Wrong("space-missing", f"Write {match[1]} % with a space.", node, offset)
    part = ratio(match[1])
    return Ratio(part.num, part.den * 100)


def _percent(node: Node, reader: Reader) -> Ratio:
    return percent(text_of(node), node)


def _times(node: Node, reader: Reader) -> Ratio:
    text = text_of(node)
    match = re.fullmatch(rf"({NUMBER}) times", text)
    if not match:
        plain = re.fullmatch(rf"[x×]? ?({NUMBER}) ?[x×]?", text)
        hint = plain[1] if plain else "for example 2"
        message = f"{text!r} is not a factor. Write {hint} times."
        raise Wrong("factor-expected", message, node)
    return ratio(match[1])


def _extra(node: Node, reader: Reader) -> Ratio:
    return _times(node, reader) if text_of(node).endswith("times") else _percent(node, reader)


def _money(node: Node, reader: Reader) -> str:
    text = text_of(node)
    if text not in CURRENCIES:
        near = sorted(code for code in CURRENCIES if code[:2] == text[:2].upper())
        near = [slips.code_of(text)] if slips.code_of(text) in CURRENCIES else near
        hint = f"Did you mean {near[0]!r}?" if len(near) == 1 else "Write for example EUR."
        message = f"{text!r} is no currency code of ISO 4217. {hint}"
        raise Wrong("unknown-currency", message, node)
    return text


def _zone(node: Node, reader: Reader) -> str:
    text = text_of(node)
    try:
        calendar.zone(text)
    except ValueError as error:
        hint = suggest(text, available_timezones())
        if len(hint) > 60:
            hint = "Write a place of the IANA list, for example Europe/Helsinki."
        raise Wrong(
            "unknown-time-zone", f"No time zone is called {text!r}. {hint}", node
        ) from error
    return text


def _name(node: Node, reader: Reader) -> str:
    text = text_of(node)
    if not re.fullmatch("[a-z0-9][a-z0-9-]*", text):
        message = f"{text!r} is no name. Use small letters, digits and hyphens: corner-cafe."
        raise Wrong("name-expected", message, node)
    return text


_TEXT_SCHEMA: dict[str, Any] = {"type": "string"}


def _pattern(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{pattern}$"}


WHOSE = word("household", "member")
TEXT = Kind("text", _text, "words", ("Corner Café",), _TEXT_SCHEMA)
TEXTS = Kind("texts", _texts, "a word or a list of words", ("[fuel, tobacco]",))
TITLE = Kind("title", _title, "a text, or one per language", ("{en: Club, fi: Kerho}",))
TITLES = Kind("titles", _titles, "a title for each", ("{gold: {en: Gold, fi: Kulta}}",))
YES = Kind("yes or no", _yes, "yes | no", ("yes",), {"enum": ["yes", "no"]})
WHOLE = Kind("whole number", _whole, "digits", ("3",), _pattern("[0-9]+"))
QUANTITY = Kind("quantity", _quantity, "number unit", ("12.50 EUR", "50 points"))
COINS = Kind("amount of money", _coins, "number currency", ("1.10 EUR", "12.50 EUR"))
SOME = Kind("quantity above zero", _some, "number unit", ("50 points",))
DURATION = Kind("length of time", _duration, "number unit", ("30 days", "18 months"))
WINDOW = Kind("window", _window, "calendar year | rolling 12 months | ever", ("calendar year",))
DAY = Kind("date", _day, "year-month-day", ("2024-03-31",), _pattern(r"\d{4}-\d{2}-\d{2}"))
ROUNDING = Kind("rounding", _rounding, " | ".join(ROUNDINGS), ("down",), {"enum": [*ROUNDINGS]})
PERCENT = Kind("percentage", _percent, "number %", ("2.5 %",), _pattern(NUMBER + " %"))
TIMES = Kind("factor", _times, "number times", ("2 times",), _pattern(NUMBER + " times"))
EXTRA = Kind("extra", _extra, "number % | number times", ("25 %", "1 times"))
MONEY = Kind("currency code", _money, "ISO 4217", ("EUR",), _pattern("[A-Z]{3}"))
ZONE = Kind("time zone", _zone, "IANA place", ("Europe/Helsinki",), _TEXT_SCHEMA)
NAME = Kind("name", _name, "small letters, digits, hyphens", ("corner-cafe",))


def how_often(count: int) -> str:
    """How often something was, in words.

    >>> how_often(1), how_often(3)
    ('once', '3 times')
    """
    return "once" if count == 1 else f"{count} times"
