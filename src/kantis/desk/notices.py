"""Notices: what an entry of the books has to tell the world, and in which words.

Guarantee: a notice says what moved, by which rule and event, and of which account number. It
never says who: no card, no name, no product, no basket, no code of a voucher.

>>> parts = [("points", 6, 0, 40, 1, "earning"), ("points", 6, 0, 2, 2, "earning")]
>>> [(each.type, each.data) for each in of_decision(Decision(postings=parts))]
... # doctest: +NORMALIZE_WHITESPACE
[('points.earned', {'balance': 'points', 'amount': 42, 'from': 'issued', 'to': 'available',
                    'reason': 'earning'})]
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

from msgspec import Struct

from kantis.core.decision import Decision, brought
from kantis.core.places import (
    ADJUSTED,
    AVAILABLE,
    CARRIED,
    CHARITY,
    CHART,
    EXPIRED,
    FORFEITED,
    HELD,
    ISSUED,
    MEMBER_PLACES,
    OWED,
    PARTNER_PAYABLE,
    PAYOUT,
    PENDING,
    REDEEMED,
    REVERSED,
    SHARE_CAPITAL,
    TRANSIT,
    VOUCHER,
)

#: What a webhook can be told, and when.
TYPES: Final = {
    "account.opened": "a member has enrolled, and there is a new account",
    "points.earned": "value was issued, available or pending",
    "points.activated": "pending value became available",
    "points.held": "value was set aside for a redemption",
    "points.captured": "value that was set aside is spent",
    "points.released": "value that was set aside is available again",
    "points.spent": "value was spent, or turned into a voucher or a payout",
    "points.returned": "spent or lost value came back",
    "points.expired": "value was lost to time",
    "points.reversed": "value was taken back because its cause was undone",
    "points.forfeited": "value was lost to a rule, and can come back",
    "points.adjusted": "somebody gave or took value by hand",
    "points.moved": "value came from another account or product, or left for one",
    "points.settled": "value paid what the member owed",
    "payout.arrived": "money that was on its way has arrived",
    "reward.granted": "a reward came by itself",
    "voucher.issued": "a member has a new voucher",
    "voucher.used": "a voucher was used",
    "voucher.expired": "the time of a voucher is over",
    "tier.changed": "a member is at another level",
    "plan.changed": "a member has another paid plan, or none (plan empty)",
    "challenge.completed": "a member has done what a challenge asks for",
    "exchange.made": "points went to a partner's programme",
    "points.ending": "value will be lost to time within 14 days",
    "voucher.ending": "a voucher that is not used will end within 14 days",
    "tier.ending": "a level will end within 14 days, unless it is kept until then",
    "offer.ending": "an offer that a member can still use will end within 14 days",
    "flag.raised": "a person should look at something",
    "program.published": "a program has a new version",
    "offer.missed": "a member went without a rule, because too little is left of its budget",
    "budget.alarm": "a budget has reached the share at which it alarms",
    "budget.stopped": "nothing more can be had of a budget in the program file",
    "survey.answered": "a member has said how a purchase was: the score, and no word of the text",
    "webhook.disabled": "another webhook of the program is not called any more",
    "webhook.test": "somebody asked for a test; only the webhook itself is told",
}

#: The words of a type that is told outside.
_PREFIX, _SUFFIX = "kantis.", ".v1"

_MEMBERS: Final = frozenset(range(MEMBER_PLACES))
_LOST: Final = frozenset({REDEEMED, EXPIRED, REVERSED, FORFEITED, VOUCHER, PAYOUT})
_SPENT: Final = frozenset({REDEEMED, VOUCHER, PAYOUT, SHARE_CAPITAL, CHARITY, PARTNER_PAYABLE})
#: (type, from these places, to these): the first that fits is told of a posting.
_MOVES: Final = (
    ("points.adjusted", frozenset({ADJUSTED}), _MEMBERS),
    ("points.adjusted", _MEMBERS, frozenset({ADJUSTED})),
    ("points.moved", frozenset({TRANSIT, CARRIED}), _MEMBERS),
    ("points.moved", _MEMBERS, frozenset({TRANSIT, CARRIED})),
    ("points.earned", frozenset({ISSUED}), _MEMBERS),
    ("points.activated", frozenset({PENDING}), frozenset({AVAILABLE})),
    ("points.held", frozenset({AVAILABLE}), frozenset({HELD})),
    ("points.released", frozenset({HELD}), frozenset({AVAILABLE})),
    ("points.captured", frozenset({HELD}), _SPENT),
    ("points.expired", _MEMBERS, frozenset({EXPIRED})),
    ("points.reversed", _MEMBERS | {EXPIRED, FORFEITED}, frozenset({REVERSED, ISSUED})),
    ("points.forfeited", _MEMBERS, frozenset({FORFEITED})),
    ("points.returned", _LOST, frozenset({AVAILABLE, PENDING, OWED})),
    ("points.settled", frozenset({AVAILABLE}), frozenset({OWED})),
    ("payout.arrived", frozenset({PAYOUT}), frozenset({REDEEMED})),
    ("points.spent", frozenset({AVAILABLE, OWED, PENDING}), _SPENT),
)

#: What a decision notes, beside what its postings tell: the type, and the names of its values.
NOTED: Final = {
    "tier": ("tier.changed", ("group", "level")),
    "plan": ("plan.changed", ("ladder", "plan")),
    "voucher": ("voucher.issued", ("kind", "worth")),
    "voucher expired": ("voucher.expired", ("kind", "worth")),
    "challenge": ("challenge.completed", ("challenge", "badge")),
    "reward": ("reward.granted", ("reward",)),
    "exchange": ("exchange.made", ("partner", "to", "amount")),
    "missed": ("offer.missed", ("rule",)),
}


class Notice(Struct, frozen=True):
    """One thing to tell: its type and what belongs to it."""

    type: str
    data: dict[str, Any]


def full(type: str) -> str:
    """A type as it is told outside.

    >>> full("points.earned")
    'kantis.points.earned.v1'
    """
    return f"{_PREFIX}{type}{_SUFFIX}"


def wanted(type: str, filters: list[str]) -> bool:
    """Whether one of the filters asks for a type. None of them: all.

    >>> wanted("points.earned", ["points.*"]), wanted("tier.changed", ["points.*"])
    (True, False)
    """
    return not filters or any(fnmatchcase(type, each) for each in filters)


def misspelt(filters: list[str]) -> list[str]:
    """The filters that ask for nothing that there is.

    >>> misspelt(["points.*", "tier.changed", "*", "tiers"])
    ['tiers']
    """
    return [each for each in filters if not any(fnmatchcase(type, each) for type in TYPES)]


def of_decision(decision: Decision, event: str = "") -> list[Notice]:
    """What a decision tells; ``event`` is the type of what was decided."""
    if decision.refusal is not None:
        return []
    return list(_told(decision, event))


def _told(decision: Decision, event: str) -> Iterator[Notice]:
    if event == "enrol":
        yield Notice("account.opened", {})
    sums: dict[tuple[str, str, int, int, str], int] = {}
    for balance, source, target, amount, _, reason in decision.postings:
        moved = _move(source, target)
        if moved:
            key = moved, balance, source, target, reason
            sums[key] = sums.get(key, 0) + amount
    for (moved, balance, source, target, reason), amount in sums.items():
        named = {"from": CHART[source].name, "to": CHART[target].name, "reason": reason}
        yield Notice(moved, {"balance": balance, "amount": amount, **named})
    for kind, *values in decision.notices:
        if kind in NOTED:
            type, names = NOTED[kind]
            yield Notice(type, dict(zip(names, values, strict=True)))
    for change in decision.changes[brought(decision) :]:
        if change[0] == "voucher state" and change[2] == "used":
            yield Notice("voucher.used", {"kind": str(change[1]).rsplit("-", 2)[0]})


def _move(source: int, target: int) -> str:
    """What a posting between two places is called; empty when members see nothing of it."""
    for name, sources, targets in _MOVES:
        if source in sources and target in targets:
            return name
    return ""
