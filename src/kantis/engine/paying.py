"""Paying: prices, and the points and vouchers that pay a purchase, before anything is earned."""

from __future__ import annotations

from kantis.core.basket import refuse_negative
from kantis.core.events import Purchase, Use
from kantis.core.lots import spendable, take
from kantis.core.places import OWED, REDEEMED
from kantis.core.turn import Refused, Turn
from kantis.engine.plan import Plan
from kantis.features import balances, households, rewards, vouchers


def paid(plan: Plan, turn: Turn, body: Purchase) -> list[int]:
    """Price effects, then what is paid in points and vouchers; what is left of the lines counts."""
    lines = body.lines
    for line in lines:
        if line.amount < 0 or line.quantity < 0:
            refuse_negative(line)
    before_discounts, with_tax, _ = plan.head.spend
    amounts = [
        line.amount + line.discount * before_discounts + line.tax * with_tax for line in lines
    ]
    asked = plan.prices.rules and body.points
    to_pay = plan.price(books=False)(turn, lines) if asked else amounts
    points, uses = _tenders(plan, turn, body, sum(amounts), to_pay)
    if plan.prices.rules:
        amounts = plan.price(trace=turn.trace is not None)(turn, lines)
    if points:
        amounts = _pay(plan, turn, body, points, amounts)
    for use in uses:
        vouchers.use(plan.vouchers, turn, use)
    return amounts


def _tenders(
    plan: Plan, turn: Turn, body: Purchase, basket: int, to_pay: list[int]
) -> tuple[dict[str, int], list[Use]]:
    """The points and vouchers that pay. What cannot pay refuses an ask, and flags a tell.

    ``basket`` is before prices are taken off, ``to_pay`` of each line after.
    """
    points: dict[str, int] = {}
    uses: list[Use] = []
    wanted: dict[str, int] = {}
    left = to_pay
    for name, amount in (body.points or {}).items():
        try:
            reward = plan.rewards.get(name)
            if reward is None or rewards.pays(reward, amount) is None:
                raise Refused("unknown-reward", f"There is no reward {name!r} that is money off.")
            if amount <= 0:
                raise Refused("negative-amount", "Points that pay are more than none.")
            try:
                rewards.check_tender(reward, turn, amount, body.lines, to_pay, left)
            except Refused as refused:
                or_flag(turn, refused)
            unit = rewards.unit_of(reward)
            wanted[unit] = wanted.get(unit, 0) + amount
            households.may_burn(plan.household, turn)
            available = spendable(turn, plan.balances[unit])
            if turn.event.ask and wanted[unit] > available:
                sentence = f"{wanted[unit]} were asked for, there are {available}."
                raise Refused("not-enough", sentence)
            points[name] = amount
            left = rewards.pay_lines(reward, body.lines, amount, left)
        except Refused as refused:
            or_flag(turn, refused)
    for code in dict.fromkeys(body.vouchers):
        use = Use(code, basket, body.partner)
        try:
            vouchers.check(plan.vouchers, turn, use)
            uses.append(use)
        except Refused as refused:
            or_flag(turn, refused)
    return points, uses


def or_flag(turn: Turn, refused: Refused) -> None:
    """What has happened is flagged; what is asked for is refused."""
    if turn.event.ask:
        raise refused
    turn.flag(refused.refusal.code)


def _pay(
    plan: Plan, turn: Turn, body: Purchase, points_of: dict[str, int], left: list[int]
) -> list[int]:
    """Points as a tender: redeemed here, and taken off the lines in proportion."""
    for name, points in points_of.items():
        reward = plan.rewards[name]
        balance = plan.balances[rewards.unit_of(reward)]
        worth = rewards.pays(reward, points) or 0
        _take_or_owe(plan, turn, balance.name, points)
        turn.spent, turn.barred = True, turn.barred or not reward.earns
        turn.effect("", name, worth)
        if not plan.head.spend[2]:
            left = rewards.pay_lines(reward, body.lines, points, left)
        if plan.clocked:
            balances.touch(plan.balances, turn, "redeeming", balance.name)
    return left


def _take_or_owe(plan: Plan, turn: Turn, name: str, points: int) -> None:
    """Take what is available; the rest of what has been spent is owed."""
    now = min(points, spendable(turn, plan.balances[name]))
    if now:
        take(turn, plan.balances[name], now, REDEEMED, rewards.REASON)
    if points > now:
        turn.post(name, OWED, REDEEMED, points - now, 0, rewards.REASON)
        turn.flag("shortage")
