"""Till: pairing a device, and who stands at it; the page of the console that both begin on."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from kantis.core.knobs import ProgramError
from kantis.desk import keys, sessions
from kantis.desk import tills as desk
from kantis.desk.submit import Desk
from kantis.doors.web import allowing
from kantis.doors.web.console import placed
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.doors.web.proving import is_fresh, prove_first
from kantis.store import tills as rows


async def tills(visit: Visit) -> Response:
    """The tills of a program, and who may stand at them."""
    return await show(visit)


async def offer(visit: Visit) -> Response:
    """A code that pairs a device; it is shown once."""
    if not is_fresh(visit):
        return prove_first(visit, f"/c/{visit.about['program']}/tills")
    place, _ = await visit.office.read(_found, visit)
    form = await visit.form()
    about = form.get("name", ""), form.get("location", "")
    try:
        code = await visit.change(desk.offer, place.number, *about, visit.by)
    except ProgramError:
        return await show(visit, status=422, trouble="bad-name")
    return await show(visit, code=code)


async def end(visit: Visit) -> Response:
    """A device is a till no longer."""
    if not is_fresh(visit):
        return prove_first(visit, f"/c/{visit.about['program']}/tills")
    place, found = await visit.office.read(_found, visit)
    key = visit.about["key"]
    if key not in {each.prefix for each in found["tills"]}:
        raise NotHere
    by = visit.by
    await visit.change(keys.revoke, key, (by.who, by.name), place.number)
    return visit.go(f"/c/{place.name}/tills")


async def pin(visit: Visit) -> Response:
    """A new PIN for somebody; it is shown once."""
    if not is_fresh(visit):
        return prove_first(visit, f"/c/{visit.about['program']}/tills")
    place, found = await visit.office.read(_found, visit)
    number = whole(visit.about["number"])
    made = await visit.change(desk.give_pin, place.number, number, visit.by)
    if not made:
        raise NotHere
    whose = next(each.name for each in found["cashiers"] if each.number == number)
    return await show(visit, pin=made, whose=whose)


async def show(visit: Visit, *, status: int = 200, **shown: str) -> Response:
    """The page of the tills, with what has just been made or what is wrong."""
    place, found = await visit.office.read(_found, visit)
    about = {"code": "", "pin": "", "whose": "", "trouble": ""} | shown
    say = place.speaker(visit.language)
    return visit.page("console-tills.html", status=status, place=place, say=say, **about, **found)


def _found(reader: Desk, visit: Visit) -> tuple[Place, dict[str, Any]]:
    place, home = placed(reader, visit)
    number, books = place.number, reader.books
    known = rows.tills(books)
    return place, {
        **allowing.shown(reader, home),
        "tills": [
            each
            for each in keys.shown(books, number)
            if each.prefix in known and each.revoked is None
        ],
        "cashiers": desk.cashiers(books, number),
        "pins": set(rows.pins(books)),
    }


# ── at the device ────────────────────────────────────────────────────────────


async def pairing(visit: Visit) -> Response:
    """The form that takes a code."""
    if visit.device is not None:
        return visit.go("/till")
    return visit.page("till-pair.html", trouble="")


async def pair(visit: Visit) -> Response:
    """The device has its till from now on."""
    form = await visit.form()
    secret = await visit.change(desk.pair, form.get("code", "")[:40], visit.place)
    if not secret:
        return visit.page("till-pair.html", status=403, trouble="code")
    answer = visit.go("/till")
    visit.keep_till(answer, secret)
    return answer


async def sign_in(visit: Visit) -> Response:
    """Who stands here?"""
    return await _sign_in(visit)


async def enter(visit: Visit) -> Response:
    """A cashier shows the PIN."""
    form, till = await visit.form(), visit.till
    number = whole(form.get("cashier", ""))
    trouble = await visit.change(desk.enter, till.key, till.number, number, form.get("pin", ""))
    if trouble:
        status = 429 if trouble == "too-many-tries" else 403
        return await _sign_in(visit, status=status, trouble=trouble, chosen=number)
    return visit.go("/till")


async def lock(visit: Visit) -> Response:
    """Nobody stands here any more, and whoever signed in with a password is signed out."""
    await visit.change(desk.stand, visit.till.key, 0)
    answer = visit.go("/till/sign-in")
    if visit.session is not None:
        await visit.change(sessions.end, visit.session)
        visit.close_session(answer)
    return answer


async def _sign_in(
    visit: Visit, *, status: int = 200, trouble: str = "", chosen: int = 0
) -> Response:
    def find(reader: Desk) -> list[Any]:
        has = rows.pins(reader.books)
        everybody = desk.cashiers(reader.books, visit.till.number)
        return [each for each in everybody if each.number in has]

    cashiers = await visit.office.read(find)
    return visit.page(
        "till-sign-in.html", status=status, cashiers=cashiers, trouble=trouble, chosen=chosen
    )
