"""Dated values: any value of a program file can be a mapping from dates to values.

``{before 2023-05-23: 4 points per 1 GBP, from 2023-05-23: 3 points per 1 GBP}`` is one value
until a day and another one from it; ``from 2025-03-03 23:01`` names the minute. A file is
read once for each stretch of time in which nothing in it changes; so no rule has to know
about dates. A time of the wall's clock is a number of minutes (``Calendar.wall``).

>>> from kantis.core.knobs import plain
>>> tree = node({"give": {"before 2023-05-23": "four", "from 2023-05-23": "three"}})
>>> midnight = calendar.day("2023-05-23") * DAY_MINUTES
>>> boundaries(tree) == {midnight}
True
>>> plain(at(tree, midnight - 1)), plain(at(tree, midnight))
({'give': 'four'}, {'give': 'three'})
"""

from __future__ import annotations

import re
from itertools import pairwise

from kantis.core import calendar, slips
from kantis.core.calendar import DAY_MINUTES
from kantis.core.knobs import Fault, Node, Wrong, node
from kantis.core.phrases import span

__all__ = ["DAY_MINUTES", "at", "boundaries", "calendar", "is_dated", "node", "overlaps"]

_DATE, _TIME = r"\d{4}-\d{2}-\d{2}", r"(?: (\d{2}):(\d{2}))?"
_KEY = re.compile(rf"(?:(?:before|from) {_DATE}{_TIME}|{_DATE} to {_DATE})")
_ALWAYS = 1 << 40

#: What an entry is about: a rule gives, a reward costs, a cycle has dates.
DEFINING = frozenset("give multiply add off cost rate rungs levels every fee".split())


def is_dated(tree: Node) -> bool:
    """Whether a mapping is a dated value: all its keys are stretches of dates."""
    return (
        isinstance(tree.value, dict)
        and bool(tree.value)
        and all(_KEY.fullmatch(key) for key in tree.value)
    )


def _stretch(tree: Node, key: str) -> tuple[int, int]:
    """The minutes from the first inside to the first outside."""
    line, column = tree.keys.get(key, (tree.line, tree.column))
    match = _KEY.fullmatch(key)
    assert match is not None
    minutes = 0
    if match[1]:
        minutes = int(match[1]) * 60 + int(match[2])
        if int(match[1]) > 23 or int(match[2]) > 59:
            message = f"{key!r} has no time of a day. Write for example 'from 2025-03-03 23:01'."
            raise Wrong("time-expected", message, Node(key, line, column))
        key = key[:-6]
    days = span(Node(key, line, column))
    first = days.first * DAY_MINUTES + minutes if days.first else 0
    return first, (days.last + 1) * DAY_MINUTES + minutes if days.last else _ALWAYS


def boundaries(tree: Node) -> set[int]:
    """The minutes from which something in the tree is another than before."""
    found: set[int] = set()
    if isinstance(tree.value, dict):
        dated = is_dated(tree)
        for key, child in tree.value.items():
            if dated:
                found |= set(_stretch(tree, key)) - {0, _ALWAYS}
            found |= boundaries(child)
    elif isinstance(tree.value, list):
        for child in tree.value:
            found |= boundaries(child)
    return found


def overlaps(tree: Node, path: str = "") -> list[Fault]:
    """A fault for each dated value of which two stretches hold the same time, or one is none."""
    found: list[Fault] = []
    if isinstance(tree.value, dict):
        if is_dated(tree):
            try:
                spans = sorted((*_stretch(tree, key), key) for key in tree.value)
            except Wrong as wrong:
                at_fault = wrong.node
                fault = Fault(wrong.code, wrong.message, at_fault.line, at_fault.column, path)
                return [*found, fault]
            for (_, end, one), (first, _, other) in pairwise(spans):
                if first < end:
                    line, column = tree.keys.get(other, (tree.line, tree.column))
                    message = (
                        f"{one!r} and {other!r} overlap; each time has one value."
                        " End one before the other begins."
                    )
                    found.append(Fault("versions-overlap", message, line, column, path))
        found += _strangers(tree, path)
        for key, child in tree.value.items():
            found += overlaps(child, f"{path} > {key}" if path else key)
    elif isinstance(tree.value, list):
        for child in tree.value:
            found += overlaps(child, path)
    return found


def _strangers(tree: Node, path: str) -> list[Fault]:
    """A fault for a key that has a date but is no stretch of dates, or stands beside some."""
    if is_dated(tree):
        return []
    for key in tree.value:
        if hint := slips.dated_key(key):
            line, column = tree.keys.get(key, (tree.line, tree.column))
            message = f"{key!r} is no stretch of dates. {hint}."
            return [Fault("dates-expected", message, line, column, path)]
    keys = [key for key in tree.value if re.search(_DATE, key)]
    if not keys:
        return []
    wrong = next((key for key in tree.value if not _KEY.fullmatch(key)), keys[0])
    line, column = tree.keys.get(wrong, (tree.line, tree.column))
    message = (
        f"{wrong!r} is no stretch of dates. Write 'before 2024-01-01', 'from 2024-01-01' or"
        " '2024-01-01 to 2024-03-31', and nothing else beside them."
    )
    return [Fault("dates-expected", message, line, column, path)]


def at(tree: Node, minute: int) -> Node | None:
    """The tree as it stands at a minute; None where a dated value has nothing for it.

    An entry without the value that makes it what it is (``DEFINING``) is not there then.
    """
    if isinstance(tree.value, dict):
        if is_dated(tree):
            for key, child in tree.value.items():
                first, end = _stretch(tree, key)
                if first <= minute < end:
                    return at(child, minute)
            return None
        kept = {key: at(child, minute) for key, child in tree.value.items()}
        if any(child is None and key in DEFINING for key, child in kept.items()):
            return None
        fields = {key: child for key, child in kept.items() if child is not None}
        return Node(fields, tree.line, tree.column, tree.keys)
    if isinstance(tree.value, list):
        items = [at(child, minute) for child in tree.value]
        return Node([each for each in items if each is not None], tree.line, tree.column)
    return tree
