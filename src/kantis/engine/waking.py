"""Waking: when time has something to do with an account, and how little may be looked at then.

Nothing here changes an account, except that it may learn how long it is calm.
"""

from __future__ import annotations

from typing import cast

from kantis.core.account import Account
from kantis.core.records import Member
from kantis.engine import birthdays, periods, reverse
from kantis.engine.plan import Plan
from kantis.features import balances, counters, cycles, forfeiture, plans, tiers, vouchers


def due(account: Account, calm: int) -> int:
    """The next instant at which time does something, where nothing but waiting points moves
    before ``calm``."""
    waiting = account.waiting
    return waiting[0][0] if waiting and waiting[0][0] < calm else calm


def calm(plan: Plan, account: Account, after: int) -> int:
    """The next instant at which time does anything else than opening points."""
    days = plan.calendar
    found = [plan.until, balances.due(plan.balances, account, days, after)]
    if account.vouchers:
        found.append(vouchers.due(account, days))
    if account.holds:
        found.append(reverse.due(account))
    if account.plans:
        found.append(plans.due(plan.plans, account, days))
    if account.forfeits:
        found.append(forfeiture.due(account, days))
    if plan.earning.periods:
        found.append(periods.due(plan.earning, account, days))
    if plan.years:
        found.append(counters.due(plan.years, account, days))
    if plan.tiers:
        found.append(tiers.due(plan.tiers, account, days, after))
        for each in account.members.values():
            found.append(tiers.due(plan.own_tiers, _own(each), days, after))
    if plan.cycles:
        found.append(cycles.due(plan.cycles, account, days))
    if plan.birthdays:
        found.append(birthdays.following(plan, account))
    return min(found)


def _own(member: Member) -> Account:
    """What is a member's own, for whom looks at tiers, counters and cycles only."""
    return cast(Account, member)


def wakes(plan: Plan, account: Account) -> bool:
    """Whether a version that has begun still has to be carried into the account."""
    return plan.wakes and account.woken < plan.since


def forgets(account: Account) -> bool:
    """Whether the next entry of time also forgets: now and then, whoever asks.

    A prime number of entries, so that no rhythm of a few events each month passes it by.
    """
    return account.seq % 7 == 0


def only_opens(plan: Plan, account: Account, moment: int) -> bool:
    """Whether all that time does at an instant is to open points that waited.

    That is how it nearly always is; nothing else has to be looked at then. An account that
    was just read does not know how long it is calm, and finds out: unless something has
    asked for time to pass before its points open, which may be what no date tells of.
    """
    waiting = account.waiting
    if (
        not waiting
        or waiting[0][0] > moment
        or plan.since > account.at
        or plan.keeps
        or plan.by_itself
        or forgets(account)
    ):
        return False
    if not account.calm and account.due == waiting[0][0] and not wakes(plan, account):
        account.calm = calm(plan, account, account.at)
    return moment < account.calm
