"""Settlement: what partners owe and are owed, and charities are owed, for a period of the books.

Guarantee: a statement is a fold of what was booked in its period and of nothing else, so the
same period gives the same statement for ever, and statements that follow each other add up
to the one of all their periods, to the coin. Its lines add up to its total, and what the
decisions say of points is what the postings say of money; where they differ, it is told.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct, field

from kantis.core import places
from kantis.core.account import NEVER
from kantis.core.decision import decode_decision
from kantis.core.money import fine_unit, to_coins
from kantis.desk.programs import Home
from kantis.desk.report import RESTORE
from kantis.features.payouts import SHARE
from kantis.store.reading import Reading
from kantis.store.schema import OUTSIDE

#: Which position each kind of thing moves, and whether up or down.
_KINDS: Final = {
    "issued": (places.PARTNER_RECEIVABLE, 1),
    "reversed": (places.PARTNER_RECEIVABLE, -1),
    "matched": (places.PARTNER_RECEIVABLE, 1),
    "redeemed": (places.PARTNER_PAYABLE, 1),
    "returned": (places.PARTNER_PAYABLE, -1),
}
#: The names of the positions in a statement.
RECEIVABLE: Final = "receivable"
PAYABLE: Final = "payable"
GIVEN: Final = "given"
_POSITIONS: Final = {
    places.PARTNER_RECEIVABLE: RECEIVABLE,
    places.PARTNER_PAYABLE: PAYABLE,
    places.CHARITY: GIVEN,
}


class Line(Struct):
    """A kind of thing in a period: how many points of which balance, and their money.

    ``fine`` is exact, in millionths of the smallest coin; ``coins`` is its part of the total.
    """

    kind: str
    balance: str
    points: int
    fine: int
    coins: int = 0


class Statement(Struct):
    """A position of a partner or a charity: what it was before, its lines, what they come to."""

    name: str
    position: str
    before: int
    lines: list[Line] = field(default_factory=list)

    @property
    def after(self) -> int:
        """The exact position at the end of the period."""
        return self.before + sum(line.fine for line in self.lines)

    @property
    def total(self) -> int:
        """What the period comes to, in coins."""
        return sum(line.coins for line in self.lines)


class Settlement(Struct):
    """The statements of a period, and what is wrong with the books about it."""

    statements: list[Statement]
    problems: list[str] = field(default_factory=list)


def settle(books: Reading, home: Home, first: int, until: int) -> Settlement:
    """The statements of what was booked from an instant until another one."""
    if not outsiders(books, home):
        return Settlement([])  # nothing to read all entries for
    payouts = {name for plan in home.program.plans for name in plan.payouts.sections}
    facts = _facts(books, home.number, first, until, payouts)
    units = home.program.units
    before = _postings(books, home.number, 0, first, units)
    booked = _postings(books, home.number, first, until, units)
    found: dict[tuple[str, int], Statement] = {}
    for name, place in sorted({*before, *booked}):
        held = before.get((name, place), 0)
        found[name, place] = Statement(name, _POSITIONS[place], held)
    problems = []
    for (name, place, kind, balance), (points, fine) in sorted(facts.items()):
        statement = found.get((name, place))
        if statement is None:
            statement = found[name, place] = Statement(name, _POSITIONS[place], 0)
        statement.lines.append(Line(kind, balance, points, fine))
    for (name, place), statement in found.items():
        parts = [line.fine for line in statement.lines]
        if sum(parts) != booked.get((name, place), 0):
            problems.append(f"{name}: what was decided is not what was booked. {RESTORE}")
        for line, coins in zip(statement.lines, to_coins(parts, statement.before), strict=True):
            line.coins = coins
    return Settlement(list(found.values()), problems)


def positions(books: Reading, home: Home, at: int) -> list[Statement]:
    """Where every partner and charity stands, from what was booked before an instant."""
    held = _postings(books, home.number, 0, at, home.program.units)
    return [
        Statement(name, _POSITIONS[place], amount) for (name, place), amount in sorted(held.items())
    ]


def outsiders(books: Reading, home: Home) -> list[str]:
    """The partners that the program has or had, and everybody for whom a position stands."""
    plans = home.program.plans
    named = {name for plan in plans for name in plan.partners}
    for plan in plans:
        for section in plan.payouts.sections.values():
            fixed, choice = section.charity or ("", "")
            named |= {fixed, *plan.payouts.options.get(choice, ())} - {""}
    stand = _postings(books, home.number, 0, NEVER, home.program.units)
    return sorted({*named, *(name for name, _ in stand)})


def plain(home: Home, statement: Statement) -> dict[str, Any]:
    """A statement in decimal numbers, for every door."""
    fine, money = fine_unit(home.program.money), home.program.money
    return {
        "name": statement.name,
        "position": statement.position,
        "before": fine.number(statement.before),
        "after": fine.number(statement.after),
        "total": money.number(statement.total),
        "lines": [
            {
                "kind": line.kind,
                "balance": line.balance,
                "points": points_of(home, line.balance, line.points),
                "exact": fine.number(line.fine),
                "amount": money.number(line.coins),
            }
            for line in statement.lines
        ],
    }


def points_of(home: Home, balance: str, points: int) -> str:
    """A number of points in the unit of their balance."""
    unit = home.program.units.get(balance)
    return str(unit.number(points)) if unit is not None else f"{points:,}"


def _facts(
    books: Reading, program: int, first: int, until: int, payouts: set[str]
) -> dict[tuple[str, int, str, str], tuple[int, int]]:
    """(points, money) by name, place, kind and balance, as the decisions of a period say."""
    found: dict[tuple[str, int, str, str], tuple[int, int]] = {}
    rows = books.stream(
        "SELECT e.decision FROM entry e JOIN account a ON a.id = e.account "
        "WHERE a.program = ? AND e.booked >= ? AND e.booked < ?",
        (program, first, until),
    )
    for (data,) in rows:
        for name, balance, kind, points, _, fine in decode_decision(data).fired:
            if kind in _KINDS:
                place, sign = _KINDS[kind]
                key = (name, place, kind, balance)
            elif name in payouts and isinstance(kind, str) and kind not in ("", SHARE):
                key, sign = (kind, places.CHARITY, GIVEN, balance), 1
            else:
                continue
            before = found.get(key, (0, 0))
            found[key] = before[0] + sign * points, before[1] + sign * fine
    return found


def _postings(
    books: Reading, program: int, first: int, until: int, units: dict[str, object]
) -> dict[tuple[str, int], int]:
    """What the postings of a period brought to each position."""
    found: dict[tuple[str, int], int] = {}
    rows = books.rows(
        "SELECT p.balance, p.source, p.target, CAST(sum(p.amount) AS bigint) FROM posting p "
        "JOIN account a ON a.id = p.account "
        f"WHERE a.program = ? AND p.booked >= ? AND p.booked < ? AND {OUTSIDE} "
        "GROUP BY p.balance, p.source, p.target",
        (program, first, until),
    )
    for name, source, target, amount in rows:
        for place, sign in ((source, -1), (target, 1)):
            if name not in units and place in _POSITIONS:
                found[name, place] = found.get((name, place), 0) + sign * amount
    return found
