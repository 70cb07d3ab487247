"""The world of the simulation: real code, with clock, ids, dice and storage handed in.

A run is a list of **steps**. A crowd draws them from one seed while it watches what
happens; once drawn, a step stands for itself, so that any sub-list of a run can be
replayed without the dice. ``Machine`` is the smallest thing that can run the engine: accounts
in memory, the entries that were recorded, and what a decision has to see.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from kantis.core.account import Account, decode_account, encode_account
from kantis.core.decision import (
    Context,
    Decision,
    Entry,
    Original,
    decode_decision,
    encode_decision,
)
from kantis.core.events import Event
from kantis.core.knobs import plain
from kantis.desk.text import read
from kantis.engine.decide import advance, decide, needs
from kantis.engine.program import Program, Version, assemble

HERE = Path(__file__).parent
FILES = {
    "market": HERE / "programs" / "market.yaml",
    "hotel": HERE / "programs" / "hotel.yaml",
    "grocer": HERE.parents[1] / "programs" / "grocer.yaml",
    "corner-cafe": HERE.parents[1] / "programs" / "corner-cafe.yaml",
}
#: All program files that come with Kantis, by their place.
SHIPPED = {
    str(path.relative_to(HERE.parents[1] / "programs").with_suffix("")): path
    for folder in ("programs", "programs/templates")
    for path in sorted((HERE.parents[1] / folder).glob("*.yaml"))
}
FILES |= SHIPPED

#: What the second version of a program says instead.
EDITS: dict[str, dict[str, Any]] = {
    "market": {
        "existing": {"expiry": "follows"},
        "offers": {"coupon": {"budget": "150 points"}},
        "balances": {
            "points": {
                "expires": ["2 months after earning", "all after 45 days without earning"],
            }
        },
        "earning": {
            "shop": {"except": {"category": ["gift-card", "bakery"]}},
            "weekend": {"multiply": "4 times"},
        },
        "tiers": {
            "status": {
                "levels": {
                    "silver": {
                        "any": [
                            {"spend": "100 EUR"},
                            {"visits": "8"},
                            {"baked": "14"},
                            {"won": "150 points"},
                        ]
                    }
                }
            }
        },
    },
    "hotel": {
        "existing": {"grants": {"ever": "2 miles"}},
        "earning": {
            "back": {
                "give": {
                    "each part": {
                        "over 0 USD": "0.01 cash per 1 USD",
                        "over 200 USD": "0.03 cash per 1 USD",
                    }
                }
            }
        },
        "cycles": {"quarterly": {"least": "200 miles"}},
    },
}

#: Values that an edit replaces as a whole.
_WHOLE = {"give", "any", "except"}


class Step(Struct, frozen=True):
    """One thing that happens: an event, time for one account, a new version, a restart."""

    kind: str
    now: int
    account: int = 0
    event: Event | None = None
    cuts: tuple[int, ...] = ()

    def __str__(self) -> str:
        what = self.event.body if self.event is not None else ""
        late = f" at {self.event.time - self.now} ms" if self.event is not None else ""
        ask = " ask" if self.event is not None and self.event.ask else ""
        return f"{self.now} {self.kind} {self.account}{late}{ask} {what}"


@cache
def tree_of(name: str) -> Any:
    """A program file as plain mappings, lists and texts."""
    return plain(read(FILES[name].read_text(encoding="utf-8")))


def edited(tree: Any, edit: Any) -> Any:
    """A program with the values of an edit."""
    found = dict(tree)
    for key, value in edit.items():
        deeper = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = edited(found[key], value) if deeper and key not in _WHOLE else value
    return found


_PROGRAMS: dict[tuple[str, int], Program] = {}


def forget_programs() -> None:
    """Compile programs anew from here on."""
    _PROGRAMS.clear()


def program_of(name: str, since: int = 0) -> Program:
    """The program, with its second version from an instant on (0: without)."""
    found = _PROGRAMS.get((name, since))
    if found is None:
        tree = tree_of(name)
        versions = [Version.of(1, 0, tree)]
        if since:
            versions.append(Version.of(2, since, edited(tree, EDITS.get(name, {}))))
        if len(_PROGRAMS) > 40:
            _PROGRAMS.clear()
        found = _PROGRAMS[name, since] = assemble(versions)
    return found


class Machine:
    """Accounts in memory, and the engine. Nothing else is between the two."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.program = program_of(name)
        self.accounts: dict[int, Account] = {}
        self.entries: dict[int, list[tuple[Entry, bytes]]] = {}
        self.events: dict[str, tuple[int, Event, Entry]] = {}
        self.undone: dict[str, list[Decision]] = {}
        self.alone: dict[str, Event] = {}
        self.stock = dict(self.program.limits())

    def account(self, number: int) -> Account:
        """The account, a new one if need be."""
        found = self.accounts.get(number)
        if found is None:
            found = self.accounts[number] = Account(number)
            self.entries[number] = []
        return found

    def event(self, number: int, event: Event) -> list[Entry]:
        """Decide an event, and record what came of it."""
        account = self.account(number)
        entries = decide(self.program, account, event, self.context(account, event))
        self.record(number, entries)
        own = entries[-1]
        self.events[event.key] = number, event, own
        cause = own.decision.cause
        if cause:
            if cause in self.events:
                self.undone.setdefault(cause, []).append(own.decision)
            receipt = getattr(event.body, "receipt", "")
            if receipt and own.decision.refusal is None:
                self.events[cause] = number, self.alone.pop(receipt), own
        return entries

    def context(self, account: Account, event: Event) -> Context:
        """What the decision has to see."""
        need = needs(self.program, account, event)
        originals = {}
        for key in need.originals:
            owner, original, entry = self.events.get(key, (0, None, None))
            if owner == account.id and original is not None and entry is not None:
                originals[key] = Original(original, entry, tuple(self.undone.get(key, ())))
        receipts = {each: self.alone[each] for each in need.receipts if each in self.alone}
        return Context(originals, receipts, {each: self.stock[each] for each in need.limits})

    def record(self, number: int, entries: list[Entry]) -> None:
        """Entries are kept as bytes; shared limits are taken."""
        for entry in entries:
            self.entries[number].append((entry, encode_decision(entry.decision)))
            for limit, amount in entry.decision.claims:
                self.stock[limit] -= amount

    def advance(self, number: int, until: int) -> list[Entry]:
        """Let time pass for one account."""
        entries = advance(self.program, self.account(number), until)
        self.record(number, entries)
        return entries

    def publish(self, since: int) -> None:
        """A second version; all accounts are due when it begins."""
        before, self.program = self.program.limits(), program_of(self.name, since)
        for name, quantity in self.program.limits().items():
            self.stock[name] += quantity - before[name]
        for account in self.accounts.values():
            account.due = min(account.due, since)

    def restart(self) -> None:
        """The process ends; what it knew comes back from bytes."""
        for number, account in self.accounts.items():
            self.accounts[number] = decode_account(encode_account(account))
        for key, (number, event, entry) in self.events.items():
            decision = decode_decision(encode_decision(entry.decision))
            fresh = Entry(entry.seq, entry.at, entry.version, decision, entry.event, entry.due)
            self.events[key] = number, event, fresh


def dice(seed: int) -> random.Random:
    """The dice of a seed."""
    return random.Random(f"kantis {seed}")
