"""Cache: decoded accounts, so that a snapshot is not decoded for every batch.

Guarantee: an account from here is the one in the books. A desk that is the only writer
knows it; one that shares its books with others believes an account only when the locked
row still has its chain value and is due when it is: nobody has changed it since. Whose a
card is never changes. Everything is dropped on a rollback and when a program has another
version.
"""

from __future__ import annotations

from typing import Final

from kantis.core.account import NEVER, Account
from kantis.store.rows import AccountRow

#: Bytes of encoded snapshots; decoded they take about eight times as much.
BYTES_MAX: Final = 16 << 20
CARDS_MAX: Final = 200_000


#: (program, account, chain value, or None where whoever writes the books knows it, bytes)
Kept = tuple[int, Account, bytes | None, int]


class Cache:
    """Accounts by id, and cards by their token.

    ``alone`` says that nobody else writes.
    """

    def __init__(self, alone: bool, bytes_max: int = BYTES_MAX) -> None:
        self.alone = alone
        self.accounts: dict[int, Kept] = {}
        self.cards: dict[tuple[int, str], int] = {}
        self._edition = -1
        self._bytes, self._bytes_max = 0, bytes_max

    def clear(self) -> None:
        """Forget everything."""
        self.accounts.clear()
        self.cards.clear()
        self._bytes = 0

    def read_as_of(self, edition: int) -> None:
        """Forget everything if the programs have changed since: what is due may be sooner."""
        if edition != self._edition:
            self.clear()
            self._edition = edition

    def take(self, number: int) -> Kept | None:
        """The account, which leaves the cache until it is put back."""
        found = self.accounts.pop(number, None)
        if found is not None:
            self._bytes -= found[3]
        return found

    def take_as(self, row: AccountRow) -> Account | None:
        """The account if it is what stands in its locked row; it leaves the cache anyway."""
        found = self.take(row.id)
        if found is None:
            return None
        _, account, head, _ = found
        due = NEVER if row.due is None else row.due
        return account if head == row.head and account.due == due else None

    def put(
        self, number: int, program: int, account: Account, head: bytes | None, size: int
    ) -> None:
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
