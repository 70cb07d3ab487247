"""Mailbox: the letters that nothing has sent, for owners.

A service that names no mail server keeps letters here, so that it works from its first day.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from kantis.desk import mailing
from kantis.desk.submit import Desk
from kantis.desk.vault.vault import Reader, Vault
from kantis.doors.web.console import placed
from kantis.doors.web.letters import written
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.store import mailing as rows
from kantis.store.mailing import MailRow

_LETTERS: Final = 50


async def look(visit: Visit) -> Response:
    """The letters that wait here."""
    place, letters = await visit.office.read(_letters, visit)
    return visit.page(
        "console-mails.html", place=place, say=place.speaker(visit.language), letters=letters,
        shown=None, sends=visit.office.setup.mail is not None,
    )  # fmt: skip


async def read(visit: Visit) -> Response:
    """One letter, with a link that opens from now on; each reading is written down."""
    place, letters = await visit.office.read(_letters, visit)
    row = next((each for each in letters if each.number == whole(visit.about["number"])), None)
    if row is None:
        raise NotHere
    found = await visit.office.people(_letter, row, Reader(f"staff {visit.staff.login}", "mailbox"))
    if found is None:
        raise NotHere
    subject, text = written(found, place.titles or {"en": place.name}, visit.site)
    return visit.page(
        "console-mails.html", place=place, say=place.speaker(visit.language), letters=letters,
        shown={"to": found.address, "subject": subject, "text": text},
        sends=visit.office.setup.mail is not None,
    )  # fmt: skip


def _letters(reader: Desk, visit: Visit) -> tuple[Place, list[MailRow]]:
    place, _ = placed(reader, visit)
    return place, rows.kept(reader.books, place.number, _LETTERS)


def _letter(reader: Desk, vault: Vault, row: MailRow, by: Reader) -> mailing.Letter | None:
    found = mailing.letter(vault.desk, reader.books, vault, row, by)
    return found[0] if found is not None else None
