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
from kantis.core.conditions import UNMET, Who, unmet
from kantis.core.decision import Context, Entry, FollowUp
from kantis.core.events import Carry, Event, Purchase, Referred
from kantis.core.places import (
    AVAILABLE,
    CARRIED,
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
from kantis.core.turn import begin
from kantis.engine import order
from kantis.engine.explain_outward import PAYOUTS
from kantis.engine.explain_rules import TERMS, fired, phrase, unit_of, words
from kantis.engine.plan import Plan
from kantis.engine.program import Program
from kantis.features.balances import LOST
from kantis.features.counters import THOUSANDTHS


def explain(program: Program, entry: Entry, event: Event | None = None) -> list[str]:
    """The sentences of an entry, the most important first."""
    moment = event.time if event is not None else entry.at
    plan = program.plan_of(entry.version, moment)
    tree = _tree(program, plan, moment)
    decision = entry.decision
    said = []
    if decision.refusal is not None:
        said.append(f"Refused: {decision.refusal.sentence} [{decision.refusal.code}]")
    facts = [fact for fact in decision.fired if fact[0] != "refund"]
    invited = event is not None and isinstance(event.body, Referred)
    said += [fired(plan, tree, facts, fact, invited) for fact in facts]
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
    how = {True: "counted for", False: "no longer counted for"}
    return [
        f"{_amount(units[name], abs(amount))} {how[amount > 0]} {name}."
        for name, _, amount in moved
        if amount
    ]


def _amount(unit: Unit, amount: int) -> str:
    """An amount with its unit; a measure, which has no name of its own, without needless zeros."""
    if unit is THOUSANDTHS:
        return unit.number(amount).rstrip("0").rstrip(".")
    return unit.show(amount)


def words_of(program: Program, plan: Plan, moment: int, rule: str) -> str:
    """What a rule gives or takes off, as the file says it."""
    return words(_tree(program, plan, moment), rule, *TERMS, "off")


def _tree(program: Program, plan: Plan, moment: int) -> dict[str, Any]:
    version = next(each for each in program.versions if each.number == plan.version)
    tree = dated.at(version.tree, plan.calendar.wall(moment))
    return tree.value if tree is not None else {}


def _effect(plan: Plan, effect: tuple[str, str, int]) -> str:
    line, rule, amount = effect
    where = f" line {line}" if line else " the basket"
    if amount < 0:
        return f"{plan.money.show(-amount)} less was paid for{where} ({rule}); that is undone."
    if not amount:
        kind = plan.vouchers.get(rule)
        what = f": {kind.good_for}" if kind is not None and kind.good_for else ""
        return f"A voucher {rule} is used{what}."
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
    given_away = {each.gives_away for each in plan.payouts.sections.values()}
    for (balance, reason, source, target), amount in sums.items():
        points = unit_of(plan, balance).show(amount)
        if reason == PAYOUTS and source != PAYOUT:
            continue  # its facts say where it went
        if source == OWED and balance in given_away:
            continue  # the charity gives it back
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
        elif found := _MOVED.get((source, target), ""):
            said.append(found.format(points=points))
        elif not explained:
            places = f"from {CHART[source].name} to {CHART[target].name}"
            other = f"{points} moved {places} ({reason})."
            said.append(_ALONE.get((source, target), other).format(points=points))
    return [each for each in said if each]


#: What a move between two places means.
_MOVED = {
    (VOUCHER, REDEEMED): "{points} stood behind the voucher, and are spent now.",
    (VOUCHER, AVAILABLE): "{points} came back: the voucher that they were spent on is undone.",
    (HELD, REDEEMED): "{points} that were set aside are spent now.",
}
#: The same, where no rule that fired says more.
_ALONE = {
    (REDEEMED, AVAILABLE): "{points} that were spent came back.",
    (ISSUED, AVAILABLE): "{points} came back at once, as new ones.",
    (AVAILABLE, CARRIED): "",
    (CARRIED, AVAILABLE): "{points} have a new end.",
    (FORFEITED, CARRIED): "{points} reinstated.",
    (PENDING, REVERSED): "{points} will not come: what they waited for is void.",
    (AVAILABLE, REVERSED): "{points} that had come with it are taken back.",
    (AVAILABLE, REDEEMED): "{points} paid a part of it.",
}

#: Why a level is what it is now.
_WHY = {
    "reached": "it was reached",
    "kept": "it was reached again",
    "ended": "the level before is over",
    "review": "by the review of that day",
    "refund": "what came back does not count",
    "version": "by the new terms",
    "carry": "it was brought along",
    "households": "it was brought along",
}


def _change(plan: Plan, change: tuple[Any, ...]) -> str:
    if change[0] == "tier":
        _, group, level, _, until, why = change
        names = next(
            (each.levels for each in (*plan.tiers, *plan.own_tiers) if each.name == group), []
        )
        name = names[level] if level < len(names) else str(level)
        end = f" until {show_day(until - 1)}" if until else ""
        return f"{group} is {name}{end}: {_WHY.get(why, why)}."
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
        return f"Came by the invitation {change[1][9:]} of {change[3].removeprefix('account:')}."
    if change[0] == "know" and change[1].startswith("segment "):
        now = "From now on" if change[3] == "yes" else "No longer"
        return f"{now} in the segment {change[1][8:]}."
    if change[0] == "know" and change[1].startswith("trial "):
        return f"The trial of {change[1][6:]} is used up."
    if change[0] == "know":
        return f"It is known that {change[1]} is {change[3]}."
    return _shared(plan, change)


def _follow(follow: FollowUp) -> str:
    """What another account is told because of it."""
    if isinstance(follow.body, Referred):
        undone = " that it is undone" if follow.body.undone else ""
        return f"{follow.subject.removeprefix('account:')}, who invited, is told{undone}."
    return (
        ""
        if isinstance(follow.body, Carry)
        else f"Sent on to {follow.subject.removeprefix('account:')}."
    )


def _towards(plan: Plan, counter: str, amount: int) -> str:
    """What was counted towards a challenge or an invitation, or no longer is."""
    room, _, name = counter.partition(" ")
    unit = plan.money
    if room == "challenge" and name in plan.challenges:
        goal = plan.challenges[name].section.goal
        if goal.counts == "measure":
            unit = THOUSANDTHS
        elif goal.counts != "spend":
            unit = Unit(goal.counts, one=goal.counts[:-1])
    elif room != "referral" or name not in plan.referrals:
        return ""
    more = "counted" if amount > 0 else "no longer counted"
    return f"{_amount(unit, abs(amount))} {more} towards the {room} {name}."


def _shared(plan: Plan, change: tuple[Any, ...]) -> str:
    """What a change means for the members who share an account."""
    if change[0] == "member":
        _, name, role, _, burns, _ = change
        may = "may" if burns or role == "lead" else "may not"
        return f"{name} is {'the lead' if role == 'lead' else 'a member'}, and {may} spend."
    if change[0] == "away" and change[1] and not change[2]:
        return f"It is a part of {change[1]} from now on."
    if change[0] == "away" and change[1]:
        return (
            f"Its member shares {change[1].removeprefix('account:')} from now on, as {change[2]}."
        )
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
            points = unit_of(plan, balance).show(abs(amount))
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
    said = _tree(program, plan, event.time)
    return [(rule, _silent(said, rule, why)) for rule, why in turn.trace]


def _silent(tree: dict[str, Any], rule: str, why: str) -> str:
    """Why a rule did nothing, with what its file says of that."""
    if why.startswith("cap "):
        capped = words(tree, rule, "cap")
        return f"its cap is used up: {capped}" if " " in capped else f"the cap {capped} is used up"
    if why == "not loaded":
        return "the offer is not loaded"
    if why in ("tier", "segment", "choice", "plan", "age"):
        return unmet(why, Who(said=phrase(tree, rule, "who")))
    if why in UNMET:
        key = "when" if why in ("date", "weekday", "hour", "birthday", "joining") else f"if {why}"
        terms = words(tree, rule, key)
        return f"{UNMET[why]}: {terms}" if terms else UNMET[why]
    return why
