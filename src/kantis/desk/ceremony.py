"""Ceremony: what a browser is asked, and what it answers, when a passkey is made or shown.

Guarantee: each asking has a challenge of its own, which is good once, for five minutes, for one
purpose and one person; it is used up by the first answer, whatever that is worth. An answer
counts only where the device has checked who holds it, by a finger, a face or a PIN, and only at
the address that the passkey was made at. Nobody's passkeys are listed to whoever is not signed
in: a device finds its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

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

from kantis.store import staff as rows
from kantis.store.books import Books
from kantis.store.staff import TicketRow

#: So long a challenge can be answered.
CHALLENGE_MS: Final = 5 * 60_000
NAME_LETTERS_MAX: Final = 60

_ANSWER_LETTERS_MAX: Final = 20_000
_WANTED: Final = UserVerificationRequirement.REQUIRED
#: What an answer that is none can make the library raise.
_WRONG: Final = (WebAuthnException, ValueError, KeyError, TypeError)


class Site(Struct, frozen=True):
    """Where passkeys are for: the host, and the address that the browser has to show."""

    host: str
    origin: str


class User(Struct, frozen=True):
    """Whose a passkey is, as the device keeps it: ``handle`` is all that comes back from it, and
    the names are shown by the device itself, to whoever holds it."""

    handle: bytes
    name: str
    shown: str


class Made(Struct, frozen=True):
    """A passkey as a device has made it: its id, the key that checks its signatures, and how
    often it has signed, where the device counts that."""

    id: bytes
    public: bytes
    signed: int


def named(name: str) -> str | None:
    """The name of a passkey as it is kept; ``None`` where it cannot be shown.

    >>> named("  My phone "), named("My\\nphone")
    ('My phone', None)
    """
    kept = name.strip()[:NAME_LETTERS_MAX]
    return kept if kept.isprintable() else None


# ── challenges ───────────────────────────────────────────────────────────────


def challenge(
    books: Books, hashed: bytes, purpose: str, now: int, *, staff: int = 0, account: int = 0
) -> None:
    """A challenge can be answered from now on. The books hold its SHA-256, ``hashed``."""
    row = TicketRow(hashed, purpose, staff, account, now, now + CHALLENGE_MS)
    rows.add_ticket(books, row)


def take(
    books: Books, hashed: bytes, purpose: str, now: int, *, staff: int = 0, account: int = 0
) -> bool:
    """Use a challenge up; whether it was one, of that purpose and person, and not too old."""
    found = rows.ticket(books, hashed)
    if found is None or not rows.take_ticket(books, hashed):
        return False
    return (found.purpose, found.staff, found.account) == (purpose, staff, account) and (
        found.ends > now
    )


# ── what a browser is asked ──────────────────────────────────────────────────


def to_make(site: Site, title: str, token: str, user: User, known: Iterable[bytes]) -> str:
    """What a browser is asked so that it makes a passkey, as JSON; none on a device that has one
    of those that are ``known``."""
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=title,
        user_id=user.handle,
        user_name=user.name,
        user_display_name=user.shown,
        challenge=base64url_to_bytes(token),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_WANTED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return webauthn.options_to_json(options)


def to_show(site: Site, token: str) -> str:
    """What a browser is asked so that it shows a passkey, whosever; as JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=site.host, challenge=base64url_to_bytes(token), user_verification=_WANTED
    )
    return webauthn.options_to_json(options)


# ── what it answers ──────────────────────────────────────────────────────────


def read(answer: str) -> dict[str, Any]:
    """What a browser has answered; empty where that is nothing of the kind."""
    try:
        said = json.loads(answer[:_ANSWER_LETTERS_MAX])
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def answered(said: dict[str, Any]) -> str:
    """The challenge that was answered; empty where there is none."""
    try:
        client = json.loads(base64url_to_bytes(str(said["response"]["clientDataJSON"])))
        token = str(client["challenge"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return token if token.isascii() else ""


def credential(said: dict[str, Any]) -> bytes:
    """The id of the passkey that was shown; empty where there is none."""
    try:
        return base64url_to_bytes(str(said["rawId"]))
    except (ValueError, KeyError, TypeError):
        return b""


def handle(said: dict[str, Any]) -> bytes:
    """Whose it is, as the device says; empty where it says nothing."""
    try:
        return base64url_to_bytes(str(said["response"]["userHandle"]))
    except (ValueError, KeyError, TypeError):
        return b""


def made(site: Site, said: dict[str, Any], token: str) -> Made | None:
    """The passkey that was made for a challenge; ``None`` where it was not."""
    try:
        found = webauthn.verify_registration_response(
            credential=said, expected_challenge=base64url_to_bytes(token),
            expected_rp_id=site.host, expected_origin=site.origin, require_user_verification=True,
        )  # fmt: skip
    except _WRONG:
        return None
    return Made(found.credential_id, found.credential_public_key, found.sign_count)


def shown(site: Site, said: dict[str, Any], token: str, known: Made) -> int | None:
    """How often a passkey that is known has signed, this time with it; ``None`` where what it
    signed is not the challenge, at this address."""
    try:
        found = webauthn.verify_authentication_response(
            credential=said, expected_challenge=base64url_to_bytes(token),
            expected_rp_id=site.host, expected_origin=site.origin,
            credential_public_key=known.public, credential_current_sign_count=known.signed,
            require_user_verification=True,
        )  # fmt: skip
    except _WRONG:
        return None
    return found.new_sign_count
