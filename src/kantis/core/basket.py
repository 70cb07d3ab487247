"""Basket: the lines of a purchase, added up by the rules that mean them.

Rules do not walk over lines. A classifier gives each distinct filter of a program a
bit; a line's mask says which filters mean it, and is remembered per product. A basket
then holds one sum per mask, and a rule adds up the masks that have its bit.

>>> coffee, cake = Filter((("category", ("coffee",)),)), Filter((("category", ("cake",)),))
>>> classifier = Classifier()
>>> bit = classifier.bit(coffee, None)
>>> classifier.counts_items = True
>>> lines = (Line("1", "latte", 2, 700, "coffee"), Line("2", "bun", 1, 300, "cake"))
>>> basket = classifier.add_up(lines)
>>> spend(basket.amounts, bit), spend(basket.items, bit), basket.total
(700, 2, 1000)
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from msgspec import Struct

from kantis.core.code import Code
from kantis.core.conditions import Filter
from kantis.core.events import Line

#: the bit that means every line
ALL = 1


class Basket(Struct, gc=False):
    """Sums by mask: amounts in minor units, items, and measures in thousandths."""

    amounts: dict[int, int]
    items: dict[int, int]
    measures: dict[int, int]
    total: int


class _Masks(dict[Any, int]):
    """Masks by line attributes; an attribute value not seen before is classified once."""

    def __init__(self, filters: list[tuple[Filter | None, Filter | None]]) -> None:
        super().__init__()
        self.filters = filters
        self.line: Line | None = None

    def classify(self, line: Line) -> int:
        mask = 0
        for number, (where, but) in enumerate(self.filters):
            if (where is None or where.matches(line)) and (but is None or not but.matches(line)):
                mask |= 1 << number
        return mask


class Classifier:
    """Gives filters their bits, and lines their masks.

    ``counts_items`` says that somebody reads items or measures; they are added up only then.
    """

    def __init__(self) -> None:
        self.filters: list[tuple[Filter | None, Filter | None]] = [(None, None)]
        self._masks = _Masks(self.filters)
        self._key: Callable[[Line], Any] | None = None
        self.counts_items = False

    def bit(self, where: Filter | None, but: Filter | None) -> int:
        """The bit of the lines that ``where`` means and ``but`` does not."""
        pair = (where, but)
        if pair not in self.filters:
            self.filters.append(pair)
            self._masks.clear()
            self._key = None
        return 1 << self.filters.index(pair)

    def key(self) -> Callable[[Line], Any]:
        """What of a line its mask depends on: only the attributes that some filter asks for."""
        if self._key is None:
            asked = {
                {"tag": "tags"}.get(name, name)
                for pair in self.filters
                for each in pair
                if each is not None
                for name, _ in each.parts
            }
            self._key = attrgetter(*(sorted(asked) or ["id"])) if asked else _nothing
        return self._key

    def mask(self, line: Line) -> int:
        """The mask of one line."""
        key = (self._key or self.key())(line)
        found = self._masks.get(key)
        if found is None:
            if len(self._masks) > 500_000:
                self._masks.clear()
            found = self._masks[key] = self._masks.classify(line)
        return found

    def masks(self, lines: tuple[Line, ...]) -> list[int]:
        """The masks of the lines."""
        key, known = self._key or self.key(), self._masks
        try:
            return [known[key(line)] for line in lines]
        except KeyError:
            return [self.mask(line) for line in lines]

    def read(self, lines: tuple[Line, ...]) -> Basket | None:
        """The basket of the lines at their own amounts, in one walk over them.

        ``None`` when a line is negative.
        """
        key, known, counts_items = self._key or self.key(), self._masks, self.counts_items
        basket = Basket({}, {}, {}, 0)
        sums, total = basket.amounts, 0
        for line in lines:
            amount = line.amount
            if amount < 0 or line.quantity < 0:
                return None
            mask = known.get(key(line))
            if mask is None:
                mask = self.mask(line)
            total += amount
            sums[mask] = sums[mask] + amount if mask in sums else amount
            if counts_items:
                _count(basket, mask, line)
        basket.total = total
        return basket

    def add_up(
        self,
        lines: tuple[Line, ...],
        masks: list[int] | None = None,
        amounts: list[int] | None = None,
    ) -> Basket:
        """The basket of the lines; ``amounts`` stands in for their own where prices changed."""
        if masks is None:
            masks = self.masks(lines)
        if amounts is None:
            amounts = [line.amount for line in lines]
        sums: dict[int, int] = {}
        for mask, amount in zip(masks, amounts, strict=True):
            sums[mask] = sums[mask] + amount if mask in sums else amount
        basket = Basket(sums, {}, {}, sum(amounts))
        if self.counts_items:
            for mask, line in zip(masks, lines, strict=True):
                _count(basket, mask, line)
        return basket


def _count(basket: Basket, mask: int, line: Line) -> None:
    items = basket.items
    items[mask] = items[mask] + line.quantity if mask in items else line.quantity
    if line.measure:
        basket.measures[mask] = basket.measures.get(mask, 0) + line.measure


def _nothing(line: Line) -> int:
    return 0


def spend(sums: dict[int, int], bit: int) -> int:
    """The sum over the lines that a bit means."""
    total = 0
    for mask, amount in sums.items():
        if mask & bit == bit:
            total += amount
    return total


class Sums:
    """Sums over lines, as variables of a written function: each is added up once.

    A bit of several filters means the lines that all of them mean.
    """

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._wanted: dict[str, dict[int, str]] = {"amounts": {}, "items": {}, "measures": {}}

    def name(self, what: str, bit: int) -> str:
        """The variable that holds the sum of ``amounts``, ``items`` or ``measures`` of a bit."""
        if what == "amounts" and bit == ALL:
            return "total"
        if what != "amounts":
            self._classifier.counts_items = True
        return self._wanted[what].setdefault(bit, f"{what[0]}{bit}")

    def another(self) -> Sums:
        """The sums of another function over the same lines."""
        return Sums(self._classifier)

    def of(self, bit: int) -> Callable[[str], str]:
        """Names the sums of one bit."""
        return lambda what: self.name(what, bit)

    def write(self, code: Code) -> None:
        """Add them up, at the head of the function."""
        for what, bits in self._wanted.items():
            if not bits:
                continue
            code.add(" = ".join([*bits.values(), "0"]))
            with code.block(f"for mask, amount in basket.{what}.items():"):
                for bit, name in bits.items():
                    if bit == ALL:
                        code.add(f"{name} += amount")
                        continue
                    test = f"mask & {bit}" if bit & (bit - 1) == 0 else f"mask & {bit} == {bit}"
                    with code.block(f"if {test}:"):
                        code.add(f"{name} += amount")
