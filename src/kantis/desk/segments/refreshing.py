"""Refreshing: who belongs to a segment is found by a job, and told to the accounts as a fact.

Guarantee: what a segment means for points is decided by the fact ``segment NAME`` that stands
in the account's own books, as an event with its time. So a purchase is decided by what was
known when it was made, and a replay gives the same, whatever the rules say by now. A refresh
sends an event only for those who come or leave, and may be begun again at any time. It looks at
all accounts once a day and after new rules, and in between at those that changed (``lately``).

Where a share is held back, it is drawn for each who comes, once: the fact ``drawn NAME`` says
whether they are ``with`` or ``without``, and of which draw, and stays. Whoever is without is
told nothing else: no fact ``segment NAME``, and so none of what is meant for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from kantis.core.account import Account, decode_account
from kantis.core.calendar import show_instant
from kantis.core.events import Event, Know
from kantis.core.facts import DRAWN, SEGMENT, WITH, WITHOUT
from kantis.core.knobs import Fault, ProgramError
from kantis.core.phrases import NAME, Reader, node
from kantis.desk import lately
from kantis.desk.audit import By, alone, record
from kantis.desk.beside import beside
from kantis.desk.chores import chore
from kantis.desk.drawing import drawn
from kantis.desk.jobs import Job, Progress
from kantis.desk.programs import Home
from kantis.desk.segments.rules import Month, Rules, belongs, read
from kantis.desk.submit import Desk
from kantis.desk.writer import RemoteDesk
from kantis.store import segments as rows
from kantis.store.books import Books
from kantis.store.reading import Reading
from kantis.store.segments import SegmentRow
from kantis.store.tallies import tallied

EVERY_MS: Final = 3_600_000
#: The source of the events that tell accounts.
SOURCE: Final = "segments"
SEGMENTS_MAX: Final = 50
LETTERS_MAX: Final = 5_000
_PAUSE_S: Final = 0.005


def make(desk: Desk, program: int, name: str, source: str, by: By) -> None:
    """A segment with its rules, or new rules for one; ``ProgramError`` where it is none.

    Who belongs is found at once, by whichever process does jobs.
    """
    reader = Reader(None)
    try:
        NAME.read(node(name), reader)
    except Exception as error:
        message = "A segment is called with small letters, digits and hyphens."
        raise ProgramError([Fault("bad-name", message)]) from error
    source = source[:LETTERS_MAX].replace("\r\n", "\n")
    with alone(desk) as books:
        desk.homes.refresh(books)
        now = desk.clock()
        rules = read(source, desk.homes.numbered(program).program.plan(now))
        known = {each.name: each for each in rows.segments(books, program)}
        if name not in known and len(known) >= SEGMENTS_MAX:
            message = f"There are {SEGMENTS_MAX} segments already. End one of them."
            raise ProgramError([Fault("too-many", message)])
        row = known.get(name)
        drawn = now if rules.hold_back else 0
        if row is not None and row.ended is None and row.held == rules.hold_back:
            drawn = row.drawn  # the draw of before holds
        rows.write(books, SegmentRow(program, name, source, now, 0, None, rules.hold_back, drawn))
        record(books, now, by, program, "segment", name, rules=source)
    ask(desk, program, name)


def end(desk: Desk, program: int, name: str, by: By) -> bool:
    """A segment has nobody any more; ``False`` where there is none."""
    with alone(desk) as books:
        found = {each.name: each for each in rows.segments(books, program)}
        if name not in found or found[name].ended is not None:
            return False
        rows.write(books, found[name]._replace(ended=desk.clock()))
        record(books, desk.clock(), by, program, "segment", name, ended=True)
    ask(desk, program, name)
    return True


def ask(desk: Desk, program: int, name: str) -> None:
    """Ask for a segment to be refreshed."""
    desk.chore("ask_job", desk.clock(), "segment", f"{program} {name}")


# ── the job ──────────────────────────────────────────────────────────────────


def refresh_all(desk: Desk | RemoteDesk, job: Job, progress: Progress) -> str:
    """Find who belongs to each segment now; how many came and left."""
    return _refresh(desk, progress, lambda row: True)


def refresh_one(desk: Desk | RemoteDesk, job: Job, progress: Progress) -> str:
    """Find who belongs to the segment that the job names."""
    return _refresh(desk, progress, lambda row: f"{row.program} {row.name}" == job.about)


def _refresh(
    desk: Desk | RemoteDesk, progress: Progress, wanted: Callable[[SegmentRow], bool]
) -> str:
    said = []
    with desk.books.reader() as books:
        found = list(filter(wanted, rows.segments(books)))
    if not found:
        return ""
    with beside(desk) as reader:
        for row in found:
            if progress.stop():
                break
            home = reader.homes.numbered(row.program)
            come, gone = _one(desk, reader.books, home, row, progress)
            said.append(f"{row.name}: {come} came, {gone} left")
    return ", ".join(said)


def _one(
    desk: Desk | RemoteDesk, books: Books, home: Home, row: SegmentRow, progress: Progress
) -> tuple[int, int]:
    """Refresh a segment; how many came and left. One that has ended is dropped at last."""
    now, came, left = desk.clock(), 0, 0
    plan = home.program.plan(now)
    try:
        rules = None if row.ended is not None else read(row.source, plan)
    except ProgramError:  # a later version of the program knows its words no more
        return 0, 0
    about = str(row._replace(refreshed=0))
    what = f"segment {row.program} {row.name}"
    look = lately.begin(books, home, what, about, now, tallied(books).entry)
    for some in lately.pages(books, look):
        page = [(each.id, decode_account(each.snapshot)) for each in some]
        here = _members(books, plan, page, rules, now)
        here -= _held_back(desk, home, row, page, here, now)
        come, gone = _tell(desk, home, row, page, here, now)
        was = rows.among(books, row.program, row.name, [number for number, _ in page])
        moves = sorted(here - was), sorted(was - here)
        if any(moves):
            desk.chore("move_segment", row.program, row.name, *moves)
        came, left = came + come, left + gone
        if progress.stop() or progress.pause(_PAUSE_S):
            return came, left
    desk.chore("segment_refreshed", row.program, row.name, now, row.ended is not None)
    lately.end(desk, look)
    return came, left


def _members(
    books: Reading, plan: Any, page: Sequence[tuple[int, Account]], rules: Rules | None, now: int
) -> set[int]:
    """The accounts of a page that belong; one that was merged into another does not, and what
    was bought with it counts there."""
    if rules is None:
        return set()
    counts = {each: number for number, account in page for each in (number, *account.merged)}
    bought: dict[int, list[Month]] = {}
    for number, *month in rows.bought(books, counts):
        bought.setdefault(counts[number], []).append(Month(*month))
    return {
        number
        for number, account in page
        if not account.away[0] and belongs(rules, plan, account, bought.get(number, ()), now)
    }


def _held_back(
    desk: Desk | RemoteDesk, home: Home, row: SegmentRow, page: Sequence[tuple[int, Account]],
    here: set[int], now: int,
) -> set[int]:  # fmt: skip
    """Who of those that would belong is held back; it is drawn for whoever has no arm yet."""
    if not row.held:
        return set()
    fact, when, without, events = f"{DRAWN}{row.name}", show_instant(row.drawn), set(), []
    for number, account in page:
        if number not in here:
            continue
        history = account.facts.get(fact)
        arm = history[-1][1] if history is not None else ""
        if not arm.endswith(when):
            arm = WITHOUT if drawn(row.name, row.drawn, number) < row.held else WITH
            arm = f"{arm} {when}"
            id = f"{row.name}-{now}-{number}-drawn"
            events.append(Event(SOURCE, id, 0, f"account:{number}", Know(fact, arm)))
        if arm.startswith(WITHOUT):
            without.add(number)
    if events:
        desk.submit(events, program=home.name)
    return without


def _tell(
    desk: Desk | RemoteDesk, home: Home, row: SegmentRow, page: Sequence[tuple[int, Account]],
    here: set[int], now: int,
) -> tuple[int, int]:  # fmt: skip
    """Tell the accounts that come into a segment or leave it; how many of each."""
    fact, events, come = SEGMENT + row.name, [], 0
    for number, account in page:
        history = account.facts.get(fact)
        was = history is not None and history[-1][1] == "yes"
        if was == (number in here) or account.away[0]:
            continue
        value = "yes" if number in here else "no"
        come += value == "yes"
        id = f"{row.name}-{now}-{number}"
        events.append(Event(SOURCE, id, 0, f"account:{number}", Know(fact, value)))
    if events:
        desk.submit(events, program=home.name)
    return come, len(events) - come


@chore
def move_segment(
    books: Books, now: int, program: int, name: str, come: list[int], gone: list[int]
) -> None:
    """Write down who came into a segment, and who left."""
    rows.move(books, program, name, come, gone, now)


@chore
def segment_refreshed(books: Books, _: int, program: int, name: str, at: int, ended: bool) -> None:
    """A segment was refreshed; one that has ended goes."""
    if ended:
        rows.drop(books, program, name)
    else:
        rows.refreshed(books, program, name, at)
