"""Text: program files and case files, read strictly.

A file is UTF-8 YAML in which every value is its text: nothing turns into a number, a
date or a truth by itself. Each value and each key knows its line and column, and what
cannot be used is a fault with its place. Names for values (anchors), types (tags) and
block texts are refused, so that what a person reads is what the program says.

>>> tree = read("money: EUR\\nearn: {coffee: {give: 1 stamp per item}}")
>>> give = tree.value["earn"].value["coffee"].value["give"]
>>> give.value, give.line, give.column
('1 stamp per item', 2, 23)
>>> read("money: EUR\\nmoney: GBP")
Traceback (most recent call last):
kantis.core.knobs.ProgramError: line 2, column 1: 'money' stood in line 1 already. \
Keep one of the two. [duplicate-key]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from kantis.core import slips
from kantis.core.knobs import Fault, Node, ProgramError

SIZE_MAX_BYTES: Final = 1_000_000
DEPTH_MAX: Final = 32
KEY_MAX: Final = 200

#: How files begin that are something else.
_OTHERS: Final = (
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "a database"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)


class Part(Struct):
    """A piece of a file with its place in the text: what ``Node`` has, and how it was written.

    ``value`` is a text or a list of parts. ``flow`` is true for ``[…]`` and ``{…}``;
    ``start`` and ``end`` count characters.
    """

    value: Any
    start: int
    end: int
    line: int
    column: int
    flow: bool = False


class Mapping(Part):
    """A part whose ``value`` is a list of (key, value), each of them a part."""


def decode(data: bytes, name: str = "") -> str:
    """The text of a file's bytes, with plain line ends; ``ProgramError`` if it is no text."""
    what = name or "This file"
    for start, kind in _OTHERS:
        if data.startswith(start):
            raise _error("not-text", f"{what} is {kind}, not a text file in YAML.")
    if len(data) > SIZE_MAX_BYTES:
        message = f"{what} has {len(data):,} bytes; a file here has at most {SIZE_MAX_BYTES:,}."
        raise _error("too-large", message)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"{what} is not UTF-8. Save it as UTF-8, then try again."
        raise _error("not-utf-8", message, line, column) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read(text: str | bytes, name: str = "") -> Node:
    """The tree of a file's text; ``ProgramError`` with all its faults if it cannot be used."""
    return to_node(parts(decode(text, name) if isinstance(text, bytes) else text, name))


def read_file(path: Path) -> Node:
    """The tree of a file; ``OSError`` if it cannot be opened."""
    return read(load(path), path.name)


def load(path: Path) -> bytes:
    """The bytes of a file, never more than it takes to say that it is too large."""
    with path.open("rb") as file:
        return file.read(SIZE_MAX_BYTES + 1)


def to_node(part: Part) -> Node:
    """The tree without how it was written."""
    if isinstance(part, Mapping):
        keys = {key.value: (key.line, key.column) for key, _ in part.value}
        value = {key.value: to_node(child) for key, child in part.value}
        return Node(value, part.line, part.column, keys)
    if isinstance(part.value, list):
        return Node([to_node(child) for child in part.value], part.line, part.column)
    return Node(part.value, part.line, part.column)


def parts(text: str, name: str = "") -> Part:
    """The parts of a text, with their places; ``ProgramError`` with all its faults."""
    _refuse_early(text)
    builder = _Builder()
    try:
        root = builder.build(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        raise ProgramError([*builder.faults, _tight(text, error) or _yaml_fault(error)]) from error
    except YAMLError as error:  # pragma: no cover - the reader marks all its errors
        raise _error("not-yaml", f"This is not YAML: {error}.") from error
    if root is None:
        raise _error("empty-file", f"{name or 'This file'} is empty: it has no keys and no values.")
    if builder.faults:
        raise ProgramError(builder.faults)
    return root


def _error(code: str, message: str, line: int = 0, column: int = 0) -> ProgramError:
    return ProgramError([Fault(code, message, line, column)])


_STRAY = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def _refuse_early(text: str) -> None:
    if stray := _STRAY.search(text):
        at = stray.start()
        message = (
            f"The character U+{ord(stray[0]):04X} stands here, which no text has. Take it out."
        )
        place = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        raise _error("not-text", message, *place)
    for number, line in enumerate(text.split("\n"), 1):
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        odd = line[len(indent) : len(indent) + 1]
        if odd and odd in slips.SPACES and _BEGINS.match(line):
            message = "A no-break space stands in the indentation. Write ordinary spaces."
            raise _error("odd-space", message, number, len(indent) + 1)
        if "\t" in indent and line.strip():
            message = "A tab stands in the indentation. Use spaces, two for each level."
            raise _error("tab", message, number, indent.index("\t") + 1)
        if line.startswith("%"):
            message = "A line that begins with % is a directive, and there are none here."
            raise _error("directive", message, number, 1)


#: A line that begins an entry of a mapping or of a list, whatever stands before it.
_BEGINS = re.compile(r"\s*(?:- |[\w -]{1,40}:(?:\s|$))")
_TIGHT = re.compile(r"\s*[\w -]{1,40}(:(?=[^\s/])|\uff1a)")


def _tight(text: str, error: MarkedYAMLError) -> Fault | None:
    """The fault of a colon without its space, in the line of an error or in the one above."""
    lines, mark = text.split("\n"), error.problem_mark or error.context_mark
    for number in (mark.line, mark.line - 1) if mark else ():
        match = _TIGHT.match(lines[number]) if 0 <= number < len(lines) else None
        if match:
            message = "A colon and a space stand behind a key. Write them both, as in 'money: EUR'."
            return Fault("space-missing", message, number + 1, match.start(1) + 1)
    return None


def _yaml_fault(error: MarkedYAMLError) -> Fault:
    """The fault that says in plain words what the YAML reader stumbled over, and where."""
    problem, mark = error.problem or "", error.problem_mark or error.context_mark
    code = "not-yaml"
    if "'\\t'" in problem:
        code, message = "tab", "A tab stands here. Use spaces."
    elif "mapping values are not allowed" in problem:
        message = (
            "A colon stands where none can. Check the indentation of this line,"
            " or put a text that has ': ' in it in quotes."
        )
    elif "while scanning a quoted scalar" in (error.context or ""):
        mark = error.context_mark
        message = "A quote is opened here and not closed in the right way."
    elif "expected ',' or" in problem:
        mark = error.context_mark
        message = (
            "A bracket is opened here and not closed, or a comma is missing"
            f" before line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}."
        )
    elif "cannot start any token" in problem:
        letter = problem.split("'")[1] if "'" in problem else "This"
        message = f"A value cannot begin with {letter}. Put it in quotes."
    elif "expected <block end>" in problem or "could not find expected ':'" in problem:
        message = "This line does not fit to those above it. Check its indentation and its colon."
    elif "expected the node content" in problem:
        message = "A value is missing here, or a comma is too many."
    else:
        message = f"This cannot be read: {problem or error.context}."
    return Fault(code, message, mark.line + 1 if mark else 0, mark.column + 1 if mark else 0)


_ODD_SPACE = re.compile(rf"([\d.,]+)[{slips.SPACES}]")


class _Builder:
    """Builds parts from the YAML reader's events and collects what is refused."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.events: Iterator[Any] = iter(())

    def build(self, events: Iterator[Any]) -> Part | None:
        self.events = iter(events)
        root, documents = None, 0
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    message = "A second document begins here. Write one program a file."
                    self.fault("second-document", message, event)
                    break
            elif isinstance(event, NodeEvent):
                root = self.part(event, 1)
        if isinstance(root, Part) and not isinstance(root.value, list) and not root.value:
            return None
        return root

    def fault(self, code: str, message: str, event: Any) -> None:
        mark = event.start_mark
        self.faults.append(Fault(code, message, mark.line + 1, mark.column + 1))

    def part(self, event: Any, depth: int) -> Part:
        start, end = event.start_mark, event.end_mark
        place = (start.index, end.index, start.line + 1, start.column + 1)
        if isinstance(event, AliasEvent):
            message = "A reference with * stands here. Write the value itself again."
            self.fault("alias", message, event)
            return Part("", *place)
        if event.anchor is not None:
            self.fault("anchor", "A name with & stands here. Values have none; take it out.", event)
        if event.tag is not None:
            self.fault("tag", "A type with ! stands here. Values have none; take it out.", event)
        if depth > DEPTH_MAX:
            message = f"This is nested deeper than {DEPTH_MAX} levels."
            raise ProgramError([*self.faults, Fault("too-deep", message, *place[2:])])
        if isinstance(event, SequenceStartEvent):
            return self.items(Part([], *place, flow=event.flow_style), depth)
        if isinstance(event, MappingStartEvent):
            return self.entries(Mapping([], *place, flow=event.flow_style), depth)
        return self.text(event, place)

    def text(self, event: ScalarEvent, place: tuple[int, int, int, int]) -> Part:
        start, end, line, column = place
        if event.style in ("|", ">"):
            message = f"A block text with {event.style} stands here. Write it in quotes."
            self.fault("block-text", message, event)
        if event.style is None and event.value[:1] in (*slips.QUOTES,):
            message = (
                f"A curly quote {event.value[0]} stands here, which is no quote for a program."
                ' Write " instead, or no quotes at all.'
            )
            self.fault("curly-quote", message, event)
        elif event.style is None and (odd := _ODD_SPACE.search(event.value)):
            message = (
                f"The space behind {odd[1]!r} is a no-break space. Write an ordinary one instead;"
                " in quotes it can stay."
            )
            self.fault("odd-space", message, event)
        return Part(event.value, start, end, line, column + (event.style is not None))

    def items(self, part: Part, depth: int) -> Part:
        for event in self.events:
            if isinstance(event, SequenceEndEvent):
                part.end = event.end_mark.index
                return part
            child = self.part(event, depth + 1)
            if _is_missing(event):
                self.fault(
                    "value-missing",
                    "An item of the list is empty. Write a value, or take the hyphen out.",
                    event,
                )
            part.value.append(child)
        return part  # pragma: no cover - the reader closes what it opens

    def entries(self, part: Mapping, depth: int) -> Part:
        seen: dict[str, int] = {}
        for event in self.events:
            if isinstance(event, MappingEndEvent):
                part.end = event.end_mark.index
                return part
            key = self.part(event, depth + 1)
            value_event = next(self.events)
            value = self.part(value_event, depth + 1)
            if not isinstance(event, ScalarEvent):
                message = "A key is one text, not a list or a mapping."
                self.fault("text-expected", message, event)
                continue
            name = key.value
            if _is_missing(event) or not name:
                self.fault(
                    "key-missing",
                    "A value stands here without its key. Write its name and a colon before it.",
                    event,
                )
                continue
            if name in seen:
                message = f"{name!r} stood in line {seen[name]} already. Keep one of the two."
                self.fault("duplicate-key", message, event)
                continue
            if _is_missing(value_event):
                self.missing(event, part)
            if len(name) > KEY_MAX or "\n" in name:
                message = f"A key has at most {KEY_MAX} characters, in one line."
                self.fault("key-too-long", message, event)
            seen[name] = key.line
            part.value.append((key, value))
        return part  # pragma: no cover - the reader closes what it opens

    def missing(self, event: ScalarEvent, part: Mapping) -> None:
        """The fault of a key without a value; it may be the rest of a number with a comma."""
        name, before = event.value, part.value[-1][1].value if part.value else ""
        if name[0].isdecimal() and isinstance(before, str) and before[-1:].isdecimal():
            message = (
                f"A comma stands in a number, before {name!r}. Write decimals with a point, as in"
                " 12.50, and thousands without anything, as in 1000."
            )
            self.fault("comma-in-number", message, event)
        elif event.style is None and (tight := re.match(r"([\w -]+):\S", name)):
            message = f"A space is missing behind the colon. Write '{tight[1]}: …'."
            self.fault("space-missing", message, event)
        else:
            message = (
                f"{name!r} has no value. Write one after the colon, or below it two spaces further"
                " in; or take the key out."
            )
            self.fault("value-missing", message, event)


def _is_missing(event: Any) -> bool:
    return isinstance(event, ScalarEvent) and event.style is None and not event.value
