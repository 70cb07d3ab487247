"""Phrasebook: what a program file says, in the language of whoever reads it.

The values of a program file are English phrases of a small grammar. Each shape of them has
a line here, with places for numbers, amounts and dates; its translation has the same places.
What is free text (what a reward is good for) stays as the merchant wrote it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Final

from babel.dates import get_day_names, get_month_names

from kantis.core import calendar
from kantis.core.amounts import CURRENCIES, Unit, money
from kantis.core.phrases import MONTHS, WEEKDAYS
from kantis.doors.web.languages import Language

#: The shapes, the more special ones first. Places: q an amount with its unit, d a duration,
#: p a percentage, n a number, o an ordinal, w a window, m a month, y a date, x another phrase.
SHAPES: Final = (
    # how much
    "{q} per item",
    "{q} per purchase",
    "{q} per visit",
    "{q} per activity",
    "{q} per {w}",
    "{q} per {q2}",
    "{q} per {d}",
    "{q} per {u}",
    "{q} for {q2} at once",
    "{q} ever",
    "{p} in {u}",
    "the partner's rate",
    "at least {q}",
    "at most {n}",
    "up to {q} off",
    "{q} off",
    "{p} off",
    "down to {q} an item",
    "every {o} item",
    "until {q}",
    "chosen maximum",
    "chosen {u}",
    "by hand",
    "from {q}",
    "over {q}",
    # when, and how long
    "after {d}",
    "at once",
    "when confirmed",
    "on the {o} of the next month",
    "never",
    "{d} after earning",
    "{d} after the month of earning",
    "all after {d} without earning",
    "all after {d} without redeeming",
    "all after {d} without earning or redeeming",
    "all after {d} without activity",
    "all at the end of the {o} month after the last earning",
    "all at the end of the {o} month after the last redeeming",
    "all at the end of the {o} month after the last earning or redeeming",
    "all at the end of the {o} month after the last activity",
    "at the end of the year of earning",
    "at the end of the next year",
    "at the end of the second next year",
    "on the first {n} {m} on or after {d}",
    "{d}, to the end of the month",
    "{d} of grace",
    "to the end of the calendar year",
    "to the end of the calendar half-year",
    "to the end of the calendar quarter",
    "to the end of the calendar month",
    "to the end of the next calendar year",
    "to the end of the next calendar half-year",
    "to the end of the next calendar quarter",
    "to the end of the next calendar month",
    "to the end of the second next calendar year",
    "to the end of {m} after the calendar year",
    "to the end of {m} after the next calendar year",
    "for ever",
    "within {d} of joining",
    "birthday day",
    "birthday week",
    "birthday month",
    "{y} to {y2}",
    "from {y}",
    "before {y}",
    "to {y}",
    "{o} of every month",
    "{o} of {m}",
    "{d} before the end of the membership year",
    "in the year before",
    # whose
    "{n} or more",
    "{n} or less",
    "any but {x}",
    "{x} or higher",
    "{x} or lower",
    # how
    "declared later",
    "carries",
    "dies",
    "by itself",
    "by paying",
    "on joining",
    "on the birthday",
    "all or nothing",
    "any part",
    "yes",
    "no",
    "prorated",
    "at renewal",
    "stops at once",
    "full if no benefit was used",
    "full within {d}",
    "split equally",
    "is no change",
    "at review",
    "to what was earned",
    "by one level",
    "as much again",
    "the window",
    "owed",
    "forgiven",
    "pending only",
    "nothing",
    "own points",
    "contributions less redemptions",
    "by contributions so far",
    "in order",
    "in proportion",
    "any member",
    "the lead",
    "whom the lead permits",
    "half up",
    "down",
    "up",
    "half even",
    "{x} down to {q}, {x2} down",
    "{x} down, at least {q}",
    "{x} down to {q}",
    "{x} down to {d}",
    "{x} half up",
    "{x} half even",
    "{x} per {w}",
    "{n} in a row",
    "from the start",
    "spend",
    "items",
    "quantity",
    "purchases",
    "points",
    "stamps",
    "stars",
    "miles",
    "credits",
    "cash",
    "measure",
    "largest measure",
    "years",
    "purchase",
    "visit",
    "birthday",
    "enrol",
    "referral",
    "average per month",
    "at the end",
    "adds",
    "compounds",
    "member",
    "household",
    "oldest earning",
    "soonest expiry",
    "split the purchase",
    "installed",
    "signed-in",
    "{w}",
    "{d}",
    "{q}",
    "{p}",
    "{y}",
    "{n}",
)
#: Windows, each as a phrase of its own.
WINDOWS: Final = (
    *(f"calendar {kind}" for kind in calendar.WINDOWS),
    "half-year",
    "membership year",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "ever",
    "purchase",
)
_ROLLING: Final = re.compile(r"rolling (\d+ (?:day|month)s?)")
#: How long something is, and what programs often count in: one of it, and several.
COUNTED: Final = {
    f"{word}s": (f"{{n}} {word}", f"{{n}} {word}s")
    for word in "minute hour day week month year time point stamp star mile credit "
    "coupon item night litre gallon purchase visit".split()
}
#: A window of so many days or months that moves along.
ROLLING: Final = "the last {d}"

_NUMBER: Final = r"\d+(?:\.\d+)?"
_DURATIONS: Final = ("minute", "hour", "day", "week", "month", "year")
_PLACES: Final = {
    "q": rf"{_NUMBER} (?!(?:{'|'.join(_DURATIONS)})s?\b)[^\s,%]+",
    "d": rf"\d+ (?:{'|'.join(_DURATIONS)})s?",
    "p": rf"{_NUMBER} ?%",
    "n": r"\d+",
    "o": r"\d+(?:st|nd|rd|th)",
    "w": rf"(?:{'|'.join(WINDOWS)}|{_ROLLING.pattern.replace('(', '(?:', 1)})",
    "m": rf"(?:{'|'.join(MONTHS)})",
    "y": r"\d{4}-\d\d-\d\d",
    "u": r"\S+",
    "x": r".+",
}
_PLACE: Final = re.compile(r"\{(\w)\d?\}")


@cache
def _shapes() -> list[tuple[re.Pattern[str], str]]:
    found = []
    for shape in SHAPES:
        pattern, at = "", 0
        for match in _PLACE.finditer(shape):
            name = match[0].strip("{}")
            pattern += re.escape(shape[at : match.start()]) + f"(?P<{name}>{_PLACES[match[1]]})"
            at = match.end()
        found.append((re.compile(pattern + re.escape(shape[at:])), shape))
    return found


class Speaker:
    """Says phrases of one program in one language.

    ``units`` are its units by name; ``name`` says in words what is no phrase.
    """

    def __init__(
        self, language: Language, units: dict[str, tuple[Unit, str]], name: Callable[[str], str]
    ) -> None:
        self.language, self._units, self._name = language, units, name
        self._say: dict[str, Callable[[str], str]] = {
            "q": self._quantity,
            "d": self._duration,
            "p": self._percent,
            "n": lambda text: self.language.number(int(text)),
            "o": self._ordinal,
            "w": self._window,
            "m": self._month,
            "y": lambda text: self.language.day(calendar.day(text), "medium"),
            "u": self._unit,
            "x": self.phrase,
        }

    def amount(self, number: str, name: str) -> str:
        """A decimal number with its unit; that of a counter of money is the money's."""
        if name in CURRENCIES:
            return self._quantity(f"{number} {name}")
        return self.counted(Decimal(number), name)

    def number(self, number: str) -> str:
        """A decimal number with as many decimals as it has."""
        value = Decimal(number)
        return self.language.number(value, max(0, -int(value.as_tuple().exponent)))

    def day(self, text: str, form: str = "long") -> str:
        """A day as the books write it; nothing where there is none."""
        return "" if text in ("", "never") else self.language.day(calendar.day(text), form)

    def moment(self, text: str) -> str:
        """A day and a time of day as the books write them."""
        return self.language.minute(dt.datetime.fromisoformat(text))

    def name(self, name: str) -> str:
        """The name of a balance, in words."""
        title = self._unit(name)
        words = self.language.gettext(title).replace("-", " ")
        return words[:1].upper() + words[1:]

    def phrase(self, text: str) -> str:
        """A phrase in the language; one of no shape that is known is a name, or free text."""
        for pattern, shape in _shapes():
            match = pattern.fullmatch(text)
            if match:
                values = {
                    name: self._say[name[0]](value) for name, value in match.groupdict().items()
                }
                return self.language.gettext(shape).format(**values)
        if text in WEEKDAYS:
            names = get_day_names("wide", "stand-alone", self.language.locale)
            return str(names[WEEKDAYS.index(text)])
        return self._name(text)

    def _quantity(self, text: str) -> str:
        number, _, name = text.partition(" ")
        if name in CURRENCIES:
            unit = money(name)
            amount = int(Decimal(number).scaleb(unit.scale))
            if Decimal(amount).scaleb(-unit.scale) == Decimal(number):
                return self.language.money(amount, unit)
        return self.counted(Decimal(number), name)

    def counted(self, number: Decimal, name: str) -> str:
        """So much of a unit of this program, or of what is counted everywhere."""
        title = self._unit(name)
        forms = COUNTED.get(name if name.endswith("s") else f"{name}s")
        if title == name and forms is not None:
            whole = number == int(number)
            text = self.language.ngettext(*forms, int(number) if whole else 2)
            return text.format(n=self.language.number(number))
        return f"{self.language.number(number)} {title}"

    def _unit(self, name: str) -> str:
        known = self._units.get(name)
        return known[1] if known and known[1] else name

    def _duration(self, text: str) -> str:
        number, _, name = text.partition(" ")
        return self.counted(Decimal(number), name)

    def _percent(self, text: str) -> str:
        return self.language.percent(Decimal(text.rstrip(" %")) / 100, exact=True)

    def _ordinal(self, text: str) -> str:
        if self.language.tag == "en":
            return text
        number = text[:-2]
        return number if self.language.tag == "vi" else f"{number}."

    def _window(self, text: str) -> str:
        rolling = _ROLLING.fullmatch(text)
        if rolling:
            return self.language.gettext(ROLLING).format(d=self._duration(rolling[1]))
        return self.language.gettext(text)

    def _month(self, text: str) -> str:
        names = get_month_names("wide", "format", self.language.locale)
        return str(names[MONTHS.index(text) + 1])
