"""Amounts: whole numbers of a unit's smallest part, exact ratios, named rounding.

Nothing in Kantis adds money or points as a fraction. An amount is an ``int`` in
minor units (cents, tenths of a star); a rate is a ratio of two ints; a division
happens once, at the end, with a rounding that has a name.

>>> EUR = Unit("EUR", 2, money=True)
>>> EUR.read("12.50")
1250
>>> EUR.show(1250)
'12.50 EUR'
>>> divide(7, 2, "down"), divide(7, 2, "half up"), divide(5, 2, "half even")
(3, 4, 2)
>>> share(10, [1, 1, 1])
[4, 3, 3]
"""

from __future__ import annotations

import re

from msgspec import Struct

ROUNDINGS = ("down", "up", "half up", "half even")

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")

#: Currencies whose smallest part is not a hundredth (ISO 4217).
_EXPONENTS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    "CLF": 4,
    "UYW": 4,
}

#: The codes of ISO 4217 that money in a shop can have.
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP
    BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP
    GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS
    KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
    MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
    TZS UAH UGX USD UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()
)


class Unit(Struct, frozen=True):
    """What an amount is counted in.

    ``name`` is the ISO 4217 code of a money or the plural of a balance ("points");
    ``scale`` is the number of decimals that the smallest part stands for.
    """

    name: str
    scale: int = 0
    money: bool = False
    one: str = ""

    def read(self, text: str) -> int:
        """The minor units of a decimal number; ``ValueError`` when it has too many decimals."""
        if not _NUMBER.fullmatch(text):
            raise ValueError(f"{text!r} is not a plain decimal number such as 12.50")
        whole, _, rest = text.partition(".")
        if len(rest) > self.scale:
            raise ValueError(f"{text} has {len(rest)} decimals, {self.name} has {self.scale}")
        return int(whole + rest.ljust(self.scale, "0"))

    def number(self, amount: int) -> str:
        """The amount as a decimal number without its unit."""
        sign, digits = "-" if amount < 0 else "", str(abs(amount)).rjust(self.scale + 1, "0")
        if not self.scale:
            return sign + digits
        return f"{sign}{digits[: -self.scale]}.{digits[-self.scale :]}"

    def show(self, amount: int) -> str:
        """The amount with its unit, as people say it: ``1 stamp``, ``12.50 EUR``."""
        name = self.one if self.one and amount == 10**self.scale else self.name
        return f"{self.number(amount)} {name}"


def money(code: str) -> Unit:
    """The unit of an ISO 4217 currency code.

    >>> money("VND").scale, money("EUR").scale
    (0, 2)
    """
    return Unit(code, _EXPONENTS.get(code, 2), money=True)


class Ratio(Struct, frozen=True, order=True):
    """An exact ratio ``num / den`` with ``den > 0``; ``1.25`` is ``Ratio(5, 4)``."""

    num: int
    den: int = 1


def ratio(text: str) -> Ratio:
    """The exact ratio that a decimal number names.

    >>> ratio("1.25")
    Ratio(num=125, den=100)
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a plain decimal number such as 1.25")
    whole, _, rest = text.partition(".")
    return Ratio(int(whole + rest), 10 ** len(rest))


def divide(num: int, den: int, how: str) -> int:
    """``num / den`` as a whole number, for ``num >= 0`` and ``den > 0``.

    ``down`` and ``up`` go to the next whole number, ``half up`` and ``half even`` to the
    nearest one and differ only on an exact half.
    """
    if how == "down":
        return num // den
    if how == "up":
        return -(-num // den)
    if how == "half up":
        return (2 * num + den) // (2 * den)
    if how == "half even":
        quotient, rest = divmod(num, den)
        return quotient + (2 * rest > den or (2 * rest == den and quotient % 2 == 1))
    raise ValueError(f"no rounding is called {how!r}; there are {', '.join(ROUNDINGS)}")


def share(total: int, weights: list[int]) -> list[int]:
    """``total`` cut in proportion to ``weights`` by largest remainder.

    The parts are whole and add up to ``total``; of equal remainders the earlier one gets
    the unit. With no weight at all the first part takes everything.

    >>> share(25_000, [50_000, 30_000, 20_000])
    [12500, 7500, 5000]
    """
    if not weights:
        return []
    whole = sum(weights)
    if not whole:
        return [total] + [0] * (len(weights) - 1)
    parts = [total * weight // whole for weight in weights]
    rests = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in rests[: total - sum(parts)]:
        parts[i] += 1
    return parts
