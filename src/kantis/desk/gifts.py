"""Gifts: what a program gives for an answer about a purchase.

Guarantee: what an answer brings is an event whose id is that of the question, so it comes once,
also when a process dies in between. It does not come for a purchase of which something came
back, and is taken back when all of the purchase comes back afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kantis.core.calendar import DAY_MS
from kantis.core.decision import Entry
from kantis.core.events import EDITED, Activity, Cancel, Event, Purchase, decode_body
from kantis.desk.beside import beside
from kantis.desk.chores import chore
from kantis.desk.recorded import entry_of, event_of
from kantis.desk.results import UNKNOWN
from kantis.engine.returning import all_back, returned_by
from kantis.store import surveys as rows
from kantis.store.books import Books
from kantis.store.rows import EventRow
from kantis.store.surveys import GIVEN, OWED, TAKEN, QuestionRow

if TYPE_CHECKING:
    from kantis.desk.jobs import Job, Progress
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

#: The source of these events.
SOURCE: Final = "surveys"
#: The job that looks for purchases that came back.
JOB: Final = "returned answers"
EVERY_MS: Final = 3_600_000
#: A purchase that comes back so long after the answer takes its gift along.
BACK_MS: Final = 120 * DAY_MS
_BACK: Final = "-back"
#: Answers whose gifts are sent together.
_STEP: Final = 200


@chore
def note_gift(books: Books, _: int, number: int, before: int, gift: int) -> bool:
    """What became of what an answer brings."""
    return rows.set_gift(books, number, before, gift)


def give(desk: Desk | RemoteDesk, reader: Desk) -> int:
    """Send what answers bring; how many were sent."""
    given, names = 0, {each.program: each.activity for each in rows.surveys(reader.books)}
    for row in rows.gifts(reader.books, OWED, _STEP):
        name = names.get(row.program, "")
        (bought,) = reader.books.events([row.event])
        if _undoing(reader, row, bought) or not name:
            desk.chore("note_gift", row.number, OWED, TAKEN)
            continue
        home = reader.homes.numbered(row.program)
        event = Event(SOURCE, str(row.number), 0, bought.subject, Activity(name))
        (result,) = desk.submit([event], program=home.name)
        if result.outcome != UNKNOWN:
            given += bool(desk.chore("note_gift", row.number, OWED, GIVEN))
    return given


def take_back(desk: Desk | RemoteDesk, job: Job, progress: Progress) -> str:
    """Take back what answers brought whose whole purchase has come back since; how many."""
    with beside(desk) as reader:
        since, taken = reader.clock() - BACK_MS, 0
        for number in rows.given_back(reader.books, since):
            taken += _take(desk, reader, number)
    return f"{taken} gifts taken back" if taken else ""


def _take(desk: Desk | RemoteDesk, reader: Desk, number: int) -> bool:
    row = rows.question(reader.books, number)
    assert row is not None
    (bought,) = reader.books.events([row.event])
    if not _is_back(reader, row, bought):
        return False
    home = reader.homes.numbered(row.program)
    back = Event(SOURCE, f"{number}{_BACK}", 0, bought.subject, Cancel(str(number)))
    (result,) = desk.submit([back], program=home.name)
    return result.outcome != UNKNOWN and bool(desk.chore("note_gift", number, GIVEN, TAKEN))


def _undoing(reader: Desk, row: QuestionRow, bought: EventRow) -> list[Entry]:
    """What undid something of the purchase: on its account, or after a merge on the other one."""
    places = sorted({bought.account or 0, row.account})
    found = reader.books.undoing([(account, row.event) for account in places])
    return [entry_of(*each) for each in found]


def _is_back(reader: Desk, row: QuestionRow, bought: EventRow) -> bool:
    """Whether all of the purchase came back, at once or bit by bit; what was recorded anew did
    not."""
    purchase = decode_body(bought.body) if bought.body else None
    entries = _undoing(reader, row, bought)
    told = {each.key: event_of(each).body for each in reader.books.events([
        each.event for each in entries
    ]) if each.body}  # fmt: skip
    refunds = {key for key, body in told.items() if getattr(body, "reason", EDITED) != EDITED}
    back = returned_by(each.decision for each in entries if each.event in refunds)
    return isinstance(purchase, Purchase) and all_back(purchase, back)
