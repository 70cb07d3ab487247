"""Slips: what people write by habit, and what they have to write instead.

A date in the order of their country, a comma for the decimal point, a sign for a currency:
each has a sentence that says how it is written here.

>>> date("24.12.2026"), date("12/24/2026"), date("24 December 2026")
('Write 2026-12-24', 'Write 2026-12-24', 'Write 2026-12-24')
>>> date("03/04/2026")
'Write 2026-04-03 if the day stands first, 2026-03-04 if the month does'
>>> number("12,50 EUR", "EUR"), number("€5", "EUR"), number("EUR 5", "EUR"), number("5 eur", "EUR")
('Write 12.50 EUR', 'Write 5 EUR', 'Write 5 EUR', 'Write 5 EUR')
"""

from __future__ import annotations

import datetime as dt
import re

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_LOCAL = re.compile(
    r"(\d{1,2})\s?[./\u2010-\u2015-]\s?(\d{1,2})\s?[./\u2010-\u2015-]\s?(\d{4}|\d\d)"
)
_YEAR_FIRST = re.compile(
    r"(\d{4})\s?[./\u2010-\u2015-]\s?(\d{1,2})\s?[./\u2010-\u2015-]\s?(\d{1,2})"
)
_DAY_MONTH = re.compile(r"(\d{1,2})\.?(?:st|nd|rd|th)? (?:of )?([A-Za-z]{3,9}),? (\d{4})")
_MONTH_DAY = re.compile(r"([A-Za-z]{3,9}) (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")

#: What stands between a number and its unit that looks like a space, and is none here.
SPACES = "\u00a0\u2007\u2009\u202f"
QUOTES = "\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₫": "VND", "₱": "PHP", "₹": "INR"}
_SIGNS |= {"euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD", "pounds": "GBP"}
_COMMA = re.compile(r"\d{1,15},\d{1,2}(?!\d)")
_THOUSANDS = re.compile(r"\d{1,3}(?:[,. ]\d{3})+(?![\d.,])")
_BEHIND = re.compile(r"(\d+(?:\.\d+)?) ?(\D+)")
_BEFORE = re.compile(r"([^\d\s]+) ?(\d+(?:\.\d+)?)")


def date(text: str) -> str:
    """How a date is written here that stands in another order; nothing where none is seen."""
    if match := _YEAR_FIRST.fullmatch(text):
        return _offer((match[1], match[2], match[3]), (match[1], match[3], match[2]))
    if match := _LOCAL.fullmatch(text):
        year = match[3] if len(match[3]) == 4 else f"20{match[3]}"
        return _offer((year, match[2], match[1]), (year, match[1], match[2]))
    named = _DAY_MONTH.fullmatch(text)
    day, month, year = named.groups() if named else ("", "", "")
    if not named and (other := _MONTH_DAY.fullmatch(text)):
        month, day, year = other.groups()
    if month[:3].lower() in _MONTHS:
        return _offer((year, str(_MONTHS.index(month[:3].lower()) + 1), day))
    return ""


def _offer(*readings: tuple[str, str, str]) -> str:
    """The days that a date can mean; the first reading has the day first, the second the month."""
    found = []
    for reading in readings:
        try:
            found.append(dt.date(*map(int, reading)).isoformat())
        except ValueError:
            continue
    if len(set(found)) == 2:
        return f"Write {found[0]} if the day stands first, {found[1]} if the month does"
    return f"Write {found[0]}" if found else ""


def dated_key(key: str) -> str:
    """A key such as ``before 24.12.2026`` as it is written here; nothing where it is no slip."""
    words = re.fullmatch(r"(before |from |)(.+?)(?: (to|until|-|\u2013) (.+))?", key)
    assert words is not None
    start, first, _, last = words.groups()
    found = [date(each).removeprefix("Write ") for each in (first, last) if each]
    if not all(found) or not (start or last):
        return ""
    return f"Write {start}{' to '.join(found)}"


def code_of(word: str) -> str:
    """The currency's code for a sign, a name or small letters.

    >>> code_of("€"), code_of("euros"), code_of("eur")
    ('EUR', 'EUR', 'EUR')
    """
    return _SIGNS.get(word.lower(), word.upper())


def _own(word: str, money: str) -> str:
    """The program's money where a word means it; signs that several countries share do."""
    return money if money and (code_of(word) == money or word in ("$", "¥", "kr")) else ""


def number(text: str, money: str) -> str:
    """How an amount is written here that has a comma, a sign or its unit in front."""
    if _THOUSANDS.match(text) and not (money and text.endswith(money) and "." in text):
        fixed = _THOUSANDS.sub(lambda found: re.sub("[,. ]", "", found[0]), text, count=1)
    elif _COMMA.search(text):
        fixed = text.replace(",", ".", 1)
    else:
        fixed = text
    if (match := _BEFORE.fullmatch(fixed)) and (code := _own(match[1], money)):
        fixed = f"{match[2]} {code}"
    elif (match := _BEHIND.fullmatch(fixed)) and (code := _own(match[2], money)):
        fixed = f"{match[1]} {code}"
    elif (match := _BEHIND.fullmatch(fixed)) and match[2] in ("percent", "per cent", "pct"):
        fixed = f"{match[1]} %"
    return f"Write {fixed}" if fixed != text else ""


def bare(text: str, units: list[str], money: str) -> str:
    """What a number without a unit can mean: a share, or so much of something.

    >>> bare("5", ["points", "point"], "EUR")
    'Write what it is: 5 % for a share, 5 points, or 5 EUR'
    >>> bare("0.05", ["points"], "EUR")
    'Write a share as 5 %'
    """
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text):
        return ""
    whole, _, rest = text.partition(".")
    if rest and not int(whole):
        return f"Write a share as {percent(text)}"
    said = [f"{text} % for a share", *[f"{text} {each}" for each in units[:1] if not rest]]
    said += [f"{text} {money}"] if money else []
    return f"Write what it is: {', '.join(said[:-1])}, or {said[-1]}"


def percent(text: str) -> str:
    """A plain number as the percentage that it stands for: ``0.05`` is ``5 %``, and so is ``5``.

    >>> percent("0.05"), percent("0.125"), percent("5"), percent("1")
    ('5 %', '12.5 %', '5 %', '1 %')
    """
    whole, _, rest = text.partition(".")
    if not rest or int(whole):
        return f"{text} %"
    digits = rest.ljust(2, "0")
    tail = digits[2:].rstrip("0")
    return f"{int(whole + digits[:2])}{'.' + tail if tail else ''} %"
