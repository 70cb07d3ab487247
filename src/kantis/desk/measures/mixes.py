"""Mixes: what purchases are made of, by a word of theirs, beside the months before.

>>> from kantis.desk.measures.figures import Month
>>> may = Month(2, channels={"till": Pair(3, 900), "web": Pair(1, 400)})
>>> parts, whole = mixed([may], [Month(1)], "channels")
>>> [(each.name, each.now.count) for each in parts], whole.now.count
([('till', 3), ('web', 1)], 4)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct, field

from kantis.desk.measures.figures import Month, Pair

#: So many words are named; what is left stands together under ``REST``.
NAMED_MAX: Final = 12
REST: Final = "Everything else"
#: What has no word.
UNNAMED: Final = "Not said"


class Part(Struct):
    """What a word stands for: of members now and before, and without a card. ``is_ours`` where
    the word is one of ours, and no shop's."""

    name: str
    is_ours: bool = False
    now: Pair = field(default_factory=Pair)
    before: Pair = field(default_factory=Pair)
    alone: Pair = field(default_factory=Pair)

    def add(self, other: Part) -> None:
        """Count what another word stands for too."""
        for mine, its in zip(self.pairs, other.pairs, strict=True):
            mine.add(its.count, its.amount)

    @property
    def pairs(self) -> tuple[Pair, Pair, Pair]:
        """All three."""
        return self.now, self.before, self.alone


def mixed(shown: Sequence[Month], before: Sequence[Month], of: str) -> tuple[list[Part], Part]:
    """The parts, the largest first, and all of them; no parts where nothing has a word.

    ``of`` is ``kinds`` or ``channels`` of a month.
    """
    found: dict[str, Part] = {}
    for months, which, place in (
        (shown, of, 0), (before, of, 1), (shown, f"alone_{of}", 2),
    ):  # fmt: skip
        for month in months:
            for name, pair in getattr(month, which).items():
                part = found.setdefault(name, Part(name or UNNAMED, not name))
                part.pairs[place].add(pair.count, pair.amount)
    whole = _all(found.values(), "")
    words = sorted((each for name, each in found.items() if name), key=_size)
    if not words:
        return [], whole
    rest = [_all(words[NAMED_MAX:], REST)] if words[NAMED_MAX:] else []
    return [*words[:NAMED_MAX], *rest, *([found[""]] if "" in found else [])], whole


def _size(part: Part) -> tuple[int, int, str]:
    return -part.now.amount, -part.alone.amount, part.name


def _all(parts: Iterable[Part], name: str) -> Part:
    made = Part(name, is_ours=True)
    for each in parts:
        made.add(each)
    return made
