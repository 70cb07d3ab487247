"""Drafts: what waits for signatures, who has signed it, and how many signatures are demanded.

Guarantee: whoever signs sees exactly what is published: the difference to the newest version,
for whom it holds and from when, and what it would change for the members that there are. To
sign, to publish and to demand something else takes a sign-in that is not long ago.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from msgspec import Struct
from starlette.responses import Response

from kantis.core.calendar import Calendar
from kantis.core.knobs import ProgramError
from kantis.desk import editing, signoffs
from kantis.desk.programs import Home
from kantis.desk.signoffs import DEMAND, SIGNERS, VERSION, Demand, Standing
from kantis.desk.submit import Desk
from kantis.doors.web import editor
from kantis.doors.web.console import placed
from kantis.doors.web.editor import TRIED, Checked
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.doors.web.proving import is_fresh, prove_first
from kantis.doors.web.roles import OWNER, WRITING
from kantis.doors.web.versions import lines, plain_value
from kantis.store import signoffs as rows
from kantis.store.rows import VersionRow

#: What is not the fault of whoever presses a button: it changed meanwhile.
_MEANWHILE: Final = 409


class Seen(Struct, frozen=True):
    """A draft, what it follows, and where a version holds."""

    place: Place
    home: Home
    found: Standing
    newest: VersionRow
    calendar: Calendar
    locations: tuple[str, ...] = ()

    @property
    def is_version(self) -> bool:
        """Whether it is a version; else it is another demand."""
        return self.found.row.kind == VERSION

    @property
    def demand(self) -> Demand:
        """What would be demanded."""
        return Demand.read(self.found.row.source)

    @property
    def since(self) -> str:
        """From when it holds, as somebody would write it; empty for at once."""
        at = self.found.row.since
        return f"{self.calendar.local(at):%Y-%m-%d %H:%M}" if at else ""


async def look(visit: Visit) -> Response:
    """What waits, and what is demanded."""
    return await _list(visit)


async def demand(visit: Visit) -> Response:
    """Demand more signatures at once; or fewer, once as many as before have signed that."""
    if not is_fresh(visit):
        return prove_first(visit, f"/c/{visit.about['program']}/drafts")
    form = await visit.form()
    place, _, _, _ = await visit.office.read(_found, visit)
    wanted = Demand(whole(form.get("count", "")), tuple(each for each in SIGNERS if form.get(each)))
    about = place.number, wanted, visit.staff.number, visit.by
    try:
        draft = await visit.change(signoffs.settle, *about)
    except ProgramError as error:
        return await _list(visit, trouble=error.faults[0].code, form=form, status=422)
    return visit.go(f"/c/{place.name}/drafts" + (f"/{draft}" if draft else "?settled=1"))


async def one(visit: Visit) -> Response:
    """A draft with all that a signer has to see; one that is closed leads on."""
    seen = await visit.office.read(_seen, visit)
    return _gone(visit, seen) or await _one(visit)


async def act(visit: Visit) -> Response:
    """Sign it, take a signature back, take it back, or publish it."""
    form = await visit.form()
    seen = await visit.office.read(_seen, visit)
    where, row = f"/c/{seen.place.name}", seen.found.row
    if gone := _gone(visit, seen):
        return gone
    if not is_fresh(visit):
        return prove_first(visit, f"{where}/drafts/{row.number}")
    do = form.get("do", "")
    about = seen.place.number, row.number
    try:
        if do == "sign":
            number = visit.staff.number
            await visit.change(signoffs.sign, *about, number, form.get("remark", ""), visit.by)
        elif do == "unsign":
            await visit.change(signoffs.unsign, *about, visit.staff.number, visit.by)
        elif do not in ("drop", "publish") or visit.staff.role not in (
            WRITING if seen.is_version else OWNER
        ):
            raise NotHere
        elif do == "drop":
            await visit.change(signoffs.drop, *about, visit.by)
            return visit.go(f"{where}/drafts")
        elif seen.is_version:
            now = visit.office.desk.clock()
            await visit.change(editing.publish_signed, row, now, visit.by)
            return visit.go(f"{where}/versions")
        else:
            await visit.change(signoffs.settle_signed, *about, visit.by)
            return visit.go(f"{where}/drafts?settled=1")
    except ProgramError as error:
        return await _one(visit, trouble=error.faults[0].code, status=_MEANWHILE)
    return visit.go(f"{where}/drafts/{row.number}")


def _gone(visit: Visit, seen: Seen) -> Response | None:
    """To what became of a draft that waits no longer."""
    row, where = seen.found.row, f"/c/{seen.place.name}"
    if row.closed is None:
        return None
    return visit.go(f"{where}/versions/{row.version}" if row.version else f"{where}/drafts")


async def _one(visit: Visit, *, trouble: str = "", status: int = 200) -> Response:
    seen = await visit.office.read(_seen, visit)
    row, checked, changes, differs = seen.found.row, None, [], []
    if seen.is_version:
        checked = await _checked(visit, seen)
        draft = seen.newest._replace(source=row.source, number=0)
        differs = list(lines(seen.newest.source, row.source))
        if not checked.faults:
            changes = await visit.office.study(_changes, seen, draft)
    say = seen.place.speaker(visit.language)
    chapters = (
        checked.place.chapters(visit.language)
        if checked is not None and checked.place is not None
        else []
    )
    return visit.page(
        "console-draft.html", status=status, place=seen.place, say=say, seen=seen, row=row,
        found=seen.found, checked=checked, chapters=chapters, changes=changes, lines=differs,
        plain=plain_value, when=_when(visit, seen.calendar), trouble=trouble, name=seen.place.name,
        mine=seen.found.signature(visit.staff.number), sizes=TRIED, me=visit.staff,
        asked=visit.request.query_params.get("newest", ""), newest=seen.newest,
        sha=hashlib.sha256(row.source.encode()).hexdigest(),
        tell=seen.place.teller(visit.language),
    )  # fmt: skip


async def _checked(visit: Visit, seen: Seen) -> Checked:
    """What a version would do; with ``newest`` also for the newest members."""
    source, name = seen.found.row.source, seen.place.name
    checked = await visit.office.study(editor.look_at, source, name, visit.staff.program)
    size = visit.number("newest")
    if size in TRIED and not checked.faults:
        about = checked, name, seen.since, size
        checked = await visit.office.study(editor.try_on, *about)
    return checked


async def _list(
    visit: Visit, *, trouble: str = "", form: dict[str, str] | None = None, status: int = 200
) -> Response:
    place, home, wanted, found = await visit.office.read(_found, visit)
    return visit.page(
        "console-drafts.html", status=status, place=place, say=place.speaker(visit.language),
        found=found, wanted=wanted, signers=SIGNERS, trouble=trouble, form=form,
        when=_when(visit, home.program.calendar), most=signoffs.COUNT_MAX, read=Demand.read,
        kind=DEMAND, settled=visit.number("settled") > 0, me=visit.staff,
    )  # fmt: skip


def _when(visit: Visit, days: Calendar) -> Callable[[int], str]:
    return lambda at: visit.language.moment(days.local(at), "medium")


# ── what a reader finds ──────────────────────────────────────────────────────


def _found(reader: Desk, visit: Visit) -> tuple[Place, Home, Demand, list[Standing]]:
    place, home = placed(reader, visit)
    books = reader.books
    wanted = signoffs.demand(books, place.number)
    return place, home, wanted, signoffs.standings(books, place.number)


def _seen(reader: Desk, visit: Visit) -> Seen:
    place, home = placed(reader, visit)
    row = rows.draft(reader.books, place.number, whole(visit.about["number"]))
    if row is None:
        raise NotHere
    locations: tuple[str, ...] = ()
    calendar = home.program.calendar
    if row.kind == VERSION:
        program = editor.read_draft(row.source, place.name)[0].program
        pilot, calendar = program.newest.head.pilot, program.calendar
        locations = tuple(sorted(pilot.locations)) if pilot is not None else ()
    newest = reader.books.versions(place.number)[-1]
    found = signoffs.standing(reader.books, row)
    return Seen(place, home, found, newest, calendar, locations)


def _changes(reader: Desk, seen: Seen, draft: VersionRow) -> list[editing.Change]:
    tree = editor.read_draft(seen.found.row.source, seen.place.name)[0].tree
    return editing.difference(seen.newest, draft._replace(tree=editing.tree_text(tree)))[0]
