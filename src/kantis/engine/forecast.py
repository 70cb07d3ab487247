"""Forecast: what a purchase would do for a member, rule by rule, before it is paid.

Guarantee: what a rule is said to give is what the written function of the purchase gives,
and what points are said to pay is what a redemption would be granted on these lines. Each
rule and price gives, or takes something off, or is silent with a reason; an offer that is
not loaded stands among the offers, if it would act. Nothing is decided.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from msgspec import Struct, structs

from kantis.core.account import Account, decode_account, encode_account
from kantis.core.budgets import missed
from kantis.core.conditions import gates
from kantis.core.decision import Context
from kantis.core.events import Event, Line, Load, Purchase, Redeem
from kantis.core.sentences import Name, No, Sentence, Template, Value
from kantis.core.turn import Refused, Turn, begin
from kantis.engine import budgets, order
from kantis.engine.plan import Plan
from kantis.engine.program import Program
from kantis.engine.reach import TierReach, tiers_of
from kantis.features import households, rewards

NOT_LOADED: Final = "not loaded"
NO_LINE: Final = "no line that counts"

#: Why a rule gives nothing, in words for whoever stands at the till.
WHY: Final = {
    "age": Template("It is for members of another age."),
    "basket": Template("The basket is too small for it."),
    "budget": Template("Too little is left of its budget."),
    "birthday": Template("It is for the time of the birthday."),
    "channel": Template("It is for another channel."),
    "choice": Template("The member has chosen something else."),
    "date": Template("It is for other dates."),
    "hour": Template("It is for other hours."),
    "items": Template("There are too few items for it."),
    "joining": Template("It is for the first days after joining."),
    "location": Template("It is for other locations."),
    NO_LINE: Template("No line counts for it."),
    NOT_LOADED: Template("The offer is not loaded."),
    "paid in points": Template("Points pay for a part of the purchase."),
    "partner": Template("It is for another partner."),
    "plan": Template("It is for members of another plan."),
    "segment": Template("It is for other members."),
    "spend": Template("Too little is spent on what it is for."),
    "tender": Template("It is for another way to pay."),
    "tier": Template("It is for another level."),
    "weekday": Template("It is for other days of the week."),
}
_CAP: Final = Template("There is nothing left of the limit {cap}.")


class Gives(Struct):
    """What a rule would give: an amount of a balance, worked out on a base."""

    rule: str
    balance: str
    base: int
    amount: int


class Silent(Struct):
    """A rule that would give nothing, and why."""

    rule: str
    code: str
    why: Sentence


class Pays(Struct):
    """What points could pay on these lines, the most of it; or why none can (``code``)."""

    reward: str
    title: dict[str, str]
    balance: str
    points: int = 0
    money: int = 0
    code: str = ""
    why: Value = ""


class WouldGive(Struct):
    """What an offer that is not loaded would give, or take off, if it were loaded now."""

    offer: str
    title: dict[str, str]
    balance: str = ""
    amount: int = 0
    off: int = 0


class Forecast(Struct):
    """What a purchase would do. ``tiers`` is where the member would stand after it."""

    gives: list[Gives]
    silent: list[Silent]
    pays: list[Pays]
    offers: list[WouldGive]
    tiers: list[TierReach]


def forecast(
    program: Program, account: Account, event: Event, at: int, limits: dict[str, int]
) -> Forecast:
    """The forecast of a purchase for an account that has been advanced to ``at``.

    ``limits`` are those that ``reach.shared_limits`` names. An account that was never
    opened is that of somebody who would join now. The account is used up by it.
    """
    body = event.body
    assert isinstance(body, Purchase)
    if not account.joined:
        account.joined = program.calendar.day(event.time)
    plan, copy = program.plan_for(account, event.time), _copy(account)
    turn = _turn(program, plan, copy, event, at, limits)
    turn.trace = []
    try:
        budgets.within(plan, turn, body, order.HANDLERS[Purchase])
    except Refused:  # what the quote itself has said
        return Forecast([], [], [], [], [])
    did = turn.decision
    gives = [Gives(*fact[:4]) for fact in did.fired if fact[1]]
    named = {each.rule for each in gives} | {rule for _, rule, _ in did.effects}
    silent = {rule: why for rule, why in reversed(turn.trace) if rule not in named}
    short = dict.fromkeys(missed(did), "budget")
    silent |= short
    silent |= _prices(plan, turn, body.lines, named | {*short})
    for offer, (loaded, _) in copy.offers.items():
        if loaded >= 0 and offer in plan.offers and offer not in named:
            silent.setdefault(offer, NO_LINE)
    silent = {rule: why for rule, why in silent.items() if why != NOT_LOADED}
    before = _turn(program, plan, account, event, at, limits)
    return Forecast(
        gives,
        [Silent(rule, why, _why(why)) for rule, why in reversed(silent.items())],
        _pays(plan, before, _left(body.lines, did.effects)),
        _offers(plan, before, body),
        tiers_of(plan, turn),
    )


def _prices(
    plan: Plan, turn: Turn, lines: Sequence[Line], named: Collection[str]
) -> dict[str, str]:
    """Why prices take nothing off."""
    found = {}
    for price in plan.prices.rules:
        rule = price.rule
        if price.name in named or price.offer:
            continue
        meant = _meant(rule, lines)
        sums = [sum(x.amount for x in those) for those in (lines, meant)]
        items = sum(line.quantity for line in meant)
        nos = (gate(turn, sums[0], sums[1], items) for gate in gates(rule.who, rule.when, rule.if_))
        found[price.name] = next(filter(None, nos), NO_LINE)
    return found


def _meant(rule: Any, lines: Sequence[Line]) -> list[Line]:
    """The lines that a rule, a price or an offer is for."""
    where, but = rule.where, rule.except_
    return [
        line
        for line in lines
        if (where is None or where.matches(line)) and (but is None or not but.matches(line))
    ]


def _copy(account: Account) -> Account:
    return decode_account(encode_account(account))


def _turn(
    program: Program, plan: Plan, account: Account, event: Event, at: int, limits: dict[str, int]
) -> Turn:
    context = Context({}, {}, limits)
    turn = begin(account, plan.calendar, event, event.time, max(at, event.time), context, plan.at)
    if program.pilots:
        turn.plan_at = partial(program.plan_for, account)
    return turn


def _why(code: str) -> Sentence:
    return WHY[code]() if code in WHY else _CAP(cap=Name(code.removeprefix("cap ")))


def _left(lines: Sequence[Line], effects: Sequence[tuple[str, str, int]]) -> tuple[Line, ...]:
    """The lines as they cost after what the rules take off."""
    off: dict[str, int] = {}
    for line, _, amount in effects:
        off[line] = off.get(line, 0) + amount
    return tuple(
        structs.replace(line, amount=max(0, line.amount - off.get(line.id, 0))) for line in lines
    )


def _pays(plan: Plan, turn: Turn, lines: tuple[Line, ...]) -> list[Pays]:
    found = []
    body, event = turn.event.body, turn.event
    assert isinstance(body, Purchase)
    for reward in plan.rewards.values():
        money = reward.rate is not None or reward.rungs or reward.gives.money
        if not money or reward.issued != "on request":
            continue
        asked = Redeem(
            reward.name, member=body.member, lines=lines, location=body.location,
            channel=body.channel, partner=body.partner,
        )  # fmt: skip
        turn.event = structs.replace(event, body=asked, ask=True)
        one = Pays(reward.name, reward.title, rewards.unit_of(reward))
        try:
            households.may_burn(plan.household, turn)
            _, one.points, one.money = rewards.redeem(plan.rewards, plan.balances, turn, asked)
        except Refused as refused:
            one.code = refused.refusal.code
            one.why = No(one.code, refused.refusal.sentence)
        found.append(one)
    turn.event = event
    return found


def _offers(plan: Plan, turn: Turn, body: Purchase) -> list[WouldGive]:
    """What offers would do that are not loaded and can be: all of them together."""
    loaded = set()
    for name, offer in plan.offers.items():
        if turn.account.offers.get(name, (-1, 0))[0] < 0 and _meant(offer, body.lines):
            with suppress(Refused):
                order.HANDLERS[Load](plan, turn, Load(name))
                loaded.add(name)
    if not loaded:
        return []
    try:
        budgets.within(plan, turn, body, order.HANDLERS[Purchase])
    except Refused:
        return []
    found: dict[str, WouldGive] = {}
    for rule, balance, _, amount, *_ in turn.decision.fired:
        if rule in loaded:
            found[rule] = WouldGive(rule, plan.offers[rule].title, balance, amount)
    for _, rule, off in turn.decision.effects:
        if rule in loaded:
            one = found.setdefault(rule, WouldGive(rule, plan.offers[rule].title))
            one.off += off
    return list(found.values())
