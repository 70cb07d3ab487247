"""Explain: why these points? An entry of the books in words.

Guarantee: every posting of an entry belongs to a sentence that names its rule or its
reason, and the sentences add up to the entry. Nothing is decided here: the sentences say
what is recorded. ``why_not`` decides again, with tracing on, and tells why other rules did
nothing; it needs the basket.
"""

from __future__ import annotations

from typing import Any

from kantis.core import dated
from kantis.core.account import Account, Posting
from kantis.core.amounts import Unit
from kantis.core.calendar import show_day
from kantis.core.decision import Context, Entry, FollowUp
from kantis.core.events import Carry, Event, Purchase, Referred
from kantis.core.knobs import Node
from kantis.core.phrases import text_of
from kantis.core.places import (
    AVAILABLE,
    CHART,
    EXPIRED,
    FORFEITED,
    HELD,
    ISSUED,
    OWED,
    PAYOUT,
    PENDING,
    REDEEMED,
    REVERSED,
    VOUCHER,
)
from kantis.core.rates import exact, rounded
from kantis.core.turn import begin
from kantis.engine import order
from kantis.engine.explain_outward import PAYOUTS, outside
from kantis.engine.plan import Plan
from kantis.engine.program import Program
from kantis.features.balances import LOST
from kantis.features.counters import THOUSANDTHS

_RULES = (
    "earning",
    "offers",
    "prices",
    "rewards",
    "cycles",
    "referrals",
    "challenges",
    "plans",
)


def explain(program: Program, entry: Entry, event: Event | None = None) -> list[str]:
    """The sentences of an entry, the most important first."""
    moment = event.time if event is not None else entry.at
    plan = program.plan_of(entry.version, moment)
    tree = _tree(program, plan, moment)
    decision = entry.decision
    said = []
    if decision.refusal is not None:
        said.append(f"Refused: {decision.refusal.sentence} [{decision.refusal.code}]")
    said += [_fired(plan, tree, fact) for fact in decision.fired if fact[0] != "refund"]
    said += [_effect(plan, each) for each in decision.effects]
    said += [_fee(plan, each) for each in decision.fees]
    said += _postings(plan, decision.postings, explained=bool(decision.fired))
    said += [each for change in decision.changes if (each := _change(plan, change))]
    said += [each for follow in decision.follow_ups if (each := _follow(follow))]
    if not said or (event is not None and isinstance(event.body, Carry)):
        said += _counted(program.counted, decision.changes)
    said += [f"Marked for a look: {flag}." for flag in decision.flags]
    return [each for each in said if each] or ["Nothing changed."]


def _counted(units: dict[str, Unit], changes: list[tuple[Any, ...]]) -> list[str]:
    """What moved counters; said where it is all that happened, or was brought by hand."""
    moved = [each[1:] for each in changes if each[0] == "count" and each[1] in units]
    return [f"{_amount(units[name], amount)} counted for {name}." for name, _, amount in moved]


def _amount(unit: Unit, amount: int) -> str:
    """An amount with its unit; a measure, which has no name of its own, without needless zeros."""
    if unit is THOUSANDTHS:
        return unit.number(amount).rstrip("0").rstrip(".")
    return unit.show(amount)


def words_of(program: Program, plan: Plan, moment: int, rule: str) -> str:
    """What a rule gives or takes off, as the file says it."""
    return _words(_tree(program, plan, moment), rule, *_TERMS, "off")


def _tree(program: Program, plan: Plan, moment: int) -> dict[str, Any]:
    version = next(each for each in program.versions if each.number == plan.version)
    tree = dated.at(version.tree, plan.calendar.wall(moment))
    return tree.value if tree is not None else {}


def _words(tree: dict[str, Any], rule: str, *keys: str) -> str:
    """What the file says of a rule under one of the keys, as it is written.

    A rule that stands for one partner of several says the partner's rate.
    """
    base, _, partner = rule.rpartition(" ")
    entries = tree.get("partners")
    child = entries.value.get(partner) if base and entries is not None else None
    if child is not None and "give" in child.value and "give" in keys:
        return _flat(child.value["give"])
    for section in _RULES:
        entries = tree.get(section)
        child = entries.value.get(rule) if entries is not None else None
        if child is None:
            continue
        for key in keys:
            first, _, second = key.partition(" ")
            value = child.value.get(first)
            if value is not None and second:
                value = value.value.get(second)
            if value is not None:
                return _flat(value)
    return ""


def _flat(node: Node) -> str:
    if isinstance(node.value, dict):
        return ", ".join(f"{key}: {_flat(value)}" for key, value in node.value.items())
    if isinstance(node.value, list):
        return ", ".join(_flat(each) for each in node.value)
    return text_of(node)


def _unit(plan: Plan, name: str) -> Unit:
    balance = plan.balances.get(name)
    return balance.unit if balance is not None else Unit(name)


def _fired(plan: Plan, tree: dict[str, Any], fact: tuple[Any, ...]) -> str:
    rule, balance, base, points, lot, plain = fact
    unit = _unit(plan, balance)
    if isinstance(base, str):
        return outside(plan, fact)
    if rule in plan.entitlements.sections:
        return f"Entitled to {rule}: {plan.entitlements.sections[rule].good_for}."
    if rule in plan.rewards and not balance:
        what = _words(tree, rule, "gives")
        return f"The reward {rule} came by itself: {what}."
    if rule in plan.rewards:
        return f"{unit.show(points)} spent on {rule}, worth {plan.money.show(plain)}."
    if rule in plan.cycles:
        worth = plan.money.show(plain)
        return f"{unit.show(points)} of {unit.show(base)} turned into {worth} ({rule})."
    if points < 0:
        return f"{unit.show(-points)} taken back that {rule} had given."
    if rule in plan.challenges:
        won = f"The challenge {rule} is won: {_words(tree, rule, 'streak', 'goal')}"
        return f"{won}. {unit.show(points)} for it." if points else f"{won}."
    said = f"{unit.show(points)} for {rule}"
    if (lots := _funder(plan, rule)) and lot:
        said += f", funded by {lots}"
    earner = plan.earning.by_name.get(rule)
    terms = _level_terms(plan, tree, rule, base, plain) or _words(tree, rule, *_TERMS)
    if terms:
        said += f": {terms}"
    if earner is not None and earner.rule.over is None:
        if earner.per == "money" or not earner.per:
            said += f", on {plan.money.show(base)}"
        elif earner.per == "item":
            said += f", for {base} {'item' if base == 1 else 'items'}"
    if plain > points:
        said += f"; a cap left {unit.show(points)} of {unit.show(plain)}"
    return said + "."


_TERMS = ("give", "multiply", "add", "bonus")


def _level_terms(plan: Plan, tree: dict[str, Any], rule: str, base: int, plain: int) -> str:
    """The rate of the level that was applied: the one that gives these points."""
    earner = plan.earning.by_name.get(rule)
    if earner is None or not earner.give.group:
        return ""
    levels = next(each.levels for each in plan.tiers if each.name == earner.give.group)
    for level, _ in earner.give.by_level:
        if rounded(exact(earner.give, base, level), earner.rule.round) == plain:
            return f"{_words(tree, rule, f'give {levels[level]}')} ({levels[level]})"
    return ""


def _funder(plan: Plan, rule: str) -> str:
    earner = plan.earning.by_name.get(rule)
    return earner.rule.funded_by if earner is not None else ""


def _effect(plan: Plan, effect: tuple[str, str, int]) -> str:
    line, rule, amount = effect
    where = f" line {line}" if line else " the basket"
    if amount < 0:
        return f"{plan.money.show(-amount)} less was paid for{where} ({rule}); that is undone."
    return f"{plan.money.show(amount)} off{where}: {rule}."


def _fee(plan: Plan, fee: tuple[str, str, int]) -> str:
    name, why, amount = fee
    if amount < 0:
        return f"{plan.money.show(-amount)} given back for {name} ({why})."
    return f"{plan.money.show(amount)} charged for {name} ({why})."


_REASONS = {
    "activation": "became available",
    "adjust": "changed by hand",
    "carry": "came into the account",
    "transfer": "left for another member",
    "existing": "came with the new terms",
    "households": "went along with a member who left or joined",
}


def _postings(plan: Plan, postings: list[Posting], *, explained: bool) -> list[str]:
    sums: dict[tuple[str, str, int, int], int] = {}
    for balance, source, target, amount, _, reason in postings:
        if balance not in plan.balances:
            continue
        key = (balance, reason, source, target)
        sums[key] = sums.get(key, 0) + amount
    said = []
    for (balance, reason, source, target), amount in sums.items():
        points = _unit(plan, balance).show(amount)
        if reason == PAYOUTS and source != PAYOUT:
            continue  # its facts say where it went
        if source == PAYOUT:
            arrived = target == REDEEMED
            said.append(f"{points} arrived." if arrived else f"{points} came back to you.")
        elif target == FORFEITED:
            said.append(f"{points} forfeited, because what they waited for did not come in time.")
        elif source == FORFEITED and target == AVAILABLE:
            said.append(f"{points} reinstated.")
        elif source == FORFEITED and target == EXPIRED:
            said.append(f"{points} were not reinstated in time and expired.")
        elif source == FORFEITED and target == REVERSED:
            said.append(f"{points} can no longer be reinstated.")
        elif reason == LOST:
            said.append(f"{points} lost: only some members may have {balance}.")
        elif target == EXPIRED:
            said.append(f"{points} expired.")
        elif source == EXPIRED and target == AVAILABLE:
            said.append(f"{points} came back: you had been here in time.")
        elif target == OWED:
            said.append(f"{points} paid what was owed.")
        elif source == OWED:
            said.append(f"{points} owed, because the points were spent already.")
        elif reason in _REASONS:
            said.append(f"{points} {_REASONS[reason]}.")
        elif target == HELD:
            said.append(f"{points} set aside.")
        elif source == HELD and target == AVAILABLE:
            said.append(f"{points} no longer set aside.")
        elif target == PENDING and source == ISSUED:
            said.append(f"{points} can be spent a little later.")
        elif target == VOUCHER:
            said.append(f"{points} became a voucher.")
        elif not explained:
            places = f"from {CHART[source].name} to {CHART[target].name}"
            said.append(f"{points} moved {places} ({reason}).")
    return said


def _change(plan: Plan, change: tuple[Any, ...]) -> str:
    if change[0] == "tier":
        _, group, level, _, until, why = change
        names = next((each.levels for each in plan.tiers if each.name == group), [])
        name = names[level] if level < len(names) else str(level)
        end = f" until {show_day(until - 1)}" if until else ""
        return f"{group} is {name}{end} ({why})."
    if change[0] == "plan":
        return _membership(change)
    if change[0] == "on plan":
        return f"The benefits of {change[3]} begin." if change[3] else "Its benefits stop."
    if change[0] == "forfeit" and change[4]:
        return f"They can come back until {show_day(change[3])}."
    if change[0] == "voucher":
        _, code, kind, worth, _, _, _, expires = change
        end = f", good until {show_day(expires - 1)}" if expires else ""
        money = f" worth {plan.money.show(worth)}" if worth else ""
        return f"Voucher {code} ({kind}){money}{end}."
    if change[0] == "voucher state":
        return "" if change[2] == "gone" else f"Voucher {change[1]} is {change[2]}."
    if change[0] == "offer" and change[2] >= 0:
        return f"The offer {change[1]} is loaded."
    if change[0] == "join":
        return "The account was opened."
    if change[0] == "choose":
        return f"The choice of {change[1]} is {change[3]}."
    if change[0] == "know" and change[1].startswith("referral "):
        return f"Came by the invitation {change[1][9:]} of {change[3]}."
    if change[0] == "know":
        return f"It is known that {change[1]} is {change[3]}."
    return _shared(plan, change)


def _follow(follow: FollowUp) -> str:
    """What another account is told because of it."""
    if isinstance(follow.body, Referred):
        undone = " that it is undone" if follow.body.undone else ""
        return f"{follow.subject}, who invited, is told{undone}."
    return "" if isinstance(follow.body, Carry) else f"Sent on to {follow.subject}."


def _towards(plan: Plan, counter: str, amount: int) -> str:
    """What was counted towards a challenge or an invitation, or no longer is."""
    room, _, name = counter.partition(" ")
    unit = plan.money
    if room == "challenge" and name in plan.challenges:
        goal = plan.challenges[name].section.goal
        if goal.counts != "spend":
            unit = Unit(goal.counts, 3 if goal.counts == "measure" else 0)
    elif room != "referral" or name not in plan.referrals:
        return ""
    more = "counted" if amount > 0 else "no longer counted"
    return f"{unit.show(abs(amount))} {more} towards the {room} {name}."


def _shared(plan: Plan, change: tuple[Any, ...]) -> str:
    """What a change means for the members who share an account."""
    if change[0] == "member":
        _, name, role, _, burns, _ = change
        may = "may" if burns or role == "lead" else "may not"
        return f"{name} is {'the lead' if role == 'lead' else 'a member'}, and {may} spend."
    if change[0] == "away" and change[1] and not change[2]:
        return f"It is a part of {change[1]} from now on."
    if change[0] == "away" and change[1]:
        return f"Its member shares {change[1]} from now on, as {change[2]}."
    if change[0] == "away":
        return "Its member shares no other account any more."
    if change[0] == "left":
        return f"{change[1]} is no member any more."
    if change[0] == "count":
        return _towards(plan, change[1], change[3])
    if change[0] == "of" and change[2] == "tier":
        return f"Of {change[1]}: {_change(plan, change[2:])}"
    if change[0] == "of" and change[2] == "count":
        _, name, _, counter, _, amount = change
        what, _, balance = counter.partition(" ")
        if what == "redeemed" and balance in plan.balances:
            points = _unit(plan, balance).show(abs(amount))
            return f"{points} of it {'no longer ' if amount < 0 else ''}count as spent by {name}."
    return ""


def _membership(change: tuple[Any, ...]) -> str:
    """Where the account stands with a plan, in words."""
    _, _, plan, period, state, _, _, until, _, _, _, _, renews, following, next_period, _ = change
    end = show_day(until - 1)
    if state == "ended":
        return f"{plan} has ended."
    if state == "unpaid":
        return f"{plan} is unpaid."
    what = f"{plan} is on trial until {end}" if state == "trial" else f"{plan} is paid until {end}"
    if not renews:
        return f"{what} and ends then."
    if following or next_period:
        return f"{what}; then {following or plan} per {next_period or period}."
    return f"{what}."


def why_not(program: Program, account: Account, event: Event) -> list[tuple[str, str]]:
    """(rule, reason) of the rules that did nothing for a purchase, decided again on this state."""
    if not isinstance(event.body, Purchase):
        return []
    plan = program.plan_for(account, event.time)
    turn = begin(account, plan.calendar, event, event.time, account.at, Context())
    turn.trace = []
    order.HANDLERS[Purchase](plan, turn, event.body)
    return turn.trace
