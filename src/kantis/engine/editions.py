"""Editions: what each number of the engine decides otherwise than the one before it.

Guarantee: an entry has the number of the engine that decided it, and whoever decides it again
and comes to something else is told which edition has changed that, or that none has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from kantis.core.account import Account
from kantis.engine.merging import merged
from kantis.engine.order import AT_ONCE


class Edition(Struct, frozen=True):
    """A number of the engine, which events of which accounts it decides otherwise, and how."""

    number: int
    reaches: Callable[[str, Account], bool]
    what: str


def _merges(type: str, account: Account) -> bool:
    return type == "merge" or bool(account.merged) or merged(account)


def _joins_or_floods(type: str, account: Account) -> bool:
    return type == "enrol" or len(account.vouchers) > AT_ONCE


#: The first number needs no words.
EDITIONS: Final = (
    Edition(
        2,
        _merges,
        "Since engine 2 a merge brings everything that stands on the other account, and what "
        "undoes something of its past is decided where it lives on.",
    ),
    Edition(
        3,
        _joins_or_floods,
        "Since engine 3 an account remembers that it was welcomed, and is not welcomed twice; and "
        f"where a reward would come by itself more than {AT_ONCE:,} times at once, none does.",
    ),
)


def since(engine: int, type: str, account: Account) -> list[str]:
    """What was changed after a number of the engine that reaches an event of an account, which
    stands as it does after the event.

    >>> since(1, "merge", Account(7))[0][:24]
    'Since engine 2 a merge b'
    >>> since(1, "purchase", Account(7)), since(2, "merge", Account(7))
    ([], [])
    >>> since(2, "enrol", Account(7))[0][:33]
    'Since engine 3 an account remembe'
    """
    return [each.what for each in EDITIONS if each.number > engine and each.reaches(type, account)]
