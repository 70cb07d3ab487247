"""Turn: one account's turn at one event, while it is decided.

A turn is what the features work on: the account, the instant and local day the event
counts as, and the decision in the making. Each posting and each change goes through it,
is applied at once and written down at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from msgspec import Struct

from kantis.core.account import CHANGES, Account, add_count, value_at
from kantis.core.calendar import Calendar
from kantis.core.code import Code
from kantis.core.decision import Context, Decision, FollowUp, Refusal
from kantis.core.events import Body, Event
from kantis.core.postings import post
from kantis.core.records import Standing
from kantis.core.refusals import told


def begin(
    account: Account,
    calendar: Calendar,
    event: Event,
    moment: int,
    at: int,
    context: Context,
    plan_at: Callable[[int], Any] | None = None,
) -> Turn:
    """The turn of an account at an event that counts at ``moment``."""
    turn = Turn(
        account,
        calendar,
        event,
        moment,
        at,
        context,
        Decision([], [], []),
        calendar.day(moment),
        moment < at,
        plan_at,
    )
    if account.members and event.id:
        turn.member = member_of(account, event)
    return turn


def member_of(account: Account, event: Event) -> str:
    """Which of its members an event of the account belongs to: whom it names, whose card it
    came with, or the lead."""
    named = getattr(event.body, "member", "")
    token = event.subject[5:] if event.subject[:5] == "card:" else ""
    for name in (named, token):
        if name in account.members:
            return name
    return next(name for name, each in account.members.items() if each.role == "lead")


class Refused(Exception):
    """Raised inside a feature to say no; carries the refusal. Nothing was changed before it.

    The feature gives the reason; what to do next stands beside the code in ``refusals``.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(code, told(code, reason))


def write_count(code: Code, counter: str, window: str, amount: str) -> None:
    """Write the change that counts an amount in a window of a counter."""
    add = code.constant(add_count, "add_count")
    code.add(
        f"change = ('count', {counter!r}, {window}, {amount})",
        f"{add}(account, change)",
        "turn.decision.changes.append(change)",
    )


class Turn(Struct, eq=False, gc=False):
    """One account at one event.

    ``partner`` is with whom it happens, where the event does not say so itself.
    ``moment`` and ``day`` are when the event counts; ``at`` is how far the account has
    come. A late event has ``moment < at`` and sees the tiers of then. ``spent`` says that
    points pay for a part of it, ``barred`` that it earns nothing therefore; ``trace`` collects
    why rules did nothing. ``shut`` are the rules that too little is left for of their budgets.
    """

    account: Account
    calendar: Calendar
    event: Event
    moment: int
    at: int
    context: Context
    decision: Decision
    day: int
    late: bool
    #: the plan in force at another instant, as the engine knows it
    plan_at: Callable[[int], Any] | None = None
    spent: bool = False
    barred: bool = False
    #: which of several members the event belongs to
    member: str = ""
    trace: list[tuple[str, str]] | None = None
    partner: str = ""
    shut: frozenset[str] = frozenset()

    def post(
        self, balance: str, source: int, target: int, amount: int, lot: int, reason: str
    ) -> None:
        """Move an amount and write it down."""
        posting = (balance, source, target, amount, lot, reason)
        post(self.account, posting)
        self.decision.postings.append(posting)

    def change(self, *what: Any) -> None:
        """Change something that is not an amount, and write it down."""
        CHANGES[what[0]](self.account, what)
        self.decision.changes.append(what)

    def wake_at(self, moment: int) -> None:
        """Time does something to the account at that instant, or before."""
        account = self.account
        if moment < account.due:
            account.due = moment
        if moment < account.calm:
            account.calm = moment

    def wake_on(self, day: int) -> None:
        """Time does something to the account at 00:00 of that day, or before."""
        self.wake_at(self.calendar.start(day))

    def flag(self, code: str) -> None:
        """Mark the decision for a person to look at."""
        self.decision.flags = [*self.decision.flags, code]

    def notice(self, *what: Any) -> None:
        """Something that the member should be told."""
        self.decision.notices = [*self.decision.notices, what]

    def follow(self, subject: str, body: Body) -> None:
        """Cause an event for another account."""
        self.decision.follow_ups = [*self.decision.follow_ups, FollowUp(subject, body)]

    def effect(self, line: str, rule: str, amount: int) -> None:
        """Something comes off the price of a line, or of the whole basket (line empty)."""
        self.decision.effects = [*self.decision.effects, (line, rule, amount)]

    def fee(self, name: str, why: str, amount: int) -> None:
        """The member owes a fee, or gets it back (below zero); the merchant's, not the books'."""
        if amount:
            self.decision.fees = [*self.decision.fees, (name, why, amount)]

    def claim(self, limit: str, amount: int) -> None:
        """Take something of a shared limit, or give it back (below zero)."""
        self.decision.claims = [*self.decision.claims, (limit, amount)]

    def why_not(self, rule: str, reason: str) -> None:
        """While tracing: why a rule did nothing."""
        if self.trace is not None:
            self.trace.append((rule, reason))

    def of(self, member: str) -> Turn:
        """The turn of what is a member's own: counters, tiers and caps."""
        own = Own(
            cast(Account, self.account.members[member]),  # of which only those are looked at
            self.calendar,
            self.event,
            self.moment,
            self.at,
            self.context,
            self.decision,
            self.day,
            self.late,
            self.plan_at,
        )
        own.whole, own.whose = self, member
        return own

    def own(self) -> Turn:
        """The turn of what is its member's own; of an account of one member it is all."""
        return self.of(self.member) if self.member else self

    def standing(self, group: str) -> Standing:
        """Where the account, or the member of the event, stands in a tier group now."""
        found = self.account.tiers.get(group)
        if found is None and self.member:
            return self.own().standing(group)
        return found or Standing()

    def level(self, group: str) -> int:
        """The level that counts for the event: for a late one, the level of then."""
        standing = self.account.tiers.get(group)
        if standing is None:
            return self.own().level(group) if self.member else 0
        if self.late:
            return int(value_at(standing.history, self.moment, 0))
        return standing.level

    @property
    def group(self) -> str:
        """The group that points of the event wait for; without one they wait under its key."""
        return getattr(self.event.body, "group", "") or self.event.key

    def fact(self, name: str) -> str:
        """What was known of the member when the event happened; empty if nothing."""
        history = self.account.facts.get(name)
        return value_at(history, self.moment, "") if history else ""

    def choice(self, name: str) -> str:
        """What the member had chosen when the event happened; empty if nothing."""
        history = self.account.choices.get(name)
        return value_at(history, self.moment, "") if history else ""

    def plans(self) -> set[str]:
        """The plans that the member had when the event happened."""
        moment = self.moment
        held = {value_at(each.history, moment, "") for each in self.account.plans.values()}
        return held - {""}


class Own(Turn):
    """The turn of one of several members: what it changes is the member's own.

    Points are never a member's own here; they are the account's, in lots with a label.
    """

    whole: Turn | None = None
    whose: str = ""

    def change(self, *what: Any) -> None:
        """Change something of the member's own, and write it down."""
        assert self.whole is not None
        self.whole.change("of", self.whose, *what)

    def fact(self, name: str) -> str:
        """What was known of the account when the event happened; empty if nothing."""
        assert self.whole is not None
        return self.whole.fact(name)

    def choice(self, name: str) -> str:
        """What the account had chosen when the event happened; empty if nothing."""
        assert self.whole is not None
        return self.whole.choice(name)

    def wake_at(self, moment: int) -> None:
        """Time does something to the account at that instant, or before."""
        assert self.whole is not None
        self.whole.wake_at(moment)
