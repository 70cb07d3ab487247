"""Members: plans that they take, entitlements that they enjoy, points that they forfeit.

What a change of plan takes away is taken in the same decision: points that only the
members of a plan may have are gone with it.
"""

from __future__ import annotations

from typing import Any

from kantis.core.account import Account
from kantis.core.decision import Context
from kantis.core.events import (
    Enjoy,
    Event,
    Forfeit,
    Pay,
    Reinstate,
    Subscribe,
    Tick,
    Unpaid,
    Unsubscribe,
)
from kantis.core.lots import claw_back, issue
from kantis.core.places import REVERSED
from kantis.core.turn import Turn, begin
from kantis.engine import groups
from kantis.engine.plan import Plan
from kantis.engine.program import Program
from kantis.features import balances, entitlements, forfeiture, plans, vouchers
from kantis.features.entitlements import Entitled
from kantis.features.plans import PlanSection


def _changed(plan: Plan, turn: Turn) -> None:
    """Another plan is had now, or none: bonuses come, and what only its members have goes."""
    _bonuses(plan, turn)
    if plan.keeps:
        balances.lose(plan.balances, turn)


def _subscribe(plan: Plan, turn: Turn, body: Subscribe) -> None:
    plans.subscribe(plan.plans, turn, body)
    _changed(plan, turn)


def _unsubscribe(plan: Plan, turn: Turn, body: Unsubscribe) -> None:
    name, given = plans.unsubscribe(plan.plans, turn, body)
    _take_back(plan, turn, name, given)
    _changed(plan, turn)


def _pay(plan: Plan, turn: Turn, body: Pay) -> None:
    plans.pay(plan.plans, turn, body)
    _changed(plan, turn)


def _unpaid(plan: Plan, turn: Turn, body: Unpaid) -> None:
    name, given = plans.unpaid(plan.plans, turn, body)
    _take_back(plan, turn, name, given)
    _changed(plan, turn)


def _take_back(plan: Plan, turn: Turn, name: str, given: int) -> None:
    """Bonuses of a plan go back with its fee, the latest first; a used voucher stays used."""
    section = plan.plans.sections.get(name)
    if section is None or section.bonus is None or not given:
        return
    bonus = section.bonus
    if bonus.unit:
        amount = given * bonus.amount
        missing = claw_back(turn, plan.balances[bonus.unit], 0, amount, REVERSED, plans.REASON)
        turn.decision.fired.append((name, bonus.unit, 0, missing - amount, 0, -amount))
    still = [
        code
        for code, voucher in reversed(turn.account.vouchers.items())
        if voucher.kind == bonus.voucher and voucher.state == "open"
    ]
    for code in still[:given]:
        turn.change("voucher state", code, "reversed")


def run(plan: Plan, turn: Turn) -> None:
    """What time does to plans: terms end and follow, unpaid ones stop, bonuses come."""
    plans.run(plan.plans, turn)
    _bonuses(plan, turn)


def _bonuses(plan: Plan, turn: Turn) -> None:
    def give(section: PlanSection) -> None:
        bonus = section.bonus
        assert bonus is not None
        if bonus.voucher:
            vouchers.issue(
                plan.vouchers,
                turn,
                bonus.voucher,
                worth=0,
                balance="",
                points=0,
                number=1,
            )
            return
        lot = issue(turn, plan.balances[bonus.unit], bonus.amount, plans.REASON)
        fact = (section.name, bonus.unit, 0, bonus.amount, lot, bonus.amount)
        turn.decision.fired.append(fact)

    plans.bonuses(plan.plans, turn, give)


def _enjoy(plan: Plan, turn: Turn, body: Enjoy) -> None:
    entitlements.enjoy(plan.entitlements, turn, body)
    plans.use(plan.plans, turn, [body.entitlement])


def uses(plan: Plan, turn: Turn) -> None:
    """Prices, rewards and vouchers that belong to a plan are a use of it."""
    named = [rule for _, rule, _ in turn.decision.effects]
    named += [fact[0] for fact in turn.decision.fired if fact[0] in plan.rewards]
    plans.use(plan.plans, turn, dict.fromkeys(named))


def _forfeit(plan: Plan, turn: Turn, body: Forfeit) -> None:
    forfeiture.forfeit(plan.forfeiture, turn, body)


def _reinstate(plan: Plan, turn: Turn, body: Reinstate) -> None:
    forfeiture.reinstate(plan.forfeiture, plan.balances, turn, body)
    groups.settle_forfeited(plan, turn, body.group, confirmed=True)


def expire_forfeited(plan: Plan, turn: Turn) -> None:
    """What could come back until now no longer can."""
    for group in forfeiture.run(turn):
        groups.settle_forfeited(plan, turn, group, confirmed=False)


HANDLERS: dict[type, Any] = {
    Subscribe: _subscribe,
    Unsubscribe: _unsubscribe,
    Pay: _pay,
    Unpaid: _unpaid,
    Enjoy: _enjoy,
    Forfeit: _forfeit,
    Reinstate: _reinstate,
}


def entitled(program: Program, account: Account, moment: int) -> list[Entitled]:
    """What a member may have at an instant, and for how long; the account is at that instant."""
    plan = program.plan_for(account, moment)
    event = Event("", "", moment, "", Tick())
    turn = begin(account, plan.calendar, event, moment, moment, Context())
    return entitlements.have(plan.entitlements, turn)
