"""Statements: what an account had, what moved, and what it has, for a stretch of days.

Guarantee: opening and all movements add up to closing, in each place of each balance, and
the closing of one stretch is the opening of the next. Time counts when it acts, also where
nobody has written it yet. Where a page ends changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct

from kantis.core.account import decode_account, new_purse
from kantis.core.calendar import show_day
from kantis.core.decision import Entry
from kantis.core.places import MEMBER_PLACES
from kantis.desk.programs import Home
from kantis.desk.showing import PLACES, Say, Told, told
from kantis.engine.decide import advance
from kantis.engine.program import Program
from kantis.store.books import Books
from kantis.store.rows import AccountRow

#: balance, from place, to place, amount
Move = tuple[str, int, int, int]
Purses = dict[str, list[int]]
Plain = dict[str, Any]

_EPOCH_DAY: Final = 719_163


class Statement(Struct):
    """``opening`` and ``closing`` are of the whole stretch, ``movements`` of the page; ``next``
    is the entry with which the next page begins (0: there is none)."""

    first: str
    last: str
    opening: dict[str, dict[str, str]]
    movements: list[Plain]
    closing: dict[str, dict[str, str]]
    next: int = 0


def statement(
    books: Books,
    home: Home,
    row: AccountRow,
    now: int,
    days: tuple[int, int],
    page: tuple[int, int],
    say: Say = str,
) -> Statement:
    """The statement of an account from a day to a day, both inside (0: the first, today).

    ``page`` is the entry to begin with (0: the first), and how many movements there are at
    most. ``say`` says the sentences.
    """
    program: Program = home.program
    state = decode_account(row.snapshot)
    today = program.calendar.day(max(now, state.at))
    first_day, last_day = days[0] or state.joined, days[1] or today
    start = program.calendar.start(first_day) if first_day > _EPOCH_DAY else 0
    end = program.calendar.start(last_day + 1) if last_day < today else 1 << 62
    unwritten = advance(program, state, max(now, state.at)) if state.joined else []
    first, below = (min(books.first_seq(row.id, each), row.seq + 1) for each in (start, end))
    opening = _purses(program, books.moved(row.id, first))
    _add(program, opening, _moves(each for each in unwritten if each.at < start))
    closing = _purses(program, books.moved(row.id, below))
    _add(program, closing, _moves(each for each in unwritten if each.at < end))
    inside = [each for each in unwritten if start <= each.at < end and each.decision.postings]
    count = page[1]
    seqs = books.moving(row.id, max(first, page[0]), below, count + 1)
    found = told(books, program, [(row.id, seq) for seq in seqs])
    found += [Told(program, each, None) for each in inside if each.seq >= page[0]]
    found, rest = found[:count], found[count:]
    at = _purses(program, books.moved(row.id, found[0].entry.seq if found else 0))
    _add(program, at, _moves(x for x in unwritten if found and x.seq < found[0].entry.seq))
    return Statement(
        show_day(first_day),
        show_day(last_day),
        _shown(program, opening),
        [each for each in (_movement(program, at, one, say) for one in found) if each["changes"]],
        _shown(program, closing),
        rest[0].entry.seq if rest else 0,
    )


def _movement(program: Program, at: Purses, told: Told, say: Say) -> Plain:
    """An entry with what it changed, and what there was after it."""
    changes: Purses = {}
    moves = list(_moves([told.entry]))
    _add(program, changes, moves)
    _add(program, at, moves)
    changed = {name: purse for name, purse in changes.items() if any(purse)}
    shown = _shown(program, changed)
    return {
        **told.plain(say),
        "changes": {
            name: {place: amount for place, amount in purse.items() if amount.strip("0.")}
            for name, purse in shown.items()
        },
        "after": _shown(program, {name: at[name] for name in changed}),
    }


def _moves(entries: Iterable[Entry]) -> Iterable[Move]:
    return (posting[:4] for entry in entries for posting in entry.decision.postings)


def _purses(program: Program, moves: Iterable[Move]) -> Purses:
    found: Purses = {}
    _add(program, found, moves)
    return found


def _add(program: Program, purses: Purses, moves: Iterable[Move]) -> None:
    """Let moves act on purses; what is no balance of the member's is left out."""
    for name, source, target, amount in moves:
        if name not in program.units:
            continue
        purse = purses.setdefault(name, new_purse())
        if source < MEMBER_PLACES:
            purse[source] -= amount
        if target < MEMBER_PLACES:
            purse[target] += amount


def _shown(program: Program, purses: Purses) -> dict[str, dict[str, str]]:
    """Purses in decimal numbers; what is owed stands above zero, as everywhere."""
    return {
        name: {
            place: program.units[name].number(-amount if place == "owed" else amount)
            for place, amount in zip(PLACES, purse, strict=True)
        }
        for name, purse in sorted(purses.items())
    }
