"""Portable: everything that is kept about a member, to be handed out to them.

Guarantee: each event and each entry of the account is in it, with its sentences, and everything
personal; of other members there is nothing but what the account, where they share it, has in
common.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from kantis.core.calendar import show_instant
from kantis.desk.programs import Home
from kantis.desk.recorded import event_of
from kantis.desk.showing import standing, told
from kantis.desk.submit import Desk
from kantis.desk.vault import answering, passkeys
from kantis.desk.vault.vault import Member, Vault
from kantis.store.books import Books


def account_of(reader: Desk, vault: Vault, home: Home, member: Member) -> dict[str, Any]:
    """The account, its entries with their sentences, its events, and what the member was asked
    after purchases, and their passkeys by name."""
    books, number = reader.books, member.row.account
    row = books.account(number)
    assert row is not None, "a member has an account"
    wanted = [(number, seq) for seq in range(1, row.seq + 1)]
    entries = [each.plain() for each in told(books, home.program, wanted)]
    return {
        "account": standing(books, home, row, reader.clock()),
        "entries": entries,
        "events": _events(books, [str(each["event"]) for each in entries if each["event"]]),
        "answers": answering.kept(books, vault, member),
        "passkeys": [
            {"name": each.name, "made": show_instant(each.made),
             "used": show_instant(each.used) if each.used else None}
            for each in passkeys.of(reader, vault, member)
        ],
    }  # fmt: skip


def _events(books: Books, keys: list[str]) -> list[dict[str, Any]]:
    rows = {row.key: row for row in books.events(keys)}
    return [
        {
            "event": row.key,
            "type": row.type,
            "time": show_instant(row.time or row.received),
            "received": show_instant(row.received),
            "subject": row.subject,
            "data": _plain(event_of(row).body) if row.body is not None else None,
        }
        for row in (rows[key] for key in dict.fromkeys(keys) if key in rows)
    ]


def _plain(value: Any) -> Any:
    """A record by the names of its fields, without what is empty."""
    if isinstance(value, Struct):
        named = {name: getattr(value, name) for name in value.__struct_fields__}
        return {name: _plain(each) for name, each in named.items() if each or each == 0}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value
