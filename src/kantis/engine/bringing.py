"""Bringing: all that stood on an account comes into the one that it becomes a part of.

Guarantee: each lot comes as it was, with its day, its end and what it waits for, and with what
of it was spent, expired and taken back, so that a later refund finds it so. What can be added
up is; of what cannot, the better of the two stays (a level, the end of a level, the last sign
of life), or what this account had (a choice, a fact, a plan that runs).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from kantis.core import windows
from kantis.core.account import Account
from kantis.core.events import Merged
from kantis.core.facts import DRAWN, SEGMENT
from kantis.core.lots import open_lots, repay, voided
from kantis.core.membership import Membership
from kantis.core.phrases import Window
from kantis.core.places import AVAILABLE, HELD, MEMBER_PLACES, OWED, PENDING, TRANSIT
from kantis.core.records import Standing
from kantis.core.turn import Turn
from kantis.engine import periods
from kantis.engine.forget import windows_of
from kantis.engine.plan import Plan
from kantis.engine.program import PILOT
from kantis.features import tiers
from kantis.features.tiers import TierGroup

REASON = "merge"


def bring(plan: Plan, turn: Turn, body: Merged) -> None:
    """Everything comes in; the account answers for the other one from now on."""
    state = body.state
    lots = _lots(turn, state)
    _values(plan, turn, state)
    codes = _vouchers(turn, state)
    for key, hold in state.holds.items():
        moved = [(lots[lot], amount) for lot, amount in hold.lots]
        what = (hold.reward, hold.balance, moved, hold.worth, hold.until, hold.partner)
        turn.change("hold", key, *what)
    for waited, gone in state.forfeits.items():
        moved = [(lots[lot], amount) for lot, amount in gone.lots]
        turn.change("forfeit", waited, gone.rule, gone.until, moved)
    for lot, (day, available, pending) in state.lost.items():
        turn.change("lost", lots[lot], day, available, pending)
    unlike = _Unlike(plan, turn.account, state)
    _memberships(turn, state)
    for group in plan.tiers:
        _level(group, turn, state)
    _counters(plan, turn, state, lots, unlike)
    _periods(plan, turn, state)
    _awards(turn, state, lots, codes, unlike)
    _said(turn, state, unlike)
    _clocks(plan, turn, state, unlike)
    _remember(turn, body, lots, codes)
    for group in plan.tiers:
        if group.section.up == "at once":
            tiers.rise(group, _whose(group, turn))
    turn.wake_at(turn.at)


# ── value ────────────────────────────────────────────────────────────────────────────


def _lots(turn: Turn, state: Account) -> dict[int, int]:
    """Each lot is one here too; its number."""
    found = {}
    for lot in state.lots.values():
        number = found[lot.id] = turn.account.next_lot
        kind = (lot.balance, lot.bucket, lot.expires, lot.group, turn.member, lot.funder)
        turn.change("lot", number, *kind)
        if lot.spent or lot.expired or lot.reversed:
            turn.change("past", number, lot.spent, lot.expired, lot.reversed)
    for opens, lot_id, amount in state.waiting:
        turn.change("wait", opens, found[lot_id], amount)
    for lot in state.lots.values():
        there = ((AVAILABLE, lot.available), (PENDING, lot.pending), (HELD, lot.held))
        for place, amount in there:
            if amount:
                turn.post(lot.balance, TRANSIT, place, amount, found[lot.id], REASON)
    return found


def loose(state: Account) -> Iterator[tuple[str, int, int]]:
    """(balance, place, amount) of what an account has in no lot: what is owed is below zero."""
    inside: dict[tuple[str, int], int] = {}
    for lot in state.lots.values():
        for place, amount in ((AVAILABLE, lot.available), (PENDING, lot.pending), (HELD, lot.held)):
            inside[lot.balance, place] = inside.get((lot.balance, place), 0) + amount
    for name, purse in state.purse.items():
        for place in range(MEMBER_PLACES):
            amount = purse[place] - inside.get((name, place), 0)
            if amount:
                yield name, place, amount


def _values(plan: Plan, turn: Turn, state: Account) -> None:
    """What stands behind vouchers, is on its way as money, or is owed; points pay what is owed."""
    for name, place, amount in loose(state):
        if place == OWED:
            turn.post(name, OWED, TRANSIT, -amount, 0, REASON)
        else:
            turn.post(name, TRANSIT, place, amount, 0, REASON)
    for name, purse in turn.account.purse.items():
        if purse[OWED] and name in plan.balances:
            for lot in open_lots(turn, plan.balances[name]):
                repay(turn, plan.balances[name], lot.id, REASON)


def _vouchers(turn: Turn, state: Account) -> dict[str, str]:
    """Each voucher with its worth and end; the codes that are others here."""
    others = {}
    for code, each in state.vouchers.items():
        here = code
        while here in turn.account.vouchers:
            here = others[code] = f"{here}.{state.id}"
        what = (each.kind, each.worth, each.balance, each.points, each.issued, each.expires)
        turn.change("voucher", here, *what)
        if each.state != "open":
            turn.change("voucher state", here, each.state)
    return others


# ── standing ─────────────────────────────────────────────────────────────────────────


class _Unlike:
    """What cannot be added up, because both accounts have it: what was here stays."""

    def __init__(self, plan: Plan, account: Account, state: Account) -> None:
        self.plan, self.account = plan, account
        self.choices, self.facts = set(account.choices), set(account.facts)
        running = {each.plan for each in account.plans.values() if each.state != "ended"}
        theirs = {
            each.plan
            for ladder, each in state.plans.items()
            if each.state != "ended" and not runs(account, ladder)
        }
        self.bonuses = theirs - running
        self.streaks = {
            name
            for name, challenge in plan.challenges.items()
            if challenge.section.streak is not None
            and any(key.startswith(f"challenge {name}") for key in account.awards)
        }

    def leaves(self, name: str) -> bool:
        """Whether a counter, a date or an award stays behind."""
        room, _, entry = name.partition(" ")
        if room == "choice":
            return entry in self.choices
        if room == "bonus":
            return entry not in self.bonuses
        if room == "challenge":
            return entry.partition(" at ")[0] in self.streaks
        if room == "referral":
            return f"referral {entry.partition(' ')[0]}" in self.facts and "account:" not in entry
        return room in ("before", "over")


def runs(account: Account, ladder: str) -> bool:
    """Whether the account has a plan of a ladder that has not ended."""
    found = account.plans.get(ladder)
    return found is not None and found.state != "ended"


def _memberships(turn: Turn, state: Account) -> None:
    """A plan comes with its term and what was paid for it. Of two that run, which whoever
    merges is told beforehand, the one that is here stays, and the other is paid back."""
    for ladder, theirs in state.plans.items():
        mine = turn.account.plans.get(ladder)
        if runs(turn.account, ladder) and theirs.state != "ended":
            turn.fee(theirs.plan, "refund", -theirs.fee - theirs.ahead)
            turn.flag("merge-two-plans")
            continue
        tried = theirs.tried or (mine is not None and mine.tried)
        stays = mine is not None and theirs.state == "ended"
        kept = mine if stays and mine is not None else theirs
        if not stays or kept.tried != tried:
            _hold(turn, ladder, structs.replace(kept, tried=tried))
        for moment, plan in theirs.history:
            turn.change("on plan", ladder, moment, plan)


def _hold(turn: Turn, ladder: str, now: Membership) -> None:
    turn.change("plan", ladder, *structs.astuple(now)[:-1])


def _whose(group: TierGroup, turn: Turn) -> Turn:
    return turn.own() if group.section.whose == "member" else turn


def _level(group: TierGroup, turn: Turn, state: Account) -> None:
    """The higher level stays; of two that are the same, the one that lasts longer."""
    theirs, whose = state.tiers.get(group.name), _whose(group, turn)
    if theirs is None or not theirs.level:
        return
    mine = whose.account.tiers.get(group.name) or Standing()
    longer = bool(mine.until) and (not theirs.until or theirs.until > mine.until)
    better = theirs.level > mine.level or (theirs.level == mine.level and longer)
    if group.section.kept_by == "as much again":
        _mark(group, whose, state, better=better)
    if better:
        what = (theirs.level, theirs.since, theirs.until)
        whose.change("tier", group.name, *what, REASON)


def _mark(group: TierGroup, whose: Turn, state: Account, *, better: bool) -> None:
    """What keeps the level is what was counted since it was reached, on the account that
    reached it; what the other one has counted by now does not."""
    for counter in group.counters:
        key, mine = tiers.marked(group, counter), whose.account.counters
        marks = (state.counters if better else mine).get(key)
        others = (mine if better else state.counters).get(counter, {})
        if not marks:
            continue
        first = max(marks)
        amount = marks[first] + sum(n for bucket, n in others.items() if bucket >= first)
        for old in list(mine.get(key, {})):
            whose.change("forget", key, old)
        whose.change("count", key, first, amount)


def _counters(
    plan: Plan, turn: Turn, state: Account, lots: dict[int, int], unlike: _Unlike
) -> None:
    """What was counted is added up, also what was used of caps; years in a row are not."""
    known, years = windows_of(plan), {each.name for each in plan.years}
    for name, counts in state.counters.items():
        if unlike.leaves(name):
            continue
        whose, here = turn.own() if name in plan.own_counters else turn, name
        if name.startswith(voided(0)[:-1]):
            here = voided(lots.get(int(name.removeprefix(voided(0)[:-1])), 0))
        for bucket, amount in counts.items():
            key = bucket_here(known.get(name), bucket, turn.account)
            if name in years:
                amount -= whose.account.counters.get(name, {}).get(key, 0)
            if amount > 0:
                whose.change("count", here, key, amount)


def bucket_here(window: Window | None, bucket: int, account: Account) -> int:
    """The bucket of an account whose windows may begin on other days."""
    if window is None or window.kind != "anniversary":
        return bucket
    return windows.bucket(window, bucket, account.joined)


def _periods(plan: Plan, turn: Turn, state: Account) -> None:
    """Periods that still run count both; one that is settled comes where none is here."""
    for earner in plan.earning.periods:
        own, window = periods.mine(earner, turn), earner.rule.over
        names = [periods.counter(earner, each) for each in (None, *earner.modifiers)]
        issued = state.issued.get(earner.name, {})
        for bucket in state.counters.get(names[0], {}):
            key = bucket_here(window, bucket, turn.account)
            here = own.account.counters.get(names[0], {})
            ended = window is not None and (
                0 < windows.end(window, key, turn.account.joined) <= turn.day
            )
            if ended and key in here:
                continue
            if bucket in issued:
                before = own.account.issued.get(earner.name, {}).get(key, 0)
                own.change("issue", earner.name, key, before + issued[bucket])
            for name in names:
                amount = state.counters.get(name, {}).get(bucket, 0)
                if amount:
                    own.change("count", name, key, amount)


def _awards(
    turn: Turn, state: Account, lots: dict[int, int], codes: dict[str, str], unlike: _Unlike
) -> None:
    """What was won and given once, so that it can be taken back and is not given again."""
    for key, each in state.awards.items():
        if key not in turn.account.awards and not unlike.leaves(key):
            code = codes.get(each.voucher, each.voucher)
            lot = lots.get(each.lot, 0)
            what = (each.day, each.balance, each.points, lot, code, each.other)
            turn.change("award", key, *what)


def _said(turn: Turn, state: Account, unlike: _Unlike) -> None:
    """What the member has loaded, chosen and told, where nothing is known here.

    A lot that was drawn here says whether one is in a segment, also where the other one's fell
    otherwise. Who invited themselves is marked for a look: what it gave was not meant for one
    person.
    """
    account = turn.account
    for name, (loaded, uses) in state.offers.items():
        mine, used = account.offers.get(name, (-1, 0))
        turn.change("offer", name, loaded if mine < 0 else mine, used + uses)
    for name, history in state.choices.items():
        for moment, value in history if name not in unlike.choices else ():
            turn.change("choose", name, moment, value)
    for name, history in state.facts.items():
        known = name in unlike.facts and not name.startswith("trial ")
        known |= name.startswith(SEGMENT) and name.replace(SEGMENT, DRAWN, 1) in unlike.facts
        for moment, value in history if not known and not name.startswith(PILOT) else ():
            turn.change("know", name, moment, value)
    if _invited(account, state.id) or _invited(state, account.id):
        turn.flag("merge-own-referral")


def _invited(account: Account, number: int) -> bool:
    """Whether the account came by an invitation of another one."""
    said = [each for name, each in account.facts.items() if name.startswith("referral ")]
    return any(value == f"account:{number}" for history in said for _, value in history)


def _clocks(plan: Plan, turn: Turn, state: Account, unlike: _Unlike) -> None:
    """The last sign of life of either; a date that was kept on one of them is kept."""
    account = turn.account
    clocked = [name for name in plan.balances if plan.balances[name].clock is not None]
    for name in clocked if state.joined else ():
        theirs = state.touched.get(name, state.joined)
        mine = account.touched.get(name, account.joined)
        if theirs > mine:
            turn.change("touch", name, theirs)
    for name, day in state.cycles.items():
        if unlike.leaves(name):
            continue
        if name not in account.cycles or (name == "birthday" and day > account.cycles[name]):
            turn.change("cycle", name, day)


def _remember(turn: Turn, body: Merged, lots: dict[int, int], codes: dict[str, str]) -> None:
    """What undoes something of the other account's past finds it, by its numbers of then."""
    state = body.state
    here = list(lots.items()), list(codes.items())
    turn.change("merged", state.id, body.card, state.joined, *here)
    for number, past in state.merged.items():
        if number == turn.account.id:
            continue
        chained = [(lot, lots.get(there, -1)) for lot, there in past.lots.items()]
        called = codes | {a: codes.get(b, b) for a, b in past.vouchers.items()}
        turn.change("merged", number, past.card, past.joined, chained, list(called.items()))
