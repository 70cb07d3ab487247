"""Gifts: what a program gives for an answer about a purchase.

Guarantee: what an answer brings is an event whose id is that of the question, so it comes once,
also when a process dies in between. It does not come for a purchase of which something came
back, and is taken back when all of the purchase comes back afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kantis.core.calendar import DAY_MS
from kantis.core.events import EDITED, Activity, Cancel, Event, Refund, decode_body
from kantis.desk.beside import beside
from kantis.desk.chores import chore
from kantis.desk.results import UNKNOWN
from kantis.store import surveys as rows
from kantis.store.books import Books
from kantis.store.surveys import GIVEN, OWED, TAKEN

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
        # it may have been merged since, and then what undoes it stands where the question is
        accounts = {bought.account or 0, row.account}
        came_back = reader.books.undoing([(each, row.event) for each in sorted(accounts)])
        if came_back or not name:
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
        for number, body in rows.undone(reader.books, since):
            refund = decode_body(bytes(body)) if body else None
            if isinstance(refund, Refund) and not refund.lines and refund.reason != EDITED:
                taken += _take(desk, reader, number)
    return f"{taken} gifts taken back" if taken else ""


def _take(desk: Desk | RemoteDesk, reader: Desk, number: int) -> bool:
    row = rows.question(reader.books, number)
    assert row is not None
    home = reader.homes.numbered(row.program)
    (bought,) = reader.books.events([row.event])
    back = Event(SOURCE, f"{number}{_BACK}", 0, bought.subject, Cancel(str(number)))
    (result,) = desk.submit([back], program=home.name)
    return result.outcome != UNKNOWN and bool(desk.chore("note_gift", number, GIVEN, TAKEN))
