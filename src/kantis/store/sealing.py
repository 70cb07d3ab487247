"""Sealing: the hashes of events and the chain values of entries, made where they are written.

Guarantee: the rows follow from the page and the chain values before it, and from nothing
else, so it does not matter which process makes them: what costs most of keeping books is
left to the one that writes.

A ledger is what a batch does to one account: (id, its program if it is new or else None,
the chain value before or None where the writer knows it, seq, due, snapshot, purse, entries).
An entry of it is (seq, event, at, booked, value, due, version, cause, digest or None where
the event is in the page, decision, context, postings).

>>> entry = (1, "", 7, 8, 7, 9, 1, "", b"", b"decision", b"", [("points", 6, 0, 30, 1, "earning")])
>>> ledger = (5, 1, EMPTY, 1, 9, b"snapshot", {"points": [30, 0, 0, 0, 0, 0]}, [entry])
>>> page = Page(stamp=(1, "2026a"), ledgers=[ledger])
>>> seal(page, {})[5] == page.entries[0][-1] == page.opened[0][4]
True
>>> page.postings[0][:7], page.balances
((5, 1, 0, 'points', 6, 0, 30), [(5, 'points', 30, 0, 0, 0, 0, 0)])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kantis.store.chain import EMPTY, HASHING, event_hash, link
from kantis.store.rows import Page, Row

#: Where the chain value before it stands in a ledger.
HEAD: Final = 2

__all__ = ["EMPTY", "HEAD", "seal"]


def seal(page: Page, known: Mapping[int, bytes]) -> dict[int, bytes]:
    """Make rows of what a page leaves open; the new chain value of each account.

    ``known`` has the chain values that the ledgers do not have. Sealed once, a page has
    nothing left to seal.
    """
    hashes: dict[str, bytes] = {}
    for row in page.unsealed:
        key, program, _, time, received, subject, ask, _, _, _, _, _, _, _, body = row
        digest = hashes[key] = event_hash(program, key, time, received, subject, ask, body)
        page.events.append((*row, digest))
    heads = {}
    for ledger in page.ledgers:
        number, program, head, seq, due, snapshot, purse, entries = ledger
        if head is None:
            head = known[number]
        touched: set[str] = set()
        for each in entries:
            head = _entry(page, number, head, each, hashes, touched)
        if program is not None:
            page.opened.append((number, program, seq, due, head, snapshot))
        else:
            page.accounts.append((seq, due, head, snapshot, number))
        for balance in touched:
            if balance in purse:  # what partners owe and are owed is in nobody's purse
                page.balances.append((number, balance, *purse[balance]))
        heads[number] = head
    page.unsealed, page.ledgers = [], []
    return heads


def _entry(
    page: Page, number: int, head: bytes, each: Row, hashes: dict[str, bytes], touched: set[str]
) -> bytes:
    """The rows of an entry; its chain value."""
    seq, event, at, booked, value, due, version, cause, digest, decision, seen, postings = each
    if digest is None:
        digest = hashes[event]
    engine, zones = page.stamp
    row = (
        number, seq, event, at, booked, value, due, version, engine, zones, HASHING, cause,
        digest, decision, seen,
    )  # fmt: skip
    head = link(head, row, postings)
    page.entries.append((*row, head))
    for n, (balance, source, target, amount, lot, reason) in enumerate(postings):
        page.postings.append(
            (number, seq, n, balance, source, target, amount, lot, reason, value, booked)
        )
        touched.add(balance)
    return head
