"""Places: a program as pages show it: its name, its terms, and how its amounts are said."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from kantis.core import dated
from kantis.core.knobs import Node
from kantis.desk.programs import Home
from kantis.doors.web.languages import Language, said
from kantis.doors.web.phrasebook import Speaker
from kantis.doors.web.terms import Chapter, chapters, units, words


class Place(Struct, frozen=True):
    """A program as it stands; ``others`` are the programs that somebody may look at beside it."""

    number: int
    name: str
    titles: dict[str, str]
    tree: dict[str, Node]
    others: tuple[str, ...] = ()

    @property
    def money(self) -> str:
        """The code of its currency."""
        return str(self.tree["money"].value)

    def title(self, tag: str) -> str:
        """How members read its name."""
        return said(self.titles, tag, self.name)

    def speaker(self, language: Language) -> Speaker:
        """Who says its amounts and phrases in a language."""
        return Speaker(language, units(self.tree, language.tag), words)

    def chapters(self, language: Language) -> list[Chapter]:
        """Its terms in a language."""
        return chapters(self.tree, language)


def place_of(home: Home, now: int, others: Iterable[str] = ()) -> Place:
    """A program as it stands at an instant."""
    plan = home.program.plan(now)
    version = next(each for each in home.program.versions if each.number == plan.version)
    tree = dated.at(version.tree, plan.calendar.wall(now))
    assert tree is not None
    return Place(home.number, home.name, plan.head.title, tree.value, tuple(others))
