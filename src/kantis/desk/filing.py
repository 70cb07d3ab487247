"""Filing: slips of the vault are written into the books, between two batches.

Guarantee: each slip is written whole or not at all, and whoever filed it is answered after
the commit. A card that is stopped does nothing from the next batch on, in every process.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import convert

from kantis.store import people
from kantis.store.books import Books, Conflict
from kantis.store.people import MOVED, STOPPED, Slip

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

_TRIES: Final = 20


def file_slips(desk: Desk, given: Sequence[Any]) -> list[str]:
    """Write slips; what became of each, empty where all went well."""
    slips = convert(given, list[Slip])
    cards = any(slip.cards for slip in slips)
    with desk.quiet():
        for attempt in range(_TRIES):
            try:
                outcomes = _written(desk.books, slips, cards)
            except Conflict:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(0.001 * attempt)
                continue
            break
        if cards:
            desk.homes.stops.forget()
    return outcomes


def _written(books: Books, slips: list[Slip], cards: bool) -> list[str]:
    """One transaction. What happens to cards waits for all batches, and they for it."""
    if cards:
        books.begin_alone()
    else:
        books.begin()
    try:
        outcomes = people.write(books, slips)
        books.commit()
    except BaseException:
        books.rollback()
        raise
    return outcomes


class Stops:
    """The cards that do nothing any more, each with the code of its refusal; and the accounts
    that became a part of another one, with that one.

    Where nobody else writes they are read once, and again after each change; elsewhere each
    batch reads what came since the one before.
    """

    def __init__(self) -> None:
        self.cards: dict[tuple[int, str], str] = {}
        self.merged: dict[int, int] = {}
        #: the last change that was read
        self.last = 0
        self._current = False

    def lives(self, account: int) -> int:
        """The account that what happens to one reaches: itself, or what it became a part of."""
        while account in self.merged:
            account = self.merged[account]
        return account

    def forget(self) -> None:
        """Something has happened to a card."""
        self._current = False

    def refresh(self, books: Books) -> None:
        """Read what is not known yet."""
        if self._current:
            return
        for each in people.card_changes(books, self.last):
            if each.state.startswith(MOVED):
                self.merged[int(each.state.removeprefix(MOVED))] = each.account
            elif each.state in STOPPED:
                self.cards[each.program, each.token] = f"card-{each.state}"
            self.last = each.n
        self._current = books.alone
