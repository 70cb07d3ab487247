"""Versions: what was published, by whom, from when and for whom it holds, and what differs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from kantis.core.knobs import ProgramError
from kantis.desk import editing
from kantis.desk.programs import Home
from kantis.desk.submit import Desk
from kantis.doors.web.console import placed
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.doors.web.proving import is_fresh, prove_first
from kantis.store import hands, signoffs
from kantis.store.rows import VersionRow
from kantis.store.signoffs import SignatureRow

#: What a version can be.
SCHEDULED: Final = "scheduled"
LIVE: Final = "live"
OLD: Final = "old"
CANCELLED: Final = "cancelled"
STATES: Final = (SCHEDULED, LIVE, OLD, CANCELLED)
_NEWEST: Final = 1 << 62
_DEEDS_MAX: Final = 1_000
#: Lines around a change that help to find it.
_AROUND: Final = 3


class Shown(Struct, frozen=True):
    """A version in the list: its state, whose it is, where it is tried out, and who signed it."""

    number: int
    state: str
    since: int
    published: int
    by: str
    cancelled_by: str
    locations: tuple[str, ...]
    signed: tuple[SignatureRow, ...]


class Line(Struct, frozen=True):
    """A line of a difference: gone, new, the same, or a gap between two places."""

    kind: str
    text: str


async def look(visit: Visit) -> Response:
    """All versions, the newest first."""
    return await _list(visit)


async def cancel(visit: Visit) -> Response:
    """A version that has not begun does not begin; takes a sign-in that is not long ago."""
    if not is_fresh(visit):
        return prove_first(visit, f"/c/{visit.about['program']}/versions")
    number = whole(visit.about["number"])
    place, _, _, shown = await visit.office.read(_versions, visit)
    if number not in {each.number for each in shown}:
        raise NotHere
    by = visit.by.who, visit.by.name
    try:
        await visit.change(Desk.cancel, place.name, number, by)
    except ProgramError as error:
        return await _list(visit, trouble=error.faults[0].code, status=409)
    return visit.go(f"/c/{place.name}/versions")


async def one(visit: Visit) -> Response:
    """The text of a version."""
    place, home, rows, shown = await visit.office.read(_versions, visit)
    row = _numbered(rows, whole(visit.about["number"]))
    found = next(each for each in shown if each.number == row.number)
    return visit.page(
        "console-version.html", place=place, say=place.speaker(visit.language), row=row,
        found=found, first=row.number == rows[0].number, when=_when(visit, home),
    )  # fmt: skip


async def difference(visit: Visit) -> Response:
    """What any two versions say differently, thing by thing and line by line."""
    place, home, rows, shown = await visit.office.read(_versions, visit)
    later = _numbered(rows, visit.number("later") or rows[-1].number)
    before = [row for row in rows if row.number < later.number] or rows[:1]
    earlier = _numbered(rows, visit.number("earlier") or before[-1].number)
    if earlier.number > later.number:
        earlier, later = later, earlier
    found = next(each for each in shown if each.number == later.number)
    return visit.page(
        "console-difference.html", place=place, say=place.speaker(visit.language),
        earlier=earlier, later=later, numbers=[row.number for row in reversed(rows)],
        lines=list(lines(earlier.source, later.source)), found=found, when=_when(visit, home),
        changes=editing.difference(earlier, later)[0], plain=plain_value,
    )  # fmt: skip


async def _list(visit: Visit, *, trouble: str = "", status: int = 200) -> Response:
    place, home, _, shown = await visit.office.read(_versions, visit)
    return visit.page(
        "console-versions.html", status=status, place=place, say=place.speaker(visit.language),
        versions=list(reversed(shown)), when=_when(visit, home), trouble=trouble,
    )  # fmt: skip


def lines(earlier: str, later: str) -> Iterator[Line]:
    """The difference of two texts, with a few lines around each change.

    >>> [(each.kind, each.text) for each in lines("a\\nb\\nc\\n", "a\\nx\\nc\\n")]
    [('same', 'a'), ('gone', 'b'), ('new', 'x'), ('same', 'c')]
    """
    one, two = earlier.splitlines(), later.splitlines()
    matcher = difflib.SequenceMatcher(None, one, two, autojunk=False)
    for n, group in enumerate(matcher.get_grouped_opcodes(_AROUND)):
        if n:
            yield Line("gap", "")
        for tag, begin, end, first, last in group:
            if tag == "equal":
                yield from (Line("same", text) for text in one[begin:end])
                continue
            yield from (Line("gone", text) for text in one[begin:end])
            yield from (Line("new", text) for text in two[first:last])


def plain_value(value: Any) -> str:
    """A value of a program file in one line; nothing where it is not said."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {plain_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(plain_value, value)) + "]"
    return "" if value is None else str(value)


def _when(visit: Visit, home: Home) -> Any:
    def say(at: int) -> str:
        return visit.language.moment(home.program.calendar.local(at), "medium") if at else ""

    return say


def _numbered(rows: list[VersionRow], number: int) -> VersionRow:
    for row in rows:
        if row.number == number:
            return row
    raise NotHere


# ── what a reader finds ──────────────────────────────────────────────────────


def _versions(reader: Desk, visit: Visit) -> tuple[Place, Home, list[VersionRow], list[Shown]]:
    place, home = placed(reader, visit)
    books, now = reader.books, reader.clock()
    rows = books.versions(place.number, cancelled=True)
    kept = {row.number for row in books.versions(place.number)}
    by = {
        deed: {
            row.about.rpartition(" ")[2]: row.name or row.who
            for row in hands.audit(books, _NEWEST, _DEEDS_MAX, program=place.number, deed=deed)
        }
        for deed in ("publish", "cancel")
    }
    drafts = signoffs.published(books, place.number)
    signatures = signoffs.signatures(books, place.number)
    pilots = {each.number: each for each in home.program.pilots}
    line = [row for row in rows if row.number in kept and row.number not in pilots]
    live = max((row.number for row in line if row.since <= now), default=line[0].number)
    shown = []
    for row in rows:
        pilot = pilots.get(row.number)
        running = pilot is not None and pilot.since <= now < pilot.until
        state = OLD
        if row.number not in kept:
            state = CANCELLED
        elif row.number == live or running:
            state = LIVE
        elif row.since > now:
            state = SCHEDULED
        number = str(row.number)
        where = tuple(sorted(pilot.locations)) if pilot is not None else ()
        published, ended = by["publish"].get(number, ""), by["cancel"].get(number, "")
        draft = drafts.get(row.number)
        signed = tuple(signatures.get(draft.number, ())) if draft is not None else ()
        about = row.number, state, row.since, row.published, published, ended, where
        shown.append(Shown(*about, signed))
    return place, home, rows, shown
