"""A small engine for tests of the desk: a point per 100 minor units, good for a year.

It knows just enough rules to reach every corner of the desk: lots, expiry, redemption,
refunds, claims of receipts, transfers, a shared limit (``mug``), and a product (``bomb``)
on which it raises.
"""

import json
from collections.abc import Sequence
from typing import Any

from kantis.core.account import NEVER, Account, change
from kantis.core.calendar import DAY_MS
from kantis.core.decision import Context, Decision, Entry, FollowUp, Needs, Refusal
from kantis.core.events import (
    CarriedLot,
    Carry,
    Claim,
    Enrol,
    Event,
    Purchase,
    Redeem,
    Refund,
    Transfer,
)
from kantis.core.places import AVAILABLE, EXPIRED, ISSUED, OWED, REDEEMED, REVERSED, TRANSIT
from kantis.core.postings import post
from kantis.desk.programs import Engine
from kantis.store.rows import VersionRow

YEAR_MS = 365 * DAY_MS


class Turn:
    """Applies what it decides at once, and writes it down."""

    def __init__(self, account: Account) -> None:
        self.account, self.decision = account, Decision()

    def post(self, source: int, target: int, amount: int, lot: int, reason: str) -> None:
        posting = ("points", source, target, amount, lot, reason)
        post(self.account, posting)
        self.decision.postings.append(posting)

    def change(self, *what: Any) -> None:
        change(self.account, what)
        self.decision.changes.append(what)

    def issue(self, points: int, day: int, source: int, reason: str) -> None:
        lot = next(
            (x.id for x in self.account.lots.values() if x.bucket == day and not x.expired), 0
        )
        if not lot:
            lot = self.account.next_lot
            self.change("lot", lot, "points", day, day + 365)
        self.post(source, AVAILABLE, points, lot, reason)

    def take(self, points: int, target: int, reason: str) -> None:
        for lot in sorted(self.account.lots.values(), key=lambda x: (x.expires, x.id)):
            part = min(points, lot.available)
            if part:
                self.post(AVAILABLE, target, part, lot.id, reason)
                points -= part
        if points:
            self.post(OWED, target, points, 0, reason)
            self.decision.flags = ("shortage",)


def assemble(versions: Sequence[VersionRow]) -> dict[str, Any]:
    starts = [version.since for version in versions]
    return dict(json.loads(versions[-1].tree), number=versions[-1].number, starts=starts)


def needs(program: Any, account: Account, event: Event) -> Needs:
    body = event.body
    if isinstance(body, Refund):
        return Needs(originals=(f"{body.of_source or event.source}/{body.of}",))
    if isinstance(body, Claim):
        return Needs(receipts=(body.receipt,))
    if isinstance(body, Redeem) and body.reward in program.get("limits", {}):
        return Needs(limits=(body.reward,))
    return Needs()


def decide(program: Any, account: Account, event: Event, context: Context) -> list[Entry]:
    at = max(event.received, account.at)
    entries = advance(program, account, at)
    turn = Turn(account)
    _decide(program, turn, event, context)
    entries.append(_entry(program, turn, at, event.key))
    return entries


def _decide(program: Any, turn: Turn, event: Event, context: Context) -> None:
    body, decision = event.body, turn.decision
    available = sum(lot.available for lot in turn.account.lots.values())
    day = event.time // DAY_MS
    if isinstance(body, Enrol):
        turn.change("join", day)
    elif isinstance(body, Purchase):
        _buy(turn, body, day, int(program.get("rate", "1")))
    elif isinstance(body, Claim):
        found = context.receipts.get(body.receipt)
        if found is None:
            decision.refusal = Refusal("unknown-receipt", "No such receipt waits.")
            return
        decision.cause = found.key
        assert isinstance(found.body, Purchase)
        _buy(turn, found.body, found.time // DAY_MS, 1)
    elif isinstance(body, Redeem) and body.reward in program.get("limits", {}):
        if context.limits[body.reward] < 1:
            decision.refusal = Refusal("sold-out", "There is none left.")
        else:
            decision.claims = ((body.reward, 1),)
            turn.change("count", body.reward, 0, 1)
    elif isinstance(body, Redeem):
        if body.points > available and event.ask:
            decision.refusal = Refusal("not-enough", f"There are {available}.")
        else:
            turn.take(body.points, REDEEMED, "redeeming")
    elif isinstance(body, Refund):
        _refund(turn, body, context, event)
    elif isinstance(body, Transfer):
        turn.take(body.amount, TRANSIT, "carry")
        lots = (CarriedLot("points", body.amount, day),)
        decision.follow_ups = (FollowUp(body.to, Carry("transfer", lots)),)
    elif isinstance(body, Carry):
        if turn.account.facts.get("closed") and not event.id.endswith("-back"):
            decision.refusal = Refusal("closed", "This account takes nothing.")
        else:
            for lot in body.lots:
                turn.issue(lot.amount, lot.earned, TRANSIT, "carry")
    elif hasattr(body, "fact"):
        turn.change("know", body.fact, event.time, body.value)
    else:
        raise NotImplementedError(event.type)


def _buy(turn: Turn, body: Purchase, day: int, rate: int) -> None:
    if any(line.product == "bomb" for line in body.lines):
        turn.issue(1, day, ISSUED, "earning")
        raise RuntimeError("a bug in a rule")
    points = rate * sum(line.amount for line in body.lines) // 100
    if points:
        turn.issue(points, day, ISSUED, "earning")
        turn.decision.fired.append(("base", "points", points * 100, 0, points, 0))


def _refund(turn: Turn, body: Refund, context: Context, event: Event) -> None:
    original = context.originals.get(f"{body.of_source or event.source}/{body.of}")
    if original is None:
        turn.decision.refusal = Refusal("unknown-original", "No such purchase.")
        return
    turn.decision.cause = original.event.key
    if any(each.cause == original.event.key for each in original.undone):
        turn.decision.refusal = Refusal("refunded-already", "It came back before.")
        return
    points = sum(p[3] for p in original.entry.decision.postings if p[1] == ISSUED)
    if points:
        turn.take(points, REVERSED, "refunds")


def _due(program: Any, account: Account, after: int) -> int:
    ends = [lot.expires * DAY_MS for lot in account.lots.values() if lot.available]
    return min([*ends, *(start for start in program["starts"] if start > after), NEVER])


def _entry(program: Any, turn: Turn, at: int, key: str) -> Entry:
    account = turn.account
    account.seq, account.at, account.due = account.seq + 1, at, _due(program, account, at)
    return Entry(account.seq, at, program["number"], turn.decision, key, account.due)


def advance(program: Any, account: Account, until: int) -> list[Entry]:
    entries = []
    while account.due <= until:
        turn, moment = Turn(account), max(account.due, account.at)
        for lot in account.lots.values():
            if lot.available and lot.expires * DAY_MS <= moment:
                turn.post(AVAILABLE, EXPIRED, lot.available, lot.id, "expiry")
        if turn.decision.postings:
            entries.append(_entry(program, turn, moment, ""))
        else:
            account.due = _due(program, account, moment)
    return entries


def limits(program: Any) -> dict[str, int]:
    return {name: int(quantity) for name, quantity in program.get("limits", {}).items()}


STUB = Engine(assemble, needs, decide, advance, lambda program: 30 * DAY_MS, limits)
