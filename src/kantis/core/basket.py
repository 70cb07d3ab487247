"""Basket: the lines of a purchase, added up by the rules that mean them.

Rules do not walk over lines. A classifier gives each distinct filter of a program a
bit; a line's mask says which filters mean it, and is remembered per product. A basket
then holds one sum per mask, and a rule adds up the masks that have its bit.

>>> coffee, cake = Filter((("category", ("coffee",)),)), Filter((("category", ("cake",)),))
>>> classifier = Classifier()
>>> bit = classifier.bit(coffee, None)
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
    """Gives filters their bits, and lines their masks."""

    def __init__(self) -> None:
        self.filters: list[tuple[Filter | None, Filter | None]] = [(None, None)]
        self._masks = _Masks(self.filters)
        self._key: Callable[[Line], Any] | None = None
        self.base = "amount"

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
        key = self.key()(line)
        found = self._masks.get(key)
        if found is None:
            if len(self._masks) > 500_000:
                self._masks.clear()
            found = self._masks[key] = self._masks.classify(line)
        return found

    def add_up(self, lines: tuple[Line, ...], amounts: list[int] | None = None) -> Basket:
        """The basket of the lines; ``amounts`` stands in for their own where prices changed."""
        key, masks = self._key or self.key(), self._masks
        sums: dict[int, int] = {}
        items: dict[int, int] = {}
        measures: dict[int, int] = {}
        total = 0
        for position, line in enumerate(lines):
            mask = masks.get(key(line))
            if mask is None:
                mask = self.mask(line)
            amount = line.amount if amounts is None else amounts[position]
            total += amount
            if mask in sums:
                sums[mask] += amount
                items[mask] += line.quantity
            else:
                sums[mask] = amount
                items[mask] = line.quantity
            if line.measure:
                measures[mask] = measures.get(mask, 0) + line.measure
        return Basket(sums, items, measures, total)


def _nothing(line: Line) -> int:
    return 0


def spend(sums: dict[int, int], bit: int) -> int:
    """The sum over the lines that a bit means."""
    total = 0
    for mask, amount in sums.items():
        if mask & bit:
            total += amount
    return total
