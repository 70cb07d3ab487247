"""Postings: what moving an amount does to a purse and to a lot, and the floors that hold.

``post`` is the one way; the moves that are made the most are functions of their own, for
callers that have the lot at hand, and ``post`` calls the same.
"""

from __future__ import annotations

from kantis.core.account import Account, Posting, new_purse
from kantis.core.places import (
    ADJUSTED,
    AVAILABLE,
    CARRIED,
    EXPIRED,
    FORFEITED,
    HELD,
    ISSUED,
    MEMBER_PLACES,
    OWED,
    PARTNER_RECEIVABLE,
    PENDING,
    REDEEMED,
    REVERSED,
    TRANSIT,
    VOUCHER,
)
from kantis.core.records import Lot

_SOURCES = frozenset((ISSUED, CARRIED, ADJUSTED, TRANSIT, PARTNER_RECEIVABLE))
_OPEN = frozenset((AVAILABLE, PENDING))
_SPENT = frozenset((REDEEMED, VOUCHER))


def post(account: Account, posting: Posting) -> None:
    """Move an amount, in the purse and in its lot.

    ``AssertionError`` when a place of the member or a lot would fall below zero: the
    caller decided wrongly, and nothing may be written. What moves between two sides of the
    system, such as what a partner has to pay, is in nobody's purse.
    """
    balance, source, target, amount, lot_id, _ = posting
    lot = account.lots[lot_id] if lot_id else None
    if lot is not None:
        if source == AVAILABLE and target not in _OPEN:
            leave(account, balance, target, amount, lot)
            return
        if source == PENDING and target == AVAILABLE:
            ripen(account, balance, amount, lot)
            return
        if source in _SOURCES and target in _OPEN:
            bring(account, balance, target, amount, lot)
            return
    assert amount > 0, "a posting moves something"
    purse = account.purse.get(balance)
    if purse is None:
        if source >= MEMBER_PLACES and target >= MEMBER_PLACES:
            return
        purse = account.purse[balance] = new_purse()
    if source < MEMBER_PLACES:
        purse[source] -= amount
        assert purse[source] >= 0 or source == OWED, f"{balance} would fall below zero"
    if target < MEMBER_PLACES:
        purse[target] += amount
        assert target != OWED or purse[OWED] <= 0, f"more {balance} repaid than owed"
    if lot is not None:
        _out_of(lot, source, amount)
        _into(lot, target, amount)


def bring(account: Account, balance: str, target: int, amount: int, lot: Lot) -> list[int]:
    """What ``post`` does where points come from a source into a lot; the purse that has them."""
    assert amount > 0, "a posting moves something"
    purse = account.purse.get(balance)
    if purse is None:
        purse = account.purse[balance] = new_purse()
    purse[target] += amount
    lot.issued += amount
    if target == AVAILABLE:
        lot.available += amount
    else:
        lot.pending += amount
    return purse


def ripen(account: Account, balance: str, amount: int, lot: Lot) -> list[int]:
    """What ``post`` does where pending points become available; the purse that has them."""
    assert 0 < amount <= lot.pending, "a lot would fall below zero"
    lot.pending -= amount
    lot.available += amount
    purse = account.purse[balance]
    purse[PENDING] -= amount
    purse[AVAILABLE] += amount
    assert purse[PENDING] >= 0, f"{balance} would fall below zero"
    return purse


def leave(account: Account, balance: str, target: int, amount: int, lot: Lot) -> None:
    """What ``post`` does where available points leave for a place in which they are not open."""
    assert 0 < amount <= lot.available, "a lot would fall below zero"
    lot.available -= amount
    purse = account.purse[balance]
    purse[AVAILABLE] -= amount
    assert purse[AVAILABLE] >= 0, f"{balance} would fall below zero"
    if target < MEMBER_PLACES:
        purse[target] += amount
        assert target != OWED or purse[OWED] <= 0, f"more {balance} repaid than owed"
    _into(lot, target, amount)


def _out_of(lot: Lot, source: int, amount: int) -> None:
    if source in _SOURCES:
        lot.issued += amount
    elif source == AVAILABLE:
        lot.available -= amount
    elif source == PENDING:
        lot.pending -= amount
    elif source == HELD:
        lot.held -= amount
    elif source in (EXPIRED, FORFEITED):
        lot.expired -= amount
    elif source == REVERSED:
        lot.reversed -= amount
    else:
        lot.spent -= amount
    assert min(lot.available, lot.pending, lot.held) >= 0, "a lot would fall below zero"


def _into(lot: Lot, target: int, amount: int) -> None:
    if target in _SPENT:
        lot.spent += amount
    elif target == AVAILABLE:
        lot.available += amount
    elif target == PENDING:
        lot.pending += amount
    elif target == HELD:
        lot.held += amount
    elif target in (EXPIRED, FORFEITED):
        lot.expired += amount
    elif target == REVERSED:
        lot.reversed += amount
    elif target in (TRANSIT, CARRIED):
        lot.moved += amount
    else:
        lot.spent += amount
