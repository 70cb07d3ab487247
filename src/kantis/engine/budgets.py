"""Budgets: a rule gives all of it or nothing, and never more than is written down for it.

Guarantee: what all members have of a rule, less what came back, never passes its budget. A
purchase gets the rule whole, or not at all where too little is left; then it is decided as if
the rule were not there, so the next best price or promotion counts.

What is left is a shared limit: a decision reads it, and its claim is taken by the desk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from kantis.core.account import Account, decode_account, encode_account
from kantis.core.budgets import MONEY, TIMES, Budget, claimed
from kantis.core.decision import Decision, Original
from kantis.core.events import Activity, Body, Enrol, Event, Load, Purchase, Referred
from kantis.core.limits import used_by
from kantis.core.turn import Turn

if TYPE_CHECKING:
    from kantis.engine.plan import Plan

_EVENTS: Final = {Purchase: "purchase", Enrol: "enrol", Referred: "referral"}


def compile_budgets(plan: Plan) -> dict[str, Budget]:
    """The budgets of a plan, in the order in which its rules act: prices first."""
    families = plan.earning.families
    priced = {each.name: each.rule for each in plan.prices.rules}
    rules = priced | {name: family[0].rule for name, family in families.items() if family}
    return {
        name: _compiled(plan, rule, name in priced)
        for name, rule in rules.items()
        if rule.budget is not None
    }


def _compiled(plan: Plan, rule: Any, priced: bool) -> Budget:
    said, family = rule.budget, plan.earning.families.get(rule.name, [])
    counts = MONEY if said.unit == plan.money.name else said.unit
    costs, each = getattr(rule, "costs_us", None), 0
    if counts == TIMES:
        each = 1
    elif counts == MONEY and costs is not None:
        each = costs.amount
    bases = [base.rule for one in family for base in one.on or [one]]
    events = [*(base.for_ for base in bases), *["purchase"] * priced]
    return Budget(
        rule.name,
        counts,
        said.unit,
        said.amount,
        tuple(one.name for one in family),
        tuple(dict.fromkeys(events)),
        rule.when.spans if rule.when is not None else (),
        offer=rule.name in plan.offers,
        each=each,
        least=max(1, each or _once(rule)),
        waits=bool(bases) and not priced and all(base.available.group for base in bases),
    )


def _once(rule: Any) -> int:
    """What a rule gives once, where that is the same every time; 0 where it is not."""
    give = getattr(rule, "give", None)
    if give is None or give.bands or give.group or give.per != "event" or rule.cap:
        return 0
    return int(give.steps[0].num // give.steps[0].den) if rule.round.plain else 0


# ── what a decision sees ─────────────────────────────────────────────────────


def limits_for(plan: Plan, account: Account, event: Event) -> tuple[str, ...]:
    """The limits that a decision under a plan may have to see."""
    body = event.body
    if isinstance(body, Load):
        asked = plan.budgets.get(body.offer)
        return () if asked is None else (asked.limit,)
    day = plan.calendar.day(event.time)
    return tuple(each.limit for each in _watched(plan, account, body, day))


def _watched(plan: Plan, account: Account, body: Body, day: int) -> list[Budget]:
    """The budgets of rules that may count for an event: what is loaded, on their dates."""
    event = body.name if isinstance(body, Activity) else _EVENTS.get(type(body), "")
    return [
        each
        for each in plan.budgets.values()
        if event in each.events
        and (not each.offer or account.offers.get(each.name, (-1, 0))[0] >= 0)
        and each.on(day)
    ]


def left(budget: Budget, turn: Turn) -> int:
    """What is left of a budget, as the decision sees it."""
    return turn.context.limits.get(budget.limit, budget.amount)


# ── deciding ─────────────────────────────────────────────────────────────────


def within(plan: Plan, turn: Turn, body: Any, act: Callable[[Plan, Turn, Any], None]) -> None:
    """Let an event act, and again without each rule that would pass its budget.

    The rules are asked in the order of the program, one at a time, since what one of them
    leaves undone may be what another one can do.
    """
    watched = _watched(plan, turn.account, body, turn.day)
    if not watched:
        act(plan, turn, body)
        return
    saved, shut = _Saved(turn), list[str]()
    if isinstance(body, Purchase) and body.points:
        # Whether points can pay depends on the prices, so it is settled first which of them hold.
        _settle(turn, watched, saved, shut, lambda: plan.price()(turn, body.lines))
        saved.restore(turn)
    _settle(turn, watched, saved, shut, lambda: act(plan, turn, body))
    for each in watched:
        used = each.used(turn.decision)
        if used > 0:
            turn.claim(each.limit, used)
            if each.waits:
                turn.change("count", used_by(turn.group, each.limit), 0, used)
    for name in shut:
        turn.notice("missed", name)


def _settle(
    turn: Turn, watched: list[Budget], saved: _Saved, shut: list[str], act: Callable[[], object]
) -> None:
    """Act without the rules that are ``shut``, to which those come that would pass theirs."""
    while True:
        turn.shut = frozenset(shut)
        act()
        over = [each for each in watched if each.used(turn.decision) > left(each, turn)]
        if not over:
            return
        assert over[0].name not in turn.shut, "a rule that is shut has counted"
        shut.append(over[0].name)
        saved.restore(turn)


class _Saved:
    """A turn with its account, as it was before anything was done."""

    def __init__(self, turn: Turn) -> None:
        self.account, self.calm = encode_account(turn.account), turn.account.calm
        self.fields = {name: getattr(turn, name) for name in turn.__struct_fields__}
        self.decision = _copy(turn.decision)
        self.traced = len(turn.trace or ())

    def restore(self, turn: Turn) -> None:
        """Undo whatever was done since."""
        fresh = decode_account(self.account)
        for name in fresh.__struct_fields__:
            setattr(turn.account, name, getattr(fresh, name))
        turn.account.calm = self.calm
        for name, value in self.fields.items():
            setattr(turn, name, value)
        turn.decision = _copy(self.decision)
        if turn.trace is not None:
            del turn.trace[self.traced :]


def _copy(decision: Decision) -> Decision:
    lists = {name: list(getattr(decision, name)) for name in ("postings", "changes", "fired")}
    return structs.replace(decision, **lists)


# ── what comes back ──────────────────────────────────────────────────────────


def give_back(then: Plan, turn: Turn, original: Original, *, whole: bool, void: bool) -> None:
    """What a refund takes back of a rule is in its budget again, never more than it had used.

    What counts by the use is free again when all of the purchase has come back; what was
    void is so already.
    """
    for budget in then.budgets.values():
        limit = budget.limit
        had = sum(claimed(each, limit) for each in (original.entry.decision, *original.undone))
        back = (had if whole else 0) if budget.each else min(had, -budget.used(turn.decision))
        if back > 0 and not (void and budget.waits):
            turn.claim(limit, -back)
            group = getattr(original.event.body, "group", "") or original.event.key
            _use_less(turn, used_by(group, limit), back)


def settle(plan: Plan, turn: Turn, group: str, confirmed: bool) -> bool:
    """What a group has used of budgets stays used, or is free again where it is void.

    Says whether it had used any.
    """
    found = False
    for budget in plan.budgets.values():
        key = used_by(group, budget.limit)
        uses = turn.account.counters.get(key)
        if uses is None:
            continue
        found, amount = True, uses.get(0, 0)
        turn.change("forget", key, 0)
        if amount and not confirmed:
            turn.claim(budget.limit, -amount)
    return found


def _use_less(turn: Turn, key: str, amount: int) -> None:
    """A group has used so much less."""
    uses = turn.account.counters.get(key, {}).get(0, 0)
    if min(uses, amount) > 0:
        turn.change("count", key, 0, -min(uses, amount))
