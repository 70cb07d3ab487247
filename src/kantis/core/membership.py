"""Membership: where an account stands with its plans, and what it has forfeited for a while.

A plan is had in terms: a day on which the term begins and the first day after it. The
history says which plan was had at any instant, so that a late event sees the one of then.

>>> term_end(day("2024-01-31"), day("2024-02-29"), Duration(1, "month")) == day("2024-03-31")
True
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from kantis.core.calendar import add_months, day, month_of
from kantis.core.phrases import Duration

__all__ = ["Duration", "Forfeited", "Membership", "day", "end_of_term", "start_of_term", "term_end"]


class Membership(Struct, array_like=True):
    """Where an account stands in a ladder of plans.

    ``state`` is trial, paid, unpaid or ended. ``start`` and ``until`` are the first day of
    the term and the first day after it; terms are counted from ``anchor``. ``charged`` is
    the instant of the fee, ``fee`` what was charged for the term and not given back, in
    minor units; ``ahead`` is what was paid for the next term already. ``used`` says whether
    a benefit was used in the term, ``renews`` whether it goes on, as ``next_plan`` and
    ``next_period`` where they are named; ``tried`` whether the trial was had. ``history``
    is (instant, plan or nothing), oldest first.
    """

    plan: str
    period: str
    state: str
    anchor: int
    start: int
    until: int
    charged: int = 0
    fee: int = 0
    ahead: int = 0
    used: bool = False
    renews: bool = True
    next_plan: str = ""
    next_period: str = ""
    tried: bool = False
    history: list[tuple[int, str]] = field(default_factory=list)


class Forfeited(Struct, array_like=True):
    """Points of a group that are forfeited: by which rule, to which day they can come back
    (the last one inside), and (lot, amount) each."""

    rule: str
    until: int
    lots: list[tuple[int, int]]


def hold(plans: dict[str, Membership], change: tuple[Any, ...]) -> None:
    """A membership begins, or stands anew; its history stays."""
    _, ladder, *fields = change
    before = plans.get(ladder)
    now = plans[ladder] = Membership(*fields)
    if before is not None:
        now.history = before.history


def have(plans: dict[str, Membership], change: tuple[Any, ...]) -> None:
    """From an instant on a plan is had, or none (an empty name); what comes late takes its
    place in time."""
    _, ladder, moment, plan = change
    history = plans[ladder].history
    position = len(history)
    while position and history[position - 1][0] > moment:
        position -= 1
    history.insert(position, (moment, plan))
    del history[:-8]


def forfeit(forfeits: dict[str, Forfeited], change: tuple[Any, ...]) -> None:
    """What is forfeited of a group, or no longer (no lots)."""
    _, group, rule, until, lots = change
    if lots:
        forfeits[group] = Forfeited(rule, until, [(lot, amount) for lot, amount in lots])
    else:
        forfeits.pop(group, None)


def term_end(anchor: int, start: int, length: Duration) -> int:
    """The first day after the term that holds a day, of terms that are counted from another."""
    if length.unit in ("day", "week"):
        days = length.count * (7 if length.unit == "week" else 1)
        return anchor + ((start - anchor) // days + 1) * days
    months = length.count * (12 if length.unit == "year" else 1)
    (year, month), (first_year, first_month) = month_of(start), month_of(anchor)
    number = max(0, (year * 12 + month - first_year * 12 - first_month) // months)
    while add_months(anchor, months * number) <= start:
        number += 1
    return add_months(anchor, months * number)


def end_of_term(start: int, length: Duration) -> int:
    """The first day after a term that begins on a day."""
    return term_end(start, start, length)


def start_of_term(until: int, length: Duration) -> int:
    """The first day of a term that ends before a day."""
    if length.unit in ("day", "week"):
        return until - length.count * (7 if length.unit == "week" else 1)
    return add_months(until, -length.count * (12 if length.unit == "year" else 1))
