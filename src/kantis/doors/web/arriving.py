"""Arriving: how a member signs in: they ask for a link by mail, and it opens once.

Guarantee: what is answered does not tell whether anybody has the address that was typed.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from kantis.desk import mailing, sessions
from kantis.desk.submit import Desk
from kantis.desk.vault import membership
from kantis.desk.vault.person import Person, Wrong, checked
from kantis.desk.vault.vault import Vault
from kantis.doors.web.pages import Visit
from kantis.doors.web.places import Place, place_of

#: What becomes of somebody who asks for a link.
ASKED: Final = "asked"
OFTEN: Final = "too-many-tries"
WRONG: Final = "wrong"


async def ask(visit: Visit) -> Response:
    """The form that asks for the address."""
    programs = await visit.office.read(_programs)
    wanted = visit.request.query_params.get("program", "")
    return visit.page("portal-sign-in.html", programs=programs, wanted=wanted, email="", became="")


async def asked(visit: Visit) -> Response:
    """A link is on its way, if the address is a member's; nobody is told whether it is."""
    form = await visit.form()
    programs = await visit.office.read(_programs)
    wanted, email = form.get("program", ""), form.get("email", "").strip()
    number = next((each.number for each in programs if each.name == wanted), 0)
    if not number and len(programs) == 1:
        number = programs[0].number
    became = WRONG
    if number and email:
        became = await visit.office.people(_ask, number, email, visit.language.tag, visit.place)
    status = {ASKED: 200, OFTEN: 429}.get(became, 422)
    return visit.page(
        "portal-sign-in.html", status=status, programs=programs, wanted=wanted, email=email,
        became=became,
    )  # fmt: skip


async def enter(visit: Visit) -> Response:
    """The page that a link to sign in opens; it signs in with a form, so no preview uses it up."""
    token = visit.about["token"]
    _, account = await visit.office.read(
        lambda reader: sessions.ticketed(reader.books, token, reader.clock())
    )
    if not account:
        return visit.page("portal-link.html", status=404, opens=False)
    return visit.page("portal-link.html", opens=True)


async def entered(visit: Visit) -> Response:
    """Whoever has the link is signed in."""
    purpose, account = await visit.change(sessions.take, visit.about["token"])
    if not account:
        return visit.page("portal-link.html", status=404, opens=False)
    if purpose != sessions.SIGN_IN:
        mark = purpose.removeprefix(f"{sessions.CONFIRM} ")
        account = await visit.office.people(membership.confirm, account, mark)
        if not account:
            return visit.page("portal-link.html", status=404, opens=False)
    return await begin(visit, account, "/me")


async def begin(visit: Visit, account: int, onward: str) -> Response:
    """Open the session of a member, and send them on."""
    if visit.session is not None:
        await visit.change(sessions.end, visit.session)
    device = visit.request.headers.get("user-agent", "")
    token = await visit.change(sessions.begin, device, account=account)
    answer = visit.go(onward)
    visit.open_session(answer, token)
    return answer


def _programs(reader: Desk) -> list[Place]:
    homes = [reader.homes.numbered(n) for n in reader.books.programs().values()]
    return [place_of(home, reader.clock()) for home in homes]


def _ask(reader: Desk, vault: Vault, program: int, email: str, language: str, place: str) -> str:
    try:
        person = checked(Person(email=email), membership.today(reader))
    except Wrong:
        return WRONG
    done = mailing.ask_sign_in(reader, vault, program, person.email, language, place)
    return ASKED if done else OFTEN
