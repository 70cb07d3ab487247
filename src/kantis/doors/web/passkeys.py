"""Passkeys on pages: they are made, named and removed, and they sign in."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

from kantis.desk import passkeys, sessions
from kantis.desk.ceremony import Site
from kantis.doors.web.account import SETUP
from kantis.doors.web.pages import HEADERS, NotHere, Visit, whole
from kantis.doors.web.proving import is_fresh, known, prove_first
from kantis.doors.web.signing import begin

NO_PASSKEY = "no-passkey"


def site_of(visit: Visit) -> Site:
    """Where passkeys are for: the address that the service was told, else this one."""
    parts = urlsplit(visit.site)
    return Site(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")


async def ask_to_make(visit: Visit) -> Response:
    """What the browser needs to make one."""
    if not is_fresh(visit):
        return Response("{}", 403, HEADERS, media_type="application/json")
    about = site_of(visit), visit.staff
    asked = await visit.change(passkeys.ask_to_make, *about)
    return Response(asked, 200, HEADERS, media_type="application/json")


async def make(visit: Visit) -> Response:
    """A device has made a passkey; recovery codes come with the first factor."""
    if not is_fresh(visit):
        return prove_first(visit, SETUP)
    form = await visit.form()
    about = site_of(visit), visit.staff, form.get("name", ""), form.get("credential", "")
    done, codes = await visit.change(passkeys.make, *about, visit.by)
    if not done:
        return visit.go(f"{SETUP}?no=1")
    if not codes:
        return visit.go("/account?done=passkey")
    return visit.page("codes.html", codes=codes)


async def rename(visit: Visit) -> Response:
    """A passkey has another name."""
    form, number = await visit.form(), whole(visit.about["number"])
    if not await visit.change(passkeys.rename, number, visit.staff, form.get("name", "")):
        raise NotHere
    return visit.go("/account?done=name")


async def end(visit: Visit) -> Response:
    """A passkey is good for nothing any more."""
    if not is_fresh(visit):
        return prove_first(visit, "/account")
    number = whole(visit.about["number"])
    if not await visit.change(passkeys.end, number, visit.staff, visit.by):
        raise NotHere
    return visit.go("/account?done=no-passkey")


async def ask_to_show(visit: Visit) -> Response:
    """What the browser needs to show one."""
    asked = await visit.change(passkeys.ask_to_show, site_of(visit), visit.place)
    status = 200 if asked else 429
    return Response(asked or "{}", status, HEADERS, media_type="application/json")


async def sign_in(visit: Visit) -> Response:
    """Whoever shows a passkey is signed in: their device has checked who they are."""
    form = await visit.form()
    who = await visit.change(passkeys.show, site_of(visit), form.get("credential", ""))
    onward = visit.onward(form)
    if who is None:
        return visit.page("sign-in.html", status=403, next=onward, trouble=NO_PASSKEY)
    return await begin(visit, who, onward)


async def prove(visit: Visit) -> Response:
    """Whoever is signed in shows a passkey of theirs, and goes back to what they wanted."""
    form = await visit.form()
    who = await visit.change(passkeys.show, site_of(visit), form.get("credential", ""))
    onward = visit.onward(form)
    if who is None or who.number != visit.staff.number:
        has = await known(visit)
        return visit.page("prove.html", status=403, next=onward, has=has, trouble=NO_PASSKEY)
    assert visit.session is not None
    await visit.change(sessions.prove, visit.session)
    return visit.go(onward or "/account")
