"""Tokens: what a browser has instead of a key, for one account at one checkout.

A token is asked for by the shop's server with its key. It is signed with a secret for that key
which is not in the books, and ends with the key; it says whose account it is for, on which
origin it holds, how many points may be set aside, and until when. The browser can change
nothing of it.

>>> made = Token("ab12cd34", "1", "card:7", "https://shop.example", "off", 500, ("quote",), 9)
>>> said = sign(made, b"secret of the key")
>>> read(said) == made, signed(said, b"secret of the key"), signed(said, b"another")
(True, True, False)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

import msgspec
from msgspec import Struct, msgpack

#: What a token can be for.
SCOPES: Final = ("quote", "hold")
_START: Final = "kantis-checkout_"
_FOR: Final = b"kantis checkout 1\n"
_LETTERS_MAX: Final = 2_000


class Token(Struct, frozen=True, array_like=True):
    """``key`` is the prefix of the key that asked for it; ``expires`` is an instant."""

    key: str
    id: str
    subject: str
    origin: str
    reward: str
    points_max: int
    scopes: tuple[str, ...]
    expires: int


_decode: Final = msgpack.Decoder(Token).decode


def sign(token: Token, secret: bytes) -> str:
    """The token as text."""
    data = msgpack.encode(token)
    return f"{_START}{_text(data)}.{_text(_mac(data, secret))}"


def read(said: str) -> Token | None:
    """What a token says, before anybody believes it; nothing where it is none."""
    parts = _parts(said)
    try:
        return _decode(parts[0]) if parts is not None else None
    except msgspec.MsgspecError:
        return None


def signed(said: str, secret: bytes) -> bool:
    """Whether it was made with that secret, and nobody has changed it."""
    parts = _parts(said)
    return parts is not None and hmac.compare_digest(_mac(parts[0], secret), parts[1])


def _parts(said: str) -> tuple[bytes, bytes] | None:
    data, dot, mac = said.removeprefix(_START).partition(".")
    if not said.startswith(_START) or not dot or len(said) > _LETTERS_MAX:
        return None
    try:
        return _bytes(data), _bytes(mac)
    except (ValueError, binascii.Error):
        return None


def _mac(data: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, _FOR + data, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
