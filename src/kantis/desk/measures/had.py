"""Had: which rewards, vouchers and offers an entry gave a member, or took back.

Guarantee: a reward counts when its points are spent: not while they are set aside, and no
longer once it is cancelled. A voucher counts when it is used, an offer when it did something.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kantis.core.decision import Decision, brought
from kantis.core.events import Body, Enjoy, Purchase, Redeem
from kantis.core.places import (
    AVAILABLE,
    CHARITY,
    HELD,
    MEMBER_PLACES,
    OWED,
    PAYOUT,
    REDEEMED,
    SHARE_CAPITAL,
    VOUCHER,
)

REWARD: Final = "reward"
KIND: Final = "voucher"
OFFER: Final = "offer"

_SPENT: Final = frozenset({REDEEMED, VOUCHER, PAYOUT, SHARE_CAPITAL, CHARITY})
_OWN: Final = frozenset({AVAILABLE, OWED})


class Had(NamedTuple):
    """So many times of something (below zero: it was taken back), for points of a balance."""

    what: str
    name: str
    times: int
    balance: str = ""
    points: int = 0


def had(decision: Decision, body: Body | None, cause: Body | None) -> Iterator[Had]:
    """What an entry gave; ``body`` is its event and ``cause`` the one that it undoes or ends,
    where those are purchases or redemptions.

    >>> spent = Decision([("points", AVAILABLE, REDEEMED, 50, 1, "rewards")])
    >>> list(had(spent, Redeem("mug"), None))
    [Had(what='reward', name='mug', times=1, balance='points', points=50)]
    >>> held = Decision([("points", AVAILABLE, HELD, 50, 1, "rewards")])
    >>> list(had(held, Redeem("mug", hold=True), None))
    []
    >>> captured = Decision([("points", HELD, REDEEMED, 50, 1, "rewards")])
    >>> [(each.times, each.points) for each in had(captured, None, Redeem("mug", hold=True))]
    [(1, 50)]
    """
    if isinstance(body, Redeem):
        if not body.hold:
            yield _reward(body.reward, 1, decision, _OWN)
    elif isinstance(body, Purchase) and body.points:
        for name, points in body.points.items():
            yield Had(REWARD, name, 1, _only(decision), points)
    elif isinstance(cause, Redeem):
        yield from _ended(cause, decision)
    elif isinstance(cause, Purchase) and cause.points:
        back = sum(p[3] for p in decision.postings if p[1] == REDEEMED and p[2] < MEMBER_PLACES)
        if back:
            yield Had(REWARD, next(iter(cause.points)), 0, _only(decision), -back)
    if not isinstance(body, Enjoy):  # an entitlement leaves the same fact
        for fact in decision.fired:
            if tuple(fact[1:]) == ("", 0, 0, 0, 0):
                yield Had(REWARD, fact[0], 1)
    for change in decision.changes[brought(decision) :]:
        if change[0] == "offer" and change[2] < 0 and change[3]:
            yield Had(OFFER, change[1], 1)


def _ended(cause: Redeem, decision: Decision) -> Iterator[Had]:
    """A hold is captured, or a redemption is cancelled; a hold that is let go gave nothing."""
    if any(p[1] == HELD and p[2] in _SPENT for p in decision.postings):
        yield _reward(cause.reward, 1, decision, frozenset({HELD}))
    back = [p for p in decision.postings if p[1] in _SPENT and p[2] < MEMBER_PLACES]
    back = [p for p in back if p[2] not in _SPENT]
    if back:
        yield Had(REWARD, cause.reward, -1, back[0][0], -sum(p[3] for p in back))


def _reward(name: str, times: int, decision: Decision, sources: frozenset[int]) -> Had:
    spent = [p for p in decision.postings if p[1] in sources and p[2] in _SPENT]
    balance = spent[0][0] if spent else ""
    return Had(REWARD, name, times, balance, sum(p[3] for p in spent))


def _only(decision: Decision) -> str:
    """The balance that pays for a part of a purchase, or comes back of it."""
    return next((p[0] for p in decision.postings if REDEEMED in (p[1], p[2])), "")
