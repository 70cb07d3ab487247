"""Taking: a member takes a reward on their own pages, and shows first that it is them.

Guarantee: what takes points out of a member's hands needs a sign-in of the last quarter of an
hour, where it is worth as much as the owner of the program has said, or where the device is new.
"""

from __future__ import annotations

import secrets
from typing import Final

from starlette.responses import Response

from kantis.core.events import Event, Redeem
from kantis.desk import large
from kantis.desk.submit import Desk
from kantis.desk.vault.vault import Vault
from kantis.doors.web.consents import SOURCE
from kantis.doors.web.languages import marked as _
from kantis.doors.web.own_passkeys import prove_with
from kantis.doors.web.pages import Visit
from kantis.doors.web.places import Place
from kantis.doors.web.portal import mine, own, takeable
from kantis.store import people
from kantis.store.rows import AccountRow

_NAME_MAX: Final = 200
#: What a member reads where the desk decides nothing that spends, by its code.
FROZEN: Final = {
    "spending-frozen": _("Nothing can be spent for now. Collecting goes on, and nothing is lost."),
    "account-locked": _(
        "Spending is locked, because somebody said that another one was at this card. "
        "Collecting goes on."
    ),
    "address-changed": _(
        "The address has just changed: for three days points are spent in the shop only, and none "
        "are passed on."
    ),
}


async def take(visit: Visit) -> Response:
    """A reward becomes a voucher of the member."""
    form = await visit.form()
    place, row = await visit.office.read(_own, visit)
    id = f"take-{row.id}-{form.get('form', '')[:40] or secrets.token_hex(16)}"
    body = Redeem(form.get("reward", "")[:_NAME_MAX])
    event = Event(SOURCE, id, 0, f"account:{row.id}", body, 0, ask=True)
    if not await visit.office.read(_may_take, visit, body.reward):
        return visit.go("/me/rewards?no=1#main")
    if await must_prove(visit, place.name, event):
        return await ask_proof(visit, place, "/me/rewards")
    (result,) = await visit.office.line.submit(place.name, [event])
    done = "no" if result.refusal is not None else "taken"
    return visit.go(f"/me/rewards?{done}=1#main")


async def must_prove(visit: Visit, program: str, event: Event) -> bool:
    """Whether whoever is signed in has to show again that it is them, before this is decided."""
    assert visit.session is not None
    if visit.session.is_fresh(visit.office.desk.clock()):
        return False
    return await visit.office.read(_is_guarded, visit, program, event)


async def ask_proof(visit: Visit, place: Place, back: str) -> Response:
    """A letter or a passkey first, and then ``back``; nothing was done. Whose address nobody knows
    goes to the shop."""
    known = await visit.office.people(_gets_letters, visit)
    proves = await visit.office.people(prove_with, visit)
    return visit.page(
        "portal-prove.html", status=403, place=place, known=known, proves=proves, back=back
    )


def _gets_letters(reader: Desk, vault: Vault, visit: Visit) -> bool:
    members = vault.open(people.by_account(reader.books, [mine(reader, visit)[0].id]))
    person = members[0].person if len(members) == 1 else None
    return person is not None and bool(person.email or person.unconfirmed)


def _is_guarded(reader: Desk, visit: Visit, program: str, event: Event) -> bool:
    (result,) = reader.quote([event], program=program)
    if result.entry is None or result.refusal is not None or result.again:
        return False
    home, now = reader.homes.find(program), reader.clock()
    assert home is not None
    assert visit.session is not None
    worth = large.worth(home, result.entry, now)
    return worth > 0 and (visit.session.is_new(now) or worth >= large.limit(reader.books, home))


def _own(reader: Desk, visit: Visit) -> tuple[Place, AccountRow]:
    row, _, place = own(reader, visit)
    return place, row


def _may_take(reader: Desk, visit: Visit, reward: str) -> bool:
    row, home, _ = own(reader, visit)
    alone = row.id == mine(reader, visit)[0].id
    return alone and reward in takeable(home, row, reader.clock())
