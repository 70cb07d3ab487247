"""Unplugged: what a till may take in points while it cannot ask anybody.

Guarantee: nothing is allowed until somebody allows it, and then so much money for a member and
a till; what a till takes is a part of its purchase, so that it is booked with it, and once.
Nobody can promise that the points are still there: what is short is owed and flagged, by the
terms of the program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from kantis.core.account import Account
from kantis.core.amounts import Ratio
from kantis.core.knobs import Fault, ProgramError
from kantis.core.places import AVAILABLE
from kantis.desk.audit import By, alone, record
from kantis.desk.programs import Home
from kantis.features.rewards import ON_REQUEST, RewardSection, pays, unit_of
from kantis.store import allowances
from kantis.store.reading import Reading

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

OFFLINE: Final = "offline"
#: Why a sale with points is not booked.
TOO_MUCH: Final = "offline-too-much"
#: Amounts that a device is given to choose from.
RUNGS_MAX: Final = 20
_MOST: Final = 10**9
_ANY: Final = "any part"


class Rung(Struct, frozen=True, array_like=True):
    """So many points of a reward are so much money, of a basket that costs at least so much."""

    points: int
    worth: int
    least: int


class Payable(Struct, frozen=True):
    """A reward that points can pay with, how many there are, and the amounts from low to high."""

    reward: str
    balance: str
    have: int
    rungs: list[Rung]


def cap(books: Reading, program: int) -> int:
    """What a member may spend at a till without the network, in coins; 0 is nothing."""
    return allowances.allowances(books, program).get(OFFLINE, ("", 0))[1]


def set_cap(desk: Desk, home: Home, amount: int, by: By) -> None:
    """Another amount from now on; ``ProgramError`` where it cannot be."""
    if not 0 <= amount <= _MOST:
        raise ProgramError([Fault("bad-cap", "This is no amount that can be allowed.")])
    with alone(desk) as books:
        money = home.program.money.name
        allowances.allow(books, home.number, OFFLINE, money, amount)
        record(books, desk.clock(), by, home.number, "allow", OFFLINE, balance=money, amount=amount)


def payable(home: Home, state: Account, now: int, most: int) -> list[Payable]:
    """What an account could pay with points as it stands, up to so much money.

    Only rewards that any part of any basket can be paid with: what asks for more (lines, days,
    stock, a level) needs somebody who can be asked.
    """
    found = []
    for reward in home.program.plan(now).rewards.values() if most else ():
        purse = state.purse.get(unit_of(reward))
        available = purse[AVAILABLE] if purse is not None else 0
        rungs = list(_rungs(reward, available, most)) if _plain(reward) else []
        if rungs:
            found.append(Payable(reward.name, unit_of(reward), available, rungs))
    return found


def worth(home: Home, now: int, points: dict[str, int]) -> int:
    """What points are worth that a till took, in coins; those of no such reward nothing."""
    known = home.program.plan(now).rewards
    return sum(pays(known[name], amount) or 0 for name, amount in points.items() if name in known)


def _plain(reward: RewardSection) -> bool:
    conditions = reward.where, reward.except_, reward.who, reward.when, reward.if_
    limits = reward.stock, reward.per_member.times
    free = not any(each is not None for each in conditions) and not any(limits)
    money = reward.rate is not None or bool(reward.rungs)
    return money and free and (reward.covers, reward.issued) == (_ANY, ON_REQUEST)


def _rungs(reward: RewardSection, available: int, most: int) -> list[Rung]:
    if reward.most is not None:
        available = min(available, reward.most.amount)
    if reward.rungs:
        choice = [points for points, _, _ in reward.rungs]
    else:
        assert reward.rate is not None
        step = reward.step.amount if reward.step is not None else 1
        least = max(1, reward.least.amount if reward.least is not None else 1)
        top = min(available, most * reward.rate.points // reward.rate.money)
        stride = max(1, -(-top // RUNGS_MAX // step)) * step
        choice = list(range(-(-least // stride) * stride, top + 1, stride))
    rungs = []
    for points in choice:
        money = pays(reward, points) or 0
        if points <= available and 0 < money <= most:
            rungs.append(Rung(points, money, _least(money, reward.pays_at_most)))
    return rungs[-RUNGS_MAX:]


def _least(money: int, share: Ratio | None) -> int:
    """The smallest basket of which so much may be paid with points."""
    return money if share is None else max(money, -(-money * share.den // share.num))
