"""By hand: what somebody would write who has one program only, and knows it by heart.

Each function does for a purchase what the compiled program does: the same postings, lots,
counters, facts, notices and price effects, written into the same records, with the same
refusals of nonsense. There are no rules in it that can be changed, no other kind of event,
and nothing that is late. That it decides the same is asserted before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from kantis.core.account import Account, new_purse
from kantis.core.calendar import Calendar, add_months, window_end, window_start
from kantis.core.decision import Decision, Entry
from kantis.core.events import Event
from kantis.core.places import AVAILABLE, ISSUED, OWED, PENDING, VOUCHER
from kantis.core.records import Lot, Standing, Voucher

ByHand = Callable[[Account, Event], list[Entry]]

EXCLUDED = frozenset({"FUEL", "MISCELLANEOUS"})
EXCLUDED_TAGS = frozenset({"fuel", "gift-card"})
FRESH = frozenset({"PRODUCE", "MEAT", "SEAFOOD"})
COUPONS = (("coupon-a", 100), ("coupon-b", 50), ("coupon-c", 75))
RATES = (4, 5, 6)


def _purse(account: Account, balance: str) -> list[int]:
    purse = account.purse.get(balance)
    if purse is None:
        purse = account.purse[balance] = new_purse()
    return purse


def _find(account: Account, bucket: int, expires: int) -> Lot | None:
    for lot in reversed(account.lots.values()):
        if lot.bucket == bucket and lot.expires == expires and not lot.group:
            return lot
    return None


def cafe(calendar: Calendar) -> ByHand:
    """The decision of the café's stamp card."""
    days, start = calendar.day, calendar.start
    year = lru_cache(4096)(lambda day: add_months(day, 12))
    half = lru_cache(4096)(lambda day: add_months(day, 6))

    def decide(account: Account, event: Event) -> list[Entry]:
        time = event.time
        if not (account.joined and account.at <= time < account.due):
            raise NotImplementedError("late, unknown, or time has passed")
        coffee = own = 0
        for line in event.body.lines:  # type: ignore[union-attr]
            if line.amount < 0 or line.quantity < 0:
                raise ValueError("negative")
            if line.category == "coffee":
                coffee += line.quantity
                if "own-cup" in line.tags:
                    own += line.quantity
        day = days(time)
        decision = Decision([], [], [])
        given = coffee + own
        if given:
            lot = _stamps(account, decision, day, given, year(day), start)
            decision.fired.append(("coffee", "stamps", coffee, coffee, lot.id, coffee))
            if own:
                decision.fired.append(("own-cup", "stamps", own, own, lot.id, own))
            purse = account.purse["stamps"]
            if purse[AVAILABLE] >= 10:
                _drinks(account, decision, purse, day, half(day), start)
        account.seq += 1
        account.at = time
        return [Entry(account.seq, time, 1, decision, f"{event.source}/{event.id}", account.due)]

    return decide


def _stamps(
    account: Account,
    decision: Decision,
    day: int,
    given: int,
    expires: int,
    start: Callable[[int], int],
) -> Lot:
    lot = _find(account, day, expires)
    if lot is None:
        number = account.next_lot
        account.next_lot += 1
        lot = account.lots[number] = Lot(number, "stamps", day, expires)
        decision.changes.append(("lot", number, "stamps", day, expires, "", "", ""))
        account.due = min(account.due, start(expires))
    purse = _purse(account, "stamps")
    purse[AVAILABLE] += given
    lot.available += given
    lot.issued += given
    decision.postings.append(("stamps", ISSUED, AVAILABLE, given, lot.id, "earning"))
    if purse[OWED]:
        raise NotImplementedError("a debt")
    return lot


def _drinks(
    account: Account,
    decision: Decision,
    purse: list[int],
    day: int,
    until: int,
    start: Callable[[int], int],
) -> None:
    for number in range(1, purse[AVAILABLE] // 10 + 1):
        rest = 10
        lots = [lot for lot in account.lots.values() if lot.available]
        for lot in sorted(lots, key=lambda lot: (lot.expires, lot.bucket, lot.id)):
            part = min(rest, lot.available)
            lot.available -= part
            lot.spent += part
            decision.postings.append(("stamps", AVAILABLE, VOUCHER, part, lot.id, "rewards"))
            rest -= part
            if not rest:
                break
        assert not rest
        purse[AVAILABLE] -= 10
        purse[VOUCHER] += 10
        code = f"free-drink-{account.seq + 1}-{number}"
        account.vouchers[code] = Voucher("free-drink", 0, "stamps", 10, day, until)
        decision.changes.append(("voucher", code, "free-drink", 0, "stamps", 10, day, until))
        account.due = min(account.due, start(until))
        decision.notices = [*decision.notices, ("voucher", "free-drink", 0)]


def grocer(calendar: Calendar) -> ByHand:
    """The decision of the grocer's program."""
    days, start = calendar.day, calendar.start

    @lru_cache(4096)
    def dates(day: int) -> tuple[int, int, int, int, int]:
        month, year = window_start("month", day), window_start("year", day)
        expires = add_months(window_end("month", day), 12)
        return month, expires, start(day + 2), year, add_months(year, 24)

    def decide(account: Account, event: Event) -> list[Entry]:
        time = event.time
        if not (account.joined and account.at <= time < account.due):
            raise NotImplementedError("late, unknown, or time has passed")
        standing = account.tiers.get("status")
        level = standing.level if standing is not None else 0
        decision = Decision([], [], [])
        total = counted = fresh = 0
        coupon = False
        effects = []
        for line in event.body.lines:  # type: ignore[union-attr]
            amount = line.amount
            if amount < 0 or line.quantity < 0:
                raise ValueError("negative")
            if level and line.brand == "Private":
                less = (4 * amount + 100) // 200
                if less:
                    amount -= less
                    effects.append((line.id, "house-brand", less))
            total += amount
            department, tags = line.department, line.tags
            if tags and "coupon" in tags:
                coupon = True
            if department in EXCLUDED or (tags and not EXCLUDED_TAGS.isdisjoint(tags)):
                continue
            counted += amount
            if department in FRESH:
                fresh += amount
        decision.effects = effects
        month, expires, opens, year, until = dates(days(time))
        _points(account, decision, (total, counted, fresh, coupon), level, (month, expires, opens))
        if counted > 0:
            _count(account, decision, "spend", year, counted)
            reached = account.counters["spend"][year]
            now = 2 if reached >= 300000 else 1 if reached >= 100000 else 0
            if now > level or (now == level and standing and 0 < standing.until < until and now):
                _rise(account, decision, standing, now, time, until, start(until))
        account.seq += 1
        account.at = time
        return [Entry(account.seq, time, 1, decision, f"{event.source}/{event.id}", account.due)]

    return decide


def _points(
    account: Account,
    decision: Decision,
    sums: tuple[int, int, int, bool],
    level: int,
    dates: tuple[int, int, int],
) -> None:
    total, counted, fresh, coupon = sums
    month, expires, opens = dates
    facts = []
    given = 0
    if counted > 0:
        base, rate = counted - counted % 100, RATES[level]
        given = base * rate // 400
        if given:
            facts.append(("shopping", base, given, given))
        part = fresh - fresh % 100
        if part > 0:
            share = rate * (2 * base + part) // 800 - given
            given += share
            if share:
                facts.append(("fresh", part, share, share))
    if total >= 10000:
        left = 50 - account.counters.get("cap big-basket 1", {}).get(month, 0)
        points = max(0, min(25, left))
        if points:
            _count(account, decision, "cap big-basket 1", month, points)
            given += points
        facts.append(("big-basket", 1, points, 25))
    if coupon and account.offers:
        for name, points in COUPONS:
            loaded, uses = account.offers.get(name, (-1, 0))
            if loaded >= 0:
                given += points
                account.offers[name] = [-1, uses + 1]
                decision.changes.append(("offer", name, -1, uses + 1))
                facts.append((name, 1, points, points))
    number = _pending(account, decision, given, month, expires, opens) if given else 0
    decision.fired = [
        (name, "points", base, points, number, plain) for name, base, points, plain in facts
    ]


def _pending(
    account: Account, decision: Decision, given: int, month: int, expires: int, opens: int
) -> int:
    lot = _find(account, month, expires)
    if lot is None:
        number = account.next_lot
        account.next_lot += 1
        lot = account.lots[number] = Lot(number, "points", month, expires)
        decision.changes.append(("lot", number, "points", month, expires, "", "", ""))
    purse = _purse(account, "points")
    purse[PENDING] += given
    lot.pending += given
    lot.issued += given
    decision.postings.append(("points", ISSUED, PENDING, given, lot.id, "earning"))
    waiting = account.waiting
    for position, (instant, lot_id, waits) in enumerate(waiting):
        if instant == opens and lot_id == lot.id:
            waiting[position] = (opens, lot.id, waits + given)
            break
    else:
        waiting.append((opens, lot.id, given))
        waiting.sort()
    decision.changes.append(("wait", opens, lot.id, given))
    account.due = min(account.due, opens)
    return lot.id


def _count(account: Account, decision: Decision, name: str, bucket: int, amount: int) -> None:
    counts = account.counters.setdefault(name, {})
    counts[bucket] = counts.get(bucket, 0) + amount
    decision.changes.append(("count", name, bucket, amount))


def _rise(
    account: Account,
    decision: Decision,
    standing: Standing | None,
    level: int,
    at: int,
    until: int,
    ends: int,
) -> None:
    if standing is None:
        standing = account.tiers["status"] = Standing()
    higher = level > standing.level
    why = "reached" if higher else "kept"
    decision.changes.append(("tier", "status", level, at, until, why))
    if higher or not standing.history:
        standing.since = at
        standing.history.append((at, level))
        del standing.history[:-8]
    standing.level, standing.until = level, until
    account.due = min(account.due, ends)
    if higher:
        name = ("basket", "silver", "gold")[level]
        decision.notices = [*decision.notices, ("tier", "status", name)]
