"""Factors: what staff show beside a password, in the books: an app, codes, passkeys.

The secret of an app stands here sealed; of a recovery code there is the SHA-256, of a passkey
the public key, which is no secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

TABLES: Final = """
CREATE TABLE authenticator (
    staff {int} PRIMARY KEY,
    secret {bytes},
    coming {bytes},
    step {int} NOT NULL,
    made {int} NOT NULL
){end};

CREATE TABLE recovery_code (
    digest {bytes} PRIMARY KEY CHECK (length(digest) = 32),
    staff {int} NOT NULL
){end};
CREATE INDEX recovery_code_staff ON recovery_code (staff);

CREATE TABLE passkey (
    id {bytes} PRIMARY KEY,
    number {int} NOT NULL UNIQUE,
    staff {int} NOT NULL,
    name {text} NOT NULL,
    public {bytes} NOT NULL,
    signed {int} NOT NULL,
    made {int} NOT NULL,
    used {int}
){end};
CREATE INDEX passkey_staff ON passkey (staff);

CREATE TABLE demand (
    role {text} PRIMARY KEY,
    since {int} NOT NULL
){end};
"""


class AppRow(NamedTuple):
    """An app that shows codes. ``coming`` is a secret that is not confirmed yet, ``step`` the
    last time step whose code was used."""

    staff: int
    secret: bytes | None
    coming: bytes | None
    step: int
    made: int


_APP: Final = ", ".join(AppRow._fields)


def app(books: Reading, staff: int) -> AppRow | None:
    """The app of somebody."""
    found = books.rows(f"SELECT {_APP} FROM authenticator WHERE staff = ?", (staff,))
    if not found:
        return None
    row = AppRow._make(found[0])
    secret, coming = (bytes(each) if each else None for each in (row.secret, row.coming))
    return row._replace(secret=secret, coming=coming)


def offer_app(books: Books, staff: int, coming: bytes, at: int) -> None:
    """Record a secret that is not confirmed yet; a confirmed one holds on beside it."""
    done = books.execute("UPDATE authenticator SET coming = ? WHERE staff = ?", (coming, staff))
    if not done:
        books.insert("authenticator", AppRow(staff, None, coming, 0, at)._asdict())


def confirm_app(books: Books, staff: int, step: int, at: int) -> None:
    """The secret that was to come is the one in use."""
    books.execute(
        "UPDATE authenticator SET secret = coming, coming = NULL, step = ?, made = ? "
        "WHERE staff = ?",
        (step, at, staff),
    )


def use_step(books: Books, staff: int, step: int) -> bool:
    """Use the code of a time step up; ``False`` where it, or a later one, was used before."""
    return bool(
        books.execute(
            "UPDATE authenticator SET step = ? WHERE staff = ? AND step < ?", (step, staff, step)
        )
    )


def end_app(books: Books, staff: int) -> bool:
    """There is no app any more; ``False`` where there was none."""
    return bool(
        books.execute("DELETE FROM authenticator WHERE staff = ? AND secret IS NOT NULL", (staff,))
    )


def forget_app(books: Books, staff: int) -> None:
    """There is no app any more, nor one that was offered."""
    books.execute("DELETE FROM authenticator WHERE staff = ?", (staff,))


# ── codes for when the app is lost ───────────────────────────────────────────


def codes(books: Reading, staff: int) -> int:
    """How many recovery codes somebody has left."""
    return int(books.one("SELECT count(*) FROM recovery_code WHERE staff = ?", (staff,)))


def set_codes(books: Books, staff: int, digests: list[bytes]) -> None:
    """Put recovery codes in the place of those that there were."""
    books.execute("DELETE FROM recovery_code WHERE staff = ?", (staff,))
    for each in digests:
        books.insert("recovery_code", {"digest": each, "staff": staff})


def use_code(books: Books, staff: int, digest: bytes) -> bool:
    """Use a recovery code up; ``False`` where there is none (any more)."""
    return bool(
        books.execute("DELETE FROM recovery_code WHERE digest = ? AND staff = ?", (digest, staff))
    )


# ── passkeys ─────────────────────────────────────────────────────────────────


class PasskeyRow(NamedTuple):
    """A passkey: the id that it has for its device, and the key that checks its signatures.

    ``signed`` is how often it has signed, where it counts that.
    """

    id: bytes
    number: int
    staff: int
    name: str
    public: bytes
    signed: int
    made: int
    used: int | None


_PASSKEY: Final = ", ".join(PasskeyRow._fields)


def passkeys(books: Reading, staff: int) -> list[PasskeyRow]:
    """The passkeys of somebody, oldest first."""
    found = books.rows(f"SELECT {_PASSKEY} FROM passkey WHERE staff = ? ORDER BY number", (staff,))
    return [_passkey(each) for each in found]


def passkey(books: Reading, id: bytes) -> PasskeyRow | None:
    """The passkey of that id."""
    found = books.rows(f"SELECT {_PASSKEY} FROM passkey WHERE id = ?", (id,))
    return _passkey(found[0]) if found else None


def _passkey(row: tuple[object, ...]) -> PasskeyRow:
    found = PasskeyRow(*row)  # type: ignore[arg-type]
    return found._replace(id=bytes(found.id), public=bytes(found.public))


def add_passkey(books: Books, row: PasskeyRow) -> None:
    """Record a passkey; its number is the next one that is free."""
    number = int(books.one("SELECT coalesce(max(number), 0) FROM passkey")) + 1
    books.insert("passkey", row._replace(number=number)._asdict())


def use_passkey(books: Books, id: bytes, signed: int, at: int) -> None:
    """A passkey has signed."""
    books.execute("UPDATE passkey SET signed = ?, used = ? WHERE id = ?", (signed, at, id))


def name_passkey(books: Books, staff: int, number: int, name: str) -> bool:
    """A passkey has another name; ``False`` where somebody has none of that number."""
    about = (name, number, staff)
    return bool(books.execute("UPDATE passkey SET name = ? WHERE number = ? AND staff = ?", about))


def end_passkey(books: Books, staff: int, number: int) -> bool:
    """A passkey is good for nothing any more; ``False`` where there is none."""
    return bool(
        books.execute("DELETE FROM passkey WHERE number = ? AND staff = ?", (number, staff))
    )


# ── who needs one ────────────────────────────────────────────────────────────


def demands(books: Reading) -> set[str]:
    """The roles that need a second factor."""
    return {str(role) for (role,) in books.rows("SELECT role FROM demand")}


def set_demands(books: Books, roles: set[str], at: int) -> None:
    """These roles need a second factor, and no other."""
    known = demands(books)
    for role in sorted(known - roles):
        books.execute("DELETE FROM demand WHERE role = ?", (role,))
    for role in sorted(roles - known):
        books.insert("demand", {"role": role, "since": at})


def guarded(books: Reading) -> set[int]:
    """The numbers of all who have a second factor."""
    found = books.rows(
        "SELECT staff FROM authenticator WHERE secret IS NOT NULL UNION SELECT staff FROM passkey"
    )
    return {int(number) for (number,) in found}
