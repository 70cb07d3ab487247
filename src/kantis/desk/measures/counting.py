"""Counting: entries of the books, turned into tallies per program and day.

Guarantee: the tallies depend on the entries and their order alone. Whoever counts a thousand
at a time, with what was remembered before, comes to the same as whoever counts all at once.

A day is a day of the program's time zone, by when an entry was booked. Months and cohorts
have the first day of their month as their day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct, field

from kantis.core.budgets import missed
from kantis.core.calendar import Calendar, window_start
from kantis.core.decision import Decision, brought
from kantis.core.events import Body, Line, Purchase
from kantis.core.facts import DRAWN, WITHOUT
from kantis.core.places import (
    ADJUSTED,
    AVAILABLE,
    CHARITY,
    EXPIRED,
    FORFEITED,
    HELD,
    OWED,
    PAYOUT,
    PENDING,
    REDEEMED,
    REVERSED,
    SHARE_CAPITAL,
    TRANSIT,
    VOUCHER,
)
from kantis.desk.measures.had import KIND, Had
from kantis.desk.measures.had import had as had_of
from kantis.store.tallies import AccountRow, Arm, Key, Sum, VoucherRow

#: Where points of a member are that were not turned into anything yet.
OPEN: Final = frozenset({AVAILABLE, PENDING, HELD})
#: Points that go there are lost; nobody used them.
_LOST: Final = frozenset({EXPIRED, FORFEITED})
#: Points that go there count as never earned.
_UNDONE: Final = frozenset({REVERSED, TRANSIT, ADJUSTED})
#: What comes from there was the member's before.
_GONE: Final = frozenset({REDEEMED, REVERSED, VOUCHER, PAYOUT, SHARE_CAPITAL, CHARITY})

# What is counted. ``name`` and ``part`` of each:
MOVED: Final = "moved"  # balance; "from>to", the numbers of the places
JOINED: Final = "joined"
BOUGHT: Final = "bought"  # channel; by members
ALONE: Final = "alone"  # channel; without a card
MEMBERS: Final = "members"
RETURNED: Final = "returned"
KINDS: Final = "kinds"  # type of product; "members" or "alone"; the day is the month
ACTIVE: Final = "active"  # the day of the cohort; the day is the month in which they bought
LESS: Final = "less"  # price rule
FEES: Final = "fees"  # plan or rule
LEVELS: Final = "levels"  # tier group; "up" or "down"
VOUCHERS: Final = "vouchers"  # kind; issued, used, expired or reversed
EARNED: Final = "earned"  # balance; by cohort of earning
SPENT: Final = "spent"  # balance; by cohort of earning
HAD: Final = "had"  # what and its name; the balance that it took, with the points
GAVE: Final = "gave"  # rule; balance, with the points
MISSED: Final = "missed"  # rule that had too little left of its budget
FIRST: Final = "first"  # by month of the first purchase
SECOND: Final = "second"  # days to the second purchase; by month of the first


class Fact(Struct, frozen=True):
    """An entry with what has to be known to count it.

    ``body`` is the decided event, and ``cause`` the one that it undoes or ends, where those are
    purchases or redemptions.
    """

    program: int
    account: int
    booked: int
    decision: Decision
    body: Body | None = None
    cause: Body | None = None

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of the purchase of which something came back."""
        return self.cause.lines if isinstance(self.cause, Purchase) else ()


class Bare(Struct, frozen=True):
    """A purchase without a card; ``body`` is none where its basket is deleted."""

    program: int
    at: int
    body: Body | None


class Counting(Struct):
    """What was counted, and what is remembered of accounts, vouchers and lots."""

    days: Mapping[int, Calendar]
    sums: dict[Key, Sum] = field(default_factory=dict)
    accounts: dict[int, AccountRow] = field(default_factory=dict)
    vouchers: dict[tuple[int, str], VoucherRow] = field(default_factory=dict)
    #: the month in which the points of a lot were earned
    lots: dict[tuple[int, int], int] = field(default_factory=dict)
    #: what has to be written down: accounts, and vouchers that came or went
    touched: set[int] = field(default_factory=set)
    opened: dict[tuple[int, str], VoucherRow] = field(default_factory=dict)
    closed: set[tuple[int, str]] = field(default_factory=set)
    #: who had what on a day: (program, what and its name, day, account)
    had: dict[tuple[int, str, int, int], int] = field(default_factory=dict)
    #: what an account bought in a month: the last day, how often, for how much
    bought: dict[tuple[int, int], tuple[int, int, int]] = field(default_factory=dict)
    #: the arms of each account, by draw, with what it bought since
    arms: dict[int, dict[tuple[str, str], Arm]] = field(default_factory=dict)
    #: the arms that count no longer, because whoever had them is somebody else's account now
    ended: set[Arm] = field(default_factory=set)

    def add(self, key: Key, count: int, amount: int) -> None:
        """Add to a tally."""
        before = self.sums.get(key, (0, 0))
        self.sums[key] = before[0] + count, before[1] + amount

    # ── an entry ─────────────────────────────────────────────────────────────

    def take(self, fact: Fact) -> None:
        """Count one entry; entries come in the order of their numbers."""
        decision = fact.decision
        if decision.refusal is not None:
            return
        day = self.days[fact.program].day(fact.booked)
        for posting in decision.postings:
            self._posting(fact, day, posting)
        first = brought(decision)
        for change in decision.changes[:first]:
            self._came(fact, day, change)
        for change in decision.changes[first:]:
            self._change(fact, day, change)
        for line, name, amount in decision.effects:
            if line:  # points and vouchers that pay are counted where they are spent
                self.add((fact.program, day, LESS, name, ""), 1, amount)
        for name, _, amount in decision.fees:
            self.add((fact.program, day, FEES, name, ""), 1, amount)
        if isinstance(fact.body, Purchase):
            self._purchase(fact, day, fact.body)
        back = [each[5] for each in decision.fired if each[0] == "refund" and not each[1]]
        if back and fact.lines:
            amount = sum(came_back(fact.lines, dict(each)) for each in back)
            self.add((fact.program, day, RETURNED, "", ""), 1, amount)
            self._basket(fact.account, day, 0, -amount)
        for each in had_of(decision, fact.body, fact.cause):
            self._had(fact, day, each)
        for name in missed(decision):
            self.add((fact.program, day, MISSED, name, ""), 1, 0)
        for rule in decision.fired:
            if rule[4] and rule[1] and rule[3]:
                self.add((fact.program, day, GAVE, rule[0], rule[1]), 1, rule[3])

    def _had(self, fact: Fact, day: int, each: Had) -> None:
        name = f"{each.what} {each.name}"
        self.add((fact.program, day, HAD, name, each.balance), each.times, each.points)
        key = fact.program, name, day, fact.account
        self.had[key] = self.had.get(key, 0) + each.times

    def _basket(self, account: int, day: int, count: int, amount: int) -> None:
        key = account, window_start("month", day)
        last, times, sum_ = self.bought.get(key, (0, 0, 0))
        self.bought[key] = max(last, day if count else 0), times + count, sum_ + amount
        arms = self.arms.get(account, {})
        for draw, arm in arms.items():
            arms[draw] = arm._replace(times=arm.times + count, amount=arm.amount + amount)

    def _arm(self, fact: Fact, name: str, value: str) -> None:
        """The arm of an account was drawn; the first one of a draw stays."""
        arm, _, when = value.partition(" ")
        row = Arm(fact.program, name, when, fact.account, int(arm == WITHOUT), 0, 0)
        self.arms.setdefault(fact.account, {}).setdefault((name, when), row)

    def _one_person(self, account: int, merged: int) -> None:
        """An account has become a part of this one: in each draw the person counts once.

        What was bought with either card counts in the arm of this account, or in the one that
        came along. Where neither is there, it will be drawn for this account; of a draw that is
        over the other one stays as it was.
        """
        mine = self.arms.setdefault(account, {})
        theirs = self.arms.get(merged, {})
        for draw, arm in list(theirs.items()):
            own = mine.get(draw)
            if own is None and any(name == arm.name and at > arm.drawn for name, at in mine):
                continue
            if own is not None:
                both = own.times + arm.times, own.amount + arm.amount
                mine[draw] = own._replace(times=both[0], amount=both[1])
            self.ended.add(theirs.pop(draw)._replace(times=0, amount=0))

    def _posting(self, fact: Fact, day: int, posting: tuple[Any, ...]) -> None:
        balance, source, target, amount, lot, _ = posting
        self.add((fact.program, day, MOVED, balance, f"{source}>{target}"), 1, amount)
        if lot and (source in OPEN) != (target in OPEN):
            self._cohort(fact, window_start("month", day), posting)

    def _cohort(self, fact: Fact, month: int, posting: tuple[Any, ...]) -> None:
        """Count what came into a lot or left it, by the month in which it was earned."""
        balance, source, target, amount, lot, _ = posting
        place = target if source in OPEN else source
        sign = 1 if place == target else -1
        if place in _LOST or place == OWED:
            return
        if sign < 0 and place not in _GONE:
            cohort = self.lots.setdefault((fact.account, lot), month)
            self.add((fact.program, cohort, EARNED, balance, ""), 1, amount)
            return
        cohort = self.lots.get((fact.account, lot), month)
        if place in _UNDONE:
            self.add((fact.program, cohort, EARNED, balance, ""), 0, -sign * amount)
        else:
            self.add((fact.program, cohort, SPENT, balance, ""), sign, sign * amount)

    def _change(self, fact: Fact, day: int, change: tuple[Any, ...]) -> None:
        code, account = change[0], fact.account
        if code == "join":
            self.accounts[account] = AccountRow(account, day, 0, 0, "", "")
            self.touched.add(account)
            self.add((fact.program, day, JOINED, "", ""), 1, 0)
        elif code == "know" and change[1].startswith(DRAWN):
            self._arm(fact, change[1].removeprefix(DRAWN), change[3])
        elif code == "tier":
            self._level(fact, day, change[1], change[2])
        elif code == "voucher":
            row = self._open(account, change)
            self.add((fact.program, day, VOUCHERS, row.kind, "issued"), 1, row.worth)
        elif code == "voucher state":
            self._voucher(fact, day, change[1], change[2])
        elif code == "merged":
            self._one_person(account, change[1])
        elif code == "hollow":
            for _, name in [key for key in self.vouchers if key[0] == account]:
                self._close(account, name)
            self._keep(self._account(fact, day)._replace(levels=""))

    def _came(self, fact: Fact, day: int, change: tuple[Any, ...]) -> None:
        """Remember what came from an account that is a part of this one; it was counted there."""
        code, account = change[0], fact.account
        if code == "voucher":
            self._open(account, change)
        elif code == "voucher state":
            self._close(account, change[1])
        elif code == "tier":
            row = self._account(fact, day)
            levels = read_levels(row.levels) | {change[1]: change[2]}
            self._keep(row._replace(levels=write_levels(levels)))
        else:
            self._change(fact, day, change)

    def _open(self, account: int, change: tuple[Any, ...]) -> VoucherRow:
        _, name, kind, worth, *_ = change
        row = VoucherRow(account, name, kind, worth)
        self.vouchers[account, name] = self.opened[account, name] = row
        self.closed.discard((account, name))
        return row

    def _close(self, account: int, name: str) -> VoucherRow | None:
        """A voucher is not open any more; none that was closed before, and is forgotten now."""
        key = account, name
        row = self.vouchers.pop(key, None)
        if row is not None and self.opened.pop(key, None) is None:
            self.closed.add(key)
        return row

    def _voucher(self, fact: Fact, day: int, name: str, state: str) -> None:
        row = self._close(fact.account, name)
        if row is None:
            return
        self.add((fact.program, day, VOUCHERS, row.kind, state), 1, row.worth)
        if state == "used":
            self._had(fact, day, Had(KIND, row.kind, 1))

    def _level(self, fact: Fact, day: int, group: str, level: int) -> None:
        row = self._account(fact, day)
        levels = read_levels(row.levels)
        before = levels.get(group, 0)
        if level == before:
            return
        levels[group] = level
        self._keep(row._replace(levels=write_levels(levels)))
        part = "up" if level > before else "down"
        self.add((fact.program, day, LEVELS, group, part), 1, abs(level - before))

    def _purchase(self, fact: Fact, day: int, body: Purchase) -> None:
        amount = sum(line.amount for line in body.lines)
        self.add((fact.program, day, BOUGHT, body.channel, ""), 1, amount)
        self._kinds(fact.program, day, body, MEMBERS)
        self._basket(fact.account, day, 1, amount)
        row, month = self._account(fact, day), window_start("month", day)
        months, fresh = with_month(row.months, month)
        cohort = str(window_start("month", row.joined))
        self.add((fact.program, month, ACTIVE, cohort, ""), int(fresh), amount)
        if not row.first:
            row = row._replace(first=day)
            self.add((fact.program, month, FIRST, "", ""), 1, 0)
        elif not row.second and day > row.first:
            row = row._replace(second=day)
            since = window_start("month", row.first)
            self.add((fact.program, since, SECOND, str(day - row.first), ""), 1, 0)
        self._keep(row._replace(months=months))

    def _account(self, fact: Fact, day: int) -> AccountRow:
        return self.accounts.get(fact.account) or AccountRow(fact.account, day, 0, 0, "", "")

    def _keep(self, row: AccountRow) -> None:
        self.accounts[row.account] = row
        self.touched.add(row.account)

    # ── a purchase without a card ────────────────────────────────────────────

    def take_bare(self, bare: Bare) -> None:
        """Count a purchase without a card."""
        day = self.days[bare.program].day(bare.at)
        body = bare.body if isinstance(bare.body, Purchase) else None
        amount = sum(line.amount for line in body.lines) if body is not None else 0
        channel = body.channel if body is not None else ""
        self.add((bare.program, day, ALONE, channel, ""), 1, amount)
        if body is not None:
            self._kinds(bare.program, day, body, ALONE)

    def _kinds(self, program: int, day: int, body: Purchase, whose: str) -> None:
        """What a purchase had of each type of product: its department, or else its category."""
        month = window_start("month", day)
        for line in body.lines:
            kind = line.department or line.category
            self.add((program, month, KINDS, kind, whose), 1, line.amount)


def came_back(lines: Iterable[Line], back: Mapping[str, int]) -> int:
    """What the lines that came back had cost; a part of a line rounded down.

    >>> came_back([Line("1", "latte", 2, 900)], {"1": 1})
    450
    """
    return sum(
        line.amount * back[line.id] // max(1, line.quantity) for line in lines if line.id in back
    )


def with_month(months: str, month: int) -> tuple[str, bool]:
    """Months with another one among them, and whether it is new: the first one, and a bit for
    each four weeks from it on.

    >>> once, fresh = with_month("", 738946)
    >>> with_month(once, 738946) == (once, False), fresh
    (True, True)
    """
    since, _, bits = months.partition(":")
    number = month // 28  # no two months begin within 28 days
    first, mask = int(since or number), int(bits or "0", 16)
    if number < first:
        first, mask = number, mask << first - number
    bit = 1 << number - first
    return f"{first}:{mask | bit:x}", not mask & bit


def read_levels(text: str) -> dict[str, int]:
    """The level of each tier group.

    >>> read_levels(write_levels({"status": 2}))
    {'status': 2}
    """
    pairs = (each.rpartition("=") for each in text.split(";") if each)
    return {name: int(level) for name, _, level in pairs}


def write_levels(levels: Mapping[str, int]) -> str:
    """The levels as a text."""
    return ";".join(f"{name}={level}" for name, level in sorted(levels.items()))
