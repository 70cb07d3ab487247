"""Keys: who calls, and what they may do.

Guarantee: a key is shown once, when it is made; the books hold its SHA-256. It speaks for
one source of one program with one scope, and a source belongs to one program for ever, so
that no key can take the event ids of another program's callers. A key that was revoked
does nothing from the next request on, and is never given back.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from kantis.core.knobs import Fault, ProgramError, suggest
from kantis.store.books import Books
from kantis.store.rows import KeyRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

#: What a key can be for, and what that means.
SCOPES: Final = {
    "till": "sells, redeems and takes back at a counter",
    "shop": "sells online, enrols members and keeps their plans",
    "partner": "tells what members did with a partner",
    "staff": "does everything that the program knows, adjustments too",
    "auditor": "reads everything but personal data, and changes nothing",
}

_START: Final = "kantis_"
_SECRET_BYTES: Final = 32
_PREFIX_LETTERS: Final = 8
_SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_NAME_LETTERS_MAX: Final = 100


class Key(Struct, frozen=True):
    """A key as it may be shown: without its secret."""

    prefix: str
    name: str
    program: str
    scope: str
    source: str
    location: str
    created: int
    revoked: int | None


def digest(secret: str) -> bytes:
    """What the books hold of a key.

    >>> digest("kantis_00").hex()[:16]
    'a56e8be24734eb44'
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def make(
    desk: Desk | RemoteDesk, name: str, program: str, scope: str, source: str, location: str = ""
) -> tuple[str, str]:
    """A new key and its prefix; the key is nowhere else. ``ProgramError`` says what is wrong."""
    secret = _START + secrets.token_hex(_SECRET_BYTES)
    prefix = secret[len(_START) :][:_PREFIX_LETTERS]
    desk.add_key(prefix, digest(secret), name, program, scope, source, location)
    return secret, prefix


def shown(books: Books) -> list[Key]:
    """All keys, oldest first, revoked ones too."""
    names = {number: name for name, number in books.programs().items()}
    return [
        Key(k.prefix, k.name, names[k.program], k.scope, k.source, k.location, k.created, k.revoked)
        for k in books.all_keys()
    ]


def add(
    desk: Desk,
    prefix: str,
    hashed: bytes,
    name: str,
    program: str,
    scope: str,
    source: str,
    location: str,
) -> int:
    """Record a key; its number. ``ProgramError`` when it could not be explained."""
    with desk.quiet():
        books = desk.books
        books.begin_alone()
        try:
            programs = books.programs()
            _check(programs, name, program, scope, source)
            known = books.all_keys()
            taken = next((each for each in known if each.source == source), None)
            if taken is not None and taken.program != programs[program]:
                raise _wrong("source-taken", f"The source {source!r} belongs to another program.")
            number = known[-1].number + 1 if known else 1
            about = name, programs[program], scope, source, location
            books.add_key(KeyRow(number, prefix, hashed, *about, desk.clock()))
            books.commit()
        except BaseException:
            books.rollback()
            raise
        desk.keyring.forget()
    return number


def _check(programs: dict[str, int], name: str, program: str, scope: str, source: str) -> None:
    if program not in programs:
        hint = suggest(program, list(programs)) if programs else "Publish it first."
        raise _wrong("unknown-program", f"There is no program {program!r} here. {hint}")
    if scope not in SCOPES:
        raise _wrong("unknown-scope", f"No scope is {scope!r}. {suggest(scope, list(SCOPES))}")
    if not 0 < len(name.strip()) <= _NAME_LETTERS_MAX or not name.isprintable():
        raise _wrong("bad-name", "A name says in at most 100 letters who has the key.")
    if source == "desk" or not _SOURCE.fullmatch(source):
        message = (
            "A source is small letters, digits, dots and dashes, and is not 'desk': "
            "for example till-7. It begins the key of each event that comes with it."
        )
        raise _wrong("bad-source", message)


def _wrong(code: str, message: str) -> ProgramError:
    return ProgramError([Fault(code, message)])


def revoke(desk: Desk, prefix: str) -> bool:
    """Take a key away; ``False`` when there is none of that prefix, or it is revoked already."""
    with desk.quiet():
        books = desk.books
        books.begin_alone()
        try:
            found = books.revoke_key(prefix, desk.clock())
            books.commit()
        except BaseException:
            books.rollback()
            raise
        desk.keyring.forget()
    return found


class Keyring:
    """The keys that hold now, by their hash.

    Where nobody else writes, they are read once and again after each change; elsewhere each
    look-up asks the books, because another process may have revoked one.
    """

    def __init__(self, books: Books) -> None:
        self._alone = books.alone
        self._lock = threading.Lock()
        self._known: dict[bytes, KeyRow] | None = None

    def forget(self) -> None:
        """A key was made or revoked."""
        with self._lock:
            self._known = None

    def find(self, secret: str, reader: Books | None = None) -> KeyRow | None:
        """The key that was shown, unless it is unknown or revoked.

        Without a reader ``LookupError`` when the books have to be asked.
        """
        hashed = digest(secret)
        known = self._known
        if known is None:
            if reader is None:
                raise LookupError("the books have to be asked")
            if not self._alone:
                found = reader.key(hashed)
                return found if found is not None and found.revoked is None else None
            with self._lock:
                known = self._known = {k.hash: k for k in reader.all_keys() if k.revoked is None}
        return known.get(hashed)
