"""Rule: what an earning rule and an offer can say; and what is taken off a price."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Struct

from kantis.core import slips
from kantis.core.amounts import Ratio
from kantis.core.budgets import BUDGET
from kantis.core.conditions import EXCEPT, IF, WHEN, WHERE, WHO, Filter, If, When, Who
from kantis.core.knobs import Kind, Knob, Node, Read, Reader, Wrong, suggest
from kantis.core.limits import AVAILABLE_WHEN, CAPS, Available, Cap
from kantis.core.phrases import (
    EXTRA,
    NUMBER,
    TEXT,
    TEXTS,
    TIMES,
    TITLE,
    WINDOW,
    Quantity,
    Window,
    percent,
    quantity,
    text_of,
    word,
)
from kantis.core.rates import GIVE, ROUND, Give, Round


class Off(Struct, frozen=True):
    """What a price rule takes off: a share, an amount per item or for each unit of a measure,
    down to a price per item, or every so many-th item of a line."""

    share: Ratio | None = None
    per_item: int = 0
    down_to: int = 0
    per_measure: int = 0
    every: int = 0


_LOOKS = "10 % | 0.50 EUR per item | 0.10 EUR per litre | down to 2.99 EUR an item | every 5th item"
_EVERY = re.compile(r"every (\d{1,4})(?:st|nd|rd|th) item")


def _off(node: Node, reader: Reader) -> Off:
    text = text_of(node)
    if text.endswith("%"):
        off = percent(text, node)
        if off.num > off.den:
            raise Wrong("more-than-all", f"{text!r} takes off more than the price.", node)
        return Off(share=off)
    if text.endswith(" per item"):
        return Off(per_item=_money(text.removesuffix(" per item"), node, reader).amount)
    if text.startswith("down to ") and text.endswith(" an item"):
        price = text.removeprefix("down to ").removesuffix(" an item")
        return Off(down_to=_money(price, node, reader).amount)
    if (match := _EVERY.fullmatch(text)) and int(match[1]):
        return Off(every=int(match[1]))
    amount, _, measure = text.partition(" per ")
    if measure.rstrip("s") in {each.rstrip("s") for each in reader.measures}:
        return Off(per_measure=_money(amount, node, reader).amount)
    hint = f"one of: {_LOOKS}"
    if re.fullmatch(NUMBER, text) and reader.money is not None:
        hint = f"{slips.percent(text)}, or {text} {reader.money.name} per item"
    message = f"{text!r} is no price. Write {hint}."
    raise Wrong("price-expected", message, node)


def _money(text: str, node: Node, reader: Reader) -> Quantity:
    found = quantity(text, node, reader)
    if not reader.money or found.unit != reader.money.name:
        raise Wrong("money-expected", f"{text!r} is not an amount of money.", node)
    return found


class ByLevel(Struct, frozen=True):
    """A value for each level of a tier group that has one; a level without one has none."""

    group: str
    values: tuple[tuple[int, Ratio], ...]


def _per_level(kind: Kind) -> Read:
    """Reads one value for all members, or one for each level of a tier group."""

    def read(node: Node, reader: Reader) -> Ratio | ByLevel:
        if not isinstance(node.value, dict):
            value: Ratio = kind.read(node, reader)
            return value
        for group in reader.names.get("tiers", []):
            names = reader.names[f"tiers {group}"]
            if not set(node.value) & set(names):
                continue
            values = []
            for key, child in node.value.items():
                if key not in names:
                    message = f"{group} has no level {key!r}. {suggest(key, names)}"
                    raise Wrong("unknown-level", message, child)
                values.append((names.index(key), kind.read(child, reader)))
            return ByLevel(group, tuple(sorted(values, key=lambda each: each[0])))
        message = f"Write {kind.examples[0]}, or one for each level of a tier group."
        raise Wrong("level-expected", message, node)

    return read


MULTIPLY = Kind("factor", _per_level(TIMES), f"{TIMES.looks} | one per level", TIMES.examples)
ADD = Kind("extra", _per_level(EXTRA), f"{EXTRA.looks} | one per level", EXTRA.examples)

OFF = Kind(
    "price effect",
    _off,
    _LOOKS,
    ("10 %", "0.50 EUR per item"),
)


def _funded(node: Node, reader: Reader) -> str:
    """A partner, or several with their shares, as one text that lots remember."""
    if isinstance(node.value, dict):
        shares = []
        for partner, child in node.value.items():
            percent(text_of(child), child)
            shares.append(f"{partner} {text_of(child)}")
        return ", ".join(shares)
    return text_of(node)


BUDGET_MEANS = "what all members together can have of it; then it stops"
FUNDED = Kind("funder", _funded, "a partner | {partner: 60 %, another: 40 %}", ("dairy",))


class Rule(Struct, frozen=True, kw_only=True):
    """One rule: what it is for, what it gives, and its limits."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    for_: Annotated[str, Knob(TEXT, "the event or activity that it is for")] = "purchase"
    where: Annotated[Filter | None, Knob(WHERE, "the lines that count")] = None
    except_: Annotated[Filter | None, Knob(EXCEPT, "the lines that do not count")] = None
    who: Annotated[Who | None, Knob(WHO, "the members that are meant")] = None
    when: Annotated[When | None, Knob(WHEN, "the times that are meant")] = None
    if_: Annotated[If | None, Knob(IF, "what the purchase must be like")] = None
    give: Annotated[Give | None, Knob(GIVE, "what is earned")] = None
    on: Annotated[tuple[str, ...], Knob(TEXTS, "the rules that it makes more of")] = ()
    multiply: Annotated[
        Ratio | ByLevel | None,
        Knob(MULTIPLY, "the points become so many times as many, base inside"),
    ] = None
    add: Annotated[
        Ratio | ByLevel | None, Knob(ADD, "so much of the points on top, base outside")
    ] = None
    stack: Annotated[
        str, Knob(word("adds", "compounds"), "on the plain points, or on all so far")
    ] = "adds"
    only_best_of: Annotated[
        str, Knob(TEXT, "rules with the same word here exclude each other; the best one counts")
    ] = ""
    over: Annotated[Window | None, Knob(WINDOW, "the period whose total decides")] = None
    by_the_total_of: Annotated[
        str, Knob(TEXT, "the counter of that period whose total picks the band")
    ] = ""
    settled: Annotated[
        str,
        Knob(
            word("at the end", "at once"),
            "when the total of the period gives: at its end, or as it grows",
        ),
    ] = "at the end"
    round: Annotated[Round, Knob(ROUND, "where it rounds, to what, and how")] = Round()
    cap: Annotated[tuple[Cap | str, ...], Knob(CAPS, "at most so much")] = ()
    beyond: Annotated[
        Give | None, Knob(GIVE, "the rate for what is beyond a cap on spend or items")
    ] = None
    available: Annotated[Available, Knob(AVAILABLE_WHEN, "when the points can be spent")] = (
        Available()
    )
    budget: Annotated[Quantity | None, Knob(BUDGET, BUDGET_MEANS, dated=False)] = None
    funded_by: Annotated[str, Knob(FUNDED, "the partners who pay for it; the rest is our own")] = ""
