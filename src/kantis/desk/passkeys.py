"""Passkeys: keys on the devices of staff that sign in without a password.

Guarantee: each asking makes a challenge of its own, which is good once, for five minutes and
for one purpose. A passkey counts only where its device has checked who holds it, by a finger,
a face or a PIN, so it is both factors at once; and only at the address it was made at. The
books hold its public key, which signs nobody in.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import webauthn
from msgspec import Struct
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from kantis.desk import factors, tries
from kantis.desk.audit import By, alone, record
from kantis.desk.codes import digest, new_token
from kantis.desk.staff import Staff, shown
from kantis.store import factors as rows
from kantis.store import staff as people
from kantis.store.books import Books
from kantis.store.factors import PasskeyRow
from kantis.store.staff import TicketRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

#: So long a challenge can be answered.
CHALLENGE_MS: Final = 5 * 60_000
#: What a challenge is for.
MAKE: Final = "make a passkey"
SHOW: Final = "show a passkey"
#: So many challenges to sign in are made for one place within a quarter of an hour.
ASKS_MAX: Final = 60
PASSKEYS_MAX: Final = 20
NAME_LETTERS_MAX: Final = 60

_ANSWER_LETTERS_MAX: Final = 20_000
_NUMBER_BYTES: Final = 8
_WANTED: Final = UserVerificationRequirement.REQUIRED


class Site(Struct, frozen=True):
    """Where passkeys are for: the host, and the address that the browser has to show."""

    host: str
    origin: str


def ask_to_make(desk: Desk, site: Site, who: Staff) -> str:
    """What a browser is asked so that it makes a passkey, as JSON."""
    token = new_token()
    with alone(desk) as books:
        _challenge(books, token, MAKE, who.number, desk.clock())
        known = rows.passkeys(books, who.number)
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name="Kantis",
        user_id=who.number.to_bytes(_NUMBER_BYTES),
        user_name=who.login,
        user_display_name=who.name,
        challenge=base64url_to_bytes(token),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_WANTED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each.id) for each in known],
    )
    return webauthn.options_to_json(options)


def make(
    desk: Desk, site: Site, who: Staff, name: str, answer: str, by: By
) -> tuple[bool, list[str]]:
    """Keep the passkey that a browser has made: whether it is one, and recovery codes where
    there are none yet."""
    said, now = _read(answer), desk.clock()
    name = name.strip()[:NAME_LETTERS_MAX]
    with alone(desk) as books:
        token = _taken(books, said, MAKE, who.number, now)
        full = len(rows.passkeys(books, who.number)) >= PASSKEYS_MAX
        if not token or full or not name.isprintable():
            return False, []
        try:
            made = webauthn.verify_registration_response(
                credential=said, expected_challenge=base64url_to_bytes(token),
                expected_rp_id=site.host, expected_origin=site.origin,
                require_user_verification=True,
            )  # fmt: skip
        except (WebAuthnException, ValueError, KeyError, TypeError):
            return False, []
        if rows.passkey(books, made.credential_id) is not None:
            return False, []
        row = PasskeyRow(
            made.credential_id, 0, who.number, name, made.credential_public_key, made.sign_count,
            now, None,
        )  # fmt: skip
        rows.add_passkey(books, row)
        record(books, now, by, who.program, "passkey", who.login, name=name)
        return True, factors.first_codes(books, who.number)


def ask_to_show(desk: Desk, site: Site, whence: str) -> str:
    """What a browser is asked so that it shows a passkey; nothing where one place asks too
    often."""
    token, now, subject = new_token(), desk.clock(), digest(f"passkey from {whence}")
    with alone(desk) as books:
        if not tries.may_try(books, now, subject, ASKS_MAX):
            return ""
        _challenge(books, token, SHOW, 0, now)
    options = webauthn.generate_authentication_options(
        rp_id=site.host, challenge=base64url_to_bytes(token), user_verification=_WANTED
    )
    return webauthn.options_to_json(options)


def show(desk: Desk, site: Site, answer: str) -> Staff | None:
    """Who has shown a passkey; ``None`` where it is nobody's."""
    said, now = _read(answer), desk.clock()
    with alone(desk) as books:
        token = _taken(books, said, SHOW, 0, now)
        try:
            row = rows.passkey(books, base64url_to_bytes(str(said["rawId"]))) if token else None
            if row is None:
                return None
            shows = webauthn.verify_authentication_response(
                credential=said, expected_challenge=base64url_to_bytes(token),
                expected_rp_id=site.host, expected_origin=site.origin,
                credential_public_key=row.public, credential_current_sign_count=row.signed,
                require_user_verification=True,
            )  # fmt: skip
        except (WebAuthnException, ValueError, KeyError, TypeError):
            return None
        person = people.by_number(books, row.staff)
        if person is None or person.ended is not None:
            return None
        rows.use_passkey(books, row.id, shows.new_sign_count, now)
    return shown(person)


def rename(desk: Desk, number: int, who: Staff, name: str) -> bool:
    """Give a passkey another name."""
    name = name.strip()[:NAME_LETTERS_MAX]
    with alone(desk) as books:
        return name.isprintable() and rows.name_passkey(books, who.number, number, name)


def end(desk: Desk, number: int, who: Staff, by: By) -> bool:
    """A passkey is good for nothing any more; recovery codes go with the last factor."""
    with alone(desk) as books:
        if not rows.end_passkey(books, who.number, number):
            return False
        record(books, desk.clock(), by, who.program, "no passkey", who.login)
        factors.drop_codes(books, who.number)
    return True


def _challenge(books: Books, token: str, purpose: str, number: int, now: int) -> None:
    people.add_ticket(books, TicketRow(digest(token), purpose, number, 0, now, now + CHALLENGE_MS))


def _read(answer: str) -> dict[str, Any]:
    """What a browser has answered; empty where that is nothing of the kind."""
    try:
        said = json.loads(answer[:_ANSWER_LETTERS_MAX])
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _taken(books: Books, said: dict[str, Any], purpose: str, number: int, now: int) -> str:
    """The challenge that was answered, which is used up with that; nothing where it is none."""
    try:
        client = json.loads(base64url_to_bytes(str(said["response"]["clientDataJSON"])))
        token = str(client["challenge"])
    except (ValueError, KeyError, TypeError):
        return ""
    found = people.ticket(books, digest(token))
    if found is None or not people.take_ticket(books, digest(token)):
        return ""
    fits = (found.purpose, found.staff) == (purpose, number) and found.ends > now
    return token if fits else ""
