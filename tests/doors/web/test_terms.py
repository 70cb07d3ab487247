"""The terms say all that a program file says, in each language, and in words that are known."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kantis.core import dated
from kantis.core.calendar import Calendar
from kantis.core.knobs import Node, knobs_of
from kantis.desk import text
from kantis.doors.web.languages import LANGUAGES, language
from kantis.doors.web.phrasebook import Speaker
from kantis.doors.web.terms import CHAPTERS, LABELS, SILENT, chapters, said_of
from kantis.engine.sections import SECTIONS, RefundSection
from tests.house.sources import REPO

FILES = [p for p in sorted((REPO / "programs").glob("**/*.yaml")) if "cases" not in p.parts]
NOW = 1_795_600_000_000
#: What a merchant writes in words of their own.
FREE = frozenset({"good for", "note", "title", "badge", "gives", "options", "about", "stages"})


@cache
def tree_of(path: Path) -> dict[str, Node]:
    """A program file as it stands on a day of 2026."""
    read = text.read(path.read_text(encoding="utf-8"))
    days = Calendar(ZoneInfo(str(read.value["timezone"].value)))
    found = dated.at(read, days.wall(NOW))
    assert found is not None
    return dict(found.value)


def phrases(value: Any, key: str) -> Iterator[str]:
    """The values below a key that are no words of the merchant."""
    if key in FREE:
        return
    if isinstance(value, dict):
        for name, each in value.items():
            yield from phrases(each.value, name)
    elif isinstance(value, list):
        for each in value:
            yield from phrases(each.value, key)
    else:
        yield str(value)


def unknown(said: Iterator[str], tag: str = "vi") -> list[str]:
    """Phrases that are not said in the language: of several words, or with a number."""
    speaker = Speaker(language(tag), {}, lambda name: "")
    return sorted({each for each in said if " " in each and not speaker.phrase(each)})


def test_every_section_has_a_chapter_and_every_key_a_label() -> None:
    assert {section for section, _, _ in CHAPTERS} == {*SECTIONS, "refunds"}
    for section, _, first in CHAPTERS:
        keys = set(knobs_of(SECTIONS.get(section, RefundSection)))
        assert set(first) <= keys, section
        assert keys <= LABELS.keys() | SILENT | set(first), section


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_phrase_of_a_program_is_in_the_phrasebook(path: Path) -> None:
    tree = tree_of(path)
    for section, _, _ in CHAPTERS:
        if section in tree:
            assert unknown(phrases(tree[section].value, section)) == [], section


def test_a_phrase_that_is_nowhere_is_found() -> None:
    assert unknown(iter(["3 points per item", "when the moon is full"])) == [
        "when the moon is full"
    ]


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_entry_of_a_program_is_told(path: Path, tag: str) -> None:
    tree = tree_of(path)
    told = chapters(tree, language(tag))
    clauses = sum(len(each.clauses) for each in told)
    entries = sum(
        len(tree[section].value) if section != "refunds" else 1
        for section, _, _ in CHAPTERS
        if section in tree
    )
    assert clauses == entries
    for chapter in told:
        for clause in chapter.clauses:
            assert clause.title or chapter is told[-1]
            assert all(label and said for label, said in clause.points), clause


def test_one_thing_of_an_entry_is_said_as_the_terms_say_it() -> None:
    tree = tree_of(REPO / "programs/templates/paid-membership.yaml")
    about = "prices", "for-members", "who"
    assert said_of(tree, language("en"), *about) == "Plan: Member"
    for nothing in (("prices", "for-members", "if"), ("prices", "no", "who"), ("no", "no", "who")):
        assert said_of(tree, language("fi"), *nothing) == ""


def test_a_cafe_in_four_languages() -> None:
    cafe = tree_of(REPO / "programs" / "corner-cafe.yaml")
    said = {tag: chapters(cafe, language(tag)) for tag in LANGUAGES}
    assert [said[tag][0].clauses[0].main for tag in LANGUAGES] == [
        "1 stamp per item",
        "1 leima / tuote",
        "1 tempel / toode",
        "1 tem mỗi món",
    ]
    assert [said[tag][-1].clauses[0].main for tag in LANGUAGES] == [
        "12 months after earning",
        "12 kuukautta kertymisestä",
        "12 kuud kogumisest",
        "12 tháng sau khi tích",
    ]


LEVELS = """
program: shop
money: EUR
timezone: Europe/Helsinki
balances: {points: {}}
counters: {spend: {counts: spend, window: calendar year}}
tiers:
  status:
    title: {en: Level, fi: Taso}
    by: spend
    levels: {basket: from the start, gold: 100 EUR}
    titles: {gold: {en: Gold, fi: Kulta}}
earning:
  all: {give: {basket: 1 point per 1 EUR, gold: 2 points per 1 EUR}, if: {basket: at least 5 EUR}}
prices: {own: {where: {brand: own}, who: {status: gold or higher}, off: 2 %}}
"""


@pytest.mark.parametrize(
    ("tag", "give", "condition", "who"),
    [
        (
            "fi", "basket: 1 piste / 1,00\xa0€ · Kulta: 2 pistettä / 1,00\xa0€",
            "Koko ostos: vähintään 5,00\xa0€", "Taso: Kulta tai ylempi",
        ),
        (
            "en", "basket: 1 point per €1.00 · Gold: 2 points per €1.00",
            "Whole purchase: at least €5.00", "Level: Gold or higher",
        ),
    ],
)  # fmt: skip
def test_levels_are_called_by_their_titles(tag: str, give: str, condition: str, who: str) -> None:
    tree: dict[str, Node] = text.read(LEVELS).value
    earning, prices = chapters(tree, language(tag))[:2]
    assert (earning.clauses[0].main, earning.clauses[0].points[0][1]) == (give, condition)
    assert prices.clauses[0].points[-1][1] == who
