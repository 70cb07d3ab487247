"""Lots: how points come into an account, leave it, and come back.

Every feature that moves points does it here, so that a lot is found, filled and emptied
in one way. A ``Balance`` is the compiled policy of one balance of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from kantis.core import calendar
from kantis.core.account import NEVER, add_lot, add_wait
from kantis.core.amounts import Unit, share
from kantis.core.places import (
    AVAILABLE,
    CARRIED,
    EXPIRED,
    FORFEITED,
    HELD,
    ISSUED,
    OWED,
    PENDING,
)
from kantis.core.postings import bring, leave
from kantis.core.records import Lot
from kantis.core.turn import Turn


class Clock(Struct, frozen=True):
    """An expiry that depends on activity: all dies so long after the last sign of life.

    ``kinds`` are the signs of life (earning, redeeming, purchase, activity). ``to_month_end``
    slides it to the last day of that month.
    """

    months: int
    kinds: tuple[str, ...]
    to_month_end: bool = False
    days: int = 0

    def expires(self, touched: int) -> int:
        """The day from whose 00:00 the points are gone."""
        if self.days:
            return touched + self.days
        day = calendar.add_months(touched, self.months)
        return calendar.window_end("month", day) if self.to_month_end else day


#: what points of one lot have in common: balance, bucket, expires, group, member, funder
LotKind = tuple[str, int, int, str, str, str]


class Balance(Struct):
    """The policy of one balance, compiled.

    ``fixed`` gives the day of expiry of points earned on a day (0: not fixed);
    ``kept`` says whether the member is protected from expiry now, ``lost`` whether the
    member may not have the balance at all; ``pushes`` are the signs of life that keep what
    would die at the end of the month a month longer. Of several members, any burns what is
    ``pooled``, and each their own of the rest; a ``proportional`` burn takes from all of them.
    """

    name: str
    unit: Unit
    monthly: bool
    fixed: Callable[[int], int]
    clock: Clock | None
    kept: Callable[[Turn], bool] | None
    oldest_first: bool
    shortage: str
    grace_days: int
    lost: Callable[[Turn], bool] | None = None
    pooled: bool = True
    proportional: bool = False
    pushes: tuple[str, ...] = ()

    def bucket(self, day: int) -> int:
        """The bucket of points that are earned on a day: the day, or the first of its month."""
        return calendar.window_start("month", day) if self.monthly else day


def issue(
    turn: Turn,
    balance: Balance,
    amount: int,
    reason: str,
    *,
    source: int = ISSUED,
    opens: int = 0,
    expires: int = -1,
    group: str = "",
    member: str = "",
    funder: str = "",
    day: int = 0,
) -> int:
    """Points come in; the number of the lot that holds them.

    They are pending while they wait for an instant (``opens``) or a group, and pay what is
    owed first when they are available. ``expires`` -1 takes the balance's own rule.
    """
    earned = day or turn.day
    if expires < 0:
        expires = balance.fixed(earned)
    kind = balance.name, balance.bucket(earned), expires, group, member, funder
    ends = turn.calendar.start(expires) if expires else NEVER
    late = turn.late or bool(day)
    return put(turn, balance, amount, reason, kind, ends, source, opens, late)


def put(
    turn: Turn,
    balance: Balance,
    amount: int,
    reason: str,
    kind: LotKind,
    ends: int,
    source: int,
    opens: int,
    late: bool,
) -> int:
    """Points come into the lot of their kind, a new one if need be; its number.

    ``ends`` is the instant at which they die (``NEVER``: none that is known). Late ones
    whose end has passed are never there.
    """
    account, decision = turn.account, turn.decision
    name, bucket, expires, group, member, funder = kind
    if turn.member and not member:
        member = turn.member
    for lot in reversed(account.lots.values()):
        if (
            lot.bucket == bucket
            and lot.expires == expires
            and lot.balance == name
            and lot.group == group
            and lot.member == member
            and lot.funder == funder
        ):
            number = lot.id
            break
    else:
        number = account.next_lot
        made = ("lot", number, name, bucket, expires, group, member, funder)
        lot = add_lot(account, made)
        decision.changes.append(made)
    if ends < account.due:
        account.due = ends
    if ends < account.calm:
        account.calm = ends
    if balance.clock is not None:
        _start_anew(turn, balance, balance.clock)
    if opens <= turn.at:
        opens = 0
    place = PENDING if opens or group else AVAILABLE
    purse = bring(account, name, place, amount, lot)
    decision.postings.append((name, source, place, amount, number, reason))
    if opens:
        waits = ("wait", opens, number, amount)
        add_wait(account, waits)
        decision.changes.append(waits)
        if opens < account.due:
            account.due = opens
    elif place == AVAILABLE:
        if purse[OWED]:
            repay(turn, balance, number, reason)
        if late and expires and balance.kept is None:
            _die_at_once(turn, balance, number)
    return number


def _start_anew(turn: Turn, balance: Balance, clock: Clock) -> None:
    """Points that come in when the clock has run out start it anew, or they would be lost."""
    touched = turn.account.touched.get(balance.name, turn.account.joined)
    if touched < turn.day and clock.expires(touched) <= turn.calendar.day(turn.at):
        turn.change("touch", balance.name, turn.day)
        touched = turn.day
    turn.wake_on(clock.expires(touched))


def _die_at_once(turn: Turn, balance: Balance, lot_id: int) -> None:
    """Points that came too late, because their end has passed, are never there to be spent."""
    lot = turn.account.lots[lot_id]
    if lot.available and lot.expires <= turn.calendar.day(turn.at):
        turn.post(balance.name, AVAILABLE, EXPIRED, lot.available, lot_id, "expiry")


def repay(turn: Turn, balance: Balance, lot_id: int, reason: str) -> None:
    """Available points of a lot pay what the account owes."""
    owed = -turn.account.purse[balance.name][OWED]
    if owed:
        amount = min(owed, turn.account.lots[lot_id].available)
        if amount:
            turn.post(balance.name, AVAILABLE, OWED, amount, lot_id, reason)


def open_lots(turn: Turn, balance: Balance, member: str = "") -> list[Lot]:
    """The lots with something available, in the order in which they burn."""
    lots = [
        lot
        for lot in turn.account.lots.values()
        if lot.available and lot.balance == balance.name and (not member or lot.member == member)
    ]
    if balance.oldest_first:
        lots.sort(key=lambda lot: (lot.bucket, lot.id))
    else:
        lots.sort(key=lambda lot: (lot.expires or 1 << 60, lot.bucket, lot.id))
    return lots


def take(
    turn: Turn,
    balance: Balance,
    amount: int,
    target: int,
    reason: str,
    member: str = "",
    only: set[int] | None = None,
) -> list[tuple[int, int]]:
    """Available points leave for another place; (lot, amount) each.

    The caller has checked that there are enough. ``only`` are the lots that are meant, where
    not all are. A proportional burn is cut over the members by what each has available, by
    largest remainder.
    """
    taken: list[tuple[int, int]] = []
    lots = open_lots(turn, balance, member or payer(turn, balance))
    if only is not None:
        lots = [lot for lot in lots if lot.id in only]
    if not balance.proportional or member:
        return _take(turn, balance, amount, target, reason, lots)
    theirs: dict[str, list[Lot]] = {}
    for lot in lots:
        theirs.setdefault(lot.member, []).append(lot)
    weights = [sum(lot.available for lot in each) for each in theirs.values()]
    for each, part in zip(theirs.values(), share(amount, weights), strict=True):
        taken += _take(turn, balance, part, target, reason, each)
    return taken


def _take(
    turn: Turn, balance: Balance, amount: int, target: int, reason: str, lots: list[Lot]
) -> list[tuple[int, int]]:
    account, postings, name = turn.account, turn.decision.postings, balance.name
    taken, rest = [], amount
    for lot in lots if rest else ():
        part = min(rest, lot.available)
        leave(account, name, target, part, lot)
        postings.append((name, AVAILABLE, target, part, lot.id, reason))
        taken.append((lot.id, part))
        rest -= part
        if not rest:
            break
    assert not rest, "more was taken than there is"
    return taken


def payer(turn: Turn, balance: Balance) -> str:
    """Whose points a burn takes: the member's own, or everybody's (empty)."""
    return "" if balance.pooled else turn.member


def spendable(turn: Turn, balance: Balance) -> int:
    """What is available for a burn by the member of the event."""
    member = payer(turn, balance)
    if member:
        return sum(lot.available for lot in open_lots(turn, balance, member))
    purse = turn.account.purse.get(balance.name)
    return purse[AVAILABLE] if purse is not None else 0


def give_back(
    turn: Turn, balance: Balance, lots: list[tuple[int, int]], source: int, reason: str
) -> None:
    """Spent or held points come back with their expiry, spent ones at least a grace from now.

    The lot 0 means that they had been owed: what is still owed of them is owed no more.
    """
    today = turn.calendar.day(turn.at)
    least = today + balance.grace_days
    for lot_id, amount in lots:
        lot, rest = turn.account.lots.get(lot_id), amount
        if not lot_id:
            pays = min(amount, -turn.account.purse[balance.name][OWED])
            if pays:
                turn.post(balance.name, source, OWED, pays, 0, reason)
            rest -= pays
        if not rest:
            continue
        if source != HELD:
            keep_running(turn, balance, least)
        if lot is None or (lot.expires and lot.expires < least and source != HELD):
            member, funder = (lot.member, lot.funder) if lot else ("", "")
            if lot:
                turn.post(balance.name, source, AVAILABLE, rest, lot_id, reason)
                turn.post(balance.name, AVAILABLE, CARRIED, rest, lot_id, reason)
            else:
                turn.post(balance.name, source, CARRIED, rest, 0, reason)
            issue(
                turn,
                balance,
                rest,
                reason,
                source=CARRIED,
                expires=least if balance.fixed(today) else 0,
                member=member,
                funder=funder,
                day=today,
            )
            continue
        turn.post(balance.name, source, AVAILABLE, rest, lot_id, reason)
        repay(turn, balance, lot_id, reason)
        turn.wake_at(turn.at)


def keep_running(turn: Turn, balance: Balance, least: int) -> None:
    """The clock of a balance starts anew today where it would stop before a day."""
    account, clock = turn.account, balance.clock
    if clock is None:
        return
    touched = account.touched.get(balance.name, account.joined)
    if clock.expires(touched) < least:
        today = turn.calendar.day(turn.at)
        turn.change("touch", balance.name, today)
        turn.wake_on(clock.expires(today))


def claw_back(
    turn: Turn,
    balance: Balance,
    lot_id: int,
    amount: int,
    target: int,
    reason: str,
    opens: int = 0,
) -> int:
    """Points of a lot are taken back; what could not be taken.

    ``opens`` is the instant that they wait for, if they still wait.
    In order: what is open of the same lot, its forfeited, expired and voided points (as already
    taken), other lots by their order of burning; then the balance's policy for a shortage: ``owed``
    books a debt, ``forgiven`` lets it go. Under ``pending only`` what is available stays: only
    what is still pending of the lot is taken.
    """
    rest, before = amount, 0
    lot = turn.account.lots.get(lot_id)
    if lot is not None:
        part = min(rest, lot.pending)
        if part:
            turn.post(balance.name, PENDING, target, part, lot_id, reason)
            stop_waiting(turn, lot_id, part, opens)
            rest -= part
        if balance.shortage == "pending only":
            return rest
        part = min(rest, lot.available)
        if part:
            turn.post(balance.name, AVAILABLE, target, part, lot_id, reason)
            rest -= part
        if turn.account.forfeits:
            rest -= _claw_back_forfeited(turn, lot_id, rest, target, reason)
        gone = min(rest, lot.expired - forfeited(turn, lot_id))
        if gone:
            turn.post(balance.name, EXPIRED, target, gone, lot_id, reason)
            rest -= gone
        before = min(rest, turn.account.counters.get(voided(lot_id), {}).get(0, 0))
        if before:
            turn.change("count", voided(lot_id), 0, -before)
            rest -= before
    for other in _others(turn, balance, lot_id) if rest else ():
        part = min(rest, other.available)
        turn.post(balance.name, AVAILABLE, target, part, other.id, reason)
        rest -= part
        if not rest:
            break
    if rest and balance.shortage == "owed":
        turn.post(balance.name, OWED, target, rest, 0, reason)
        rest = 0
    return rest + before


def forfeited(turn: Turn, lot_id: int) -> int:
    """What of a lot is forfeited and could still be reinstated."""
    forfeits = turn.account.forfeits.values()
    return sum(amount for each in forfeits for lot, amount in each.lots if lot == lot_id)


def _claw_back_forfeited(turn: Turn, lot_id: int, amount: int, target: int, reason: str) -> int:
    """Forfeited points of a lot are taken back for good; how many. They cannot be reinstated."""
    balance, taken = turn.account.lots[lot_id].balance, 0
    for group, record in list(turn.account.forfeits.items()):
        left = []
        for lot, there in record.lots:
            part = min(amount - taken, there) if lot == lot_id else 0
            taken += part
            if there > part:
                left.append((lot, there - part))
        if left != record.lots:
            turn.change("forfeit", group, record.rule, record.until, left)
    if taken:
        turn.post(balance, FORFEITED, target, taken, lot_id, reason)
    return taken


def voided(lot_id: int) -> str:
    """The counter of what was taken back of a lot because its group was voided."""
    return f"void lot {lot_id}"


def stop_waiting(turn: Turn, lot_id: int, amount: int, opens: int = 0) -> None:
    """Pending points of a lot wait no more: those of that instant first, then the latest."""
    mine = [each for each in turn.account.waiting if each[1] == lot_id]
    mine.sort(key=lambda each: (each[0] != opens, -each[0]))
    for instant, _, waits in mine:
        part = min(amount, waits)
        if part:
            turn.change("wait", instant, lot_id, -part)
            amount -= part


def _others(turn: Turn, balance: Balance, lot_id: int) -> Iterator[Lot]:
    """Other lots in the order in which they burn, those of the same member first."""
    lot = turn.account.lots.get(lot_id)
    whose = lot.member if lot is not None else turn.member
    lots = open_lots(turn, balance, "" if balance.pooled else whose)
    lots.sort(key=lambda lot: lot.member != whose)
    return (lot for lot in lots if lot.id != lot_id)
