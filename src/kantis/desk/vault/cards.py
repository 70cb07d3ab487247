"""Cards: numbers that nobody can guess, and that a mistyped digit does not leave valid.

A number has 16 digits: 9, which no payment card begins with; two digits of the program; twelve
that are secret; and a check digit.

>>> luhn("7992739871")
3
>>> valid("79927398713"), valid("79927398731")
(True, False)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_START: Final = "9"
_SECRET_DIGITS: Final = 12
#: Letters of a card that somebody brings.
CARD_MAX: Final = 64


def luhn(digits: str) -> int:
    """The check digit that belongs behind digits."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10


def valid(number: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    return number.isascii() and number.isdecimal() and luhn(number[:-1]) == int(number[-1])


def number(program: int, secret: bytes) -> str:
    """The card number of a program that secret bytes stand for."""
    digits = int.from_bytes(secret, "big") % 10**_SECRET_DIGITS
    body = f"{_START}{program % 100:02}{digits:0{_SECRET_DIGITS}}"
    return f"{body}{luhn(body)}"


def free(program: int, secret: Callable[[int], bytes], known: Callable[[str], bool]) -> str:
    """The first number of a row of secrets that is not known."""
    tries = (number(program, secret(n)) for n in range(1_000))
    return next(card for card in tries if not known(card))


def acceptable(card: str) -> bool:
    """Whether a card that somebody brings can be one."""
    return 0 < len(card) <= CARD_MAX and card.isprintable() and card == card.strip()
