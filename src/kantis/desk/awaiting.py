"""Awaiting: letters to those whose signature a draft waits for.

Guarantee: whoever may sign a draft and signs in with an e-mail address is written to once, in
the language in which they signed in last; nobody is who cannot sign it any more when the letter
leaves. The letter has no word of the draft: what it changes is seen by who signs in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from kantis.desk.audit import alone
from kantis.desk.chores import named
from kantis.desk.staff import Staff
from kantis.store import tongues
from kantis.store.books import Books
from kantis.store.mailing import MailRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

#: What such a letter is for; the draft and who is asked stand behind the word.
ASKING: Final = "signature"


class Asked(Struct, frozen=True):
    """A draft and who is asked to sign it, by their numbers."""

    draft: int
    staff: int


def ask(books: Books, now: int, program: int, draft: int, people: Iterable[Staff]) -> None:
    """Ask for a letter to each of those who can sign a draft; for the transaction that puts it
    up. Whoever signs in with a short name has no address, and reads it on their first page."""
    for each in people:
        if "@" in each.login:
            spoken = tongues.language(books, each.number)
            about = program, f"{ASKING} {draft} {each.number}", spoken
            named("ask_mail_to_staff")(books, now, *about)


def asked(row: MailRow) -> Asked | None:
    """What a letter asks for; ``None`` where it is another one.

    >>> asked(MailRow(1, 1, "signature 7 3", b"", 0, "fi", 0, 0))
    Asked(draft=7, staff=3)
    """
    word, _, about = row.purpose.partition(" ")
    return Asked(*map(int, about.split())) if word == ASKING else None


def speak(desk: Desk, staff: int, language: str) -> None:
    """Remember in which language somebody has signed in."""
    if tongues.language(desk.books, staff) != language:
        with alone(desk) as books:
            tongues.speak(books, staff, language)
