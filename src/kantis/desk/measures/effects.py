"""Effects: what members of a segment bought, beside those whom a draw has held back from it.

Guarantee: the two groups differ by a draw and by nothing else, so what is between them, beyond
chance, was brought by what the segment gets. Everybody stays in the group of the draw, whether
the segment is left later or not, and counts from the draw on.

The interval is Welch's for two means, with the quantile of the normal distribution (B. L. Welch,
Biometrika 34, 1947): in 95 of 100 such draws it holds the true difference. Below
``MEMBERS_MIN`` members in a group none is given.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import Final

from msgspec import Struct

from kantis.core.calendar import Calendar, instant
from kantis.store import tallies
from kantis.store.reading import Reading

#: Members that a group needs at least, so that its mean is close to normal.
MEMBERS_MIN: Final = 30
#: The quantile for 95 in 100, on both sides.
_QUANTILE: Final = Fraction(196, 100)
#: A square root is exact to so small a part of a minor unit.
_FINE: Final = 1_000


class Group(Struct, frozen=True):
    """One arm: how many members, how many of them bought, for how much in minor units, and
    the sum of the squares of what each bought for."""

    members: int = 0
    buyers: int = 0
    spend: int = 0
    squares: int = 0

    @property
    def spread(self) -> Fraction:
        """The variance of the mean."""
        n = self.members
        return (self.squares - Fraction(self.spend**2, n)) / (n - 1) / n


class Effect(Struct, frozen=True):
    """A draw: the segment, the day, and the two groups."""

    name: str
    day: int
    got: Group
    held: Group

    @property
    def difference(self) -> int | None:
        """What a member who got it bought for more, in minor units, to the nearest one.

        >>> Effect("regulars", 0, Group(2, 2, 900), Group(3, 1, 600)).difference
        250
        """
        if not self.got.members or not self.held.members:
            return None
        return round(self._exact())

    @property
    def interval(self) -> tuple[int, int] | None:
        """Between which differences the true one is, in 95 of 100 draws.

        >>> got, held = Group(100, 80, 100_000, 125_000_000), Group(100, 70, 90_000, 106_000_000)
        >>> Effect("regulars", 0, got, held).interval
        (-39, 239)
        """
        if min(self.got.members, self.held.members) < MEMBERS_MIN:
            return None
        spread = max(Fraction(0), self.got.spread + self.held.spread)
        margin = _QUANTILE * Fraction(isqrt(int(spread * _FINE**2)), _FINE)
        return round(self._exact() - margin), round(self._exact() + margin)

    def _exact(self) -> Fraction:
        mean = Fraction(self.got.spend, self.got.members)
        return mean - Fraction(self.held.spend, self.held.members)


def effects(books: Reading, program: int, calendar: Calendar) -> list[Effect]:
    """The draws of a program, the newest first."""
    groups: dict[tuple[str, str], dict[int, Group]] = {}
    for name, drawn, held, *sums in tallies.arms_of(books, program):
        groups.setdefault((drawn, name), {})[held] = Group(*sums)
    return [
        Effect(name, calendar.day(instant(drawn)), both.get(0, Group()), both.get(1, Group()))
        for (drawn, name), both in sorted(groups.items(), reverse=True)
    ]
