"""First link: how the first admin of an installation gets a key.

Guarantee: a link is shown once, where the service is started; the books hold the SHA-256 of
its token. It opens for a day and once: whoever opens it gets an owner's key, and every link
that was made before it is used up with it. While there is an owner's key, none is made.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final

from kantis.core.calendar import DAY_MS
from kantis.desk import keys
from kantis.desk.audit import By, alone
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
        now = desk.clock()
        hands.add_link(books, _digest(token), now, now + LASTS_MS)
    return token


def opens(desk: Desk, token: str) -> bool:
    """Whether a link would open now. ``desk`` may be one that only reads."""
    found = hands.link(desk.books, _digest(token))
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
        keys.insert(books, at, prefix, keys.digest(secret), about, keys.UNLIMITED, LINK)
    desk.keyring.forget()
    return secret, prefix


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
