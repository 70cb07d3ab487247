"""Export: whole tables of one program's books, row by row.

Guarantee: a stream is of one instant, however much is written meanwhile, and needs no more
memory for more rows. Entries and events are append-only and come in the order of their
numbers: a stream that broke goes on behind the last number, up to the number that the first
one named, and both together are what one stream would have been. Nothing below that number
comes later.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from kantis.core.account import decode_account
from kantis.core.calendar import show_day, show_instant
from kantis.core.places import CHART, MEMBER_PLACES
from kantis.desk.programs import Home
from kantis.desk.recorded import event_of
from kantis.store.books import Books
from kantis.store.reading import EVENT
from kantis.store.rows import BALANCE_COLUMNS, EventRow
from kantis.store.schema import STATES

_PLACES: Final = tuple(place.name for place in CHART[:MEMBER_PLACES])
#: So many rows are put together before they are sent.
_TOGETHER: Final = 500
#: A spreadsheet takes a text that begins like this for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Row = dict[str, Any]


class Span(NamedTuple):
    """The numbers of a stream: above one, up to another."""

    above: int
    upto: int


def entries(books: Books, home: Home, span: Span) -> Iterator[Row]:
    """What was decided: one row per posting, and one without for an entry that moved nothing."""
    rows = books.stream(
        "SELECT e.n, e.account, e.seq, e.event, e.at, e.booked, e.version, p.balance, p.source, "
        "p.target, p.amount, p.reason FROM entry e JOIN account a ON a.id = e.account "
        "LEFT JOIN posting p ON p.account = e.account AND p.seq = e.seq "
        "WHERE a.program = ? AND e.n > ? AND e.n <= ? ORDER BY e.n, p.n",
        (home.number, *span),
    )
    units = home.program.units
    for n, account, seq, event, at, booked, version, balance, source, target, amount, why in rows:
        moves = balance is not None
        unit = units.get(balance)
        yield {
            "number": n, "account": account, "seq": seq, "event": event,
            "at": show_instant(at), "booked": show_instant(booked), "version": version,
            "balance": balance or "",
            "from": CHART[source].name if moves else "",
            "to": CHART[target].name if moves else "",
            "amount": _number(unit, amount) if moves else "",
            "reason": why or "",
        }  # fmt: skip


def _number(unit: Any, amount: int) -> str:
    return str(unit.number(amount)) if unit is not None else str(amount)


def events(books: Books, home: Home, span: Span) -> Iterator[Row]:
    """What was recorded; ``data`` is empty where its time is over."""
    rows = books.stream(
        f"SELECT {EVENT} FROM event e WHERE e.program = ? AND e.n > ? AND e.n <= ? ORDER BY e.n",
        (home.number, *span),
    )
    for each in rows:
        row = EventRow._make(each)
        yield {
            "number": row.n, "event": row.key, "type": row.type, "subject": row.subject,
            "time": show_instant(row.time), "received": show_instant(row.received),
            "state": STATES[row.state], "account": row.account, "seq": row.seq,
            "data": _said(row),
        }  # fmt: skip


def _said(row: EventRow) -> Any:
    if row.body is None:
        return None
    return _named(event_of(row).body)


def _named(value: Any) -> Any:
    """A record by the names of its fields; what says nothing is left out."""
    if isinstance(value, msgspec.Struct):
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _named(said) for name, said in fields if said not in ("", (), None, False)}
    return [_named(each) for each in value] if isinstance(value, tuple) else value


def accounts(books: Books, home: Home, span: Span) -> Iterator[Row]:
    """Who takes part: cards, levels, and since when. The number is the account's own."""
    first, last = books.account_range()
    cards = _Cards(books, home.number)
    for row in books.all_accounts(max(first, span.above + 1), min(last, span.upto)):
        if row.program != home.number:
            continue
        state = decode_account(row.snapshot)
        plan = home.program.plan_for(state, max(state.at, 0))
        tiers = {}
        for group in plan.tiers:
            standing = state.tiers.get(group.name)
            tiers[group.name] = group.levels[standing.level if standing else 0]
        yield {
            "number": row.id, "account": row.id, "entries": row.seq,
            "joined": show_day(state.joined), "tiers": tiers, "cards": cards.of(row.id),
        }  # fmt: skip


class _Cards:
    """The cards of accounts that are asked for in rising order, from one stream."""

    def __init__(self, books: Books, program: int) -> None:
        self._rows = books.stream(
            "SELECT account, token FROM card WHERE program = ? ORDER BY account, token",
            (program,),
        )
        self._next = next(self._rows, None)

    def of(self, account: int) -> list[str]:
        found = []
        while self._next is not None and self._next[0] <= account:
            if self._next[0] == account:
                found.append(self._next[1])
            self._next = next(self._rows, None)
        return found


def balances(books: Books, home: Home, span: Span) -> Iterator[Row]:
    """What each account has of each balance, per place."""
    units = home.program.units
    rows = books.stream(
        f"SELECT {', '.join(f'b.{name}' for name in BALANCE_COLUMNS)} FROM balance b "
        "JOIN account a ON a.id = b.account "
        "WHERE a.program = ? AND b.account > ? AND b.account <= ? ORDER BY b.account, b.balance",
        (home.number, *span),
    )
    for account, balance, *purse in rows:
        yield {"number": account, "account": account, "balance": balance} | _purse(
            units.get(balance), purse
        )


def liability(books: Books, home: Home, _: Span) -> Iterator[Row]:
    """What the program owes to its members in all, per balance and place."""
    units = home.program.units
    for number, (balance, purse) in enumerate(books.purses(home.number).items(), 1):
        yield {"number": number, "balance": balance} | _purse(units.get(balance), purse)


def _purse(unit: Any, purse: list[int]) -> Row:
    return {place: _number(unit, amount) for place, amount in zip(_PLACES, purse, strict=True)}


#: What can be taken out, and its columns.
EXPORTS: Final[dict[str, tuple[Callable[[Books, Home, Span], Iterator[Row]], str]]] = {
    "accounts": (accounts, "number account entries joined tiers cards"),
    "entries": (
        entries, "number account seq event at booked version balance from to amount reason"
    ),
    "events": (
        events, "number event type subject time received state account seq data"
    ),
    "balances": (balances, f"number account balance {' '.join(_PLACES)}"),
    "liability": (liability, f"number balance {' '.join(_PLACES)}"),
}  # fmt: skip
#: These are named by their numbers for ever; the others change with every event.
APPENDED: Final = ("entries", "events")


def span_of(what: str, settled: tuple[int, int], above: int, upto: int) -> Span:
    """The numbers that a stream has: up to what is sure, or up to an earlier number."""
    if what not in APPENDED:
        return Span(above, upto or (1 << 62))
    last = settled[0] if what == "entries" else settled[1]
    return Span(above, min(upto or last, last))


def ndjson(rows: Iterator[Row]) -> Iterator[bytes]:
    """Rows as one JSON object per line."""
    encode = msgspec.json.Encoder().encode
    for part in _parts(rows):
        yield b"".join(encode(row) + b"\n" for row in part)


def as_csv(rows: Iterator[Row], columns: list[str]) -> Iterator[bytes]:
    """Rows as CSV with a header; no cell is taken for a formula by a spreadsheet.

    >>> list(as_csv(iter([{"a": "=1+1", "b": -5}]), ["a", "b"]))
    [b'a,b\\r\\n', b"'=1+1,-5\\r\\n"]
    """
    yield (",".join(columns) + "\r\n").encode()
    for part in _parts(rows):
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerows([cell_of(row[name]) for name in columns] for row in part)
        yield text.getvalue().encode()


def cell_of(value: Any) -> Any:
    """A cell of a CSV file; a spreadsheet takes none for a formula."""
    if value is None or isinstance(value, int):
        return value
    if not isinstance(value, str):
        value = msgspec.json.encode(value).decode()
    number = value.removeprefix("-").replace(".", "", 1)
    harmless = number.isascii() and number.isdecimal()
    return f"'{value}" if value.startswith(_FORMULA) and not harmless else value


def _parts(rows: Iterator[Row]) -> Iterator[list[Row]]:
    part = []
    for row in rows:
        part.append(row)
        if len(part) == _TOGETHER:
            yield part
            part = []
    if part:
        yield part
