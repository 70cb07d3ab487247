"""Account: how somebody who works here signs in: password, second factor, sessions."""

from __future__ import annotations

from typing import Any, Final

import pyotp
import segno
from starlette.responses import Response

from kantis.core.calendar import day, show_instant
from kantis.desk import factors, sessions, staff
from kantis.desk.submit import Desk
from kantis.doors.web.devices import device_of
from kantis.doors.web.pages import NotHere, Visit
from kantis.doors.web.proving import is_fresh, known, origin, prove_first
from kantis.store import factors as factor_rows

#: Where the way to a second factor begins.
SETUP: Final = "/account/second"
#: Who asks for the codes, as apps show it.
ISSUER: Final = "Kantis"


async def account(visit: Visit) -> Response:
    """Everything about how somebody signs in."""
    return await _account(visit)


async def _account(visit: Visit, *, status: int = 200, trouble: str = "") -> Response:
    signed = await visit.office.read(_signed, visit)
    done = visit.request.query_params.get("done", "")
    number = visit.staff.number
    passkeys = await visit.office.read(lambda reader: factor_rows.passkeys(reader.books, number))
    return visit.page(
        "account.html", status=status, has=await known(visit), signed=signed, trouble=trouble,
        done=done, passkeys=passkeys,
    )  # fmt: skip


async def password(visit: Visit) -> Response:
    """Another password; everywhere else somebody is signed out."""
    if (await known(visit)).any and not is_fresh(visit):
        return prove_first(visit, "/account")
    form = await visit.form()
    said = form.get("password", ""), form.get("new", "")
    why = await visit.change(staff.change_password, visit.staff, *said, await origin(visit))
    if why:
        return await _account(visit, status=429 if why == factors.OFTEN else 422, trouble=why)
    assert visit.session is not None
    await visit.change(sessions.end_others, visit.session)
    await visit.change(sessions.prove, visit.session)
    return visit.go("/account?done=password")


async def end_others(visit: Visit) -> Response:
    """Signed out everywhere else."""
    assert visit.session is not None
    await visit.change(sessions.end_others, visit.session)
    return visit.go("/account?done=sessions")


# ── a second factor ──────────────────────────────────────────────────────────


async def second(visit: Visit) -> Response:
    """Why a second factor, and which."""
    first, has = "first" in visit.request.query_params, await known(visit)
    no = "no" in visit.request.query_params
    lacks = visit.session is not None and visit.session.lacks
    return visit.page(
        "second.html", first=first, has=has, no=no, fresh=is_fresh(visit), lacks=lacks
    )


async def offer_app(visit: Visit) -> Response:
    """A new secret for an app; it counts once it is confirmed."""
    if not is_fresh(visit):
        return prove_first(visit, SETUP)
    await visit.change(factors.offer_app, await visit.office.seals(), visit.staff.number)
    return visit.go("/account/app")


async def app(visit: Visit) -> Response:
    """What the app has to scan, until it was confirmed."""
    return await _app(visit)


async def confirm_app(visit: Visit) -> Response:
    """The app shows the right code, so from now on it is asked for."""
    form, seals = await visit.form(), await visit.office.seals()
    typed = form.get("code", "")
    about = visit.staff.number, typed, visit.by
    why, codes = await visit.change(factors.confirm_app, seals, *about)
    if why:
        return await _app(visit, status=429 if why == factors.OFTEN else 422, trouble=why)
    assert visit.session is not None
    await visit.change(sessions.prove, visit.session)
    await visit.change(sessions.end_others, visit.session)
    if not codes:
        return visit.go("/account?done=app")
    return visit.page("codes.html", codes=codes)


async def end_app(visit: Visit) -> Response:
    """No app any more."""
    if not is_fresh(visit):
        return prove_first(visit, "/account")
    if not await visit.change(factors.end_app, visit.staff.number, visit.by):
        raise NotHere
    return visit.go("/account?done=no-app")


async def new_codes(visit: Visit) -> Response:
    """Ten new recovery codes, which are shown once."""
    if not is_fresh(visit):
        return prove_first(visit, "/account")
    codes = await visit.change(factors.new_codes, visit.staff.number, visit.by)
    if not codes:
        raise NotHere
    return visit.page("codes.html", codes=codes)


async def _app(visit: Visit, *, status: int = 200, trouble: str = "") -> Response:
    seals, number = await visit.office.seals(), visit.staff.number
    secret = await visit.office.read(lambda reader: factors.coming(reader.books, seals, number))
    if not secret:
        return visit.go(SETUP)
    if not is_fresh(visit):
        return prove_first(visit, "/account/app")
    host = visit.request.url.hostname or ""
    uri = pyotp.TOTP(secret).provisioning_uri(
        name=f"{visit.staff.login} ({host})", issuer_name=ISSUER
    )
    drawn = segno.make(uri, error="m").svg_inline(
        omitsize=True, border=2, svgclass=None, lineclass=None
    )
    spelt = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return visit.page(
        "app.html", status=status, code=drawn, secret=spelt, trouble=trouble,
        
    )  # fmt: skip


def _signed(reader: Desk, visit: Visit) -> list[dict[str, Any]]:
    assert visit.session is not None
    return [
        {"device": device_of(each.device),
         "seen": visit.language.day(day(show_instant(each.seen)[:10])),
         "here": each.digest == visit.session.digest}
        for each in sessions.of_staff(reader.books, visit.staff.number, reader.clock())
    ]  # fmt: skip
