"""Compare: what another version would change for the accounts there are, before it is published.

Guarantee: nothing is written. Each account is copied twice from its snapshot; one copy lives on
under the terms that are published, the other one under the new ones, and both are looked at when
the version begins and at the start of each month after it, as if nobody did anything until then.
What points, levels and vouchers lose or gain by the new terms alone is what differs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from msgspec import Struct, field

from kantis.core import calendar
from kantis.core.account import Account, decode_account
from kantis.core.decision import Entry
from kantis.core.knobs import Fault, ProgramError, plain
from kantis.core.records import Standing
from kantis.desk.programs import Engine
from kantis.desk.report import Progress
from kantis.engine.program import Program
from kantis.store.books import Books
from kantis.store.rows import VersionRow

#: How long after its beginning a version is looked at, unless it is said.
MONTHS: Final = 12


class Sums(Struct):
    """How many accounts have less of a balance than under the present terms, or more, in all."""

    losing: int = 0
    loss: int = 0
    gaining: int = 0
    gain: int = 0


class Move(Struct, frozen=True, order=True):
    """A level that another one takes the place of; ``up`` says whether it is a higher one."""

    group: str
    before: str
    after: str
    up: bool


class Moment(Struct):
    """How accounts differ at an instant: by balance, and how many have another level."""

    at: int
    balances: dict[str, Sums] = field(default_factory=dict)
    moves: dict[Move, int] = field(default_factory=dict)


class Comparison(Struct):
    """What a version would change. ``begins`` is the first instant at which anything differs
    (0: never), ``failed`` are accounts that the new terms cannot be applied to."""

    program: str
    version: int
    since: int
    until: int
    accounts: int = 0
    touched: int = 0
    begins: int = 0
    moments: list[Moment] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)


#: Of an account at one instant: what it has more or less of each balance, and its other levels.
Differs = tuple[dict[str, int], list[Move]]


def compare(
    books: Books,
    name: str,
    since: int,
    tree: Any,
    until: int = 0,
    progress: Progress | None = None,
    newest: int = 0,
) -> Comparison | None:
    """What the tree would change as the next version of a program; ``None`` without any yet.

    ``until`` is the last instant looked at; 0 is twelve months after the beginning. With
    ``newest``, only so many accounts are looked at, those that were opened last.
    ``ProgramError`` where it cannot follow the versions that are published.
    """
    with books.reader() as frozen:
        frozen.freeze()
        number = frozen.programs().get(name)
        if number is None:
            return None
        versions = frozen.versions(number)
        live, new = _programs(versions, since, tree)
        moments = list(_moments(new, since, until))
        found = Comparison(name, new.number, since, moments[-1])
        found.moments = [Moment(at) for at in moments]
        first, last = frozen.account_range()
        if newest:
            first = max(first, frozen.newest_account(number, newest - 1))
        for row in frozen.all_accounts(first, last):
            if progress is not None:
                progress("accounts", row.id - first + 1, last - first + 1)
            if row.program != number:
                continue
            found.accounts += 1
            one, other = decode_account(row.snapshot), decode_account(row.snapshot)
            one.due = other.due = min(other.due, row.due or other.due)
            try:
                differs = list(_follow(live, new, one, other, found))
            except Exception:  # whatever the new terms cannot do is to be known before
                found.failed.append(row.id)
                continue
            found.touched += any(balances or moves for balances, moves in differs)
            for moment, each in zip(found.moments, differs, strict=True):
                _add(moment, each)
    found.moments = _changing(found.moments)
    return found


def _programs(versions: list[VersionRow], since: int, tree: Any) -> tuple[Program, Program]:
    engine = Engine()
    if since <= versions[-1].since:
        message = f"Version {versions[-1].number} begins then or later. Give a later day."
        raise ProgramError([Fault("versions-overlap", message)])
    text = json.dumps(plain(tree) if hasattr(tree, "line") else tree)
    last = versions[-1]
    version = VersionRow(last.program, last.number + 1, since, "", text, 0, b"")
    return engine.assemble(versions), engine.assemble([*versions, version])


def _moments(program: Program, since: int, until: int) -> Iterator[int]:
    """The beginning, the start of each month after it, and the end."""
    days = program.calendar
    first = days.day(since)
    end = until or days.start(calendar.add_months(first, MONTHS))
    yield since
    month = calendar.window_end("month", first)
    while days.start(month) < end:
        yield days.start(month)
        month = calendar.window_end("month", month)
    if end > since:
        yield end


def _follow(
    live: Program, new: Program, one: Account, other: Account, found: Comparison
) -> Iterator[Differs]:
    """How an account differs under both terms, moment by moment."""
    engine = Engine()
    differs: Differs = {}, []
    if other.seq:
        other.due = min(other.due, found.since)
    for moment in found.moments:
        before, after = engine.advance(live, one, moment.at), engine.advance(new, other, moment.at)
        if before or after:
            moves = _moves(live, new, one, other, moment.at)
            differs = _more(one, other), list(moves)
            if apart := _made(before) ^ _made(after):
                at = min(each[0] for each in apart)
                found.begins = min(found.begins or at, at)
        yield differs


def _made(entries: list[Entry]) -> set[tuple[Any, ...]]:
    """What entries moved, and which levels they changed, each with its instant."""
    moved = {(each.at, *posting[:4]) for each in entries for posting in each.decision.postings}
    changes = [(each.at, change) for each in entries for change in each.decision.changes]
    return moved | {(at, *change) for at, change in changes if change[0] == "tier"}


def _more(one: Account, other: Account) -> dict[str, int]:
    """What the other copy has more of each balance, in all places of the member."""
    found = {}
    for name in {*one.purse, *other.purse}:
        more = sum(other.purse.get(name, ())) - sum(one.purse.get(name, ()))
        if more:
            found[name] = more
    return found


def _moves(live: Program, new: Program, one: Account, other: Account, at: int) -> Iterator[Move]:
    """The levels that are others, by their names."""
    groups = {group.name: group.levels for group in live.plan_for(one, at).tiers}
    for group in new.plan_for(other, at).tiers:
        names = groups.get(group.name)
        if names is None:
            continue
        was = one.tiers.get(group.name, Standing()).level
        level = other.tiers.get(group.name, Standing()).level
        before, after = names[was], group.levels[level]
        if before != after:
            rank = group.levels.index(before) if before in group.levels else was
            yield Move(group.name, before, after, level > rank)


def _add(moment: Moment, differs: Differs) -> None:
    balances, moves = differs
    for name, more in balances.items():
        sums = moment.balances.setdefault(name, Sums())
        if more < 0:
            sums.losing, sums.loss = sums.losing + 1, sums.loss - more
        else:
            sums.gaining, sums.gain = sums.gaining + 1, sums.gain + more
    for move in moves:
        moment.moves[move] = moment.moves.get(move, 0) + 1


def _changing(moments: list[Moment]) -> list[Moment]:
    """The moments at which something is other than at the one before."""
    pairs = pairwise([Moment(0), *moments])
    return [
        each
        for before, each in pairs
        if (before.balances, before.moves) != (each.balances, each.moves)
    ]
