"""Library: the program files and the templates that come with Kantis."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

import kantis
from kantis.core.amounts import CURRENCIES, money

#: What is about a euro, for currencies whose unit is worth much less; everything else is 1.
_ABOUT: Final = {
    **dict.fromkeys(("CZK", "DKK", "EGP", "INR", "MXN", "NOK", "PHP", "SEK", "THB", "ZAR"), 10),
    **dict.fromkeys(("HUF", "ISK", "JPY", "KES", "NGN", "PKR", "RUB", "RSD"), 100),
    **dict.fromkeys(("CLP", "COP", "KRW"), 1_000),
    **dict.fromkeys(("IDR", "VND", "UZS"), 10_000),
}
#: So long a short name is at most that is made of a title.
NAME_LETTERS_MAX: Final = 40
#: The money in which templates are written.
_WRITTEN: Final = "EUR"


class NoSuchTemplate(Exception):
    """There is no template of that name."""


@cache
def folder() -> Path:
    """Where the program files are: in the package, or in the checkout beside it."""
    package = Path(kantis.__file__).parent
    inside = package / "programs"
    return inside if inside.is_dir() else package.parents[1] / "programs"


def templates() -> dict[str, Path]:
    """The templates, from the simplest to the largest."""
    order = ("stamp-card", "points", "tiers", "cash-back", "paid-membership", "coalition")
    found = {path.stem: path for path in (folder() / "templates").glob("*.yaml")}
    return {name: found[name] for name in sorted(found, key=order.index)}


def about(code: str) -> int:
    """How much of a money is about a euro, as a round number.

    >>> about("EUR"), about("SEK"), about("VND")
    (1, 10, 10000)
    """
    return _ABOUT.get(code, 1)


def template(
    name: str, code: str = _WRITTEN, timezone: str = "", called: str = "", title: str = ""
) -> str:
    """The text of a template in a money, a time zone and with a name of the merchant's own.

    ``called`` is the short name, ``title`` what members read. Amounts are turned into round ones
    of about the same worth: a place to begin from.

    >>> "give: 1 point per 10000 VND" in template("points", "VND")
    True
    >>> 'title: "Café: the bar"' in template("points", title="Café: the bar")
    True
    """
    path = templates().get(name)
    if path is None or code not in CURRENCIES:
        raise NoSuchTemplate(name if path is None else code)
    text = path.read_text(encoding="utf-8")
    written, unit, times = money(_WRITTEN), money(code), about(code)

    def turned(match: re.Match[str]) -> str:
        minor = written.read(match[1]) * times * 10**unit.scale
        name = code if match[2] == _WRITTEN else match[2]
        return f"{unit.number(-(-minor // 10**written.scale))} {name}"

    text = re.sub(rf"(\d+(?:\.\d+)?) ({_WRITTEN}|cash)\b", turned, text)
    text = re.sub(r"\bdecimals: 2\b", f"decimals: {unit.scale}", text)
    text = re.sub(rf"^money: {_WRITTEN}$", f"money: {code}", text, flags=re.M)
    if code != _WRITTEN:
        text = re.sub(r"(\d+) euros?\b", lambda m: f"{int(m[1]) * times} {code}", text)
        text = re.sub(r"\bfull euro\b", f"full {unit.number(times * 10**unit.scale)} {code}", text)
    if timezone:
        text = re.sub(r"^timezone: .*$", f"timezone: {timezone}", text, flags=re.M)
    if title:
        quoted = json.dumps(title, ensure_ascii=False)
        text = re.sub(r"^title: .*$", lambda _: f"title: {quoted}", text, count=1, flags=re.M)
    return re.sub(r"^program: .*$", f"program: {called}", text, flags=re.M) if called else text


def short_name(title: str) -> str:
    """A short name made of what members read; empty where nothing of it can stand in one.

    >>> short_name("Anna's Café & Bar"), short_name("Quán Đông"), short_name("3 Bears")
    ('annas-cafe-bar', 'quan-dong', 'bears')
    >>> short_name("茶")
    ''
    """
    joined = re.sub("['’]", "", title.lower()).replace("đ", "d")
    plain = unicodedata.normalize("NFKD", joined)
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-0123456789")[:NAME_LETTERS_MAX].strip("-")
