"""Audit: who did what by hand, and by which key.

Guarantee: a deed and its line are committed together, so there is none without the other; a
line is never changed and never taken away. Events are not in it: the books have them, each
with the source of its key.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from kantis.store import hands
from kantis.store.books import Books
from kantis.store.rows import AuditRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

#: The deeds that are recorded, and what each means.
DEEDS: Final = {
    "publish": "a version of a program was published",
    "cancel": "a version was cancelled before it began",
    "draft": "a draft was put up for signatures",
    "sign": "somebody signed a draft",
    "unsign": "somebody took a signature back",
    "drop": "a draft was taken back",
    "sign-offs": "it was settled how many signatures a version needs",
    "key": "a key was made",
    "revoke": "a key was revoked",
    "propose": "an adjustment waits for a second person",
    "adjust": "an adjustment was made alone, within the limits of the key",
    "approve": "a second person approved an adjustment",
    "decline": "a second person declined an adjustment",
    "export": "somebody took books out",
    "import": "a file was taken into the books",
    "invite": "somebody was invited to sign in",
    "accept": "somebody chose a password by an invitation",
    "leave": "somebody may not sign in any more",
    "password": "somebody got a new password",
    "rescue": "somebody who had lost everything was let in again",
    "app": "somebody set up an app that shows codes",
    "no app": "an app shows no codes for somebody any more",
    "passkey": "somebody made a passkey",
    "no passkey": "a passkey signs somebody in no more",
    "demand": "it was settled which roles need a second factor",
    "reset": "the second factor of somebody was taken away",
    "recovery codes": "somebody got new recovery codes",
    "recover": "somebody used a recovery code",
    "pair": "a code was made that pairs a till",
    "pin": "somebody got a new PIN for tills",
    "cards": "a batch of cards was made, taken out as a file, or blocked",
    "design": "the design of the card was changed",
    "allow": "somebody changed what tills may give away by themselves",
    "goodwill": "a cashier gave points within the budget",
    "setting": "an owner settled something about the work with a program",
    "budget": "a budget was set, or ended",
    "merge": "an account was merged into another one",
    "segment": "a segment got its rules, or was ended",
    "freeze": "spending was frozen, of a program or of one account",
    "unfreeze": "a freeze of spending was ended",
    "survey": "it was settled how members are asked after a purchase",
    "reply": "a member's answer got a reply",
    "look": "somebody looked at what was marked",
    "again": "an event that was set aside was tried again",
    "sign in": "a link was made by which a member signs in",
}


class By(Struct, frozen=True, array_like=True):
    """Who does something: the prefix of a key, or a word for another way in; and a name."""

    who: str
    name: str = ""


#: A program that uses the desk without saying for whom.
DESK: Final = By("desk")


def shell() -> By:
    """Whoever types a command on the machine of the books."""
    try:
        return By("command line", getpass.getuser())
    except (KeyError, OSError):  # a machine that has no name for its user
        return By("command line")


@contextmanager
def alone(desk: Desk) -> Iterator[Books]:
    """A change of what all batches read, committed at the end; no batch runs meanwhile."""
    with desk.quiet():
        books = desk.books
        books.begin_alone()
        try:
            yield books
            books.commit()
        except BaseException:
            books.rollback()
            raise


def record(books: Books, at: int, by: By, program: int, deed: str, about: str, **said: Any) -> None:
    """Write a line about a deed into the transaction that does it."""
    assert deed in DEEDS, deed
    details = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    hands.add_audit(books, AuditRow(0, at, by.who, by.name, program, deed, about, details))


def note(desk: Desk, by: By, program: int, deed: str, about: str, **said: Any) -> None:
    """Write a line about a deed that changes nothing else."""
    with alone(desk) as books:
        record(books, desk.clock(), by, program, deed, about, **said)
