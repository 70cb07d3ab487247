"""Charts: bars as SVG, drawn here and painted by the style sheet.

A picture has a title and a description for who does not see it, and the table under it has
every figure. Coordinates are whole numbers; nothing in it is a style.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from markupsafe import Markup, escape
from msgspec import Struct

WIDTH: Final = 360
HEIGHT: Final = 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 8, 10, 24
_INNER: Final = WIDTH - _LEFT - _RIGHT
_FLOOR: Final = HEIGHT - _BOTTOM
#: About how wide a letter is.
_LETTER: Final = 8
#: So many labels of months fit below a picture.
_LABELS_MAX: Final = 6
#: Figures are whole numbers of thousandths here.
FINE: Final = 1_000

_KINDS: Final = ("bar", "bar second", "bar third")

#: How a figure (in thousandths) is said on the axis.
Say = Callable[[int], str]


class Series(Struct, frozen=True):
    """One row of bars: its name, its figures in thousandths, and how each of them is said."""

    name: str
    values: Sequence[int | None]
    told: Sequence[str]


def top_of(most: int, *, whole: bool = False) -> int:
    """The first round number from the greatest figure on whose half is round too, so that the
    axis can be read; of ``whole`` things there is no half one.

    >>> [top_of(n) for n in (0, 7, 42, 101, 2_600)]
    [2, 8, 60, 200, 4000]
    >>> [top_of(n * FINE, whole=True) // FINE for n in (0, 1, 3, 5, 15)]
    [2, 2, 4, 6, 20]
    """
    least = 2 * FINE if whole else 2
    power = 1
    while power * 10 < most:
        power *= 10
    for step in (10, 20, 40, 60, 80, 100):
        top = step * power // 10
        if most <= top and top >= least and top % least == 0:
            return top
    return max(least, most + -most % least)


def draw(
    key: str, title: str, says: str, labels: Sequence[str], series: Sequence[Series], say: Say,
    *, whole: bool = False,
) -> Markup:  # fmt: skip
    """A picture of bars, side by side over the same labels; of ``whole`` things or of amounts."""
    figures = [value for each in series for value in each.values if value is not None]
    top = top_of(max(figures, default=0), whole=whole)
    parts = [_axis(top, say), _labels(labels)]
    parts += [_bars(each, number, len(series), top, labels) for number, each in enumerate(series)]
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="{escape(key)}-title {escape(key)}-desc">'
        f'<title id="{escape(key)}-title">{escape(title)}</title>'
        f'<desc id="{escape(key)}-desc">{escape(says)}</desc>{"".join(parts)}</svg>'
    )


def _axis(top: int, say: Say) -> str:
    made = ""
    for part in (0, 1, 2):
        y = _FLOOR - (_FLOOR - _TOP) * part // 2
        made += f'<line class="axis" x1="{_LEFT}" y1="{y}" x2="{WIDTH - _RIGHT}" y2="{y}"/>'
        made += (
            f'<text class="end" x="{_LEFT - 6}" y="{y + 4}">{escape(say(top * part // 2))}</text>'
        )
    return made


def _labels(labels: Sequence[str]) -> str:
    made, count = "", max(1, len(labels))
    wide = _LETTER * (max(map(len, labels), default=0) + 2)
    every = max(-(-count // _LABELS_MAX), -(-wide * count // _INNER))
    for number, label in enumerate(labels):
        if number % every == 0:
            x = _LEFT + _INNER * (2 * number + 1) // (2 * count)
            made += f'<text class="middle" x="{x}" y="{HEIGHT - 6}">{escape(label)}</text>'
    return made


def _bars(each: Series, number: int, of: int, top: int, labels: Sequence[str]) -> str:
    """Bars of one series; each says its figure to who points at it."""
    made, count = "", max(1, len(labels))
    room = _INNER * 10 // count  # in tenths
    wide = max(10, room * 7 // (10 * of))
    for place, value in enumerate(each.values):
        if value is None:
            continue
        high = max(0, value) * (_FLOOR - _TOP) // top
        x = _LEFT * 10 + room * place + room * 3 // 20 + wide * number
        made += (
            f'<rect class="{_KINDS[number]}" x="{x // 10}.{x % 10}" y="{_FLOOR - high}" '
            f'width="{wide // 10}.{wide % 10}" height="{high}"><title>'
            f"{escape(labels[place])}, {escape(each.name)}: {escape(each.told[place])}"
            "</title></rect>"
        )
    return made


def legend(series: Sequence[Series]) -> Markup:
    """Which bars are what; nothing where there is one kind only."""
    if len(series) < 2:
        return Markup("")
    keys = [
        f'<li><svg viewBox="0 0 12 12" aria-hidden="true"><rect class="{_KINDS[number]}" '
        f'width="12" height="12"/></svg>{escape(each.name)}</li>'
        for number, each in enumerate(series)
    ]
    return Markup(f'<ul class="legend">{"".join(keys)}</ul>')
