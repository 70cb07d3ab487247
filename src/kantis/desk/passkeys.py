"""Passkeys: keys on the devices of staff that sign in without a password.

Guarantee: a passkey counts only as ``ceremony`` says, so it is both factors at once. The books
hold its public key, which signs nobody in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kantis.desk import ceremony, factors, tries
from kantis.desk.audit import By, alone, record
from kantis.desk.ceremony import Made, Site, User
from kantis.desk.codes import digest, new_token
from kantis.desk.staff import Staff, shown
from kantis.store import factors as rows
from kantis.store import staff as people
from kantis.store.books import Books
from kantis.store.factors import PasskeyRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

#: What a challenge is for.
MAKE: Final = "make a passkey"
SHOW: Final = "show a passkey"
#: So many challenges to sign in are made for one place within a quarter of an hour.
ASKS_MAX: Final = 60
PASSKEYS_MAX: Final = 20

_NUMBER_BYTES: Final = 8


def ask_to_make(desk: Desk, site: Site, who: Staff) -> str:
    """What a browser is asked so that it makes a passkey, as JSON."""
    token = new_token()
    with alone(desk) as books:
        ceremony.challenge(books, digest(token), MAKE, desk.clock(), staff=who.number)
        known = [each.id for each in rows.passkeys(books, who.number)]
    user = User(who.number.to_bytes(_NUMBER_BYTES), who.login, who.name)
    return ceremony.to_make(site, "Kantis", token, user, known)


def make(
    desk: Desk, site: Site, who: Staff, name: str, answer: str, by: By
) -> tuple[bool, list[str]]:
    """Keep the passkey that a browser has made: whether it is one, and recovery codes where
    there are none yet."""
    said, now, called = ceremony.read(answer), desk.clock(), ceremony.named(name)
    with alone(desk) as books:
        token = _taken(books, said, MAKE, now, who.number)
        full = len(rows.passkeys(books, who.number)) >= PASSKEYS_MAX
        if not token or full or called is None:
            return False, []
        made = ceremony.made(site, said, token)
        if made is None or rows.passkey(books, made.id) is not None:
            return False, []
        row = PasskeyRow(made.id, 0, who.number, called, made.public, made.signed, now, None)
        rows.add_passkey(books, row)
        record(books, now, by, who.program, "passkey", who.login, name=called)
        return True, factors.first_codes(books, who.number)


def ask_to_show(desk: Desk, site: Site, whence: str) -> str:
    """What a browser is asked so that it shows a passkey; nothing where one place asks too
    often."""
    token, now, subject = new_token(), desk.clock(), digest(f"passkey from {whence}")
    with alone(desk) as books:
        if not tries.may_try(books, now, subject, ASKS_MAX):
            return ""
        ceremony.challenge(books, digest(token), SHOW, now)
    return ceremony.to_show(site, token)


def show(desk: Desk, site: Site, answer: str) -> Staff | None:
    """Who has shown a passkey; ``None`` where it is nobody's."""
    said, now = ceremony.read(answer), desk.clock()
    with alone(desk) as books:
        token = _taken(books, said, SHOW, now, 0)
        row = rows.passkey(books, ceremony.credential(said)) if token else None
        if row is None:
            return None
        signed = ceremony.shown(site, said, token, Made(row.id, row.public, row.signed))
        person = people.by_number(books, row.staff)
        if signed is None or person is None or person.ended is not None:
            return None
        rows.use_passkey(books, row.id, signed, now)
    return shown(person)


def rename(desk: Desk, number: int, who: Staff, name: str) -> bool:
    """Give a passkey another name."""
    called = ceremony.named(name)
    with alone(desk) as books:
        return called is not None and rows.name_passkey(books, who.number, number, called)


def end(desk: Desk, number: int, who: Staff, by: By) -> bool:
    """A passkey is good for nothing any more; recovery codes go with the last factor."""
    with alone(desk) as books:
        if not rows.end_passkey(books, who.number, number):
            return False
        record(books, desk.clock(), by, who.program, "no passkey", who.login)
        factors.drop_codes(books, who.number)
    return True


def _taken(books: Books, said: dict[str, Any], purpose: str, now: int, staff: int) -> str:
    """The challenge that was answered, which is used up with that; nothing where it is none."""
    token = ceremony.answered(said)
    return token if ceremony.take(books, digest(token), purpose, now, staff=staff) else ""
