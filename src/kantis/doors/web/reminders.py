"""Reminders: a member says what they want to be reminded of, and stops it with one press."""

from __future__ import annotations

from msgspec import structs
from starlette.responses import Response

from kantis.desk.reminding import DAYS, KINDS
from kantis.desk.submit import Desk
from kantis.desk.surveys import WISH
from kantis.desk.vault.vault import Member, Vault
from kantis.doors.web import consents, stopping
from kantis.doors.web.languages import Language
from kantis.doors.web.pages import NotHere, Visit
from kantis.doors.web.portal import alone_here
from kantis.store import people


async def chosen(visit: Visit) -> Response:
    """The member has chosen of what, and how long before."""
    form = await visit.form()
    wanted = {kind: _days(form.get(kind, "")) for kind in KINDS if kind in form}
    await visit.office.people(_choose, visit, wanted)
    return visit.go("/me/you?reminders=1#reminders")


async def ask(visit: Visit) -> Response:
    """The page that a letter's link opens; looking changes nothing, as previews look too."""
    account = await visit.office.people(_account, visit)
    return visit.page("portal-stop.html", status=200 if account else 404, opens=account, done=False)


async def stop(visit: Visit) -> Response:
    """No reminders any more, whoever presses: the member, or their mail program for them."""
    account = await visit.office.people(_account, visit)
    if account:
        await visit.office.people(_stop, account, visit.language)
    status = 200 if account else 404
    return visit.page("portal-stop.html", status=status, opens=account, done=True)


def _days(text: str) -> int:
    return int(text) if text in map(str, DAYS) else 0


def _account(reader: Desk, vault: Vault, visit: Visit) -> int:
    return stopping.number_of(vault, visit.about["code"])


def _choose(reader: Desk, vault: Vault, visit: Visit, wanted: dict[str, int]) -> None:
    member = alone_here(reader, vault, visit)
    if member is None or member.person is None or not member.person.email:
        raise NotHere
    said = {kind: days > 0 for kind, days in wanted.items()}
    _keep(vault, member, said, visit.language, chosen=True)
    vault.desk.chore("wish_reminders", member.row.account, wanted)


def _stop(reader: Desk, vault: Vault, account: int, spoken: Language) -> None:
    vault.desk.chore("stop_reminders", account)
    for member in vault.open(people.by_account(reader.books, [account])):
        _keep(vault, member, dict.fromkeys((*KINDS, WISH), False), spoken)


def _keep(
    vault: Vault, member: Member, said: dict[str, bool], language: Language, *, chosen: bool = False
) -> None:
    """Write down what was agreed to, and what was taken back, where that is new. Who has
    ``chosen`` letters, and never a language, gets them in the one in which they chose."""
    person, now = member.person, vault.desk.clock()
    if person is None:
        return
    asked = {each.field: each for each in (*consents.REMINDERS, consents.QUESTIONS)}
    added = tuple(
        consents.given(asked[kind], language, now, granted=granted)
        for kind, granted in said.items()
        if consents.holds(person, asked[kind].purpose) != granted
    )
    if added:
        spoken = person.language or (language.tag if chosen else "")
        changed = structs.replace(person, consents=(*person.consents, *added), language=spoken)
        vault.change(member, changed, now)
