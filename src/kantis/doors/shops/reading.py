"""Reading: the JSON of shops, whose money is text and whose times have many forms.

>>> minor("12.5", 2), minor("-0.005", 2), minor("1200", 0)
(1250, -1, 1200)
>>> moment("2024-03-01T12:00:00Z") == moment("2024-03-01T14:00:00+02:00")
True
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

import msgspec
from msgspec import Struct

from kantis.core.amounts import CURRENCIES, divide, money
from kantis.core.calendar import instant

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: JSON whose numbers with a fraction stay text: nothing near a balance is a float.
_decode: Final = msgspec.json.Decoder(float_hook=str).decode
_EXACT_DIGITS: Final = 20


class Unreadable(Exception):
    """What a shop sent is not what its documentation says; what is wrong."""


class Mapping(Struct, frozen=True):
    """How a connection reads its shop: where the card is, what counts, and in which money."""

    name: str
    settings: dict[str, str]

    def get(self, name: str, usual: str = "") -> str:
        """A setting."""
        return self.settings.get(name, usual)

    def words(self, name: str, usual: str) -> frozenset[str]:
        """A setting that is several words."""
        return frozenset(self.get(name, usual).replace(",", " ").split())

    @property
    def currency(self) -> str:
        """The money that the program counts in."""
        return self.get("currency")

    def minor(self, said: Any) -> int:
        """An amount of that money in its smallest coin."""
        return minor(said, money(self.currency).scale)

    def subject(self, customer: Any, extra: dict[str, str]) -> str:
        """Whose order it is: the customer's number, or a field that has the card.

        A customer's number stands behind the name of the connection, so that it is never taken
        for the number of a card.
        """
        kind, _, name = self.get("card", "customer").partition(":")
        if kind == "customer":
            said, usual = str(customer or ""), f"{self.name}-"
            said = "" if said == "0" else said
        else:
            said, usual = extra.get(name, "").strip(), ""
        return f"card:{self.get('prefix', usual)}{said}" if said else ""


def reads(
    read: Callable[Concatenate[Mapping, _P], _T],
) -> Callable[Concatenate[Mapping, _P], _T]:
    """A function that reads what somebody else wrote: whatever is missing is ``Unreadable``."""

    @wraps(read)
    def careful(mapping: Mapping, *about: _P.args, **named: _P.kwargs) -> _T:
        try:
            return read(mapping, *about, **named)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise Unreadable(f"{type(error).__name__}: {error}") from error

    return cast("Callable[Concatenate[Mapping, _P], _T]", careful)


def decoded(body: bytes) -> Any:
    """JSON; ``Unreadable`` when it is none."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Unreadable(f"{error}.") from error


def minor(said: Any, scale: int) -> int:
    """The smallest coins of a decimal number; what is finer is rounded half up, away from 0."""
    text = str(said if said not in (None, "") else "0").strip()
    negative, text = text.startswith("-"), text.lstrip("+-")
    whole, _, rest = text.partition(".")
    if not (whole + rest).isascii() or not (whole + rest).isdecimal() or len(text) > _EXACT_DIGITS:
        raise ValueError(f"{said!r} is no amount")
    digits = int(whole + rest or "0") * 10**scale
    amount = divide(digits, 10 ** len(rest), "half up")
    return -amount if negative else amount


def moment(said: Any) -> int:
    """Milliseconds since 1970 of an RFC 3339 time."""
    return instant(str(said).replace("+0000", "+00:00"))


def moment_utc(said: Any) -> int:
    """The same of a time in UTC that does not say so."""
    text = str(said)
    return moment(text if text.endswith("Z") else f"{text}Z")


def known_money(code: str) -> str:
    """A currency's code in capital letters; ``ValueError`` when there is none of that name."""
    if code.upper() not in CURRENCIES:
        raise ValueError(f"{code!r} is no currency")
    return code.upper()


def now_ms() -> int:
    """The clock of this machine."""
    return int(dt.datetime.now(dt.UTC).timestamp() * 1000)
