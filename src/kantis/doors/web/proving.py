"""Proving: the second step of signing in, and showing again who one is.

Guarantee: whoever has a second factor is signed in by nothing without it. What changes who
may do what (people, keys, ways of signing in) takes a proof of the last quarter of an hour:
the second factor where there is one, else the password.
"""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

from starlette.responses import Response

from kantis.desk import factors, sessions, staff
from kantis.desk.factors import Factors
from kantis.doors.api.problems import Problem
from kantis.doors.web.pages import Visit

#: What keeps the place of somebody between the two steps.
HALF_COOKIE = "half"
#: What a device keeps on which somebody has signed in.
DEVICE_COOKIE = "device"


async def origin(visit: Visit) -> staff.Origin:
    """Where somebody signs in; where the keys cannot be used, from nowhere in particular."""
    place = b""
    if visit.place:
        with suppress(Problem):
            place = (await visit.office.seals()).signing("places", visit.place.encode())[0]
    return staff.Origin(place, visit.entrusted(DEVICE_COOKIE))


def is_fresh(visit: Visit) -> bool:
    """Whether whoever asks has shown just now who they are; else a stolen session does less."""
    assert visit.session is not None
    return visit.session.is_fresh(visit.office.desk.clock())


def prove_first(visit: Visit, back: str) -> Response:
    """Send somebody to show who they are, and from there back."""
    return visit.go(f"/account/prove?{urlencode({'next': back})}")


async def known(visit: Visit) -> Factors:
    """What whoever is signed in can show beside a password."""
    number = visit.staff.number
    return await visit.office.read(lambda reader: factors.of(reader.books, number))


# ── the second step of signing in ────────────────────────────────────────────


async def go_on(visit: Visit, who: staff.Staff, onward: str) -> Response | None:
    """To the second step, for whoever has a second factor."""
    has = await visit.office.read(lambda reader: factors.of(reader.books, who.number))
    if not has.any:
        return None
    token = await visit.change(factors.halfway, who.number)
    answer = visit.go("/sign-in/second" + (f"?{urlencode({'next': onward})}" if onward else ""))
    visit.entrust(answer, HALF_COOKIE, token, factors.HALF_MS // 1_000)
    return answer


async def second(visit: Visit) -> Response:
    """The form of the second step."""
    if await _halfway(visit) is None:
        return visit.go("/sign-in")
    return visit.page("sign-in-second.html", next=visit.onward(), trouble="")


async def finish(visit: Visit) -> tuple[staff.Staff | None, str]:
    """Who is in with the code that they typed; and why not."""
    form = await visit.form()
    token = visit.entrusted(HALF_COOKIE)
    seals = await visit.office.seals()
    return await visit.change(factors.finish, seals, token, form.get("code", ""))


async def _halfway(visit: Visit) -> staff.Staff | None:
    token = visit.entrusted(HALF_COOKIE)
    return await visit.office.read(
        lambda reader: factors.who_is_halfway(reader.books, token, reader.clock())
    )


# ── showing again who one is ─────────────────────────────────────────────────


async def prove(visit: Visit) -> Response:
    """The form."""
    return visit.page("prove.html", next=visit.onward(), has=await known(visit), trouble="")


async def proved(visit: Visit) -> Response:
    """Whoever is signed in has shown it again, and goes back to what they wanted."""
    form, has = await visit.form(), await known(visit)
    onward = visit.onward(form)
    if has.any:
        seals, typed = await visit.office.seals(), form.get("code", "")
        why = await visit.change(factors.show, seals, visit.staff.number, typed)
    else:
        about = visit.staff.login, form.get("password", ""), await origin(visit)
        why = await visit.change(staff.show_password, *about)
    if why:
        status = 429 if why == factors.OFTEN else 403
        return visit.page("prove.html", status=status, next=onward, has=has, trouble=why)
    assert visit.session is not None
    await visit.change(sessions.prove, visit.session)
    return visit.go(onward or "/account")
