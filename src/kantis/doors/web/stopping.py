"""Stopping: what stands in a reminder, and the code of the link in it that ends reminders.

Guarantee: nobody makes the code of somebody else. What it opens ends reminders, and shows and
changes nothing else; so a mail program may press it in somebody's place (RFC 8058).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from kantis.desk.programs import Home
from kantis.desk.reminding import End
from kantis.desk.vault.vault import Vault
from kantis.doors.web.languages import Language, choose
from kantis.doors.web.places import place_of
from kantis.doors.web.terms import titles, words

#: What a code is for: it ends reminders.
REMINDERS: Final = "reminders"
_LETTERS: Final = 32
_DIGITS_MAX: Final = 18


class Reminder(Struct, frozen=True):
    """A letter about what ends soon; ``stop`` is the address that ends such letters."""

    subject: str
    text: str
    stop: str


def code_of(vault: Vault, number: int, purpose: str = REMINDERS) -> str:
    """The code that ends the reminders of an account, or of another purpose and number."""
    return _codes(vault, number, purpose)[-1]


def _codes(vault: Vault, number: int, purpose: str) -> list[str]:
    """Its codes under each master key, so that the link of an old letter goes on to work."""
    found = vault.secrets(purpose, str(number))
    return [f"{number}-{each.hex()[:_LETTERS]}" for each in found]


def number_of(vault: Vault, code: str, purpose: str = REMINDERS) -> int:
    """The account whose reminders a code ends, or the number that it is of for another purpose;
    0 where it is none."""
    said, _, _ = code.partition("-")
    if not (said.isascii() and said.isdecimal() and len(said) <= _DIGITS_MAX):
        return 0
    known = _codes(vault, int(said), purpose)
    fits = [hmac.compare_digest(each.encode(), code.encode()) for each in known]
    return int(said) if any(fits) else 0


def written(
    home: Home, ends: list[End], now: int, language: str, name: str, address: str, code: str
) -> Reminder:
    """The letter about what ends, to a member of that first name, from a service at an address."""
    tongue = choose(language.partition("-")[0].lower(), "")
    place = place_of(home, now)
    say, known = place.speaker(tongue), titles(place.tree, tongue.tag)
    lines = []
    for each in ends:
        what = known.get(each.name, words(each.name))
        if each.row.kind == "points":
            number = home.program.units[each.name].number(each.data["amount"])
            what = say.amount(number, each.name)
        lines.append(f"- {what[:1].upper() + what[1:]}: {say.day(each.row.last)}")
    base = address.rstrip("/")
    body = (
        tongue.gettext("this ends soon; the last day stands beside it:"),
        "\n".join(lines),
        tongue.gettext("Your card:") + f"\n{base}/me",
    )
    asked = tongue.gettext("You asked to be reminded. To stop these letters, press here:")
    subject = tongue.gettext("Ends soon: %(program)s")
    stop, program = f"{base}/stop/{code}", place.title(tongue.tag)
    return composed(tongue, program, name, subject, body, asked, stop)


def composed(
    tongue: Language, program: str, name: str, subject: str, body: Sequence[str], asked: str,
    stop: str,
) -> Reminder:  # fmt: skip
    """A letter that ends with how such letters are stopped; ``subject`` has a place for the
    program."""
    hello = tongue.gettext("Hello %(name)s,") % {"name": name} if name else tongue.gettext("Hello,")
    text = "\n\n".join((hello, *body, f"{asked}\n{stop}", program))
    return Reminder(subject % {"program": program}, f"{text}\n", stop)
