"""Rates: how much is given for how much, exactly, and how it is rounded.

>>> reader = Reader(money("CAD"))
>>> reader.units = {"points": Unit("points"), "point": Unit("points")}
>>> rate = GIVE.read(node("15 points per 1 CAD"), reader)
>>> rate.steps
(Step(num=15, den=100, over=0, per='money'),)
>>> ROUND.read(node("spend down to 1 CAD, points down"), reader)
Round(spend_step=100, points='down', points_step=1, least=0, per='money')
"""

from __future__ import annotations

import re
from math import gcd
from typing import Any

from msgspec import Struct

from kantis.core.amounts import Ratio, Unit, divide, money, ratio
from kantis.core.knobs import Kind, Node, Reader, Wrong, node, suggest
from kantis.core.phrases import NUMBER, percent, quantity, some, text_of

__all__ = ["GIVE", "ROUND", "Reader", "Unit", "money", "node"]


class Step(Struct, frozen=True):
    """``num / den`` of the balance's smallest part for each unit of the base above ``over``."""

    num: int
    den: int
    over: int
    per: str


class Give(Struct, frozen=True):
    """What a rule gives.

    One step is a plain rate. Several are bands: ``whole`` takes the band that the amount
    reaches for all of it, ``part`` gives each part its own; ``base`` is what their limits are
    measured on. ``by_level`` has a rate per level of the tier group ``group``. ``inclusive``
    bands begin at their limit, others behind it. ``limits`` is what band limits are measured
    on where the total of another rule picks the band. ``by_partner``: each partner says its own.
    """

    unit: str
    steps: tuple[Step, ...]
    bands: str = ""
    inclusive: bool = True
    group: str = ""
    by_level: tuple[tuple[int, Step], ...] = ()
    base: str = ""
    limits: str = ""
    by_partner: bool = False

    @property
    def per(self) -> str:
        """What it is measured on."""
        if self.base:
            return self.base
        steps = [step for _, step in self.by_level] or self.steps
        return steps[0].per if steps else ""


class Round(Struct, frozen=True):
    """Where and how a rule rounds.

    The base, which is measured as ``per`` says, goes down to whole ``spend_step``; the result
    is rounded as ``points`` says to whole ``points_step``, and is at least ``least`` where
    there was a base at all.
    """

    spend_step: int = 1
    points: str = "down"
    points_step: int = 1
    least: int = 0
    per: str = ""

    @property
    def plain(self) -> bool:
        """Whether the result just goes down to the smallest part of the balance."""
        return self.points == "down" and self.points_step == 1 and not self.least


_RATE = re.compile(rf"({NUMBER} .+?) per (?:({NUMBER}) )?(.+)")


_SHARE = re.compile(rf"({NUMBER} ?%)(?: in (.+))?")


def _percent_step(text: str, target: str, node: Node, reader: Reader) -> tuple[str, Step]:
    part = percent(text, node)
    units = {unit.name: unit for unit in reader.units.values()}
    if target and target not in units:
        message = f"There is no balance {target!r}. {suggest(target, units)}"
        raise Wrong("unknown-balance", message, node, len(text) + 4)
    unit = units.get(target) or (next(iter(units.values())) if len(units) == 1 else None)
    if unit is None or reader.money is None:
        example = f"{text} in {next(iter(units), 'cash')}"
        message = f"{text!r} does not say in which balance. Write for example {example}."
        raise Wrong("percentage-of-what", message, node)
    up, down = max(0, unit.scale - reader.money.scale), max(0, reader.money.scale - unit.scale)
    return unit.name, Step(part.num * 10**up, part.den * 10**down, 0, "money")


def _step(text: str, node: Node, reader: Reader) -> tuple[str, Step]:
    if share := _SHARE.fullmatch(text):
        return _percent_step(share[1], share[2] or "", node, reader)
    match = _RATE.fullmatch(text)
    if not match:
        given = quantity(text, node, reader)
        return given.unit, Step(given.amount, 1, 0, "event")
    number, _, word = match[1].partition(" ")
    unit = reader.unit(word)
    if unit is None:
        quantity(match[1], node, reader)  # a word that nobody knows is told there
        message = f"{word!r} are not collected. {suggest(word, reader.units)}"
        raise Wrong("unknown-balance", message, node, match.start(1) + len(number) + 1)
    each = ratio(number)
    if each.den > 10_000:
        message = f"{number} has more than four decimals; write the rate per a larger amount."
        raise Wrong("too-many-decimals", message, node)
    num, den = each.num * 10**unit.scale, each.den
    common = gcd(num, den)
    num, den = num // common, den // common
    base = match[3]
    if base in ("item", "items"):
        count = match[2] or "1"
        if not count.isdecimal() or not int(count):
            message = f"{count} {base} cannot be counted. Write a whole number of items."
            raise Wrong("whole-number-expected", message, node, match.start(2))
        return unit.name, Step(num, den * int(count), 0, "item")
    if not match[2] and base in ("purchase", "visit", "activity"):
        return unit.name, Step(num, den, 0, "event")
    if match[2] or not re.search(r"\d", base):
        per = quantity(f"{match[2] or 1} {base}", node, reader, match.start(2) if match[2] else 0)
    else:  # a number that is written in another way
        per = quantity(base, node, reader, match.start(3))
    if not per.amount:
        raise Wrong("per-nothing", f"{text!r} divides by nothing.", node)
    if reader.money and per.unit == reader.money.name:
        return unit.name, Step(num, den * per.amount, 0, "money")
    if per.unit in reader.measures:
        return unit.name, Step(num, den * per.amount, 0, "measure")
    message = f"Nothing is earned per {base!r}; write money, item or a measure."
    raise Wrong("unknown-base", message, node, match.start(3))


_BAND = re.compile(r"(from|over) (.+)")


def _bands(node: Node, how: str, reader: Reader) -> Give:
    if not isinstance(node.value, dict) or not node.value:
        raise Wrong("bands-expected", "Write bands as {from 0 EUR: …, from 50 EUR: …}.", node)
    steps: list[Step] = []
    units, words, bases, limits = set(), set(), set(), set()
    for key, child in node.value.items():
        match = _BAND.fullmatch(key)
        if not match:
            raise Wrong("band-expected", f"{key!r} is no band. Write from … or over ….", child)
        words.add(match[1])
        limit = quantity(match[2], child, reader)
        unit, step = _step(text_of(child), child, reader)
        if steps and limit.amount <= steps[-1].over:
            raise Wrong("bands-overlap", f"The band {key!r} does not follow the one before.", child)
        steps.append(Step(step.num, step.den, limit.amount, step.per))
        units.add(unit)
        limits.add(_base_of(limit.unit, reader))
        bases |= {step.per} - {"event"}
    bases = bases or limits
    if len(units) != 1 or len(words) != 1 or len(bases) != 1 or len(limits) != 1:
        message = (
            "The bands of one rule give one balance, all begin with the same word, and their"
            " limits are in what their rates are measured on."
        )
        raise Wrong("bands-differ", message, node)
    bands, base, limit_of = ("whole" if how == "whole amount" else "part"), *bases, *limits
    return Give(
        units.pop(),
        tuple(steps),
        bands,
        words == {"from"},
        base=base,
        limits="" if base == limit_of else limit_of,
    )


def _base_of(unit: str, reader: Reader) -> str:
    if reader.money and unit == reader.money.name:
        return "money"
    return "item" if unit == "items" else "measure"


def _give(node: Node, reader: Reader) -> Give:
    if isinstance(node.value, str):
        if node.value == PARTNERS_RATE:
            return Give("", (), by_partner=True)
        unit, step = _step(node.value, node, reader)
        return Give(unit, (step,))
    if isinstance(node.value, dict):
        if len(node.value) == 1 and (key := next(iter(node.value))) in _BAND_KEYS:
            return _bands(node.value[key], key, reader)
        return _by_level(node, reader)
    raise Wrong("rate-expected", "Write a rate, for example 1 point per 1 EUR.", node)


_BAND_KEYS = ("whole amount", "each part")
#: what a rule gives that leaves the rate to each partner
PARTNERS_RATE = "the partner's rate"


def _by_level(node: Node, reader: Reader) -> Give:
    for group in reader.names.get("tiers", []):
        names = reader.names[f"tiers {group}"]
        if not set(node.value) & set(names):
            continue
        rates: list[tuple[int, Step]] = []
        unit = ""
        for key, child in node.value.items():
            if key not in names:
                message = f"{group} has no level {key!r}. {suggest(key, names)}"
                raise Wrong("unknown-level", message, child)
            unit, step = _step(text_of(child), child, reader)
            rates.append((names.index(key), step))
        return Give(unit, (), group=group, by_level=tuple(sorted(rates, key=lambda r: r[0])))
    message = "Give one rate, a rate per tier, or bands under 'whole amount' or 'each part'."
    raise Wrong("rate-expected", message, node)


GIVE = Kind(
    "rate",
    _give,
    "15 points per 1 CAD | 1 stamp per item | 2 % | 2 % in cash | 50 points | a rate per tier"
    " | bands | the partner's rate",
    ("15 points per 1 CAD", "2 %", "{gold: 2 points per 1 EUR}"),
)

_POINTS = re.compile(r"(down|up|half up|half even)(?: to (.+))?")


def _round(node: Node, reader: Reader) -> Round:
    values: dict[str, Any] = {}
    text = text_of(node)
    at = 0
    for part in text.split(", "):
        what, _, how = part.partition(" ")
        if (what in ("spend", "items") or what in reader.measures) and how.startswith("down to "):
            start = at + len(what) + 9
            step = some(how[8:], node, reader, start)
            values["spend_step"], values["per"] = step.amount, _base_of(step.unit, reader)
        elif what == "at" and how.startswith("least "):
            values["least"] = quantity(how[6:], node, reader, at + 9).amount
        elif (match := _POINTS.fullmatch(how)) and _is_balance(what, reader):
            values["points"] = match[1]
            if match[2]:
                values["points_step"] = some(match[2], node, reader, at).amount
        else:
            message = (
                f"{part!r} is no rounding. Write for example"
                " 'spend down to 1 EUR, points down' or 'points half up, at least 1 point'."
            )
            raise Wrong("rounding-expected", message, node, at)
        at += len(part) + 2
    return Round(**values)


def _is_balance(word: str, reader: Reader) -> bool:
    return word == "points" or reader.unit(word) is not None


ROUND = Kind(
    "rounding",
    _round,
    "spend down to 1 EUR, points down | cash half up to 0.50 cash | points down, at least 1 point",
    ("spend down to 1 EUR, points down",),
)


def exact(give: Give, base: int, level: int) -> Ratio:
    """What a base earns, as an exact ratio of the balance's smallest part.

    >>> two = Give("cash", (Step(2, 100, 0, "money"), Step(1, 100, 250000, "money")), "part")
    >>> exact(two, 300000, 0)
    Ratio(num=5500, den=1)
    """
    if give.group:
        found = Step(0, 1, 0, "money")
        for at, step in give.by_level:
            if at <= level:
                found = step
        return (
            Ratio(found.num, found.den)
            if found.per == "event"
            else Ratio(found.num * base, found.den)
        )
    if not give.bands:
        step = give.steps[0]
        return (
            Ratio(step.num, step.den) if step.per == "event" else Ratio(step.num * base, step.den)
        )
    reached = (
        [s for s in give.steps if base >= s.over]
        if give.inclusive
        else [s for s in give.steps if base > s.over]
    )
    if not reached:
        return Ratio(0)
    if give.bands == "whole":
        step = reached[-1]
        return (
            Ratio(step.num, step.den) if step.per == "event" else Ratio(step.num * base, step.den)
        )
    return _by_parts(reached, base)


def by_limit(give: Give, base: int, reached: int) -> Ratio:
    """What a base earns at the rate of the band that another amount reaches."""
    found = Ratio(0)
    for step in give.steps:
        if reached >= step.over if give.inclusive else reached > step.over:
            found = Ratio(step.num * base, step.den) if base > 0 else Ratio(0)
    return found


def _by_parts(reached: list[Step], base: int) -> Ratio:
    num, den = 0, 1
    for position, step in enumerate(reached):
        upper = reached[position + 1].over if position + 1 < len(reached) else base
        part = 1 if step.per == "event" else upper - step.over
        num = num * step.den + step.num * part * den
        den *= step.den
        common = gcd(num, den)
        num, den = num // common, den // common
    return Ratio(num, den)


def rounded(value: Ratio, how: Round) -> int:
    """The whole points that an exact value comes to."""
    step = how.points_step
    points = divide(value.num, value.den * step, how.points) * step
    return max(points, how.least) if value.num else 0


class Worth(Struct, frozen=True):
    """``money`` minor units for each ``points`` of the balance ``unit``.

    ``into`` is the balance that they become where they become no money; then the first
    number is in its smallest part.
    """

    money: int
    points: int
    unit: str
    into: str = ""


def _worth(node: Node, reader: Reader) -> Worth:
    first, _, second = text_of(node).partition(" per ")
    if not second:
        message = "Write what points are worth as 10 CAD per 10000 points."
        raise Wrong("worth-expected", message, node)
    worth = some(first, node, reader)
    points = some(second, node, reader, len(first) + 5)
    into = "" if reader.money and worth.unit == reader.money.name else worth.unit
    return Worth(worth.amount, points.amount, points.unit, into)


WORTH = Kind("worth", _worth, "10 CAD per 10000 points", ("0.50 GBP per 50 points",))
