"""First link: how the first owner of an installation gets in.

Guarantee: a link is shown once, where the service is started; the books hold the SHA-256 of
its token. It opens for a day and once: a script that opens it gets an owner's key, a person
becomes an owner who signs in; and every link that was made before it is used up with it.
While there is an owner, none is made.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from kantis.core.calendar import DAY_MS
from kantis.desk import keys
from kantis.desk.audit import By, alone
from kantis.desk.codes import digest
from kantis.desk.staff import Staff, add_owner, everybody
from kantis.store import hands

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

LASTS_MS: Final = DAY_MS
_TOKEN_BYTES: Final = 32
#: Who makes the first key.
LINK: Final = By("first link")


def make(desk: Desk) -> str:
    """The token of a new link; empty when there is an owner who can make keys."""
    token = secrets.token_hex(_TOKEN_BYTES)
    with alone(desk) as books:
        if any(each.scope == keys.OWNER and each.revoked is None for each in books.all_keys()):
            return ""
        if any(each.role == keys.OWNER and each.ended is None for each in everybody(books)):
            return ""
        now = desk.clock()
        hands.add_link(books, digest(token), now, now + LASTS_MS)
    return token


def opens(desk: Desk, token: str) -> bool:
    """Whether a link would open now. ``desk`` may be one that only reads."""
    found = hands.link(desk.books, digest(token))
    return found is not None and found.used is None and desk.clock() < found.expires


def use(desk: Desk, token: str, name: str, source: str) -> tuple[str, str] | None:
    """The first owner's key and its prefix; ``None`` when the link does not open (any more)."""
    secret, prefix = keys.fresh()
    with alone(desk) as books:
        if not opens(desk, token):
            return None
        at = desk.clock()
        hands.use_links(books, at)
        about = name, "", keys.OWNER, source, ""
        keys.insert(books, at, prefix, digest(secret), about, keys.UNLIMITED, LINK)
    desk.keyring.forget()
    return secret, prefix


def become_owner(desk: Desk, token: str, login: str, name: str, password: str) -> Staff | None:
    """The first owner who signs in; ``None`` when the link does not open (any more).

    ``ProgramError`` says what is wrong with the login, the name or the password.
    """
    with alone(desk) as books:
        if not opens(desk, token):
            return None
        found = add_owner(books, desk.clock(), login, name, password, LINK)
        hands.use_links(books, desk.clock())
    return found
