"""Places: a program as pages show it: its name, its terms, and how its amounts are said."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from kantis.core.knobs import Node
from kantis.core.sentences import Name
from kantis.desk.programs import Home
from kantis.doors.web.languages import Language, said
from kantis.doors.web.phrasebook import Speaker
from kantis.doors.web.telling import Teller, tree_of
from kantis.doors.web.terms import Chapter, called, chapters, titles, units


class Place(Struct, frozen=True):
    """A program as it stands; ``others`` are the programs that somebody may look at beside it.
    ``frozen``: an owner lets nothing be spent now."""

    number: int
    name: str
    titles: dict[str, str]
    tree: dict[str, Node]
    others: tuple[str, ...] = ()
    frozen: bool = False

    @property
    def money(self) -> str:
        """The code of its currency."""
        return str(self.tree["money"].value)

    def title(self, tag: str) -> str:
        """How members read its name."""
        return said(self.titles, tag, self.name)

    def speaker(self, language: Language) -> Speaker:
        """Who says its amounts and phrases in a language."""
        return Speaker(language, units(self.tree, language.tag), called(self.tree, language.tag))

    def teller(self, language: Language) -> Teller:
        """Who says its sentences in a language."""
        return Teller(self.speaker(language), titles(self.tree, language.tag))

    def named(self, name: str, language: Language, of: str = "") -> str:
        """How an entry, a level or a counter is called, with a capital letter; ``of`` is the
        section of an entry whose name may stand in others too."""
        said = self.teller(language)(Name(name, of=of))
        return said[:1].upper() + said[1:]

    def chapters(self, language: Language) -> list[Chapter]:
        """Its terms in a language."""
        return chapters(self.tree, language)


def place_of(home: Home, now: int, others: Iterable[str] = ()) -> Place:
    """A program as it stands at an instant."""
    plan = home.program.plan(now)
    tree = tree_of(home, now)
    return Place(home.number, home.name, plan.head.title, tree, tuple(others), home.frozen)
