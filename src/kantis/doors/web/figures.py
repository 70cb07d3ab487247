"""Figures: how an account stands, ready to be written in any language."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from kantis.core import calendar
from kantis.core.amounts import Unit

#: What a member can do with it comes first.
PLACES: Final = ("available", "pending", "held", "voucher", "payout", "owed")


class Amount(Struct, frozen=True):
    """So much of a unit."""

    number: Decimal
    unit: str
    decimals: int


class Balance(Struct, frozen=True):
    """What there is of a balance: what can be used now, and what stands elsewhere."""

    name: str
    available: Amount
    elsewhere: tuple[tuple[str, Amount], ...]


class Lot(Struct, frozen=True):
    """Points that end together; ``until`` is the last day, 0 where none is known."""

    amount: Amount
    earned: int
    until: int


class Standing(Struct, frozen=True):
    """An account as it stands now."""

    account: int
    cards: tuple[str, ...]
    joined: int
    balances: tuple[Balance, ...]
    lots: tuple[Lot, ...]
    tiers: tuple[tuple[str, str, int], ...]
    vouchers: tuple[dict[str, Any], ...]
    plans: tuple[tuple[str, dict[str, Any]], ...]
    entitlements: tuple[tuple[str, dict[str, Any]], ...]
    offers: tuple[str, ...]


def shown(found: dict[str, Any], units: dict[str, Unit]) -> Standing:
    """An account out of the words that ``desk.showing.standing`` has for it."""
    return Standing(
        found["account"],
        tuple(found["cards"]),
        _day(found["joined"]),
        tuple(_balance(name, purse, units[name]) for name, purse in found["balances"].items()),
        tuple(
            Lot(
                _amount(lot["amount"], units[lot["balance"]]),
                _day(lot["earned"]),
                _day(lot["until"]),
            )
            for lot in found["lots"]
        ),
        tuple(
            (group, each["level"], _day(each["until"])) for group, each in found["tiers"].items()
        ),
        tuple({**each, "until": _day(each["until"])} for each in found["vouchers"]),
        tuple((name, {**e, "until": _day(e["until"])}) for name, e in found["plans"].items()),
        tuple(
            (name, {"good_for": e["good for"], "until": _day(e["until"])})
            for name, e in found["entitlements"].items()
        ),
        tuple(found["offers"]),
    )


def _balance(name: str, purse: dict[str, str], unit: Unit) -> Balance:
    amounts = {place: _amount(number, unit) for place, number in purse.items()}
    elsewhere = ((place, amounts[place]) for place in PLACES[1:] if amounts[place].number)
    return Balance(name, amounts["available"], tuple(elsewhere))


def _amount(number: str, unit: Unit) -> Amount:
    return Amount(Decimal(number), unit.name, unit.scale)


def _day(text: str) -> int:
    return 0 if text == "never" else calendar.day(text)
