"""Passkeys: keys on the devices of members that sign in without a letter.

Guarantee: a passkey counts only as ``ceremony`` says. Its name, its id and the key that checks
it stand in the books under the key of its member, and open nothing once the member is erased.
One is made for a confirmed address only, on a proof of the last quarter of an hour, and a letter
with the lock press goes to that address in the same commit. In its first three days it signs in
and proves nothing; in the 72 hours after another address none is made, and none proves anything.
A lock ends all of them, in its own commit: after it, only a letter to the address leads back.
"""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec import Struct, json

from kantis.desk import ceremony, freezing
from kantis.desk.audit import By, record
from kantis.desk.ceremony import Made, Site, User
from kantis.desk.chores import chore, chore_alone
from kantis.desk.codes import digest, new_token
from kantis.desk.mailing import NO_PASSKEY, PASSKEY, ask_mail
from kantis.desk.sessions import NEW_MS
from kantis.desk.submit import Desk
from kantis.desk.tries import may_try
from kantis.desk.vault.vault import Member, Vault
from kantis.store import passkeys as rows
from kantis.store import people
from kantis.store import staff as tickets
from kantis.store.books import Books
from kantis.store.passkeys import PasskeyRow
from kantis.store.reading import Reading

#: What a challenge is for.
MAKE: Final = "make a member's passkey"
SHOW: Final = "show a member's passkey"
PASSKEYS_MAX: Final = 10
#: So many challenges to sign in are made for one place within a quarter of an hour: pages ask by
#: themselves, and a shop's visitors may come from one place.
ASKS_MAX: Final = 300
#: Why none is made.
FAILED: Final = "failed"
FULL: Final = "full"
CHANGED: Final = "changed"
NO_ADDRESS: Final = "no-address"
OFTEN: Final = "too-many-tries"
#: Who makes and ends one, for the audit log.
_MEMBER: Final = By("member")


class Passkey(Struct, frozen=True):
    """A passkey as its member sees it: when it was made and used, and whether it proves who they
    are, or signs in only."""

    number: int
    name: str
    made: int
    used: int | None
    proves: bool


class Shown(Struct, frozen=True):
    """Whose account a passkey signs in to, and whether it proves that it is them."""

    account: int
    proves: bool


class _Kept(Struct, frozen=True):
    """What is sealed of a passkey."""

    id: bytes
    public: bytes
    name: str


# ── what is kept ─────────────────────────────────────────────────────────────


def of(reader: Desk, vault: Vault, member: Member) -> list[Passkey]:
    """The passkeys of a member, oldest first. Who shows them notes the reading first."""
    now, found = reader.clock(), rows.of_member(reader.books, member.row.id)
    held = _is_held(reader.books, member.row.account, now)
    return [
        Passkey(row.number, kept.name, row.made, row.used, _proves(row, now, held=held))
        for row, kept in _opened(vault, found)
    ]


def obstacle(reader: Desk, member: Member) -> str:
    """Why a member makes no passkey now; empty where they may."""
    if member.person is None or not member.person.email:
        return NO_ADDRESS
    return _obstacle(reader.books, member.row.id, member.row.account, reader.clock())


def _obstacle(books: Reading, member: str, account: int, now: int) -> str:
    if _is_held(books, account, now):
        return CHANGED
    return FULL if len(rows.of_member(books, member)) >= PASSKEYS_MAX else ""


def _is_held(books: Reading, account: int, now: int) -> bool:
    """Whether an account is frozen by itself: after another address, or by a lock."""
    row = books.account(account)
    return row is None or bool(freezing.standing(books, row.program, account, now))


def _proves(row: PasskeyRow, now: int, *, held: bool) -> bool:
    return not held and now - row.made >= NEW_MS


def _about(hashed: bytes) -> str:
    """What a passkey is sealed for."""
    return f"passkey {hashed.hex()}"


def _opened(vault: Vault, found: list[PasskeyRow]) -> list[tuple[PasskeyRow, _Kept]]:
    """Passkeys with what is sealed of them; none where the key of the member was destroyed."""
    opened = []
    for row in found:
        about = _about(row.hashed)
        said = vault.unseal(row.member, {about: row.sealed})[about]
        if said:
            opened.append((row, json.decode(said, type=_Kept)))
    return opened


def _sealed(vault: Vault, member: str, hashed: bytes, kept: _Kept) -> bytes:
    return vault.seal(member, _about(hashed), json.encode(kept).decode())


# ── making ───────────────────────────────────────────────────────────────────


def ask_to_make(reader: Desk, vault: Vault, site: Site, member: Member, title: str) -> str:
    """What a browser is asked so that it makes a passkey, as JSON; ``title`` is what the card is
    called. Nothing where the member makes none now."""
    if obstacle(reader, member):
        return ""
    assert member.person is not None
    token, kept = new_token(), _opened(vault, rows.of_member(reader.books, member.row.id))
    vault.desk.chore("ask_for_passkey", digest(token), MAKE, member.row.account, b"")
    called = member.person.email
    if len(reader.books.programs()) > 1:  # a device lists those of all programs together
        called = f"{called} · {title}"
    user = User(member.row.id.encode(), called, called)
    return ceremony.to_make(site, title, token, user, [each.id for _, each in kept])


def make(
    reader: Desk, vault: Vault, site: Site, member: Member, name: str, answer: str, language: str
) -> str:
    """Keep the passkey that a browser has made; why not, or nothing. A letter tells of it."""
    said, called, account = ceremony.read(answer), ceremony.named(name), member.row.account
    token = ceremony.answered(said)
    if not _is_answered(reader, vault, token, MAKE, account):
        return FAILED
    made = ceremony.made(site, said, token) if called is not None else None
    why = obstacle(reader, member)
    if made is None or called is None or why:
        return why or FAILED
    hashed = _hashed(made.id)
    sealed = _sealed(vault, member.row.id, hashed, _Kept(made.id, made.public, called))
    assert member.person is not None
    mark, spoken = vault.mark_of_email(member.person.email), member.person.language or language
    about = hashed, member.row.id, account, sealed, made.signed, mark, spoken
    return str(vault.desk.chore("keep_passkey", *about))


def rename(reader: Desk, vault: Vault, member: Member, number: int, name: str) -> bool:
    """Give a passkey another name; ``False`` where the member has none of that number."""
    called, found = (
        ceremony.named(name),
        _opened(vault, rows.of_member(reader.books, member.row.id)),
    )
    row, kept = next((each for each in found if each[0].number == number), (None, None))
    if called is None or row is None or kept is None:
        return False
    sealed = _sealed(vault, member.row.id, row.hashed, _Kept(kept.id, kept.public, called))
    return bool(vault.desk.chore("rename_passkey", member.row.id, number, sealed))


def end(vault: Vault, member: Member, number: int, language: str) -> bool:
    """A passkey is good for nothing any more; letters tell of it, within 72 hours of another
    address to both. ``False`` where the member has none of that number."""
    assert member.person is not None
    own = filter(None, (member.person.email, member.person.former_email))
    marks, spoken = [vault.mark_of_email(each) for each in own], member.person.language or language
    about = member.row.id, number, member.row.account, marks, spoken
    return bool(vault.desk.chore("end_passkey", *about))


# ── showing ──────────────────────────────────────────────────────────────────


def ask_to_show(vault: Vault, site: Site, whence: str) -> str:
    """What a browser is asked so that it shows a passkey; nothing where one place asks too
    often."""
    token, subject = new_token(), vault.secret("tries", f"passkey from {whence}")
    done = vault.desk.chore("ask_for_passkey", digest(token), SHOW, 0, subject)
    return ceremony.to_show(site, token) if done else ""


def show(reader: Desk, vault: Vault, site: Site, answer: str) -> Shown | None:
    """Whose account somebody signs in to who shows a passkey; ``None`` where it is nobody's, or
    locked."""
    said, books, now = ceremony.read(answer), reader.books, reader.clock()
    token = ceremony.answered(said)
    if not _is_answered(reader, vault, token, SHOW, 0):
        return None
    found = rows.find(books, _hashed(ceremony.credential(said)))
    if found is None or ceremony.handle(said) != found.member.encode():
        return None
    opened = _opened(vault, [found])
    members = people.by_id(books, [found.member])
    if not opened or not members or members[0].erased is not None:
        return None
    (row, kept), account = opened[0], members[0].account
    signed = ceremony.shown(site, said, token, Made(kept.id, kept.public, row.signed))
    if signed is None or freezing.is_locked(books, account, now):
        return None
    if not vault.desk.chore("use_passkey", row.number, signed):
        return None
    return Shown(account, _proves(row, now, held=_is_held(books, account, now)))


def proves(reader: Desk, vault: Vault, site: Site, answer: str, account: int) -> bool:
    """Whether somebody who is signed in to an account shows by a passkey that it is them."""
    found = show(reader, vault, site, answer)
    return found is not None and found.proves and _is_of(found, account)


def _is_of(found: Shown, account: int) -> bool:
    return found.account == account


def _is_answered(reader: Desk, vault: Vault, token: str, purpose: str, account: int) -> bool:
    """Whether this answers a challenge, which is used up; what is none costs a look only."""
    hashed = digest(token)
    if tickets.ticket(reader.books, hashed) is None:
        return False
    return bool(vault.desk.chore("take_passkey_challenge", hashed, purpose, account))


def _hashed(id: bytes) -> bytes:
    """What finds a passkey. Ids are made by chance, so nobody tries them out."""
    return hashlib.sha256(id).digest()


# ── chores ───────────────────────────────────────────────────────────────────


@chore
def ask_for_passkey(
    books: Books, now: int, hashed: bytes, purpose: str, account: int, place: bytes
) -> bool:
    """Let a challenge be answered; ``False`` where one place, if that counts, asks too often."""
    if place and not may_try(books, now, place, ASKS_MAX):
        return False
    ceremony.challenge(books, hashed, purpose, now, account=account)
    return True


@chore
def take_passkey_challenge(
    books: Books, now: int, hashed: bytes, purpose: str, account: int
) -> bool:
    """Use a challenge up; whether it was one."""
    return ceremony.take(books, hashed, purpose, now, account=account)


@chore_alone
def keep_passkey(
    books: Books, now: int, hashed: bytes, member: str, account: int, sealed: bytes, signed: int,
    mark: str, language: str,
) -> str:  # fmt: skip
    """Keep a passkey and ask for the letter about it; why not, or nothing."""
    (found,) = people.by_id(books, [member])
    if found.erased is not None or rows.find(books, hashed) is not None:
        return FAILED
    why = _obstacle(books, member, account, now)
    if why:
        return why
    if not ask_mail(books, now, found.program, f"{PASSKEY} {mark}", b"", account, language, b""):
        return OFTEN  # nobody would hear of it
    rows.add(books, PasskeyRow(0, hashed, member, account, sealed, signed, now, None))
    record(books, now, _MEMBER, found.program, "passkey", str(account))
    return ""


@chore
def use_passkey(books: Books, now: int, number: int, signed: int) -> bool:
    """A passkey has signed; ``False`` where it was ended meanwhile."""
    return rows.use(books, number, signed, now)


@chore
def rename_passkey(books: Books, _: int, member: str, number: int, sealed: bytes) -> bool:
    """A passkey has another name."""
    return rows.seal_anew(books, member, number, sealed)


@chore
def end_passkey(
    books: Books, now: int, member: str, number: int, account: int, marks: list[str],
    language: str,
) -> bool:  # fmt: skip
    """A passkey is good for nothing any more, and letters tell of it. Whoever has had too many of
    them of late knows already."""
    if not rows.end(books, member, number):
        return False
    (found,) = people.by_id(books, [member])
    held = _is_held(books, account, now)
    for mark in marks if held else marks[:1]:
        ask_mail(books, now, found.program, f"{NO_PASSKEY} {mark}", b"", account, language, b"")
    record(books, now, _MEMBER, found.program, "no passkey", str(account))
    return True
