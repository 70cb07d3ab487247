"""Own passkeys: a member makes one on their device, names and removes them, and signs in.

Guarantee: one is made on a sign-in of the last quarter of an hour. Removing one takes none, as
whoever has lost a phone is in a hurry; a letter tells of both.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from kantis.core.calendar import show_instant
from kantis.desk import sessions
from kantis.desk.submit import Desk
from kantis.desk.vault import passkeys
from kantis.desk.vault.passkeys import PASSKEYS_MAX
from kantis.desk.vault.vault import Member, Vault
from kantis.doors.web import arriving
from kantis.doors.web.pages import HEADERS, NotHere, Visit, whole
from kantis.doors.web.passkeys import NO_PASSKEY, site_of
from kantis.doors.web.portal import alone_here, mine, must_be_alone
from kantis.doors.web.proving import is_fresh

MADE: Final = "made"
_PAGE: Final = "/me/you"


# ── making, naming, removing ─────────────────────────────────────────────────


def listed(reader: Desk, vault: Vault, member: Member) -> dict[str, Any]:
    """The passkeys of a member as their page shows them, whether one of them proves who they are,
    and why they make none now."""
    found = passkeys.of(reader, vault, member)
    return {
        "rows": [
            {"number": each.number, "name": each.name, "made": show_instant(each.made)[:10],
             "used": show_instant(each.used)[:10] if each.used else "",
             "proves": each.proves}
            for each in found
        ],
        "proves": any(each.proves for each in found),
        "why": passkeys.obstacle(reader, member),
        "most": PASSKEYS_MAX,
    }  # fmt: skip


async def ask_to_make(visit: Visit) -> Response:
    """What the browser needs to make one."""
    asked = await visit.office.people(_asked, visit) if is_fresh(visit) else ""
    status = 200 if asked else 403
    return Response(asked or "{}", status, HEADERS, media_type="application/json")


def _asked(reader: Desk, vault: Vault, visit: Visit) -> str:
    member, (_, _, place) = alone_here(reader, vault, visit), mine(reader, visit)
    if member is None:
        return ""
    title = place.title(visit.language.tag)
    return passkeys.ask_to_make(reader, vault, site_of(visit), member, title)


async def make(visit: Visit) -> Response:
    """A device has made a passkey."""
    if not is_fresh(visit):
        return visit.go(f"{_PAGE}#passkeys")
    form = await visit.form()
    said = form.get("name", ""), form.get("credential", "")
    why = await visit.office.people(_made, visit, *said)
    return visit.go(f"{_PAGE}?passkey={why or MADE}#passkeys")


def _made(reader: Desk, vault: Vault, visit: Visit, name: str, answer: str) -> str:
    member, site = alone_here(reader, vault, visit), site_of(visit)
    if member is None:
        return passkeys.NO_ADDRESS
    return passkeys.make(reader, vault, site, member, name, answer, visit.language.tag)


async def rename(visit: Visit) -> Response:
    """A passkey has another name."""
    name = (await visit.form()).get("name", "")
    if not await visit.office.people(_renamed, visit, name):
        raise NotHere
    return visit.go(f"{_PAGE}?passkey=named#passkeys")


def _renamed(reader: Desk, vault: Vault, visit: Visit, name: str) -> bool:
    member = must_be_alone(reader, vault, visit)
    return passkeys.rename(reader, vault, member, whole(visit.about["number"]), name)


async def end(visit: Visit) -> Response:
    """A passkey is good for nothing any more."""
    if not await visit.office.people(_ended, visit):
        raise NotHere
    return visit.go(f"{_PAGE}?passkey=removed#passkeys")


def _ended(reader: Desk, vault: Vault, visit: Visit) -> bool:
    member = must_be_alone(reader, vault, visit)
    return passkeys.end(vault, member, whole(visit.about["number"]), visit.language.tag)


# ── signing in, and showing again who one is ─────────────────────────────────


async def ask_to_show(visit: Visit) -> Response:
    """What the browser needs to show one."""
    asked = await visit.office.people(_asked_to_show, visit)
    status = 200 if asked else 429
    return Response(asked or "{}", status, HEADERS, media_type="application/json")


def _asked_to_show(_: Desk, vault: Vault, visit: Visit) -> str:
    return passkeys.ask_to_show(vault, site_of(visit), visit.place)


async def sign_in(visit: Visit) -> Response:
    """Whoever shows a passkey is signed in: their device has checked who they are."""
    form = await visit.form()
    about = site_of(visit), form.get("credential", "")
    found = await visit.office.people(passkeys.show, *about)
    if found is None:
        return await arriving.door(visit, status=403, became=NO_PASSKEY)
    onward = visit.onward(form)
    onward = onward if onward.startswith("/me") else "/me"
    return await arriving.begin(visit, found.account, onward, proved=found.proves)


async def prove(visit: Visit) -> Response:
    """Whoever is signed in shows a passkey of theirs, and goes back to what they wanted."""
    assert visit.session is not None
    form = await visit.form()
    about, onward = (site_of(visit), form.get("credential", "")), visit.onward(form) or "/me"
    if not await visit.office.people(passkeys.proves, *about, visit.session.account):
        return visit.go(f"{_PAGE}?passkey=no-proof#passkeys")
    await visit.change(sessions.prove, visit.session)
    return visit.go(onward)


def prove_with(reader: Desk, vault: Vault, visit: Visit) -> bool:
    """Whether whoever is signed in has a passkey that proves who they are."""
    member = alone_here(reader, vault, visit)
    return member is not None and any(x.proves for x in passkeys.of(reader, vault, member))
