"""Sentences: what is said to people, with its places still open to other languages.

A sentence is an English template with named places and typed values. ``str`` of it is the
English; a door says it in another language by the translation of its template, with each
value in the forms of that language.

>>> left = Template("{points} for {rule}{on}.")
>>> on = Template(", for {n} item", ", for {n} items")
>>> said = left(points=Amount(Unit("stamps", one="stamp"), 1), rule=Name("coffee"), on=on(n=2))
>>> str(said)
'1 stamp for coffee, for 2 items.'
>>> str(Several((Keyed("gold", Phrase("2 %")), Keyed("silver", Phrase("1 %")))))
'gold: 2 %, silver: 1 %'
"""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Struct

from kantis.core.amounts import Unit
from kantis.core.calendar import show_day


class Amount(Struct, frozen=True):
    """So many minor units of a unit; ``short`` leaves the zeros at the end away."""

    unit: Unit
    amount: int
    short: bool = False

    @property
    def number(self) -> str:
        """The decimal number."""
        number = self.unit.number(self.amount)
        return number.rstrip("0").rstrip(".") if self.short and "." in number else number

    def __str__(self) -> str:
        if not self.short:
            return self.unit.show(self.amount)
        return f"{self.number} {self.unit.name}".rstrip()


class Day(Struct, frozen=True):
    """A day of the calendar."""

    day: int

    def __str__(self) -> str:
        return show_day(self.day)


class Phrase(Struct, frozen=True):
    """A value of a program file, as it stands there."""

    text: str

    def __str__(self) -> str:
        return self.text


class Name(Struct, frozen=True):
    """The name of an entry of the program, of a level, or of a partner, and its English title.

    ``of`` is the section in which it stands, where entries of several may be called the same.
    """

    name: str
    title: str = ""
    of: str = ""

    def __str__(self) -> str:
        return self.title or self.name


class Keyed(Struct, frozen=True):
    """A value of a program file with the key that it stands under."""

    key: str
    value: Value

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"


class Several(Struct, frozen=True):
    """Values that stand beside each other."""

    values: tuple[Value, ...]

    def __str__(self) -> str:
        return ", ".join(str(each) for each in self.values)


class No(Struct, frozen=True):
    """The sentence of a refusal, as it was recorded with its code."""

    code: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


class Sentence(Struct, frozen=True):
    """A template with its places filled."""

    template: Template
    places: dict[str, Any]

    def __str__(self) -> str:
        chosen = self.template
        text = chosen.many if chosen.many and self.places["n"] != 1 else chosen.text
        return text.format_map(self.places)


class Template(Struct, frozen=True):
    """An English sentence with places in braces, or a part of one.

    With ``many``, ``text`` is what is said of one, and the place ``n`` is the number.
    Templates are written out where they stand, for the catalogs are made from the source.
    """

    text: str
    many: str = ""

    def __call__(self, **places: Value) -> Sentence:
        return Sentence(self, places)


Value: TypeAlias = "Amount | Day | Phrase | Name | Keyed | Several | No | Sentence | str | int"
