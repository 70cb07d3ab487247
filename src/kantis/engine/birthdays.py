"""Birthdays: when the next one of a member is, as far as it is known."""

from __future__ import annotations

from kantis.core import calendar
from kantis.core.account import NEVER, Account
from kantis.engine.plan import Plan


def following(plan: Plan, account: Account) -> int:
    """The instant at which the next birthday begins that was not kept yet."""
    history = account.facts.get("birthday")
    last = account.cycles.get("birthday", account.joined - 1)
    if not history or not history[-1][1] or last < 0:
        return NEVER
    month, day = map(int, history[-1][1].split("-")[-2:])
    return plan.calendar.start(calendar.next_yearly(last + 1, month, day))
