"""Editor: writing a program in the browser, with checks and a preview before it is published."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, Final

from msgspec import Struct, structs
from starlette.responses import Response

from kantis.core.amounts import Unit, money
from kantis.core.calendar import Calendar
from kantis.core.knobs import Fault, ProgramError
from kantis.desk import editing, library, signoffs
from kantis.desk.compare import Comparison
from kantis.desk.programs import Home
from kantis.desk.submit import Desk
from kantis.doors.web.languages import said
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place, place_of
from kantis.doors.web.preview import Preview, first_purchase
from kantis.doors.web.proving import is_fresh
from kantis.doors.web.versions import plain_value

#: The currencies that are offered first; any other can be written into the file.
CURRENCIES: Final = ("EUR", "USD", "GBP", "SEK", "NOK", "DKK", "VND")
SOURCE_LETTERS_MAX: Final = 200_000
#: So many drafts that were read are kept, for who opens or checks them again.
_DRAFTS: Final = 8
_TITLE_LETTERS_MAX: Final = 60
#: What a difference begins with: which versions it is of, as they are on the page anyway.
_HEAD_LINES: Final = 2
#: On so many of the newest members a draft is tried out; all of them: ``kantis check --store``.
TRIED: Final = (100, 500, 2_000)


class Template(Struct, frozen=True):
    """A template as somebody chooses it."""

    name: str
    titles: dict[str, str]
    about: str

    def title(self, tag: str) -> str:
        """Its name in a language."""
        return said(self.titles, tag, self.name)


class Tried(Struct, frozen=True):
    """Who of the newest members would have more and who less, and from when."""

    found: Comparison
    days: Calendar
    units: dict[str, Unit]

    def day(self, at: int) -> int:
        """The day of an instant; 0 for none."""
        return self.days.day(at) if at else 0


class Checked(Struct, frozen=True):
    """A draft that was looked at: its faults, or what it would do."""

    source: str
    faults: tuple[Fault, ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()
    changes: list[editing.Change] = []
    differs: str = ""
    preview: Preview | None = None
    place: Place | None = None
    tried: Tried | None = None
    demanded: int = 0

    @property
    def unit(self) -> Unit:
        """The money of the draft."""
        assert self.place is not None
        return money(self.place.money)


async def choose(visit: Visit) -> Response:
    """The templates, each with what it is about."""
    return _choice(visit, {}, "")


async def chosen(visit: Visit) -> Response:
    """A template with a name and a currency of its own, ready to be changed."""
    form, spoken = await visit.form(), visit.language
    title = " ".join(form.get("title", "").split())[:_TITLE_LETTERS_MAX]
    name = form.get("name", "").strip().lower() or library.short_name(title)
    zone = form.get("timezone", "").strip()
    try:
        base, code = form.get("template", ""), form.get("money", "")
        source = library.template(base, code, zone, name, title)
    except library.NoSuchTemplate:
        return _choice(visit, form, spoken.gettext("Choose a template and a currency."))
    checked = await visit.office.study(look_at, source, "", 0)
    codes = {each.code for each in checked.faults}
    taken = await visit.office.read(lambda reader: name in reader.books.programs())
    wrong = ""
    if not name:
        wrong = spoken.gettext("Write a short name too: it cannot be made of this one.")
    elif "name-expected" in codes:
        wrong = spoken.gettext("A short name has small letters, digits and dashes.")
    elif codes:  # of what was filled in nothing else can be wrong
        wrong = spoken.gettext("There is no such time zone. Write it as in Asia/Ho_Chi_Minh.")
    elif taken:
        wrong = spoken.gettext("Another program has this short name.")
    return _choice(visit, form, wrong) if wrong else _shown(visit, "", checked)


def _choice(visit: Visit, form: dict[str, str], fault: str) -> Response:
    return visit.page(
        "program-new.html", status=422 if fault else 200, templates=_templates(),
        money=CURRENCIES, form=form, fault=fault,
    )  # fmt: skip


async def edit(visit: Visit) -> Response:
    """The newest version of a program, to be changed."""
    name, source = await visit.office.read(_newest, visit)
    return _shown(visit, name, await visit.office.study(look_at, source, name, visit.staff.program))


async def check(visit: Visit) -> Response:
    """Look at a draft: faults with their lines, or what it would do."""
    name, form = visit.about.get("program", ""), await visit.form()
    # a browser ends the lines of a form as mail does
    source = form.get("source", "")[:SOURCE_LETTERS_MAX].replace("\r\n", "\n")
    checked = await visit.office.study(look_at, source, name, visit.staff.program)
    if form.get("do") == "try" and name and not checked.faults:
        count = whole(form.get("newest", ""))
        newest = count if count in TRIED else TRIED[0]
        checked = await visit.office.study(try_on, checked, name, form.get("since", ""), newest)
    if form.get("do") not in ("publish", "put up") or checked.faults:
        status = 422 if checked.faults else 200
        return _shown(visit, name, checked, status=status, form=form)
    try:
        if checked.demanded:
            draft = await visit.change(_put_up, source, name, form.get("since", ""), visit)
            return visit.go(f"/c/{name}/drafts/{draft}")
        if not is_fresh(visit):  # what was written stays on the page
            return _shown(visit, name, checked, status=403, form=form, unproved=True)
        done = await visit.change(_publish, source, name, form.get("since", ""), visit)
    except ProgramError as error:
        shown = structs.replace(checked, faults=tuple(error.faults))
        return _shown(visit, name, shown, status=422, form=form)
    return visit.go(f"/c/{done.program}" + ("" if name else "/design?first=1"))


def _shown(
    visit: Visit, name: str, checked: Checked, status: int = 200,
    form: dict[str, str] | None = None, *, unproved: bool = False,
) -> Response:  # fmt: skip
    place, spoken = checked.place, visit.language
    say = place.speaker(spoken) if place is not None else None
    chapters = place.chapters(spoken) if place is not None else []
    return visit.page(
        "program-edit.html", status=status, name=name, checked=checked, say=say, chapters=chapters,
        form=form or {}, sizes=TRIED, unproved=unproved, tell=place and place.teller(spoken),
        plain=plain_value,
    )  # fmt: skip


# ── what a reader finds ──────────────────────────────────────────────────────


@cache
def _templates() -> tuple[Template, ...]:
    """They come with Kantis, so they stay as they are while it runs."""
    found = []
    for name, path in library.templates().items():
        head = editing.read(path.read_bytes()).program.newest.head
        found.append(Template(name, head.title, head.about))
    return tuple(found)


@lru_cache(maxsize=_DRAFTS)
def read_draft(source: str, name: str) -> tuple[editing.Draft, tuple[tuple[str, str], ...]]:
    """A draft and its warnings, which depend on its text and its name alone."""
    draft = editing.read(source, name=name)
    return draft, tuple(editing.warnings(draft).items())


def _newest(reader: Desk, visit: Visit) -> tuple[str, str]:
    name, own = visit.about["program"], visit.staff.program
    number = reader.books.programs().get(name)
    if number is None or own not in (0, number):
        raise NotHere
    return name, reader.books.versions(number)[-1].source


def look_at(reader: Desk, source: str, name: str, own: int) -> Checked:
    """What a draft would do, or what is wrong with it; ``own`` as of who works here."""
    number = reader.books.programs().get(name, 0)
    if name and (not number or own not in (0, number)):
        raise NotHere
    demanded = signoffs.demand(reader.books, number).count if number else 0
    try:
        draft, warnings = read_draft(source, name)
    except ProgramError as error:
        return Checked(source, tuple(error.faults), demanded=demanded)
    now = reader.clock()
    changes: list[editing.Change] = []
    differs = ""
    if number:
        newest = reader.books.versions(number)[-1]
        tree = editing.tree_text(draft.tree)
        changes, said = editing.difference(newest, newest._replace(source=source, tree=tree))
        differs = "\n".join(said.split("\n")[_HEAD_LINES:])
    home: Any = Home(0, draft.program.name, draft.program, 0)
    return Checked(
        source,
        warnings=warnings,
        changes=changes,
        differs=differs,
        preview=first_purchase(draft.program, now),
        place=place_of(home, now),
        demanded=demanded,
    )


def try_on(reader: Desk, checked: Checked, name: str, since: str, newest: int) -> Checked:
    """The draft as it would be for the newest members."""
    try:
        draft, _ = read_draft(checked.source, name)
        found = editing.effects(reader.books, draft, since, "", reader.clock(), newest)
    except ProgramError as error:
        return structs.replace(checked, faults=tuple(error.faults))
    assert found is not None
    tried = Tried(found, draft.program.calendar, draft.program.units)
    return structs.replace(checked, tried=tried)


def _put_up(desk: Desk, source: str, name: str, since: str, visit: Visit) -> int:
    draft = editing.read(source, name=name)
    return editing.put_up(desk, draft, since, desk.clock(), visit.by, visit.staff.number)


def _publish(desk: Desk, source: str, name: str, since: str, visit: Visit) -> editing.Published:
    draft = editing.read(source, name=name)
    there = desk.books.programs()
    if not name and draft.program.name in there:
        message = f"There is a program {draft.program.name!r} already. Choose another name."
        raise ProgramError([Fault("program-taken", message)])
    if visit.staff.program not in (0, there.get(name, -1)):
        raise NotHere
    return editing.publish(desk, draft, since, desk.clock(), visit.by)
