"""Groups: points that wait for a ticket, an order or a bill come true, or never do.

Guarantee: what waits for a group is confirmed or void as a whole and once; a void group leaves
nothing behind: no points, no counts, no use of caps. A refund of a purchase whose group is void
takes back nothing of that once more.
"""

from __future__ import annotations

from typing import Any

from kantis.core.events import Confirm, Void
from kantis.core.limits import settle_caps
from kantis.core.lots import repay, stop_waiting, voided
from kantis.core.places import AVAILABLE, PENDING, REVERSED
from kantis.core.records import Lot
from kantis.core.turn import Refused, Turn
from kantis.engine import budgets
from kantis.engine.plan import Plan
from kantis.features import counters, tiers

REASON = "refunds"


def _group(plan: Plan, turn: Turn, group: str, confirmed: bool) -> tuple[list[Lot], bool]:
    """The lots that wait for a group; what was counted for it counts now, or never, and what it
    used of caps is used for good, or free again.

    Beside them whether anything had been counted for it.
    """
    lots = [x for x in turn.account.lots.values() if x.group == group and x.pending]
    if not lots and _forfeited(turn, group):
        raise Refused("group-forfeited", f"What waited for {group!r} is forfeited.")
    counted = _count(plan, turn, group, confirmed)
    if not counted and not lots:
        raise Refused("unknown-group", f"Nothing waits for {group!r}.")
    _free(plan, turn, group, confirmed, counted)
    return lots, counted


def _count(plan: Plan, turn: Turn, group: str, confirmed: bool) -> bool:
    """What waited to be counted for a group counts now, or never; whether anything had."""
    kept = [each for some in plan.counters.values() for each in some]
    counted = counters.settle(kept, turn, group, confirmed)
    for own in map(turn.of, turn.account.members):
        if counters.settle(kept, own, group, confirmed):
            counted = True
            _rise(plan.own_tiers, own)
    return counted


def _free(plan: Plan, turn: Turn, group: str, confirmed: bool, counted: bool) -> None:
    """What a group used of caps is used for good, or free again."""
    used = settle_caps(plan.earning.caps, turn, group, confirmed)
    used = budgets.settle(plan, turn, group, confirmed) or used
    for own in map(turn.of, turn.account.members):
        used = settle_caps(plan.earning.caps, own, group, confirmed) or used
    if (counted or used) and not confirmed:
        turn.change("count", void_group(group), turn.at, 1)


def settle_forfeited(plan: Plan, turn: Turn, group: str, confirmed: bool) -> None:
    """The points of a group came back, or never will: what was counted for it goes with them.

    While others of it still wait, or can come back, that is left to them.
    """
    account = turn.account
    if any(x.group == group and x.pending for x in account.lots.values()):
        return
    if _forfeited(turn, group):
        return
    counted = _count(plan, turn, group, confirmed)
    _free(plan, turn, group, confirmed, counted)
    if counted and confirmed:
        _rise(plan.tiers, turn)


def _forfeited(turn: Turn, group: str) -> bool:
    return any(key.endswith(f" {group}") for key in turn.account.forfeits)


def _rise(groups: list[tiers.TierGroup], turn: Turn) -> None:
    """What has come to count can bring levels that are reached at once."""
    for group in groups:
        if group.section.up == "at once":
            tiers.rise(group, turn)


def void_group(group: str) -> str:
    """Where it is kept when a group became void that had counted something."""
    return f"void group {group}"


def _confirm(plan: Plan, turn: Turn, body: Confirm) -> None:
    lots, counted = _group(plan, turn, body.group, confirmed=True)
    if counted:
        _rise(plan.tiers, turn)
    for lot in lots:
        stop_waiting(turn, lot.id, lot.pending)
        turn.post(lot.balance, PENDING, AVAILABLE, lot.pending, lot.id, "activation")
        repay(turn, plan.balances[lot.balance], lot.id, "activation")


def _void(plan: Plan, turn: Turn, body: Void) -> None:
    for lot in _group(plan, turn, body.group, confirmed=False)[0]:
        stop_waiting(turn, lot.id, lot.pending)
        turn.change("count", voided(lot.id), 0, lot.pending)
        turn.post(lot.balance, PENDING, REVERSED, lot.pending, lot.id, REASON)


HANDLERS: dict[type, Any] = {Confirm: _confirm, Void: _void}
