"""Stopping: what stands in a reminder, and the code of the link in it that ends reminders.

Guarantee: nobody makes the code of somebody else. What it opens ends reminders, and shows and
changes nothing else; so a mail program may press it in somebody's place (RFC 8058).
"""

from __future__ import annotations

import hmac
from typing import Final

from msgspec import Struct

from kantis.desk.programs import Home
from kantis.desk.reminding import End
from kantis.desk.vault.vault import Vault
from kantis.doors.web.languages import choose
from kantis.doors.web.places import place_of
from kantis.doors.web.terms import titles, words

_LETTERS: Final = 32
_PURPOSE: Final = "reminders"
_DIGITS_MAX: Final = 18


class Reminder(Struct, frozen=True):
    """A letter about what ends soon; ``stop`` is the address that ends such letters."""

    subject: str
    text: str
    stop: str


def code_of(vault: Vault, account: int) -> str:
    """The code that ends the reminders of an account."""
    return _codes(vault, account)[-1]


def _codes(vault: Vault, account: int) -> list[str]:
    """Its codes under each master key, so that the link of an old letter goes on to work."""
    found = vault.secrets(_PURPOSE, str(account))
    return [f"{account}-{each.hex()[:_LETTERS]}" for each in found]


def account_of(vault: Vault, code: str) -> int:
    """The account whose reminders a code ends; 0 where it is none."""
    number, _, _ = code.partition("-")
    if not (number.isascii() and number.isdecimal() and len(number) <= _DIGITS_MAX):
        return 0
    account = int(number)
    said = code.encode()
    fits = [hmac.compare_digest(each.encode(), said) for each in _codes(vault, account)]
    return account if any(fits) else 0


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
    program, base = place.title(tongue.tag), address.rstrip("/")
    hello = tongue.gettext("Hello %(name)s,") % {"name": name} if name else tongue.gettext("Hello,")
    stop = f"{base}/stop/{code}"
    asked = tongue.gettext("You asked to be reminded. To stop these letters, press here:")
    text = "\n\n".join(
        (
            hello,
            tongue.gettext("this ends soon; the last day stands beside it:"),
            "\n".join(lines),
            f"{tongue.gettext('Your card:')}\n{base}/me",
            f"{asked}\n{stop}",
            program,
        )
    )
    subject = tongue.gettext("Ends soon: %(program)s") % {"program": program}
    return Reminder(subject, f"{text}\n", stop)
