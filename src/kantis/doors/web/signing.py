"""Signing in and out of the console, and the invitation by which somebody begins."""

from __future__ import annotations

from starlette.responses import Response

from kantis.core.knobs import ProgramError
from kantis.desk import awaiting, factors, sessions, staff
from kantis.doors.web import proving
from kantis.doors.web.pages import NotHere, Visit

#: Where somebody begins who has just signed in, by role.
HOME = {"cashier": "/till", "partner": "/c"}


async def sign_in(visit: Visit) -> Response:
    """The form."""
    return visit.page("sign-in.html", next=visit.onward(), trouble="")


async def signed_in(visit: Visit) -> Response:
    """Whoever is known gets a session."""
    form = await visit.form()
    onward = visit.onward(form)
    try:
        said = form.get("login", ""), form.get("password", "")
        who = await visit.change(staff.sign_in, *said, await proving.origin(visit))
    except staff.SignInRefused as refused:
        status = 429 if refused.code == "too-many-tries" else 403
        return visit.page("sign-in.html", status=status, next=onward, trouble=refused.code)
    return await proving.go_on(visit, who, onward) or await begin(visit, who, onward)


async def second(visit: Visit) -> Response:
    """Whoever shows the second factor too gets a session."""
    who, why = await proving.finish(visit)
    onward = visit.onward(await visit.form())
    if who is None:
        return visit.go("/sign-in")
    if why:
        status = 429 if why == factors.OFTEN else 403
        return visit.page("sign-in-second.html", status=status, next=onward, trouble=why)
    answer = await begin(visit, who, onward)
    visit.drop(answer, proving.HALF_COOKIE)
    return answer


async def sign_out(visit: Visit) -> Response:
    """The session of this door is over, here and in the books."""
    answer = visit.go("/")
    if visit.session is not None:
        await visit.change(sessions.end, visit.session)
        if visit.session.staff is None:  # a till keeps the sales that wait in the same storage
            answer.headers["clear-site-data"] = '"cache", "storage"'
    visit.close_session(answer)
    return answer


async def invitation(visit: Visit) -> Response:
    """The page that an invitation opens."""
    return visit.page("invitation.html", who=await _invited(visit), trouble="")


async def accepted(visit: Visit) -> Response:
    """A password is chosen, and whoever chose it is signed in."""
    form = await visit.form()
    try:
        who = await visit.change(staff.accept, visit.about["token"], form.get("password", ""))
    except ProgramError:
        who = await _invited(visit)
        return visit.page("invitation.html", status=422, who=who, trouble="weak-password")
    if who is None:
        raise NotHere
    return await begin(visit, who, "")


async def _invited(visit: Visit) -> staff.Staff:
    token = visit.about["token"]
    who = await visit.office.read(lambda reader: staff.invited(reader.books, token, reader.clock()))
    if who is None:
        raise NotHere
    return who


async def begin(visit: Visit, who: staff.Staff, onward: str) -> Response:
    """Open a session for whoever has shown who they are, and send them on."""
    device = visit.request.headers.get("user-agent", "")
    if visit.session is not None:
        await visit.change(sessions.end, visit.session)
    token = await visit.change(sessions.begin, device, staff=who.number)
    await visit.change(awaiting.speak, who.number, visit.language.tag)
    answer = visit.go(onward or HOME.get(who.role, "/c"))
    visit.open_session(answer, token)
    known = await visit.change(staff.keep_device, who.number)
    visit.entrust(answer, proving.DEVICE_COOKIE, known)
    return answer
