"""Answering: what members write about a purchase, and what the merchant replies.

Guarantee: both stand in the books under the key of that member alone, so they open for nobody
once the member is erased, whatever copy of the books comes back. No log, no event, no message
to a webhook has a word of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from kantis.core.calendar import show_instant
from kantis.desk import surveys
from kantis.desk.audit import By
from kantis.desk.vault.vault import Member, Vault
from kantis.store import surveys as rows
from kantis.store.reading import Reading
from kantis.store.surveys import QuestionRow


class Said(Struct, frozen=True):
    """A question with what was written about it in plain words, empty where nothing was."""

    row: QuestionRow
    wrote: str = ""
    reply: str = ""


def tidy(text: str, most: int) -> str:
    """Words as they are kept: a line break is one, nothing invisible, and no more than so many.

    >>> tidy("  Cold\\r\\ncoffee!\\x00 ", 9)
    'Cold\\ncoff'
    """
    plain = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    seen = "".join(each for each in plain if each == "\n" or each.isprintable())
    return seen.strip()[:most].strip()


def _abouts(number: int) -> tuple[str, str]:
    """What the member's words, and the merchant's, are sealed for."""
    return f"answer {number}", f"reply {number}"


def opened(vault: Vault, found: Sequence[QuestionRow]) -> list[Said]:
    """Questions with their words. Who shows them notes the reading first."""
    return [_opened(vault, row) for row in found]


def _opened(vault: Vault, row: QuestionRow) -> Said:
    wrote, reply = _abouts(row.number)
    words = vault.unseal(row.member, {wrote: row.wrote, reply: row.reply})
    return Said(row, words[wrote], words[reply])


def write(vault: Vault, row: QuestionRow, text: str) -> bool:
    """A member adds words to the score; ``False`` where there are none, or it is too late."""
    said = tidy(text, surveys.WROTE_MAX)
    if not said:
        return False
    data = vault.seal(row.member, _abouts(row.number)[0], said)
    return bool(vault.desk.chore("write_answer", row.number, data))


def reply(vault: Vault, row: QuestionRow, text: str, seen: int, by: By) -> bool:
    """The merchant replies; ``False`` where somebody has replied since the one that was
    ``seen`` (0: none). The text is one that ``tidy`` leaves something of."""
    data = vault.seal(row.member, _abouts(row.number)[1], tidy(text, surveys.REPLY_MAX))
    return bool(vault.desk.chore("reply_answer", row.number, data, seen, by.who, by.name))


def kept(books: Reading, vault: Vault, member: Member) -> list[dict[str, Any]]:
    """All that a member was asked, and what was said, to be handed out to them."""
    return [
        {
            "purchase": each.row.event,
            "asked": show_instant(each.row.asked),
            "score": each.row.score,
            "answered": show_instant(each.row.answered) if each.row.answered else None,
            "text": each.wrote,
            "reply": each.reply,
            "replied": show_instant(each.row.replied) if each.row.replied else None,
        }
        for each in opened(vault, rows.of_member(books, member.row.id))
    ]


def move(books: Reading, vault: Vault, other: Member, member: Member) -> None:
    """What one member said belongs to another one from now on, who is the same person."""
    moved = []
    for each in opened(vault, rows.of_member(books, other.row.id)):
        words = zip(_abouts(each.row.number), (each.wrote, each.reply), strict=True)
        sealed = [vault.seal(member.row.id, x, said) if said else None for x, said in words]
        moved.append([each.row.number, member.row.account, member.row.id, *sealed])
    if moved:
        vault.desk.chore("move_answers", moved)
