"""Keys: who calls this program over HTTP, as what, within which limits, and when last.

Guarantee: a key is shown once, to whoever has made it. Making and revoking one takes a proof
of the last quarter of an hour. Keys of the scope ``owner`` are for owners alone, and keys for
all programs are seen by those only who are for all programs themselves.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from kantis.core.calendar import day, show_instant
from kantis.core.knobs import ProgramError
from kantis.desk import keys
from kantis.desk.keys import Key, Limits
from kantis.desk.submit import Desk
from kantis.doors.web.console import placed
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.doors.web.proving import is_fresh, prove_first

_ABOUT: Final = ("name", "scope", "source", "location")
_LIMITS: Final = ("per_minute", "largest", "goodwill")


async def look(visit: Visit) -> Response:
    """All keys of a program."""
    return await _look(visit)


async def make(visit: Visit) -> Response:
    """A new key, which is shown once."""
    place, _ = await visit.office.read(_found, visit)
    if not is_fresh(visit):
        return prove_first(visit, visit.request.url.path)
    form = await visit.form()
    name, scope, source, location = (form.get(each, "").strip() for each in _ABOUT)
    trouble = "" if scope in _scopes(visit) else "unknown-scope"
    given = [form.get(each, "").strip() for each in _LIMITS]
    if not all(not each or each.isdecimal() for each in given):
        trouble = "bad-limit"
    if trouble:
        return await _look(visit, form=form, trouble=trouble)
    about = name, place.name, scope, source, location[:200]
    try:
        secret, _ = await visit.change(keys.make, *about, Limits(*map(whole, given)), visit.by)
    except ProgramError as error:
        return await _look(visit, form=form, trouble=error.faults[0].code)
    return await _look(visit, secret=secret)


async def end(visit: Visit) -> Response:
    """A key does nothing any more."""
    place, found = await visit.office.read(_found, visit)
    key = next((x for x in found if x.prefix == visit.about["key"] and x.revoked is None), None)
    if key is None or key.scope not in _scopes(visit):
        raise NotHere
    if not is_fresh(visit):
        return prove_first(visit, f"/c/{place.name}/keys")
    by = visit.by
    await visit.change(
        keys.revoke, key.prefix, (by.who, by.name), place.number if key.program else 0
    )
    return visit.go(f"/c/{place.name}/keys")


async def _look(
    visit: Visit, *, form: dict[str, str] | None = None, trouble: str = "", secret: str = ""
) -> Response:
    place, found = await visit.office.read(_found, visit)
    return visit.page(
        "console-keys.html", status=422 if trouble else 200, place=place, form=form or {},
        trouble=trouble, secret=secret, fresh=is_fresh(visit), scopes=_scopes(visit),
        keys=[each for each in found if each.revoked is None],
        revoked=[each for each in found if each.revoked is not None],
        day=lambda at: visit.language.day(day(show_instant(at)[:10]), "medium"),
    )  # fmt: skip


def _scopes(visit: Visit) -> dict[str, str]:
    """The scopes of the keys that somebody makes and revokes."""
    mine = visit.staff.role == keys.OWNER
    return {scope: said for scope, said in keys.SCOPES.items() if mine or scope != keys.OWNER}


def _found(reader: Desk, visit: Visit) -> tuple[Place, list[Key]]:
    place, _ = placed(reader, visit)
    everywhere = visit.staff.role == keys.OWNER and not visit.staff.program
    names = (place.name, "") if everywhere else (place.name,)
    found = [each for each in keys.shown(reader.books) if each.program in names]
    return place, found[::-1]
