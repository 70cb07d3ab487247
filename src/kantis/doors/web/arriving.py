"""Arriving: how a member signs in: they ask for a link by mail, and it opens once.

Guarantee: what is answered does not tell whether anybody has the address that was typed.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from kantis.desk import freezing, mailing, sessions
from kantis.desk.freezing import LOCK
from kantis.desk.submit import Desk
from kantis.desk.vault import membership
from kantis.desk.vault.person import Person, Wrong, checked
from kantis.desk.vault.vault import Vault
from kantis.doors.web.pages import Visit
from kantis.doors.web.places import Place, place_of
from kantis.doors.web.portal import OFFER, OFFERED_COOKIE

#: What becomes of somebody who asks for a link.
ASKED: Final = "asked"
OFTEN: Final = "too-many-tries"
WRONG: Final = "wrong"


async def ask(visit: Visit) -> Response:
    """The form that asks for the address."""
    return await door(visit)


async def door(visit: Visit, *, status: int = 200, became: str = "") -> Response:
    """The page on which a member signs in; what has just ``become`` of it."""
    programs = await visit.office.read(_programs)
    wanted = visit.request.query_params.get("program", "")
    return visit.page(
        "portal-sign-in.html", status=status, programs=programs, wanted=wanted, email="",
        became=became, next=visit.onward(),
    )  # fmt: skip


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
        became=became, next="",
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
    does, _, mark = purpose.partition(" ")
    if mark and purpose != sessions.SIGN_IN:
        counts = membership.confirm if does == sessions.CONFIRM else membership.unlock
        account = await visit.office.people(counts, account, mark)
        if not account:
            return visit.page("portal-link.html", status=404, opens=False)
    offered = OFFERED_COOKIE in visit.request.cookies
    return await begin(visit, account, "/me" if offered else f"/me?{OFFER}=1")


async def lock(visit: Visit) -> Response:
    """The page that the link of a warning opens; a form locks, so that no preview does."""
    return await _lock(visit)


async def locked(visit: Visit) -> Response:
    """It was not them: nothing is spent any more. Or they ask for the letter that ends it."""
    account, mark, _ = await _locking(visit)
    if not account:
        return await _lock(visit)
    if (await visit.form()).get("do") == "unlock":
        done = await visit.office.people(_unlocking, account, visit.language.tag, mark)
        return await _lock(visit, ASKED if done else OFTEN)
    await visit.office.people(membership.lock, account)
    return await _lock(visit, "locked")


async def _lock(visit: Visit, became: str = "") -> Response:
    account, _, is_locked = await _locking(visit)
    status = 404 if not account else 429 if became == OFTEN else 200
    return visit.page(
        "portal-lock.html", status=status, opens=bool(account), locked=is_locked, became=became
    )


async def _locking(visit: Visit) -> tuple[int, str, bool]:
    """The account that a link locks, the mark of its address, and whether it is locked."""

    def ask(reader: Desk) -> tuple[int, str, bool]:
        now, books = reader.clock(), reader.books
        account, mark = sessions.locking(books, visit.about["token"], now)
        row = books.account(account) if account else None
        if row is None:
            return 0, "", False
        return account, mark, LOCK in freezing.standing(books, row.program, account, now)

    return await visit.office.read(ask)


def _unlocking(reader: Desk, vault: Vault, account: int, language: str, mark: str) -> bool:
    row = reader.books.account(account)
    assert row is not None
    return mailing.ask_unlocking(vault, row.program, account, language, mark)


async def begin(visit: Visit, account: int, onward: str, *, proved: bool = True) -> Response:
    """Open the session of a member, and send them on; ``proved`` as ``sessions.begin`` has it."""
    device = visit.request.headers.get("user-agent", "")
    since = _since(visit, account)
    token = await visit.change(sessions.begin, device, account=account, since=since, proved=proved)
    if visit.session is not None:
        await visit.change(sessions.end, visit.session)
    answer = visit.go(onward)
    visit.open_session(answer, token)
    return answer


def _since(visit: Visit, account: int) -> int:
    """Since when a member is signed in on this device; 0 where they were not."""
    session = visit.session
    return session.opened if session is not None and session.account == account else 0


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
