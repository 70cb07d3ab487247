"""Basket: the lines of a purchase, added up by the rules that mean them.

Rules do not walk over lines. A classifier gives each distinct filter of a program a
bit; a line's mask says which filters mean it, and is remembered for what filters ask of
it. The written function of an event walks over the lines once and adds up, by their masks,
the sums that its rules want.

>>> coffee, cake = Filter((("category", ("coffee",)),)), Filter((("category", ("cake",)),))
>>> classifier = Classifier()
>>> bits = classifier.bit(coffee, None), classifier.bit(cake, None)
>>> lines = (Line("1", "latte", 2, 700, "coffee"), Line("2", "bun", 1, 300, "cake"))
>>> bits, classifier.masks(lines)
((2, 4), [3, 5])
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from operator import attrgetter
from typing import Any, NoReturn

from msgspec import structs

from kantis.core.code import Code
from kantis.core.conditions import Filter
from kantis.core.events import Line
from kantis.core.turn import Refused

#: the bit that means every line
ALL = 1

#: What the function of an event gets beside its turn. ``lines`` are those of a purchase at
#: their own amounts, ``paid`` those with what is left of their amounts, a ``deed`` has none.
GIVEN = {
    "lines": ("lines",),
    "paid": ("lines", "amounts"),
    "deed": ("quantity", "amount", "items"),
}

_NO_LINE = Line("", "")


class Masks(dict[Any, int]):
    """Masks by what the filters ask of a line; what was not seen before is classified once."""

    def __init__(self, filters: list[tuple[Filter | None, Filter | None]]) -> None:
        super().__init__()
        self._filters = filters

    @property
    def asked(self) -> list[str]:
        """The attributes that some filter asks for, by name."""
        asked = {
            "tags" if name == "tag" else name
            for pair in self._filters
            for each in pair
            if each is not None
            for name, _ in each.parts
        }
        return sorted(asked)

    def __missing__(self, key: Any) -> int:
        asked = self.asked
        values = dict(zip(asked, key if len(asked) > 1 else (key,), strict=True))
        line, mask = structs.replace(_NO_LINE, **values), 0
        for number, (where, but) in enumerate(self._filters):
            if (where is None or where.matches(line)) and (but is None or not but.matches(line)):
                mask |= 1 << number
        if len(self) > 500_000:
            self.clear()
        self[key] = mask
        return mask


class Classifier:
    """Gives filters their bits, and lines their masks."""

    def __init__(self) -> None:
        self.filters: list[tuple[Filter | None, Filter | None]] = [(None, None)]
        self.known = Masks(self.filters)

    def bit(self, where: Filter | None, but: Filter | None) -> int:
        """The bit of the lines that ``where`` means and ``but`` does not."""
        pair = (where, but)
        if pair not in self.filters:
            self.filters.append(pair)
            self.known.clear()
        return 1 << self.filters.index(pair)

    def write_mask(self, code: Code) -> str:
        """The expression of the mask of ``line``; every filter has to have its bit by then."""
        asked = self.known.asked
        if not asked:
            return str(ALL)
        known = code.constant(self.known, "masks")
        return f"{known}[{', '.join(f'line.{name}' for name in asked)}]"

    def masks(self, lines: tuple[Line, ...]) -> list[int]:
        """The masks of the lines."""
        asked = self.known.asked
        if not asked:
            return [ALL] * len(lines)
        key = attrgetter(*asked)
        return [self.known[key(line)] for line in lines]


def refuse_negative(line: Line) -> NoReturn:
    """A purchase has no negative lines."""
    sentence = f"Line {line.id!r} is negative; send what came back as a refund."
    raise Refused("negative-amount", sentence)


class Sums:
    """Sums over lines, as variables of a written function: each is added up once.

    A bit of several filters means the lines that all of them mean.
    """

    def __init__(self, classifier: Classifier, given: str = "lines") -> None:
        self._classifier, self.given = classifier, given
        self._wanted: dict[int, dict[str, str]] = {}

    def name(self, what: str, bit: int) -> str:
        """The variable that holds the sum of ``amounts``, ``items``, ``measures`` or ``lines`` (how
        many there are) of a bit."""
        name = "total" if what == "amounts" and bit == ALL else f"{what[0]}{bit}"
        return self._wanted.setdefault(bit, {}).setdefault(what, name)

    def of(self, bit: int) -> Callable[[str], str]:
        """Names the sums of one bit; the ``basket`` is the amounts of all lines."""
        return lambda what: self.name("amounts", ALL) if what == "basket" else self.name(what, bit)

    @property
    def quantity(self) -> str:
        """The expression of how many times the event counts."""
        return "quantity" if self.given == "deed" else "1"

    def write(self, head: Code, spend: str, prices: Callable[[Code], None] | None) -> None:
        """Add up what is wanted. ``spend`` is what counts of a line's amount beside the amount
        itself; ``prices`` writes what comes off it."""
        if self.given == "deed":
            self._write_deed(head)
            return
        names = [name for sums in self._wanted.values() for name in sums.values()]
        if names:
            head.add(" = ".join([*names, "0"]))
        walk = "line in lines" if self.given == "lines" else "line, amount in zip(lines, amounts)"
        with head.block(f"for {walk}:"):
            if self.given == "lines":
                refuse = head.constant(refuse_negative, "refuse_negative")
                head.add("amount = line.amount")
                with head.block("if amount < 0 or line.quantity < 0:"):
                    head.add(f"{refuse}(line)")
                if spend:
                    head.add(f"amount += {spend}")
            if any(bit != ALL for bit in self._wanted) or prices is not None:
                head.add(f"mask = {self._classifier.write_mask(head)}")
            if prices is not None:
                prices(head)
            for bit, sums in self._wanted.items():
                test = f"mask & {bit}" if bit & (bit - 1) == 0 else f"mask & {bit} == {bit}"
                with nullcontext() if bit == ALL else head.block(f"if {test}:"):
                    for what, name in sums.items():
                        head.add(f"{name} += {_OF_LINE[what]}")

    def _write_deed(self, head: Code) -> None:
        """What is no purchase has no lines: what it comes to is meant where all lines are."""
        for bit, sums in self._wanted.items():
            for what, name in sums.items():
                head.add(f"{name} = {_OF_DEED[what] if bit == ALL else 0}")


_OF_LINE = {"amounts": "amount", "items": "line.quantity", "measures": "line.measure", "lines": "1"}
_OF_DEED = {"amounts": "amount", "items": "items", "measures": "items * 1000"}
