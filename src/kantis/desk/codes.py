"""Codes: what people read off a screen and type again, tokens that nobody reads, and what the books
hold of both.

No letter is taken for another one: neither I and 1, nor O and 0, nor L and U.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUP: Final = 4
_TOKEN_BYTES: Final = 32


def new_code(letters: int) -> str:
    """A code of so many letters that nobody guesses; almost five bits each."""
    return "".join(secrets.choice(LETTERS) for _ in range(letters))


def grouped(code: str) -> str:
    """A code as it is shown.

    >>> grouped("ABCD2345WX")
    'ABCD-2345-WX'
    """
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def code_of(typed: str) -> str:
    """A code as it was made, however it was typed.

    >>> code_of(" abcd-2345 ")
    'ABCD2345'
    """
    return re.sub(r"[^0-9A-Z]", "", typed.upper())


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def digest(secret: str) -> bytes:
    """What the books hold of a code, a token or a key.

    >>> digest("kantis_00").hex()[:16]
    'a56e8be24734eb44'
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
