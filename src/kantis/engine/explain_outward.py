"""Explain outward: what an entry did to partners, charities and the member's share, in words."""

from __future__ import annotations

from typing import Any

from kantis.core.amounts import Unit
from kantis.core.money import FINE, fine_unit
from kantis.core.sentences import Amount, Name, Sentence, Template, Value
from kantis.engine.plan import Plan
from kantis.features.payouts import REASON as PAYOUTS
from kantis.features.payouts import SHARE

__all__ = ["PAYOUTS", "outside"]

_SAID = {
    "issued": Template("{partner} pays {money} for {points}."),
    "reversed": Template("{partner} pays {money} less: {points} taken back."),
    "redeemed": Template("{partner} is paid {money} for {points} spent there."),
    "returned": Template("{partner} is paid {money} less: {points} came back."),
    "matched": Template("{partner} pays {money}."),
    "taken": Template("{points} became {units} {there} at {partner}."),
    "sent": Template("{units} {there} of {partner} became {points}."),
}


def outside(plan: Plan, fact: tuple[Any, ...]) -> Sentence | None:
    """The sentence of a fact about somebody outside: a partner, a charity, a share."""
    name, balance, kind, points, _, amount = fact
    shown = _points(plan, balance, abs(points))
    if name not in plan.partners:
        return _paid(plan, fact, shown)
    if not points and not amount:
        return None
    section = plan.partners[name]
    lots = section.takes if kind == "taken" else section.sends
    there = lots.there if lots is not None else "units"
    said: dict[str, Value] = {"partner": Name(name, section.title.get("en", "")), "points": shown}
    if kind in ("taken", "sent"):
        return _SAID[kind](**said, units=amount, there=Name(there))
    return _SAID[kind](**said, money=_money(plan, abs(amount)))


def _points(plan: Plan, balance: str, points: int) -> Amount:
    known = plan.balances.get(balance)
    return Amount(known.unit if known is not None else Unit(balance or "points"), points)


def _money(plan: Plan, fine: int) -> Amount:
    """As coins where that is exact, and to the last decimal where it is not."""
    coins, rest = divmod(fine, 10**FINE)
    return Amount(fine_unit(plan.money), fine, short=True) if rest else Amount(plan.money, coins)


def _paid(plan: Plan, fact: tuple[Any, ...], shown: Amount) -> Sentence:
    """What became of points that left the program."""
    _, _, where, _, _, fine = fact
    money = _money(plan, abs(fine))
    if where == SHARE:
        return Template("{points} paid {money} into your share.")(points=shown, money=money)
    if not where:
        return Template("{points} became {money} for you.")(points=shown, money=money)
    to = Name(where)
    if not fact[3]:
        more, less = Template("{money} more goes to {to}."), Template("{money} less goes to {to}.")
        return (more if fine >= 0 else less)(money=money, to=to)
    gave = Template("{points} gave {money} to {to}.")
    took = Template("{points} took {money} back from {to}.")
    return (gave if fine >= 0 else took)(points=shown, money=money, to=to)
