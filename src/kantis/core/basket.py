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

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from operator import attrgetter
from typing import Any, NoReturn

from msgspec import structs

from kantis.core.code import Code
from kantis.core.conditions import Filter
from kantis.core.events import Line
from kantis.core.turn import Refused, Turn

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


#: A filter: the lines that the first means and the second does not.
Pair = tuple[Filter | None, Filter | None]

#: How many lines' masks are remembered, and how many bits of masks that differ.
_LINES_MAX, _BITS_MAX = 500_000, 1 << 27


class Index:
    """Filters by a value that a line must have to be meant, so that few have to be asked.

    Of the attributes that a filter asks for, the one counts whose values the fewest filters want.
    """

    def __init__(self, filters: list[Pair]) -> None:
        wanted = Counter(
            (name, value)
            for where, _ in filters
            if where is not None
            for name, values in where.parts
            for value in values
        )
        self.filters = filters
        #: filters that ask for no value, and for each attribute those that ask for each value
        self.always: list[int] = []
        self.by_value: dict[str, dict[str, list[int]]] = {}
        for number, (where, _) in enumerate(filters):
            if where is None or not where.parts:
                self.always.append(number)
                continue
            crowds = [max(wanted[name, each] for each in values) for name, values in where.parts]
            name, values = where.parts[crowds.index(min(crowds))]
            for value in dict.fromkeys(values):
                self.by_value.setdefault(name, {}).setdefault(value, []).append(number)

    def mask(self, line: Line) -> int:
        """The mask of a line."""
        near = list(self.always)
        for name, known in self.by_value.items():
            values = set(line.tags) if name == "tag" else (getattr(line, name),)
            near += [number for value in values for number in known.get(value, ())]
        mask = 0
        for number in near:
            where, but = self.filters[number]
            if (where is None or where.matches(line)) and (but is None or not but.matches(line)):
                mask |= 1 << number
        return mask


class Masks(dict[Any, int]):
    """Masks by what the filters ask of a line; what was not seen before is classified once.

    Lines with the same mask share it, and what is remembered has a limit.
    """

    def __init__(self) -> None:
        super().__init__()
        self._filters: dict[Pair, int] = {(None, None): ALL}
        self._index: Index | None = None
        self._asked: list[str] = []
        self._alike: dict[int, int] = {}

    def bit(self, pair: Pair) -> int:
        """The bit of a filter."""
        known = self._filters.get(pair)
        if known is None:
            known = self._filters[pair] = 1 << len(self._filters)
            self.forget()
            self._index = None
        return known

    @property
    def filters(self) -> list[Pair]:
        """The filters in the order of their bits."""
        return list(self._filters)

    def forget(self) -> None:
        """Forget what was seen."""
        self.clear()
        self._alike.clear()

    @property
    def asked(self) -> list[str]:
        """The attributes that some filter asks for, by name."""
        return self._asked if self._index is not None else self._read()

    def _read(self) -> list[str]:
        self._index = Index(self.filters)
        asked = {
            "tags" if name == "tag" else name
            for pair in self._filters
            for each in pair
            if each is not None
            for name, _ in each.parts
        }
        self._asked = sorted(asked)
        return self._asked

    def __missing__(self, key: Any) -> int:
        asked, index = self.asked, self._index
        assert index is not None
        values = dict(zip(asked, key if len(asked) > 1 else (key,), strict=True))
        mask = index.mask(structs.replace(_NO_LINE, **values))
        if len(self) >= _LINES_MAX or len(self._alike) * len(self._filters) >= _BITS_MAX:
            self.forget()
        self[key] = mask = self._alike.setdefault(mask, mask)
        return mask


class Classifier:
    """Gives filters their bits, and lines their masks."""

    def __init__(self) -> None:
        self.known = Masks()

    @property
    def filters(self) -> list[Pair]:
        """The filters in the order of their bits."""
        return self.known.filters

    def bit(self, where: Filter | None, but: Filter | None) -> int:
        """The bit of the lines that ``where`` means and ``but`` does not."""
        return self.known.bit((where, but))

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


def write_offered(code: Code) -> None:
    """Write which offers the member has loaded."""
    all_of = code.constant(all_loaded, "all_loaded")
    code.add(f"offered = {all_of}(turn) if account.offers else None")


def all_loaded(turn: Turn) -> list[str]:
    """The offers that the member has loaded and not used yet."""
    moment = turn.moment
    return [name for name, (loaded, _) in turn.account.offers.items() if 0 <= loaded <= moment]


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
        self._kept = False

    def name(self, what: str, bit: int) -> str:
        """The variable that holds the sum of ``amounts``, ``items``, ``measures`` or ``lines`` (how
        many there are) of a bit."""
        name = "total" if what == "amounts" and bit == ALL else f"{what[0]}{named(bit)}"
        return self._wanted.setdefault(bit, {}).setdefault(what, name)

    def known(self, what: str, bit: int) -> str:
        """The variable of a sum that is wanted already, or is one of all lines; else empty."""
        return self.name(what, ALL) if bit == ALL else self._wanted.get(bit, {}).get(what, "")

    @contextmanager
    def apart(self, code: Code) -> Iterator[Sums]:
        """Sums for what is written inside, which is seldom run: added up there, over the lines
        that were kept."""
        self.keep()
        with code.rare() as first:
            inner = _Apart(self, code)
            yield inner
            first += inner.lines()

    def keep(self) -> None:
        """The lines have to be kept with their masks where a member has offers."""
        self._kept = True

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
        if self._kept:
            write_offered(head)
            with head.block("if offered:"):
                head.add(f"kept, seen = [], {ALL}")
        walk = "line in lines" if self.given == "lines" else "line, amount in zip(lines, amounts)"
        with head.block(f"for {walk}:"):
            if self.given == "lines":
                refuse = head.constant(refuse_negative, "refuse_negative")
                head.add("amount = line.amount")
                with head.block("if amount < 0 or line.quantity < 0:"):
                    head.add(f"{refuse}(line)")
                if spend:
                    head.add(f"amount += {spend}")
            if any(bit != ALL for bit in self._wanted) or prices is not None or self._kept:
                head.add(f"mask = {self._classifier.write_mask(head)}")
            if prices is not None:
                prices(head)
            for bit, sums in self._wanted.items():
                with nullcontext() if bit == ALL else head.block(f"if {_test(bit)}:"):
                    for what, name in sums.items():
                        head.add(f"{name} += {_OF_LINE[what]}")
            if self._kept:
                with head.block("if offered:"):
                    head.add("kept.append((mask, amount, line))", "seen |= mask")

    def _write_deed(self, head: Code) -> None:
        """What is no purchase has no lines: what it comes to is meant where all lines are."""
        if self._kept:
            write_offered(head)
            head.add(f"seen = {ALL}")
        for bit, sums in self._wanted.items():
            for what, name in sums.items():
                head.add(f"{name} = {_OF_DEED[what] if bit == ALL else 0}")


class _Apart(Sums):
    """Sums that are added up only where they are wanted."""

    def __init__(self, outer: Sums, code: Code) -> None:
        super().__init__(outer._classifier, outer.given)
        self._outer, self._code = outer, code

    def name(self, what: str, bit: int) -> str:
        """The variable of a sum: the one that there is, or one of its own."""
        known = self.known(what, bit)
        if not known:
            known = self._wanted.setdefault(bit, {})[what] = self._code.fresh(f"{what[0]}_own")
        return known

    def keep(self) -> None:
        """The lines are kept already."""

    def known(self, what: str, bit: int) -> str:
        """The variable of a sum that is wanted already, here or outside."""
        return self._wanted.get(bit, {}).get(what, "") or self._outer.known(what, bit)

    def lines(self) -> list[str]:
        """The lines that add up what is wanted."""
        return [
            f"{name} = 0"
            if self.given == "deed"
            else f"{name} = sum([{_OF_LINE[what]} for mask, amount, line in kept if {_test(bit)}])"
            for bit, sums in self._wanted.items()
            for what, name in sums.items()
        ]


def shown(bit: int) -> str:
    """A bit or several as they are written in a function; wide ones as hexadecimal digits."""
    return str(bit) if bit < 1 << 64 else hex(bit)


def named(bit: int) -> str:
    """A bit or several as a part of a variable's name.

    >>> named(6), named((1 << 70) + 2)
    ('6', '_1_70')
    """
    if bit < 1 << 64:
        return str(bit)
    digits = reversed(f"{bit:b}")
    return "".join(f"_{number}" for number, digit in enumerate(digits) if digit == "1")


def _test(bit: int) -> str:
    """The expression that a line is meant by all filters of a bit."""
    return f"mask & {shown(bit)}" + (f" == {shown(bit)}" if bit & (bit - 1) else "")


_OF_LINE = {"amounts": "amount", "items": "line.quantity", "measures": "line.measure", "lines": "1"}
_OF_DEED = {"amounts": "amount", "items": "items", "measures": "items * 1000"}
