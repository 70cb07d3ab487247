"""Check, of promises: a level, a reward or a cap that nobody could ever come to.

What is refused here can be read and compiled, but never comes true: a level above what its
counter can hold, a reward in points that nothing gives, points that are dead before the
cycle that turns them. What may still come true, however slowly, is the merchant's to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kantis.core import calendar, dated
from kantis.core.amounts import Unit
from kantis.core.knobs import Fault, Node, Reader, suggest
from kantis.core.limits import Cap, caps_of
from kantis.core.phrases import Window
from kantis.core.rates import Step
from kantis.core.rule import Rule
from kantis.features import counters, cycles
from kantis.features.balances import BalanceSection
from kantis.features.balances import unit_of as unit_of_balance
from kantis.features.rewards import RewardSection, unit_of

Read = dict[str, dict[str, Any]]

#: More than any cap.
NO_LIMIT = 1 << 60
#: How many of its windows begin in a year, at most.
_A_YEAR = {"day": 366, "week": 54, "month": 12, "quarter": 4, "half-year": 2, "year": 1}


def check_reach(read: Read, reader: Reader) -> None:
    """Write down every promise that cannot come true."""
    shared = {name: each.at_most for name, each in read["caps"].items()}
    _counted(read, reader)
    _units(read, reader)
    for section in ("earning", "offers"):
        for name, rule in read[section].items():
            _smallest(rule, section, name, shared, reader)
    _levels(read, shared, reader)
    for name, reward in read["rewards"].items():
        _reward(reward, name, read, shared, reader)
    _dead_before(read, reader)


def _counted(read: Read, reader: Reader) -> None:
    """A counter of points counts those of something that there is."""
    known = [*read["balances"], *read["earning"], *read["offers"], *read["referrals"]]
    known += read["challenges"]
    for name, counter in read["counters"].items():
        for each in counter.of:
            if each not in known and each.rpartition(" ")[0] not in known:
                message = f"No balance and no rule is called {each!r}. {suggest(each, known)}"
                reader.fault_at("unknown-rule", message, "counters", name, "of")


def _units(read: Read, reader: Reader) -> None:
    """What a level or a milestone takes is written in what its counter counts."""
    assert reader.tree is not None
    for section, key in (("tiers", "levels"), ("rewards", "reached")):
        entries = reader.tree.value.get(section)
        for name in read[section]:
            entry = entries.value.get(name) if entries is not None else None
            node = entry.value.get(key) if entry is not None else None
            by = getattr(read[section][name], "by", "")
            for counter, amount in _amounts(node, by, levels=section == "tiers"):
                if counter in read["counters"]:
                    _unit(read["counters"][counter], amount, reader, (section, name, key))


def _amounts(node: Node | None, by: str, *, levels: bool) -> Iterator[tuple[str, Node]]:
    """(counter, amount) of every threshold; ``by`` is the counter of those that name none."""
    if node is None:
        return
    if isinstance(node.value, list):
        for each in node.value:
            yield from _amounts(each, by, levels=False)
    elif isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _amounts(child, by if levels or key == "any" else key, levels=False)
    elif node.value not in ("from the start", "by hand"):
        yield by, node


def _unit(
    counter: counters.CounterSection, amount: Node, reader: Reader, path: tuple[str, ...]
) -> None:
    assert reader.money is not None
    unit = counters.unit_of(counter, reader.money, reader.units)
    text, (number, _, word) = amount.value, amount.value.partition(" ")
    measured = counter.counts in ("measure", "largest measure")
    if not word and (unit.scale or measured):
        named = next(iter(sorted(reader.measures)), "litres") if measured else unit.name
        reader.path = list(path)
        message = f"{text!r} of what? Write {number} {named}."
        reader.fault("unit-missing", message, amount)
    elif word and (
        (word == reader.money.name) != (counter.counts == "spend")
        or (_measure(word, reader) and not measured and counter.counts != "quantity")
    ):
        wants = f"{number} {unit.name}" if counter.counts != "purchases" else number
        reader.path = list(path)
        message = f"The counter {counter.name!r} counts {counter.counts}. Write {wants}."
        reader.fault("unit-does-not-fit", message, amount)
    reader.path = []


def _measure(word: str, reader: Reader) -> bool:
    return word.rstrip("s") in {each.rstrip("s") for each in reader.measures}


def _steps(rule: Rule) -> tuple[Step, ...]:
    if rule.give is None:
        return ()
    return tuple(step for _, step in rule.give.by_level) or rule.give.steps


def _smallest(rule: Rule, section: str, name: str, shared: dict[str, Cap], reader: Reader) -> None:
    """A cap lets at least the smallest part through that the rule gives."""
    steps = [step for step in _steps(rule) if step.num]
    if not steps or rule.on or rule.give is None or rule.give.bands:
        return
    per = steps[0].per
    if per == "event":
        return
    least = min(-(-rule.round.spend_step * each.num // each.den) for each in steps)
    base = min(-(-each.den // each.num) for each in steps)  # what brings the smallest part
    base = max(base, rule.round.spend_step)
    for cap in caps_of(rule.cap, shared):
        spend = {"spend": "money", "items": "item"}.get(cap.counts, "")
        if (cap.counts == "points" and max(least, rule.round.points_step) > cap.limit) or (
            spend == per and base > cap.limit and rule.beyond is None
        ):
            message = (
                "The cap is below the smallest that the rule gives, so nobody gets anything."
                " Raise the cap, or give in smaller steps."
            )
            reader.fault_at("cap-below-earn", message, section, name, "cap")


def _most(rule: Rule, shared: dict[str, Cap], window: Window) -> int:
    """The most points that a rule gives in one window of a kind; infinite where nothing says."""
    most = NO_LIMIT
    steps = _steps(rule)
    for cap in caps_of(rule.cap, shared):
        if cap.window.kind == "ever":
            times = 1
        elif cap.window.kind not in _A_YEAR or window.kind not in _A_YEAR or window.count != 1:
            continue
        else:  # windows of the one that one of the other can touch
            times = max(1, -(-_A_YEAR[cap.window.kind] // _A_YEAR[window.kind]))
            times += cap.window.kind == "week" and window.kind != "week"
        if cap.counts == "points":
            most = min(most, cap.limit * times)
        elif cap.counts == "times" and steps and all(each.per == "event" for each in steps):
            give = max(-(-each.num // each.den) for each in steps)
            most = min(most, cap.limit * times * give)
    return most


def _rules(read: Read, unit: str) -> list[Rule]:
    """The rules that give points of a balance."""
    rules = [*read["earning"].values(), *read["offers"].values()]
    return [each for each in rules if each.give is not None and _gives(each, unit)]


def _gives(rule: Rule, unit: str) -> bool:
    return rule.give is not None and (rule.give.unit == unit or rule.give.by_partner)


def _grows(read: Read, rules: list[Rule]) -> bool:
    """Whether modifiers make more of rules than their own caps say."""
    names = {each.name for each in rules}
    every = [*read["earning"].values(), *read["offers"].values()]
    return any(names & set(each.on) for each in every)


def _levels(read: Read, shared: dict[str, Cap], reader: Reader) -> None:
    """Every level by a counter of points can be reached under the caps of their rules."""
    for name, tier in read["tiers"].items():
        for level, threshold in tier.levels or ():
            if len(threshold.any_of) != 1:
                continue
            for counter_name, amount in threshold.any_of[0]:
                counter = read["counters"].get(counter_name or tier.by)
                if counter is None or counter.counts != "points":
                    continue
                most = _counts_at_most(counter, read, shared)
                if amount > most:
                    message = (
                        f"Nobody reaches {level!r}: its counter comes to {most} at most,"
                        " because of the caps. Raise a cap, or ask for less."
                    )
                    reader.fault_at("unreachable-level", message, "tiers", name, "levels", level)


def _counts_at_most(counter: counters.CounterSection, read: Read, shared: dict[str, Cap]) -> int:
    rules = [*read["earning"].values(), *read["offers"].values()]
    units = [each for each in counter.of if each in read["balances"]]
    rules = [
        each
        for each in rules
        if not counter.of or each.name in counter.of or any(_gives(each, unit) for unit in units)
    ]
    others = [*read["referrals"], *read["challenges"]]
    if not rules or others or _grows(read, rules) or any(each.on for each in rules):
        return NO_LIMIT
    caps = {cap for each in rules for cap in each.cap if isinstance(cap, str)}
    if caps:
        return NO_LIMIT  # shared with other rules: their sum says nothing
    return sum(_most(each, shared, counter.window) for each in rules)


def _reward(
    reward: RewardSection, name: str, read: Read, shared: dict[str, Cap], reader: Reader
) -> None:
    if reward.least and reward.most and reward.least.amount > reward.most.amount:
        message = "'least' is above 'most', so no number of points fits. Turn them round."
        reader.fault_at("nobody-can-afford", message, "rewards", name, "least")
    unit = unit_of(reward)
    if unit not in read["balances"] or (reward.cost is not None and not reward.cost.amount):
        return
    least = reward.cost.amount if reward.cost else reward.rungs[0][0] if reward.rungs else 0
    least = max(least, reward.least.amount if reward.least else 0)
    if reward.rungs and reward.most is not None and least > reward.most.amount:
        message = "No rung is as low as 'most'. Raise it, or take it out."
        reader.fault_at("nobody-can-afford", message, "rewards", name, "most")
    most = _there_at_once(read["balances"][unit], read, shared)
    if least > most:
        shown = _shown(reader, unit, most)
        message = (
            f"Nobody can afford it: under the caps a member has {shown} at most at a time."
            " Raise a cap, let the points live longer, or ask for less."
        )
        key = "cost" if reward.cost else "rungs" if reward.rungs else "least"
        reader.fault_at("nobody-can-afford", message, "rewards", name, key)


def _shown(reader: Reader, unit: str, amount: int) -> str:
    return next((each for each in reader.units.values() if each.name == unit), Unit(unit)).show(
        amount
    )


#: The sections whose texts can give points.
_GIVING = ("earning", "offers", "referrals", "challenges", "plans", "partners", "forfeiture")


def unearned(trees: list[Node]) -> list[Fault]:
    """A fault for each reward of the newest file in points that no file gives on any day.

    Files without a rule of earning keep points that come from elsewhere.
    """
    reader, tree = Reader(), trees[-1]
    reader.tree = tree
    texts = [text for each in trees for section in _GIVING for text in _under(each, section)]
    for cycle in (cycle for each in trees for cycle in _entries(each, "cycles")):
        texts += _texts(cycle.value.get("worth")) if isinstance(cycle.value, dict) else []
    if not any(_named(each, "earning") for each in trees):
        return []
    given = {word for text in texts for word in text.split()}
    balances = tree.value.get("balances")
    names = list(balances.value) if balances is not None else []
    shares = any(("%" in text and " in " not in text) or "partner's" in text for text in texts)
    for name in names:
        words = {name, unit_of_balance(name, balances.value[name]).one}
        if words & given or (shares and len(names) == 1) or "the partner's rate" in texts:
            continue
        for reward, entry in _named(tree, "rewards"):
            prices = [text for key in ("cost", "rate", "rungs") for text in _prices(entry, key)]
            if any(words & set(text.split()) for text in prices):
                message = (
                    f"Nobody can afford it: nothing gives {name}. Let a rule under 'earning' give"
                    " them, or ask for another balance."
                )
                reader.fault_at("nobody-can-afford", message, "rewards", reward)
    return reader.faults


def _under(tree: Node, section: str) -> list[str]:
    """All texts and all keys under a section."""
    node = tree.value.get(section)
    return [*_texts(node), *_keys(node)] if node is not None else []


def _keys(node: Node) -> list[str]:
    if isinstance(node.value, dict):
        return [*node.value, *(key for child in node.value.values() for key in _keys(child))]
    children = node.value if isinstance(node.value, list) else []
    return [key for child in children for key in _keys(child)]


def _named(tree: Node, section: str) -> list[tuple[str, Node]]:
    entries = tree.value.get(section)
    return list(entries.value.items()) if entries and isinstance(entries.value, dict) else []


def _entries(tree: Node, section: str) -> list[Node]:
    """The entries of a section, those of each stretch where they are dated."""
    found = []
    for _, entry in _named(tree, section):
        found += list(entry.value.values()) if dated.is_dated(entry) else [entry]
    return found


def _prices(entry: Node, key: str) -> list[str]:
    """What stands under a key of an entry, whatever its dates; the points of rungs are keys."""
    found: list[str] = []
    for each in entry.value.values() if dated.is_dated(entry) else [entry]:
        child = each.value.get(key) if isinstance(each.value, dict) else None
        if child is not None:
            found += _texts(child)
            found += [*child.value] if isinstance(child.value, dict) else []
    return found


def _texts(node: Node | None) -> list[str]:
    """All texts that stand under a node."""
    if node is None:
        return []
    if isinstance(node.value, str):
        return [node.value]
    children = node.value.values() if isinstance(node.value, dict) else node.value
    return [text for child in children for text in _texts(child)]


def _there_at_once(balance: BalanceSection, read: Read, shared: dict[str, Cap]) -> int:
    """The most points of a balance that a member can have at one time, by the caps alone."""
    rules = _rules(read, balance.name)
    others = ("referrals", "challenges", "plans", "partners", "cycles", "households")
    if not rules or any(read[section] for section in others) or _grows(read, rules):
        return NO_LIMIT
    if any(isinstance(cap, str) for each in rules for cap in each.cap):
        return NO_LIMIT
    ever = sum(_most(each, shared, Window("ever")) for each in rules)
    day = 738976  # any day: 2024-03-31
    end = balance.expires.fixed(day)
    if not end or balance.kept_while is not None or balance.pushed_on_by:
        return ever
    years = (end - day) // 365 + 2  # calendar years that a life of such a length touches
    return min(ever, years * sum(_most(each, shared, Window("year")) for each in rules))


def _dead_before(read: Read, reader: Reader) -> None:
    """Points that only a cycle turns live until its next date."""
    paid = {unit_of(each) for each in read["rewards"].values()}
    day = 738885  # 1 January 2024
    for name, cycle in read["cycles"].items():
        balance = read["balances"].get(cycle.least.unit)
        if balance is None or balance.name in paid or cycle.worth is cycles.DECLARED_LATER:
            continue
        if balance.kept_while is not None or balance.pushed_on_by or cycle.exchanges:
            continue
        date = day
        for _ in range(53):
            following = cycle.every.following(date, day)
            first = date
            if cycle.earned == "in the year before":
                first = _year_before(following)
            end = balance.expires.fixed(first)
            if end and end + 2 < following and date > day:
                message = (
                    "Points of the first days after one date of this cycle are gone before the"
                    " next one comes. Let them live longer, or run it more often."
                )
                reader.fault_at("expire-before-use", message, "cycles", name, "every")
                break
            date = following


def _year_before(day: int) -> int:
    """The last day of the calendar year before a day's."""
    return calendar.window_start("year", day) - 1
