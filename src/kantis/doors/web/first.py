"""First: the page behind the one-time link, where the first owner begins.

Looking at it uses nothing up, so that no preview of a chat takes it: the form does.
"""

from __future__ import annotations

from starlette.responses import Response

from kantis.core.knobs import ProgramError
from kantis.desk import firstlink
from kantis.doors.web.pages import Visit
from kantis.doors.web.signing import begin


async def look(visit: Visit) -> Response:
    """The form of the first owner."""
    if not await visit.office.read(firstlink.opens, visit.about["token"]):
        return visit.page("first-gone.html", status=404)
    return visit.page("first.html", form={}, trouble="")


async def use(visit: Visit) -> Response:
    """The first owner is there, and signed in; a second factor is the next thing to think of."""
    form = await visit.form()
    login, name, password = (form.get(each, "") for each in ("login", "name", "password"))
    token = visit.about["token"]
    try:
        who = await visit.change(firstlink.become_owner, token, login, name, password)
    except ProgramError as error:
        code = error.faults[0].code
        return visit.page("first.html", status=422, form=form, trouble=code)
    if who is None:
        return visit.page("first-gone.html", status=404)
    return await begin(visit, who, "/account/second?first=1")
