"""Sweep: what time does to accounts that nobody touches, and checkpoints.

A balance is right at any instant without it, because time passes before every event; the
sweep makes it show in the rows, sends notices in time, and closes what is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from kantis.desk.batch import Batch
from kantis.desk.recorded import flag_of, noted
from kantis.store import chain
from kantis.store.books import Conflict
from kantis.store.rows import CheckpointRow
from kantis.store.schema import ALONE, PARKED

if TYPE_CHECKING:
    from kantis.desk.submit import Desk


def sweep(
    desk: Desk,
    until: int | None = None,
    count: int = 1_000,
    over: Callable[[], bool] = lambda: False,
) -> int:
    """Advance the accounts that are due, soonest first, a batch at a time; how many there were.

    Without ``until`` they are advanced to now; with it, history is made up to that instant
    and booked as it happened. After a batch it ends where ``over`` says so.
    """
    moment = desk.clock() if until is None else until
    total = 0
    if not desk.books.alone:
        _unpark(desk)
    while not over() and (found := _sweep(desk, moment, count, history=until is not None)):
        total += found
    return total


def _sweep(desk: Desk, until: int, count: int, *, history: bool) -> int:
    with desk.quiet():
        books = desk.books
        due = books.due(until, count)
        if not due:
            return 0
        try:
            books.begin()
            desk.homes.refresh(books)
            batch = Batch(books, desk.homes, desk.cache, until)
            batch.advance([number for number, _ in due], history=history)
            batch.write()
            books.commit()
        except Conflict:
            desk.forget()
            return len(due)
        except BaseException:
            desk.forget()
            raise
        batch.keep()
        books.tidy()
        return len(due)


def _unpark(desk: Desk) -> None:
    """Let parked events be decided whose card or original another desk wrote meanwhile."""
    with desk.quiet():
        books, last = desk.books, 0
        while rows := books.waiting(PARKED, 1_000, above=last):
            last = rows[-1].n
            waits = {row.n: row.waits or "" for row in rows}
            there = {row.key for row in books.events(waits.values()) if row.state in (0, ALONE)}
            cards = books.cards([card for card in map(_card, waits.values()) if card])
            for row in rows:
                if row.waits in there or _card(row.waits or "") in cards:
                    note = noted(flag_of(row.note), "what it waited for has come")
                    books.retry(row.n, note)


def _card(waits: str) -> tuple[int, str] | None:
    """The card that a parked event waits for, if it is one."""
    program, kind, token = ([*waits.split(":", 2), "", ""])[:3]
    return (int(program), token) if kind == "card" and program.isdecimal() else None


def checkpoint(desk: Desk) -> int:
    """Commit to all that came since the last checkpoint; its number, 0 when nothing came."""
    with desk.quiet():
        books = desk.books
        entry, event = books.settled()
        books.begin()
        try:
            last = books.last_checkpoint()
            if (entry, event) <= (last.entry, last.event):
                books.rollback()
                return 0
            heads = changed(books.heads(last.entry, entry))
            hashes = (each for _, each in books.hashes(last.event, event))
            root = chain.root(last.root, heads, hashes)
            number, made = last.number + 1, desk.clock()
            books.add_checkpoint(CheckpointRow(number, entry, event, made, len(heads), root))
            books.commit()
        except Conflict:  # somebody else has just made one
            books.rollback()
            return 0
        except BaseException:
            books.rollback()
            raise
    return number


def changed(heads: Iterable[tuple[int, int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """Of each account the last (account, seq, chain value)."""
    last: dict[int, tuple[int, bytes]] = {}
    for _, account, seq, head in heads:
        if seq > last.get(account, (0, b""))[0]:
            last[account] = seq, head
    return [(account, *head) for account, head in last.items()]
