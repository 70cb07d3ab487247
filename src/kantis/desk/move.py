"""Move: the books of one store into another of any kind, with the proof that both are equal.

Guarantee: nobody writes to the source while it is moved. The target is filled whole or not
at all, so a move that was killed is simply run again. Both are then compared row by row, in
every column of every table: entries with their chain values, postings, snapshots, balances,
checkpoints. Where the target has rows already nothing is written, and the proof alone says
whether they are those of the source.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from msgspec import Struct

from kantis.desk.whole import (
    Hindrance,
    books_at,
    current,
    fill,
    frozen,
    held,
    holds_rows,
    path_of,
    shown,
)
from kantis.store.books import Books
from kantis.store.copies import Progress, Seal, difference, seal


class Moved(Struct, frozen=True):
    """What a move has found: whether it copied, the seal of the source, and what differs.

    ``checkpoints`` is how many checkpoints there are, and ``root`` the root of the last one.
    """

    copied: bool
    seal: Seal
    checkpoints: int
    root: str
    differences: list[str]

    @property
    def equal(self) -> bool:
        """Whether both books are the same."""
        return not self.differences


def move(source: str, target: str, tell: Progress, at: int = 0) -> Moved:
    """Move the books of a source into an empty target, or prove that they are there.

    ``at`` is the instant that the source says it was moved at.
    """
    if source == target or (path_of(source) and path_of(source) == path_of(target)):
        raise Hindrance("same-store", "These are the same books. Name another --to.", target)
    with ExitStack() as stack:
        books = stack.enter_context(books_at(source))
        current(books, source)
        before = books.gone_to()
        if before is not None and before[0] != shown(target):
            message = f"These books were moved to {before[0]} before. Move those, or: --undo."
            raise Hindrance("moved-before", message, shown(source))
        stack.enter_context(held(source))
        with books.stopped() as stop:
            stack.enter_context(held(target))
            reader = stack.enter_context(frozen(books))
            copied = not holds_rows(target)
            sealed = seal(reader, tell)
            if copied:
                fill(reader, target, tell, sealed)
            with books_at(target) as there:
                current(there, target)
                with frozen(there) as other:
                    found = _differences(reader, other, sealed, tell)
            last = reader.last_checkpoint()
            if not found and before is None:
                stop.close_for(shown(target), at)
                stop.commit()
    return Moved(copied, sealed, last.number, last.root.hex(), found)


def undo(source: str) -> str:
    """Make moved books the books again; where they had been moved to."""
    with books_at(source, write=True) as books, held(source):
        current(books, source)
        before = books.gone_to()
        if before is None:
            message = "These books were not moved, and can be used as they are."
            raise Hindrance("not-moved", message, shown(source))
        books.begin_step()
        try:
            books.reopen()
            books.commit()
        finally:
            books.rollback()
    return before[0]


def _differences(one: Books, other: Books, sealed: Seal, tell: Progress) -> list[str]:
    """Of each table that differs, how many rows both have and the first one that is another."""
    found: Any = seal(other, tell)
    listed = []
    for name, (rows, digest) in sealed.items():
        if found.get(name) == (rows, digest):
            continue
        counts = f"{rows:,} rows, {found[name][0]:,} in the copy"
        listed.append(f"{difference(one, other, name)} ({counts})")
    return listed
