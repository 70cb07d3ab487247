"""Inviting: the code in the link by which a member invites friends.

Guarantee: nobody makes the code of somebody else, and it tells no card: what it opens is the
page to join, and nothing of the account.
"""

from __future__ import annotations

import hmac
from typing import Final

from kantis.desk.submit import Desk
from kantis.desk.vault.vault import Vault

_LETTERS: Final = 10
_PURPOSE: Final = "invitations"


def code_of(vault: Vault, account: int) -> str:
    """The code of a member."""
    return f"{account}-{vault.secret(_PURPOSE, str(account)).hex()[:_LETTERS]}"


def inviter(reader: Desk, vault: Vault, program: int, code: str) -> int:
    """The account of whoever invites with a code; 0 where it is none of this program."""
    number, _, _ = code.partition("-")
    if not (number.isascii() and number.isdecimal() and len(number) < len("9" * 18)):
        return 0
    account = int(number)
    if not hmac.compare_digest(code_of(vault, account).encode(), code.encode()):
        return 0
    row = reader.books.account(account)
    return account if row is not None and row.program == program else 0
