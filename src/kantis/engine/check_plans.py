"""Check, of plans, entitlements and forfeiture: what nobody could explain to members.

A fee that could not be worked out, a promise that nobody could follow, and a key that would
have no effect are refused, with the reason and the place.
"""

from __future__ import annotations

from typing import Any

from kantis.core.knobs import Reader, suggest
from kantis.core.limits import caps_of
from kantis.core.membership import end_of_term
from kantis.engine.check import Read, said
from kantis.features.plans import PlanSection

#: Sections whose entries, where they ask for a plan, are benefits of it.
USERS = ("prices", "offers", "rewards", "entitlements")
_DAY = 738976  # any day: 2024-03-31


def check_plans(read: Read, reader: Reader) -> None:
    """Write down everything that may not be said together of plans and what belongs to them."""
    for name, plan in read["plans"].items():
        _ladder(plan, name, read["plans"], reader)
        _ending(plan, name, reader)
        _paying(plan, name, reader)
        _unused(plan, name, read, reader)
    _entitlements(read, reader)
    _forfeiture(read, reader)


def _fault(reader: Reader, code: str, message: str, *path: str) -> None:
    reader.fault_at(code, message, *path)


def _ladder(plan: PlanSection, name: str, plans: dict[str, Any], reader: Reader) -> None:
    """A plan above another one is had for the same periods, and costs no less."""
    if not plan.above:
        for key in ("upgrade", "downgrade"):
            if key in said(reader, "plans", name):
                message = f"{key!r} needs 'above': it says how a member comes from the plan below."
                _fault(reader, "no-effect", message, "plans", name, key)
        return
    below = plans.get(plan.above)
    if below is None:
        message = f"There is no plan {plan.above!r}. {suggest(plan.above, plans)}"
        _fault(reader, "unknown-plan", message, "plans", name, "above")
        return
    seen, lower = {name}, plan.above
    while lower:
        if lower in seen:
            message = "These plans stand above each other in a circle."
            _fault(reader, "plans-in-a-circle", message, "plans", name, "above")
            return
        seen.add(lower)
        lower = plans[lower].above if lower in plans else ""
    if {fee.period for fee in plan.fee} != {fee.period for fee in below.fee}:
        message = f"It is had for the same periods as {plan.above!r}, or nobody could change over."
        _fault(reader, "fees-differ", message, "plans", name, "fee")
        return
    for fee in plan.fee:
        lower_fee = below.costs(fee.period)
        if lower_fee is not None and fee.amount < lower_fee.amount:
            message = f"It costs less than {plan.above!r}, which stands below it."
            _fault(reader, "plans-out-of-order", message, "plans", name, "fee")


def _ending(plan: PlanSection, name: str, reader: Reader) -> None:
    """What giving up a plan does can be told to the member."""
    keys = said(reader, "plans", name)
    if plan.trial is None and "cancelled trial" in keys:
        message = "There is no 'trial' that somebody could cancel."
        _fault(reader, "no-effect", message, "plans", name, "cancelled trial")


def _paying(plan: PlanSection, name: str, reader: Reader) -> None:
    """Fees of new and renewed terms are for the same periods; unpaid ones come in time."""
    periods = [{fee.period for fee in fees} for fees in (plan.fee, plan.renewal_fee) if fees]
    if len(periods) == 2 and periods[0] != periods[1]:
        message = "A renewal is for the same periods as a first term."
        _fault(reader, "fees-differ", message, "plans", name, "renewal fee")
    last = end_of_term(_DAY, plan.pay_within)
    if plan.grace is not None and end_of_term(_DAY, plan.grace) > last:
        message = "The plan would end, unpaid, before its grace is over: 'pay within' is shorter."
        _fault(reader, "cannot-be-explained", message, "plans", name, "grace")
    if any(last > end_of_term(_DAY, fee.length) for fee in plan.fee):
        message = "A fee could still come when its term is over: 'pay within' is longer than that."
        _fault(reader, "cannot-be-explained", message, "plans", name, "pay within")
    if any(length.unit in ("minute", "hour") for length in _lengths(plan)):
        message = "Terms go by days: write days, weeks, months or years."
        _fault(reader, "too-short", message, "plans", name)
    if any(not length.count for length in _lengths(plan)):
        message = "This is no time at all; leave it out."
        _fault(reader, "no-effect", message, "plans", name)


def _lengths(plan: PlanSection) -> list[Any]:
    return [each for each in (plan.trial, plan.grace, plan.pay_within) if each is not None]


def _unused(plan: PlanSection, name: str, read: Read, reader: Reader) -> None:
    """Whether a benefit was used is known of prices and entitlements that ask for the plan."""
    if not plan.refund.unused:
        return
    users = [each for key in USERS for each in read[key].values()]
    asked = any(each.who is not None and name in each.who.plans for each in users)
    if not asked and not (plan.bonus is not None and plan.bonus.voucher):
        message = (
            "Nothing would ever be a use of this plan: give a price, a reward or an entitlement"
            f" 'who: {{plan: {name}}}'."
        )
        _fault(reader, "cannot-be-explained", message, "plans", name, "refund")


def _entitlements(read: Read, reader: Reader) -> None:
    shared = {name: each.at_most for name, each in read["caps"].items()}
    for name, entitlement in read["entitlements"].items():
        if_ = entitlement.if_
        if if_ is not None and (if_.spend or if_.items or if_.unspent):
            message = "An entitlement looks at the whole basket: ask for the 'basket'."
            _fault(reader, "cannot-be-explained", message, "entitlements", name, "if")
        for cap in caps_of(entitlement.cap, shared):
            if cap.counts != "times" or cap.window.kind == "purchase":
                message = "How often it may be had is a number of times: 1 time per calendar month."
                _fault(reader, "cap-does-not-fit", message, "entitlements", name, "cap")


def _forfeiture(read: Read, reader: Reader) -> None:
    waits = {
        rule.give.unit
        for section in ("earning", "offers")
        for rule in read[section].values()
        if rule.give is not None and rule.available.group
    }
    taken: dict[str, str] = {}
    for name, rule in read["forfeiture"].items():
        for balance in rule.of:
            if balance not in read["balances"]:
                message = f"There is no balance {balance!r}. {suggest(balance, read['balances'])}"
                _fault(reader, "unknown-balance", message, "forfeiture", name, "of")
            elif balance in taken:
                message = f"{taken[balance]!r} says already how {balance} are forfeited."
                _fault(reader, "name-twice", message, "forfeiture", name, "of")
            elif balance not in waits:
                message = (
                    f"No {balance} wait to be confirmed, so none can be forfeited: an earning"
                    " rule has to say 'available: when confirmed'."
                )
                _fault(reader, "no-effect", message, "forfeiture", name, "of")
            taken[balance] = name
        fee = rule.reinstated_for
        if fee is not None and (not reader.money or fee.unit != reader.money.name):
            message = "A fee is an amount of money, for example 35.00 USD."
            _fault(reader, "money-expected", message, "forfeiture", name, "reinstated for")
