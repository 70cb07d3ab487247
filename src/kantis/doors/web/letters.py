"""Letters: what stands in the mails to members, in the language of each."""

from __future__ import annotations

import json
from typing import Final

from kantis.desk.mailing import (
    ALREADY,
    CHANGE,
    CHANGED,
    NO_PASSKEY,
    PASSKEY,
    PHONE,
    WARNINGS,
    Letter,
)
from kantis.desk.sessions import CONFIRM, PROVE, SIGN_IN, UNLOCK
from kantis.doors.web.languages import Language, choose, said
from kantis.doors.web.languages import marked as _
from kantis.store.reading import Reading

#: What a letter says, by what it is for: its subject, and its lines around the link.
_TEXTS: Final = {
    SIGN_IN: (
        _("Your card: %(program)s"),
        _("by this link you sign in. It opens once, within a quarter of an hour:"),
        _("If you did not ask for it, you need not do anything."),
    ),
    CONFIRM: (
        _("Welcome: %(program)s"),
        _("your card is ready. By this link you confirm your e-mail address. It opens once, "
          "within a quarter of an hour:"),
        _("If you did not join, you need not do anything."),
    ),
    ALREADY: (
        _("Your card: %(program)s"),
        _("somebody has just joined with your e-mail address. You have a card already; by this "
          "link you sign in to it. It opens once, within a quarter of an hour:"),
        _("If this was not you, you need not do anything: nobody else gets at your card."),
    ),
    CHANGE: (
        _("Your new e-mail address: %(program)s"),
        _("by this link you confirm your new e-mail address. Until then the one that you have "
          "stays. It opens once, within a quarter of an hour:"),
        _("If you did not ask for it, you need not do anything: nothing changes."),
    ),
    CHANGED: (
        _("Your e-mail address is to change: %(program)s"),
        _("somebody who is signed in to your card has asked for another e-mail address. If it "
          "was you, you need not do anything. If it was not you, open this link and press once: "
          "then nothing is spent from your card, and everybody is signed out. It opens for seven "
          "days:"),
        _("If the link does not open any more, please ask in the shop."),
    ),
    PHONE: (
        _("Your phone number has changed: %(program)s"),
        _("another phone number was written down for your card. If it was you, you need not do "
          "anything. If it was not you, open this link and press once: then nothing is spent from "
          "your card, and everybody is signed out. It opens for seven days:"),
        _("If the link does not open any more, please ask in the shop."),
    ),
    PASSKEY: (
        _("A new passkey: %(program)s"),
        _("a passkey was made for your card: from now on a device signs in to it by finger, face "
          "or PIN. If it was you, you need not do anything. If it was not you, open this link and "
          "press once: then nothing is spent from your card, everybody is signed out, and no "
          "passkey signs in to it any more. It opens for seven days:"),
        _("If the link does not open any more, please ask in the shop."),
    ),
    NO_PASSKEY: (
        _("A passkey was removed: %(program)s"),
        _("a passkey of your card was removed: it signs nobody in any more. If it was you, you "
          "need not do anything. If it was not you, open this link and press once: then nothing "
          "is spent from your card, everybody is signed out, and no passkey signs in to it any "
          "more. It opens for seven days:"),
        _("If the link does not open any more, please ask in the shop."),
    ),
    PROVE: (
        _("A code for your purchase: %(program)s"),
        _("a shop asks whether it is you who spends points. If it is you, type this code there. "
          "It is good once, for a quarter of an hour:"),
        _("If you are not buying anything now, give the code to nobody: somebody else is at your "
          "card. Please tell the shop."),
    ),
    UNLOCK: (
        _("Open your card again: %(program)s"),
        _("by this link your card is yours again: this e-mail address counts, everybody else is "
          "signed out, and points can be spent. It opens once, within a quarter of an hour:"),
        _("If you did not ask for it, you need not do anything: your card stays locked."),
    ),
}  # fmt: skip


def written(letter: Letter, names: dict[str, str], address: str) -> tuple[str, str]:
    """The subject and the text of a letter from a service at an address."""
    tongue = choose(letter.language.partition("-")[0].lower(), "")
    subject, before, after = (tongue.gettext(each) for each in _TEXTS[letter.purpose])
    program = said(names, tongue.tag, "Kantis")
    page = "lock" if letter.purpose in WARNINGS else "open"
    link = f"{address.rstrip('/')}/{page}/{letter.token}"
    if letter.purpose == PROVE:
        link = letter.token
    text = f"{_hello(tongue, letter.name)}\n\n{before}\n\n{link}\n\n{after}\n\n{program}\n"
    return subject % {"program": program}, text


def asking(
    author: str, name: str, language: str, names: dict[str, str], address: str
) -> tuple[str, str]:
    """The subject and the text of a letter to somebody whose signature a draft waits for."""
    tongue = choose(language, "")
    program = said(names, tongue.tag, "Kantis")
    subject = tongue.gettext("Your signature is asked for: %(program)s") % {"program": program}
    body = (
        _hello(tongue, name),
        tongue.gettext(
            "a draft waits for signatures, and yours is one that can be given. Put up by:"
        )
        + f" {author}",
        tongue.gettext("Look at what it changes, and sign it or talk to whoever wrote it:"),
        address,
        program,
    )
    return subject, "\n\n".join(body) + "\n"


def _hello(tongue: Language, name: str) -> str:
    if not name:
        return tongue.gettext("Hello,")
    return tongue.gettext("Hello %(name)s,") % {"name": name}


def titles(books: Reading, program: int) -> dict[str, str]:
    """How a program is called, by language."""
    found = json.loads(books.versions(program)[-1].tree).get("title", {})
    named = next((name for name, n in books.programs().items() if n == program), "")
    return found if isinstance(found, dict) else {"en": str(found or named)}
