"""Growth: how the exact value of a rule grows with its modifiers, written out."""

from __future__ import annotations

from math import gcd, lcm

from msgspec import Struct

from kantis.core.amounts import Ratio
from kantis.core.code import Code
from kantis.core.earner import Earner
from kantis.core.recipes import Fact


class Value(Struct):
    """A rule's exact value where it is ``base * rate / den``: the rate as an expression."""

    rate: str
    den: int


class Share(Struct):
    """A modifier and the variables of its share: with its caps, without them, and its base."""

    modifier: Earner
    share: str
    full: str
    part: str

    @staticmethod
    def of(code: Code, modifier: Earner) -> Share:
        """With new variables."""
        return Share(modifier, code.fresh("share"), code.fresh("full"), code.fresh("part"))

    def begin(self, code: Code) -> None:
        """The modifier has done nothing yet."""
        code.add(f"{self.share} = {self.full} = {self.part} = 0")

    def fact(self, unit: str, lot: str) -> Fact:
        """The fact that it fired."""
        return Fact.of(self.modifier, unit, self.part, self.share, lot, self.full)


class OnRate:
    """Modifiers that all add to a plain rate: one denominator, known beforehand, holds them all."""

    def __init__(self, code: Code, base: str, value: Value, modifiers: list[Earner]) -> None:
        self.code, self.rate = code, value.rate
        self.times = lcm(*(least(each.more).den for each in modifiers))
        self.den = value.den * self.times
        code.add(f"run = {base} * {value.rate} * {self.times}")

    def write(self, each: Share) -> tuple[str, int]:
        """The exact value with one more modifier, as numerator and denominator."""
        more = least(each.modifier.more)
        self.code.add(f"run += {each.part} * {self.rate} * {more.num * (self.times // more.den)}")
        return "run", self.den


def least(value: Ratio) -> Ratio:
    """The same in least terms."""
    common = gcd(value.num, value.den) or 1
    return Ratio(value.num // common, value.den // common)


class Exact:
    """Modifiers of any kind on any value."""

    def __init__(self, code: Code, base: str, value: Value | None) -> None:
        self.code, self.base = code, base
        if value is None:
            code.add("num, den = value.num, value.den")
        else:
            code.add(f"num, den = {base} * {value.rate}, {value.den}")
        code.add("run_num, run_den = num, den")

    def write(self, each: Share) -> tuple[str, str]:
        """The exact value with one more modifier, as numerator and denominator.

        What adds takes the part's share of the result, so that it counts once towards a band.
        """
        more, part, base = each.modifier.more, each.part, self.base
        whole = "run_num, run_den" if each.modifier.rule.stack == "compounds" else "num, den"
        self.code.add(
            f"of_num, of_den = ({whole}) if {part} == {base} else (num * {part}, den * {base})",
            f"more_num, more_den = of_num * {more.num}, of_den * {more.den}",
            "run_num = run_num * more_den + more_num * run_den",
            "run_den = run_den * more_den",
        )
        return "run_num", "run_den"


Grow = OnRate | Exact
