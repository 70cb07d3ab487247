"""Barcode: the number of a card as Code 128 (ISO/IEC 15417), which every scanner at a till reads.

Guarantee: what is drawn is read back as the same text, letter by letter; pairs of digits are
written as one sign where that is shorter. A text that the code cannot say is refused.

>>> code128("6407001").partition(">")[0]
'<svg viewBox="0 0 110 30" width="220" height="60" aria-hidden="true"'
"""

from __future__ import annotations

from typing import Final

#: The signs by value, each as the widths of its bars and gaps in turn, in modules.
_SIGNS: Final = tuple(
    (
        "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 "
        "112232 122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 "
        "311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 "
        "112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
        "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 "
        "314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 "
        "122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 "
        "124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
        "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
    ).split()
)
_TO_PAIRS, _TO_LETTERS, _BEGIN_LETTERS, _BEGIN_PAIRS, _END = 99, 100, 104, 105, 106
_CHECK: Final = 103
_FIRST, _LAST = " ", "~"
#: So many digits in a row are worth changing to pairs for, within a text and at an end of it.
_WORTH_WITHIN, _WORTH_AT_END = 6, 4
#: Nothing may stand so many modules beside the bars.
_QUIET: Final = 10
_HIGH: Final = 30
#: Pixels of a module, where there is room for them.
_SCALE: Final = 2
#: What is longer is too wide for a scanner, and for a phone.
LETTERS_MAX: Final = 40


def can_say(text: str) -> bool:
    """Whether a text can be drawn: printable letters of ASCII, at most ``LETTERS_MAX``.

    >>> can_say("CLUB-0042"), can_say("Ümit"), can_say("")
    (True, False, False)
    """
    return 0 < len(text) <= LETTERS_MAX and all(_FIRST <= each <= _LAST for each in text)


def code128(text: str) -> str:
    """A text as a picture of bars, in SVG that takes the colour of what it stands in.

    A module is two pixels wide where there is room, and the quiet zone is part of the picture.
    Raises ``ValueError`` for what ``can_say`` says no to.

    >>> code128("Ümit")
    Traceback (most recent call last):
    ValueError: Code 128 cannot say 'Ümit'. Give 1 to 40 printable letters of ASCII.
    """
    if not can_say(text):
        raise ValueError(
            f"Code 128 cannot say {text!r}. Give 1 to {LETTERS_MAX} printable letters of ASCII."
        )
    x, bars = _QUIET, []
    for value in _values(text):
        for n, width in enumerate(map(int, _SIGNS[value])):
            if n % 2 == 0:
                bars.append(f"M{x} 0h{width}v{_HIGH}h-{width}z")
            x += width
    wide = x + _QUIET
    size = f'viewBox="0 0 {wide} {_HIGH}" width="{wide * _SCALE}" height="{_HIGH * _SCALE}"'
    path = f'<path fill="currentColor" d="{"".join(bars)}"/>'
    return f'<svg {size} aria-hidden="true">{path}</svg>'


def _values(text: str) -> list[int]:
    """The values of the signs, from the one that begins to the one that ends.

    >>> _values("6407001")
    [105, 64, 7, 0, 100, 17, 50, 106]
    """
    values: list[int] = []
    pairs, at = False, 0
    while at < len(text):
        run = _digits(text, at)
        at_end = at == 0 or at + run == len(text)
        whole = run == len(text) and run > 1
        wanted = run > 1 if pairs else whole or run >= (_WORTH_AT_END if at_end else _WORTH_WITHIN)
        if wanted and not pairs and run % 2 and at:
            wanted = False  # the odd one goes before the change
        if not values:
            values.append(_BEGIN_PAIRS if wanted else _BEGIN_LETTERS)
        elif wanted != pairs:
            values.append(_TO_PAIRS if wanted else _TO_LETTERS)
        pairs = wanted
        values.append(int(text[at : at + 2]) if pairs else ord(text[at]) - ord(_FIRST))
        at += 2 if pairs else 1
    check = values[0] + sum(n * value for n, value in enumerate(values))
    return [*values, check % _CHECK, _END]


def _digits(text: str, at: int) -> int:
    """How many digits follow one another from a place on."""
    run = at
    while run < len(text) and text[run] in "0123456789":
        run += 1
    return run - at
