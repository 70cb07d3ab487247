"""Budgets: how much a rule may give all members together, before it stops.

>>> from kantis.core.amounts import Unit, money
>>> from kantis.core.knobs import Reader, node
>>> reader = Reader(money("EUR"))
>>> reader.units = {"points": Unit("points"), "point": Unit("points")}
>>> [BUDGET.read(node(text), reader).amount for text in ("500.00 EUR", "20000 points")]
[50000, 20000]
>>> ten = Budget("tea", "times", "times", 10, ("tea",), ("purchase",), each=1)
>>> ten.used(Decision(fired=[("tea", "points", 300, 30, 1, 30)]))
1
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from kantis.core.decision import Decision
from kantis.core.knobs import Kind, Node, Reader, Wrong
from kantis.core.phrases import Quantity, Span, on, some, text_of

MONEY: Final = "money"
TIMES: Final = "times"
#: What a budget is called among the shared limits.
PREFIX: Final = "budget "


class Budget(Struct, frozen=True):
    """What a rule may give in all: an ``amount`` of money, of a balance or of times.

    ``names`` are those under which decisions say what the rule gave, ``events`` those for which
    it counts, on the days of ``spans`` (none: always); ``offer`` says that it is loaded first.
    ``each`` is what one use counts where that is fixed, 0 where it is what the rule gave or took
    off; ``least`` is the smallest use that there can be. ``waits`` says that all of it waits for
    a group.
    """

    name: str
    counts: str
    unit: str
    amount: int
    names: tuple[str, ...]
    events: tuple[str, ...]
    spans: tuple[Span, ...] = ()
    offer: bool = False
    each: int = 0
    least: int = 1
    waits: bool = False

    @property
    def limit(self) -> str:
        """The shared limit that holds what is left of it."""
        return PREFIX + self.name

    def on(self, day: int) -> bool:
        """Whether its dates let the rule count on a day."""
        return on(self.spans, day)

    def used(self, decision: Decision) -> int:
        """What a decision used of it; below zero is what a refund took back."""
        given = sum(x[3] for x in decision.fired if x[0] in self.names and self._means(x[1]))
        off = sum(x[2] for x in decision.effects if x[0] and x[1] == self.name)
        if self.each:
            return self.each if given > 0 or off > 0 else 0
        return off if self.counts == MONEY else given

    def _means(self, balance: str) -> bool:
        return bool(self.each) or balance == self.unit


def claimed(decision: Decision, limit: str) -> int:
    """What a decision took of a shared limit."""
    return sum(amount for name, amount in decision.claims if name == limit)


def missed(decision: Decision) -> list[str]:
    """The rules that would have counted, and did not for want of budget."""
    return [each[1] for each in decision.notices if each[0] == "missed"]


def _budget(node: Node, reader: Reader) -> Quantity:
    found = some(text_of(node), node, reader)
    own = reader.money.name if reader.money else ""
    if found.unit not in (own, TIMES, *(each.name for each in reader.units.values())):
        message = (
            f"{text_of(node)!r} is no budget. Write money, points or times, as in 500.00 {own}."
        )
        raise Wrong("budget-expected", message, node)
    return found


BUDGET = Kind(
    "budget",
    _budget,
    "500.00 EUR | 20000 points | 1000 times",
    ("500.00 EUR", "20000 points", "1000 times"),
)
