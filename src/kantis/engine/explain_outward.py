"""Explain outward: what an entry did to partners, charities and the member's share, in words."""

from __future__ import annotations

from typing import Any

from kantis.core.amounts import Unit
from kantis.core.money import FINE, fine_unit
from kantis.engine.plan import Plan
from kantis.features.payouts import REASON as PAYOUTS
from kantis.features.payouts import SHARE

__all__ = ["PAYOUTS", "outside"]

_SAID = {
    "issued": "{partner} pays {money} for {points}.",
    "reversed": "{partner} pays {money} less: {points} taken back.",
    "redeemed": "{partner} is paid {money} for {points} spent there.",
    "returned": "{partner} is paid {money} less: {points} came back.",
    "matched": "{partner} pays {money}.",
    "taken": "{points} became {units} {there} at {partner}.",
    "sent": "{units} {there} of {partner} became {points}.",
}


def outside(plan: Plan, fact: tuple[Any, ...]) -> str:
    """The sentence of a fact about somebody outside: a partner, a charity, a share."""
    name, balance, kind, points, _, amount = fact
    shown = _points(plan, balance, abs(points))
    if name not in plan.partners:
        return _paid(plan, fact, shown)
    if not points and not amount:
        return ""
    section = plan.partners[name]
    lots = section.takes if kind == "taken" else section.sends
    there = lots.there if lots is not None else "units"
    money = _money(plan, abs(amount))
    return _SAID[kind].format(
        partner=section.title.get("en", name), money=money, points=shown, units=amount, there=there
    )


def _points(plan: Plan, balance: str, points: int) -> str:
    known = plan.balances.get(balance)
    unit = known.unit if known is not None else Unit(balance or "points")
    return unit.show(points)


def _money(plan: Plan, fine: int) -> str:
    """As coins where that is exact, and to the last decimal where it is not."""
    coins, rest = divmod(fine, 10**FINE)
    if not rest:
        return plan.money.show(coins)
    number, _, name = fine_unit(plan.money).show(fine).partition(" ")
    return f"{number.rstrip('0')} {name}"


def _paid(plan: Plan, fact: tuple[Any, ...], shown: str) -> str:
    """What became of points that left the program."""
    _, _, where, _, _, fine = fact
    money = _money(plan, abs(fine))
    if where == SHARE:
        return f"{shown} paid {money} into your share."
    if where and not fact[3]:
        return f"{money} more goes to {where}." if fine >= 0 else f"{money} less goes to {where}."
    if where:
        how = f"gave {money} to" if fine >= 0 else f"took {money} back from"
        return f"{shown} {how} {where}."
    return f"{shown} became {money} for you."
