"""Turn: one account's turn at one event, while it is decided.

A turn is what the features work on: the account, the instant and local day the event
counts as, and the decision in the making. Each posting and each change goes through it,
is applied at once and written down at once.
"""

from __future__ import annotations

from typing import Any

from kantis.core.account import Account, Standing, change, post, value_at
from kantis.core.calendar import Calendar
from kantis.core.decision import Context, Decision, FollowUp, Refusal
from kantis.core.events import Body, Event


class Refused(Exception):
    """Raised inside a feature to say no; carries the refusal. Nothing was changed before it."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.refusal = Refusal(code, sentence)


class Turn:
    """One account at one event.

    ``moment`` and ``day`` are when the event counts; ``at`` is how far the account has
    come. A late event has ``moment < at`` and sees the tiers of then.
    """

    __slots__ = (
        "account",
        "at",
        "calendar",
        "context",
        "day",
        "decision",
        "event",
        "late",
        "moment",
        "spent",
        "trace",
    )

    def __init__(
        self,
        account: Account,
        calendar: Calendar,
        event: Event,
        moment: int,
        at: int,
        context: Context,
    ) -> None:
        self.account = account
        self.calendar = calendar
        self.event = event
        self.moment = moment
        self.day = calendar.day(moment)
        self.at = at
        self.late = moment < at
        self.context = context
        self.decision = Decision()
        self.spent = False
        self.trace: list[tuple[str, str]] | None = None

    def post(
        self, balance: str, source: int, target: int, amount: int, lot: int, reason: str
    ) -> None:
        """Move an amount and write it down."""
        posting = (balance, source, target, amount, lot, reason)
        post(self.account, posting)
        self.decision.postings.append(posting)

    def change(self, *what: Any) -> None:
        """Change something that is not an amount, and write it down."""
        change(self.account, what)
        self.decision.changes.append(what)

    def wake_at(self, moment: int) -> None:
        """Time does something to the account at that instant, or before."""
        if moment < self.account.due:
            self.account.due = moment

    def wake_on(self, day: int) -> None:
        """Time does something to the account at 00:00 of that day, or before."""
        self.wake_at(self.calendar.start(day))

    def flag(self, code: str) -> None:
        """Mark the decision for a person to look at."""
        self.decision.flags.append(code)

    def notice(self, *what: Any) -> None:
        """Something that the member should be told."""
        self.decision.notices.append(what)

    def follow(self, subject: str, body: Body) -> None:
        """Cause an event for another account."""
        self.decision.follow_ups.append(FollowUp(subject, body))

    def why_not(self, rule: str, reason: str) -> None:
        """While tracing: why a rule did nothing."""
        if self.trace is not None:
            self.trace.append((rule, reason))

    def standing(self, group: str) -> Standing:
        """Where the account stands in a tier group now."""
        return self.account.tiers.get(group) or Standing()

    def level(self, group: str) -> int:
        """The level that counts for the event: for a late one, the level of then."""
        standing = self.account.tiers.get(group)
        if standing is None:
            return 0
        if self.late:
            return int(value_at(standing.history, self.moment, 0))
        return standing.level

    def fact(self, name: str) -> str:
        """What was known of the member when the event happened; empty if nothing."""
        history = self.account.facts.get(name)
        return value_at(history, self.moment, "") if history else ""

    def choice(self, name: str) -> str:
        """What the member had chosen when the event happened; empty if nothing."""
        history = self.account.choices.get(name)
        return value_at(history, self.moment, "") if history else ""
