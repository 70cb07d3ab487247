"""Person: the personal data of a member, and the forms in which they are looked up.

>>> email_form(" Anna.Mäki@Example.ORG ")
'anna.mäki@example.org'
>>> phone_form("+358 (0)40 123-4567")
'+358401234567'
>>> starts("Nguyễn Thị An")
['an', 'ngu', 'nguy', 'nguye', 'nguyen', 'thi']
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final

from msgspec import Struct, structs

#: The starts of a name that are indexed: so many letters of each word. What is longer is
#: looked up by its first ones; a word that is shorter is indexed as a whole.
START_MIN: Final = 3
START_MAX: Final = 8
WORDS_MAX: Final = 8

_EMAIL: Final = re.compile(r"[^\s@]{1,64}@[^\s@]+\.[^\s@.]+")
_EMAIL_MAX: Final = 254
_FIRST_BIRTHDAY: Final = date(1900, 1, 1)
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_WORD: Final = re.compile(r"[^\W_]+")
#: Letters that are not a letter with an accent, and are typed as one without.
_PLAIN: Final = str.maketrans({"đ": "d", "ø": "o", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe"})


class Wrong(Exception):
    """A value of a person that cannot be: the field, and what to do."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.field = name


class Address(Struct, frozen=True, array_like=True):
    """A postal address."""

    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""


class Consent(Struct, frozen=True, array_like=True):
    """What a person agreed to, or took back: for what, when, and what they were shown.

    ``version`` and ``wording`` are of the text that was shown, ``source`` is where.
    """

    purpose: str
    granted: bool
    at: int
    version: str = ""
    wording: str = ""
    source: str = ""


class Person(Struct, frozen=True, array_like=True):
    """Everything personal that is kept of a member. ``said`` is a hash of the request that
    enrolled them, so that the same one is known when it comes again; ``unconfirmed`` is an
    e-mail address that they gave and have not shown to be theirs, ``former_email`` the one that
    they had before the last change, which is told of it."""

    given_name: str = ""
    family_name: str = ""
    email: str = ""
    phone: str = ""
    birthday: str = ""
    language: str = ""
    address: Address = Address()
    notes: str = ""
    consents: tuple[Consent, ...] = ()
    said: bytes = b""
    unconfirmed: str = ""
    former_email: str = ""

    @property
    def name(self) -> str:
        """The whole name, as a list of members shows it."""
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def short_name(self) -> str:
        """The given name, and the first letter of the family name: what a till may know."""
        initial = f" {self.family_name[0]}." if self.family_name else ""
        return f"{self.given_name}{initial}".strip()


#: What of a person is told, and named in the list of who read what.
TOLD: Final = tuple(name for name in Person.__struct_fields__ if name != "said")


def checked(person: Person, today: date) -> Person:
    """The person with each value in its own form; ``Wrong`` where one cannot be."""
    return structs.replace(
        person,
        given_name=_line("given_name", person.given_name),
        family_name=_line("family_name", person.family_name),
        email=_email(person.email),
        unconfirmed=_email(person.unconfirmed),
        former_email=_email(person.former_email),
        phone=phone_form(person.phone) if person.phone else "",
        birthday=_birthday(person.birthday, today),
        language=_language(person.language),
    )


def _line(name: str, text: str) -> str:
    found = " ".join(unicodedata.normalize("NFC", text).split())
    if not found.isprintable():
        raise Wrong(name, "A name is one line of text.")
    return found


def _email(text: str) -> str:
    found = unicodedata.normalize("NFC", text.strip())
    if found and (len(found) > _EMAIL_MAX or not _EMAIL.fullmatch(found)):
        raise Wrong("email", "This is no e-mail address. Write it as in anna@example.org.")
    return found


def email_form(text: str) -> str:
    """The form in which two spellings of one e-mail address are equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).casefold())


def phone_form(text: str) -> str:
    """A telephone number in E.164; ``Wrong`` where its country is not said."""
    found = re.sub(r"\(0\)|[\s().\-/\u00a0]", "", text)
    if found.startswith("00"):
        found = f"+{found[2:]}"
    if not found.isascii() or not _PHONE.fullmatch(found):
        raise Wrong("phone", "Write the number with its country, as in +358 40 123 4567.")
    return found


def _birthday(text: str, today: date) -> str:
    """A date of birth, or its month and day alone."""
    try:
        if re.fullmatch(r"[0-9]{2}-[0-9]{2}", text):
            date.fromisoformat(f"2000-{text}")
        elif text and not _FIRST_BIRTHDAY <= date.fromisoformat(text) <= today:
            raise ValueError(text)
    except ValueError as error:
        message = "A birthday is written 1990-05-17, or 05-17 without the year."
        raise Wrong("birthday", message) from error
    return text


def _language(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", text):
        raise Wrong("language", "A language is written as in fi, or pt-BR.")
    return text


# ── names ────────────────────────────────────────────────────────────────────


def plain(text: str) -> str:
    """Text without case and accents, as people type it on any keyboard.

    >>> plain("Mäkinen"), plain("Õunapuu"), plain("Đặng")
    ('makinen', 'ounapuu', 'dang')
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    return bare.translate(_PLAIN)


def words(text: str) -> list[str]:
    """The words of a name, plain."""
    return _WORD.findall(plain(text))[:WORDS_MAX]


def starts(text: str) -> list[str]:
    """All starts of a name that are indexed, in order."""
    found = set()
    for word in words(text):
        found.add(word[:START_MAX])
        found |= {word[:letters] for letters in range(START_MIN, min(len(word), START_MAX))}
    return sorted(found)


def asked(text: str) -> list[str]:
    """The starts that a search for a name looks up; ``Wrong`` where there is none.

    A word of less than three letters finds words that are no longer.
    """
    found = [word[:START_MAX] for word in words(text)]
    if not found:
        raise Wrong("name", "Write at least one word of the name.")
    return found


def fits(name: str, text: str) -> bool:
    """Whether a name has a word that begins like each word of the text.

    >>> fits("Nguyễn Văn An", "an nguy"), fits("Anna Berg", "an"), fits("Anna Berg", "ann be")
    (True, False, False)
    """
    there = words(name)
    return all(
        any(each.startswith(word) if len(word) >= START_MIN else each == word for each in there)
        for word in words(text)
    )


def accented(text: str) -> str:
    """Text without case, with its accents."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
