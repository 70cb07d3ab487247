"""earning: what a purchase or an activity earns.

Guarantee: the points of an event are the sum of what its rules say, each an exact ratio
that is multiplied first and divided once, with a named rounding. A modifier never
changes the plain points; it has a share of its own, so that each point has one reason.

The order is: lines -> base -> rate -> modifiers -> rounding -> caps -> lot.

The rules of an event are written into one function (``core.code``). What a shape of rule
needs is written out; rarer shapes call the helpers at the end of this file.

>>> from kantis.core.rates import Round
>>> points, share = rounded(Ratio(9, 2), Round()), rounded(Ratio(9, 1), Round())
>>> points, share - points          # 4.5 points, doubled: 4 plain and 5 for doubling
(4, 5)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from math import gcd
from typing import Any

from msgspec import structs
from msgspec.structs import replace

from kantis.core.amounts import Ratio
from kantis.core.basket import ALL, Classifier, Sums
from kantis.core.calendar import Calendar
from kantis.core.code import Code
from kantis.core.conditions import Filter, Who
from kantis.core.earner import (
    FEW,
    Earner,
    both_bits,
    capped_value,
    conditions_of,
    open_block,
    write_offers,
    write_use,
)
from kantis.core.growth import Exact, Grow, OnRate, Share, Value
from kantis.core.knobs import Reader
from kantis.core.limits import Cap, caps_of, write_caps
from kantis.core.lots import Balance
from kantis.core.rates import rounded
from kantis.core.recipes import Fact, Recipe, come_apart, write_lot
from kantis.core.rule import ByLevel, Rule

_SUMS = {"money": "amounts", "item": "items", "measure": "measures"}


class Earning:
    """All earning rules of a version, by the event that they are for."""

    def __init__(self) -> None:
        self.by_event: dict[str, list[Earner]] = {}
        self.by_name: dict[str, Earner] = {}
        self.families: dict[str, list[Earner]] = {}

    @cached_property
    def periods(self) -> list[Earner]:
        """The rules that give at the end of a period."""
        return [each for each in self.by_name.values() if each.balance and each.rule.over]

    @cached_property
    def caps(self) -> list[Cap]:
        """All caps that its rules have."""
        return [cap for each in self.by_name.values() for cap in each.caps]

    @cached_property
    def picked(self) -> list[Earner]:
        """The rules over a period whose band the total of a counter picks."""
        return [each for each in self.periods if each.rule.by_the_total_of]


def compile_earning(
    rules: Iterable[Rule],
    offers: Mapping[str, Any],
    balances: Mapping[str, Balance],
    shared: Mapping[str, Cap],
    classifier: Classifier,
    reader: Reader,
    options: Mapping[str, tuple[str, ...]] | None = None,
    splits: bool = True,
) -> Earning:
    """The rules, ready to be written; what does not fit together is a fault.

    ``options`` are those of the choices that members have.
    """
    earning = Earning()
    for rule in rules:
        if rule.give is None and not rule.on and getattr(rule, "off", None) is not None:
            continue
        section = "offers" if rule.name in offers else "earning"
        if (rule.give is None) == (not rule.on):
            message = f"{rule.name!r} needs either 'give', or 'on' with 'multiply' or 'add'."
            reader.fault_at("gives-nothing", message, section, rule.name)
            continue
        balance = balances.get(rule.give.unit) if rule.give else None
        if rule.give and balance is None:
            message = f"{rule.name!r} gives {rule.give.unit!r}, which is no balance."
            reader.fault_at(
                "unknown-balance",
                message,
                section,
                rule.name,
            )
            continue
        caps = [structs.replace(cap, splits=splits) for cap in caps_of(rule.cap, shared)]
        family = earning.families[rule.name] = []
        for each in _variants(rule, options or {}):
            bit = classifier.bit(each.where, each.except_)
            offer = rule.name if rule.name in offers else ""
            earner = Earner(each, bit, balance, caps, offer)
            earner.entry = rule.name
            earner.apart = bool(offer) and len(offers) > FEW
            earner.often = offers[offer].uses if offer else earner.often
            if balance is not None:
                earning.by_event.setdefault(rule.for_, []).append(earner)
            earning.by_name[each.name] = earner
            family.append(earner)
    _attach(earning, reader)
    return earning


def _variants(rule: Rule, options: Mapping[str, tuple[str, ...]]) -> list[Rule]:
    """A rule as often as it has to be written: once for each level, and for each option."""
    found = [rule]
    where = rule.where
    if where is not None and where.chosen is not None:
        attribute, choice = where.chosen
        found = [
            replace(
                rule,
                name=f"{rule.name} {option}",
                where=Filter(tuple(sorted([*where.parts, (attribute, (option,))]))),
                who=_also(rule.who, choices=((choice, option),)),
            )
            for option in options.get(choice, ())
        ]
    if rule.except_ is not None and rule.except_.chosen is not None:
        found = [each for one in found for each in _but_the_chosen(one, rule.except_, options)]
    for field in ("multiply", "add"):
        value = getattr(rule, field)
        if not isinstance(value, ByLevel):
            continue
        ends = [*(level for level, _ in value.values[1:]), 1 + max(99, value.values[-1][0])]
        found = [
            replace(
                each,
                **{field: ratio},
                who=_also(each.who, tiers=((value.group, tuple(range(level, end))),)),
            )
            for each in found
            for (level, ratio), end in zip(value.values, ends, strict=True)
        ]
    return found


def _but_the_chosen(
    rule: Rule, but: Filter, options: Mapping[str, tuple[str, ...]]
) -> Iterator[Rule]:
    """A rule for everything but what was chosen: for who chose nothing, and for each option."""
    attribute, choice = but.chosen or ("", "")
    known = options.get(choice, ())
    plain = replace(but, chosen=None)
    yield replace(rule, except_=plain, who=_also(rule.who, no_choices=((choice, known),)))
    for option in known:
        parts = dict(but.parts) | {attribute: (*dict(but.parts).get(attribute, ()), option)}
        yield replace(
            rule,
            name=f"{rule.name} but {option}",
            except_=replace(but, parts=tuple(sorted(parts.items())), chosen=None),
            who=_also(rule.who, choices=((choice, option),)),
        )


def _also(who: Who | None, **more: Any) -> Who:
    """A condition on the member, and one more."""
    who = who or Who()
    return replace(who, **{field: getattr(who, field) + value for field, value in more.items()})


def _attach(earning: Earning, reader: Reader) -> None:
    for name, family in earning.families.items():
        rule = family[0].rule if family else None
        if rule is None or rule.give is not None:
            continue
        if (rule.multiply is None) == (rule.add is None):
            message = f"{name!r} says either 'multiply' or 'add'."
            reader.fault_at("multiply-or-add", message, "earning", name)
        for base_name in rule.on:
            bases = earning.families.get(base_name, [])
            if not bases or bases[0].balance is None:
                message = f"{name!r} is on {base_name!r}, which is no rule that gives points."
                reader.fault_at("unknown-rule", message, "earning", name, "on")
            for base in bases:
                base.modifiers += family
                for each in family:
                    each.on.append(base)


def write(code: Code, earning: Earning, event: str, sums: Sums, days: Calendar) -> None:
    """Write what an event earns: one posting per lot, and a fact per rule that fired."""
    recipes: dict[tuple[Any, ...], Recipe] = {}
    facts: list[Fact] = []
    found = [each for each in earning.by_event.get(event, []) if each.rule.over is None]
    for earner in found:
        if not earner.apart:
            recipe = _recipe(recipes, earner, code.fresh)
            if recipe.fresh:
                code.add(f"{recipe.given} = 0")
                recipe.fresh = False
            facts += _write_rule(code, earner, recipe, sums)
    offers = [each for each in found if each.apart]
    plain = list(recipes.values())
    if offers:
        writer = _Offers(code, offers, recipes)
        begin = ["told = []", "more = {}"] if len(recipes) > len(plain) else ["told = []"]
        code.add("told = ()")
        write_offers(code, sums, _meant(offers), writer.write, *begin)
    for recipe in plain:
        code.add(f"{recipe.lot} = 0")
        with code.block(f"if {recipe.given}:"):
            write_lot(code, recipe, days)
    if facts or offers:
        code.add("fired = turn.decision.fired")
    for fact in facts:
        with code.block(f"if {fact.when}:"):
            code.add(fact.all_of if fact.all_of else f"fired.append({fact.text})")
    if offers:
        _write_told(code, recipes, days)


def _recipe(
    recipes: dict[tuple[Any, ...], Recipe], earner: Earner, number: Callable[[str], str]
) -> Recipe:
    """Where the points of a rule go."""
    rule = earner.rule
    assert earner.balance is not None
    key = (earner.balance.name, rule.available, rule.funded_by)
    if key not in recipes:
        recipes[key] = Recipe(number(""), earner.balance, rule.available, rule.funded_by)
    return recipes[key]


class _Offers:
    """Writes offers that give: their facts are told when the lots have their numbers."""

    def __init__(
        self, code: Code, offers: list[Earner], recipes: dict[tuple[Any, ...], Recipe]
    ) -> None:
        self.code, self.offers = code, offers
        self.recipes = [_recipe(recipes, each, lambda _: str(-len(recipes))) for each in offers]

    def write(self, position: int, sums: Sums) -> None:
        """Write the offer at a position."""
        recipe = self.recipes[position]
        for fact in _write_rule(self.code, self.offers[position], recipe, sums):
            with self.code.block(f"if {fact.when}:"):
                if fact.all_of:
                    self.code.add(f"told += [({recipe.number}, *each) for each in {fact.when}]")
                else:
                    self.code.add(f"told.append(({recipe.number}, {fact.parts}))")


def _write_told(code: Code, recipes: Mapping[tuple[Any, ...], Recipe], days: Calendar) -> None:
    """What only offers give comes into lots of its own; then the facts of the offers."""
    apart = {int(each.number): each for each in recipes.values() if each.apart}
    lots = ", ".join(f"{each.number}: {each.lot}" for each in recipes.values() if not each.apart)
    with code.block("if told:"):
        code.add(f"lots = {{{lots}}}")
        if apart:
            come, known = code.constant(come_apart, "come_apart"), code.constant(apart, "recipes")
            code.add(f"{come}(turn, {code.constant(days, 'calendar')}, {known}, more, lots)")
        code.add(
            "fired += [(rule, unit, base, points, lots.get(number, 0), plain)"
            " for number, rule, unit, base, points, plain in told]"
        )


def _meant(offers: list[Earner], base: Earner | None = None) -> list[tuple[str, int]]:
    """Offers with the bit of the lines without which each does nothing."""
    found = []
    for each in offers:
        needs = base is None or base.per in _SUMS
        found.append((each.offer, each.bit if needs else ALL))
    return found


def _write_rule(code: Code, earner: Earner, recipe: Recipe, sums: Sums) -> list[Fact]:
    """One rule with its modifiers, and their facts."""
    assert earner.balance is not None
    number = code.fresh("")
    points = f"points{number}"
    plain = f"plain{number}" if earner.caps or earner.give.bands else points
    base = _base(earner, sums)
    step = earner.rule.round.spend_step
    names = dict.fromkeys((points, plain))
    code.add(f"{' = '.join(names)} = 0")
    conditions = conditions_of(code, earner, sums)
    if earner.per in _SUMS:
        conditions.insert(0, (f"{base} > 0", '"no line that counts"'))
    elif earner.bit != ALL:
        conditions.append((sums.name("lines", earner.bit), '"no line that counts"'))
    shares = [Share.of(code, each) for each in earner.modifiers if not each.apart]
    for each in shares:
        each.begin(code)
    told = code.fresh("told") if len(shares) < len(earner.modifiers) else ""
    if told:
        code.add(f"{told} = ()")
    with code.block(open_block(code, earner.name, conditions)):
        if step > 1:
            code.add(f"base{number} = {base} - {base} % {step}")
            base = f"base{number}"
        value = _write_value(code, earner, base, points, plain)
        code.add(recipe.add(points))
        if earner.offer:
            write_use(code, earner.offer, earner.often, points)
        if earner.modifiers:
            writer = _Modifiers(code, earner, base, plain, recipe, sums, value)
            for each in shares:
                writer.write(each, sums)
            if told:
                writer.write_offers(told)
    lot, unit = recipe.lot, earner.balance.name
    facts = [Fact.of(earner, unit, base, points, lot, plain)]
    facts += [each.fact(unit, lot) for each in shares]
    if told:
        all_of = (
            f"fired += [(rule, unit, base, points, {lot}, plain)"
            f" for rule, unit, base, points, plain in {told}]"
        )
        facts.append(Fact(told, all_of=all_of))
    return facts


def _base(earner: Earner, sums: Sums) -> str:
    return sums.name(_SUMS[earner.per], earner.bit) if earner.per in _SUMS else "1"


def _write_value(code: Code, earner: Earner, base: str, points: str, plain: str) -> Value | None:
    """The points of a rule before its modifiers: ``plain`` without caps, ``points`` with them.

    Where the value is no plain rate, it is left in the variable ``value``.
    """
    give, how = earner.give, earner.rule.round
    on_points = all(cap.counts == "points" for cap in earner.caps)
    steps = [step for _, step in give.by_level] if give.group else give.steps
    if give.bands or not on_points or len({step.per for step in steps}) != 1:
        level = code.once(f"turn.level({give.group!r})", "level") if give.group else "0"
        capped = code.constant(capped_value, "capped_value")
        rule = code.constant(earner, "rule")
        code.add(f"value, {plain}, {points} = {capped}({rule}, turn, {base}, {level})")
        return None
    rate, den = _rate(code, earner)
    product = rate if base == "1" else base if rate == "1" else f"{base} * {rate}"
    if product.isdigit():
        worth = str(rounded(Ratio(int(product), den), how))
    elif how.plain:
        worth = f"{product} // {den}" if den > 1 else product
    else:
        round_, ratio = code.constant(rounded, "rounded"), code.constant(Ratio, "Ratio")
        worth = f"{round_}({ratio}({product}, {den}), {code.constant(how, 'how')})"
    code.add(f"{' = '.join(dict.fromkeys((points, plain)))} = {worth}")
    write_caps(code, earner.caps, points, base, earner.rule.available.group)
    return Value(rate, den)


def _rate(code: Code, earner: Earner) -> tuple[str, int]:
    """The rate as an expression and its denominator; by level as a table of numerators."""
    give = earner.give
    if not give.group:
        num, den = give.steps[0].num, give.steps[0].den
        common = gcd(num, den) or 1
        return str(num // common), den // common
    highest = max(at for at, _ in give.by_level)
    den = 1
    for _, step in give.by_level:
        den = den * step.den // gcd(den, step.den)
    table = []
    for now in range(highest + 1):
        held = [step for at, step in give.by_level if at <= now]
        table.append(held[-1].num * (den // held[-1].den) if held else 0)
    common = gcd(den, *table)
    rates = tuple(num // common for num in table)
    level = code.once(f"turn.level({give.group!r})", "level")
    at = f"{level} if {level} < {highest} else {highest}"
    return code.once(f"{code.constant(rates, 'rates')}[{at}]", "rate"), den // common


class _Modifiers:
    """Writes the shares of modifiers: what the points become with each, less those before."""

    def __init__(
        self,
        code: Code,
        earner: Earner,
        base: str,
        plain: str,
        recipe: Recipe,
        sums: Sums,
        value: Value | None,
    ) -> None:
        self.code, self.earner, self.base = code, earner, base
        self.recipe, self.sums = recipe, sums
        modifiers = earner.modifiers
        adds = all(each.rule.stack == "adds" for each in modifiers)
        self.grow: Grow = (
            OnRate(code, base, value, modifiers) if value and adds else Exact(code, base, value)
        )
        code.add(f"before = {plain}")
        #: of modifiers that exclude each other: (variable of the best that acts, own rank)
        self.ranks: dict[int, tuple[str, int]] = {}
        for word in dict.fromkeys(each.rule.only_best_of for each in modifiers):
            rivals = [each for each in modifiers if each.rule.only_best_of == word]
            if word and len(rivals) > 1:
                self._write_best(rivals)

    def _write_best(self, rivals: list[Earner]) -> None:
        """Which of several modifiers that exclude each other counts: the one that acts and gives
        the most, of equal ones the first. It is known before any of them is used up."""
        code = self.code
        best = code.fresh("best")
        code.add(f"{best} = 0")
        order = sorted(rivals, key=lambda each: Fraction(-each.more.num, each.more.den))
        ranks = {id(each): len(order) - place for place, each in enumerate(order)}
        self.ranks |= {id(each): (best, ranks[id(each)]) for each in rivals}
        plain = [each for each in order if not each.apart]
        offers = [each for each in rivals if each.apart]

        def write(each: Earner, sums: Sums) -> None:
            spend = sums.name("amounts", both_bits(self.earner, each))
            tests = [f"{best} < {ranks[id(each)]}", f"{spend} > 0"]
            tests += [test for test, _ in conditions_of(code, each, sums, self.earner)]
            with code.block(f"if {' and '.join(tests)}:"):
                code.add(f"{best} = {ranks[id(each)]}")

        for each in plain:
            write(each, self.sums)
        if offers:
            meant = [(each.offer, each.bit) for each in offers]
            write_offers(code, self.sums, meant, lambda position, own: write(offers[position], own))

    def write_offers(self, told: str) -> None:
        """Write the offers among them; their facts are told without the lot."""
        offers = [each for each in self.earner.modifiers if each.apart]
        assert self.earner.balance is not None
        unit = self.earner.balance.name

        def write(position: int, sums: Sums) -> None:
            each = Share.of(self.code, offers[position])
            each.begin(self.code)
            self.write(each, sums)
            fact = each.fact(unit, "")
            with self.code.block(f"if {fact.when}:"):
                self.code.add(f"{told}.append(({fact.parts}))")

        begin = f"{told} = []"
        write_offers(self.code, self.sums, _meant(offers, self.earner), write, begin)

    def write(self, each: Share, sums: Sums) -> None:
        """Write one of them."""
        code, earner, modifier = self.code, self.earner, each.modifier
        code.add(f"{each.part} = {_part(earner, modifier, self.base, sums)}")
        conditions = [(f"{each.part} > 0", '"no line that counts"')]
        conditions += conditions_of(code, modifier, sums, earner)
        if id(modifier) in self.ranks:
            best, rank = self.ranks[id(modifier)]
            conditions.append((f"{best} <= {rank}", '"a better one counts"'))
        with code.block(open_block(code, modifier.name, conditions)):
            num, den = self.grow.write(each)
            if earner.rule.round.plain:
                code.add(f"after = {num} // {den}")
            else:
                ratio, round_ = code.constant(Ratio, "Ratio"), code.constant(rounded, "rounded")
                how = code.constant(earner.rule.round, "how")
                code.add(f"after = {round_}({ratio}({num}, {den}), {how})")
            code.add(f"{each.full} = {each.share} = after - before", "before = after")
            waits = earner.rule.available.group
            write_caps(code, modifier.caps, each.share, each.part, waits)
            code.add(self.recipe.add(each.share))
            if modifier.offer:
                write_use(code, modifier.offer, modifier.often, each.share)


def _part(earner: Earner, modifier: Earner, base: str, sums: Sums) -> str:
    """The base of the rule that the modifier means too."""
    if earner.per not in _SUMS:
        return base
    both = both_bits(earner, modifier)
    if both == (earner.bit & ~ALL or ALL):
        return base
    name, step = sums.name(_SUMS[earner.per], both), earner.rule.round.spend_step
    return f"{name} - {name} % {step}" if step > 1 else name
