"""Faults: planted bugs in the real code, one at a time, that the simulation has to catch.

Each is a mistake that somebody could make in a line or two. It is switched on by replacing
a function for as long as a seed runs. ``PLANTED`` says what is replaced and where it can
show: in a run of the engine, or in the office with its books.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import structs

from kantis.core import account as accounts
from kantis.core import earner, limits, lots, postings, rates, turn
from kantis.core.budgets import Budget
from kantis.core.calendar import DAY_MS
from kantis.core.events import Carry, Purchase, Void
from kantis.core.places import AVAILABLE, HELD, OWED, PENDING, REVERSED
from kantis.desk import batch, booking, fold, tasks
from kantis.desk.submit import Desk
from kantis.engine import budgets, groups, order, periods, returning, reverse
from kantis.features import balances, counters, cycles, rewards, tiers, vouchers
from kantis.store.books import Books
from tests.simulation import invariants, world
from tests.simulation.office import Office
from tests.simulation.run import Failure, Run, program_of

_BUSY, _HOTEL, _GROCER = ("market",), ("hotel",), ("grocer",)


class Fault:
    """What is replaced by what, on which programs it can show, and whether it needs books."""

    def __init__(
        self, *replaced: tuple[Any, Any, Any], plays: tuple[str, ...] = _BUSY, office: bool = False
    ) -> None:
        self.replaced, self.plays, self.office = replaced, plays, office

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The fault is in the code inside this block, and programs are compiled with it."""
        kept = [(target, name, _get(target, name)) for target, name, _ in self.replaced]
        world.forget_programs()
        try:
            for target, name, wrong in self.replaced:
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
    """Does nothing, whatever it was to do."""


def around(right: Callable[..., Any], wrong: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gets the right one as its first argument."""
    return lambda *given, **named: wrong(right, *given, **named)


# ── rules ────────────────────────────────────────────────────────────────────


def _more_than(right: Any, group: Any, account: Any, day: int) -> int:
    lists = [
        tuple(tuple((counter, amount + 1) for counter, amount in part) for part in each)
        for each in group.thresholds
    ]
    return int(right(structs.replace(group, thresholds=lists), account, day))


def _no_activity(body: Any) -> Any:
    return body if isinstance(body, Purchase) else None


def _half_up(right: Any, num: int, den: int, how: str) -> int:
    return int(right(num, den, "half up" if how == "down" else how))


def _level_of_today(self: Any, group: str) -> int:
    return int(self.standing(group).level)


def _a_day(right: Any, days: int, *given: Any) -> int:
    end = int(right(*given))
    return end + days if end else 0


def _without_remainder(total: int, weights: list[int]) -> list[int]:
    whole = sum(weights)
    return [total * weight // whole for weight in weights] if whole else [0] * len(weights)


def _owes_expired_too(right: Any, now: Any, policy: Any, lot: int, *rest: Any) -> int:
    found = now.account.lots.get(lot)
    expired = found.expired if found is not None else 0
    if found is not None:
        found.expired = 0
    missing = int(right(now, policy, lot, *rest))
    if found is not None:
        found.expired += expired
    return missing


def _all_but_one(now: Any, policy: Any, lot: int, reason: str) -> None:
    owed = -now.account.purse[policy.name][OWED]
    amount = min(owed, now.account.lots[lot].available)
    if amount > 1:
        now.post(policy.name, AVAILABLE, OWED, amount - 1, lot, reason)


def _opens_nothing(policies: Any, now: Any) -> None:
    while now.account.waiting and now.account.waiting[0][0] <= now.moment:
        opens, lot, amount = now.account.waiting[0]
        now.change("wait", opens, lot, -amount)


def _booked_twice(right: Any, plan: Any, now: Any, body: Any) -> None:
    if body.origin == "transfer":
        body = structs.replace(body, lots=body.lots + body.lots)
    right(plan, now, body)


def _without_grace(right: Any, now: Any, policy: Any, *rest: Any) -> None:
    right(now, structs.replace(policy, grace_days=0), *rest)


def _newest_first(right: Any, *given: Any) -> list[Any]:
    return list(reversed(right(*given)))


def _restores_all(right: Any, policy: Any, now: Any) -> None:
    day, now.day = now.day, 0
    right(policy, now)
    now.day = day


def _forgets_void(plan: Any, now: Any, body: Any) -> None:
    for lot in groups._group(plan, now, body.group, confirmed=False)[0]:
        lots.stop_waiting(now, lot.id, lot.pending)
        now.post(lot.balance, PENDING, REVERSED, lot.pending, lot.id, reverse.REFUND)


def _at_the_end(history: list[Any], moment: int, value: str) -> None:
    history.append((moment, value))


def _issued_twice(right: Any, *given: Any, **named: Any) -> str:
    right(*given, **named)
    return str(right(*given, **named))


def _good_for_ever(right: Any, kinds: Any, now: Any, body: Any) -> Any:
    return now.account.vouchers.get(body.voucher) or right(kinds, now, body)


def _a_day_longer(right: Any, now: Any, *what: Any) -> None:
    right(now, *((*what[:-1], what[-1] + DAY_MS) if what[0] == "hold" else what))


def _stays_a_hold(plan: Any, now: Any, key: str) -> None:
    hold = now.account.holds[key]
    lots.give_back(now, plan.balances[hold.balance], hold.lots, HELD, rewards.REASON)
    hold.until = now.at + DAY_MS


def _only_available(right: Any, account: Any, posting: Any) -> None:
    balance, source, target, amount, lot, reason = posting
    right(account, (balance, source, target, amount, 0 if source == HELD else lot, reason))


def _postings_first(account: Any, entry: Any) -> None:
    for posting in entry.decision.postings:
        postings.post(account, posting)
    for change in entry.decision.changes:
        accounts.change(account, change)
    account.seq, account.at, account.due = entry.seq, entry.at, entry.due


# ── books ────────────────────────────────────────────────────────────────────


def _committed_anyway(self: Desk) -> None:
    books: Any = self.books
    vars(books).pop("commit", None)
    if self.cache is not None:
        self.cache.clear()
    try:
        books.commit()
    except Exception:
        books.rollback()


def _stale(right: Any, made: Any, live: Any, stopped: bool) -> None:
    right(made, live, stopped)
    if live.account.seq % 3 == 0:
        *ledger, _, entries = made.ledgers[-1]
        made.ledgers[-1] = (*ledger, {}, entries)


def _back_to_sender(right: Any, live: Any, *rest: Any) -> Any:
    row = list(right(live, *rest))
    row[5] = f"account:{live.id}"
    return tuple(row)


def _on(target: Any, name: Any, wrong: Callable[..., Any]) -> tuple[Any, Any, Any]:
    """A replacement that gets the right function as its first argument."""
    return target, name, around(_get(target, name), wrong)


def _one_more(budget: Budget, turn: turn.Turn) -> int:
    return turn.context.limits.get(budget.limit, budget.amount) + 1


def _without_counts(data: bytes) -> accounts.Account:
    found = accounts.decode_account(data)
    found.counters.pop("cap monthly", None)
    return found


#: The planted faults, by what is wrong.
PLANTED: dict[str, Fault] = {
    "a level takes more than its threshold": Fault(_on(tiers, "earned_level", _more_than)),
    "rounding half up instead of down": Fault(
        _on(rates, "divide", _half_up), (rates.Round, "plain", False)
    ),
    "a cap is not counted": Fault((limits.Cap, "use", nothing), (limits, "write_use", nothing)),
    "a cap is not free again after a refund": Fault((reverse, "_count_off", nothing)),
    "a void group keeps what it used of caps": Fault((groups, "settle_caps", lambda *_: False)),
    "a refund forgets earlier refunds": Fault((reverse, "returned_by", lambda decisions: {})),
    "a refund asks for expired points": Fault(_on(reverse, "claw_back", _owes_expired_too)),
    "a refund leaves the counters": Fault((reverse, "_reverse_counters", nothing)),
    "a refund leaves the counters of points": Fault((counters, "points_taken", lambda *_: 0)),
    "an activity that is cancelled keeps its points": Fault((reverse, "bought", _no_activity)),
    "a refund never lowers a level": Fault((tiers, "fall_after_refund", nothing)),
    "a refund goes by the rules of today": Fault(
        (reverse, "plan_of", lambda plan, turn, event, purchase: plan)
    ),
    "points die a day early": Fault(_on(balances, "end_of", lambda f, *a: _a_day(f, -1, *a))),
    "points die a day late": Fault(_on(balances, "end_of", lambda f, *a: _a_day(f, 1, *a))),
    "a debt is not repaid": Fault((lots, "repay", nothing), (balances, "repay", nothing)),
    "a debt is repaid but for one": Fault((lots, "repay", _all_but_one)),
    "a hold is not released": Fault((reverse, "release_overdue", nothing)),
    "a hold lasts a day too long": Fault(_on(turn.Turn, "change", _a_day_longer)),
    "a hold that is let go stays": Fault((reverse, "_let_go", _stays_a_hold)),
    "held points leave no trace in their lot": Fault(_on(turn, "post", _only_available)),
    "what a hold took of a limit is not free again": Fault((rewards, "give_up", nothing)),
    "a late event uses the level of today": Fault((turn.Turn, "level", _level_of_today)),
    "a late event restores what died before it": Fault(_on(balances, "_restore", _restores_all)),
    "a late event restores nothing": Fault((balances, "_restore", nothing)),
    "a late fact counts as the last one": Fault((accounts, "_remember", _at_the_end)),
    "the largest remainder is dropped": Fault((returning, "share", _without_remainder)),
    "activation is skipped": Fault((balances, "activate", _opens_nothing)),
    "a transfer is booked twice": Fault(_on(order.HANDLERS, Carry, _booked_twice)),
    "points that come back get no grace": Fault(_on(reverse, "give_back", _without_grace)),
    "the newest points burn first": Fault(_on(lots, "open_lots", _newest_first)),
    "a void is taken back once more by a refund": Fault((order.HANDLERS, Void, _forgets_void)),
    "an offer is never used up": Fault((earner, "use_offer", nothing)),
    "a voucher is used twice": Fault(_on(vouchers, "check", _good_for_ever)),
    "a cycle issues its voucher twice": Fault(_on(vouchers, "issue", _issued_twice), plays=_GROCER),
    "a cycle runs a day late": Fault(
        _on(cycles.Dates, "following", lambda f, *a: _a_day(f, 1, *a)), plays=_GROCER
    ),
    "a budget is passed by one": Fault((budgets, "left", _one_more)),
    "a budget keeps what came back": Fault((budgets, "give_back", nothing)),
    "a void group keeps what it used of budgets": Fault((budgets, "settle", lambda *_: False)),
    "what a second try finds is half undone": Fault((budgets, "decode_account", _without_counts)),
    "what comes late does not roll over": Fault((tiers, "roll_again", nothing), plays=_HOTEL),
    "a review does nothing": Fault((tiers, "_review", nothing), plays=_HOTEL),
    "new terms reach back into a period": Fault(
        (periods, "_of_then", lambda earner, *_: earner), plays=_HOTEL
    ),
    "protected points die": Fault((balances, "check_who", lambda *_: "no"), plays=_HOTEL),
    "the fold applies postings first": Fault((invariants, "apply", _postings_first)),
    "a known key is decided again": Fault((batch.Batch, "_repeat", nothing), office=True),
    "another body passes under the same key": Fault(
        (tasks.Task, "same_as", lambda *_: True), office=True
    ),
    "a rollback is lost": Fault((Desk, "forget", _committed_anyway), office=True),
    "a balance row is not written": Fault(_on(booking, "_book", _stale), office=True),
    "a shared limit is not taken": Fault((Books, "take", lambda *_: True), office=True),
    "a transfer comes back to its sender": Fault(
        _on(booking, "_staged", _back_to_sender), office=True
    ),
    "verify folds postings first": Fault((fold, "apply", _postings_first), office=True),
}


def catch(fault: Fault, folder: str, seeds: int = 200) -> Failure | None:
    """The first failure that a fault leads to, over the seeds that play its programs."""
    with fault.planted():
        for seed in range(seeds):
            if program_of(seed) not in fault.plays:
                continue
            try:
                if fault.office:
                    Office(seed, f"{folder}/{seed}.db").explore(400)
                else:
                    Run(seed).explore(600)
            except Failure as failure:
                return failure
    return None
