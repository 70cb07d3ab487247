"""Passkeys: those of members, in the books.

What finds one is the SHA-256 of the id that it has for its device. That id, the key that checks
its signatures, and the name stand in ``sealed``, under the key of the member, which is not in
the books: so it opens nothing once the member is erased, whatever copy of the books comes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

TABLES: Final = """
CREATE TABLE member_passkey (
    number {counted} PRIMARY KEY,
    hashed {bytes} NOT NULL UNIQUE CHECK (length(hashed) = 32),
    member {text} NOT NULL,
    account {int} NOT NULL,
    sealed {bytes} NOT NULL,
    signed {int} NOT NULL,
    made {int} NOT NULL,
    used {int}
){end};
CREATE INDEX member_passkey_member ON member_passkey (member);
CREATE INDEX member_passkey_account ON member_passkey (account);
"""


class PasskeyRow(NamedTuple):
    """A passkey of a member. ``signed`` is how often it has signed, where it counts that."""

    number: int
    hashed: bytes
    member: str
    account: int
    sealed: bytes
    signed: int
    made: int
    used: int | None


_PASSKEY: Final = ", ".join(PasskeyRow._fields)


def _passkey(row: tuple[object, ...]) -> PasskeyRow:
    found = PasskeyRow(*row)  # type: ignore[arg-type]
    return found._replace(hashed=bytes(found.hashed), sealed=bytes(found.sealed))


def of_member(books: Reading, member: str) -> list[PasskeyRow]:
    """The passkeys of a member, oldest first."""
    found = books.rows(
        f"SELECT {_PASSKEY} FROM member_passkey WHERE member = ? ORDER BY number", (member,)
    )
    return list(map(_passkey, found))


def find(books: Reading, hashed: bytes) -> PasskeyRow | None:
    """The passkey of the device's id with that hash."""
    found = books.rows(f"SELECT {_PASSKEY} FROM member_passkey WHERE hashed = ?", (hashed,))
    return _passkey(found[0]) if found else None


def add(books: Books, row: PasskeyRow) -> int:
    """Record a passkey, whatever number stands in the row; its number."""
    return books.insert_counted("member_passkey", row._asdict())


def use(books: Books, number: int, signed: int, at: int) -> bool:
    """A passkey has signed; ``False`` where it is not there any more."""
    about = (signed, at, number)
    return bool(
        books.execute("UPDATE member_passkey SET signed = ?, used = ? WHERE number = ?", about)
    )


def seal_anew(books: Books, member: str, number: int, sealed: bytes) -> bool:
    """A passkey has another name; ``False`` where the member has none of that number."""
    about = (sealed, number, member)
    return bool(
        books.execute("UPDATE member_passkey SET sealed = ? WHERE number = ? AND member = ?", about)
    )


def end(books: Books, member: str, number: int) -> bool:
    """A passkey is good for nothing any more; ``False`` where the member has none of that
    number."""
    return bool(
        books.execute(
            "DELETE FROM member_passkey WHERE number = ? AND member = ?", (number, member)
        )
    )


def end_all(books: Books, account: int) -> int:
    """No passkey signs in to an account any more; how many did."""
    return books.execute("DELETE FROM member_passkey WHERE account = ?", (account,))


def move(books: Books, member: str, account: int) -> None:
    """A member has another account."""
    books.execute("UPDATE member_passkey SET account = ? WHERE member = ?", (account, member))


def forget(books: Books, member: str) -> None:
    """A member has no passkeys any more."""
    books.execute("DELETE FROM member_passkey WHERE member = ?", (member,))
