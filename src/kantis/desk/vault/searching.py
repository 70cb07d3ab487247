"""Searching: accounts by whatever somebody types, as people who work at a desk do.

Guarantee: a card, an account and a receipt are looked up without opening anything personal;
e-mail addresses, telephone numbers and names only where a vault is handed in, and whoever
hands it in writes down whose data are shown before they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from kantis.desk.submit import Desk
from kantis.desk.vault import person as persons
from kantis.desk.vault.person import Wrong
from kantis.desk.vault.vault import FOUND_MAX, Member, Vault
from kantis.store import people
from kantis.store.reading import Reading

#: Shorter texts find too many names to be of use.
LETTERS_MIN: Final = 3
LETTERS_MAX: Final = 200
_DIGITS_MAX: Final = 18
#: By what somebody can be found.
BY: Final = ("card", "account", "receipt", "e-mail", "phone", "name")


class Hit(Struct):
    """An account that was found, by what, and whose it is where that was asked."""

    account: int
    by: str
    members: list[Member] = field(default_factory=list)


def search(reader: Desk, program: int, text: str, vault: Vault | None = None) -> list[Hit]:
    """The accounts that a text finds, exact ones first; at most ``FOUND_MAX``."""
    text, books = text.strip()[:LETTERS_MAX], reader.books
    found: dict[int, Hit] = {}
    if not text:
        return []
    for account, by in _numbered(books, program, text):
        found.setdefault(account, Hit(account, by))
    if vault is not None:
        accounts = sorted(found)
        members = vault.open(people.by_account(books, accounts))
        personal = [(each, found[each.row.account].by) for each in members]
        personal += _personal(books, vault, program, text)
        for member, by in personal:
            account = member.row.account
            hit = found.setdefault(account, Hit(account, by))
            if all(each.row.id != member.row.id for each in hit.members):
                hit.members.append(member)
    return list(found.values())[:FOUND_MAX]


def _numbered(books: Reading, program: int, text: str) -> Iterator[tuple[int, str]]:
    """What is found without anything personal."""
    account = books.cards([(program, text)]).get((program, text))
    if account:
        yield account, "card"
    if text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX:
        row = books.account(int(text))
        if row is not None and row.program == program:
            yield row.id, "account"
    for number in people.by_receipt(books, program, text):
        yield number, "receipt"


def _personal(
    books: Reading, vault: Vault, program: int, text: str
) -> Iterator[tuple[Member, str]]:
    """What is found by what a person is called, and how they are reached."""
    if "@" in text:
        yield from ((each, "e-mail") for each in vault.by_email(books, program, text))
        return
    try:
        persons.phone_form(text)
    except Wrong:
        pass
    else:
        yield from ((each, "phone") for each in vault.by_phone(books, program, text))
    if sum(map(str.isalpha, text)) >= LETTERS_MIN:
        yield from ((each, "name") for each in vault.by_name(books, program, text))
