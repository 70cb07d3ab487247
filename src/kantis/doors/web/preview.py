"""Preview: what a draft of a program would do, shown before anybody is touched by it."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from kantis.core.account import Account
from kantis.core.amounts import Unit
from kantis.core.events import Body, Enrol, Event, Line, Purchase
from kantis.core.sentences import Sentence
from kantis.desk import library
from kantis.engine.decide import decide
from kantis.engine.explain import explain
from kantis.engine.program import Program

#: The purchase of a newcomer, so many units of money in minor ones.
AMOUNT: Final = 1_250
_SUBJECT: Final = "account:1"


class Preview(Struct, frozen=True):
    """What the first purchase of a new member would bring: so much, and by which rules."""

    amount: int
    brought: tuple[tuple[str, str], ...]
    sentences: tuple[Sentence, ...]


def first_purchase(program: Program, now: int, amount: int = 0) -> Preview:
    """A new member buys one thing that is in no category; nothing of it is kept."""
    money: Unit = program.money
    amount = amount or AMOUNT * library.about(money.name) * 10**money.scale // 100
    account, brought, said = Account(1), dict[str, int](), list[Sentence]()
    bodies: list[Body] = [Enrol(), Purchase((Line("1", "", 1, amount),))]
    for number, body in enumerate(bodies):
        event = Event("preview", str(number), now + number, _SUBJECT, body)
        for entry in decide(program, account, event):
            for _, balance, _, points, _, _ in entry.decision.fired:
                brought[balance] = brought.get(balance, 0) + points * bool(balance)
            said += explain(program, entry, event)[: len(entry.decision.fired)]  # what gave
    units = program.units
    return Preview(
        amount,
        tuple((units[name].number(got), name) for name, got in brought.items() if got and name),
        tuple(said),
    )
