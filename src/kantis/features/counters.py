"""counters: what is counted beside points, per window: spend, items, purchases, nights.

Guarantee: a counter holds, per bucket of its window, exactly the sum over the events of
that bucket, less what was refunded of them; a late event counts in the bucket of its own
time. Tiers, caps and cycles read counters; nobody spends them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Struct

from kantis.core import windows
from kantis.core.basket import ALL, Basket, Classifier, spend
from kantis.core.conditions import IF, WHEN, WHERE, WHO, Filter, Gate, If, When, Who, gates
from kantis.core.knobs import Knob
from kantis.core.phrases import TEXT, TITLE, WINDOW, Window, word
from kantis.core.turn import Turn

KINDS = ("spend", "items", "purchases", "measure", "quantity", "points")


class CounterSection(Struct, frozen=True, kw_only=True):
    """A counter: what it counts, of which events and lines, over which window."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    counts: Annotated[str, Knob(word(*KINDS), "what is added up")] = "spend"
    for_: Annotated[str, Knob(TEXT, "the event or activity that it is for")] = "purchase"
    of: Annotated[str, Knob(TEXT, "the balance or rule whose points it counts")] = ""
    where: Annotated[Filter | None, Knob(WHERE, "the lines that count")] = None
    except_: Annotated[Filter | None, Knob(WHERE, "the lines that do not count")] = None
    who: Annotated[Who | None, Knob(WHO, "the members that are meant")] = None
    when: Annotated[When | None, Knob(WHEN, "the times that are meant")] = None
    if_: Annotated[If | None, Knob(IF, "what the purchase must be like")] = None
    window: Annotated[Window, Knob(WINDOW, "what it counts over")] = Window("year")


class Counter(Struct):
    """A counter, ready for use."""

    name: str
    counts: str
    event: str
    of: str
    bit: int
    gates: tuple[Gate, ...]
    window: Window


def compile_counters(
    sections: Iterable[CounterSection], classifier: Classifier
) -> dict[str, list[Counter]]:
    """The counters by the event that moves them."""
    found: dict[str, list[Counter]] = {}
    for each in sections:
        bit = classifier.bit(each.where, each.except_)
        ready = gates(each.who, each.when, each.if_)
        counter = Counter(each.name, each.counts, each.for_, each.of, bit, ready, each.window)
        found.setdefault(each.for_, []).append(counter)
    return found


def amount_of(counter: Counter, turn: Turn, basket: Basket, quantity: int) -> int:
    """What the event adds to the counter."""
    kind = counter.counts
    if kind == "spend":
        if counter.bit == ALL:
            return basket.total
        return spend(basket.amounts, counter.bit)
    if kind == "items":
        return spend(basket.items, counter.bit)
    if kind == "measure":
        return spend(basket.measures, counter.bit)
    if kind == "quantity":
        return quantity
    if kind == "points":
        return sum(
            fact[3]
            for fact in turn.decision.fired
            if not counter.of or counter.of in (fact[0], fact[1])
        )
    matched = counter.bit == ALL or any(mask & counter.bit for mask in basket.amounts)
    return 1 if matched else 0


def count(counters: list[Counter], turn: Turn, basket: Basket, quantity: int = 1) -> bool:
    """Count the event; whether any counter moved."""
    moved = False
    for counter in counters:
        amount = amount_of(counter, turn, basket, quantity)
        if amount <= 0 or (counter.gates and _blocked(counter, turn, basket)):
            continue
        bucket = windows.bucket(counter.window, turn.day, turn.account.joined)
        turn.change("count", counter.name, bucket, amount)
        moved = True
    return moved


def _blocked(counter: Counter, turn: Turn, basket: Basket) -> bool:
    amount, items = spend(basket.amounts, counter.bit), spend(basket.items, counter.bit)
    return any(gate(turn, basket.total, amount, items) for gate in counter.gates)
