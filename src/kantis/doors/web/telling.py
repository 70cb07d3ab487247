"""Telling: sentences about points and their reasons, in the language of whoever reads them.

Guarantee: every template that the engine has stands in each catalog, and what is filled in is
said as that language writes it: amounts, money and days by the CLDR, phrases of the program
by the phrasebook, and entries by their titles.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from kantis.core import dated
from kantis.core.knobs import Node
from kantis.core.sentences import Amount, Day, Keyed, Name, No, Phrase, Sentence, Several, Value
from kantis.desk.programs import Home
from kantis.desk.showing import Say
from kantis.doors.web import refusing
from kantis.doors.web.languages import FIRST, LANGUAGES, language
from kantis.doors.web.phrasebook import Speaker
from kantis.doors.web.terms import LABELS, called, titles, units, words


def teller(home: Home, now: int, wanted: Iterable[str]) -> Say:
    """Who says the sentences of a program to a caller, in the first language of those wanted.

    Nobody who wants none of the languages gets another than the plain English of the books.
    """
    if is_english(wanted):
        return str
    tag = _best(wanted)
    tree = tree_of(home, now)
    spoken = language(tag)
    return Teller(Speaker(spoken, units(tree, tag), called(tree, tag)), titles(tree, tag))


def is_english(wanted: Iterable[str]) -> bool:
    """Whether English is the best of the languages that are wanted and there.

    >>> is_english(["sv", "fi", "en"]), is_english(["sv"])
    (False, True)
    """
    return _best(wanted) == FIRST


def _best(wanted: Iterable[str]) -> str:
    return next((each for each in wanted if each in LANGUAGES), FIRST)


def tree_of(home: Home, now: int) -> dict[str, Node]:
    """The file of a program as it stands at an instant."""
    plan = home.program.plan(now)
    version = next(each for each in home.program.versions if each.number == plan.version)
    tree = dated.at(version.tree, plan.calendar.wall(now))
    assert tree is not None
    found: dict[str, Node] = tree.value
    return found


class Teller:
    """Says the sentences of one program in one language.

    ``titles`` has the entries of the program by their names, and by section and name.
    """

    def __init__(self, speaker: Speaker, titles: dict[str, str]) -> None:
        self._speaker, self._language, self._titles = speaker, speaker.language, titles

    def __call__(self, value: Value) -> str:
        """A value in the language; a sentence begins with a capital letter."""
        said = self._say(value)
        return said[:1].upper() + said[1:] if isinstance(value, Sentence) else said

    def _say(self, value: Value) -> str:
        match value:
            case Sentence():
                return self._sentence(value)
            case Amount():
                return self._amount(value)
            case Day():
                return self._language.day(value.day)
            case Phrase():
                return self._phrase(value.text)
            case Name():
                return self._named(value.name, value.of)
            case Keyed():
                return f"{self._key(value.key)}: {self._say(value.value)}"
            case Several():
                return ", ".join(self._say(each) for each in value.values)
            case No():
                return self.refused(value.sentence)
            case int():
                return self._language.number(value)
        return value

    def _sentence(self, said: Sentence) -> str:
        template, places = said.template, said.places
        if template.many:
            text = self._language.ngettext(template.text, template.many, int(places["n"]))
        else:
            text = self._language.gettext(template.text)
        return text.format_map({name: self._say(value) for name, value in places.items()})

    def _amount(self, said: Amount) -> str:
        unit = said.unit
        if unit.money:
            return self._language.money(said.amount, unit)
        if not unit.name:
            return self._language.number(Decimal(said.number))
        return self._speaker.counted(Decimal(said.number), unit.name)

    def _phrase(self, text: str) -> str:
        """A phrase of the program; what is none may be the name of an entry."""
        said = self._speaker.phrase(text)
        return self._titles.get(text, said) if said == words(text) else said

    def _named(self, name: str, of: str = "") -> str:
        """An entry by its title; one that stands for a partner or an option says both."""
        if of:
            return self._titles.get(f"{of} {name}", "") or self._speaker.phrase(name)
        title = self._titles.get(name, "")
        if title and title != words(name):
            return title
        base, _, more = name.rpartition(" ")
        if base and more == "but":
            return self._named(base)
        if base and not title:
            return f"{self._named(base)} ({self._named(more, 'partners')})"
        return self._speaker.phrase(name)

    # ── refusals ──────────────────────────────────────────────────────────────

    def refused(self, sentence: str) -> str:
        """The sentence of a refusal; one of no shape that is known stays as it was recorded."""
        reason, after = refusing.parted(sentence)
        found = refusing.read(reason)
        if found is None:
            return sentence
        shape, places = found
        filled = {name: self._filled(name, text) for name, text in places.items()}
        said = self._language.gettext(shape).format_map(filled)
        return f"{said} {self._language.gettext(after)}" if after else said

    def _filled(self, place: str, text: str) -> str:
        """What stands in a place of a refusal, by what its name says that it is."""
        match place.rstrip("2"):
            case "name":
                name = text[1:-1]  # of an event or a voucher it is no name, and stays
                return self._named(name) if name in self._titles else name
            case "q":
                number, _, unit = text.partition(" ")
                return self._speaker.counted(Decimal(number), unit)
            case "n":
                return self._language.number(int(text))
            case "often":
                return self._often(text)
            case "day":
                return self._speaker.day(text)
            case "why":
                return self._unmet(text)
            case "no":
                return self.refused(text)
        return ", ".join(self._phrase(each) for each in text.split(", "))

    def _often(self, text: str) -> str:
        if text == refusing.ONCE:
            return self._language.gettext(text)
        number, _, unit = text.partition(" ")
        return self._speaker.counted(Decimal(number), unit)

    def _unmet(self, text: str) -> str:
        """Why something is not meant for somebody."""
        before, _, after = refusing.MEANT.partition("{who}")
        if not text.startswith(before):
            return self._language.gettext(text) if text in refusing.UNMETS else self._key(text)
        who = text.removeprefix(before).removesuffix(after)
        parts = (each.partition(" ") for each in who.split(", "))
        said = ", ".join(f"{self._key(key)}: {self._phrase(value)}" for key, _, value in parts)
        return self._language.gettext(refusing.MEANT).format(who=said)

    def _key(self, key: str) -> str:
        """A key inside a value: a word of the language, or a phrase, or a name."""
        said = self._phrase(key)
        return self._language.gettext(LABELS[key]) if said == key and key in LABELS else said
