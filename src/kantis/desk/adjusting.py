"""Adjusting: points that somebody gives or takes by hand, and who else has to agree.

Guarantee: what a key may not do alone is done only after another person has approved it, a
person being whoever has a key of another source. What was asked for is never changed, and is
answered once. An approved adjustment becomes one event, also when the process ends between
the answer and the event: the next round sends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from kantis.core.events import Adjust, Event
from kantis.desk.audit import By, alone, record
from kantis.desk.programs import Home
from kantis.desk.results import UNKNOWN, Result
from kantis.store import byhand, hands
from kantis.store.books import Books
from kantis.store.reading import Reading
from kantis.store.rows import AdjustmentRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

_AT_ONCE: Final = 100
#: Before the login of whoever adjusts in the console, in the name of their source.
CONSOLE: Final = "console:"


class Asked(Struct, frozen=True):
    """An adjustment that somebody asks for; amounts are in the smallest unit of the balance."""

    source: str
    id: str
    subject: str
    balance: str
    amount: int
    reason: str

    @property
    def key(self) -> str:
        """The key of its event."""
        return f"{self.source}/{self.id}"

    @property
    def event(self) -> Event:
        """Its event, where one person is enough."""
        body = Adjust(self.balance, self.amount, self.reason, self.source)
        return Event(self.source, self.id, 0, self.subject, body, 0, True)


class Wrong(Exception):
    """Why it cannot be done: a code and a sentence."""

    def __init__(self, code: str, sentence: str = "") -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


class Alone(Struct, frozen=True):
    """What may be done without a second person: any amount, one up to a size, or what is left
    of a budget for the day, which gives only."""

    any: bool = False
    size: int = 0
    budget: int = 0


def event_of(row: AdjustmentRow) -> Event:
    """The event that an adjustment becomes; always the same for the same row."""
    by = row.source if row.decider is None else f"{row.source}, approved by {row.decider}"
    body = Adjust(row.balance, row.amount, row.reason, by)
    id = row.key.removeprefix(f"{row.source}/")
    return Event(row.source, id, 0, row.subject, body, 0, True)


def outcome(books: Reading, row: AdjustmentRow) -> tuple[str, int | None, int | None]:
    """What became of the event of an adjustment (decided, refused or open), and its entry."""
    event = next(iter(books.events([row.key])), None)
    if event is not None and event.account is not None and event.seq is not None:
        ((_, postings),) = books.entries([(event.account, event.seq)])
        return "decided" if postings else "refused", event.account, event.seq
    return "refused" if row.sent else "open", None, None


def ask(desk: Desk, by: By, home: Home, asked: Asked, may: Alone) -> AdjustmentRow:
    """Record an adjustment: made alone where that is allowed, or one that waits.

    The same again is the same one; ``Wrong`` where its id was used for something else.
    """
    now = desk.clock()
    with alone(desk) as books:
        found = hands.adjustment(books, key=asked.key)
        if found is None:
            state = byhand.ALONE if _within(books, home, asked, may, now) else byhand.WAITS
            given = asked.subject, asked.balance, asked.amount, asked.reason
            hands.add_adjustment(
                books,
                AdjustmentRow(
                    0, asked.key, home.number, asked.source, by.who, *given, now, state, None,
                    None, None, 0,
                ),
            )  # fmt: skip
            found = hands.adjustment(books, key=asked.key)
            assert found is not None
            deed = "adjust" if state == byhand.ALONE else "propose"
            _record(books, now, by, found, deed)
    return same_again(found, asked)


def same_again(found: AdjustmentRow, asked: Asked) -> AdjustmentRow:
    """What was recorded under an id; ``Wrong`` where that was something else."""
    said = Asked(found.source, asked.id, found.subject, found.balance, found.amount, found.reason)
    if said != asked:
        raise Wrong("id-reused")
    return found


def _within(books: Books, home: Home, asked: Asked, may: Alone, now: int) -> bool:
    """Whether somebody may do this alone."""
    if may.any or abs(asked.amount) <= may.size:
        return True
    if not may.budget or asked.amount < 0:
        return False
    days = home.program.calendar
    today = days.start(days.day(now))
    given = hands.given_alone(books, asked.source, asked.balance, today, byhand.ALONE)
    return bool(given + asked.amount <= may.budget)


def answer(
    desk: Desk, by: By, source: str, program: int, n: int, yes: bool, note: str
) -> AdjustmentRow:
    """Approve or decline an adjustment that waits. The same answer again changes nothing.

    ``Wrong`` when there is none, when whoever asked answers, or when it was answered before.
    """
    state = byhand.APPROVED if yes else byhand.DECLINED
    now = desk.clock()
    with alone(desk) as books:
        found = hands.adjustment(books, n=n)
        if found is None or found.program != program:
            raise Wrong("unknown-adjustment")
        if same_person(found.source, source):
            raise Wrong("same-person")
        if found.state != byhand.WAITS:
            if (found.state, found.decider) != (state, source):
                raise Wrong("answered-before", f"It is {byhand.STATES[found.state]}.")
            return found
        hands.answer(books, n, state, source, now, note)
        _record(books, now, by, found, "approve" if yes else "decline", note)
        found = hands.adjustment(books, n=n)
        assert found is not None
    return found


def same_person(one: str, other: str) -> bool:
    """Whether two sources are one person: a person may have several keys, of one source, and
    signs in to the console under the same name.

    >>> same_person("anna", "console:anna"), same_person("console:anna", "console:ben")
    (True, False)
    """
    return one.removeprefix(CONSOLE) == other.removeprefix(CONSOLE)


def settled(desk: Desk, row: AdjustmentRow, result: Result) -> None:
    """The event of an adjustment was answered; nobody has to send it again."""
    if result.outcome != UNKNOWN:
        with alone(desk) as books:
            hands.sent(books, row.n)


def send_rest(desk: Desk) -> int:
    """Send what was approved and not sent, as after a crash; how many that were."""
    with desk.quiet():
        rows = hands.unsent(desk.books, _AT_ONCE)
        names = {number: name for name, number in desk.books.programs().items()}
    for row in rows:
        (result,) = desk.submit([event_of(row)], program=names[row.program])
        settled(desk, row, result)
    return len(rows)


def _record(books: Books, at: int, by: By, row: AdjustmentRow, deed: str, note: str = "") -> None:
    said = {"event": row.key, "subject": row.subject, "balance": row.balance,
            "amount": row.amount, "reason": row.reason}  # fmt: skip
    more = {"note": note} if note else {}
    record(books, at, by, row.program, deed, str(row.n), **said, **more)
