"""Booking: what a decided batch writes, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import tzdata  # type: ignore[import-untyped]
from msgspec import structs

from kantis.core.account import NEVER, encode_account
from kantis.core.decision import DESK, ENGINE, Entry, FollowUp, follow_up_id
from kantis.core.events import Carry, Event, Merged, encode_body
from kantis.desk.cache import Cache
from kantis.desk.recorded import noted
from kantis.desk.results import ALONE as LEFT_ALONE
from kantis.desk.results import BAD as SET_ASIDE
from kantis.desk.results import DECIDED as SETTLED
from kantis.desk.results import PARKED as WAITS
from kantis.desk.results import REFUSED, Result, refuse
from kantis.desk.tasks import Live, Task, tag_of
from kantis.store.rows import Page, Row
from kantis.store.schema import ALONE, BAD, DECIDED, PARKED, READY

if TYPE_CHECKING:
    from kantis.desk.batch import Batch

#: Letters of a note: why an event was set aside.
NOTE_MAX: Final = 500
#: The engine and the version of the time zone rules that decisions are made with.
STAMP: Final = (ENGINE, tzdata.IANA_VERSION)


def page(batch: Batch) -> Page:
    """All rows of a batch, accounts in the order of their ids, events in that of arrival."""
    made = Page(stamp=STAMP)
    written = set()
    for number in sorted(batch.lives):
        live = batch.lives[number]
        if live.entries or not (live.tasks or live.opened):
            stopped = live.broken and not live.tasks
            _book(made, live, bool(stopped))
            written.add(number)
            if stopped:  # time cannot pass: a person has to look, and the sweep goes on
                why = f"time stands still: {live.broken}"
                made.flags.append(("", number, live.account.seq, why, batch.now))
    made.cards = [(*card, number) for card, number in batch.opened.items() if number in written]
    members = batch.foresight.members
    for task in batch.tasks:
        if task.result is None:
            _record(made, task, members[task.key][0] if task.key in members else None)
    for key, (task, row) in members.items():
        if row is not None and task.entry is not None:
            made.settled.append((DECIDED, task.account, task.seq, None, row.note, row.n))
            made.arrived.append(key)
    made.arrived += [f"{program}:card:{token}" for program, token, _ in made.cards]
    return made


def _record(made: Page, task: Task, member: Task | None) -> None:
    """The row of an event: a new one, or what became of one that waited."""
    state, account, seq = task.state, task.account or None, task.seq or None
    if member is not None and state == ALONE:
        state, account, seq = DECIDED, member.account, member.seq
    if task.row is not None and task.event.source == DESK and _comes_back(task):
        made.unsealed.append(_returned(task))
        state, task.waits, task.note = DECIDED, None, "came back"
    if state != DECIDED:
        account, seq, task.account = None, None, 0
    if task.flag and task.entry is None:
        task.note = noted(task.flag, task.note)
    if task.note:
        task.note = "".join(c if c.isprintable() else " " for c in task.note)[:NOTE_MAX]
    if task.row is None:
        made.unsealed.append(task.row_of(state, account, seq))
    else:
        made.settled.append((state, account, seq, task.waits, task.note, task.row.n))
        made.arrived.append(task.key)
    if task.flag and task.entry is not None:
        made.flags.append((task.key, task.account, task.seq, task.flag, task.event.received))


def _book(made: Page, live: Live, stopped: bool) -> None:
    """What an account has got: its entries with their postings, its snapshot and its purse."""
    number, account = live.id, live.account
    for entry, imported, booked in live.marked:
        decision = entry.decision
        made.flags += [(entry.event, number, entry.seq, flag, booked) for flag in decision.flags]
        for position, follow in enumerate(decision.follow_ups):
            made.unsealed.append(_staged(live, entry, imported, position, follow))
    due = account.due
    snapshot = live.snapshot or encode_account(account)
    live.size = len(snapshot)
    made.ledgers.append((
        number, live.home.number if live.opened else None, live.head, account.seq,
        None if stopped or due >= NEVER else due, snapshot, account.purse, live.rows,
    ))  # fmt: skip


def _staged(live: Live, cause: Entry, imported: bool, position: int, follow: FollowUp) -> Row:
    """A follow-up in the inbox; its id and its time come from its cause."""
    key, at = follow_up_id(live.id, cause.seq, position), cause.at
    event = Event(DESK, key, at, follow.subject, follow.body, at)
    return _inbox(event, live.home.number, imported)


def _inbox(event: Event, program: int, imported: bool) -> Row:
    return (
        event.key, program, tag_of(event.body), event.time, event.received, event.subject,
        0, int(imported), READY, None, None, None, None, None, encode_body(event.body),
    )  # fmt: skip


def _comes_back(task: Task) -> bool:
    """Whether this is value in transit that nobody takes."""
    event = task.event
    body = event.body
    if not isinstance(body, Merged) and (not isinstance(body, Carry) or body.origin == "opening"):
        return False
    refused = task.entry is not None and task.entry.decision.refusal is not None
    return (refused or task.state == PARKED) and not event.id.endswith("-back")


def _returned(task: Task) -> Row:
    """The follow-up that brings value in transit back to where it came from."""
    event = task.event
    origin = event.id.partition("-")[0]
    body = event.body
    if isinstance(body, Carry):
        body = structs.replace(body, origin="back", member="")
    back = Event(DESK, f"{event.id}-back", event.time, f"account:{origin}", body, event.received)
    return _inbox(back, task.home.number, task.imported)


def answer(task: Task) -> Result:
    """The answer to an event, once its batch is committed."""
    if task.again is not None:
        return _twin(task, task.again)
    if task.result is not None:
        return task.result
    key = task.key
    if task.entry is not None:
        refusal = task.entry.decision.refusal
        outcome = REFUSED if refusal else SETTLED
        return Result(key, outcome, task.account, task.entry, refusal)
    if task.state == BAD:
        return Result(key, SET_ASIDE, task.account)
    return Result(key, LEFT_ALONE if task.state == ALONE else WAITS)


def _twin(task: Task, first: Task) -> Result:
    """The same event twice in one batch."""
    if first.row is not None:  # it was recorded before, and is taken up in this batch
        same = task.same_as(first.row)
    else:
        same = task.home.number == first.home.number and _said(task.event) == _said(first.event)
    if not same:
        return refuse(task.key, "id-reused")
    said = answer(first)
    return Result(said.key, said.outcome, said.account, said.entry, said.refusal, True)


def _said(event: Event) -> tuple[object, ...]:
    return event.time, event.subject, event.ask, event.body


def keep(batch: Batch, cache: Cache) -> None:
    """Put the accounts and the cards of a committed batch into the cache.

    The chain value of one that another process seals is known there.
    """
    lives, sealed = batch.lives, batch.books.sealed
    for number, live in lives.items():
        if not live.broken and (live.entries or not live.opened):
            head = sealed.get(number) if live.entries else live.head
            cache.put(number, live.home.number, live.account, head, live.size)
    for card, number in [*batch.found.items(), *batch.opened.items()]:
        if number in lives and (lives[number].entries or not lives[number].opened):
            cache.know(card, number)
