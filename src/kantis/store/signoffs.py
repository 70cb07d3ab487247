"""Sign-offs: drafts that wait for signatures, and who signed them, in the books.

What was put up is never changed: another byte is another draft. A draft is closed once, and a
signature ends once. Both stay for ever, with the version that came of them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from kantis.store import guards

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

_TABLES: Final = """
CREATE TABLE draft (
    number {int} PRIMARY KEY,
    program {int} NOT NULL,
    kind {text} NOT NULL,
    digest {bytes} NOT NULL CHECK (length(digest) = 32),
    after {int} NOT NULL,
    since {int} NOT NULL,
    source {text} NOT NULL,
    at {int} NOT NULL,
    staff {int} NOT NULL,
    name {text} NOT NULL,
    closed {int},
    version {int} NOT NULL DEFAULT 0 CHECK (version >= 0)
){end};
CREATE UNIQUE INDEX draft_open ON draft (program, digest) WHERE closed IS NULL;

CREATE TABLE signature (
    number {int} PRIMARY KEY,
    draft {int} NOT NULL,
    staff {int} NOT NULL,
    name {text} NOT NULL,
    role {text} NOT NULL,
    at {int} NOT NULL,
    remark {text} NOT NULL,
    ended {int}
){end};
CREATE UNIQUE INDEX signature_open ON signature (draft, staff) WHERE ended IS NULL;
"""
#: What stays as it was written.
_PUT_UP: Final = "number, program, kind, digest, after, since, source, at, staff, name"
_SIGNED: Final = "number, draft, staff, name, role, at, remark"

_INSTEAD: Final = "put up or sign another draft instead"


def sqlite(words: dict[str, str]) -> str:
    """The step in the words of SQLite."""
    guard = partial(guards.sqlite, instead=_INSTEAD)
    made = [
        guard("draft", "kept", "DELETE"),
        guard("draft", "put_up", f"UPDATE OF {_PUT_UP}"),
        guard("draft", "closed", "UPDATE OF closed, version", "WHEN old.closed IS NOT NULL"),
        guard("signature", "kept", "DELETE"),
        guard("signature", "signed", f"UPDATE OF {_SIGNED}"),
        guard("signature", "ended", "UPDATE OF ended", "WHEN old.ended IS NOT NULL"),
    ]
    return _TABLES.format(**words) + "".join(made)


def postgres(words: dict[str, str]) -> str:
    """The step in the words of PostgreSQL."""
    closed, ended = (f"ROW WHEN (old.{each} IS NOT NULL)" for each in ("closed", "ended"))
    made = [
        guards.postgres_kept("draft"),
        guards.postgres("draft", "put_up", f"UPDATE OF {_PUT_UP}"),
        guards.postgres("draft", "closed", "UPDATE OF closed, version", closed),
        guards.postgres_kept("signature"),
        guards.postgres("signature", "signed", f"UPDATE OF {_SIGNED}"),
        guards.postgres("signature", "ended", "UPDATE OF ended", ended),
    ]
    return _TABLES.format(**words) + "".join(made)


class DraftRow(NamedTuple):
    """What was put up for signatures: a version, or how many signatures are demanded.

    ``after`` is what it follows: the newest version, or the demand of that time. ``since`` 0 is
    at once. ``staff`` is whoever put it up, 0 where they did not sign in. ``version`` is the
    version that it became.
    """

    number: int
    program: int
    kind: str
    digest: bytes
    after: int
    since: int
    source: str
    at: int
    staff: int
    name: str
    closed: int | None = None
    version: int = 0


class SignatureRow(NamedTuple):
    """Who signed a draft, as what, when, and with which remark; one that has ``ended`` does not
    count."""

    number: int
    draft: int
    staff: int
    name: str
    role: str
    at: int
    remark: str
    ended: int | None = None


_DRAFT: Final = ", ".join(DraftRow._fields)


def put_up(books: Books, row: DraftRow) -> int:
    """Write a draft down; its number is the next one."""
    number = int(books.one("SELECT coalesce(max(number), 0) FROM draft")) + 1
    books.insert("draft", row._replace(number=number)._asdict())
    return number


def draft(books: Reading, program: int, number: int) -> DraftRow | None:
    """One draft of a program."""
    found = books.rows(
        f"SELECT {_DRAFT} FROM draft WHERE number = ? AND program = ?", (number, program)
    )
    return DraftRow._make(found[0]) if found else None


def open_draft(books: Reading, program: int, digest: bytes) -> DraftRow | None:
    """The draft of exactly that content that waits, if there is one."""
    found = books.rows(
        f"SELECT {_DRAFT} FROM draft WHERE program = ? AND digest = ? AND closed IS NULL",
        (program, digest),
    )
    return DraftRow._make(found[0]) if found else None


def open_drafts(books: Reading, program: int) -> list[DraftRow]:
    """What waits, newest first."""
    found = books.rows(
        f"SELECT {_DRAFT} FROM draft WHERE program = ? AND closed IS NULL ORDER BY number DESC",
        (program,),
    )
    return list(map(DraftRow._make, found))


def published(books: Reading, program: int) -> dict[int, DraftRow]:
    """The drafts that became versions, by the number of the version."""
    found = books.rows(f"SELECT {_DRAFT} FROM draft WHERE program = ? AND version > 0", (program,))
    return {row.version: row for row in map(DraftRow._make, found)}


def close(books: Books, number: int, at: int, version: int = 0) -> None:
    """A draft waits no longer; ``version`` is what it became."""
    books.execute(
        "UPDATE draft SET closed = ?, version = ? WHERE number = ?", (at, version, number)
    )


def sign(books: Books, row: SignatureRow) -> None:
    """Write a signature down; its number is the next one."""
    number = int(books.one("SELECT coalesce(max(number), 0) FROM signature")) + 1
    books.insert("signature", row._replace(number=number)._asdict())


def unsign(books: Books, number: int, at: int) -> None:
    """A signature counts no longer."""
    books.execute("UPDATE signature SET ended = ? WHERE number = ?", (at, number))


def signatures(books: Reading, program: int) -> dict[int, list[SignatureRow]]:
    """The signatures of a program that were not taken back, oldest first, by their draft."""
    found: dict[int, list[SignatureRow]] = {}
    for row in books.rows(
        f"SELECT {', '.join('s.' + each for each in SignatureRow._fields)} FROM signature s "
        "JOIN draft d ON d.number = s.draft "
        "WHERE d.program = ? AND s.ended IS NULL ORDER BY s.number",
        (program,),
    ):
        signed = SignatureRow._make(row)
        found.setdefault(signed.draft, []).append(signed)
    return found
