"""A member to try a program with: an account, and what a decision has to see beside it."""

from __future__ import annotations

from typing import Any

from kantis.core.account import Account
from kantis.core.calendar import DAY_MS, instant
from kantis.core.decision import Context, Decision, Entry, Original
from kantis.core.events import Body, Event, Line, Purchase
from kantis.engine.decide import advance, decide
from kantis.engine.program import Program, Version, assemble

NOON = instant("2024-03-06T12:00:00Z")


def program(rules: dict[str, Any], **head: Any) -> Program:
    """A program in euros, with points that never die unless it says otherwise."""
    tree = {
        "program": "p",
        "money": "EUR",
        "timezone": "Europe/Helsinki",
        "balances": {"points": {"expires": "never"}},
        "earning": rules,
        **head,
    }
    return assemble([Version.of(1, 0, tree)])


def bought(amount: int, category: str = "coffee", **other: Any) -> Purchase:
    """A purchase of one line, for so many minor units."""
    return Purchase((Line("l0", "a", 1, amount, category),), **other)


class Member:
    """An account under a program. Calling it makes something happen, so many days from noon."""

    def __init__(self, terms: Program) -> None:
        self.terms, self.account, self.count = terms, Account(1), 0
        self.entries: dict[str, tuple[Event, Entry, list[Decision]]] = {}
        self.receipts: dict[str, Event] = {}

    def __call__(
        self, body: Body, day: float = 0, *, late: float = 0, ask: bool = False, refused: str = ""
    ) -> str:
        """The id of the event; ``late`` is by how many days it comes too late."""
        self.count += 1
        now = NOON + int(day * DAY_MS) + self.count
        event = Event("till", f"e{self.count}", now - int(late * DAY_MS), "", body, now, ask)
        originals = {
            key: Original(bought, entry, tuple(undone))
            for key, (bought, entry, undone) in self.entries.items()
        }
        entry = decide(self.terms, self.account, event, Context(originals, self.receipts))[-1]
        said = entry.decision.refusal
        assert (said.code if said else "") == refused, said
        self.entries[event.key] = event, entry, []
        if entry.decision.cause in self.entries:
            self.entries[entry.decision.cause][2].append(entry.decision)
        advance(self.terms, self.account, self.account.at)
        return event.id

    def wait(self, day: float) -> None:
        """Time passes until so many days from noon."""
        advance(self.terms, self.account, NOON + int(day * DAY_MS))

    def has(self, place: int, balance: str = "points") -> int:
        """What stands in a place."""
        return self.account.purse.get(balance, [0] * 6)[place]

    @property
    def points(self) -> int:
        """What is there, less what is owed."""
        return sum(self.account.purse.get("points", [0] * 6)[:4])

    @property
    def counted(self) -> dict[str, int]:
        """What the counters hold, where they hold something."""
        sums = {name: sum(each.values()) for name, each in self.account.counters.items()}
        return {name: amount for name, amount in sums.items() if amount}
