"""Rotating: another master key, and members erased again in books that come from before.

Guarantee: while the master key changes everybody is found and everything opens; stopped at any
point, the same call ends it. The old master key is forgotten when nothing needs it any more.
"""

from __future__ import annotations

from typing import Final

from kantis.desk.vault.keyfile import FolderKeys, Keys
from kantis.desk.vault.seals import Seals, seal_all_again
from kantis.desk.vault.vault import Vault
from kantis.store import people
from kantis.store.books import Books
from kantis.store.copies import Progress
from kantis.store.people import ERASED, Slip
from kantis.store.reading import Reading

_STEP: Final = 500


def rotate(vault: Vault, keys: FolderKeys, books: Books, tell: Progress) -> int:
    """Make another master key, wrap all keys, make all marks and seal all secrets with it; how
    many members."""
    number = keys.begin_rotation()
    wrapped, total = 0, keys.count()
    while count := keys.wrap_again(_STEP):
        wrapped += count
        tell("wrapping keys", wrapped, total)
    _forget_strangers(vault, books)
    done = _index(vault, books, tell)
    seal_all_again(vault.desk, books, Seals(keys))
    keys.end_rotation()
    assert number == max(keys.derived("index")), "one change of the master key at a time"
    return done + _index(vault, books, tell)  # of whoever joined at the last moment


def _index(vault: Vault, books: Reading, tell: Progress) -> int:
    at = done = 0
    total, _ = people.members_in_all(books)
    while at := vault.index_again(books, at, _STEP):
        done += _STEP
        tell("making hashes", min(done, total), total)
    return min(done, total)


def _forget_strangers(vault: Vault, books: Reading) -> None:
    """Marks under a master key that is no more, as in an old backup, find nobody: they go."""
    known = vault.keys.derived("index")
    strange = [each for each in people.masters(books) if each not in known]
    if strange:
        vault.file(Slip(forget=strange))


def left_since(books: Reading, keys: Keys) -> list[Slip]:
    """What erases whoever was erased since these books were copied; nothing if nobody was.

    Their data do not open anyway: so nothing finds them any more, and their cards stop.
    """
    destroyed = keys.destroyed()
    members = [each for each in people.by_id(books, list(destroyed)) if each.erased is None]
    if not members:
        return []
    slips = [Slip(x.id, erase=(x.id, destroyed[x.id])) for x in members]
    left = {each.id for each in members}
    accounts = sorted({each.account for each in members})
    stays = {x.account for x in people.by_account(books, accounts) if x.id not in left}
    cards = people.cards_of(books, [each for each in accounts if each not in stays])
    stopped = [
        (x.program, card, x.account, ERASED, destroyed[x.id], "restore")
        for x in {each.account: each for each in members}.values()
        for card, state in cards.get(x.account, {}).items()
        if state != ERASED
    ]
    return [*slips, Slip(cards=stopped), Slip(unmark=[each.number for each in members])]


def erase_again(books: Books, keys: Keys) -> int:
    """Erase in books that nobody else writes whoever was erased since; how many."""
    slips = left_since(books, keys)
    if slips:
        books.begin()
        try:
            people.write(books, slips)
            books.commit()
        except BaseException:
            books.rollback()
            raise
    return sum(slip.erase is not None for slip in slips)
