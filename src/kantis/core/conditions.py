"""Conditions: which lines, who, when, and if.

They mean the same in every section: ``where`` and ``except`` choose lines of a purchase,
``who`` asks for the member's tier, segment, choice or age, ``when`` for the date, the
weekday, the hour or the birthday, ``if`` for the basket.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct, structs

from kantis.core import calendar
from kantis.core.amounts import Ratio
from kantis.core.code import Code
from kantis.core.events import Line
from kantis.core.facts import SEGMENT
from kantis.core.knobs import Kind, Node, Reader, Wrong, suggest
from kantis.core.phrases import (
    WEEKDAYS,
    Quantity,
    Span,
    list_of,
    on,
    one_of,
    percent,
    quantity,
    span,
    text_of,
)
from kantis.core.turn import Turn

#: attributes of a line that a filter can ask for
ATTRIBUTES = ("product", "category", "brand", "department", "tag")


class Filter(Struct, frozen=True):
    """Lines that have one of the values of every attribute; (attribute, values) each.

    ``any_of_them`` is enough for what is excepted: ``except: {category: tobacco, tag: gift}``
    means tobacco, and gifts. ``chosen`` is an attribute and the member's choice that it has
    to be like, or, for what is excepted, may not be like either.
    """

    parts: tuple[tuple[str, tuple[str, ...]], ...]
    chosen: tuple[str, str] | None = None
    any_of_them: bool = False

    def matches(self, line: Line) -> bool:
        """Whether the line is meant."""
        for attribute, values in self.parts:
            if attribute == "tag":
                like = any(tag in values for tag in line.tags)
            else:
                like = getattr(line, attribute) in values
            if like is self.any_of_them:
                return like
        return not self.any_of_them


def _filter(node: Node, reader: Reader) -> Filter:
    if not isinstance(node.value, dict):
        message = "Say which lines by an attribute, for example {category: [coffee, tea]}."
        raise Wrong("filter-expected", message, node)
    parts: list[tuple[str, tuple[str, ...]]] = []
    chosen: tuple[str, str] | None = None
    for key, child in node.value.items():
        if key not in ATTRIBUTES:
            line, column = node.keys.get(key, (node.line, node.column))
            message = f"Lines have no {key!r}. {suggest(key, ATTRIBUTES)}"
            raise Wrong("unknown-attribute", message, Node("", line, column))
        values = tuple(text_of(each) for each in list_of(child))
        for each in values:
            if each.startswith("chosen "):
                chosen = (key, _choice(each[7:], child, reader))
        values = tuple(each for each in values if not each.startswith("chosen "))
        if values:
            parts.append((key, values))
    return Filter(tuple(sorted(parts)), chosen)


def _choice(name: str, node: Node, reader: Reader) -> str:
    known = reader.names.get("choices", [])
    if name not in known:
        message = f"There is no choice {name!r}. {suggest(name, known)}"
        raise Wrong("unknown-choice", message, node, 7)
    return name


def _where(node: Node, reader: Reader) -> Filter:
    found = _filter(node, reader)
    if found.chosen and found.chosen[0] in dict(found.parts):
        message = "The lines of a choice and other lines are two rules, or stand under 'except'."
        raise Wrong("chosen-here", message, node)
    return found


def _except(node: Node, reader: Reader) -> Filter:
    return structs.replace(_filter(node, reader), any_of_them=True)


class Who(Struct, frozen=True):
    """The members that are meant. ``tiers`` is (group, levels); ages are full years.

    ``plans`` are plans of which the member has one, ``no_plans`` those of which it has none.
    ``choices`` are (choice, option) that stand, ``no_choices`` are (choice, options)
    of which none does. ``said`` is how the file says it.
    """

    tiers: tuple[tuple[str, tuple[int, ...]], ...] = ()
    segments: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    no_choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    age_from: int = 0
    age_to: int = 999
    plans: tuple[str, ...] = ()
    no_plans: tuple[str, ...] = ()
    said: str = ""


def levels(node: Node, group: str, reader: Reader) -> tuple[int, ...]:
    """The levels of a tier group that ``gold``, ``[silver, gold]`` or ``gold or higher`` names."""
    names = reader.names.get(f"tiers {group}", [])
    found: list[int] = []
    for each in list_of(node):
        text = text_of(each)
        base = text.removesuffix(" or higher").removesuffix(" or lower")
        if base not in names:
            message = f"{group} has no level {base!r}. {suggest(base, names)}"
            raise Wrong("unknown-level", message, each)
        at = names.index(base)
        if text.endswith(" or higher"):
            found += range(at, len(names))
        elif text.endswith(" or lower"):
            found += range(at + 1)
        else:
            found.append(at)
    return tuple(sorted(set(found)))


_AGE = re.compile(r"(\d+) or (more|less)|(\d+) to (\d+)")


def _age(node: Node) -> tuple[int, int]:
    match = _AGE.fullmatch(text_of(node))
    if not match:
        raise Wrong("age-expected", "Write an age as 13 or more, or 18 to 25.", node)
    if match[1]:
        return (int(match[1]), 999) if match[2] == "more" else (0, int(match[1]))
    return int(match[3]), int(match[4])


def _who(node: Node, reader: Reader) -> Who:
    if not isinstance(node.value, dict):
        message = "Say who, for example {status: gold or higher} or {age: 13 or more}."
        raise Wrong("who-expected", message, node)
    tiers: list[tuple[str, tuple[int, ...]]] = []
    values: dict[str, Any] = {}
    for key, child in node.value.items():
        if key in reader.names.get("tiers", []):
            tiers.append((key, levels(child, key, reader)))
        elif key == "segment":
            values["segments"] = tuple(text_of(each) for each in list_of(child))
        elif key == "choice" and isinstance(child.value, dict):
            for choice in child.value:
                if choice not in (known := reader.names.get("choices", [])):
                    message = f"There is no choice {choice!r}. {suggest(choice, known)}"
                    raise Wrong("unknown-choice", message, child)
            values["choices"] = tuple((k, text_of(v)) for k, v in child.value.items())
        elif key == "age":
            values["age_from"], values["age_to"] = _age(child)
        elif key in ("plan", "no plan"):
            values["plans" if key == "plan" else "no_plans"] = _plans(child, reader)
        else:
            known = [*reader.names.get("tiers", []), "segment", "choice", "age", "plan", "no plan"]
            line, column = node.keys.get(key, (node.line, node.column))
            message = f"Members have no {key!r}. {suggest(key, known)}"
            raise Wrong("unknown-who", message, Node("", line, column))
    return Who(tiers=tuple(tiers), **values, said=as_said(node))


def as_said(node: Node) -> str:
    """A value of the file as people read it: ``status gold or higher, age 18 to 25``."""
    if isinstance(node.value, dict):
        return ", ".join(f"{key} {as_said(child)}" for key, child in node.value.items())
    if isinstance(node.value, list):
        return " or ".join(as_said(each) for each in node.value)
    return text_of(node)


def _plans(node: Node, reader: Reader) -> tuple[str, ...]:
    """The names of one or several plans."""
    known = reader.names.get("plans", [])
    for each in list_of(node):
        if text_of(each) not in known:
            message = f"There is no plan {text_of(each)!r}. {suggest(text_of(each), known)}"
            raise Wrong("unknown-plan", message, each)
    return tuple(text_of(each) for each in list_of(node))


class When(Struct, frozen=True):
    """The times that are meant, local to the program. Hours are minutes from midnight.

    ``joining`` is a number of days, of which the day of joining is the first.
    """

    spans: tuple[Span, ...] = ()
    weekdays: tuple[int, ...] = ()
    hours: tuple[int, int] | None = None
    birthday: str = ""
    joining: int = 0


_HOURS = re.compile(r"(\d\d):(\d\d) to (\d\d):(\d\d)")


def _hours(node: Node) -> tuple[int, int]:
    match = _HOURS.fullmatch(text_of(node))
    if not match:
        raise Wrong("hours-expected", "Write hours as 09:00 to 11:30.", node)
    a, b, c, d = map(int, match.groups())
    return a * 60 + b, c * 60 + d


def _weekdays(node: Node) -> tuple[int, ...]:
    return tuple(WEEKDAYS.index(one_of(each, WEEKDAYS)) for each in list_of(node))


def _when(node: Node, reader: Reader) -> When:
    if not isinstance(node.value, dict):
        first = list_of(node)[0].value
        if isinstance(first, str) and first in WEEKDAYS:
            return When(weekdays=_weekdays(node))
        if isinstance(first, str) and first.startswith("birthday "):
            return When(birthday=one_of(node, tuple(f"birthday {x}" for x in _BIRTHDAYS))[9:])
        if isinstance(first, str) and _HOURS.fullmatch(first):
            return When(hours=_hours(node))
        if isinstance(first, str) and first.endswith(" of joining"):
            return When(joining=_joining(node))
        return When(spans=tuple(span(each) for each in list_of(node)))
    values: dict[str, Any] = {}
    for key, child in node.value.items():
        if key == "dates":
            values["spans"] = tuple(span(each) for each in list_of(child))
        elif key == "weekdays":
            values["weekdays"] = _weekdays(child)
        elif key == "hours":
            values["hours"] = _hours(child)
        elif key == "birthday":
            values["birthday"] = one_of(child, _BIRTHDAYS)
        elif key == "joining":
            values["joining"] = _joining(child)
        else:
            known = ("dates", "weekdays", "hours", "birthday", "joining")
            raise Wrong("unknown-when", f"No time is {key!r}. {suggest(key, known)}", child)
    return When(**values)


_BIRTHDAYS = ("day", "week", "month")
_JOINING = re.compile(r"within (\d+) (day|week)s? of joining")


def _joining(node: Node) -> int:
    match = _JOINING.fullmatch(text_of(node))
    if not match or not int(match[1]):
        raise Wrong("days-expected", "Write for example: within 7 days of joining.", node)
    return int(match[1]) * (7 if match[2] == "week" else 1)


class If(Struct, frozen=True):
    """What the purchase must be like.

    ``basket`` counts all lines, ``spend`` and ``items`` those of the rule; amounts are
    reached at ``tolerance`` of them. What stands in ``but`` is any other than those named.
    """

    basket: int = 0
    spend: int = 0
    items: int = 0
    tolerance: Ratio = Ratio(1)
    tender: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    location: tuple[str, ...] = ()
    partner: tuple[str, ...] = ()
    unspent: bool = False
    but: tuple[str, ...] = ()


_LISTS = ("tender", "channel", "location", "partner")
_ANY_BUT = "any but "


def _at_least(node: Node, reader: Reader) -> Quantity:
    text = text_of(node)
    if not text.startswith("at least "):
        raise Wrong("at-least-expected", f"Write 'at least' before {text!r}.", node)
    return quantity(text[9:], node, reader, 9)


def _if(node: Node, reader: Reader) -> If:
    if not isinstance(node.value, dict):
        raise Wrong(
            "if-expected", "Say what must hold, for example {basket: at least 30 EUR}.", node
        )
    values: dict[str, Any] = {}
    for key, child in node.value.items():
        if key in ("basket", "spend", "items"):
            values[key] = _at_least(child, reader).amount
        elif key == "tolerance":
            values[key] = percent(text_of(child), child)
        elif key in _LISTS:
            words = tuple(text_of(each) for each in list_of(child))
            if words and words[0].startswith(_ANY_BUT):
                values["but"] = (*values.get("but", ()), key)
                words = tuple(words[0].removeprefix(_ANY_BUT).split(" or "))
            values[key] = words
        elif key == "paid in points":
            values["unspent"] = one_of(child, ("no",)) == "no"
        else:
            known = ("basket", "spend", "items", "tolerance", "paid in points", *_LISTS)
            raise Wrong("unknown-if", f"No condition is {key!r}. {suggest(key, known)}", child)
    return If(**values)


WHERE = Kind("lines", _where, "{attribute: values}", ("{category: [coffee, tea]}",))
EXCEPT = Kind("lines", _except, "{attribute: values}", ("{category: [tobacco, gift-card]}",))
WHO = Kind("members", _who, "{tier, segment, choice, plan or age}", ("{status: gold or higher}",))
_TIMES = "dates, weekdays, hours, birthday month, within 7 days of joining"
WHEN = Kind("times", _when, _TIMES, ("2024-01-08 to 2024-02-25", "birthday month"))
IF = Kind("condition", _if, "{basket, spend, items, tender …}", ("{basket: at least 30 EUR}",))

#: Why a gate does not let a rule act, in words; of the members it says who is meant.
UNMET = {
    "date": "it holds on other days",
    "weekday": "it holds on other days of the week",
    "hour": "it holds at another time of the day",
    "birthday": "it is for the time of the birthday",
    "joining": "it is for the first days after joining",
    "basket": "the basket is too small",
    "spend": "too little is spent on what it is for",
    "items": "too few items are bought of what it is for",
    "paid in points": "a part is paid in points",
    "tender": "it is paid in another way",
    "channel": "it comes by another way",
    "location": "it is for other places",
    "partner": "it is for other partners",
}


def unmet(why: str, who: Who | None) -> str:
    """Why somebody or something is not meant, in words.

    >>> unmet("tier", Who(said="status gold or higher")), unmet("basket", None)
    ('it is for members with status gold or higher', 'the basket is too small')
    """
    if why in UNMET:
        return UNMET[why]
    return f"it is for members with {who.said}" if who is not None and who.said else why


#: A gate lets a rule act: (turn, basket, spend, items) -> why not, or empty.
Gate = Callable[[Turn, int, int, int], str]


def gates(who: Who | None, when: When | None, if_: If | None) -> tuple[Gate, ...]:
    """The gates that the conditions make, the cheap ones first."""
    found: list[Gate] = []
    if when is not None:
        found.append(lambda turn, basket, spend, items: _check_when(when, turn))
    if if_ is not None:
        found.append(lambda turn, basket, spend, items: _check_if(if_, turn, basket, spend, items))
    if who is not None:
        found.append(lambda turn, basket, spend, items: check_who(who, turn))
    return tuple(found)


def write_gates(
    code: Code, who: Who | None, when: When | None, if_: If | None, sum_of: Callable[[str], str]
) -> list[tuple[str, str]]:
    """The conditions as written code: (expression that must hold, why not) each.

    The common shapes are written out, the others call their gate. The function has ``turn``
    and ``day``; ``sum_of`` names what the ``basket`` comes to, and what the rule's lines come to
    in ``amounts`` or ``items``.
    """
    found: list[tuple[str, str]] = []
    if when is not None:
        if when == When(spans=when.spans) and len(when.spans) == 1:
            first, last = when.spans[0].first, when.spans[0].last or 1 << 40
            found.append((f"{first} <= day <= {last}", '"date"'))
        else:
            found.append(_call(code, gates(None, when, None)[0], "0, 0, 0"))
    if if_ is not None:
        if if_ == If(basket=if_.basket):
            found.append((f"{sum_of('basket')} >= {if_.basket}", '"basket"'))
        elif if_ == If(spend=if_.spend):
            found.append((f"{sum_of('amounts')} >= {if_.spend}", '"spend"'))
        else:
            sums = ", ".join(map(sum_of, ("basket", "amounts", "items")))
            found.append(_call(code, gates(None, None, if_)[0], sums))
    if who is not None:
        if who == Who(tiers=who.tiers, said=who.said) and len(who.tiers) == 1:
            group, allowed = who.tiers[0]
            level = code.once(f"turn.level({group!r})", "level")
            found.append((f"{level} in {allowed!r}", '"tier"'))
        else:
            found.append(_call(code, gates(who, None, None)[0], "0, 0, 0"))
    return found


def _call(code: Code, gate: Gate, sums: str) -> tuple[str, str]:
    call = f"{code.constant(gate, 'gate')}(turn, {sums})"
    return f"not {call}", call


def _check_when(when: When, turn: Turn) -> str:
    day = turn.day
    if not on(when.spans, day):
        return "date"
    if when.weekdays and calendar.weekday(day) not in when.weekdays:
        return "weekday"
    if when.hours:
        minute = turn.calendar.minute(turn.moment)
        if not when.hours[0] <= minute < when.hours[1]:
            return "hour"
    if when.birthday and not _is_birthday(turn, when.birthday):
        return "birthday"
    if when.joining and day >= turn.account.joined + when.joining:
        return "joining"
    return ""


def _is_birthday(turn: Turn, width: str) -> bool:
    """The fact ``birthday`` is ``year-month-day`` or ``month-day``."""
    text = turn.fact("birthday")
    if not text:
        return False
    month, day_of_month = (int(part) for part in text.split("-")[-2:])
    if width == "month":
        return calendar.month_of(turn.day)[1] == month
    first = turn.day if width == "day" else turn.day - 6
    return calendar.next_yearly(first, month, day_of_month) <= turn.day


def _check_if(if_: If, turn: Turn, basket: int, spend: int, items: int) -> str:
    num, den = if_.tolerance.num, if_.tolerance.den
    if basket * den < if_.basket * num:
        return "basket"
    if spend * den < if_.spend * num:
        return "spend"
    if items < if_.items:
        return "items"
    if if_.unspent and turn.spent:
        return "paid in points"
    for name in _LISTS:
        wanted = getattr(if_, name)
        if wanted and (getattr(turn.event.body, name, "") in wanted) is (name in if_.but):
            return name
    return ""


def check_who(who: Who, turn: Turn) -> str:
    """Empty when the member is meant; otherwise what is missing."""
    for group, allowed in who.tiers:
        if turn.level(group) not in allowed:
            return "tier"
    for segment in who.segments:
        if turn.fact(SEGMENT + segment) != "yes":
            return "segment"
    for name, value in who.choices:
        if turn.choice(name) != value:
            return "choice"
    for name, values in who.no_choices:
        if turn.choice(name) in values:
            return "choice"
    if who.plans or who.no_plans:
        held = turn.plans()
        if (who.plans and held.isdisjoint(who.plans)) or not held.isdisjoint(who.no_plans):
            return "plan"
    if who.age_from or who.age_to < 999:
        birthday = turn.fact("birthday")
        if birthday.count("-") != 2:
            return "age"
        age = calendar.years_between(calendar.day(birthday), turn.day)
        if not who.age_from <= age <= who.age_to:
            return "age"
    return ""
