"""Explain: why these points? An entry of the books in words.

Guarantee: every posting of an entry belongs to a sentence that names its rule or its
reason, and the sentences add up to the entry. Nothing is decided here: the sentences say
what is recorded. ``why_not`` decides again, with tracing on, and tells why other rules did
nothing; it needs the basket.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from kantis.core import dated
from kantis.core.account import Account, Posting
from kantis.core.amounts import Unit
from kantis.core.budgets import missed
from kantis.core.conditions import UNMET, Who, unmet
from kantis.core.decision import Context, Entry, FollowUp
from kantis.core.events import Carry, Event, Merged, Purchase, Referred
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
    TRANSIT,
    VOUCHER,
)
from kantis.core.sentences import (
    Amount,
    Day,
    Name,
    No,
    Phrase,
    Sentence,
    Template,
    Value,
)
from kantis.core.turn import Refused, begin
from kantis.engine import order
from kantis.engine.bringing import REASON as MERGE
from kantis.engine.explain_outward import PAYOUTS
from kantis.engine.explain_rules import TERMS, fired, phrase, unit_of, words
from kantis.engine.plan import Plan
from kantis.engine.program import Program
from kantis.features.balances import LOST
from kantis.features.counters import THOUSANDTHS


def explain(program: Program, entry: Entry, event: Event | None = None) -> list[Sentence]:
    """The sentences of an entry, the most important first."""
    moment = event.time if event is not None else entry.at
    plan = program.plan_of(entry.version, moment)
    tree = _tree(program, plan, moment)
    decision = entry.decision
    said: list[Sentence | None] = []
    if decision.refusal is not None:
        no = No(decision.refusal.code, decision.refusal.sentence)
        said.append(Template("Refused: {no} [{code}]")(no=no, code=no.code))
    facts = [fact for fact in decision.fired if fact[0] != "refund"]
    invited = event is not None and isinstance(event.body, Referred)
    said += [fired(plan, tree, facts, fact, invited) for fact in facts]
    said += [_effect(plan, each) for each in decision.effects]
    said += [_fee(plan, each) for each in decision.fees]
    said += _postings(plan, decision.postings, explained=bool(decision.fired))
    said += [_change(plan, change) for change in decision.changes]
    said += [_follow(follow) for follow in decision.follow_ups]
    if not any(said) or (event is not None and isinstance(event.body, Carry)):
        said += _counted(program.counted, decision.changes)
    short = Template("{rule} did not count: too little is left of its budget.")
    said += [short(rule=Name(each)) for each in missed(decision)]
    said += [Template("Marked for a look: {flag}.")(flag=flag) for flag in decision.flags]
    return [each for each in said if each is not None] or [Template("Nothing changed.")()]


def _counted(units: dict[str, Unit], changes: list[tuple[Any, ...]]) -> list[Sentence]:
    """What moved counters; said where it is all that happened, or was brought by hand."""
    moved = [each[1:] for each in changes if each[0] == "count" and each[1] in units]
    more = Template("{amount} counted for {counter}.")
    less = Template("{amount} no longer counted for {counter}.")
    return [
        (more if amount > 0 else less)(
            amount=_amount(units[name], abs(amount)), counter=Name(name, of="counters")
        )
        for name, _, amount in moved
        if amount
    ]


def _amount(unit: Unit, amount: int) -> Amount:
    """An amount with its unit; a measure, which has no name of its own, without needless zeros."""
    if unit is THOUSANDTHS:
        return Amount(Unit("", THOUSANDTHS.scale), amount, short=True)
    return Amount(unit, amount)


def words_of(program: Program, plan: Plan, moment: int, rule: str) -> Value:
    """What a rule gives or takes off, as the file says it."""
    return words(_tree(program, plan, moment), rule, *TERMS, "off")


def _tree(program: Program, plan: Plan, moment: int) -> dict[str, Any]:
    version = next(each for each in program.versions if each.number == plan.version)
    tree = dated.at(version.tree, plan.calendar.wall(moment))
    return tree.value if tree is not None else {}


def _effect(plan: Plan, effect: tuple[str, str, int]) -> Sentence:
    line, rule, amount = effect
    named = Name(rule)
    where = Template("line {line}")(line=line) if line else Template("the basket")()
    if amount < 0:
        undone = Template("{money} less was paid for {where} ({rule}); that is undone.")
        return undone(money=Amount(plan.money, -amount), where=where, rule=named)
    if not amount:
        kind = plan.vouchers.get(rule)
        if kind is not None and kind.good_for:
            used = Template("A voucher {rule} is used: {what}.")
            return used(rule=Name(rule, of="vouchers"), what=Phrase(kind.good_for))
        return Template("A voucher {rule} is used.")(rule=Name(rule, of="vouchers"))
    off = Template("{money} off {where}: {rule}.")
    return off(money=Amount(plan.money, amount), where=where, rule=named)


#: Why a fee was charged, or given back.
_FEES = {
    "first term": Template("first term"),
    "renewal": Template("renewal"),
    "upgrade": Template("upgrade"),
    "downgrade": Template("downgrade"),
    "refund": Template("refund"),
    "refund of the next term": Template("refund of the next term"),
    "not paid": Template("not paid"),
    "reinstatement": Template("reinstatement"),
}


def _fee(plan: Plan, fee: tuple[str, str, int]) -> Sentence:
    name, why, amount = fee
    back = Template("{money} given back for {name} ({why}).")
    charged = Template("{money} charged for {name} ({why}).")
    return (back if amount < 0 else charged)(
        money=Amount(plan.money, abs(amount)),
        name=Name(name),
        why=_FEES[why]() if why in _FEES else why,
    )


_REASONS = {
    "activation": Template("{points} became available."),
    "adjust": Template("{points} changed by hand."),
    "carry": Template("{points} came into the account."),
    "transfer": Template("{points} left for another member."),
    "existing": Template("{points} came with the new terms."),
    "households": Template("{points} went along with a member who left or joined."),
}
#: What came with another account that became a part of this one, by where it is; and what went
#: with this one.
_CAME = {
    AVAILABLE: Template("{points} came from the other card."),
    PENDING: Template("{points} that wait came from the other card."),
    HELD: Template("{points} that are set aside came from the other card."),
    VOUCHER: Template("{points} behind vouchers came from the other card."),
    PAYOUT: Template("{points} on their way as money came from the other card."),
}
_WENT = Template("{points} went along to the other card.")
_OWED_CAME, _OWED_WENT = (
    Template("{points} owed on the other card are owed here now."),
    Template("{points} owed here are owed on the other card now."),
)


def _postings(plan: Plan, postings: list[Posting], *, explained: bool) -> list[Sentence]:
    sums: dict[tuple[str, str, int, int], int] = {}
    for balance, source, target, amount, _, reason in postings:
        if balance not in plan.balances:
            continue
        key = (balance, reason, source, target)
        sums[key] = sums.get(key, 0) + amount
    said = []
    given_away = {each.gives_away for each in plan.payouts.sections.values()}
    for (balance, reason, source, target), amount in sums.items():
        if reason == PAYOUTS and source != PAYOUT:
            continue  # its facts say where it went
        if source == OWED and balance in given_away:
            continue  # the charity gives it back
        points = Amount(unit_of(plan, balance), amount)
        moved = _special(reason, source, target)
        if moved is not None:
            said.append(moved(points=points))
        elif reason == LOST:
            lost = Template("{points} lost: only some members may have {balance}.")
            said.append(lost(points=points, balance=Name(balance)))
        elif moved := _usual(reason, source, target):
            said.append(moved(points=points))
        elif not explained and (source, target) not in _SILENT:
            said.append(_alone(points, source, target, reason))
    return said


def _special(reason: str, source: int, target: int) -> Template | None:
    """What a move to a place means that says enough whatever the reason."""
    if reason == MERGE and TRANSIT in (source, target):
        if OWED in (source, target):
            return _OWED_CAME if source == OWED else _OWED_WENT
        return _CAME[target] if source == TRANSIT else _WENT
    if source == PAYOUT:
        if target == REDEEMED:
            return Template("{points} arrived.")
        return Template("{points} came back to you.")
    if target == FORFEITED:
        return Template("{points} forfeited, because what they waited for did not come in time.")
    if source == FORFEITED:
        return _FORFEITED.get(target)
    return None


#: What became of points that were forfeited, by the place they went to.
_FORFEITED = {
    AVAILABLE: Template("{points} reinstated."),
    EXPIRED: Template("{points} were not reinstated in time and expired."),
    REVERSED: Template("{points} can no longer be reinstated."),
}


def _usual(reason: str, source: int, target: int) -> Template | None:
    """What a move means, also beside rules that fired."""
    if target == EXPIRED:
        return Template("{points} expired.")
    if source == EXPIRED and target == AVAILABLE:
        return Template("{points} came back: you had been here in time.")
    if target == OWED:
        return Template("{points} paid what was owed.")
    if source == OWED:
        return Template("{points} owed, because the points were spent already.")
    if reason in _REASONS:
        return _REASONS[reason]
    if target == HELD:
        return Template("{points} set aside.")
    if source == HELD and target == AVAILABLE:
        return Template("{points} no longer set aside.")
    if target == PENDING and source == ISSUED:
        return Template("{points} can be spent a little later.")
    if target == VOUCHER:
        return Template("{points} became a voucher.")
    return _MOVED.get((source, target))


#: What a move between two places means.
_MOVED = {
    (VOUCHER, REDEEMED): Template("{points} stood behind the voucher, and are spent now."),
    (VOUCHER, AVAILABLE): Template(
        "{points} came back: the voucher that they were spent on is undone."
    ),
    (HELD, REDEEMED): Template("{points} that were set aside are spent now."),
}
#: The same, where no rule that fired says more.
_ALONE = {
    (REDEEMED, AVAILABLE): Template("{points} that were spent came back."),
    (ISSUED, AVAILABLE): Template("{points} came back at once, as new ones."),
    (CARRIED, AVAILABLE): Template("{points} have a new end."),
    (FORFEITED, CARRIED): Template("{points} reinstated."),
    (PENDING, REVERSED): Template("{points} will not come: what they waited for is void."),
    (AVAILABLE, REVERSED): Template("{points} that had come with it are taken back."),
    (AVAILABLE, REDEEMED): Template("{points} paid a part of it."),
}
#: Half of a move of which the other half is said.
_SILENT = ((AVAILABLE, CARRIED),)


def _alone(points: Amount, source: int, target: int, reason: str) -> Sentence:
    known = _ALONE.get((source, target))
    if known is not None:
        return known(points=points)
    return Template("{points} moved from {source} to {target} ({reason}).")(
        points=points,
        source=Phrase(CHART[source].name),
        target=Phrase(CHART[target].name),
        reason=reason,
    )


#: Why a level is what it is now.
_WHY = {
    "reached": Template("it was reached"),
    "kept": Template("it was reached again"),
    "ended": Template("the level before is over"),
    "review": Template("by the review of that day"),
    "refund": Template("what came back does not count"),
    "version": Template("by the new terms"),
    "carry": Template("it was brought along"),
    "households": Template("it was brought along"),
    "merge": Template("it came with the other card"),
}
#: Where a voucher stands now.
_STATES = {
    "used": Template("Voucher {code} is used."),
    "expired": Template("Voucher {code} is expired."),
    "reversed": Template("Voucher {code} is reversed."),
}


def _change(plan: Plan, change: tuple[Any, ...]) -> Sentence | None:
    if change[0] == "tier":
        return _level(plan, change)
    if change[0] == "plan":
        return _membership(change)
    if change[0] == "on plan":
        if change[3]:
            return Template("The benefits of {plan} begin.")(plan=Name(change[3]))
        return Template("Its benefits stop.")()
    if change[0] == "forfeit" and change[4]:
        return Template("They can come back until {day}.")(day=Day(change[3]))
    if change[0] == "voucher":
        _, code, kind, worth, _, _, _, expires = change
        money = Amount(plan.money, worth)
        return Template("Voucher {code} ({kind}){worth}{end}.")(
            code=code,
            kind=Name(kind, of="vouchers"),
            worth=Template(" worth {money}")(money=money) if worth else "",
            end=Template(", good until {day}")(day=Day(expires - 1)) if expires else "",
        )
    if change[0] == "voucher state":
        state = _STATES.get(change[2])
        return state(code=change[1]) if state is not None else None
    if change[0] == "offer" and change[2] >= 0:
        return Template("The offer {offer} is loaded.")(offer=Name(change[1], of="offers"))
    if change[0] == "join":
        return Template("The account was opened.")()
    if change[0] == "choose":
        chosen = Template("The choice of {choice} is {option}.")
        return chosen(choice=Name(change[1], of="choices"), option=Name(change[3], of="partners"))
    if change[0] == "know":
        return _known(change[1], change[3])
    return _shared(plan, change)


def _level(plan: Plan, change: tuple[Any, ...]) -> Sentence:
    """Which level the account has now, and why."""
    _, group, level, _, until, why = change
    names = next((each.levels for each in (*plan.tiers, *plan.own_tiers) if each.name == group), [])
    return Template("{group} is {level}{end}: {why}.")(
        group=Name(group),
        level=Name(names[level] if level < len(names) else str(level)),
        end=Template(" until {day}")(day=Day(until - 1)) if until else "",
        why=_WHY[why]() if why in _WHY else why,
    )


def _known(fact: str, value: str) -> Sentence:
    """What is known of the account from now on."""
    what, _, name = fact.partition(" ")
    if what == "referral":
        came = Template("Came by the invitation {referral} of {account}.")
        return came(referral=Name(name, of="referrals"), account=value.removeprefix("account:"))
    if what == "segment":
        now = Template("From now on in the segment {segment}.")
        past = Template("No longer in the segment {segment}.")
        return (now if value == "yes" else past)(segment=Name(name))
    if what == "drawn":
        return Template("A lot was drawn for the segment {segment}.")(segment=Name(name))
    if what == "trial":
        return Template("The trial of {plan} is used up.")(plan=Name(name))
    return Template("It is known that {fact} is {value}.")(fact=Name(fact), value=Name(value))


def _follow(follow: FollowUp) -> Sentence | None:
    """What another account is told because of it."""
    account = follow.subject.removeprefix("account:")
    if isinstance(follow.body, Referred):
        undone = Template("{account}, who invited, is told that it is undone.")
        told = Template("{account}, who invited, is told.")
        return (undone if follow.body.undone else told)(account=account)
    if isinstance(follow.body, Carry | Merged):
        return None
    return Template("Sent on to {account}.")(account=account)


def _towards(plan: Plan, counter: str, amount: int) -> Sentence | None:
    """What was counted towards a challenge or an invitation, or no longer is."""
    room, _, name = counter.partition(" ")
    unit = plan.money
    if room == "challenge" and name in plan.challenges:
        goal = plan.challenges[name].section.goal
        if goal.counts == "measure":
            unit = THOUSANDTHS
        elif goal.counts != "spend":
            unit = Unit(goal.counts, one=goal.counts[:-1])
        more = Template("{amount} counted towards the challenge {name}.")
        less = Template("{amount} no longer counted towards the challenge {name}.")
    elif room == "referral" and name in plan.referrals:
        more = Template("{amount} counted towards the referral {name}.")
        less = Template("{amount} no longer counted towards the referral {name}.")
    else:
        return None
    return (more if amount > 0 else less)(
        amount=_amount(unit, abs(amount)), name=Name(name, of=f"{room}s")
    )


def _shared(plan: Plan, change: tuple[Any, ...]) -> Sentence | None:
    """What a change means for the members who share an account."""
    if change[0] == "member":
        _, name, role, _, burns, _ = change
        if role == "lead":
            return Template("{name} is the lead, and may spend.")(name=name)
        may = Template("{name} is a member, and may spend.")
        not_ = Template("{name} is a member, and may not spend.")
        return (may if burns else not_)(name=name)
    if change[0] == "merged":
        _, number, card, *_ = change
        part = Template("The card {card} became a part of this account, with all that was on it.")
        nameless = Template("Account {account} became a part of this one, with all that was on it.")
        return part(card=card) if card else nameless(account=str(number))
    if change[0] == "away":
        return _away(change[1], change[2])
    if change[0] == "left":
        return Template("{name} is no member any more.")(name=change[1])
    if change[0] == "count":
        return _towards(plan, change[1], change[3])
    if change[0] == "of" and change[2] == "tier":
        level = _level(plan, change[2:])
        return Template("Of {name}: {level}")(name=change[1], level=level)
    if change[0] == "of" and change[2] == "count":
        _, name, _, counter, _, amount = change
        what, _, balance = counter.partition(" ")
        if what == "redeemed" and balance in plan.balances:
            spent = Template("{points} of it count as spent by {name}.")
            back = Template("{points} of it no longer count as spent by {name}.")
            points = Amount(unit_of(plan, balance), abs(amount))
            return (back if amount < 0 else spent)(points=points, name=name)
    return None


def _away(account: str, name: str) -> Sentence:
    """Of which account the account is a part, or which its member shares."""
    if not account:
        return Template("Its member shares no other account any more.")()
    if not name:
        part = Template("It is a part of {account} from now on.")
        return part(account=account.removeprefix("account:"))
    shares = Template("Its member shares {account} from now on, as {name}.")
    return shares(account=account.removeprefix("account:"), name=name)


def _membership(change: tuple[Any, ...]) -> Sentence:
    """Where the account stands with a plan, in words."""
    _, _, plan, period, state, _, _, until, _, _, _, _, renews, following, next_period, _ = change
    named, end = Name(plan), Day(until - 1)
    if state == "ended":
        return Template("{plan} has ended.")(plan=named)
    if state == "unpaid":
        return Template("{plan} is unpaid.")(plan=named)
    trial, paid = Template("{plan} is on trial until {day}"), Template("{plan} is paid until {day}")
    what = (trial if state == "trial" else paid)(plan=named, day=end)
    if not renews:
        return Template("{what} and ends then.")(what=what)
    if following or next_period:
        then = Template("{what}; then {plan} per {period}.")
        return then(what=what, plan=Name(following or plan), period=Phrase(next_period or period))
    return Template("{what}.")(what=what)


def why_not(program: Program, account: Account, event: Event) -> list[tuple[str, str]]:
    """(rule, reason) of the rules that did nothing for a purchase that was not refused."""
    if not isinstance(event.body, Purchase):
        return []
    plan = program.plan_for(account, event.time)
    said = _tree(program, plan, event.time)
    turn = begin(account, plan.calendar, event, event.time, account.at, Context())
    turn.trace = []
    with suppress(Refused):  # then no rule was asked
        order.HANDLERS[Purchase](plan, turn, event.body)
    return [(rule, _silent(said, rule, why)) for rule, why in turn.trace]


def _silent(tree: dict[str, Any], rule: str, why: str) -> str:
    """Why a rule did nothing, with what its file says of that."""
    if why.startswith("cap "):
        capped = str(words(tree, rule, "cap"))
        return f"its cap is used up: {capped}" if " " in capped else f"the cap {capped} is used up"
    if why == "budget":
        return "too little is left of its budget"
    if why == "not loaded":
        return "the offer is not loaded"
    if why in ("tier", "segment", "choice", "plan", "age"):
        return unmet(why, Who(said=phrase(tree, rule, "who")))
    if why in UNMET:
        key = "when" if why in ("date", "weekday", "hour", "birthday", "joining") else f"if {why}"
        terms = words(tree, rule, key)
        return f"{UNMET[why]}: {terms}" if terms else UNMET[why]
    return why
