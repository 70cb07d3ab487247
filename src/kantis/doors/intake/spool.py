"""Spool: the events of a file in order of time, on disk, before any of them is submitted.

A file may have the lines of one purchase apart, and its rows in any order. The spool puts
together what belongs to one event and gives the events back oldest first, in memory that
does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterator

import apsw
from msgspec import Struct, structs

from kantis.core.events import Body, Carry, Event, Purchase, Refund, decode_body, encode_body


class Piece(Struct):
    """What a row says of an event: its id, time and subject, and a body with this row's part."""

    row: int
    id: str
    time: int
    subject: str
    body: Body
    rank: int = 0


class Differs(Exception):
    """Two rows of one event contradict each other; the text says in what."""


def merge(first: Body, more: Body) -> Body:
    """One body of the parts that two rows have; ``Differs`` if they are not of one event."""
    if isinstance(first, Purchase) and isinstance(more, Purchase):
        if structs.replace(first, lines=()) != structs.replace(more, lines=()):
            raise Differs("says another location, channel, tender or receipt")
        return structs.replace(first, lines=first.lines + more.lines)
    if isinstance(first, Refund) and isinstance(more, Refund):
        if structs.replace(first, lines=()) != structs.replace(more, lines=()):
            raise Differs("names another purchase or reason")
        return structs.replace(first, lines=first.lines + more.lines)
    if isinstance(first, Carry) and isinstance(more, Carry):
        return structs.replace(
            first,
            lots=first.lots + more.lots,
            tiers=first.tiers + more.tiers,
            counters=first.counters + more.counters,
            vouchers=first.vouchers + more.vouchers,
            offers=first.offers + more.offers,
            plans=first.plans + more.plans,
        )
    if first == more:
        return first
    raise Differs("says something else")


def _numbered(body: Body) -> Body:
    """Lines that have no id of their own get their number in the purchase."""
    if not isinstance(body, Purchase) or all(line.id for line in body.lines):
        return body
    lines = [structs.replace(line, id=str(n)) for n, line in enumerate(body.lines, 1)]
    return structs.replace(body, lines=tuple(lines))


class Spool:
    """Events that wait, by id. ``bad`` are ids of which a row could not be read."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.bad: set[str] = set()
        self._held: Piece | None = None
        self._database = apsw.Connection("")
        self._database.execute(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16000;"
            "CREATE TABLE event (id TEXT PRIMARY KEY, time INTEGER, row INTEGER, rank INTEGER,"
            " subject TEXT, body BLOB) WITHOUT ROWID; BEGIN"
        ).fetchall()

    def add(self, piece: Piece) -> None:
        """Take in a row's part; ``Differs`` if it contradicts an earlier row of its event."""
        held = self._held
        if held is None or held.id != piece.id:
            self._put()
            held = self._find(piece.id)
        if held is None:
            self._held = piece
            return
        if (held.time, held.subject) != (piece.time, piece.subject):
            raise Differs("has another time or card")
        held.body = merge(held.body, piece.body)
        self._held = held

    def drop(self, event: str) -> None:
        """Forget an event, and whatever else comes of it."""
        self.bad.add(event)
        if self._held is not None and self._held.id == event:
            self._held = None
        self._database.execute("DELETE FROM event WHERE id = ?", (event,))

    def _find(self, event: str) -> Piece | None:
        query = "SELECT row, id, time, subject, body, rank FROM event WHERE id = ?"
        for row, name, time, subject, body, rank in self._database.execute(query, (event,)):
            return Piece(row, name, time, subject, decode_body(body), rank)
        return None

    def _put(self) -> None:
        held = self._held
        if held is not None:
            body = encode_body(held.body)
            row = (held.id, held.time, held.row, held.rank, held.subject, body)
            self._database.execute("INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?, ?)", row)
        self._held = None

    def finish(self) -> int:
        """How many events there are; nothing more may be added."""
        self._put()
        self._database.execute("COMMIT; CREATE INDEX in_time ON event (time, row, rank)").fetchall()
        return int(self._ask("SELECT count(*) FROM event"))

    def subjects(self) -> int:
        """How many different subjects the events have."""
        return int(self._ask("SELECT count(DISTINCT subject) FROM event WHERE subject <> ''"))

    def _ask(self, query: str) -> int:
        found = self._database.execute(query).fetchall()[0][0]
        assert isinstance(found, int)
        return found

    def events(self) -> Iterator[tuple[int, Event]]:
        """The events with the number of their first row, oldest first."""
        query = "SELECT row, id, time, subject, body FROM event ORDER BY time, row, rank"
        for row, name, time, subject, body in self._database.execute(query):
            said = _numbered(decode_body(body))
            yield row, Event(self.source, name, time, subject, said, time)

    def close(self) -> None:
        """Let go of the disk."""
        self._database.close()
