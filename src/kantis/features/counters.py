"""counters: what is counted beside points, per window: spend, items, purchases, nights.

Guarantee: a counter holds, per bucket of its window, exactly the sum over the events of
that bucket, less what was refunded of them; a late event counts in the bucket of its own
time. Tiers, caps and cycles read counters; nobody spends them.

What counts only when its group is confirmed waits beside the counter, and counts in the
bucket of the day on which it is confirmed; what belongs to no group counts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import nullcontext
from typing import Annotated, Final

from msgspec import Struct

from kantis.core import calendar, windows
from kantis.core.account import NEVER, Account
from kantis.core.amounts import Unit
from kantis.core.basket import ALL, Classifier, Sums
from kantis.core.calendar import Calendar
from kantis.core.code import Code
from kantis.core.conditions import (
    EXCEPT,
    IF,
    WHEN,
    WHERE,
    WHO,
    Filter,
    If,
    When,
    Who,
    check_who,
    write_gates,
)
from kantis.core.events import Line
from kantis.core.knobs import Knob
from kantis.core.phrases import TEXTS, TITLE, WHOSE, WINDOW, Window, word
from kantis.core.turn import Turn, write_count

KINDS = (
    "spend",
    "items",
    "purchases",
    "measure",
    "largest measure",
    "quantity",
    "points",
    "years",
)

#: The event of counters of years, which no shop sends: a calendar year has ended.
YEAR_ENDED = "a year ended"

#: What litres, kilograms and the like are counted in.
THOUSANDTHS: Final = Unit("measure", 3)


class CounterSection(Struct, frozen=True, kw_only=True):
    """A counter: what it counts, of which events and lines, over which window."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    counts: Annotated[str, Knob(word(*KINDS), "what is added up")] = "spend"
    for_: Annotated[tuple[str, ...], Knob(TEXTS, "the events or activities that it is for")] = (
        "purchase",
    )
    of: Annotated[tuple[str, ...], Knob(TEXTS, "the balances or rules whose points it counts")] = ()
    where: Annotated[Filter | None, Knob(WHERE, "the lines that count")] = None
    except_: Annotated[Filter | None, Knob(EXCEPT, "the lines that do not count")] = None
    who: Annotated[Who | None, Knob(WHO, "the members that are meant")] = None
    when: Annotated[When | None, Knob(WHEN, "the times that are meant")] = None
    if_: Annotated[If | None, Knob(IF, "what the purchase must be like")] = None
    window: Annotated[Window, Knob(WINDOW, "what it counts over")] = Window("year")
    counted: Annotated[
        str, Knob(word("at once", "when confirmed"), "when it counts what belongs to a group")
    ] = "at once"
    whose: Annotated[str, Knob(WHOSE, "whose it is where several members share an account")] = (
        "household"
    )
    reads: Annotated[
        str, Knob(word("total", "average per month"), "what tiers read of a rolling window")
    ] = "total"


class Counter(Struct):
    """A counter, ready to be written."""

    name: str
    section: CounterSection
    bit: int

    @property
    def window(self) -> Window:
        """What it counts over."""
        return self.section.window


def unit_of(section: CounterSection, money: Unit, balances: Mapping[str, Unit]) -> Unit:
    """What a counter's amounts are counted in."""
    if section.counts == "spend":
        return money
    if section.counts in ("measure", "largest measure"):
        return THOUSANDTHS
    if section.counts == "points":
        units = [balances[name] for name in section.of if name in balances]
        units += balances.values() if len(balances) == 1 else ()
        return units[0] if units else Unit("points")
    if section.counts == "quantity":
        return Unit(section.name)
    return Unit(section.counts, one=section.counts[:-1])  # items, purchases


def compile_counters(
    sections: Iterable[CounterSection], classifier: Classifier
) -> dict[str, list[Counter]]:
    """The counters by the event that moves them."""
    found: dict[str, list[Counter]] = {}
    for each in sections:
        bit = classifier.bit(each.where, each.except_)
        for event in (YEAR_ENDED,) if each.counts == "years" else each.for_:
            found.setdefault(event, []).append(Counter(each.name, each, bit))
    return found


def write(code: Code, counters: list[Counter], sums: Sums) -> None:
    """Write what an event counts. A counter's new total is left in a variable of its name."""
    for counter in counters:
        section, name = counter.section, counter.name
        whose = "mine" if section.whose == "member" else "turn"
        amount = _amount(code, counter, sums)
        gates = write_gates(code, section.who, section.when, section.if_, sums.of(counter.bit))
        variable = amount
        if not amount.isidentifier():
            variable = code.fresh("counted")
            code.add(f"{variable} = {amount}")
        tests = [f"{variable} > 0", *(test for test, _ in gates)]
        with code.block(f"if {' and '.join(tests)}:"):
            wait = code.constant(_wait, "wait_for_group")
            waits = section.counted == "when confirmed"
            head = f"if not {wait}({whose}, {name!r}, {variable}):"
            with code.block(head) if waits else nullcontext():
                if whose == "mine":
                    _write_own(code, name, section.window, variable)
                else:
                    bucket = windows.write_bucket(code, section.window)
                    write_count(code, name, bucket, variable)
                code.add("moved = True")


def _write_own(code: Code, name: str, window: Window, variable: str) -> None:
    """Write the change that counts what is a member's own."""
    bucket, of = code.constant(windows.bucket, "bucket"), code.constant(window, "window")
    key = f"{bucket}({of}, day, mine.account.joined)"
    code.add(f"mine.change('count', {name!r}, {key}, {variable})")


def _amount(code: Code, counter: Counter, sums: Sums) -> str:
    """The expression of what an event adds to the counter."""
    kind, bit = counter.section.counts, counter.bit
    if kind == "spend":
        return sums.name("amounts", bit)
    if kind == "items":
        return sums.name("items", bit)
    if kind == "measure":
        return sums.name("measures", bit)
    if kind == "largest measure":
        if sums.given == "deed":
            return f"quantity * {10**THOUSANDTHS.scale}"
        return f"{code.constant(_largest(counter.section), 'largest')}(lines)"
    if kind == "quantity":
        return sums.quantity
    if kind == "points":
        fired = code.constant(points_fired, "points_fired")
        return f"{fired}(turn, {counter.section.of!r})"
    if bit == ALL:
        return "1"
    return f"1 if {sums.name('lines', bit)} else 0"


def _largest(section: CounterSection) -> Callable[[Iterable[Line]], int]:
    """The largest measure of the lines that count."""

    def largest(lines: Iterable[Line]) -> int:
        return max(
            (
                line.measure
                for line in lines
                if (section.where is None or section.where.matches(line))
                and (section.except_ is None or not section.except_.matches(line))
            ),
            default=0,
        )

    return largest


def points_fired(turn: Turn, of: tuple[str, ...]) -> int:
    """The points that the rules of this event gave so far: of some balances or rules, or all."""
    return sum(
        fact[3]
        for fact in turn.decision.fired
        if (not of or fact[0] in of or fact[1] in of) and isinstance(fact[2], int)
    )


def points_taken(turn: Turn, of: tuple[str, ...], gave: Collection[str]) -> int:
    """Of a refund: what the rules that ``gave`` are to lose of their points for what came back.

    What is owed or forgiven is among it: the purchase that had earned it is undone.
    """
    fired = turn.decision.fired
    taken: int = sum(
        fact[5]
        for fact in fired
        if fact[1] and fact[0] in gave and fact[3] <= 0
        if not of or fact[0] in of or fact[1] in of
    )
    return -taken


def waiting(name: str, group: str) -> str:
    """Where a counter keeps what waits for a group."""
    return f"waits {group} {name}"


def _wait(turn: Turn, name: str, amount: int) -> bool:
    """What belongs to a group waits for it; whether it does."""
    group = getattr(turn.event.body, "group", "")
    if group:
        turn.change("count", waiting(name, group), 0, amount)
    return bool(group)


def _counted_years(name: str) -> str:
    return f"years {name}"


def due(years: list[Counter], account: Account, days: Calendar) -> int:
    """The next end of a year, for counters of years."""
    if not years or not account.joined:
        return NEVER
    last = min(account.cycles.get(_counted_years(each.name), account.joined) for each in years)
    return days.start(calendar.window_end("year", last))


def run(years: list[Counter], turn: Turn) -> bool:
    """A year has ended: it counts for members who are meant at its end. Whether one counted."""
    moved = False
    for counter in years:
        key, last = _counted_years(counter.name), turn.day - 1
        since = turn.account.cycles.get(key, turn.account.joined)
        if calendar.window_end("year", since) > turn.day:
            continue
        turn.change("cycle", key, turn.day)
        who = counter.section.who
        if calendar.window_start("year", turn.day) < turn.day:
            continue  # the counter is newer than the end of that year
        if who is None or not check_who(who, turn):
            bucket = windows.bucket(counter.window, last, turn.account.joined)
            turn.change("count", counter.name, bucket, 1)
            moved = True
    return moved


def settle(counters: Iterable[Counter], turn: Turn, group: str, confirmed: bool) -> bool:
    """What waited for a group counts now, or never; whether anything had waited."""
    found = False
    for counter in counters:
        key = waiting(counter.name, group)
        amount = turn.account.counters.get(key, {}).get(0)
        if amount is None:
            continue
        found = True
        turn.change("forget", key, 0)
        if confirmed and amount:
            bucket = windows.bucket(counter.window, turn.day, turn.account.joined)
            turn.change("count", counter.name, bucket, amount)
    return found
