"""Console: the page of a member, and who may sign in."""

from __future__ import annotations

import secrets
from typing import Any, Final

from starlette.responses import Response

from kantis.core.knobs import ProgramError
from kantis.desk import factors, sessions, staff
from kantis.desk.freezing import LOCK
from kantis.desk.programs import Home
from kantis.desk.settlement import outsiders
from kantis.desk.showing import standing, told
from kantis.desk.submit import Desk
from kantis.desk.vault.person import Person
from kantis.desk.vault.vault import Reader, Vault
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place, place_of
from kantis.doors.web.proving import is_fresh, prove_first
from kantis.doors.web.roles import HELPING
from kantis.store import factors as rows
from kantis.store import people as people_of
from kantis.store.rows import AccountRow

#: Entries on a page of a member.
PAGE: Final = 20
#: What the page of a member shows of a person.
_READ: Final = ("given_name", "family_name", "email", "phone", "notes")
_INVITATION: Final = ("login", "name", "role", "program")
#: Who has another first page than how the program stands.
_BEGIN: Final = {"partner": "/partners"}


async def start(visit: Visit) -> Response:
    """To the program of whoever has signed in, or to the first one."""
    names = await visit.office.read(_names, visit.staff.program)
    if not names:
        return visit.page("console-empty.html")
    return visit.go(f"/c/{names[0]}{_BEGIN.get(visit.staff.role, '')}")


async def member(visit: Visit) -> Response:
    """Everything about a member, and why."""
    return await _one(visit)


async def open_portal(visit: Visit) -> Response:
    """A link by which a member signs in to the portal; it is shown once."""
    place, account, _, _, _ = await visit.office.read(_member, visit)
    if await _frozen(visit, place, account["account"]) == LOCK:  # then it would not open
        return visit.go(f"/c/{place.name}/members/{account['account']}")
    token = await visit.change(sessions.ticket, account["account"], visit.by)
    return await _one(visit, f"{visit.address}/open/{token}")


async def _one(visit: Visit, link: str = "") -> Response:
    place, account, entries, older, units = await visit.office.read(_member, visit)
    frozen = await _frozen(visit, place, account["account"])
    persons: list[Person] = []
    if visit.staff.role in HELPING:
        by = Reader(f"staff {visit.staff.login}", "the page of a member")
        persons = await visit.office.people(_persons, account["account"], by)
    return visit.page(
        "console-member.html", place=place, say=place.speaker(visit.language), account=account,
        entries=entries, older=older, link=link, units=units, fresh=secrets.token_hex(8),
        persons=persons, frozen=frozen,
    )  # fmt: skip


async def _frozen(visit: Visit, place: Place, account: int) -> str:
    """What freezes an account, beside what freezes the program."""
    return await visit.office.read(
        lambda reader: reader.homes.freezes.own_reason(place.number, account, reader.clock())
    )


async def people(visit: Visit) -> Response:
    """Who may sign in."""
    return await _people(visit)


async def invite(visit: Visit) -> Response:
    """Somebody new; the link is shown once. It takes a sign-in that is not long ago."""
    if not is_fresh(visit):
        return prove_first(visit, "/people")
    form, within = await visit.form(), visit.staff.program
    login, name, role, program = (form.get(each, "") for each in _INVITATION)
    try:
        about = login, name, role, program, visit.by
        whose = form.get("partner", "")
        _, token = await visit.change(staff.invite, *about, within=within, partner=whose)
    except ProgramError as error:
        return await _people(visit, trouble=error.faults[0].code, form=form, status=422)
    link = f"{visit.request.url.scheme}://{visit.request.url.netloc}/invitation/{token}"
    return await _people(visit, link=link)


async def leave(visit: Visit) -> Response:
    """Somebody may not sign in any more."""
    if not is_fresh(visit):
        return prove_first(visit, "/people")
    number, within = whole(visit.about["number"]), visit.staff.program
    try:
        gone = number and await visit.change(staff.end, number, visit.by, within=within)
    except ProgramError as error:
        return await _people(visit, trouble=error.faults[0].code, status=422)
    if not gone:
        raise NotHere
    return visit.go("/people")


async def demand(visit: Visit) -> Response:
    """Which roles need a second factor: a word for those who are for all programs."""
    if visit.staff.program:
        raise NotHere
    if not is_fresh(visit):
        return prove_first(visit, "/people")
    form = await visit.form()
    await visit.change(factors.demand, {role for role in staff.ROLES if form.get(role)}, visit.by)
    return visit.go("/people")


async def reset(visit: Visit) -> Response:
    """Somebody has lost the second factor, and begins again with the password."""
    if not is_fresh(visit):
        return prove_first(visit, "/people")
    number, within = whole(visit.about["number"]), visit.staff.program
    if not await visit.change(factors.reset, number, visit.by, within=within):
        raise NotHere
    return visit.go("/people")


async def _people(
    visit: Visit,
    *,
    status: int = 200,
    link: str = "",
    trouble: str = "",
    form: dict[str, str] | None = None,
) -> Response:
    own = visit.staff.program
    names, everybody, outside = await visit.office.read(_who, own)
    everybody = [each for each in everybody if own in (0, each.program)]
    demanded, guarded = await visit.office.read(
        lambda reader: (rows.demands(reader.books), rows.guarded(reader.books))
    )
    programs = {number: name for name, number in names.items() if own in (0, number)}
    return visit.page(
        "people.html", status=status, everybody=everybody, roles=staff.ROLES, link=link,
        trouble=trouble, form=form or {}, programs=programs, outside=outside,
        fresh=is_fresh(visit), demanded=demanded, guarded=guarded,
    )  # fmt: skip


# ── what a reader finds ──────────────────────────────────────────────────────


def _who(reader: Desk, own: int) -> tuple[dict[str, int], list[staff.Staff], list[str]]:
    """The programs, everybody who signs in, and the partners that somebody can be of."""
    names = reader.books.programs()
    homes = [reader.homes.numbered(each) for each in names.values() if own in (0, each)]
    outside = {name for home in homes for name in outsiders(reader.books, home)}
    return names, staff.everybody(reader.books), sorted(outside)


def _names(reader: Desk, program: int) -> list[str]:
    return [name for name, n in reader.books.programs().items() if program in (0, n)]


def placed(reader: Desk, visit: Visit) -> tuple[Place, Home]:
    """The program of an address, if it is for whoever asks."""
    name, own = visit.about["program"], visit.staff.program
    number = reader.books.programs().get(name)
    if number is None or own not in (0, number):
        raise NotHere
    home = reader.homes.numbered(number)
    return place_of(home, reader.clock(), _names(reader, own)), home


def _persons(reader: Desk, vault: Vault, account: int, by: Reader) -> list[Person]:
    """Whose an account is, as they are known; the reading is noted before."""
    members = vault.open(people_of.by_account(reader.books, [account]))
    vault.note(members, by, _READ)
    return [each.person for each in members if each.person is not None]


def account_named(reader: Desk, program: int, wanted: str) -> AccountRow | None:
    """An account by a card, or by its number."""
    books = reader.books
    number = books.cards([(program, wanted)]).get((program, wanted)) or whole(wanted)
    row = books.account(number)
    return row if row is not None and row.program == program else None


def _member(
    reader: Desk, visit: Visit
) -> tuple[Place, dict[str, Any], list[dict[str, object]], int, list[str]]:
    place, home = placed(reader, visit)
    row = reader.books.account(whole(visit.about["account"]))
    if row is None or row.program != place.number:
        raise NotHere
    account = standing(reader.books, home, row, reader.clock())
    last = min(visit.number("below") or row.seq + 1, row.seq + 1)
    first = max(1, last - PAGE)
    found = told(reader.books, home.program, [(row.id, seq) for seq in range(first, last)])
    say = place.teller(visit.language)
    entries = [each.plain(say) for each in reversed(found)]
    return place, account, entries, first if first > 1 else 0, list(home.program.units)
