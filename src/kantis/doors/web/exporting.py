"""Exporting: what the console shows, as a file for a spreadsheet.

Guarantee: that a file was made stands in the audit log before its first row leaves, and whose
personal data are in it where readings stand.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from kantis.desk import audit
from kantis.desk.showing import told
from kantis.desk.submit import Desk
from kantis.desk.vault.searching import LETTERS_MAX, Hit
from kantis.desk.vault.vault import FOUND_MAX, Reader, Vault
from kantis.doors.web.console import placed
from kantis.doors.web.finding import PAGE, look, newest, standings
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.doors.web.roles import HELPING
from kantis.store import people

#: Entries of a member in one file, the newest.
ENTRIES_MAX: Final = 10_000
_PART: Final = 500
_PERSONAL: Final = ("given_name", "family_name", "email", "phone")


async def members(visit: Visit) -> Response:
    """The members on the list or found by a search, with what reaches them for who may see it."""
    form = await visit.form()
    wanted = form.get("q", "").strip()[:LETTERS_MAX]
    place, _ = await visit.office.read(placed, visit)
    personal = visit.staff.role in HELPING
    if wanted:
        hits = await look(visit, place, wanted, "export members", FOUND_MAX)
        numbers = [hit.account for hit in hits]
    else:
        numbers = await visit.office.read(_page, visit, whole(form.get("below", "")))
    known: dict[int, Hit] = {}
    if personal:
        by = Reader(f"staff {visit.staff.login}", "export members")
        known = await visit.office.people(_known, numbers, by)
    rows, units = await visit.office.read(_standings, visit, numbers)
    await visit.change(_note, visit, place, "members", rows=len(rows), personal=personal)
    head = ["account", *(("name", "email", "phone") if personal else ()), "cards", "joined", *units]
    cells = (_member(each, known, personal, units) for each in rows)
    return visit.table(f"{place.name}-members", head, cells)


async def entries(visit: Visit) -> Response:
    """What happened on an account, and why, in the language of whoever reads it."""
    place, number, found = await visit.office.read(_entries, visit)
    await visit.change(_note, visit, place, f"entries of account {number}", rows=len(found))
    head = ["seq", "time", "type", "event", "version", "why"]
    return visit.table(f"{place.name}-member-{number}", head, found)


def _note(desk: Desk, /, visit: Visit, place: Place, about: str, **said: int | bool) -> None:
    audit.note(desk, visit.by, place.number, "export", about, **said)


def _member(
    row: dict[str, Any], known: dict[int, Hit], personal: bool, units: list[str]
) -> list[Any]:
    cells: list[Any] = [row["account"]]
    if personal:
        hit = known.get(row["account"])
        persons = [each.person for each in hit.members if each.person] if hit else []
        cells += [", ".join(filter(None, (getattr(each, what) for each in persons)))
                  for what in ("name", "email", "phone")]  # fmt: skip
    balances = row["balances"]
    amounts = [balances[name]["available"] if name in balances else "" for name in units]
    return [*cells, ", ".join(row["cards"]), str(row["joined"])[:10], *amounts]


# ── what a reader finds ──────────────────────────────────────────────────────


def _page(reader: Desk, visit: Visit, below: int) -> list[int]:
    place, _ = placed(reader, visit)
    return newest(reader, place.number, below)[:PAGE]


def _standings(
    reader: Desk, visit: Visit, numbers: list[int]
) -> tuple[list[dict[str, Any]], list[str]]:
    _, home = placed(reader, visit)
    return standings(reader, home, numbers), list(home.program.units)


def _known(reader: Desk, vault: Vault, numbers: list[int], by: Reader) -> dict[int, Hit]:
    found = {each: Hit(each, "account") for each in numbers}
    members = vault.open(people.by_account(reader.books, sorted(found)))
    for member in members:
        found[member.row.account].members.append(member)
    vault.note(members, by, _PERSONAL)
    return found


def _entries(reader: Desk, visit: Visit) -> tuple[Place, int, list[list[Any]]]:
    place, home = placed(reader, visit)
    row = reader.books.account(whole(visit.about["account"]))
    if row is None or row.program != place.number:
        raise NotHere
    say, found = place.teller(visit.language), []
    first = max(1, row.seq - ENTRIES_MAX + 1)
    for at in range(row.seq, first - 1, -_PART):
        wanted = [(row.id, seq) for seq in range(max(first, at - _PART + 1), at + 1)]
        for each in reversed(told(reader.books, home.program, wanted)):
            said = each.plain(say)
            why = " ".join(map(str, said["sentences"]))  # type: ignore[call-overload]
            found.append([said[name] for name in ("seq", "time", "type", "event", "version")])
            found[-1].append(why)
    return place, row.id, found
