"""Earner: a rule with what it was compiled to, and the parts that all rules write alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kantis.core.amounts import Ratio
from kantis.core.basket import ALL, Sums
from kantis.core.code import Code
from kantis.core.conditions import write_gates
from kantis.core.limits import Cap, Often, use_caps
from kantis.core.lots import Balance
from kantis.core.rates import Give, exact, rounded
from kantis.core.rule import Rule
from kantis.core.turn import Turn

#: So many offers are written out like other rules; of more, only loaded ones are looked at.
FEW = 8


class Earner:
    """A rule with what it was compiled to: its bit, its balance, its caps, its modifiers.

    ``more`` is what a modifier adds, as a ratio of what it works on.
    """

    __slots__ = (
        "apart",
        "balance",
        "bit",
        "caps",
        "entry",
        "give",
        "modifiers",
        "more",
        "name",
        "offer",
        "often",
        "on",
        "per",
        "rule",
    )

    def __init__(
        self, rule: Rule, bit: int, balance: Balance | None, caps: list[Cap], offer: str
    ) -> None:
        self.rule = rule
        self.name = rule.name
        #: the entry of the file that it belongs to, where that is written as several rules
        self.entry = rule.name
        self.give = rule.give or Give("", ())
        self.bit = bit
        self.balance = balance
        self.caps = tuple(caps)
        self.offer = offer
        self.often = Often()
        #: whether it is one of so many offers that they are looked up
        self.apart = False
        self.modifiers: list[Earner] = []
        self.on: list[Earner] = []
        self.per = self.give.per
        self.more = _more(rule)

    def means(self, mask: int) -> bool:
        """Whether a line of that mask is meant; a modifier means lines that its rules mean."""
        if not mask & self.bit:
            return False
        return not self.on or any(mask & each.bit for each in self.on)


def _more(rule: Rule) -> Ratio:
    factor, add = rule.multiply, rule.add
    if isinstance(factor, Ratio):
        return Ratio(max(0, factor.num - factor.den), factor.den)
    return add if isinstance(add, Ratio) else Ratio(0)


def both_bits(earner: Earner, modifier: Earner) -> int:
    """The bits of the lines that a rule and its modifier both mean."""
    return (earner.bit | modifier.bit) & ~ALL or ALL


def conditions_of(
    code: Code, earner: Earner, sums: Sums, base: Earner | None = None
) -> list[tuple[str, str]]:
    """What must hold for a rule, or for a modifier on a base rule: then of both their lines."""
    rule = earner.rule
    found = []
    if earner.offer:
        loaded = code.constant(loaded_offer, "loaded")
        test = f"account.offers and {loaded}(turn, {earner.offer!r})"
        found.append((test, '"not loaded"'))
    both = both_bits(base, earner) if base is not None else earner.bit
    found += write_gates(code, rule.who, rule.when, rule.if_, sums.of(both))
    return found + still_open(earner.entry, rule.budget)


def still_open(entry: str, budget: object) -> list[tuple[str, str]]:
    """That the budget of an entry, if it has one, is not what stops it."""
    return [(f"{entry!r} not in turn.shut", '"budget"')] if budget is not None else []


def open_block(code: Code, name: str, conditions: list[tuple[str, str]]) -> str:
    """The head of the block in which a rule acts; while tracing the first no is told."""
    if code.trace:
        for position, (_, why) in enumerate(conditions):
            head = "if" if not position else "elif"
            with code.block(f"{head} not ({conditions[position][0]}):"):
                code.add(f"turn.why_not({name!r}, {why})")
    return f"if {' and '.join(test for test, _ in conditions) or 'True'}:"


def loaded_offer(turn: Turn, offer: str) -> bool:
    """Whether the member has loaded the offer and not used it yet."""
    loaded, _ = turn.account.offers.get(offer, (-1, 0))
    return 0 <= loaded <= turn.moment


def write_offers(
    code: Code,
    sums: Sums,
    offers: Sequence[tuple[str, int]],
    write: Callable[[int, Sums], None],
    *begin: str,
) -> None:
    """Write what offers do, each (name, bit of the lines without which it does nothing), so that
    only those that the member has loaded cost anything; only they are asked while tracing.

    ``write`` writes the one at a position, ``begin`` stands before all of them. The way to a
    loaded one is through a tree: a row of tests would take as long as all of them do.
    """
    index: dict[str, list[tuple[int, int]]] = {}
    for position, (name, bit) in enumerate(offers):
        index.setdefault(name, []).append((position, bit))
    todo, at = code.fresh("todo"), code.fresh("at")

    def tree(first: int, end: int) -> None:
        if end - first > 1:
            step = -(-(end - first) // 4)
            for start in range(first, end, step):
                last = min(start + step, end)
                with code.block(f"if {at} < {last}:"):
                    tree(start, last)
            return
        with sums.apart(code) as own:
            write(first, own)
        code.add(f"{at} = {todo}.pop()")

    sums.keep()
    with code.block("if offered:"):
        code.add(*begin)
        among, known = code.constant(among_loaded, "among"), code.constant(index, "offers")
        code.add(f"{todo} = {among}(offered, {known}, seen, {len(offers)})")
        code.add(f"{at} = {todo}.pop()")
        with code.block(f"if {at} < {len(offers)}:"):
            tree(0, len(offers))


def among_loaded(
    offered: list[str], index: Mapping[str, list[tuple[int, int]]], seen: int, end: int
) -> list[int]:
    """The positions of the loaded offers that some line is for, the last first, after the end."""
    found = [position for name in offered for position, bit in index.get(name, ()) if bit & seen]
    found.append(end)
    found.sort(reverse=True)
    return found


def write_use(code: Code, offer: str, often: Often, gave: str) -> None:
    """Write that an offer is used, where it gave something."""
    use = code.constant(use_offer, "use_offer")
    code.add(f"{use}(turn, {offer!r}, {code.constant(often, 'often')}, {gave})")


def use_offer(turn: Turn, offer: str, often: Often, gave: int) -> None:
    """An offer that gave something is used up until it is loaded again."""
    if gave:
        _, uses = turn.account.offers[offer]
        turn.change("offer", offer, -1, uses + 1)
        if often.window.kind != "ever":
            turn.change("count", f"offer {offer}", often.bucket(turn), 1)


def capped_value(earner: Earner, turn: Turn, base: int, level: int) -> tuple[Ratio, int, int]:
    """(exact value, points without caps on points, points) of a rule that has caps.

    A cap on spend or items limits the base; what is beyond it earns at ``beyond``.
    """
    allowed = base
    for cap in earner.caps:
        if (cap.counts == "spend" and earner.per == "money") or (
            cap.counts == "items" and earner.per == "item"
        ):
            allowed = cap.allow(turn, allowed)
        elif cap.counts == "times" and not cap.left(turn):
            turn.why_not(earner.name, f"cap {cap.name}")
            allowed = 0
    value = exact(earner.give, allowed, level) if allowed else Ratio(0)
    if allowed < base and earner.rule.beyond is not None:
        more = exact(earner.rule.beyond, base - allowed, level)
        value = Ratio(value.num * more.den + more.num * value.den, value.den * more.den)
    plain = rounded(value, earner.rule.round)
    waits = earner.rule.available.group
    return value, plain, use_caps(earner.caps, turn, plain, allowed, waits)
