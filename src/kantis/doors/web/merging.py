"""Merging: two cards of one person become one, and before that it is shown what comes.

Guarantee: nobody merges what they have not seen: the page shows what would come, what would
not, and that it cannot be undone; then it takes a sign-in that is not long ago. A form that is
sent twice merges once.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from kantis.core.events import Event
from kantis.desk import audit
from kantis.desk.programs import Home
from kantis.desk.results import UNKNOWN
from kantis.desk.submit import Desk
from kantis.desk.vault import merging
from kantis.desk.vault.merging import Preview
from kantis.desk.vault.vault import Reader, Refusal, Vault
from kantis.doors.api.problems import Problem
from kantis.doors.web.console import account_named, placed
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.doors.web.proving import is_fresh, prove_first
from kantis.store import people

#: What is read of the two, so that nobody makes one of the wrong ones.
_READ: Final = ("given_name", "family_name")


async def look(visit: Visit) -> Response:
    """What a merge would bring to a member."""
    return await _page(visit, visit.request.query_params.get("other", ""))


async def merge(visit: Visit) -> Response:
    """Make one of two."""
    other = (await visit.form()).get("other", "").strip()[:64]
    back = f"/c/{visit.about['program']}/members/{visit.about['account']}"
    if not is_fresh(visit):
        return prove_first(visit, f"{back}/merge?other={quote(other)}")
    place, home, into, of, events, trouble = await visit.office.read(_ready, visit, other)
    if trouble:
        return await _page(visit, other, status=422)
    for event in events:
        (result,) = await visit.office.line.submit(place.name, [event])
        if result.refusal is not None:
            said = place.teller(visit.language).refused(result.refusal.sentence)
            return await _page(visit, other, refused=said, status=409)
        if result.outcome == UNKNOWN:
            raise Problem("outcome-unknown", retry_after="1")
        await visit.office.line.submit(place.name, [])
    await visit.office.people(_finish, home, into, of, visit.staff.login)
    await visit.change(_noted, visit, place, into, of)
    return visit.go(back)


async def _page(visit: Visit, other: str, *, refused: str = "", status: int = 200) -> Response:
    place, into, of, found, trouble = await visit.office.read(_look, visit, other)
    names = await visit.office.people(_names, visit, (into, of)) if found is not None else {}
    return visit.page(
        "console-merge.html", status=status, place=place, account=into, other=of, found=found,
        named=other, trouble=trouble, refused=refused, say=place.speaker(visit.language),
        tell=place.teller(visit.language), names=names,
    )  # fmt: skip


def _two(reader: Desk, visit: Visit, other: str) -> tuple[Place, Home, int, int]:
    """The program, the account that lives on, and the other one (0: there is none)."""
    place, home = placed(reader, visit)
    into = reader.books.account(whole(visit.about["account"]))
    if into is None or into.program != place.number:
        raise NotHere
    of = account_named(reader, place.number, other) if other else None
    return place, home, into.id, of.id if of is not None else 0


def _names(reader: Desk, vault: Vault, visit: Visit, both: tuple[int, int]) -> dict[int, str]:
    """Whose the two accounts are; the reading is noted before."""
    members = vault.open(people.by_account(reader.books, list(both)))
    vault.note(members, Reader(f"staff {visit.staff.login}", "two cards of one"), _READ)
    return {each.row.account: each.person.name for each in members if each.person is not None}


def _look(reader: Desk, visit: Visit, other: str) -> tuple[Place, int, int, Preview | None, str]:
    place, home, into, of = _two(reader, visit, other)
    if not of:
        return place, into, of, None, "unknown-member" if other else ""
    try:
        return place, into, of, merging.preview(reader, home, into, of), ""
    except Refusal as refusal:
        return place, into, of, None, refusal.code


def _ready(
    reader: Desk, visit: Visit, other: str
) -> tuple[Place, Home, int, int, list[Event], str]:
    place, home, into, of = _two(reader, visit, other)
    try:
        events = merging.merging_of(reader, home, into, of) if of else []
    except Refusal as refusal:
        return place, home, into, of, [], refusal.code
    return place, home, into, of, events, "" if events else "unknown-member"


def _noted(desk: Desk, /, visit: Visit, place: Place, into: int, of: int) -> None:
    audit.note(desk, visit.by, place.number, "merge", f"account {of}", into=into)


def _finish(reader: Desk, vault: Vault, home: Home, into: int, of: int, who: str) -> None:
    """The cards and the person; where several share the account, nobody takes anything over."""
    kept, gone = (vault.open(people.by_account(reader.books, [each])) for each in (into, of))
    member = kept[0] if len(kept) == 1 else None
    if len(gone) > 1:
        raise Problem("merge-shared")
    merging.finish(reader, vault, home, into, of, who, member, gone[0] if gone else None)
