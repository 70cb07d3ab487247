"""prices: what members pay less for a line.

Guarantee: a price effect belongs to one line and one rule, never lifts a line below zero,
is the same in a quote and in the decision, and comes back with the line when it is
refunded. Points are earned on what is left.

Of several price rules for a line the best one for the member counts; equal ones go to the
first in the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd
from typing import Annotated, Any

from msgspec import Struct

from kantis.core.amounts import divide
from kantis.core.basket import ALL, Classifier, Sums, shown, write_offered
from kantis.core.budgets import BUDGET
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
from kantis.core.earner import (
    FEW,
    loaded_offer,
    open_block,
    still_open,
    use_offer,
    write_offers,
    write_use,
)
from kantis.core.knobs import Knob
from kantis.core.phrases import TITLE, Quantity
from kantis.core.rule import BUDGET_MEANS, OFF, Off
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
    budget: Annotated[Quantity | None, Knob(BUDGET, BUDGET_MEANS, dated=False)] = None


class Price(Struct):
    """A price rule with its bit; ``offer`` says that it has to be loaded."""

    name: str
    rule: Any
    bit: int
    offer: bool
    apart: bool


class Prices(Struct):
    """All price rules of a version, and how money rounds."""

    rules: list[Price]
    how: str = "half up"

    @property
    def plain(self) -> list[Price]:
        """Those that are written out; they stand first."""
        return [each for each in self.rules if not each.apart]

    @property
    def offers(self) -> list[Price]:
        """Those of so many offers that they are looked up."""
        return [each for each in self.rules if each.apart]


def compile_prices(
    rules: Iterable[Any], offers: Iterable[str], classifier: Classifier, how: str
) -> Prices:
    """The price rules, ready to be written: prices, and offers that take something off."""
    names = set(offers)
    return Prices(
        [
            Price(
                rule.name,
                rule,
                classifier.bit(rule.where, rule.except_),
                offer=rule.name in names,
                apart=rule.name in names and len(names) > FEW,
            )
            for rule in rules
            if rule.off is not None
        ],
        how,
    )


def write_conditions(code: Code, prices: Prices, spend: str) -> None:
    """Write which price rules act: a variable for each, its bit if it does and 0 if not."""
    code.add("effects = []")
    if prices.plain:
        code.add(f"{' = '.join(_variables(prices))} = 0")
    if any(each.rule.if_ is not None for each in prices.rules):
        code.add(f"total = sum([line.amount{f' + {spend}' * bool(spend)} for line in lines])")
    for each, variable in zip(prices.plain, _variables(prices), strict=True):
        with code.block(open_block(code, each.name, _conditions(code, each))):
            code.add(f"{variable} = {shown(each.bit)}")
    offers = prices.offers
    if not offers:
        return

    def write(position: int, sums: Sums) -> None:
        each = offers[position]
        with code.block(open_block(code, each.name, _conditions(code, each))):
            code.add(f"cut.append({code.constant(each, 'price')})")

    write_offered(code)
    code.add("cut = ()", f"seen = {ALL}")
    # Lines are not added up yet, so that there are no sums.
    meant = [(each.name, ALL) for each in offers]
    write_offers(code, Sums(Classifier()), meant, write, "cut = []")


def _conditions(code: Code, price: Price) -> list[tuple[str, str]]:
    rule, found = price.rule, []
    if price.offer:
        loaded = code.constant(loaded_offer, "loaded")
        found = [(f"{loaded}(turn, {price.name!r})", '"not loaded"')]
    found += write_gates(code, rule.who, rule.when, rule.if_, lambda what: "total")
    return found + still_open(rule.name, rule.budget)


def _variables(prices: Prices) -> list[str]:
    return [f"price{number}" for number in range(1, len(prices.plain) + 1)]


def write_line(code: Code, prices: Prices) -> None:
    """Write what comes off the ``amount`` of a ``line``: the most that one of the rules takes."""
    variables = _variables(prices)
    if len(variables) == 1 and not prices.offers:
        (only,) = prices.rules
        with code.block(f"if mask & {variables[0]}:"):
            code.add(f"less = {_less(code, only.rule.off, prices.how)}")
            with code.block("if less > 0:"):
                code.add("amount -= less", f"effects.append((line.id, {only.name!r}, less))")
        return
    tests = [f"mask & ({' | '.join(variables)})"] if variables else []
    tests += ["cut"] if prices.offers else []
    with code.block(f"if {' or '.join(tests)}:"):
        code.add("best, most = '', 0")
        for each, variable in zip(prices.plain, variables, strict=True):
            with code.block(f"if mask & {variable}:"):
                code.add(f"less = {_less(code, each.rule.off, prices.how)}")
                with code.block("if less > most:"):
                    code.add(f"best, most = {each.name!r}, less")
        if prices.offers:
            call = code.constant(reduction, "reduction")
            with code.block("for each in cut:"), code.block("if mask & each.bit:"):
                what = f"amount, line.quantity, {prices.how!r}, line.measure"
                code.add(f"less = {call}(each.rule.off, {what})")
                with code.block("if less > most:"):
                    code.add("best, most = each.name, less")
        with code.block("if most:"):
            code.add("amount -= most", "effects.append((line.id, best, most))")


def _less(code: Code, off: Off, how: str) -> str:
    """What a rule takes off a line, as an expression; the common shape is written out."""
    if off.share is not None and how == "half up":
        common = gcd(off.share.num, off.share.den)
        num, den = off.share.num // common, off.share.den // common
        return f"({2 * num} * amount + {den}) // {2 * den}"
    call = code.constant(reduction, "reduction")
    return f"{call}({code.constant(off, 'off')}, amount, line.quantity, {how!r}, line.measure)"


def write_effects(code: Code, prices: Prices) -> None:
    """Write down what came off; an offer that took something off is used up."""
    with code.block("if effects:"):
        code.add("turn.decision.effects = effects")
        for each in prices.plain:
            if each.offer:
                used = f"any(effect[1] == {each.name!r} for effect in effects)"
                write_use(code, each.name, each.rule.uses, used)
        if prices.offers:
            code.add(f"{code.constant(_use_offers, 'use_offers')}(turn, cut, effects)")


def _use_offers(turn: Turn, cut: list[Price], effects: list[tuple[str, str, int]]) -> None:
    """The offers that took something off are used up."""
    used = {effect[1] for effect in effects}
    for each in cut:
        if each.name in used:
            use_offer(turn, each.name, each.rule.uses, 1)


def write(
    prices: Prices, classifier: Classifier, spend: str, trace: bool, books: bool = True
) -> Code:
    """The price effects alone, where somebody pays before lines are added up: a function of turn
    and lines that writes the effects down (where it ``books``) and gives what is left of the
    lines' amounts."""
    code = Code("price", "turn", "lines", trace=trace)
    head = code.head()
    write_conditions(head, prices, spend)
    code.add("amounts = []")
    with code.block("for line in lines:"):
        code.add(f"amount = line.amount{f' + {spend}' * bool(spend)}")
        code.add(f"mask = {classifier.write_mask(code)}")
        write_line(code, prices)
        code.add("amounts.append(amount)")
    if books:
        write_effects(code, prices)
    code.add("return amounts")
    code.begin(head)
    return code


def reduction(off: Off, amount: int, quantity: int, how: str = "half up", measure: int = 0) -> int:
    """What a price rule takes off a line, in minor units; money rounds as the program says.

    >>> from kantis.core.amounts import Ratio
    >>> reduction(Off(share=Ratio(10, 100)), 1200, 1)
    120
    >>> reduction(Off(down_to=299), 700, 2)
    102
    >>> reduction(Off(every=5), 70000, 7)
    10000
    """
    if off.share is not None:
        return min(amount, divide(amount * off.share.num, off.share.den, how))
    if off.per_item:
        return min(amount, off.per_item * quantity)
    if off.per_measure:
        return min(amount, divide(off.per_measure * measure, 1000, how))
    if off.every:
        return divide(amount * (quantity // off.every), max(1, quantity), how)
    return max(0, amount - off.down_to * quantity)
