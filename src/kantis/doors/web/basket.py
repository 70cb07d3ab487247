"""Basket: what a cashier types and scans, read to a card, to lines and to a number of a receipt.

A basket stands in the address of the page: its id, the instant at which it began, the card,
and the lines. The id is that of the purchase, so whatever is pressed twice is booked once.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, urlencode

from msgspec import Struct, structs

from kantis.core.amounts import Unit
from kantis.core.events import Line
from kantis.core.knobs import Node
from kantis.desk.codes import LETTERS, code_of, grouped, new_code

_RECEIPT_LETTERS: Final = 12
_RECEIPT: Final = re.compile(rf"[{LETTERS}]{{{_RECEIPT_LETTERS}}}")
#: The tracks of a magnetic stripe, as a reader types them.
_TRACKS: Final = (
    re.compile(r"%[A-Z]([^^?]{1,40})\^"),
    re.compile(r"[;+]([0-9]{1,40})[=?]"),
)
_AMOUNT: Final = re.compile(r"(?:([0-9]{1,3})\s*[*x×]\s*)?([0-9][0-9\s.,']*)")
_CARD_MAX: Final = 64
LINES_MAX: Final = 200
_MOST: Final = 10**12
#: What is sold where nothing else is said.
GOODS: Final = "goods"


def new_receipt() -> str:
    """The number of a receipt: nobody guesses it, and everybody can type it."""
    return grouped(new_code(_RECEIPT_LETTERS))


def receipt_of(typed: str) -> str:
    """The number of a receipt, however it was typed; empty where it is none.

    >>> receipt_of(" 7q4k9m2pxw35 "), receipt_of("12")
    ('7Q4K-9M2P-XW35', '')
    """
    code = code_of(typed)
    return grouped(code) if _RECEIPT.fullmatch(code) else ""


def card_of(typed: str) -> str:
    """The number of a card that was typed, scanned, or drawn through a reader of stripes.

    >>> card_of(";6407001=4912?"), card_of("%B6407001^LUMI/L^49?;6407001=49?"), card_of(" 6407 001")
    ('6407001', '6407001', '6407001')
    """
    for track in _TRACKS:
        found = track.search(typed)
        if found:
            return found[1].replace(" ", "")
    plain = re.sub(r"\s", "", typed)
    return plain[:_CARD_MAX] if plain.isprintable() else ""


def line_of(typed: str, unit: Unit, category: str, number: int) -> Line | None:
    """A line of an amount, perhaps of several items; ``None`` where it is no amount.

    >>> unit = Unit("EUR", 2, money=True)
    >>> line = line_of("2 x 4,50", unit, "coffee", 1)
    >>> line.quantity, line.amount, line_of("x", unit, "", 1)
    (2, 900, None)
    """
    match = _AMOUNT.fullmatch(typed.strip())
    amount = coins(match[2], unit) if match else None
    if match is None or amount is None:
        return None
    quantity = int(match[1] or 1)
    if not quantity or not 0 < amount * quantity <= _MOST:
        return None
    return Line(str(number), category or GOODS, quantity, amount * quantity, category=category)


def coins(typed: str, unit: Unit) -> int | None:
    """An amount of money with the marks of any language, in its smallest coin.

    >>> eur, vnd = Unit("EUR", 2, money=True), Unit("VND", 0, money=True)
    >>> [coins(each, eur) for each in ("12.50", "12,5", "1 234,50", "1.234,50", "7", "1.234")]
    [1250, 1250, 123450, 123450, 700, 123400]
    >>> coins("250.000", vnd), coins("1,2,3.4567", eur)
    (250000, None)
    """
    text = re.sub(r"[\s']", "", typed)
    whole, mark, rest = text, "", ""
    last = max(text.rfind("."), text.rfind(","))
    if last >= 0 and unit.scale and len(text) - last - 1 <= unit.scale:
        whole, mark, rest = text[:last], text[last], text[last + 1 :]
    parts = re.split(r"[.,]", whole)
    thousands = all(len(each) == 3 for each in parts[1:])
    if not thousands or not "".join(parts).isdecimal() or (mark and not rest.isdecimal()):
        return None
    return int("".join(parts) + rest.ljust(unit.scale, "0"))


class Basket(Struct, frozen=True):
    """What is being sold: the id it will have, since when, to whom, and the lines."""

    id: str
    at: int
    card: str = ""
    lines: tuple[Line, ...] = ()
    #: What was paid in points without the network, per reward.
    points: tuple[tuple[str, int], ...] = ()

    def without(self, at: int) -> Basket:
        """The same sale without one of its lines."""
        return structs.replace(self, lines=(*self.lines[:at], *self.lines[at + 1 :]))

    @property
    def total(self) -> int:
        """What it costs, in the smallest coin."""
        return sum(line.amount for line in self.lines)

    @property
    def said(self) -> str:
        """The lines as an address and a form carry them."""
        return ";".join(
            f"{quote(line.category, safe='')}:{line.quantity}:{line.amount}" for line in self.lines
        )

    @property
    def address(self) -> str:
        """The page on which it goes on."""
        about = {"id": self.id, "at": str(self.at), "card": self.card, "lines": self.said}
        return f"/till?{urlencode({name: value for name, value in about.items() if value})}"


def lines_of(said: str) -> tuple[Line, ...]:
    """The lines that an address carries; what is none is left out.

    >>> [line.amount for line in lines_of("coffee:2:900;:1:500;x")]
    [900, 500]
    """
    found: list[Line] = []
    for each in said.split(";")[:LINES_MAX]:
        category, quantity, amount = [*each.split(":"), "", ""][:3]
        numbers = [
            int(x) if x.isascii() and x.isdecimal() and len(x) < 15 else 0
            for x in (quantity, amount)
        ]
        if not all(numbers) or max(numbers) > _MOST:
            continue
        name = unquote(category)[:100]
        count, total = numbers
        found.append(Line(str(len(found) + 1), name or GOODS, count, total, category=name))
    return tuple(found)


def categories(tree: dict[str, Node]) -> list[str]:
    """The categories that a program tells apart, in the order of its file."""
    found: list[str] = []
    for entry in tree.values():
        _look(entry, "", found)
    return list(dict.fromkeys(found))


def _look(node: Node, key: str, found: list[str]) -> None:
    if isinstance(node.value, dict):
        for name, each in node.value.items():
            _look(each, name, found)
    elif isinstance(node.value, list):
        for each in node.value:
            _look(each, key, found)
    elif key == "category" and not str(node.value).startswith("chosen "):
        found.append(str(node.value))
