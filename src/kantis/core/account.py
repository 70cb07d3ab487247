"""Account: the unit of locking and deciding, as a compact snapshot.

Everything a decision needs of the past stands here: open lots, counters per window,
tiers, vouchers, holds, loaded offers, choices, dated facts. A snapshot changes in two
ways only, ``post`` and ``change``, and both are written into the decision that made
them; so a snapshot is the fold of recorded decisions, and a command can prove it.

>>> from kantis.core.places import AVAILABLE, ISSUED, REDEEMED
>>> from kantis.core.postings import post
>>> account = Account(1)
>>> change(account, ("lot", 1, "points", 738976, 739341, "", "", ""))
>>> post(account, ("points", ISSUED, AVAILABLE, 30, 1, "earning"))
>>> post(account, ("points", AVAILABLE, REDEEMED, 10, 1, "redeeming"))
>>> account.purse["points"][AVAILABLE], account.lots[1].issued, account.lots[1].spent
(20, 30, 10)
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct, field, msgpack

from kantis.core import membership
from kantis.core.membership import Forfeited, Membership
from kantis.core.places import MEMBER_PLACES
from kantis.core.records import Award, Hold, Lot, Member, Past, Standing, Voucher

#: balance, from place, to place, amount, lot (0: none), reason (the room that posts it)
Posting = tuple[str, int, int, int, int, str]

#: a code of ``CHANGES`` and what it needs
Change = tuple[Any, ...]

#: later than any instant
NEVER = 1 << 62


class Account(Struct, array_like=True, gc=False):
    """The snapshot. ``at`` is the instant of its last entry, ``seq`` that entry's number.

    ``waiting`` is (instant, lot, amount) of pending points, soonest first.
    ``away`` is the household's account that its member has joined, and the name there; or,
    without a name, the account that this one was merged into.
    ``merged`` are the accounts that became a part of this one, by their numbers.
    ``due`` is a lower bound of the next instant at which time does something; it is no
    fold of the past (``advance`` may raise it without an entry) and no proof compares it.
    ``calm`` is the same bound for everything but waiting points, as long as it is known in
    this process (0: not known); it decides no more than how much has to be looked at.
    """

    id: int
    seq: int = 0
    at: int = 0
    joined: int = 0
    next_lot: int = 1
    purse: dict[str, list[int]] = field(default_factory=dict)
    lots: dict[int, Lot] = field(default_factory=dict)
    waiting: list[tuple[int, int, int]] = field(default_factory=list)
    counters: dict[str, dict[int, int]] = field(default_factory=dict)
    tiers: dict[str, Standing] = field(default_factory=dict)
    vouchers: dict[str, Voucher] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    offers: dict[str, list[int]] = field(default_factory=dict)
    choices: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    facts: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    touched: dict[str, int] = field(default_factory=dict)
    cycles: dict[str, int] = field(default_factory=dict)
    issued: dict[str, dict[int, int]] = field(default_factory=dict)
    lost: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    plans: dict[str, Membership] = field(default_factory=dict)
    forfeits: dict[str, Forfeited] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    awards: dict[str, Award] = field(default_factory=dict)
    away: tuple[str, str] = ("", "")
    woken: int = 0
    due: int = NEVER
    calm: int = 0
    merged: dict[int, Past] = field(default_factory=dict)


_encode = msgpack.Encoder().encode
_decode = msgpack.Decoder(Account).decode


def encode_account(account: Account) -> bytes:
    """The bytes of a snapshot. Each of its mappings grows by one kind of change only, in the
    order of the books, so that equal histories give equal bytes."""
    calm, account.calm = account.calm, 0
    data = _encode(account)
    account.calm = calm
    return data


def decode_account(data: bytes) -> Account:
    """A fresh snapshot from its bytes, also from those of a version that knew fewer fields."""
    return _decode(data)


def says_the_same(data: bytes, account: Account) -> bool:
    """Whether the bytes of a snapshot say what an account is, in the words of this version or
    of an earlier one, which had fewer fields at the end.

    >>> says_the_same(msgpack.encode([7, 2]), Account(7, 2))
    True
    >>> says_the_same(msgpack.encode([7, 3]), Account(7, 2))
    False
    """
    whole = encode_account(account)
    if whole == data:
        return True
    said, known = msgpack.decode(data), msgpack.decode(whole)
    return said == known[: len(said)] and encode_account(_decode(data)) == whole


def new_purse() -> list[int]:
    """An empty purse: one amount for each place of a member."""
    return [0] * MEMBER_PLACES


def value_at(history: list[tuple[int, Any]], moment: int, default: Any) -> Any:
    """What a dated list said at an instant."""
    for since, value in reversed(history):
        if since <= moment:
            return value
    return default


def add_lot(account: Account, change: Change) -> Lot:
    """The change ``lot``: (code, number, balance, bucket, expires, group, member, funder)."""
    lot = account.lots[change[1]] = Lot(*change[1:])
    account.next_lot = lot.id + 1
    return lot


def _dates(account: Account, change: Change) -> None:
    account.lots[change[1]].expires = change[2]


def add_wait(account: Account, change: Change) -> None:
    """The change ``wait``: (code, instant, lot, amount, below zero for what waits no more)."""
    _, opens, lot_id, amount = change
    waiting = account.waiting
    if not waiting or waiting[-1][0] < opens:  # as it is nearly always
        waiting.append((opens, lot_id, amount))
        return
    for position, (instant, lot, waits) in enumerate(waiting):
        if instant == opens and lot == lot_id:
            if waits + amount:
                waiting[position] = (opens, lot_id, waits + amount)
            else:
                del waiting[position]
            return
    insort(waiting, (opens, lot_id, amount))


def _drop(account: Account, change: Change) -> None:
    del account.lots[change[1]]


def add_count(account: Account, change: Change) -> None:
    """The change ``count``: (code, counter, bucket of its window, amount)."""
    _, name, window, amount = change
    windows = account.counters.get(name)
    if windows is None:
        account.counters[name] = {window: amount}
    else:
        windows[window] = windows.get(window, 0) + amount


def _forget(account: Account, change: Change) -> None:
    _, name, window = change
    del account.counters[name][window]
    if not account.counters[name]:
        del account.counters[name]


def _tier(account: Account, change: Change) -> None:
    _, group, level, since, until, _ = change
    standing = account.tiers.get(group)
    if standing is None:
        standing = account.tiers[group] = Standing()
    if level != standing.level or not standing.history or since < standing.since:
        standing.since = since
        standing.history.append((since, level))
        del standing.history[:-8]
    standing.level, standing.until = level, until


def _voucher(account: Account, change: Change) -> None:
    account.vouchers[change[1]] = Voucher(*change[2:])


def _voucher_state(account: Account, change: Change) -> None:
    _, code, state = change
    if state == "gone":
        del account.vouchers[code]
    else:
        account.vouchers[code].state = state


def _hold(account: Account, change: Change) -> None:
    _, key, reward, balance, lots, worth, until, partner = change
    account.holds[key] = Hold(reward, balance, [(a, b) for a, b in lots], worth, until, partner)


def _unhold(account: Account, change: Change) -> None:
    del account.holds[change[1]]


def _offer(account: Account, change: Change) -> None:
    """``loaded`` (the instant, -1: not loaded) and uses so far."""
    _, name, loaded, uses = change
    account.offers[name] = [loaded, uses]


def _choose(account: Account, change: Change) -> None:
    _, name, moment, value = change
    _remember(account.choices.setdefault(name, []), moment, value)


def _know(account: Account, change: Change) -> None:
    _, name, moment, value = change
    _remember(account.facts.setdefault(name, []), moment, value)


def _remember(history: list[tuple[int, str]], moment: int, value: str) -> None:
    """What comes late takes its place in time; of the same instant the last one counts."""
    position = len(history)
    while position and history[position - 1][0] > moment:
        position -= 1
    history.insert(position, (moment, value))


def _touch(account: Account, change: Change) -> None:
    account.touched[change[1]] = change[2]


def _cycle(account: Account, change: Change) -> None:
    account.cycles[change[1]] = change[2]


def _issue(account: Account, change: Change) -> None:
    _, name, window, amount = change
    account.issued.setdefault(name, {})[window] = amount


def _forget_issue(account: Account, change: Change) -> None:
    del account.issued[change[1]][change[2]]


def _member(account: Account, change: Change) -> None:
    """Somebody becomes a member, or stands differently among the members."""
    _, name, role, joined, burns, home = change
    member = account.members.get(name)
    if member is None:
        account.members[name] = Member(role, joined, burns, home)
    else:
        member.role, member.burns = role, burns


def _away(account: Account, change: Change) -> None:
    """Its member shares another account from now on, or is back."""
    account.away = (change[1], change[2])


def _left(account: Account, change: Change) -> None:
    del account.members[change[1]]


def _of(account: Account, change: Change) -> None:
    """A change of what is a member's own: who, and the change."""
    CHANGES[change[2]](account.members[change[1]], change[2:])  # type: ignore[arg-type]


def _label(account: Account, change: Change) -> None:
    """Whose a lot is."""
    account.lots[change[1]].member = change[2]


def _untier(account: Account, change: Change) -> None:
    del account.tiers[change[1]]


def _award(account: Account, change: Change) -> None:
    account.awards[change[1]] = Award(*change[2:])


def _unaward(account: Account, change: Change) -> None:
    del account.awards[change[1]]


def _join(account: Account, change: Change) -> None:
    account.joined = change[1]


def _lost(account: Account, change: Change) -> None:
    """What an inactivity expiry took of a lot, and a late event can restore: the day of it,
    what was available and what was pending; no day forgets it."""
    _, lot_id, day, available, pending = change
    if day:
        account.lost[lot_id] = (day, available, pending)
    else:
        account.lost.pop(lot_id, None)


def _wake(account: Account, change: Change) -> None:
    account.woken = change[1]


def _past(account: Account, change: Change) -> None:
    """What had become of the points of a lot on the account that it came from."""
    _, lot_id, spent, expired, reversed_ = change
    lot = account.lots[lot_id]
    lot.issued += spent + expired + reversed_
    lot.spent += spent
    lot.expired += expired
    lot.reversed += reversed_


def _merged(account: Account, change: Change) -> None:
    """An account became a part of this one: what its lots and vouchers are called here."""
    _, number, card, joined, lots, vouchers = change
    account.merged[number] = Past(card, joined, dict(lots), dict(vouchers))


def hollow(account: Account) -> None:
    """The change ``hollow``: nothing is left of an account that is a part of another one now."""
    for each in (
        account.lots, account.waiting, account.counters, account.tiers, account.vouchers,
        account.holds, account.offers, account.choices, account.facts, account.touched,
        account.cycles, account.issued, account.lost, account.plans, account.forfeits,
        account.awards, account.merged,
    ):  # fmt: skip
        each.clear()


CHANGES: Final[dict[str, Callable[[Account, Change], object]]] = {
    "lot": add_lot,
    "dates": _dates,
    "drop": _drop,
    "wait": add_wait,
    "count": add_count,
    "forget": _forget,
    "tier": _tier,
    "voucher": _voucher,
    "voucher state": _voucher_state,
    "hold": _hold,
    "unhold": _unhold,
    "offer": _offer,
    "choose": _choose,
    "know": _know,
    "touch": _touch,
    "cycle": _cycle,
    "issue": _issue,
    "forget issue": _forget_issue,
    "join": _join,
    "member": _member,
    "left": _left,
    "away": _away,
    "of": _of,
    "label": _label,
    "untier": _untier,
    "award": _award,
    "unaward": _unaward,
    "lost": _lost,
    "plan": lambda account, change: membership.hold(account.plans, change),
    "on plan": lambda account, change: membership.have(account.plans, change),
    "forfeit": lambda account, change: membership.forfeit(account.forfeits, change),
    "wake": _wake,
    "past": _past,
    "merged": _merged,
    "hollow": lambda account, change: hollow(account),
}


def change(account: Account, change: Change) -> None:
    """Apply one change that is not a posting; ``KeyError`` for a code that does not exist."""
    CHANGES[change[0]](account, change)
