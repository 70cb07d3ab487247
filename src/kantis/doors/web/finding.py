"""Finding: one line in the console that leads to pages, tasks, members and programs.

What somebody types about a person comes with a ``POST``, so that it stands in no address and no
log. Names are shown to those who help members; each showing is written down before it.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from kantis.desk.programs import Home
from kantis.desk.showing import standing
from kantis.desk.submit import Desk
from kantis.desk.vault import searching
from kantis.desk.vault.person import plain
from kantis.desk.vault.searching import Hit
from kantis.desk.vault.vault import FOUND_MAX, Reader, Vault
from kantis.doors.web import menu
from kantis.doors.web.console import placed
from kantis.doors.web.pages import Visit
from kantis.doors.web.places import Place, place_of
from kantis.doors.web.roles import HELPING

#: Members on a page of the list.
PAGE: Final = 20
#: Members that the palette shows; the list of members has them all.
_MEMBERS: Final = 8
#: Under what a reading from the console is written down.
_FIELDS: Final = ("given_name", "family_name")


class Found(Struct, frozen=True):
    """A line that leads somewhere."""

    title: str
    address: str
    about: str = ""


async def page(visit: Visit) -> Response:
    """Pages and programs, and members by what is nobody's secret: a card, an account, a receipt."""
    wanted = visit.request.query_params.get("q", "").strip()[: searching.LETTERS_MAX]
    place, programs = await visit.office.read(_programs, visit, wanted)
    hits = await visit.office.read(_numbered, visit, place.number, wanted)
    return _shown(visit, place, wanted, [_line(visit, place, each) for each in hits], programs)


async def found(visit: Visit) -> Response:
    """The same, and members by name, e-mail address and telephone number."""
    form = await visit.form()
    wanted = form.get("q", "").strip()[: searching.LETTERS_MAX]
    place, programs = await visit.office.read(_programs, visit, wanted)
    hits = await look(visit, place, wanted, "find", _MEMBERS)
    members = [_line(visit, place, each) for each in hits]
    return _shown(visit, place, wanted, members, programs, part=bool(form.get("part")))


async def look(visit: Visit, place: Place, wanted: str, why: str, most: int) -> list[Hit]:
    """The accounts that a text finds, with names for those who may see them."""
    if not wanted:
        return []
    if visit.staff.role not in HELPING:
        return (await visit.office.read(_numbered, visit, place.number, wanted))[:most]
    by = Reader(f"staff {visit.staff.login}", why)
    return await visit.office.people(_people, place.number, wanted, by, most)


def _shown(
    visit: Visit, place: Place, wanted: str, members: list[Found], programs: list[Found],
    *, part: bool = False,
) -> Response:  # fmt: skip
    pages = _named(visit, place, wanted, menu.MENU)
    does = _named(visit, place, wanted, menu.ACTIONS)
    spoken = visit.language
    groups = [
        (spoken.gettext("Pages"), pages), (spoken.gettext("Members"), members),
        (spoken.gettext("To do"), does), (spoken.gettext("Programs"), programs),
    ]  # fmt: skip
    return visit.page(
        "console-found.html" if part else "console-find.html", place=place, wanted=wanted,
        groups=[each for each in groups if each[1]],
        total=sum(len(lines) for _, lines in groups),
    )  # fmt: skip


def _named(visit: Visit, place: Place, wanted: str, table: tuple[menu.Entry, ...]) -> list[Found]:
    """The entries of a table whose name, or whose group's, has the text."""
    said = visit.language.gettext
    lines = []
    for each in menu.entries(place.name, visit.staff.role, table):
        names = [said(each.title), said(each.group), each.title]
        if any(plain(wanted) in plain(name) for name in names):
            group = names[1] if names[1] != names[0] else ""
            lines.append(Found(names[0], each.address, group))
    lines.sort(key=lambda line: not plain(line.title).startswith(plain(wanted)))
    return lines


def _line(visit: Visit, place: Place, hit: Hit) -> Found:
    said = visit.language.gettext
    number = said("Member %(number)s") % {"number": hit.account}
    title = named(hit) or number
    about = visit.language.gettext("found by %(what)s") % {"what": said(hit.by)}
    if title != number:
        about = f"{number}, {about}"
    return Found(title, f"/c/{place.name}/members/{hit.account}", about)


def named(hit: Hit) -> str:
    """Whose account it is; nothing where nobody's name was asked for."""
    return ", ".join(x.person.name for x in hit.members if x.person and x.person.name)


# ── what a reader finds ──────────────────────────────────────────────────────


def _programs(reader: Desk, visit: Visit, wanted: str) -> tuple[Place, list[Found]]:
    place, _ = placed(reader, visit)
    numbers = reader.books.programs()
    lines = []
    for name in place.others if len(place.others) > 1 else ():
        other = place_of(reader.homes.numbered(numbers[name]), reader.clock())
        title = other.title(visit.language.tag)
        if plain(wanted) in plain(f"{name} {title}"):
            lines.append(Found(title, f"/c/{name}", name))
    return place, lines


def _numbered(reader: Desk, visit: Visit, program: int, wanted: str) -> list[Hit]:
    return searching.search(reader, program, wanted)


def _people(
    reader: Desk, vault: Vault, program: int, wanted: str, by: Reader, most: int
) -> list[Hit]:
    hits = searching.search(reader, program, wanted, vault)[:most]
    vault.note([member for hit in hits for member in hit.members], by, _FIELDS)
    return hits


# ── the list of members ──────────────────────────────────────────────────────


async def members(visit: Visit) -> Response:
    """The newest members first, page by page."""
    place, rows, older = await visit.office.read(_newest, visit)
    return _list(visit, place, rows, older=older)


async def search(visit: Visit) -> Response:
    """The members that were looked for; a single one at once."""
    wanted = (await visit.form()).get("q", "").strip()[: searching.LETTERS_MAX]
    place, _ = await visit.office.read(placed, visit)
    hits = await look(visit, place, wanted, "search members", FOUND_MAX)
    if len(hits) == 1:
        return visit.go(f"/c/{place.name}/members/{hits[0].account}")
    if not wanted:
        return visit.go(f"/c/{place.name}/members")
    names = {hit.account: named(hit) for hit in hits}
    rows = await visit.office.read(_rows, visit, list(names))
    return _list(visit, place, rows, names=names, wanted=wanted)


def _list(
    visit: Visit, place: Place, rows: list[dict[str, Any]], *, older: int = 0,
    names: dict[int, str] | None = None, wanted: str = "",
) -> Response:  # fmt: skip
    return visit.page(
        "console-members.html", place=place, say=place.speaker(visit.language), members=rows,
        names=names or {}, wanted=wanted, older=older, below=visit.number("below") or "",
    )  # fmt: skip


def _newest(reader: Desk, visit: Visit) -> tuple[Place, list[dict[str, Any]], int]:
    place, home = placed(reader, visit)
    numbers = newest(reader, place.number, visit.number("below"))
    older = numbers[PAGE - 1] if len(numbers) > PAGE else 0
    return place, standings(reader, home, numbers[:PAGE]), older


def newest(reader: Desk, program: int, below: int) -> list[int]:
    """The accounts of a page of the list, and one more where there is another page."""
    found = reader.books.rows(
        "SELECT id FROM account WHERE program = ? AND id < ? ORDER BY id DESC LIMIT ?",
        (program, below or (1 << 62), PAGE + 1),
    )
    return [row[0] for row in found]


def _rows(reader: Desk, visit: Visit, numbers: list[int]) -> list[dict[str, Any]]:
    _, home = placed(reader, visit)
    return standings(reader, home, numbers)


def standings(reader: Desk, home: Home, numbers: list[int]) -> list[dict[str, Any]]:
    """Accounts as they stand now."""
    rows = []
    for number in numbers:
        found = reader.books.account(number)
        assert found is not None
        rows.append(standing(reader.books, home, found, reader.clock()))
    return rows
