"""Mailing: letters to members, with a link that opens once.

Guarantee: whoever asks for a link learns nothing of who is a member: an address that nobody
has takes the same steps as one that somebody has, up to the answer. The books hold a keyed
hash of it until the letter is sent. The address is read from the vault, and the link is made,
when the letter is sent; no letter is ever written down. Five letters to one address within a
quarter of an hour are enough, forty asked for from one place, and two thousand in all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from kantis.core.calendar import DAY_MS
from kantis.desk import jobs, tries
from kantis.desk.chores import chore
from kantis.desk.codes import digest, grouped, new_code, new_token
from kantis.desk.sessions import (
    CONFIRM,
    LOCK,
    LOCK_MS,
    PROVE,
    SIGN_IN,
    TICKET_MS,
    UNLOCK,
    proof,
)
from kantis.desk.vault.vault import Member, Reader, Vault
from kantis.store import mailing as rows
from kantis.store import people
from kantis.store import staff as tickets
from kantis.store.books import Books
from kantis.store.mailing import MailRow
from kantis.store.reading import Reading
from kantis.store.staff import TicketRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

#: What the owner of an e-mail address gets when somebody else joins with it.
ALREADY: Final = "already"
#: What the new address of a member gets, and what the old one gets, when it is to change.
CHANGE: Final = "change"
CHANGED: Final = "changed"
#: What the address of a member gets when their phone number has changed.
PHONE: Final = "phone"
#: What the address of a member gets when a passkey was made, and when one was removed. A mark of
#: that address stands behind the word, so that no other one gets the letter.
PASSKEY: Final = "passkey"
NO_PASSKEY: Final = "passkey-removed"
#: What a thief who is signed in must not be able to keep from being sent.
_WARNS: Final = frozenset({CHANGED, PHONE, PASSKEY, NO_PASSKEY, UNLOCK})
#: The kind of job that sends.
JOB: Final = "mail"
TO_ONE_MAX: Final = 5
FROM_ONE_MAX: Final = 40
ALL_MAX: Final = 2_000
#: A letter that nothing sends is kept so long.
KEPT_MS: Final = 7 * DAY_MS
#: The letters of a code by which a member shows a shop that it is them.
PROOF_LETTERS: Final = 8
_READ: Final = ("given_name", "email", "language")
#: What the link of a letter does, where it does not just sign in.
_OPENS: Final = {
    CONFIRM: CONFIRM, CHANGE: CONFIRM, CHANGED: LOCK, PHONE: LOCK, PASSKEY: LOCK,
    NO_PASSKEY: LOCK, UNLOCK: UNLOCK,
}  # fmt: skip
#: Letters whose link locks.
WARNINGS: Final = frozenset(name for name, does in _OPENS.items() if does == LOCK)
#: Letters to the one address that a mark stands for.
_MARKED: Final = (PASSKEY, NO_PASSKEY, UNLOCK)


class Letter(Struct, frozen=True):
    """A letter as it is sent now: to whom, what for, in which language, with which link."""

    purpose: str
    address: str
    name: str
    language: str
    token: str


@chore
def ask_mail(
    books: Books, now: int, program: int, purpose: str, tags: bytes, account: int, language: str,
    place: bytes,
) -> bool:  # fmt: skip
    """Ask for a letter; ``False`` when there were too many. ``place`` stands for where from."""
    kind = purpose.partition(" ")[0]
    kind = f" {kind}" if kind in _WARNS else ""
    one = digest(f"mail {program} {account} {tags.hex()}{kind}")
    limits = {one: TO_ONE_MAX}
    if place:
        every = digest("all letters that somebody asked for")
        limits |= {place: FROM_ONE_MAX, every: ALL_MAX}
    if not tries.count(books, now, limits):
        return False
    row = MailRow(0, program, purpose, tags, account, language, now, 0)
    jobs.ask_job(books, now, now, JOB, str(rows.add(books, row)))
    return True


@chore
def ask_mail_to_staff(books: Books, now: int, program: int, purpose: str, language: str) -> None:
    """Ask for a letter to somebody who works here, whom its purpose names."""
    row = MailRow(0, program, purpose, b"", 0, language, now, 0)
    jobs.ask_job(books, now, now, JOB, str(rows.add(books, row)))


@chore
def add_mail_ticket(
    books: Books, now: int, hashed: bytes, purpose: str, account: int, lasts: int
) -> None:
    """Let the link of a letter open for so long."""
    tickets.add_ticket(books, TicketRow(hashed, purpose, 0, account, now, now + lasts))


@chore
def keep_mail(books: Books, _: int, number: int, account: int) -> None:
    """Nothing sends a letter; an owner finds it in the mailbox."""
    rows.keep(books, number, account)


@chore
def drop_mail(books: Books, _: int, number: int) -> bool:
    """A letter is sent, or nobody is to get it."""
    return rows.drop(books, number)


@chore
def forget_mails(books: Books, now: int) -> int:
    """Forget letters that nobody sent; how many."""
    return rows.forget(books, now - KEPT_MS)


def ask_sign_in(
    reader: Desk, vault: Vault, program: int, email: str, language: str, place: str
) -> bool:
    """Somebody types an address and wants a link; ``False`` when they asked too often."""
    tags = b"".join(vault.email_tags(program, email))
    where = vault.secret("tries", place)
    about = program, SIGN_IN, tags, 0, language, where
    return bool(vault.desk.chore("ask_mail", *about))


def ask_confirming(vault: Vault, program: int, account: int, language: str) -> bool:
    """A member is to show that the address which they gave is theirs."""
    return bool(vault.desk.chore("ask_mail", program, CONFIRM, b"", account, language, b""))


def ask_change(vault: Vault, program: int, account: int, language: str) -> bool:
    """Tell the address that a member has that it is to change, and ask the new one."""
    about = b"", account, language, b""
    told = vault.desk.chore("ask_mail", program, CHANGED, *about)
    return bool(told and vault.desk.chore("ask_mail", program, CONFIRM, *about))


def warn(vault: Vault, program: int, account: int, language: str, *, phone: bool) -> None:
    """Tell a member at the address that they had that it, or their phone number, has changed."""
    about = PHONE if phone else CHANGED, b"", account, language, b""
    vault.desk.chore("ask_mail", program, *about)


def ask_proof(vault: Vault, program: int, account: int, source: str, language: str) -> bool:
    """A shop wants a member to show that it is them; ``False`` when there were too many letters.
    Whether anybody gets one is not told."""
    about = f"{PROVE} {source}", b"", account, language, b""
    return bool(vault.desk.chore("ask_mail", program, *about))


def ask_unlocking(vault: Vault, program: int, account: int, language: str, mark: str) -> bool:
    """Whoever has the address of a mark, which a warning went to, wants to open the account."""
    about = f"{UNLOCK} {mark}", b"", account, language, b""
    return bool(vault.desk.chore("ask_mail", program, *about))


def addressee(books: Reading, vault: Vault, row: MailRow) -> tuple[str, Member, str] | None:
    """What a letter is for in the end, who gets it, and at which address; ``None``: nobody."""
    if row.tags:
        found = vault.by_email_tags(books, row.program, row.tags)
        return (row.purpose, found[0], _email(found[0])) if found else None
    members = vault.open(people.by_account(books, [row.account]))
    member = next((each for each in members if each.person is not None), None)
    if member is None or member.person is None:
        return None
    kind, _, sent = row.purpose.partition(" ")
    if kind in _MARKED:
        own = filter(None, (member.person.email, member.person.former_email))
        wanted = next((each for each in own if vault.mark_of_email(each) == sent), "")
        return (kind, member, wanted) if wanted else None
    if row.purpose == CHANGED:
        former = member.person.former_email
        return (row.purpose, member, former) if former else None
    if row.purpose != CONFIRM:
        return (row.purpose, member, member.person.email) if member.person.email else None
    if not member.person.unconfirmed:
        return None
    owners = vault.by_email(books, row.program, member.person.unconfirmed)
    if owners:
        return ALREADY, owners[0], _email(owners[0])
    return (CHANGE if member.person.email else CONFIRM), member, member.person.unconfirmed


def _email(member: Member) -> str:
    assert member.person is not None
    return member.person.email


def letter(desk: Desk | RemoteDesk, reader: Reading, vault: Vault, row: MailRow, by: Reader) -> (
    tuple[Letter, int] | None
):  # fmt: skip
    """A letter with a link that opens from now on, and the account of who gets it."""
    found = addressee(reader, vault, row)
    if found is None:
        return None
    purpose, member, address = found
    assert member.person is not None
    vault.note([member], by, _READ)
    token, account = new_token(), member.row.account
    if purpose.startswith(f"{PROVE} "):
        code, source = new_code(PROOF_LETTERS), purpose.removeprefix(f"{PROVE} ")
        hashed = proof(row.account, source, code)
        desk.chore("add_mail_ticket", hashed, purpose, row.account, TICKET_MS)
        spoken = member.person.language or row.language
        return Letter(PROVE, address, member.person.given_name, spoken, grouped(code)), account
    opens, lasts = SIGN_IN, TICKET_MS
    if purpose in _OPENS:
        opens = f"{_OPENS[purpose]} {vault.mark_of_email(address)}"
    if purpose in WARNINGS:
        lasts = LOCK_MS
    desk.chore("add_mail_ticket", digest(token), opens, account, lasts)
    spoken = member.person.language or row.language
    return Letter(purpose, address, member.person.given_name, spoken, token), account
