"""forfeiture: points that are lost because a bill was not paid in time, and how they come back.

Guarantee: what is forfeited stands in the place *forfeited* until it is reinstated, or expires
when its time is over; what is reinstated is never more than what was forfeited and not taken
back since, and its fee is stated by the decision that brings it back.

Points that wait for their group (``available: when confirmed``) are forfeited by the event
*forfeit* of that group, and come back by *reinstate*.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from kantis.core.account import Account
from kantis.core.calendar import Calendar
from kantis.core.events import Forfeit, Reinstate
from kantis.core.knobs import Knob
from kantis.core.lots import Balance, issue, repay, stop_waiting
from kantis.core.membership import end_of_term
from kantis.core.phrases import DURATION, QUANTITY, TEXTS, TITLE, Duration, Quantity
from kantis.core.places import AVAILABLE, CARRIED, EXPIRED, FORFEITED, PENDING
from kantis.core.records import Lot
from kantis.core.turn import Refused, Turn

REASON = "forfeiture"


class ForfeitSection(Struct, frozen=True, kw_only=True):
    """A rule of forfeiture: whose points, how long they can come back, and for how much."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    of: Annotated[tuple[str, ...], Knob(TEXTS, "the balances whose waiting points are forfeited")]
    reinstated_within: Annotated[
        Duration, Knob(DURATION, "how long they can come back; the last day is inside")
    ]
    reinstated_for: Annotated[
        Quantity | None, Knob(QUANTITY, "the fee for having the points of one group back")
    ] = None


def _key(rule: str, group: str) -> str:
    return f"{rule} {group}"


def forfeit(rules: dict[str, ForfeitSection], turn: Turn, body: Forfeit) -> None:
    """The points that wait for the group are lost, for now."""
    by_balance = {balance: rule for rule in rules.values() for balance in rule.of}
    waiting = [lot for lot in turn.account.lots.values() if lot.group == body.group and lot.pending]
    lots = [lot for lot in waiting if lot.balance in by_balance]
    if not lots:
        sentence = f"No points wait for {body.group!r} that a rule of 'forfeiture' is for."
        raise Refused("nothing-to-forfeit", sentence)
    for rule in rules.values():
        mine = [lot for lot in lots if by_balance[lot.balance] is rule]
        if mine:
            _forfeit(rule, turn, body.group, mine)


def _forfeit(rule: ForfeitSection, turn: Turn, group: str, lots: list[Lot]) -> None:
    key, until = _key(rule.name, group), end_of_term(turn.day, rule.reinstated_within)
    before = turn.account.forfeits.get(key)
    gone = dict(before.lots) if before is not None else {}
    for lot in lots:
        amount = lot.pending
        gone[lot.id] = gone.get(lot.id, 0) + amount
        stop_waiting(turn, lot.id, amount)
        turn.post(lot.balance, PENDING, FORFEITED, amount, lot.id, REASON)
        turn.notice("forfeited", lot.balance, amount)
    turn.change("forfeit", key, rule.name, until, list(gone.items()))
    turn.wake_on(until + 1)


def reinstate(
    rules: dict[str, ForfeitSection], balances: dict[str, Balance], turn: Turn, body: Reinstate
) -> None:
    """What was forfeited of the group comes back, for the fee of its rule."""
    records = [
        (key, record)
        for key, record in turn.account.forfeits.items()
        if key == _key(record.rule, body.group)
    ]
    if not records:
        sentence = f"Nothing of {body.group!r} is forfeited, or its time is over."
        raise Refused("nothing-forfeited", sentence)
    for key, record in records:
        turn.change("forfeit", key, record.rule, record.until, [])
        for lot_id, amount in record.lots:
            _give_back(balances, turn, turn.account.lots[lot_id], amount)
        rule = rules.get(record.rule)
        if rule is not None and rule.reinstated_for is not None:
            turn.fee(rule.name, "reinstatement", rule.reinstated_for.amount)


def _give_back(balances: dict[str, Balance], turn: Turn, lot: Lot, amount: int) -> None:
    """With the end that the points had, or with a new one where that lies behind."""
    balance = balances[lot.balance]
    if lot.expires and lot.expires <= turn.day:
        turn.post(lot.balance, FORFEITED, CARRIED, amount, lot.id, REASON)
        issue(turn, balance, amount, REASON, source=CARRIED)
        return
    turn.post(lot.balance, FORFEITED, AVAILABLE, amount, lot.id, REASON)
    repay(turn, balance, lot.id, REASON)
    turn.wake_at(turn.at)


def due(account: Account, days: Calendar) -> int:
    """The next instant at which forfeited points can no longer come back."""
    return min(days.start(each.until + 1) for each in account.forfeits.values())


def run(turn: Turn) -> list[str]:
    """What could come back until a day that is over expires; the groups of it."""
    groups = []
    for key, record in list(turn.account.forfeits.items()):
        if record.until < turn.day:
            turn.change("forfeit", key, record.rule, record.until, [])
            groups.append(key.removeprefix(_key(record.rule, "")))
            for lot_id, amount in record.lots:
                balance = turn.account.lots[lot_id].balance
                turn.post(balance, FORFEITED, EXPIRED, amount, lot_id, REASON)
    return groups
