"""Consents: what members are asked, one by one, with the wording that each of them sees.

What is kept is the wording in the language that was shown, so that it can be read again as it
was. Whoever changes a wording here gives it another version.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from kantis.desk.vault.person import Consent, Person
from kantis.doors.web.languages import Language
from kantis.doors.web.languages import marked as _

#: Where a consent was given.
SOURCE: Final = "pages"
TERMS: Final = "terms"
GREETING: Final = "greeting at the till"


class Asked(Struct, frozen=True):
    """Something to agree to: the name of its field, its purpose in the books, and the texts."""

    field: str
    purpose: str
    version: str
    title: str
    wording: str


ASKED: Final = (
    Asked(
        "news", "news by e-mail", "2026-1", _("News by e-mail"),
        _("Write to me by e-mail about offers and news. I can take this back at any time."),
    ),
    Asked(
        "habits", "offers from purchases", "2026-1", _("Offers that suit me"),
        _("Choose offers for me by what I have bought. I can take this back at any time."),
    ),
    Asked(
        "greeting", GREETING, "2026-1", _("A greeting at the till"),
        _("Show my first name, and what you have noted for me, to whoever serves me, and think "
          "of my birthday and of the day I joined. I can take this back at any time."),
    ),
)  # fmt: skip
#: What a member may be reminded of before it ends, each kind by itself.
REMINDERS: Final = (
    Asked(
        "points", "reminders of points", "2026-1", _("Reminders of points"),
        _("Write to me by e-mail before points end. I can take this back at any time."),
    ),
    Asked(
        "voucher", "reminders of vouchers", "2026-1", _("Reminders of vouchers"),
        _("Write to me by e-mail before a voucher ends. I can take this back at any time."),
    ),
    Asked(
        "level", "reminders of levels", "2026-1", _("Reminders of levels"),
        _("Write to me by e-mail before my level ends. I can take this back at any time."),
    ),
    Asked(
        "offer", "reminders of offers", "2026-1", _("Reminders of offers"),
        _("Write to me by e-mail before an offer ends. I can take this back at any time."),
    ),
)  # fmt: skip
#: A letter after a purchase; its field is the kind of wish in the books.
QUESTIONS: Final = Asked(
    "question", "questions by e-mail", "2026-1", _("Questions after a purchase"),
    _("Ask me by e-mail how a purchase was, and tell me when the shop has replied. I can take "
      "this back at any time."),
)  # fmt: skip


def given(asked: Asked, language: Language, now: int, *, granted: bool) -> Consent:
    """A consent as it is kept, with the wording that was shown."""
    wording = language.gettext(asked.wording)
    version = f"{asked.version} {language.tag}"
    return Consent(asked.purpose, granted, now, version, wording, SOURCE)


def holds(person: Person, purpose: str) -> bool:
    """Whether somebody agrees now: what was said last of a purpose holds."""
    last = next((each for each in reversed(person.consents) if each.purpose == purpose), None)
    return last is not None and last.granted
