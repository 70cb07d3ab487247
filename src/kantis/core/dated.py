"""Dated values: any value of a program file can be a mapping from dates to values.

``{before 2023-05-23: 4 points per 1 GBP, from 2023-05-23: 3 points per 1 GBP}`` is one value
until a day and another one from it. A file is read once for each stretch of days on which
nothing in it changes; so no rule has to know about dates.

>>> from kantis.core.knobs import plain
>>> tree = node({"give": {"before 2023-05-23": "four", "from 2023-05-23": "three"}})
>>> day = calendar.day("2023-05-23")
>>> boundaries(tree) == {day}
True
>>> plain(at(tree, day - 1)), plain(at(tree, day))
({'give': 'four'}, {'give': 'three'})
"""

from __future__ import annotations

import re
from itertools import pairwise

from kantis.core import calendar
from kantis.core.knobs import Fault, Node, node
from kantis.core.phrases import Span, span

__all__ = ["at", "boundaries", "calendar", "is_dated", "node", "overlaps"]

_KEY = re.compile(
    r"(before \d{4}-\d{2}-\d{2}|from \d{4}-\d{2}-\d{2}|\d{4}-\d{2}-\d{2} to \d{4}-\d{2}-\d{2})"
)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

#: What an entry is about: a rule gives, a reward costs, a cycle has dates.
DEFINING = frozenset("give multiply add off cost rate rungs levels every fee".split())


def is_dated(tree: Node) -> bool:
    """Whether a mapping is a dated value: all its keys are stretches of dates."""
    return (
        isinstance(tree.value, dict)
        and bool(tree.value)
        and all(_KEY.fullmatch(key) for key in tree.value)
    )


def _span(tree: Node, key: str) -> Span:
    line, column = tree.keys.get(key, (tree.line, tree.column))
    return span(Node(key, line, column))


def boundaries(tree: Node) -> set[int]:
    """The days from which something in the tree is another than the day before."""
    found: set[int] = set()
    if isinstance(tree.value, dict):
        dated = is_dated(tree)
        for key, child in tree.value.items():
            if dated:
                days = _span(tree, key)
                found |= {days.first} if days.first else set()
                found |= {days.last + 1} if days.last else set()
            found |= boundaries(child)
    elif isinstance(tree.value, list):
        for child in tree.value:
            found |= boundaries(child)
    return found


def overlaps(tree: Node, path: str = "") -> list[Fault]:
    """A fault for each dated value of which two stretches hold the same day, or one is none."""
    found: list[Fault] = []
    if isinstance(tree.value, dict):
        if is_dated(tree):
            spans = sorted(
                (_span(tree, key).first, _span(tree, key).last or 1 << 40, key)
                for key in tree.value
            )
            for (_, last, one), (first, _, other) in pairwise(spans):
                if first <= last:
                    line, column = tree.keys.get(other, (tree.line, tree.column))
                    message = (
                        f"{one!r} and {other!r} overlap; each day has one value."
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
    keys = [key for key in tree.value if _DATE.search(key)]
    if not keys or is_dated(tree):
        return []
    wrong = next((key for key in tree.value if not _KEY.fullmatch(key)), keys[0])
    line, column = tree.keys.get(wrong, (tree.line, tree.column))
    message = (
        f"{wrong!r} is no stretch of dates. Write 'before 2024-01-01', 'from 2024-01-01' or"
        " '2024-01-01 to 2024-03-31', and nothing else beside them."
    )
    return [Fault("dates-expected", message, line, column, path)]


def at(tree: Node, day: int) -> Node | None:
    """The tree as it stands on a day; None where a dated value has nothing for it.

    An entry without the value that makes it what it is (``DEFINING``) is not there that day.
    """
    if isinstance(tree.value, dict):
        if is_dated(tree):
            for key, child in tree.value.items():
                days = _span(tree, key)
                if days.first <= day and (not days.last or day <= days.last):
                    return at(child, day)
            return None
        kept = {key: at(child, day) for key, child in tree.value.items()}
        if any(child is None and key in DEFINING for key, child in kept.items()):
            return None
        fields = {key: child for key, child in kept.items() if child is not None}
        return Node(fields, tree.line, tree.column, tree.keys)
    if isinstance(tree.value, list):
        items = [at(child, day) for child in tree.value]
        return Node([each for each in items if each is not None], tree.line, tree.column)
    return tree
