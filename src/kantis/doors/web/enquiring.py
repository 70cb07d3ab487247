"""Enquiring: what stands in a letter that asks about a purchase, or that tells of a reply.

Guarantee: a letter has the name of the program and the day of the purchase, and not what was
bought, nor a word of what was written: it goes where nobody can take it back.
"""

from __future__ import annotations

from typing import Final

from kantis.core.calendar import show_day
from kantis.desk import surveys
from kantis.desk.programs import Home
from kantis.desk.surveys import ASKING
from kantis.desk.vault.vault import Vault
from kantis.doors.web.languages import Language, choose
from kantis.doors.web.languages import marked as _
from kantis.doors.web.places import place_of
from kantis.doors.web.stopping import Reminder, code_of, composed
from kantis.store.reading import Reading
from kantis.store.surveys import QuestionRow

#: What the code in a letter is for.
PURPOSE: Final = "questions"
#: What members are asked where the merchant has no words of their own.
USUAL: Final = _("How satisfied were you with this purchase?")


def worded(books: Reading, row: QuestionRow, language: Language) -> str:
    """The question in a language: in the words of the merchant, or the usual ones."""
    own = surveys.wording(surveys.survey(books, row.program))
    return own.get(language.tag) or language.gettext(USUAL)


def enquiry(
    vault: Vault, books: Reading, home: Home, row: QuestionRow, purpose: str, language: str,
    name: str, address: str,
) -> Reminder:  # fmt: skip
    """A letter about a question, to a member of that first name, from a service at an address."""
    tongue, base = choose(language.partition("-")[0].lower(), ""), address.rstrip("/")
    place = place_of(home, vault.desk.clock())
    day = place.speaker(tongue).day(show_day(home.program.calendar.day(row.bought)))
    if purpose == ASKING:
        subject = tongue.gettext("How was it? %(program)s")
        link = f"{base}/ask/{code_of(vault, row.number, PURPOSE)}"
        body = [
            tongue.gettext("thank you for your purchase of %(day)s.") % {"day": day},
            worded(books, row, tongue),
            tongue.gettext("One press is enough:") + f"\n{link}",
        ]
    else:
        subject = tongue.gettext("A reply to you: %(program)s")
        said = tongue.gettext("you told us how your purchase of %(day)s was. There is a reply:")
        body = [f"{said % {'day': day}}\n{base}/me/questions/{row.number}"]
    asked = tongue.gettext("You agreed to these letters. To stop them, press here:")
    stop = f"{base}/stop/{code_of(vault, row.account)}"
    return composed(tongue, place.title(tongue.tag), name, subject, body, asked, stop)
