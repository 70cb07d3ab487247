"""Signatures: whether what came was sent by the shop that holds the secret.

A connection can have two secrets while the old one is being changed for a new one. Compared
is in constant time.

>>> said = signature(b"key", b"body")
>>> signed(["other", "key"], b"body", said.decode()), signed(["other"], b"body", said.decode())
(True, False)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

#: How old or early a signature may be that says when it was made.
TOLERANCE_S: Final = 300


def signature(secret: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 in base64, as Shopify, WooCommerce and Square write it."""
    return base64.b64encode(hmac.digest(secret, data, hashlib.sha256))


def signed(secrets: Iterable[str], data: bytes, said: str) -> bool:
    """Whether one of the secrets made the signature."""
    given = said.encode("utf-8", "surrogateescape")
    found = [hmac.compare_digest(signature(each.encode(), data), given) for each in secrets]
    return any(found)


def stripe_signed(secrets: Iterable[str], body: bytes, said: str, now_s: int) -> bool:
    """Whether a ``Stripe-Signature`` (t=…,v1=…) is right, and not older than five minutes."""
    parts = [each.strip().partition("=") for each in said.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value.encode("utf-8", "surrogateescape") for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdecimal()) or len(times[0]) > 12:
        return False
    data = times[0].encode() + b"." + body
    made = [hmac.digest(each.encode(), data, hashlib.sha256).hex() for each in secrets]
    right = [hmac.compare_digest(one.encode(), other) for one in made for other in given]
    return any(right) and abs(now_s - int(times[0])) <= TOLERANCE_S
