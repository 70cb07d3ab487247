"""counters: what is counted beside points, per window: spend, items, purchases, nights.

Guarantee: a counter holds, per bucket of its window, exactly the sum over the events of
that bucket, less what was refunded of them; a late event counts in the bucket of its own
time. Tiers, caps and cycles read counters; nobody spends them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Struct

from kantis.core import windows
from kantis.core.basket import ALL, Classifier, Sums
from kantis.core.code import Code
from kantis.core.conditions import IF, WHEN, WHERE, WHO, Filter, If, When, Who, write_gates
from kantis.core.knobs import Knob
from kantis.core.phrases import TEXT, TITLE, WINDOW, Window, word
from kantis.core.turn import Turn

KINDS = ("spend", "items", "purchases", "measure", "quantity", "points")


class CounterSection(Struct, frozen=True, kw_only=True):
    """A counter: what it counts, of which events and lines, over which window."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    counts: Annotated[str, Knob(word(*KINDS), "what is added up")] = "spend"
    for_: Annotated[str, Knob(TEXT, "the event or activity that it is for")] = "purchase"
    of: Annotated[str, Knob(TEXT, "the balance or rule whose points it counts")] = ""
    where: Annotated[Filter | None, Knob(WHERE, "the lines that count")] = None
    except_: Annotated[Filter | None, Knob(WHERE, "the lines that do not count")] = None
    who: Annotated[Who | None, Knob(WHO, "the members that are meant")] = None
    when: Annotated[When | None, Knob(WHEN, "the times that are meant")] = None
    if_: Annotated[If | None, Knob(IF, "what the purchase must be like")] = None
    window: Annotated[Window, Knob(WINDOW, "what it counts over")] = Window("year")


class Counter(Struct):
    """A counter, ready to be written."""

    name: str
    section: CounterSection
    bit: int

    @property
    def window(self) -> Window:
        """What it counts over."""
        return self.section.window


def compile_counters(
    sections: Iterable[CounterSection], classifier: Classifier
) -> dict[str, list[Counter]]:
    """The counters by the event that moves them."""
    found: dict[str, list[Counter]] = {}
    for each in sections:
        bit = classifier.bit(each.where, each.except_)
        found.setdefault(each.for_, []).append(Counter(each.name, each, bit))
    return found


def write(code: Code, counters: list[Counter], sums: Sums) -> None:
    """Write what an event counts. A counter's new total is left in a variable of its name."""
    for counter in counters:
        section, name = counter.section, counter.name
        amount = _amount(code, counter, sums)
        gates = write_gates(code, section.who, section.when, section.if_, sums.of(counter.bit))
        variable = code.fresh("counted")
        code.add(f"{variable} = {amount}")
        tests = [f"{variable} > 0", *(test for test, _ in gates)]
        with code.block(f"if {' and '.join(tests)}:"):
            bucket = code.constant(windows.bucket, "bucket")
            window = code.constant(section.window, "window")
            code.add(
                f"key = {bucket}({window}, day, turn.account.joined)",
                f"turn.change('count', {name!r}, key, {variable})",
                "moved = True",
            )


def _amount(code: Code, counter: Counter, sums: Sums) -> str:
    """The expression of what an event adds to the counter."""
    kind, bit = counter.section.counts, counter.bit
    if kind == "spend":
        return sums.name("amounts", bit)
    if kind == "items":
        return sums.name("items", bit)
    if kind == "measure":
        return sums.name("measures", bit)
    if kind == "quantity":
        return "quantity"
    if kind == "points":
        fired = code.constant(points_fired, "points_fired")
        return f"{fired}(turn, {counter.section.of!r})"
    if bit == ALL:
        return "1"
    return f"1 if any(mask & {bit} for mask in basket.amounts) else 0"


def points_fired(turn: Turn, of: str) -> int:
    """The points that the rules of this event gave so far: of one balance or rule, or all."""
    return sum(fact[3] for fact in turn.decision.fired if not of or of in (fact[0], fact[1]))
