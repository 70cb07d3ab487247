"""Mailing: letters that are to be sent to members, without a word of what stands in them.

A row says who is written to and what for. The address, the text and the link are made when the
letter is sent; nothing of them is ever in the books.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

TABLES: Final = """
CREATE TABLE mail (
    number {counted} PRIMARY KEY,
    program {int} NOT NULL,
    purpose {text} NOT NULL,
    tags {bytes} NOT NULL,
    account {int} NOT NULL,
    language {text} NOT NULL,
    made {int} NOT NULL,
    kept {bit} NOT NULL CHECK (kept IN (0, 1))
){end};
"""


class MailRow(NamedTuple):
    """A letter that is not sent yet.

    ``tags`` are the keyed hashes of an address that somebody typed, whoever has it, if anybody;
    or ``account`` is the member's. ``kept``: nothing sends it; an owner finds it in the mailbox.
    """

    number: int
    program: int
    purpose: str
    tags: bytes
    account: int
    language: str
    made: int
    kept: int


_MAIL: Final = ", ".join(MailRow._fields)


def add(books: Books, row: MailRow) -> int:
    """Record a letter, whatever number stands in the row; its number."""
    return books.insert_counted("mail", row._asdict())


def mail(books: Reading, number: int) -> MailRow | None:
    """A letter that is not sent yet."""
    found = books.rows(f"SELECT {_MAIL} FROM mail WHERE number = ?", (number,))
    return MailRow._make(found[0]) if found else None


def kept(books: Reading, program: int, most: int) -> list[MailRow]:
    """The letters of a program that nothing sends, the newest first."""
    found = books.rows(
        f"SELECT {_MAIL} FROM mail WHERE program = ? AND kept = 1 ORDER BY number DESC LIMIT ?",
        (program, most),
    )
    return list(map(MailRow._make, found))


def keep(books: Books, number: int, account: int) -> None:
    """Nothing sends a letter: it stays, without the hashes."""
    books.execute(
        "UPDATE mail SET kept = 1, account = ?, tags = ? WHERE number = ?", (account, b"", number)
    )


def drop(books: Books, number: int) -> bool:
    """A letter is sent, or nobody is to get it."""
    return bool(books.execute("DELETE FROM mail WHERE number = ?", (number,)))


def forget(books: Books, before: int) -> int:
    """Letters from before an instant are of no use any more."""
    return books.execute("DELETE FROM mail WHERE made < ?", (before,))
