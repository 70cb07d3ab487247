"""Knobs: what a program file can say, each with its meaning, unit, default and limits.

A section of the file is a ``Struct``; each of its fields carries a ``Knob``. Reading,
the JSON Schema, the reference page and the forms all come from that one place.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from kantis.core.amounts import CURRENCIES, Unit

Value = TypeVar("Value", bound=Struct)


class Node(Struct):
    """A piece of a program file: a text, a list or a mapping, and where it stands (from 1)."""

    value: Any
    line: int = 0
    column: int = 0
    keys: dict[str, tuple[int, int]] = {}


def node(plain: Any) -> Node:
    """A tree of nodes, without places, from plain texts, lists and mappings."""
    if isinstance(plain, dict):
        return Node({str(key): node(value) for key, value in plain.items()})
    if isinstance(plain, list | tuple):
        return Node([node(value) for value in plain])
    return Node(str(plain))


def plain(node: Node) -> Any:
    """The texts, lists and mappings of a tree, without their places."""
    if isinstance(node.value, dict):
        return {key: plain(value) for key, value in node.value.items()}
    if isinstance(node.value, list):
        return [plain(value) for value in node.value]
    return node.value


class Fault(Struct, frozen=True):
    """What is wrong with a program file, where, and what to do."""

    code: str
    message: str
    line: int = 0
    column: int = 0
    path: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}: " if self.line else ""
        where = f" (at {self.path})" if self.path else ""
        return f"{place}{self.message} [{self.code}]{where}"


class Wrong(Exception):
    """Raised by a kind of value that cannot read its node; ``offset`` points into the text."""

    def __init__(self, code: str, message: str, node: Node, offset: int = 0) -> None:
        super().__init__(message)
        self.code, self.message, self.node, self.offset = code, message, node, offset


class ProgramError(ValueError):
    """A program file that cannot be used; ``faults`` has everything that is wrong with it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(map(str, self.faults)))


class Reader:
    """Reads a file's tree: knows its words (units, levels, names) and collects its faults."""

    def __init__(self, money: Unit | None = None) -> None:
        self.money = money
        self.units: dict[str, Unit] = {}
        self.measures: set[str] = set()
        self.levels: dict[str, tuple[str, int]] = {}
        self.names: dict[str, list[str]] = {}
        self.faults: list[Fault] = []
        self.path: list[str] = []
        self.tree: Node | None = None

    def fault(self, code: str, message: str, node: Node | None = None, offset: int = 0) -> None:
        """Write down that something is wrong."""
        line, column = (node.line, node.column) if node else (0, 0)
        column += offset if line else 0
        self.faults.append(Fault(code, message, line, column, " > ".join(self.path)))

    def fault_at(self, code: str, message: str, *path: str) -> None:
        """Write down a fault at a section, an entry or a key of the file, by its path."""
        tree, place = self.tree, (0, 0)
        for key in path:
            if tree is None or not isinstance(tree.value, dict) or key not in tree.value:
                break
            place = tree.keys.get(key, place)
            tree = tree.value[key]
        self.path = list(path)
        self.fault(code, message, Node("", *place))
        self.path = []

    def unit(self, word: str) -> Unit | None:
        """The unit that a word names: the money, or a balance by its plural or singular.

        Where the program's own money is no currency, which is a fault of its own, every
        currency stands for it: one mistake is told once.
        """
        own = self.money
        if own and (word == own.name or (word in CURRENCIES and own.name not in CURRENCIES)):
            return own
        return self.units.get(word)


Read = Callable[[Node, Reader], Any]


class Kind(Struct, frozen=True):
    """A kind of value: how it is read, how it looks (for people and for a JSON Schema)."""

    name: str
    read: Read
    looks: str
    examples: tuple[str, ...] = ()
    schema: dict[str, Any] = {}


class Knob(Struct, frozen=True):
    """One thing that a section can say."""

    kind: Kind
    meaning: str
    unit: str = ""
    limits: str = ""
    dated: bool = True


def suggest(word: str, words: Iterable[str]) -> str:
    """The sentence that proposes the nearest word, or lists what there is."""
    known = list(words)
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"There is {', '.join(repr(each) for each in known)}." if known else "There is none."


def key_of(field: str) -> str:
    """How a field's name is spelled in a file: ``for_`` is ``for``, ``paid_to`` is ``paid to``."""
    return field.rstrip("_").replace("_", " ")


@cache
def knobs_of(section: type[Struct]) -> dict[str, tuple[str, Knob, Any]]:
    """The knobs of a section by their spelling: (field, knob, default or ``msgspec.NODEFAULT``)."""
    found = {}
    hints = get_type_hints(section, include_extras=True)
    defaults = {each.name: each for each in msgspec.structs.fields(section)}
    for field, hint in hints.items():
        if get_origin(hint) is not Annotated:
            continue
        knob = next((each for each in get_args(hint) if isinstance(each, Knob)), None)
        if knob is not None:
            info = defaults[field]
            default = info.default
            if default is msgspec.NODEFAULT and info.default_factory is not msgspec.NODEFAULT:
                default = info.default_factory()
            found[key_of(field)] = (field, knob, default)
    return found


def read_section(section: type[Value], tree: Node, reader: Reader, **given: Any) -> Value:
    """A section's values from its mapping; what cannot be read is a fault and keeps its default.

    ``given`` has fields that are not knobs, for example the entry's name. A section with a
    missing value that has no default raises ``Wrong``.
    """
    if not isinstance(tree.value, dict):
        raise Wrong("mapping-expected", "Here stands a list of keys and values.", tree)
    knobs = knobs_of(section)
    values = dict(given)
    for key, child in tree.value.items():
        if key not in knobs:
            line, column = tree.keys.get(key, (tree.line, tree.column))
            message = f"There is no {key!r} here. {suggest(key, knobs)}"
            reader.fault("unknown-key", message, Node("", line, column))
            continue
        field, knob, _ = knobs[key]
        reader.path.append(key)
        try:
            values[field] = knob.kind.read(child, reader)
        except Wrong as wrong:
            reader.fault(wrong.code, wrong.message, wrong.node, wrong.offset)
            values.setdefault(field, None)
        finally:
            reader.path.pop()
    for key, (field, knob, default) in knobs.items():
        if field not in values and default is msgspec.NODEFAULT:
            sentence = f"{key!r} is missing: {knob.meaning}."
            reader.fault("missing-key", sentence, tree)
            values[field] = None
    return section(**values)


def read_entries(section: type[Value], tree: Node | None, reader: Reader) -> dict[str, Value]:
    """The named entries of a section, in the order of the file."""
    found: dict[str, Value] = {}
    if tree is None:
        return found
    if not isinstance(tree.value, dict):
        reader.fault(
            "mapping-expected",
            "Here stands a name for each entry, and what it says under it.",
            tree,
        )
        return found
    for name, child in tree.value.items():
        reader.path.append(name)
        try:
            found[name] = read_section(section, child, reader, name=name)
        except Wrong as wrong:
            reader.fault(wrong.code, wrong.message, wrong.node, wrong.offset)
        finally:
            reader.path.pop()
    return found
