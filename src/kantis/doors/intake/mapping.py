"""Mapping: which column of a file is which field, and how its values are written.

A mapping is a YAML file. Where a column has the name of a field, nothing needs to be said.

    kind: purchases
    source: old-till
    columns:
      id: Receipt
      time: {column: Date, format: "%d.%m.%Y %H:%M"}
      amount: {column: Total, decimal: ","}
      channel: {value: shop}
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct, field

from kantis.core.knobs import Fault, Node, ProgramError, suggest


class Field(Struct, frozen=True):
    """A field of a kind of file: how it is read, whether it must be there, other names of it."""

    reads: str
    must: bool = False
    names: tuple[str, ...] = ()


_CARD: Final = ("card number", "card id", "member", "member id", "customer", "customer id")
_TIME: Final = ("date", "datetime", "timestamp", "created at", "date time")

#: The kinds of files, and the fields that each can have.
KINDS: Final[dict[str, dict[str, Field]]] = {
    "purchases": {
        "id": Field("text", False, ("basket", "basket id", "order", "order id", "transaction id")),
        "time": Field("time", True, _TIME),
        "card": Field("text", False, _CARD),
        "line": Field("text", False, ("line id", "line number")),
        "product": Field("text", False, ("sku", "product id", "item", "article")),
        "quantity": Field("whole", False, ("qty", "count")),
        "amount": Field("money", True, ("total", "line total", "price", "sales value", "net")),
        "category": Field("text"),
        "brand": Field("text"),
        "department": Field("text"),
        "tags": Field("texts"),
        "discount": Field("money"),
        "tax": Field("money"),
        "measure": Field("measure"),
        "location": Field("text", False, ("store", "store id", "shop")),
        "channel": Field("text"),
        "tender": Field("text", False, ("payment",)),
        "receipt": Field("text"),
        "partner": Field("text"),
        "group": Field("text"),
    },
    "refunds": {
        "id": Field("text", False, ("refund id", "return id")),
        "time": Field("time", True, _TIME),
        "card": Field("text", False, _CARD),
        "of": Field("text", True, ("original", "order id", "basket id", "purchase")),
        "of source": Field("text"),
        "line": Field("text", False, ("line id", "line number")),
        "quantity": Field("whole", False, ("qty",)),
        "reason": Field("text"),
    },
    "members": {
        "card": Field("text", True, _CARD),
        "time": Field("time", True, ("joined", "enrolled", "member since", *_TIME)),
        "name": Field("text", False, ("full name",)),
        "given name": Field("text", False, ("first name", "forename")),
        "family name": Field("text", False, ("last name", "surname")),
        "email": Field("text", False, ("e mail", "email address", "mail")),
        "phone": Field("text", False, ("mobile", "telephone", "phone number")),
        "born": Field("text", False, ("date of birth",)),
        "language": Field("text", False, ("locale",)),
        "street": Field("text", False, ("address",)),
        "postal code": Field("text", False, ("zip", "postcode")),
        "city": Field("text", False, ("town",)),
        "country": Field("text"),
        "notes": Field("text"),
    },
    "opening": {
        "card": Field("text", True, _CARD),
        "time": Field("time", True),
        "record": Field("text"),
        "name": Field("text", False, ("balance", "counter", "tier", "kind")),
        "amount": Field("amount", False, ("points", "balance amount")),
        "level": Field("text"),
        "period": Field("text", False, ("per", "term")),
        "renews": Field("text"),
        "code": Field("text", False, ("voucher", "voucher code")),
        "worth": Field("money", False, ("fee",)),
        "since": Field("day", False, ("earned", "issued")),
        "until": Field("last day", False, ("expires", "expiry", "valid until")),
        "group": Field("text"),
        "member": Field("text"),
        "funder": Field("text"),
    },
}


#: Fields of members that go to the vault, and nowhere else.
PERSONAL: Final = frozenset(KINDS["members"]) - {"card", "time"}


class Column(Struct, frozen=True):
    """Where a field's value comes from, and how it is written there."""

    column: str = ""
    value: str = ""
    format: str = ""
    decimal: str = "."
    thousands: str = ""
    minor: bool = False
    separator: str = ","


class Mapping(Struct):
    """A mapping, resolved for a file's columns."""

    kind: str
    source: str = "import"
    program: str = ""
    batch: str = "opening"
    encoding: str = "utf-8-sig"
    columns: dict[str, Column] = field(default_factory=dict)
    facts: dict[str, Column] = field(default_factory=dict)
    totals: dict[str, str] = field(default_factory=dict)


_TOP: Final = ("kind", "source", "program", "batch", "encoding", "columns", "facts", "totals")
_COLUMN: Final = ("column", "value", "format", "decimal", "thousands", "minor", "separator")


class _Faults:
    """Reads a mapping's tree and collects what is wrong with it."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, code: str, message: str, node: Node, key: str = "") -> None:
        line, column = node.keys.get(key, (node.line, node.column))
        self.found.append(Fault(code, message, line, column))

    def fields(self, node: Node | None, known: Iterable[str] | None, what: str) -> dict[str, Node]:
        if node is None:
            return {}
        if not isinstance(node.value, dict):
            self.add("mapping-expected", f"{what} is a mapping of keys and values.", node)
            return {}
        for key in node.value if known is not None else ():
            if key not in (known or ()):
                message = f"{what} has no {key!r}. {suggest(key, known or ())}"
                self.add("unknown-key", message, node, key)
        return dict(node.value)

    def text(self, node: Node | None) -> str:
        if node is None:
            return ""
        if not isinstance(node.value, str):
            self.add("text-expected", "Here stands one value, not a list or a mapping.", node)
            return ""
        return node.value

    def column(self, node: Node) -> Column:
        if isinstance(node.value, str):
            return Column(column=node.value)
        fields = self.fields(node, _COLUMN, "A column")
        texts = {key: self.text(child) for key, child in fields.items() if key in _COLUMN}
        minor = texts.pop("minor", "no")
        if minor not in ("yes", "no"):
            self.add(
                "unknown-word", "'minor' is yes or no: whether amounts are cents.", node, "minor"
            )
        if ("column" in texts) == ("value" in texts):
            message = "A field comes from a 'column', or has one 'value' in every row."
            self.add("column-or-value", message, node)
        return Column(**texts, minor=minor == "yes")


def read_mapping(tree: Node) -> Mapping:
    """The mapping that a file says; ``ProgramError`` with all its faults."""
    faults = _Faults()
    get = faults.fields(tree, _TOP, "A mapping").get
    kind = faults.text(get("kind"))
    if kind and kind not in KINDS:
        message = f"There is no kind {kind!r}. {suggest(kind, KINDS)}"
        faults.add("unknown-kind", message, tree.value["kind"])
    known = KINDS.get(kind)
    columns = faults.fields(get("columns"), known, f"A file of {kind}" if kind else "A file")
    found = Mapping(
        kind,
        faults.text(get("source")) or "import",
        faults.text(get("program")),
        faults.text(get("batch")) or "opening",
        faults.text(get("encoding")) or "utf-8-sig",
        {name: faults.column(node) for name, node in columns.items()},
        {name: faults.column(n) for name, n in faults.fields(get("facts"), None, "").items()},
        {name: faults.text(n) for name, n in faults.fields(get("totals"), None, "").items()},
    )
    try:
        b"a".decode(found.encoding, "replace")  # there are codecs that are none of text
    except (LookupError, UnicodeError):
        message = f"No encoding is called {found.encoding!r}. Write for example latin-1."
        faults.add("unknown-encoding", message, tree, "encoding")
    if "/" in found.source:
        faults.add(
            "malformed-source", "A source has no slash; write for example old-till.", tree, "source"
        )
    if faults.found:
        raise ProgramError(faults.found)
    return found


def _plain(name: str) -> str:
    return re.sub("[^a-z0-9]+", " ", name.lower()).strip()


def resolve(mapping: Mapping, columns: list[str]) -> list[str]:
    """Add the fields that columns name by themselves; sentences about what is missing."""
    propose(mapping, columns)
    return missing(mapping, columns)


def propose(mapping: Mapping, columns: list[str]) -> None:
    """Add the fields that columns name by themselves."""
    known = KINDS[mapping.kind]
    by_name = {_plain(column): column for column in columns}
    taken = {each.column for each in mapping.columns.values()}
    for name, about in known.items():
        if name in mapping.columns:
            continue
        for candidate in (name, *about.names):
            column = by_name.get(candidate)
            if column is not None and column not in taken:
                mapping.columns[name] = Column(column=column)
                taken.add(column)
                break


def missing(mapping: Mapping, columns: list[str]) -> list[str]:
    """Sentences about columns that are not there, and fields that must be."""
    known, wrong = KINDS[mapping.kind], []
    for name, each in [*mapping.columns.items(), *mapping.facts.items()]:
        if each.column and each.column not in columns:
            there = suggest(each.column, columns)
            wrong.append(f"The column {each.column!r} for {name!r} is not in the file. {there}")
    for name, about in known.items():
        if about.must and name not in mapping.columns:
            wrong.append(
                f"A file of {mapping.kind} needs {name!r}. Name its column in a mapping:"
                f" columns: {{{name}: …}}. The file has {', '.join(columns)}."
            )
    return wrong
