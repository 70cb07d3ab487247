"""Outward: what a decision does to those outside: partners who pay and are paid, charities.

Guarantee: it is a fold of what the decision did: each rule's points as its facts say, each
point spent as its postings say. What is undone is undone at the price of its own day.
"""

from __future__ import annotations

from typing import Any

from kantis.core.decision import Original
from kantis.core.events import Arrived, Cancel, Redeem, Refund, Void
from kantis.core.lots import Balance, spendable
from kantis.core.places import PENDING, REDEEMED, REVERSED
from kantis.core.turn import Refused, Turn
from kantis.engine.plan import Plan
from kantis.features import cycles, partners, payouts, vouchers
from kantis.features.rewards import RewardSection


def run(plan: Plan, turn: Turn) -> None:
    """Give away what is earned for a cause, then book what partners owe and are owed."""
    original = _original(turn)
    moment = original.event.time if original is not None else turn.moment
    if plan.payouts.at_once:
        payouts.give_away(plan.payouts, plan.balances, turn, moment)
    if plan.partners:
        _positions(plan, turn, original, moment)


def _original(turn: Turn) -> Original | None:
    """The event that a refund or a cancellation undoes."""
    if isinstance(turn.event.body, Refund | Cancel):
        return next(iter(turn.context.originals.values()), None)
    return None


def _positions(plan: Plan, turn: Turn, original: Original | None, moment: int) -> None:
    decision, found = turn.decision, partners.Positions(turn)
    for rule, balance, base, points, lot, _ in decision.fired:
        if isinstance(base, int) and (lot or points < 0):
            _funded(plan, turn, found, balance, points, lot, rule)
    if isinstance(turn.event.body, Void):
        for balance, source, target, amount, lot, _ in decision.postings:
            if source == PENDING and target == REVERSED:
                _funded(plan, turn, found, balance, -amount, lot, "")
    partner = turn.partner or getattr(turn.event.body, "partner", "")
    if isinstance(turn.event.body, Cancel) and original is not None:
        _take_back(found, original)
    else:
        if original is not None:
            partner = getattr(original.event.body, "partner", "")
        elif partner and partner not in plan.partners:
            turn.flag("unknown-partner")
        if partner:
            _spent(plan.at(moment), turn, found, partner)
    found.book()


def _funded(
    plan: Plan,
    turn: Turn,
    found: partners.Positions,
    balance: str,
    points: int,
    number: int,
    rule: str,
) -> None:
    """Points of a lot were issued or taken back: at the price of the lot's day."""
    lot = turn.account.lots.get(number)
    text = partners.funder_of(lot, plan.earning.by_name, rule)
    if text:
        then = plan if lot is None else plan.at(turn.calendar.start(lot.bucket))
        found.funded(then.partners, text, balance, points)


def _spent(plan: Plan, turn: Turn, found: partners.Positions, partner: str) -> None:
    """What was spent with a partner, less what came back: at the price of the purchase's day."""
    spent: dict[str, int] = {}
    for balance, source, target, amount, _, _ in turn.decision.postings:
        if source == REDEEMED or target == REDEEMED:
            sign = 1 if target == REDEEMED else -1
            spent[balance] = spent.get(balance, 0) + sign * amount
    for balance, points in spent.items():
        if points and balance in plan.balances:
            found.spent(plan.partners.get(partner), balance, points)


def _take_back(found: partners.Positions, original: Original) -> None:
    """A redemption that is undone was never one: what a partner was to be paid for it goes."""
    for decision in (original.entry.decision, *original.undone):
        for rule, balance, kind, points, _, money in decision.fired:
            if kind == "redeemed":
                found.add(rule, balance, "returned", points, money)


def pay_out(
    plan: Plan,
    turn: Turn,
    body: Redeem,
    reward: RewardSection,
    balance: Balance,
    points: int,
) -> None:
    """A reward that is money on its way: for the member, a share, a charity."""
    if body.hold:
        raise Refused("no-hold", "What is paid out is not held.")
    if points > spendable(turn, balance):
        raise Refused("not-enough", f"{points} were to be paid out, there are fewer.")
    makers(plan).pay(reward.gives.payout, turn, balance, points, reward.rate)


def makers(plan: Plan) -> cycles.Makers:
    """What vouchers, payouts and partners make of points."""

    def issue(*what: Any, **more: Any) -> str:
        return vouchers.issue(plan.vouchers, *what, **more)

    def pay(
        name: str, turn: Turn, balance: Balance, points: int, worth: Any, lots: Any = None
    ) -> None:
        payouts.pay(plan.payouts, name, turn, balance, points, worth, issue, lots)

    def exchange(partner: str, turn: Turn, balance: Balance, points: int) -> int:
        section = plan.partners[partner]
        assert section.takes is not None
        whole = points - points % section.takes.mine
        if whole:
            partners.leave(section, balance, turn, whole)
        return whole

    return cycles.Makers(issue, pay, exchange)


def arrived(plan: Plan, turn: Turn, body: Arrived) -> None:
    """Money that was on its way has arrived, or has bounced."""
    payouts.arrived(plan.balances, turn, body)
