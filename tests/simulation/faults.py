"""Faults: planted bugs in the real code, one at a time, that the simulation has to catch.

Each is a mistake that somebody could make in a line or two. It is switched on by replacing
a function for as long as a seed runs; ``PLANTED`` says what is replaced, and who notices:
the engine's run, or the office with its books.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import structs

from kantis.core import account as accounts
from kantis.core import limits, lots, rates, turn
from kantis.core.account import post, value_at
from kantis.core.decision import apply
from kantis.core.events import Carry, Void
from kantis.core.places import AVAILABLE, EXPIRED, HELD, OWED, PENDING
from kantis.desk import batch, booking, replay, tasks, verify
from kantis.desk.submit import Desk
from kantis.engine import carry, order, periods, reverse
from kantis.features import balances, cycles, earning, rewards, tiers, vouchers
from kantis.store.books import Books
from tests.simulation import invariants, world


class Fault:
    """What is wrong, what is replaced by what, and on which programs it can show."""

    def __init__(
        self, *where: tuple[Any, str, Any], plays: tuple[str, ...] = ("market",), office: bool = False
    ) -> None:
        self.where, self.plays, self.office = where, plays, office

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The fault is in the code inside this block, and programs are compiled with it."""
        kept = [(target, name, _get(target, name)) for target, name, _ in self.where]
        world.forget_programs()
        try:
            for target, name, wrong in self.where:
                _set(target, name, wrong)
            yield
        finally:
            for target, name, right in kept:
                _set(target, name, right)
            world.forget_programs()


def _get(target: Any, name: Any) -> Any:
    return target[name] if isinstance(target, dict) else vars(target)[name]


def _set(target: Any, name: Any, value: Any) -> None:
    if isinstance(target, dict):
        target[name] = value
    else:
        setattr(target, name, value)


def nothing(*_: Any, **__: Any) -> None:
    """Does nothing."""


def _more_than(group: Any, account: Any, day: int) -> int:
    """A level takes more than its threshold instead of as much."""
    lists = [
        tuple(tuple((counter, amount + 1) for counter, amount in part) for part in each)
        for each in group.thresholds
    ]
    return _earned_level(structs.replace(group, thresholds=lists), account, day)


_earned_level = tiers.earned_level


def _half_up(num: int, den: int, how: str) -> int:
    return _divide(num, den, "half up" if how == "down" else how)


_divide = rates.divide


def _today(self: Any, group: str) -> int:
    """A late event sees the level of today."""
    return int(self.standing(group).level)


def _early(balance: Any, account: Any, expires: int) -> int:
    end = _end_of(balance, account, expires)
    return end - 1 if end else end


_end_of = balances.end_of


def _floor_share(total: int, weights: list[int]) -> list[int]:
    """The largest remainder is dropped."""
    whole = sum(weights)
    return [total * weight // whole for weight in weights] if whole else [0] * len(weights)


def _open_nothing(policies: Any, now: Any) -> None:
    """What waited waits no more, but does not become available either."""
    while now.account.waiting and now.account.waiting[0][0] <= now.moment:
        opens, lot, amount = now.account.waiting[0]
        now.change("wait", opens, lot, -amount)


def _twice(plan: Any, now: Any, body: Any) -> None:
    """What comes from another account is booked twice."""
    if body.origin == "transfer":
        body = structs.replace(body, lots=body.lots + body.lots)
    _carry(plan, now, body)


_carry = carry.HANDLERS[Carry]


def _takes_expired_again(*given: Any, **named: Any) -> int:
    """A refund does not know that expired points are gone already."""
    now, _, lot_id = given[:3]
    lot = now.account.lots.get(lot_id)
    expired, lot_expired = (lot.expired, lot) if lot is not None else (0, None)
    if lot_expired is not None:
        lot_expired.expired = 0
    rest = _claw_back(*given, **named)
    if lot_expired is not None:
        lot_expired.expired += expired
    return rest


_claw_back = lots.claw_back


def _no_grace(now: Any, balance: Any, *rest: Any) -> None:
    """Spent points that come back get no time to be spent again."""
    _give_back(now, structs.replace(balance, grace_days=0), *rest)


_give_back = lots.give_back


def _newest_first(now: Any, balance: Any, member: str = "") -> list[Any]:
    return list(reversed(_open_lots(now, balance, member)))


_open_lots = lots.open_lots


def _restore_all(balance: Any, now: Any) -> None:
    """A late event gives back points that died before it."""
    day = now.day
    now.day = 0
    _restore(balance, now)
    now.day = day


_restore = balances._restore


def _void_only(plan: Any, now: Any, body: Any) -> None:
    """A voided group takes its points back and forgets that it did."""
    change, kept = type(now).change, []
    for lot in reverse._group(plan, now, body.group, confirmed=False)[0]:
        now.post(lot.balance, PENDING, 9, lot.pending, lot.id, reverse.REFUND)
    del change, kept


def _append(history: list[Any], moment: int, value: str) -> None:
    """What comes late takes the last place."""
    history.append((moment, value))


def _double_voucher(kinds: Any, now: Any, kind: str, **given: Any) -> str:
    _issue_voucher(kinds, now, kind, **given)
    return _issue_voucher(kinds, now, kind, **given)


_issue_voucher = vouchers.issue


def _any_voucher(kinds: Any, now: Any, body: Any) -> Any:
    """A voucher that was used or is over can be used again."""
    found = now.account.vouchers.get(body.voucher)
    return found if found is not None else _check_voucher(kinds, now, body)


_check_voucher = vouchers.check


def _postings_first(account: Any, entry: Any) -> None:
    """The fold applies postings before the changes that make their lots."""
    for posting in entry.decision.postings:
        post(account, posting)
    for change in entry.decision.changes:
        accounts.change(account, change)
    account.seq, account.at, account.due = entry.seq, entry.at, entry.due


def _frees_only_purse(plan: Any, now: Any, key: str) -> None:
    """A hold that is let go is given back, and stays a hold."""
    hold = now.account.holds[key]
    policy = plan.balances[hold.balance]
    lots.give_back(now, policy, hold.lots, HELD, rewards.REASON)
    now.change("unhold", key)
    if hold.lots:
        now.change("hold", key, hold.reward, hold.balance, [], hold.worth, now.at + 1)


def _below_owed(now: Any, balance: Any, lot_id: int, reason: str) -> None:
    """New points pay one more of a debt than was owed."""
    owed = -now.account.purse[balance.name][OWED]
    amount = min(owed, now.account.lots[lot_id].available)
    if amount > 1:
        now.post(balance.name, AVAILABLE, OWED, amount - 1, lot_id, reason)


def _late_level(history: Any, moment: int, default: Any) -> Any:
    """The level of an instant is that of the instant before it."""
    found = value_at(history, moment, default)
    return value_at(history[:-1], moment, default) if len(history) > 1 else found


def _keeps_level(groups: Any, now: Any) -> None:
    """A refund never lowers a level, whatever the program says."""


def _later_hold(now: Any, *what: Any) -> None:
    """A hold lasts a day longer than it says."""
    if what[0] == "hold":
        what = (*what[:-1], what[-1] + 86_400_000)
    _change(now, *what)


_change = turn.Turn.change


def _same_anyway(self: Any, row: Any) -> bool:
    return True


def _unknown_key(self: Any, first: Any, known: Any) -> None:
    """What came before is not recognised."""


def _forget_nothing(self: Desk) -> None:
    """A batch that failed is committed all the same."""
    books: Any = self.books
    vars(books).pop("commit", None)
    if self.cache is not None:
        self.cache.clear()
    try:
        books.commit()
    except Exception:
        books.rollback()


def _stale_rows(made: Any, live: Any, head: bytes, touched: set[str]) -> None:
    """The balances of every third entry are not written."""
    _stand(made, live, head, set() if live.account.seq % 3 == 0 else touched)


_stand = booking._stand


def _takes_nothing(self: Books, claims: Any) -> bool:
    """A shared limit is looked at and never taken."""
    return True


def _lost_follow_up(*given: Any) -> Any:
    """What leaves an account is never told to the other one: it goes back to the sender."""
    row = list(_staged(*given))
    row[5] = f"account:{given[0].id}"
    return tuple(row)


_staged = booking._staged

_HOTEL, _GROCER = ("hotel",), ("grocer",)

#: The planted faults by what is wrong.
PLANTED: dict[str, Fault] = {
    "a level takes more than its threshold": Fault((tiers, "earned_level", _more_than)),
    "rounding half up instead of down": Fault((rates, "divide", _half_up)),
    "a cap is not counted": Fault((limits.Cap, "use", nothing)),
    "a cap is not freed by a refund": Fault((reverse, "_count_off", nothing)),
    "a refund forgets earlier refunds": Fault((reverse, "_returned", lambda original: {})),
    "a refund takes expired points again": Fault((reverse, "claw_back", _takes_expired_again)),
    "a refund leaves the counters": Fault((reverse, "_reverse_counters", nothing)),
    "a refund never lowers a level": Fault((tiers, "fall_after_refund", _keeps_level)),
    "points die a day early": Fault((balances, "end_of", _early)),
    "points die a day late": Fault(
        (balances, "end_of", lambda *given: _end_of(*given) and _end_of(*given) + 1)
    ),
    "a debt is never repaid": Fault((lots, "repay", nothing), (balances, "repay", nothing)),
    "a debt is repaid but for one": Fault((lots, "repay", _below_owed)),
    "a hold is not released": Fault((reverse, "release_overdue", nothing)),
    "a hold lasts a day too long": Fault((turn.Turn, "change", _later_hold)),
    "a hold that is let go stays": Fault((reverse, "_let_go", _frees_only_purse)),
    "what a hold took of a limit is not freed": Fault((rewards, "give_up", nothing)),
    "a late event uses today's level": Fault((turn.Turn, "level", _today)),
    "a late event gives back what died before it": Fault((balances, "_restore", _restore_all)),
    "a late event restores nothing": Fault((balances, "_restore", nothing)),
    "a late fact counts as the last one": Fault((accounts, "_remember", _append)),
    "the largest remainder is dropped": Fault((reverse, "share", _floor_share)),
    "activation is skipped": Fault((balances, "activate", _open_nothing)),
    "a transfer is booked twice": Fault((order.HANDLERS, Carry, _twice)),
    "points that come back get no grace": Fault((reverse, "give_back", _no_grace)),
    "the newest points burn first": Fault(
        (lots, "open_lots", _newest_first), (rewards, "open_lots", _newest_first)
    ),
    "a void is taken back twice": Fault((order.HANDLERS, Void, _void_only)),
    "an offer is never used up": Fault((earning.Earner, "use_offer", nothing))
    if hasattr(earning.Earner, "use_offer")
    else Fault((vouchers, "check", _any_voucher)),
    "a voucher is used twice": Fault((vouchers, "check", _any_voucher)),
    "a cycle issues its voucher twice": Fault((vouchers, "issue", _double_voucher), plays=_GROCER),
    "a cycle runs a day late": Fault(
        (cycles.Dates, "following", lambda self, day: _following(self, day) + 1),
        plays=("hotel", "grocer"),
    ),
    "new terms reach back into a period": Fault(
        (periods, "_of_then", lambda earner, *_: earner), plays=_HOTEL
    ),
    "protected points die": Fault((balances, "check_who", lambda *_: "no"), plays=_HOTEL),
    "a review comes too late": Fault(
        (tiers, "_review", nothing),
        plays=_HOTEL,
    ),
    "the fold applies postings first": Fault((invariants, "apply", _postings_first)),
    "the same key is decided again": Fault((batch.Batch, "_repeat", _unknown_key), office=True),
    "another body under the same key": Fault((tasks.Task, "same_as", _same_anyway), office=True),
    "a lost rollback": Fault((Desk, "forget", _forget_nothing), office=True),
    "a balance row is not written": Fault((booking, "_stand", _stale_rows), office=True),
    "a shared limit is never taken": Fault((Books, "take", _takes_nothing), office=True),
    "a transfer comes back to its sender": Fault((booking, "_staged", _lost_follow_up), office=True),
    "verify folds in the wrong order": Fault(
        (verify, "apply", _postings_first), (replay, "apply", _postings_first), office=True
    ),
}

_following = cycles.Dates.following

__all__ = ["EXPIRED", "PLANTED", "Callable", "apply"]
