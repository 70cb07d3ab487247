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

from collections.abc import Iterable, Mapping
from functools import cached_property
from math import gcd
from typing import Any

from msgspec import structs
from msgspec.structs import replace

from kantis.core.amounts import Ratio
from kantis.core.basket import ALL, Classifier, Sums
from kantis.core.code import Code
from kantis.core.conditions import Filter, Who
from kantis.core.earner import Earner, both_bits, capped_value, conditions_of, open_block, use_offer
from kantis.core.knobs import Reader
from kantis.core.limits import Cap, use_caps
from kantis.core.lots import Balance, issue
from kantis.core.rates import exact, rounded
from kantis.core.rule import ByLevel, Rule
from kantis.core.turn import Turn

REASON = "earning"

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
        caps = [shared[cap] if isinstance(cap, str) else cap for cap in rule.cap]
        caps = [structs.replace(cap, splits=splits) for cap in caps]
        family = earning.families[rule.name] = []
        for each in _variants(rule, options or {}):
            bit = classifier.bit(each.where, each.except_)
            offer = rule.name if rule.name in offers else ""
            earner = Earner(each, bit, balance, caps, offer)
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


def write(code: Code, earning: Earning, event: str, sums: Sums) -> None:
    """Write what an event earns: one posting per lot, and a fact per rule that fired."""
    recipes: dict[tuple[Any, ...], str] = {}
    facts: list[tuple[str, str, str]] = []
    for earner in earning.by_event.get(event, []):
        if earner.rule.over is not None:
            continue
        rule = earner.rule
        key = (rule.give and rule.give.unit, rule.available, rule.funded_by)
        recipe = recipes.get(key)
        if recipe is None:
            recipe = recipes[key] = code.fresh("given")
            code.add(f"{recipe} = 0")
        facts += _write_rule(code, earner, recipe, sums)
    for key, recipe in recipes.items():
        lot = recipe.replace("given", "lot")
        code.add(f"{lot} = 0")
        first = next(e for e in earning.by_event[event] if _key(e) == key)
        with code.block(f"if {recipe}:"):
            give = code.constant(_issuer(first), "issue")
            code.add(f"{lot} = {give}(turn, {recipe})")
    for recipe, fact, fired in facts:
        with code.block(f"if {fired}:"):
            code.add(
                f"turn.decision.fired.append({fact.replace('LOT', recipe.replace('given', 'lot'))})"
            )


def _key(earner: Earner) -> tuple[Any, ...]:
    rule = earner.rule
    return (rule.give and rule.give.unit, rule.available, rule.funded_by)


def _issuer(earner: Earner) -> Any:
    """The function that brings the points of a rule into their lot."""
    balance, available, funder = earner.balance, earner.rule.available, earner.rule.funded_by
    assert balance is not None

    def bring(turn: Turn, points: int) -> int:
        group = turn.group if available.group else ""
        opens = available.opens(turn)
        return issue(turn, balance, points, REASON, opens=opens, group=group, funder=funder)

    return bring


def _write_rule(code: Code, earner: Earner, recipe: str, sums: Sums) -> list[tuple[str, str, str]]:
    """One rule with its modifiers; (recipe, fact, when it fired) of each."""
    assert earner.balance is not None
    number = code.fresh("")
    base, points, plain = f"base{number}", f"points{number}", f"plain{number}"
    code.add(f"{points} = {plain} = 0", f"{base} = {_base(code, earner, sums)}")
    fact = f"({earner.name!r}, {earner.balance.name!r}, {base}, {points}, LOT, {plain})"
    facts = [(recipe, fact, plain)]
    conditions = conditions_of(code, earner, sums)
    if earner.per in _SUMS:
        conditions.insert(0, (f"{base} > 0", '"no line that counts"'))
    elif earner.bit != ALL:
        any_line = code.constant(_any_line, "any_line")
        test = f"{any_line}(basket.amounts, {earner.bit})"
        conditions.append((test, '"no line that counts"'))
    variables = []
    for each in earner.modifiers:
        variables.append((each, code.fresh("share"), code.fresh("full"), code.fresh("part")))
    for _, share, full, part in variables:
        code.add(f"{share} = {full} = {part} = 0")
    with code.block(open_block(code, earner.name, conditions)):
        step = earner.rule.round.spend_step
        if step > 1:
            code.add(f"{base} -= {base} % {step}")
        _write_value(code, earner, base, points, plain, bool(variables))
        code.add(f"{recipe} += {points}")
        if earner.offer:
            code.add(f"{code.constant(use_offer, 'use_offer')}(turn, {earner.offer!r}, {points})")
        if variables:
            _write_modifiers(code, earner, base, plain, recipe, variables, sums)
    for each, share, full, part in variables:
        fact = f"({each.name!r}, {earner.balance.name!r}, {part}, {share}, LOT, {full})"
        facts.append((recipe, fact, full))
    return facts


def _base(code: Code, earner: Earner, sums: Sums) -> str:
    if earner.per in _SUMS:
        return sums.name(_SUMS[earner.per], earner.bit)
    return "1"


def _any_line(amounts: dict[int, int], bit: int) -> bool:
    return any(mask & bit for mask in amounts)


def _write_value(
    code: Code, earner: Earner, base: str, points: str, plain: str, modified: bool
) -> None:
    """The points of a rule before its modifiers: ``plain`` without caps, ``points`` with them."""
    give, how = earner.give, earner.rule.round
    level = f"turn.level({give.group!r})" if give.group else "0"
    whole = how.points == "down" and how.points_step == 1 and not how.least
    if whole and not earner.caps and not give.bands and earner.per != "event":
        num, den = _rate(code, earner, level)
        if modified:
            code.add(f"num, den = {base} * {num}, {den}", f"{points} = {plain} = num // den")
        else:
            code.add(f"{points} = {plain} = {base} * {num} // {den}")
        return
    if not earner.caps:
        value = code.constant(exact, "exact")
        code.add(f"value = {value}({code.constant(give, 'give')}, {base}, {level})")
        round_ = code.constant(rounded, "rounded")
        code.add(f"{points} = {plain} = {round_}(value, {code.constant(how, 'how')})")
    else:
        capped = code.constant(capped_value, "capped_value")
        rule = code.constant(earner, "rule")
        code.add(f"value, {plain}, {points} = {capped}({rule}, turn, {base}, {level})")
    if modified:
        code.add("num, den = value.num, value.den")


def _rate(code: Code, earner: Earner, level: str) -> tuple[str, str]:
    """The rate as two expressions; by level as a table with a common denominator."""
    give = earner.give
    if not give.group:
        num, den = give.steps[0].num, give.steps[0].den
        common = gcd(num, den) or 1
        return str(num // common), str(den // common)
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
    name = code.constant(rates, "rates")
    return f"{name}[min({level}, {highest})]", str(den // common)


def _write_modifiers(
    code: Code,
    earner: Earner,
    base: str,
    plain: str,
    recipe: str,
    variables: list[tuple[Earner, str, str, str]],
    sums: Sums,
) -> None:
    """The shares of the modifiers: what the points become with each, less what they were before."""
    how = code.constant(earner.rule.round, "how")
    excluding = [each for each, *_ in variables if each.rule.only_best_of]
    code.add("run_num, run_den, before = num, den, " + plain)
    for each, share, full, part in variables:
        code.add(f"{part} = {_part(code, earner, each, base, sums)}")
        conditions = [(f"{part} > 0", '"no line that counts"')]
        conditions += conditions_of(code, each, sums, earner)
        if each in excluding:
            beaten = code.constant(_better(earner, each, excluding, sums), "beaten")
            conditions.append((f"not {beaten}(turn, basket, total)", '"a better one counts"'))
        with code.block(open_block(code, each.name, conditions)):
            whole_num, whole_den = _grown(code, each, base, part)
            num, den = each.more.num, each.more.den
            code.add(
                f"more_num, more_den = {whole_num} * {num}, {whole_den} * {den}",
                "run_num = run_num * more_den + more_num * run_den",
                "run_den = run_den * more_den",
            )
            if earner.rule.round.plain:
                code.add("after = run_num // run_den")
            else:
                ratio, round_ = code.constant(Ratio, "Ratio"), code.constant(rounded, "rounded")
                code.add(f"after = {round_}({ratio}(run_num, run_den), {how})")
            code.add(f"{full} = {share} = after - before", "before = after")
            if each.caps:
                cap = code.constant(use_caps, "use_caps")
                caps, waits = code.constant(each.caps, "caps"), earner.rule.available.group
                code.add(f"{share} = {cap}({caps}, turn, {full}, {part}, {waits})")
            code.add(f"{recipe} += {share}")
            if each.offer:
                code.add(f"{code.constant(use_offer, 'use_offer')}(turn, {each.offer!r}, {share})")


def _part(code: Code, earner: Earner, modifier: Earner, base: str, sums: Sums) -> str:
    """The base of the rule that the modifier means too."""
    if earner.per not in _SUMS:
        return base
    both = both_bits(earner, modifier)
    if both == (earner.bit & ~ALL or ALL):
        return base
    name, step = sums.name(_SUMS[earner.per], both), earner.rule.round.spend_step
    return f"{name} - {name} % {step}" if step > 1 else name


def _grown(code: Code, modifier: Earner, base: str, part: str) -> tuple[str, str]:
    """The exact value that a modifier makes more of, as written numerator and denominator."""
    if modifier.rule.stack == "compounds":
        code.add(
            f"of_num, of_den = (run_num, run_den) if {part} == {base}"
            f" else (num * {part}, den * {base})"
        )
    else:  # the part's share of the result, so that it counts once towards a band
        code.add(
            f"of_num, of_den = (num, den) if {part} == {base} else (num * {part}, den * {base})"
        )
    return "of_num", "of_den"


def _better(base: Earner, modifier: Earner, excluding: list[Earner], outer: Sums) -> Any:
    """Whether another modifier of the same word acts and gives more; of equal ones the first."""
    rivals = []
    mine = modifier.more
    for position, each in enumerate(excluding):
        if each is modifier or each.rule.only_best_of != modifier.rule.only_best_of:
            continue
        theirs = each.more
        ranks = theirs.num * mine.den - mine.num * theirs.den
        if ranks > 0 or (ranks == 0 and position < excluding.index(modifier)):
            code = Code("acts", "turn", "basket", "total")
            sums = outer.another()
            spend = sums.name("amounts", both_bits(base, each))
            tests = [(f"{spend} > 0", ""), *conditions_of(code, each, sums, base)]
            code.add("day = turn.day")
            sums.write(code)
            code.add(f"return bool({' and '.join(test for test, _ in tests)})")
            rivals.append(code.function())
    return lambda turn, basket, total: any(acts(turn, basket, total) for acts in rivals)
