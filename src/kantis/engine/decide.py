"""Decide: the one pure function.

``decide(program, account, event, context)`` gives the entries that an event makes: first
those of the time that has passed, then its own. There is no clock, no dice, no I/O and no
fraction in it; the till, an import, a quote and a what-if all call it.

Guarantee: the same program, account, event and context give the same bytes. Advancing to
one instant and then to a later one equals advancing to the later one.
"""

from __future__ import annotations

from functools import partial

from kantis.core.account import NEVER, Account
from kantis.core.decision import Context, Decision, Entry, Needs, Refusal
from kantis.core.events import Body, Cancel, Claim, Event, Purchase, Redeem, Refund, Tick, named
from kantis.core.turn import Refused, Turn, begin
from kantis.engine import budgets, carry, merging, order, outward, periods, sharing, waking
from kantis.engine.plan import Plan
from kantis.engine.program import Program
from kantis.features import balances, rewards

_NOTHING = Context()
_NO_NEEDS = Needs()


def needs(program: Program, account: Account, event: Event) -> Needs:
    """What the decision has to see beside the account."""
    body = event.body
    if isinstance(body, Purchase):
        return _budgets(program, account, event) if program.budgeted else _NO_NEEDS
    if account.away[0] and merging.merged(account):
        return _NO_NEEDS
    if isinstance(body, Refund | Cancel):
        return Needs(originals=(named(event, body),))
    if isinstance(body, Claim):
        return Needs(receipts=(body.receipt,), limits=program.budgeted)
    if isinstance(body, Redeem):
        branch = _branch(program, account, event) if program.pilots else program
        reward = branch.plan(event.time).rewards.get(body.reward)
        if reward is not None and reward.stock:
            return Needs(limits=(f"stock {reward.name}",))
    return _budgets(program, account, event) if program.budgeted else Needs()


def _budgets(program: Program, account: Account, event: Event) -> Needs:
    """The budgets that a decision has to see."""
    branch, body = _branch(program, account, event) if program.pilots else program, event.body
    plan = branch.plan(event.time)
    if plan.booking and isinstance(body, Purchase) and body.booked:
        plan = branch.plan(body.booked)
    return Needs(limits=budgets.limits_for(plan, account, event))


def decide(
    program: Program, account: Account, event: Event, context: Context | None = None
) -> list[Entry]:
    """The entries of the time that passed, and last the event's own; the account is changed.

    ``event.received`` is the instant to which the account is advanced (0: the event's own
    time). An event before the account's last entry is late: it is decided as of its own
    time and changes nothing that was decided after it.
    """
    upto = event.received or event.time
    entries = advance(program, account, upto) if account.due <= upto else []
    at = upto if upto > account.at else account.at
    moment = event.time
    branch = program
    gone = bool(account.away[0]) and merging.merged(account)
    if program.pilots and not gone:
        if entered := _enter(program, account, event, at):
            entries += [*entered, *advance(program, account, at)]
        branch = _branch(program, account, event)
    plan = branch.plan(moment)
    body = event.body
    if plan.booking and isinstance(body, Purchase) and body.booked:
        plan = branch.plan(body.booked)
    context = merging.here(plan, account, context or _NOTHING)
    turn = begin(account, plan.calendar, event, moment, at, context, plan.at)
    if program.pilots:
        turn.plan_at = partial(program.plan_for, account)
    if not account.joined:
        _join(program, turn, plan)
    try:
        if not _elsewhere(turn, body):
            if program.budgeted:
                budgets.within(plan, turn, body, order.HANDLERS[type(body)])
            else:
                order.HANDLERS[type(body)](plan, turn, body)
        if plan.picked:
            periods.settle_again(plan.earning, turn)
        if plan.by_itself and rewards.may_come(plan.by_itself, account):
            order.rewards_by_itself(plan, turn)
        if plan.outward:
            outward.run(plan, turn)
        if account.members:
            order.attribute(plan, turn)
    except Refused as refused:
        _refuse(turn, refused.refusal)
    if account.away[0] and merging.merged(account):
        account.due = NEVER
    entries.append(_entry(account, turn.decision, at, plan.version, event.key))
    return entries


def _elsewhere(turn: Turn, body: Body) -> bool:
    """Whether what has happened is sent on to another account, or to what it became here."""
    account = turn.account
    if account.away[0]:
        send = merging.forward if merging.merged(account) else sharing.forward
        return send(turn, body)
    return bool(account.merged) and merging.sent_on(turn, body)


def _branch(program: Program, account: Account, event: Event) -> Program:
    """What holds for an account at an event: the pilots that it is in, and that it enters."""
    found, pilot = program.entered(account, event.time), program.enters(account, event)
    return program.branch(found | {pilot.number} if pilot is not None else found)


def _enter(program: Program, account: Account, event: Event, at: int) -> list[Entry]:
    """An account that comes to a location of a pilot is in it from then on, by an entry of its
    own; one that is new is so without one, because nothing is there yet."""
    pilot = program.enters(account, event)
    if pilot is None or not account.joined:
        return []
    before = program.plan_for(account, at)
    branch = program.branch(program.entered(account, at) | {pilot.number})
    plan = branch.plan(at)
    turn = begin(account, plan.calendar, _TICK, at, at, _NOTHING, plan.at)
    turn.change("know", pilot.fact, event.time, "yes")
    carry.enter(plan, turn, before, branch.plan(pilot.since))
    turn.wake_at(at)
    return [_entry(account, turn.decision, at, plan.version, "")]


def _join(program: Program, turn: Turn, plan: Plan) -> None:
    pilot = program.enters(turn.account, turn.event) if program.pilots else None
    turn.change("join", turn.day)
    turn.change("wake", max(0, plan.since))
    if pilot is not None:
        turn.change("know", pilot.fact, turn.moment, "yes")
    turn.wake_at(waking.calm(plan, turn.account, turn.at))


def _refuse(turn: Turn, refusal: Refusal) -> None:
    """An ask gets its no; a tell is recorded with a flag. Either way nothing else was done."""
    opened = turn.decision.changes[:1] and turn.decision.changes[0][0] == "join"
    first = ("join", "wake", "know") if opened else ()
    made = [each for each in turn.decision.changes if each[0] not in first]
    done = [*turn.decision.postings, *made]
    assert not done, f"refused half way: {refusal.code}"
    turn.decision.effects = ()
    turn.decision.refusal = refusal
    if not turn.event.ask:
        turn.flag(refusal.code)


def _entry(account: Account, decision: Decision, at: int, version: int, event: str) -> Entry:
    account.seq += 1
    account.at = at
    return Entry(account.seq, at, version, decision, event, account.due)


def advance(program: Program, account: Account, until: int) -> list[Entry]:
    """The entries that time makes up to and including an instant; the account is changed."""
    entries: list[Entry] = []
    if account.away[0] and merging.merged(account):
        account.due = NEVER
    while account.due <= until:
        moment = max(account.due, account.at)
        plan = program.plan_for(account, moment) if program.pilots else program.plan(moment)
        turn = begin(account, plan.calendar, _TICK, moment, moment, _NOTHING, plan.at)
        if program.pilots:
            turn.plan_at = partial(program.plan_for, account)
        if waking.only_opens(plan, account, moment):
            balances.activate(plan.balances, turn)
        else:
            _everything(plan, turn)
        if plan.outward:
            outward.run(plan, turn)
        account.due = waking.due(account, account.calm)
        order.attribute(plan, turn)
        if turn.decision.postings or turn.decision.changes:
            entries.append(_entry(account, turn.decision, moment, plan.version, ""))
    return entries


def _everything(plan: Plan, turn: Turn) -> None:
    """All that is due at an instant, until nothing more is."""
    account, moment = turn.account, turn.moment
    for _ in range(9):
        before = len(turn.decision.postings) + len(turn.decision.changes)
        order.clockwork(plan, turn)
        account.calm = waking.calm(plan, account, moment)
        if waking.due(account, account.calm) > moment and not plan.keeps:
            return
        if len(turn.decision.postings) + len(turn.decision.changes) == before:
            assert waking.due(account, account.calm) > moment, "time stands still"
            return
    raise AssertionError("time does not come to an end at one instant")


_TICK = Event("", "", 0, "", Tick())


def due(program: Program, account: Account) -> int:
    """The next instant at which time may do something to the account."""
    if not account.joined or merging.merged(account):
        return NEVER
    plan = program.plan_for(account, account.at)
    return waking.due(account, waking.calm(plan, account, account.at))


def quote(
    program: Program, account: Account, event: Event, context: Context | None = None
) -> list[Entry]:
    """What ``decide`` would say, on a copy of the account."""
    from kantis.core.account import decode_account, encode_account

    return decide(program, decode_account(encode_account(account)), event, context)
