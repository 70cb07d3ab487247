"""prices: what members pay less for a line.

Guarantee: a price effect belongs to one line and one rule, never lifts a line below zero,
is the same in a quote and in the decision, and comes back with the line when it is
refunded. Points are earned on what is left.

Of several price rules for a line the best one for the member counts; equal ones go to the
first in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from msgspec import Struct

from kantis.core.amounts import divide
from kantis.core.basket import Classifier
from kantis.core.code import Code
from kantis.core.conditions import (
    EXCEPT,
    IF,
    WHEN,
    WHERE,
    WHO,
    Filter,
    If,
    When,
    Who,
    write_gates,
)
from kantis.core.events import Line
from kantis.core.knobs import Knob
from kantis.core.phrases import TITLE
from kantis.core.rule import OFF, Off
from kantis.core.turn import Turn


class PriceSection(Struct, frozen=True, kw_only=True):
    """A price: the lines and members that are meant, and what it takes off."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    where: Annotated[Filter | None, Knob(WHERE, "the lines that count")] = None
    except_: Annotated[Filter | None, Knob(EXCEPT, "the lines that do not count")] = None
    who: Annotated[Who | None, Knob(WHO, "the members that are meant")] = None
    when: Annotated[When | None, Knob(WHEN, "the times that are meant")] = None
    if_: Annotated[If | None, Knob(IF, "what the purchase must be like")] = None
    off: Annotated[Off | None, Knob(OFF, "what it takes off the price of a line")]


class Price(Struct):
    """A price rule, ready for use: ``less`` is what it takes off a line that costs so much;
    ``acts`` says why it does nothing (turn, total), or nothing."""

    name: str
    bit: int
    less: Callable[[int, Line], int]
    acts: Callable[[Turn, int], str]
    offer: bool


class Prices(Struct):
    """All price rules of a version; ``bits`` are those of all of them."""

    rules: list[Price]
    bits: int = 0


def compile_prices(
    rules: Iterable[Any], offers: Iterable[str], classifier: Classifier, how: str
) -> Prices:
    """The price rules, ready for use: prices, and offers that take something off."""
    found = Prices([])
    names = set(offers)
    for rule in rules:
        if rule.off is None:
            continue
        bit = classifier.bit(rule.where, rule.except_)
        offer = rule.name in names
        less = _less(rule.off, how)
        found.rules.append(Price(rule.name, bit, less, _acts(rule, offer), offer))
        found.bits |= bit
    return found


def _acts(rule: Any, offer: bool) -> Callable[[Turn, int], str]:
    """The conditions of a price rule as one function: why it does nothing, or an empty text."""
    code = Code("acts", "turn", "total")
    code.add("day = turn.day")
    if offer:
        code.add(f"loaded, _ = turn.account.offers.get({rule.name!r}, (-1, 0))")
        with code.block("if not 0 <= loaded <= turn.moment:"):
            code.add("return 'not loaded'")
    for test, why in write_gates(code, rule.who, rule.when, rule.if_, lambda what: "total"):
        with code.block(f"if not ({test}):"):
            code.add(f"return {why}")
    code.add("return ''")
    return code.function()


def _less(off: Off, how: str) -> Callable[[int, Line], int]:
    """What a rule takes off a line that costs so much; the common shape is written out."""
    if off.share is not None and how == "half up":
        num, den = off.share.num, off.share.den
        return lambda amount, line: (2 * amount * num + den) // (2 * den)
    return lambda amount, line: reduction(off, amount, line.quantity, how, line.measure)


def reduction(off: Off, amount: int, quantity: int, how: str = "half up", measure: int = 0) -> int:
    """What a price rule takes off a line, in minor units; money rounds as the program says.

    >>> from kantis.core.amounts import Ratio
    >>> reduction(Off(share=Ratio(10, 100)), 1200, 1)
    120
    >>> reduction(Off(down_to=299), 700, 2)
    102
    """
    if off.share is not None:
        return min(amount, divide(amount * off.share.num, off.share.den, how))
    if off.per_item:
        return min(amount, off.per_item * quantity)
    if off.per_measure:
        return min(amount, divide(off.per_measure * measure, 1000, how))
    return max(0, amount - off.down_to * quantity)


def apply(
    prices: Prices, turn: Turn, lines: tuple[Line, ...], masks: list[int], amounts: list[int]
) -> None:
    """Take the price effects off the lines' amounts, and write them down."""
    total = sum(amounts)
    acting = []
    bits = 0
    for rule in prices.rules:
        why = rule.acts(turn, total)
        if why:
            turn.why_not(rule.name, why)
        else:
            acting.append(rule)
            bits |= rule.bit
    if not bits:
        return
    effects = []
    for position, mask in enumerate(masks):
        if mask & bits:
            line, amount = lines[position], amounts[position]
            best, most = "", 0
            for rule in acting:
                if mask & rule.bit:
                    less = rule.less(amount, line)
                    if less > most:
                        best, most = rule.name, less
            if most:
                amounts[position] = amount - most
                effects.append((line.id, best, most))
    turn.decision.effects = effects
    for rule in acting:
        if rule.offer and any(name == rule.name for _, name, _ in effects):
            _, uses = turn.account.offers[rule.name]
            turn.change("offer", rule.name, -1, uses + 1)
