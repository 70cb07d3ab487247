"""prices: what members pay less for a line.

Guarantee: a price effect belongs to one line and one rule, never lifts a line below zero,
is the same in a quote and in the decision, and comes back with the line when it is
refunded. Points are earned on what is left.

Of several price rules for a line the best one for the member counts; equal ones go to the
first in the file.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from kantis.core.amounts import divide
from kantis.core.basket import Classifier
from kantis.core.conditions import Gate, gates
from kantis.core.events import Line
from kantis.core.rule import Off, Rule
from kantis.core.turn import Turn


class Price(Struct):
    """A price rule, ready for use."""

    name: str
    bit: int
    off: Off
    gates: tuple[Gate, ...]
    offer: str = ""


class Prices(Struct):
    """All price rules of a version; ``bits`` are those of all of them."""

    rules: list[Price]
    bits: int = 0


def compile_prices(
    rules: Iterable[Rule], offers: Iterable[str], classifier: Classifier
) -> Prices:
    """The price rules, ready for use."""
    found = Prices([])
    names = set(offers)
    for rule in rules:
        if rule.off is None:
            continue
        bit = classifier.bit(rule.where, rule.except_)
        ready = gates(rule.who, rule.when, rule.if_)
        offer = rule.name if rule.name in names else ""
        found.rules.append(Price(rule.name, bit, rule.off, ready, offer))
        found.bits |= bit
    return found


def reduction(off: Off, amount: int, quantity: int) -> int:
    """What a price rule takes off a line, in minor units; money rounds half up.

    >>> from kantis.core.amounts import Ratio
    >>> reduction(Off(share=Ratio(10, 100)), 1200, 1)
    120
    >>> reduction(Off(down_to=299), 700, 2)
    102
    """
    if off.share is not None:
        return min(amount, divide(amount * off.share.num, off.share.den, "half up"))
    if off.per_item:
        return min(amount, off.per_item * quantity)
    return max(0, amount - off.down_to * quantity)


def apply(
    prices: Prices, turn: Turn, lines: tuple[Line, ...], masks: list[int], amounts: list[int]
) -> None:
    """Take the price effects off the lines' amounts, and write them down."""
    total = sum(amounts)
    acting = [each for each in prices.rules if _acts(each, turn, total)]
    if not acting:
        return
    bits = 0
    for rule in acting:
        bits |= rule.bit
    for position, mask in enumerate(masks):
        if not mask & bits:
            continue
        line, amount = lines[position], amounts[position]
        best, most = "", 0
        for rule in acting:
            if mask & rule.bit:
                less = reduction(rule.off, amount, line.quantity)
                if less > most:
                    best, most = rule.name, less
        if most:
            amounts[position] = amount - most
            turn.effect(line.id, best, most)
    _use_offers(prices, turn)


def _acts(price: Price, turn: Turn, total: int) -> bool:
    if price.offer:
        loaded, _ = turn.account.offers.get(price.offer, (-1, 0))
        if loaded < 0 or loaded > turn.moment:
            turn.why_not(price.name, "not loaded")
            return False
    for gate in price.gates:
        why = gate(turn, total, total, 0)
        if why:
            turn.why_not(price.name, why)
            return False
    return True


def _use_offers(prices: Prices, turn: Turn) -> None:
    used = {rule for _, rule, _ in turn.decision.effects}
    for price in prices.rules:
        if price.offer and price.name in used:
            _, uses = turn.account.offers[price.offer]
            turn.change("offer", price.offer, -1, uses + 1)
