"""Languages: the words of pages, and numbers, money and dates as each language writes them.

Words come from the catalogs in ``texts``: the English sentence is the name of each text.
Numbers, money and dates follow the CLDR, through Babel.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from babel import Locale
from babel.dates import (
    format_date,
    format_datetime,
    format_skeleton,
    format_time,
    get_datetime_format,
)
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, format_percent

from kantis.core.amounts import Unit

#: Tag, name in the language itself, and the locale whose forms it takes.
LANGUAGES: Final = {
    "en": ("English", "en_GB"),
    "fi": ("Suomi", "fi_FI"),
    "et": ("Eesti", "et_EE"),
    "vi": ("Tiếng Việt", "vi_VN"),
}
FIRST: Final = "en"
TEXTS: Final = Path(__file__).parent / "texts"


def marked(text: str) -> str:
    """A text as it stands, for tables of texts: where it is called as ``_``, the catalogs find
    the text there, and whoever shows it translates it.

    >>> marked("A long wait")
    'A long wait'
    """
    return text


class Language:
    """One language: its words and its forms."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.name, locale = LANGUAGES[tag]
        self.locale = Locale.parse(locale)
        self._catalog = catalog(tag)

    def gettext(self, message: str) -> str:
        """A text in this language; what has no translation stays English."""
        found = self._catalog.get(message)
        said = found.string if found is not None and not found.fuzzy else ""
        return str(said) if said else message

    def ngettext(self, one: str, many: str, count: int) -> str:
        """A text that goes with a number, in the plural form that the language has for it."""
        found = self._catalog.get((one, many))
        forms = found.string if found is not None and not found.fuzzy else ()
        if not isinstance(forms, tuple) or not forms or not all(forms):
            return one if count == 1 else many
        first = len(forms) > 1 and self.locale.plural_form(count) == "one"
        return forms[0] if first else forms[-1]

    def number(self, value: Decimal | int, decimals: int | None = None) -> str:
        """A number with the marks of the language.

        >>> Language("fi").number(Decimal("1234567.5"))
        '1\\xa0234\\xa0567,5'
        """
        if decimals is None:
            return str(format_decimal(value, locale=self.locale))
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        return str(format_decimal(value, pattern, locale=self.locale))

    def percent(self, share: Decimal, *, exact: bool = False) -> str:
        """A share of one as a percentage, to a tenth, or with all decimals that it has.

        >>> Language("fi").percent(Decimal("0.02251"))
        '2,3\\xa0%'
        >>> Language("et").percent(Decimal("0.0225"), exact=True)
        '2,25%'
        """
        value = share if exact else round(share, 3)
        return str(format_percent(value, locale=self.locale, decimal_quantization=False))

    def money(self, amount: int, unit: Unit) -> str:
        """Minor units of a currency, as money.

        >>> Language("fi").money(123450, Unit("EUR", 2, money=True))
        '1\\xa0234,50\\xa0€'
        >>> Language("vi").money(250000, Unit("VND", 0, money=True))
        '250.000\\xa0₫'
        """
        value = Decimal(amount).scaleb(-unit.scale)
        exact = -int(value.as_tuple().exponent) > 2 and value != round(value, 2)
        return str(
            format_currency(value, unit.name, locale=self.locale, decimal_quantization=not exact)
        )

    def amount(self, amount: int, unit: Unit, title: str = "") -> str:
        """An amount of any unit, with its name."""
        if unit.money:
            return self.money(amount, unit)
        value = Decimal(amount).scaleb(-unit.scale)
        return f"{self.number(value, unit.scale)} {title or unit.name}"

    def day(self, day: int, form: str = "long") -> str:
        """A day of the calendar; nothing for 0, which is no day.

        >>> Language("et").day(739941)
        '21. november 2026'
        """
        if not day:
            return ""
        return str(format_date(dt.date.fromordinal(day), form, locale=self.locale))

    def yearly(self, day: int) -> str:
        """A day of the calendar as it comes each year.

        >>> Language("en").yearly(739941), Language("fi").yearly(739941)
        ('21 November', '21. marraskuuta')
        """
        date = dt.date.fromordinal(day)
        return str(format_skeleton("MMMMd", date, locale=self.locale))

    def month(self, day: dt.date, form: str = "yMMMM") -> str:
        """The month of a day, with its year.

        >>> Language("fi").month(dt.date(2026, 11, 1))
        'marraskuu 2026'
        """
        return str(format_skeleton(form, day, locale=self.locale))

    def minute(self, at: dt.datetime) -> str:
        """A day in words and a time of day without seconds.

        >>> Language("fi").minute(dt.datetime(2026, 11, 21, 9, 5))
        '21. marraskuuta 2026, 9.05'
        """
        form = str(get_datetime_format("long", locale=self.locale))
        form = form.replace("{1} {0}", "{1}, {0}")  # a year and an hour run together
        time = format_time(at.time(), "short", locale=self.locale)
        return form.replace("{0}", str(time)).replace("{1}", self.day(at.toordinal()))

    def moment(self, at: dt.datetime, form: str = "medium") -> str:
        """A day and a time of day; the time zone is that of ``at``."""
        return str(format_datetime(at, form, locale=self.locale))


@cache
def language(tag: str) -> Language:
    """The language of a tag that is in ``LANGUAGES``."""
    return Language(tag)


@cache
def catalog(tag: str) -> Catalog:
    """The texts of a language. English has only those that read better than their names."""
    with (TEXTS / f"{tag}.po").open("rb") as file:
        return read_po(file, locale=LANGUAGES[tag][1])


def choose(asked: str, accepted: str) -> Language:
    """The language that was asked for, or the first of ``Accept-Language`` that there is.

    >>> choose("", "sv, fi-FI;q=0.8, en;q=0.5").tag
    'fi'
    >>> choose("et", "fi").tag
    'et'
    >>> choose("", "sv").tag
    'en'
    """
    if asked in LANGUAGES:
        return language(asked)
    wanted = sorted(_accepted(accepted), key=lambda each: -each[0])
    for _, tag in wanted:
        if tag in LANGUAGES:
            return language(tag)
    return language(FIRST)


def _accepted(header: str) -> list[tuple[float, str]]:
    found = []
    for each in header[:200].split(","):
        tag, _, quality = each.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            weight = 0.0
        found.append((weight, tag.partition("-")[0].lower()))
    return found


def said(texts: dict[str, str], tag: str, otherwise: str) -> str:
    """What a program says in a language, or in English, or in whatever language there is."""
    return texts.get(tag) or texts.get(FIRST) or next(iter(texts.values()), "") or otherwise
