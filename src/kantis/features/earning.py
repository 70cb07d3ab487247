"""earning: what a purchase or an activity earns.

Guarantee: the points of an event are the sum of what its rules say, each an exact ratio
that is multiplied first and divided once, with a named rounding. A modifier never
changes the plain points; it has a share of its own, so that each point has one reason.

The order is: lines -> base -> rate -> modifiers -> rounding -> caps -> lot.

>>> points, share = rounded(Ratio(9, 2), Round()), rounded(Ratio(9, 1), Round())
>>> points, share - points          # 4.5 points, doubled: 4 plain and 5 for doubling
(4, 5)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kantis.core import windows
from kantis.core.account import NEVER, Account
from kantis.core.amounts import Ratio, divide
from kantis.core.basket import Basket, Classifier, spend
from kantis.core.calendar import Calendar
from kantis.core.conditions import gates
from kantis.core.knobs import Reader
from kantis.core.limits import Cap
from kantis.core.lots import Balance, claw_back, issue
from kantis.core.places import REVERSED
from kantis.core.rates import Give, Round, exact
from kantis.core.rule import Rule
from kantis.core.turn import Turn

REASON = "earning"


class Earner:
    """A compiled rule: its bit, its gates, its rate, and the lot that its points go to."""

    __slots__ = (
        "add",
        "available",
        "balance",
        "beyond",
        "bit",
        "caps",
        "factor",
        "funder",
        "gates",
        "give",
        "modifiers",
        "name",
        "offer",
        "over",
        "per",
        "plain",
        "recipe",
        "round",
        "rule",
    )

    def __init__(self, rule: Rule, bit: int, balance: Balance | None, caps: list[Cap]) -> None:
        self.rule = rule
        self.name = rule.name
        self.bit = bit
        self.balance = balance
        self.gates = gates(rule.who, rule.when, rule.if_)
        self.give = rule.give
        self.beyond = rule.beyond
        self.round = rule.round
        self.caps = tuple(caps)
        self.available = rule.available
        self.funder = rule.funded_by
        self.over = rule.over
        self.offer = ""
        self.recipe = 0
        self.modifiers: list[Earner] = []
        self.per = _per(rule.give)
        self.plain = _plain(rule.give)
        self.factor = rule.multiply
        self.add = rule.add


def _per(give: Give | None) -> str:
    if give is None:
        return ""
    steps = [step for _, step in give.by_level] if give.group else give.steps
    return steps[0].per


def _plain(give: Give | None) -> tuple[int, int] | None:
    if give is None or give.group or give.bands or give.steps[0].per == "event":
        return None
    return give.steps[0].num, give.steps[0].den


class Earning:
    """All earning rules of a version, by the event that they are for."""

    def __init__(self) -> None:
        self.by_event: dict[str, list[Earner]] = {}
        self.modifiers: dict[str, Earner] = {}
        self.periods: list[Earner] = []
        self.by_name: dict[str, Earner] = {}

    def rules_for(self, event: str) -> list[Earner]:
        """The rules that an event of that type, or an activity of that name, sets off."""
        return self.by_event.get(event, [])


def compile_earning(
    rules: Iterable[Rule],
    offers: Mapping[str, Any],
    balances: Mapping[str, Balance],
    shared: Mapping[str, Cap],
    classifier: Classifier,
    reader: Reader,
) -> Earning:
    """The rules, ready for use; what does not fit together is a fault."""
    earning = Earning()
    recipes: dict[Any, int] = {}
    for rule in rules:
        if rule.off is not None and rule.give is None and not rule.on:
            continue
        if (rule.give is None) == (not rule.on):
            message = f"{rule.name!r} needs either 'give', or 'on' with 'multiply' or 'add'."
            reader.fault("gives-nothing", message)
            continue
        balance = balances.get(rule.give.unit) if rule.give else None
        if rule.give and balance is None:
            message = f"{rule.name!r} gives {rule.give.unit!r}, which is no balance."
            reader.fault("unknown-balance", message)
            continue
        bit = classifier.bit(rule.where, rule.except_)
        caps = [shared[cap] if isinstance(cap, str) else cap for cap in rule.cap]
        earner = Earner(rule, bit, balance, caps)
        earner.offer = rule.name if rule.name in offers else ""
        if balance is not None:
            key = (balance.name, rule.available, rule.funded_by)
            earner.recipe = recipes.setdefault(key, len(recipes))
            if rule.over is not None:
                earning.periods.append(earner)
            earning.by_event.setdefault(rule.for_, []).append(earner)
        else:
            earning.modifiers[rule.name] = earner
        earning.by_name[rule.name] = earner
    _attach(earning, reader)
    return earning


def _attach(earning: Earning, reader: Reader) -> None:
    for earner in earning.modifiers.values():
        if (earner.factor is None) == (earner.add is None):
            message = f"{earner.name!r} says either 'multiply' or 'add'."
            reader.fault("multiply-or-add", message)
            continue
        for name in earner.rule.on:
            base = earning.by_name.get(name)
            if base is None or base.give is None:
                reader.fault("unknown-rule", f"{earner.name!r} is on {name!r}, which is no rule.")
            else:
                base.modifiers.append(earner)


def rounded(value: Ratio, how: Round) -> int:
    """The whole points that an exact value comes to."""
    if how.points_step == 1:
        points = divide(value.num, value.den, how.points)
    else:
        points = divide(value.num, value.den * how.points_step, how.points) * how.points_step
    return max(points, how.least) if value.num else 0


def earn(earning: Earning, turn: Turn, event: str, basket: Basket) -> None:
    """Give what the event earns: one posting per lot, and a fact per rule that fired."""
    given: dict[int, int] = {}
    first: dict[int, Earner] = {}
    facts: list[tuple[Earner, int, int, int, int]] = []
    for earner in earning.rules_for(event):
        if earner.over is not None:
            _count_for_period(earning, earner, turn, basket)
            continue
        base = _base(earner, turn, basket)
        if base < 0:
            continue
        for who, part, points, uncapped in _value(earner, turn, basket, base):
            if points or uncapped:
                facts.append((who, earner.recipe, part, points, uncapped))
                given[earner.recipe] = given.get(earner.recipe, 0) + points
                first.setdefault(earner.recipe, earner)
                if who.offer:
                    _use_offer(who, turn)
    lots = {}
    for recipe, points in given.items():
        if points:
            lots[recipe] = _issue(first[recipe], turn, points)
    fired = turn.decision.fired
    for who, recipe, part, points, uncapped in facts:
        balance = first[recipe].balance
        assert balance is not None
        fired.append((who.name, balance.name, part, points, lots.get(recipe, 0), uncapped))


def _base(earner: Earner, turn: Turn, basket: Basket) -> int:
    """What the rule's rate is measured on; -1 when it does not act."""
    per = earner.per
    if per == "money":
        base = 0
        for mask, amount in basket.amounts.items():
            if mask & earner.bit:
                base += amount
    elif per == "item":
        base = spend(basket.items, earner.bit)
    elif per == "measure":
        base = spend(basket.measures, earner.bit)
    else:
        base = 1 if earner.bit == 1 or any(mask & earner.bit for mask in basket.amounts) else 0
    if base <= 0:
        turn.why_not(earner.name, "no line that counts")
        return -1
    if earner.gates and _blocked(earner, turn, basket, base):
        return -1
    step = earner.round.spend_step
    if step > 1:
        base -= base % step
    return base


def _blocked(earner: Earner, turn: Turn, basket: Basket, base: int) -> bool:
    amount = base if earner.per == "money" else spend(basket.amounts, earner.bit)
    items = spend(basket.items, earner.bit)
    for gate in earner.gates:
        why = gate(turn, basket.total, amount, items)
        if why:
            turn.why_not(earner.name, why)
            return True
    return bool(earner.offer) and not _offer_open(earner, turn)


def _offer_open(earner: Earner, turn: Turn) -> bool:
    loaded, _ = turn.account.offers.get(earner.offer, (-1, 0))
    if loaded < 0 or loaded > turn.moment:
        turn.why_not(earner.name, "not loaded")
        return False
    return True


def _value(
    earner: Earner, turn: Turn, basket: Basket, base: int
) -> list[tuple[Earner, int, int, int]]:
    """(rule, base, points, points without caps) of a rule and of each of its modifiers."""
    plain = earner.plain
    if plain is not None and not earner.caps and not earner.modifiers:
        how = earner.round
        if how.points == "down" and how.points_step == 1 and not how.least:
            points = base * plain[0] // plain[1]
        else:
            points = rounded(Ratio(base * plain[0], plain[1]), how)
        return [(earner, base, points, points)]
    value, used = _capped_base(earner, turn, base)
    points = rounded(value, earner.round)
    found = [(earner, base, _capped(earner, turn, points, used), points)]
    if earner.modifiers:
        _modify(earner, turn, basket, base, value, found)
    return found


def _level(earner: Earner, turn: Turn) -> int:
    give = earner.give
    return turn.level(give.group) if give is not None and give.group else 0


def _capped_base(earner: Earner, turn: Turn, base: int) -> tuple[Ratio, int]:
    """The exact value of the base, and how much of it counts against a cap on spend or items."""
    assert earner.give is not None
    allowed = base
    for cap in earner.caps:
        if (cap.counts == "spend" and earner.per == "money") or (
            cap.counts == "items" and earner.per == "item"
        ):
            allowed = min(allowed, cap.left(turn))
        elif cap.counts == "times" and not cap.left(turn):
            turn.why_not(earner.name, f"cap {cap.name}")
            allowed = 0
    level = _level(earner, turn)
    value = exact(earner.give, allowed, level) if allowed else Ratio(0)
    if allowed < base and earner.beyond is not None:
        more = exact(earner.beyond, base - allowed, level)
        value = Ratio(value.num * more.den + more.num * value.den, value.den * more.den)
    return value, allowed


def _capped(earner: Earner, turn: Turn, points: int, used: int) -> int:
    """The points that the caps leave; what they take up is counted."""
    for cap in earner.caps:
        if cap.counts == "points":
            points = min(points, cap.left(turn))
    for cap in earner.caps:
        amount = {"points": points, "times": 1 if points else 0}.get(cap.counts, used)
        cap.use(turn, amount)
    return points


def _modify(
    earner: Earner,
    turn: Turn,
    basket: Basket,
    base: int,
    value: Ratio,
    found: list[tuple[Earner, int, int, int]],
) -> None:
    """The shares of the modifiers: what the points become with each, less what they were before."""
    running = value
    before = rounded(value, earner.round)
    for modifier in _active(earner, turn, basket):
        part = _part(earner, modifier, basket)
        step = earner.round.spend_step
        part -= part % step
        over = value if part == base else exact(_give(earner), part, _level(earner, turn))
        grown = running if modifier.rule.stack == "compounds" and part == base else over
        extra = _extra(modifier, grown)
        running = Ratio(
            running.num * extra.den + extra.num * running.den, running.den * extra.den
        )
        after = rounded(running, earner.round)
        points = after - before
        before = after
        found.append((modifier, part, _capped(modifier, turn, points, part), points))


def _give(earner: Earner) -> Give:
    assert earner.give is not None
    return earner.give


def _part(earner: Earner, modifier: Earner, basket: Basket) -> int:
    """The base of the rule that the modifier means too."""
    both = earner.bit | modifier.bit
    sums = {"money": basket.amounts, "item": basket.items, "measure": basket.measures}.get(
        earner.per
    )
    if sums is None:
        return 1
    return sum(amount for mask, amount in sums.items() if mask & both == both)


def _extra(modifier: Earner, value: Ratio) -> Ratio:
    if modifier.factor is not None:
        factor = modifier.factor
        return Ratio(value.num * max(0, factor.num - factor.den), value.den * factor.den)
    assert modifier.add is not None
    return Ratio(value.num * modifier.add.num, value.den * modifier.add.den)


def _active(earner: Earner, turn: Turn, basket: Basket) -> list[Earner]:
    """The modifiers that act, in the order of the file; of those that exclude each other the best."""
    acting = []
    for modifier in earner.modifiers:
        part = _part(earner, modifier, basket)
        if part > 0 and not _blocked(modifier, turn, basket, part):
            acting.append(modifier)
    best: dict[str, Earner] = {}
    for modifier in acting:
        word = modifier.rule.only_best_of
        one = Ratio(1, 1)
        if word and (
            word not in best or _ranks(_extra(modifier, one), _extra(best[word], one))
        ):
            best[word] = modifier
    return [
        each
        for each in acting
        if not each.rule.only_best_of or best[each.rule.only_best_of] is each
    ]


def _ranks(one: Ratio, other: Ratio) -> bool:
    return one.num * other.den > other.num * one.den


def _use_offer(earner: Earner, turn: Turn) -> None:
    _, uses = turn.account.offers[earner.offer]
    turn.change("offer", earner.offer, -1, uses + 1)


def _issue(earner: Earner, turn: Turn, points: int) -> int:
    assert earner.balance is not None
    group = getattr(turn.event.body, "group", "") if earner.available.group else ""
    if earner.available.group and not group:
        group = turn.event.key
    return issue(
        turn,
        earner.balance,
        points,
        REASON,
        opens=earner.available.opens(turn),
        group=group,
        funder=earner.funder,
    )


def _counter(earner: Earner) -> str:
    return f"over {earner.name}"


def _count_for_period(earning: Earning, earner: Earner, turn: Turn, basket: Basket) -> None:
    """A rule over a period counts now and gives at the period's end; a late event corrects it."""
    base = _base(earner, turn, basket)
    if base <= 0:
        return
    assert earner.over is not None
    bucket = windows.bucket(earner.over, turn.day, turn.account.joined)
    turn.change("count", _counter(earner), bucket, base)
    for modifier in _active(earner, turn, basket):
        part = _part(earner, modifier, basket)
        turn.change("count", f"{_counter(earner)} {modifier.name}", bucket, part)
    closed = turn.account.issued.get(earner.name, {})
    if bucket in closed:
        settle(earner, turn, bucket)
    else:
        turn.wake_on(windows.end(earner.over, turn.day, turn.account.joined))


def settle(earner: Earner, turn: Turn, bucket: int) -> None:
    """Give what a period's total earns, or the difference to what was given for it before."""
    assert earner.balance is not None
    counters = turn.account.counters
    base = counters.get(_counter(earner), {}).get(bucket, 0)
    value = exact(_give(earner), base, _level(earner, turn)) if base > 0 else Ratio(0)
    total = rounded(value, earner.round)
    for modifier in earner.modifiers:
        part = counters.get(f"{_counter(earner)} {modifier.name}", {}).get(bucket, 0)
        if part and base:
            extra = _extra(modifier, Ratio(value.num * part, value.den * base))
            total += rounded(extra, earner.round)
    before = turn.account.issued.get(earner.name, {}).get(bucket, 0)
    if total > before:
        lot = _issue(earner, turn, total - before)
        turn.decision.fired.append(
            (earner.name, earner.balance.name, base, total - before, lot, total)
        )
    elif total < before:
        lot = next(
            (each.id for each in reversed(turn.account.lots.values()) if each.balance == earner.balance.name), 0
        )
        claw_back(turn, earner.balance, lot, before - total, REVERSED, REASON)
    turn.change("issue", earner.name, bucket, total)


def due(earning: Earning, account: Account, days: Calendar) -> int:
    """The next end of a period that has counted something and is not settled."""
    first = NEVER
    for earner in earning.periods:
        assert earner.over is not None
        closed = account.issued.get(earner.name, {})
        for bucket in account.counters.get(_counter(earner), {}):
            if bucket not in closed:
                end = windows.end(earner.over, bucket, account.joined)
                first = min(first, days.start(end))
    return first


def run(earning: Earning, turn: Turn) -> None:
    """Settle the periods that have ended."""
    for earner in earning.periods:
        assert earner.over is not None
        for bucket in list(turn.account.counters.get(_counter(earner), {})):
            closed = turn.account.issued.get(earner.name, {})
            end = windows.end(earner.over, bucket, turn.account.joined)
            if bucket not in closed and end <= turn.day:
                settle(earner, turn, bucket)
