"""Summary: what the books of a program hold, in figures that people can check.

Every figure is a sum over postings, balance rows or snapshots; none is kept for itself.
"""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from kantis.core import places
from kantis.core.account import decode_account
from kantis.core.amounts import Unit
from kantis.desk.measures.worth import worth_of
from kantis.desk.programs import Home
from kantis.engine.plan import Plan
from kantis.store.reading import Reading


class Flow(Struct):
    """What happened to a balance over all accounts, and what is there now."""

    earned: int = 0
    activated: int = 0
    redeemed: int = 0
    to_vouchers: int = 0
    expired: int = 0
    expired_in_vouchers: int = 0
    reversed: int = 0
    available: int = 0
    pending: int = 0
    held: int = 0
    in_vouchers: int = 0
    owed: int = 0

    @property
    def open(self) -> int:
        """What members have, available or not."""
        return self.available + self.pending + self.held


class Vouchers(Struct):
    """Vouchers of a kind in one state: how many, and what they are worth."""

    count: int = 0
    worth: int = 0


class Books(Struct):
    """The figures of one program."""

    members: int
    purchases: int
    events: dict[str, int]
    flagged: int
    balances: dict[str, Flow]
    tiers: dict[str, dict[str, int]]
    vouchers: dict[str, dict[str, Vouchers]]
    points_liability: int
    voucher_liability: int

    @property
    def liability(self) -> int:
        """What the merchant owes its members, in minor units of money."""
        return self.points_liability + self.voucher_liability


def summarize(books: Reading, home: Home, moment: int) -> Books:
    """The figures of a program's books, with levels and worths as of an instant."""
    types = dict(
        books.rows(
            "SELECT type, count(*) FROM event WHERE program = ? GROUP BY type", [home.number]
        )
    )
    plan = home.program.plan(moment)
    units = home.program.units
    flows = _flows(books, home.number)
    balances = {name: flow for name, flow in flows.items() if name in units}
    tiers, vouchers, members = _members(books, home.number, plan)
    return Books(
        members,
        types.get("purchase", 0),
        types,
        _flagged(books, home.number),
        balances,
        tiers,
        vouchers,
        sum(worth_of(plan, name, flow.open) for name, flow in balances.items()),
        sum(states["open"].worth for states in vouchers.values()),
    )


def _flagged(books: Reading, program: int) -> int:
    """Events with something that a person should look at."""
    found = books.one(
        "SELECT count(DISTINCT f.event) FROM flag f JOIN event e ON e.key = f.event"
        " WHERE e.program = ?",
        (program,),
    )
    return int(found)


def _flows(books: Reading, program: int) -> dict[str, Flow]:
    found: dict[str, Flow] = {}
    here = (places.AVAILABLE, places.PENDING, places.HELD)
    for balance, source, target, amount in books.places(program):
        flow = found.setdefault(balance, Flow())
        if source in (places.ISSUED, places.CARRIED, places.ADJUSTED):
            flow.earned += amount
        elif source == places.PENDING and target == places.AVAILABLE:
            flow.activated += amount
        elif target == places.REDEEMED:
            flow.redeemed += amount
        elif target == places.VOUCHER:
            flow.to_vouchers += amount
        elif target == places.EXPIRED and source in here:
            flow.expired += amount
        elif target == places.EXPIRED and source == places.VOUCHER:
            flow.expired_in_vouchers += amount
        elif target == places.REVERSED:
            flow.reversed += amount
    for balance, (available, pending, held, owed, voucher, _) in books.purses(program).items():
        flow = found.setdefault(balance, Flow())
        flow.available, flow.pending, flow.held, flow.owed = available, pending, held, -owed
        flow.in_vouchers = voucher
    return found


def _members(
    books: Reading, program: int, plan: Plan
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, Vouchers]], int]:
    """Members per level of each tier group, vouchers per kind and state, and all members."""
    levels: Counter[tuple[str, int]] = Counter()
    vouchers: dict[str, dict[str, Vouchers]] = {
        kind: {state: Vouchers() for state in ("issued", "used", "expired", "open")}
        for kind in plan.vouchers
    }
    members = 0
    for row in books.all_accounts(*books.account_range()):
        if row.program != program:
            continue
        members += 1
        account = decode_account(row.snapshot)
        for group in plan.tiers:
            standing = account.tiers.get(group.name)
            levels[group.name, standing.level if standing else 0] += 1
        for voucher in account.vouchers.values():
            states = vouchers.setdefault(voucher.kind, {})
            for state in ("issued", voucher.state):
                found = states.setdefault(state, Vouchers())
                found.count += 1
                found.worth += voucher.worth
    tiers = {
        group.name: {level: levels[group.name, n] for n, level in enumerate(group.levels)}
        for group in plan.tiers
    }
    return tiers, vouchers, members


def figures(books: Books, units: dict[str, Unit], money: Unit) -> dict[str, object]:
    """The figures with decimal numbers, for scripts."""
    return {
        "members": books.members,
        "baskets": books.purchases,
        "events": books.events,
        "flagged": books.flagged,
        "balances": {
            name: {
                part: units[name].number(getattr(flow, part))
                for part in (*flow.__struct_fields__, "open")
            }
            for name, flow in books.balances.items()
            if name in units
        },
        "tiers": books.tiers,
        "vouchers": {
            kind: {
                state: {"count": each.count, "worth": money.number(each.worth)}
                for state, each in states.items()
            }
            for kind, states in books.vouchers.items()
        },
        "liability": {
            "money": money.name,
            "points": money.number(books.points_liability),
            "vouchers": money.number(books.voucher_liability),
            "total": money.number(books.liability),
        },
    }
