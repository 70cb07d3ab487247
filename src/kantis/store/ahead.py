"""Ahead: what a batch reads when it has begun, asked of PostgreSQL in one go.

Guarantee: each answer is what the same statement would have found in the same place, because
they run in the order in which a batch asks; whatever was not asked in the same words is asked
when it is needed. Accounts are locked by one statement in the order of their ids. One that is
needed beside them is locked as well if it comes after them all; else the batch is ``Astray``,
so that two batches never wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from kantis.store.books import Astray, Books
from kantis.store.people import asks_card_changes
from kantis.store.reading import ACCOUNT, ASKS_EDITION, Asked
from kantis.store.rows import AccountRow, Ahead

_ACCOUNTS: Final = f"""
SELECT {ACCOUNT} FROM (
    SELECT unnest(?::bigint[]) UNION
    SELECT c.account FROM unnest(?::bigint[], ?::text[]) AS j(a, b) CROSS JOIN card c
    WHERE c.program = j.a AND c.token = j.b) AS j(a) CROSS JOIN account a
WHERE a.id = j.a ORDER BY a.id"""


class Answers:
    """What one batch has been told ahead."""

    def __init__(self, books: Books, ahead: Ahead) -> None:
        keyed = books.keyed
        self.asked: list[Asked] = [asks_card_changes(ahead.card_change), ASKS_EDITION]
        if ahead.shown:
            self.asked.append(books.asks_revoked(ahead.shown))
        if ahead.ready:
            self.asked.append(books.asks_ready(ahead.ready))
        if ahead.keys:
            self.asked.append(books.asks_events(ahead.keys))
        if ahead.cards:
            self.asked.append(books.asks_cards(ahead.cards))
        numbers = keyed("i", [(each,) for each in ahead.accounts])
        lock = books.lock and f"{books.lock} OF a"
        self.asked.append((_ACCOUNTS + lock, [*numbers, *keyed("it", ahead.cards)]))
        self._sought = set(ahead.accounts)
        self._told: dict[str, tuple[Sequence[Any], list[Any]]] = {}
        self._accounts: dict[int, AccountRow] = {}

    def hear(self, found: Sequence[list[Any]]) -> None:
        """What the statements have found."""
        *rest, accounts = found
        for (statement, values), rows in zip(self.asked, rest, strict=False):
            self._told[statement] = values, rows
        self._accounts = {row[0]: AccountRow._make(row) for row in accounts}

    def told(self, statement: str, values: Sequence[Any]) -> list[Any] | None:
        """The answer to a question; ``None`` where it has to be asked. It is told once."""
        known = self._told.pop(statement, None)
        return known[1] if known is not None and known[0] == list(values) else None

    def accounts(
        self, ids: Sequence[int], lock: Callable[[Sequence[int]], list[AccountRow]]
    ) -> list[AccountRow]:
        """Accounts in the order of their ids; those that are not locked yet are locked now."""
        accounts = self._accounts
        fresh = [each for each in ids if each not in accounts and each not in self._sought]
        if fresh:
            if accounts and min(fresh) < max(accounts):
                raise Astray("an account comes too late to be locked in its order")
            accounts.update((row.id, row) for row in lock(fresh))
            self._sought.update(fresh)
        return [accounts[each] for each in sorted(ids) if each in accounts]
