"""Keys: who calls, and what they may do.

Guarantee: a key is shown once, when it is made; the books hold its SHA-256. It speaks for
one source of one program with one scope, and a source, of keys or of shops, belongs to one
program for ever, so that no key can take the event ids of another program's callers. A key
that was revoked does nothing from the next request on, and is never given back.
"""

from __future__ import annotations

import re
import secrets
import threading
from typing import TYPE_CHECKING, Final

from msgspec import Struct, structs

from kantis.core.knobs import Fault, ProgramError, suggest
from kantis.desk.audit import DESK, By, alone, record
from kantis.desk.codes import digest
from kantis.store.books import Books
from kantis.store.reading import Reading
from kantis.store.rows import KeyRow
from kantis.store.shops import shops
from kantis.store.uses import uses

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
    "owner": "makes keys and publishes programs, and sends no event",
}
#: A key of this scope can be for the whole installation; the others have a program.
OWNER: Final = "owner"

_START: Final = "kantis_"
_SECRET_BYTES: Final = 32
_PREFIX_LETTERS: Final = 8
_SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_NAME_LETTERS_MAX: Final = 100
_LIMIT_MAX: Final = 1 << 53


class Limits(Struct, frozen=True, array_like=True):
    """What a key may do at most; 0 is no limit.

    ``per_minute`` counts requests. ``largest`` is how much of a balance, in its smallest unit,
    one event may spend, bring or adjust. ``goodwill`` is how much a till may give alone per
    day and balance; without it, each of its adjustments waits for somebody else.
    """

    per_minute: int = 0
    largest: int = 0
    goodwill: int = 0


#: The limits of a key that has none.
UNLIMITED: Final = Limits()


class Key(Struct, frozen=True):
    """A key as it may be shown: without its secret. Without a program it is for all of them.

    ``used`` is when it was used last, to about a minute, and ``used_from`` the network from which.
    """

    prefix: str
    name: str
    program: str
    scope: str
    source: str
    location: str
    created: int
    revoked: int | None
    limits: Limits
    used: int | None = None
    used_from: str = ""


def make(
    desk: Desk | RemoteDesk,
    name: str,
    program: str,
    scope: str,
    source: str,
    location: str = "",
    limits: Limits = UNLIMITED,
    by: By = DESK,
) -> tuple[str, str]:
    """A new key and its prefix; the key is nowhere else. ``ProgramError`` says what is wrong."""
    secret, prefix = fresh()
    desk.add_key(
        prefix, digest(secret), name, program, scope, source, location, structs.astuple(limits),
        structs.astuple(by),
    )  # fmt: skip
    return secret, prefix


def fresh() -> tuple[str, str]:
    """The secret of a new key, and its prefix."""
    secret = _START + secrets.token_hex(_SECRET_BYTES)
    return secret, secret[len(_START) :][:_PREFIX_LETTERS]


def shown(books: Reading, program: int = 0) -> list[Key]:
    """All keys, or those of a program, oldest first, revoked ones too."""
    names = {number: name for name, number in books.programs().items()} | {0: ""}
    used = uses(books)
    return [
        Key(
            k.prefix, k.name, names[k.program], k.scope, k.source, k.location, k.created,
            k.revoked, Limits(k.per_minute, k.largest, k.goodwill),
            *used.get(k.prefix, (None, "")),
        )
        for k in books.all_keys()
        if program in (0, k.program)
    ]  # fmt: skip


def add(
    desk: Desk,
    prefix: str,
    hashed: bytes,
    name: str,
    program: str,
    scope: str,
    source: str,
    location: str,
    limits: tuple[int, ...],
    by: tuple[str, ...],
) -> int:
    """Record a key; its number. ``ProgramError`` when it could not be explained."""
    with alone(desk) as books:
        about = name, program, scope, source, location
        number = insert(books, desk.clock(), prefix, hashed, about, Limits(*limits), By(*by))
    desk.keyring.forget()
    return number


def insert(
    books: Books,
    at: int,
    prefix: str,
    hashed: bytes,
    about: tuple[str, str, str, str, str],
    limits: Limits,
    by: By,
) -> int:
    """Record a key in the transaction at hand; its number."""
    name, program, scope, source, location = about
    programs = books.programs()
    _check(programs, name, program, scope, source)
    _check_limits(limits)
    owned = programs[program] if program else 0
    known = books.all_keys()
    takers = [(each.source, each.program) for each in known]
    takers += [(each.source, each.program) for each in shops(books)]
    if any(each == source and whose != owned for each, whose in takers):
        raise _wrong("source-taken", f"The source {source!r} belongs to another program.")
    number = known[-1].number + 1 if known else 1
    given = scope, source, location, at, None
    books.add_key(
        KeyRow(
            number, prefix, hashed, name, owned, *given, limits.per_minute, limits.largest,
            limits.goodwill,
        )
    )  # fmt: skip
    said = {"name": name, "scope": scope, "source": source, "location": location}
    kept = {each: value for each, value in structs.asdict(limits).items() if value}
    record(books, at, by, owned, "key", prefix, **said, **kept)
    return number


def _check(programs: dict[str, int], name: str, program: str, scope: str, source: str) -> None:
    if program not in programs and (program or scope != OWNER):
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


def _check_limits(limits: Limits) -> None:
    if not all(0 <= each <= _LIMIT_MAX for each in structs.astuple(limits)):
        raise _wrong("bad-limit", "A limit is a whole number from 1 on, or 0 for none.")


def revoke(desk: Desk, prefix: str, by: tuple[str, ...], program: int) -> bool:
    """Take a key away; ``False`` when there is none of that prefix, or it is revoked already.

    With a program only a key of that one is taken.
    """
    at = desk.clock()
    with alone(desk) as books:
        row = next((each for each in books.all_keys() if each.prefix == prefix), None)
        found = row is not None and program in (0, row.program) and books.revoke_key(prefix, at)
        if found:
            assert row is not None
            record(books, at, By(*by), row.program, "revoke", prefix, name=row.name)
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
