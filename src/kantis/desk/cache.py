"""Cache: decoded accounts of a desk that is the only writer.

It is right only while nobody else writes and every batch commits; so it is dropped on any
rollback, and a desk that shares its books with others has none.
"""

from __future__ import annotations

from typing import Final

from kantis.core.account import Account

#: Bytes of encoded snapshots; decoded they take about eight times as much.
BYTES_MAX: Final = 16 << 20
CARDS_MAX: Final = 200_000


class Cache:
    """Accounts by id with (program, account, chain value, bytes), and cards by their token."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self.accounts: dict[int, tuple[int, Account, bytes, int]] = {}
        self.cards: dict[tuple[int, str], int] = {}
        self._bytes, self._bytes_max = 0, bytes_max

    def clear(self) -> None:
        """Forget everything."""
        self.accounts.clear()
        self.cards.clear()
        self._bytes = 0

    def take(self, number: int) -> tuple[int, Account, bytes, int] | None:
        """The account, which leaves the cache until it is put back."""
        found = self.accounts.pop(number, None)
        if found is not None:
            self._bytes -= found[3]
        return found

    def put(self, number: int, program: int, account: Account, head: bytes, size: int) -> None:
        """Keep an account as it was committed; the ones used longest ago make room."""
        self.accounts[number] = (program, account, head, size)
        self._bytes += size
        while self._bytes > self._bytes_max:
            oldest = next(iter(self.accounts))
            self._bytes -= self.accounts.pop(oldest)[3]

    def know(self, card: tuple[int, str], account: int) -> None:
        """Keep whose card it is."""
        if len(self.cards) >= CARDS_MAX:
            self.cards.clear()
        self.cards[card] = account
