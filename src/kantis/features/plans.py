"""plans: paid membership: what it costs, how it renews, and how it ends.

Guarantee: a member is charged once for a term, at the fee of the day that counts for it;
whatever is given back is a part of what was charged, to the cent, and over all events of a
term never more than that. Nobody has a plan of which no term runs; who gives a paid plan up
keeps it to the end of its term, or gets something back and loses it at once.

A member has one plan of a ladder (``above``) at a time. A term is a trial, paid, or unpaid;
its fee is money between member and merchant, which a decision states as ``fees`` and no
balance holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from msgspec import Struct, structs

from kantis.core.account import NEVER, Account
from kantis.core.calendar import Calendar
from kantis.core.events import CarriedPlan, Pay, Subscribe, Unpaid, Unsubscribe
from kantis.core.knobs import Knob
from kantis.core.membership import Membership, end_of_term, start_of_term, term_end
from kantis.core.phrases import DURATION, TEXT, TITLE, Duration, word
from kantis.core.terms import BACK, BONUS, FEES, Back, Bonus, Fee, share_left
from kantis.core.turn import Refused, Turn

REASON = "plans"


class PlanSection(Struct, frozen=True, kw_only=True):
    """A plan: its fees, its trial, how it renews, and what happens when somebody leaves it."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    fee: Annotated[
        tuple[Fee, ...], Knob(FEES, "what each period costs, the usual one first; for new members")
    ]
    renewal_fee: Annotated[
        tuple[Fee, ...], Knob(FEES, "what a renewal costs, by its day; the fee if it is not said")
    ] = ()
    above: Annotated[str, Knob(TEXT, "the plan below it, whose place it takes")] = ""
    trial: Annotated[Duration | None, Knob(DURATION, "free at first, once per member")] = None
    renews: Annotated[
        str, Knob(word("by itself", "by paying"), "whether a term follows without being paid first")
    ] = "by itself"
    grace: Annotated[
        Duration | None, Knob(DURATION, "how long an unpaid plan is had; none is not at all")
    ] = None
    pay_within: Annotated[
        Duration, Knob(DURATION, "how long an unpaid fee can still come; then the plan ends")
    ] = Duration(14, "day")
    cancelled_trial: Annotated[
        str, Knob(word("runs to its end", "stops at once"), "what giving up does to a trial")
    ] = "runs to its end"
    refund: Annotated[
        Back, Knob(BACK, "what comes back of the term's fee; the plan ends with it")
    ] = Back()
    upgrade: Annotated[
        str,
        Knob(
            word("prorated", "at renewal"),
            "coming from the plan below: at once, for the difference of the days that are left,"
            " or with the next term",
        ),
    ] = "prorated"
    downgrade: Annotated[
        str,
        Knob(
            word("at renewal", "prorated", "at once"),
            "going to a plan below: with the next term, at once with the difference back, or"
            " at once with nothing back",
        ),
    ] = "at renewal"
    bonus: Annotated[Bonus | None, Knob(BONUS, "what it brings while it is paid for")] = None

    def costs(self, period: str, *, renewal: bool = False) -> Fee | None:
        """The fee for a period; None if there is none."""
        fees = self.renewal_fee if renewal and self.renewal_fee else self.fee
        return next((fee for fee in fees if fee.period == period), None)


class Plans(Struct):
    """The plans of a version. ``ladders`` names the lowest plan below each, ``ranks`` how many
    stand below it; ``uses`` are the plans that a price or an entitlement belongs to."""

    sections: dict[str, PlanSection] = {}
    ladders: dict[str, str] = {}
    ranks: dict[str, int] = {}
    uses: dict[str, tuple[str, ...]] = {}
    how: str = "half up"


def compile_plans(sections: Mapping[str, PlanSection], users: Iterable[Any], how: str) -> Plans:
    """The plans, ready for use; ``users`` are entries that may ask for a plan by ``who``."""
    found = Plans(dict(sections), {}, {}, {}, how)
    for name in sections:
        lowest, rank = name, 0
        while sections[lowest].above in sections and rank < len(sections):
            lowest, rank = sections[lowest].above, rank + 1
        found.ladders[name], found.ranks[name] = lowest, rank
    asks = [(each.name, each.who.plans) for each in users if each.who is not None]
    brought = [(each.bonus.voucher, (name,)) for name, each in sections.items() if each.bonus]
    for user, names in (*asks, *brought):
        if user and names:
            found.uses[user] = (*found.uses.get(user, ()), *names)
    return found


def _section(plans: Plans, name: str) -> PlanSection:
    section = plans.sections.get(name)
    if section is None:
        raise Refused("unknown-plan", f"There is no plan {name!r} now.")
    return section


def _standing(plans: Plans, turn: Turn, name: str) -> tuple[str, Membership | None]:
    """The ladder of a plan, and where the account stands in it: None where no plan runs.

    A ladder that another version has changed goes by the plan that the member has.
    """
    ladder = plans.ladders.get(name, name)
    for key, now in turn.account.plans.items():
        if now.state != "ended" and plans.ladders.get(now.plan, key) == ladder:
            return key, now
    return ladder, None


def _hold(turn: Turn, ladder: str, was: Membership, **what: Any) -> None:
    """Write down where the account stands now, and when time has to look at it again."""
    now = structs.replace(was, **what)
    turn.change("plan", ladder, *structs.astuple(now)[:-1])
    turn.wake_at(turn.at)


def _have(turn: Turn, ladder: str, moment: int, plan: str) -> None:
    """From an instant on the plan is had; written down where that is new."""
    history = turn.account.plans[ladder].history
    if (history[-1][1] if history else "") != plan:
        turn.change("on plan", ladder, moment, plan)
        turn.notice("plan", ladder, plan)


def subscribe(plans: Plans, turn: Turn, body: Subscribe) -> None:
    """The member takes a plan, or changes to another one or to another period."""
    section = _section(plans, body.plan)
    period = body.per or section.fee[0].period
    if section.costs(period) is None:
        periods = ", ".join(fee.period for fee in section.fee)
        raise Refused("unknown-period", f"{body.plan!r} can be had per {periods}.")
    ladder, now = _standing(plans, turn, body.plan)
    if now is None:
        _begin(section, turn, ladder, period, body.trial)
    elif now.plan != body.plan:
        _switch(plans, turn, ladder, now, section, body.per)
    elif now.state == "trial" and body.trial == "no":
        _term(section, turn, ladder, now, turn.day, period, "first term")
    else:
        _again(turn, ladder, now, body.per)


def _again(turn: Turn, ladder: str, now: Membership, per: str) -> None:
    """The same plan once more: it goes on after all, or in another period from the next term."""
    following = per if per not in ("", now.period) else ""
    same = following == now.next_period or not per
    if now.renews and same and not now.next_plan:
        raise Refused("subscribed-already", f"The member has {now.plan!r} already.")
    _hold(turn, ladder, now, renews=True, next_plan="", next_period=following)


def _begin(section: PlanSection, turn: Turn, ladder: str, period: str, trial: str) -> None:
    before = turn.account.plans.get(ladder)
    tried = (before is not None and before.tried) or turn.fact(f"trial {section.name}") == "used"
    fresh = before or Membership(section.name, period, "ended", 0, 0, 0)
    if trial == "yes" and (tried or section.trial is None):
        raise Refused("trial-used", "There is one trial for each member; it can be had paid for.")
    if section.trial is None or tried or trial == "no":
        _term(section, turn, ladder, fresh, turn.day, period, "first term")
        return
    until = end_of_term(turn.day, section.trial)
    begun = Membership(section.name, period, "trial", until, turn.day, until, turn.moment)
    _hold(turn, ladder, structs.replace(begun, tried=True))
    _have(turn, ladder, turn.moment, section.name)


def _term(
    section: PlanSection,
    turn: Turn,
    ladder: str,
    was: Membership,
    day: int,
    period: str,
    why: str,
) -> None:
    """A paid term begins on a day: its fee is charged, unless it was paid ahead."""
    fee = section.costs(period, renewal=why == "renewal") or section.fee[0]
    follows = was.state in ("paid", "unpaid") and was.until == day
    anchor = was.anchor if follows and was.period == fee.period else day
    moment = turn.moment if day == turn.day else turn.calendar.start(day)
    paid = was.ahead or fee.amount
    if not was.ahead:
        turn.fee(section.name, why, fee.amount)
    until = term_end(anchor, day, fee.length)
    begun = Membership(section.name, fee.period, "paid", anchor, day, until, moment, paid)
    _hold(turn, ladder, structs.replace(begun, tried=was.tried))
    _have(turn, ladder, moment, section.name)


def _switch(
    plans: Plans, turn: Turn, ladder: str, now: Membership, section: PlanSection, per: str
) -> None:
    """To another plan of the ladder: at once or with the next term."""
    old = plans.sections.get(now.plan)
    if now.state == "unpaid":
        raise Refused("plan-unpaid", f"The fee of {now.plan!r} is due first.")
    if now.state == "trial" or old is None:
        _term(section, turn, ladder, now, turn.day, per or section.fee[0].period, "first term")
        return
    up = plans.ranks[section.name] > plans.ranks[now.plan]
    how = section.upgrade if up else old.downgrade
    following = per if per != now.period else ""
    if how == "at renewal":
        _hold(turn, ladder, now, renews=True, next_plan=section.name, next_period=per or now.period)
        return
    new, before = section.costs(now.period), old.costs(now.period)
    assert new is not None
    assert before is not None
    apart = new.amount - before.amount if up else before.amount - new.amount
    part = share_left(max(0, apart), now, turn.day, plans.how)
    if up:
        turn.fee(section.name, "upgrade", part)
    else:
        part = -min(part, now.fee) if how == "prorated" else 0
        turn.fee(now.plan, "downgrade", part)
    what = {"plan": section.name, "fee": now.fee + part, "next_plan": "", "next_period": following}
    _hold(turn, ladder, now, renews=True, **what)
    _have(turn, ladder, turn.moment, section.name)


def unsubscribe(plans: Plans, turn: Turn, body: Unsubscribe) -> tuple[str, int]:
    """The member gives a plan up: it ends at once or runs out, as the plan says.

    The plan, and how many of its bonuses go back with the fee: all of the term with all of
    it, the last one with a part.
    """
    ladder, now = _standing(plans, turn, body.plan)
    if now is None or now.plan != body.plan:
        raise Refused("no-such-plan", f"The member does not have the plan {body.plan!r}.")
    section = plans.sections.get(now.plan)
    back, at_once = 0, now.state == "unpaid" or section is None
    if section is not None and now.state == "trial":
        at_once = section.cancelled_trial == "stops at once"
    elif section is not None and now.state == "paid":
        unwanted = turn.late and turn.moment < turn.calendar.start(now.start)
        charged = turn.calendar.day(now.charged)
        part = section.refund.of(now, turn.moment, turn.day, charged, plans.how)
        back = now.fee if unwanted else part
        at_once = bool(back)
    if not now.renews and not at_once:
        raise Refused("cancelled-already", f"{body.plan!r} ends by itself already.")
    turn.fee(now.plan, "refund", -back)
    turn.fee(now.plan, "refund of the next term", -now.ahead)
    if at_once:
        _end(turn, ladder, now, turn.day, turn.moment, fee=now.fee - back)
    else:
        _hold(turn, ladder, now, renews=False, next_plan="", next_period="", ahead=0)
    given = turn.account.counters.get(_bonus_key(now.plan), {}).get(now.start, 0) if back else 0
    return now.plan, given if back == now.fee else min(given, 1)


def _end(
    turn: Turn, ladder: str, now: Membership, day: int, moment: int, *, fee: int | None = None
) -> None:
    """The plan is over from an instant on."""
    left = {"next_plan": "", "next_period": "", "ahead": 0, "renews": False}
    fee = now.fee if fee is None else fee
    _hold(turn, ladder, now, state="ended", until=day, fee=fee, **left)
    _have(turn, ladder, moment, "")


def pay(plans: Plans, turn: Turn, body: Pay) -> None:
    """What is due of a plan has come in; or, where nothing is due, the fee of the next term."""
    ladder, now = _standing(plans, turn, body.plan)
    if now is None or now.plan != body.plan:
        raise Refused("no-such-plan", f"The member has no plan {body.plan!r} to pay for.")
    section = _section(plans, body.plan)
    if now.state == "unpaid":
        fee = section.costs(now.period, renewal=True) or section.fee[0]
        then = _then(plans, turn, now.start).sections.get(now.plan)
        fee = (then.costs(now.period, renewal=True) if then is not None else None) or fee
        turn.fee(now.plan, "renewal", fee.amount)
        _hold(turn, ladder, now, state="paid", fee=fee.amount, charged=turn.moment)
        _have(turn, ladder, turn.moment, now.plan)
        return
    if now.ahead:
        raise Refused("paid-already", f"The next term of {body.plan!r} is paid already.")
    renewal = now.state != "trial"
    after = _then(plans, turn, now.until).sections.get(now.next_plan or now.plan)
    fee_ahead = after.costs(now.next_period or now.period, renewal=renewal) if after else None
    if after is None or fee_ahead is None:
        raise Refused("no-next-term", f"{body.plan!r} is not offered for another term.")
    turn.fee(after.name, "renewal" if renewal else "first term", fee_ahead.amount)
    _hold(turn, ladder, now, ahead=fee_ahead.amount, renews=True)


def unpaid(plans: Plans, turn: Turn, body: Unpaid) -> tuple[str, int]:
    """The fee of the term did not come in: it is charged no longer, and the plan rests.

    The plan, and how many of its bonuses go back; they come again with the fee.
    """
    ladder, now = _standing(plans, turn, body.plan)
    if now is None or now.plan != body.plan or now.state != "paid":
        raise Refused("no-such-plan", f"No fee was charged for a running {body.plan!r}.")
    turn.fee(now.plan, "not paid", -now.fee)
    _hold(turn, ladder, now, state="unpaid", fee=0, charged=turn.moment)
    section = plans.sections.get(now.plan)
    if section is None or section.grace is None:
        _have(turn, ladder, turn.moment, "")
    key = _bonus_key(now.plan)
    given = turn.account.counters.get(key, {}).get(now.start, 0)
    if given:
        turn.change("forget", key, now.start)
        turn.change("cycle", key, 0)
    return now.plan, given


def carry(plans: Plans, turn: Turn, body: CarriedPlan) -> None:
    """A plan that the member had before comes along; the caller has checked its names."""
    section = plans.sections[body.plan]
    fee = section.costs(body.per) or section.fee[0]
    trial = section.trial if body.trial else None
    length, since, until = trial or fee.length, body.since, body.until
    if not since:
        since = start_of_term(until, length) if until else turn.day
    until = until or end_of_term(since, length)
    state, begun = ("trial" if body.trial else "paid"), turn.calendar.start(since)
    anchor = since if end_of_term(since, fee.length) == until else until
    ladder = plans.ladders[section.name]
    now = Membership(section.name, fee.period, state, anchor, since, until, begun, body.fee)
    _hold(turn, ladder, now, renews=body.renews, tried=True)
    _have(turn, ladder, turn.moment, section.name)
    if section.bonus is not None and state == "paid":
        length = section.bonus.length
        following = term_end(since, turn.day, length)
        last = turn.day if section.bonus.window else start_of_term(following, length)
        turn.change("cycle", _bonus_key(section.name), last)


def use(plans: Plans, turn: Turn, names: Iterable[str]) -> None:
    """A benefit was used that belongs to a plan: the term is no longer an unused one."""
    meant = {plan for name in names for plan in plans.uses.get(name, ())}
    if not meant:
        return
    for ladder, now in list(turn.account.plans.items()):
        if now.plan in meant and now.state != "ended" and not now.used:
            _hold(turn, ladder, now, used=True)


def due(plans: Plans, account: Account, days: Calendar) -> int:
    """The next instant at which a term ends, an unpaid plan stops, or a bonus comes."""
    first = NEVER
    for now in account.plans.values():
        if now.state == "ended":
            continue
        section = plans.sections.get(now.plan)
        if now.state == "unpaid":
            first = min(first, days.start(_stops(section, now, days)))
            continue
        first = min(first, days.start(now.until))
        day = _bonus_day(section, now, account)
        if day:
            first = min(first, days.start(day))
    return first


def _stops(section: PlanSection | None, now: Membership, days: Calendar) -> int:
    """The day on which an unpaid plan stops being had, or ends where it is had no longer."""
    told = days.day(now.charged)
    if section is None:
        return told
    on = now.history and now.history[-1][1]
    if on and section.grace is not None:
        return end_of_term(told, section.grace)
    return end_of_term(told, section.pay_within)


def _bonus_day(section: PlanSection | None, now: Membership, account: Account) -> int:
    """The next day of the plan's bonus; 0 where none comes."""
    if section is None or section.bonus is None or now.state != "paid":
        return 0
    last = account.cycles.get(_bonus_key(section.name), 0)
    return section.bonus.following(last, now.anchor) or now.start


def _bonus_key(plan: str) -> str:
    """Where it is kept when the last bonus came, and how many came in the term."""
    return f"bonus {plan}"


#: Gives the bonus of a plan: (section).
Give = Callable[[PlanSection], None]


def run(plans: Plans, turn: Turn) -> None:
    """Let terms end and follow each other, and unpaid plans stop."""
    for ladder in list(turn.account.plans):
        for _ in range(1000):
            now = turn.account.plans[ladder]
            if now.state == "ended":
                break
            if now.state == "unpaid":
                if not _rest(plans, turn, ladder, now):
                    break
            elif now.until > turn.day:
                break
            else:
                _follow(plans, turn, ladder, now)


def bonuses(plans: Plans, turn: Turn, give: Give) -> None:
    """Give what is due of the bonuses of plans."""
    for now in list(turn.account.plans.values()):
        section = plans.sections.get(now.plan)
        day = _bonus_day(section, now, turn.account)
        if section is not None and day and day <= turn.day:
            key = _bonus_key(section.name)
            turn.change("cycle", key, turn.day)
            for old in [x for x in turn.account.counters.get(key, {}) if x != now.start]:
                turn.change("forget", key, old)
            turn.change("count", key, now.start, 1)
            give(section)


def _rest(plans: Plans, turn: Turn, ladder: str, now: Membership) -> bool:
    """An unpaid plan stops, and ends at last; whether something changed."""
    section = plans.sections.get(now.plan)
    day = _stops(section, now, turn.calendar)
    if day > turn.day:
        return False
    on = now.history and now.history[-1][1]
    if on and section is not None and section.grace is not None:
        _have(turn, ladder, turn.calendar.start(day), "")
    else:
        _end(turn, ladder, now, day, turn.calendar.start(day))
    return True


def _then(plans: Plans, turn: Turn, day: int) -> Plans:
    """The plans of the version that is in force on a day."""
    if turn.plan_at is None:
        return plans
    found: Plans = turn.plan_at(turn.calendar.start(day)).plans
    return found


def _follow(plans: Plans, turn: Turn, ladder: str, now: Membership) -> None:
    """A term is over: the next one begins, paid or to be paid, or the plan ends."""
    day, moment = now.until, turn.calendar.start(now.until)
    section = _then(plans, turn, day).sections.get(now.next_plan or now.plan)
    pays = section is not None and (section.renews == "by itself" or bool(now.ahead))
    if not now.renews or section is None or (now.state == "trial" and not pays):
        _end(turn, ladder, now, day, moment)
        return
    period = now.next_period or now.period
    if pays:
        why = "first term" if now.state == "trial" else "renewal"
        _term(section, turn, ladder, now, day, period, why)
        return
    fee = section.costs(period, renewal=True) or section.fee[0]
    anchor = now.anchor if fee.period == now.period else day
    until = term_end(anchor, day, fee.length)
    begun = Membership(section.name, fee.period, "unpaid", anchor, day, until, moment)
    _hold(turn, ladder, structs.replace(begun, tried=now.tried))
    _have(turn, ladder, moment, section.name if section.grace is not None else "")
