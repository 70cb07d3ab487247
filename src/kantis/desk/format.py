"""Format: the canonical form of a program file or case file.

Two files that mean the same look the same, so that a difference between two versions
reads as a change of terms. The form keeps every comment and the order of entries; it
puts the keys of a section into the order in which the section declares them, indents by
two spaces, writes one space after colons and commas, quotes only what needs it, and
keeps ``{…}`` and ``[…]`` in one line where they fit in 100 columns. Formatting twice
changes nothing, and the tree that is read is the same apart from the order of keys.

>>> print(canonical("coffee:   {give: 1 stamp per item,for: 'purchase' }  # our best\\n"), end="")
coffee: {give: 1 stamp per item, for: purchase}  # our best
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct, field
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kantis.core.knobs import Node, knobs_of
from kantis.desk.text import Mapping, Part, parts

WIDTH: Final = 100
DATE: Final = r"\d{4}-\d{2}-\d{2}"

#: A key of a dated value.
DATED: Final = re.compile(rf"(?:before|from) {DATE}(?: \d\d:\d\d)?|{DATE} to {DATE}")

#: The known keys of the mapping at a path of keys, in their order; empty for any other.
Order = Callable[[tuple[str, ...]], Sequence[str]]


def no_order(path: tuple[str, ...]) -> Sequence[str]:
    """Keys stay as they stand."""
    return ()


def order_of(program: type[Struct], sections: dict[str, type[Struct]]) -> Order:
    """The order in which the top level and the entries of sections declare their keys."""
    top = [*knobs_of(program), *sections]
    entries = {name: list(knobs_of(section)) for name, section in sections.items()}

    def order(path: tuple[str, ...]) -> Sequence[str]:
        path = tuple(key for key in path if not DATED.fullmatch(key))
        if not path:
            return top
        return entries.get(path[0], ()) if len(path) == 2 else ()

    return order


def canonical(text: str, order: Order = no_order) -> str:
    """The canonical form of a text; ``ProgramError`` if it cannot be read."""
    root = parts(text)
    if not isinstance(root.value, list):
        return scalar(root.value, flow=False) + "\n"
    table = _Table(text, root)
    lines = _lines(table.root, (), 0, order)
    if not lines:
        lines = ["{}" if isinstance(root, Mapping) else "[]"]
    head = [*table.header, ""] if table.header else []
    return "\n".join([*head, *lines]) + "\n"


def render(node: Node) -> str:
    """The canonical text of a tree that never was a file, without comments."""
    lines = _lines(_group_of(node), (), 0, no_order)
    return "\n".join(lines or ["{}"]) + "\n"


class Entry(Struct):
    """A key with its value or an item of a list, and the comments that belong to it."""

    value: str | Group
    key: str | None = None
    start: int = 0
    column: int = 0
    blank: bool = False
    head: list[tuple[bool, str]] = field(default_factory=list)
    side: list[str] = field(default_factory=list)


class Group(Struct):
    """A list or a mapping: its entries and the comments behind the last one."""

    entries: list[Entry]
    mapping: bool
    flow: bool
    start: int = 0
    end: int = 0
    column: int = 0
    foot: list[tuple[bool, str]] = field(default_factory=list)

    @property
    def commented(self) -> bool:
        """Whether a comment stands anywhere inside."""
        return bool(self.foot) or any(
            entry.head or entry.side or (isinstance(entry.value, Group) and entry.value.commented)
            for entry in self.entries
        )


def _group_of(node: Node) -> Group:
    def value(child: Node) -> str | Group:
        return child.value if isinstance(child.value, str) else _group_of(child)

    if isinstance(node.value, dict):
        entries = [Entry(value(child), key) for key, child in node.value.items()]
        return Group(entries, mapping=True, flow=node.line > 0 or _is_flat(node))
    return Group([Entry(value(child)) for child in node.value], mapping=False, flow=_is_flat(node))


def _is_flat(node: Node) -> bool:
    children = node.value.values() if isinstance(node.value, dict) else node.value
    return all(isinstance(child.value, str) for child in children)


class _Table:
    """Which comment belongs to which entry.

    A comment in a line of its own belongs to what comes next, unless it is indented
    deeper: then it ends the group that it is indented like. A comment behind something
    belongs to what it stands behind.
    """

    def __init__(self, text: str, root: Part) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.header: list[str] = []
        self.starts: list[tuple[int, Entry, list[Group]]] = []
        self.ends: list[tuple[int, Entry]] = []
        self.spans: list[tuple[int, int]] = []
        self.flows: list[tuple[Group, Entry | None]] = []
        self.root = self.group(root, [], None)
        self.starts.sort(key=lambda each: (each[0], len(each[2])))
        self.ends.sort(key=lambda each: each[0])
        for start, end in _comments(text, sorted(self.spans)):
            self.place(start, text[start:end].rstrip())
        self.split_header()

    def group(self, part: Part, above: list[Group], owner: Entry | None) -> Group:
        """The group of a list or mapping; writes down where all its pieces are."""
        mapping = isinstance(part, Mapping)
        group = Group([], mapping, part.flow, part.start, part.end, part.column)
        chain = [*above, group]
        if part.flow:
            self.flows.append((group, owner))
        for each in part.value:
            key, value = each if mapping else (None, each)
            first = key or value
            entry = Entry("", key and key.value, first.start)
            entry.column = first.column if mapping else part.column
            line = first.line if mapping or part.flow else self.dash_line(value)
            entry.blank = line > 1 and not self.lines[line - 2].strip()
            self.starts.append((entry.start, entry, chain))
            if key:
                self.spans.append((key.start, key.end))
                self.ends.append((key.end, entry))
            if isinstance(value.value, list):
                entry.value = self.group(value, chain, entry)
                if value.flow:
                    self.ends.append((value.end, entry))
            else:
                entry.value = value.value
                self.spans.append((value.start, value.end))
                self.ends.append((value.end, entry))
            group.entries.append(entry)
        return group

    def dash_line(self, value: Part) -> int:
        """The line of an item's dash, which may stand above its value."""
        line = value.line
        before = self.lines[line - 1][: value.column - 1]
        while "-" not in before and line > 1:
            line -= 1
            before = self.lines[line - 1]
        return line

    def place(self, index: int, comment: str) -> None:
        """Give a comment to its entry or group."""
        line_start = self.text.rfind("\n", 0, index) + 1
        behind = self.text[line_start:index].strip()
        ended = bisect(self.ends, index, key=_first)
        if behind and ended and self.ends[ended - 1][0] > line_start:
            self.ends[ended - 1][1].side.append(comment)
            return
        line = self.text.count("\n", 0, index)
        lead = (line > 0 and not self.lines[line - 1].strip(), comment)
        at = bisect(self.starts, index, key=_first)
        following = self.starts[at] if at < len(self.starts) else None
        inside = [each for each in self.flows if each[0].start < index < each[0].end]
        if inside:
            group, owner = max(inside, key=lambda each: each[0].start)
            if following and following[0] < group.end:
                following[1].head.append(lead)
            elif group.entries:
                group.foot.append(lead)
            elif owner:
                owner.head.append(lead)
            else:
                self.header.append(comment)
            return
        previous = self.starts[at - 1] if at else None
        chain = previous[2] if previous else [self.root]
        column = index - line_start + 1
        target = next((each for each in reversed(chain) if each.column <= column), self.root)
        if following and any(each is target for each in following[2]):
            following[1].head.append(lead)
        elif target.entries:
            target.foot.append(lead)
        else:
            self.header.append(comment)

    def split_header(self) -> None:
        """Comments at the top with an empty line below belong to the file."""
        if not self.root.entries:
            return
        first = self.root.entries[0]
        blanks = [blank for blank, _ in first.head] + [first.blank]
        cut = max((n for n, blank in enumerate(blanks) if blank and n), default=0)
        for blank, comment in first.head[:cut]:
            if blank and self.header:
                self.header.append("")
            self.header.append(comment)
        del first.head[:cut]
        if self.header:
            first.head[:1] = [(False, comment) for _, comment in first.head[:1]]
            first.blank = first.blank and bool(first.head)


def _first(row: tuple[Any, ...]) -> int:
    return int(row[0])


_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#.*", re.MULTILINE)


def _comments(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where comments stand: a # at the start of a line or behind a space, outside of texts."""
    found, at = [], 0
    for start, end in [*spans, (len(text), len(text))]:
        while match := _COMMENT.search(text, at, start):
            found.append(match.span())
            at = match.end()
        at = max(at, end)
    return found


def _sorted(group: Group, order: Sequence[str]) -> list[Entry]:
    if not group.mapping or not order:
        return group.entries
    place = {key: n for n, key in enumerate(order)}
    return sorted(group.entries, key=lambda entry: place.get(entry.key or "", len(place)))


def _lines(group: Group, path: tuple[str, ...], indent: int, order: Order) -> list[str]:
    """The lines of a group in block form."""
    space = " " * indent
    lines: list[str] = []
    for entry in _sorted(group, order(path)):
        for blank, comment in entry.head:
            lines += ["", space + comment] if blank and lines else [space + comment]
        if entry.blank and lines:
            lines.append("")
        below = (*path, entry.key or "") if entry.key is not None else path
        lines += _entry_lines(entry, below, indent, order)
    for blank, comment in group.foot:
        lines += ["", space + comment] if blank and lines else [space + comment]
    return lines


def _entry_lines(entry: Entry, path: tuple[str, ...], indent: int, order: Order) -> list[str]:
    start = " " * indent + ("- " if entry.key is None else f"{key_text(entry.key, False)}: ")
    side = "  " + " ".join(entry.side) if entry.side else ""
    if isinstance(entry.value, str):
        return _side(_wrapped(start, entry.value, indent), side)
    one_line = flow_text(entry.value, path, order)
    fits = len(start) + len(one_line) <= WIDTH
    if not entry.value.entries or (entry.value.flow and not entry.value.commented and fits):
        return [start + one_line + side]
    below = _lines(entry.value, path, indent + 2, order)
    if entry.key is not None:
        return [start.rstrip() + side, *below]
    comments = []
    while below and (not below[0].strip() or below[0].lstrip().startswith("#")):
        comments.append(" " * indent + below.pop(0).strip() if below[0].strip() else below.pop(0))
    if side:
        comments.append(" " * indent + side.strip())
    return [*comments, start + below[0][indent + 2 :], *below[1:]]


def _side(lines: list[str], side: str) -> list[str]:
    return [*lines[:-1], lines[-1] + side]


def _wrapped(start: str, text: str, indent: int) -> list[str]:
    """A value behind its key, over several lines if it is long and needs no quotes."""
    written = scalar(text, flow=False)
    if len(start) + len(written) <= WIDTH or written != text:
        return [start + written]
    lines, line = [], start
    for word in re.split(r"(?<=[^ ]) (?=[^ ])", text):
        spaced = line + word if line == start else f"{line} {word}"
        if len(spaced) > WIDTH and line not in (start, " " * (indent + 2)) and word[0] != "#":
            lines.append(line)
            spaced = " " * (indent + 2) + word
        line = spaced
    lines.append(line)
    return lines if _reads_as("\n".join(lines), text) else [start + written]


def flow_text(group: Group, path: tuple[str, ...], order: Order) -> str:
    """A group in one line."""
    written = []
    for entry in _sorted(group, order(path)):
        below = (*path, entry.key) if entry.key is not None else path
        value = (
            scalar(entry.value, flow=True)
            if isinstance(entry.value, str)
            else flow_text(entry.value, below, order)
        )
        written.append(value if entry.key is None else f"{key_text(entry.key, True)}: {value}")
    inner = ", ".join(written)
    return f"{{{inner}}}" if group.mapping else f"[{inner}]"


_PLAIN = re.compile(r"[^\W_][\w.%/+()-]*(?: [\w.%/+()-]+)*")
_RISKY = re.compile(r"^$|^-(?!\w)|^[:?,\[\]{}#&*!|>'\"%@`]|:$|[\n\t]")
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


@lru_cache(maxsize=65536)
def scalar(text: str, flow: bool) -> str:
    """A value, in quotes only where it needs them."""
    if _PLAIN.fullmatch(text):
        return text
    if text == text.strip(" \t") and not _RISKY.search(text):
        tries = (f"[{text}, x]", f"{{k: {text}}}") if flow else (f"- {text}", f"k: {text}")
        if all(_reads_as(each, text) for each in tries):
            return text
    return _quoted(text)


@lru_cache(maxsize=4096)
def key_text(text: str, flow: bool) -> str:
    """A key, in quotes only where it needs them."""
    if _PLAIN.fullmatch(text):
        return text
    if ":" in text or _RISKY.search(text):
        return _quoted(text)
    written = f"{{{text}: x}}" if flow else f"{text}: x"
    return text if _reads_as(written, text, key=True) else _quoted(text)


def _quoted(text: str) -> str:
    def escape(letter: str) -> str:
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter.isprintable() or letter == "\u00a0":
            return letter
        code = ord(letter)
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    return '"' + "".join(map(escape, text)) + '"'


def _reads_as(written: str, text: str, key: bool = False) -> bool:
    """Whether the reader finds exactly this text, as the key or the last value but a marker."""
    try:
        events = [
            each.value
            for each in YAML(typ="safe", pure=True).parse(written)
            if hasattr(each, "value")
        ]
    except YAMLError:
        return False
    if key:
        return events == [text, "x"]
    return events in ([text], [text, "x"], ["k", text]) or (len(events) == 2 and events[1] == text)
