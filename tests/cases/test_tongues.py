"""Every entry of every case is told in each language, and nothing of it stays English."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kantis.core import dated
from kantis.core.sentences import Keyed, No, Sentence, Several, Template
from kantis.desk.cases.file import read_cases
from kantis.desk.cases.run import _Run
from kantis.doors.web.languages import FIRST, LANGUAGES, catalog, language
from kantis.doors.web.phrasebook import Speaker
from kantis.doors.web.telling import Teller
from kantis.doors.web.terms import called, titles, units
from kantis.engine.explain import explain
from kantis.engine.program import assemble
from tests.cases.test_explained import FILES
from tests.house.sources import REPO


def teller(tree: dict[str, Any], tag: str) -> Teller:
    """Who says the sentences of a program in a language."""
    return Teller(Speaker(language(tag), units(tree, tag), called(tree, tag)), titles(tree, tag))


def told(path: Path) -> list[tuple[dict[str, Any], Sentence]]:
    """All sentences about all entries of the cases of a file, each with its program."""
    file, found = read_cases(path), []
    for case in file.cases:
        run = _Run(file.version, assemble([file.version]))
        run.run(case)
        for entries in run.told.values():
            for each in entries:
                tree = dated.at(file.version.tree, run.program.calendar.wall(each.entry.at))
                assert tree is not None
                said = explain(run.program, each.entry, each.event)
                found += [(tree.value, sentence) for sentence in said]
    return found


def templates(value: Any) -> list[Template]:
    """The templates of a sentence, and of those inside it."""
    if isinstance(value, Sentence):
        inside = [each for place in value.places.values() for each in templates(place)]
        return [value.template, *inside]
    if isinstance(value, Several):
        return [each for one in value.values for each in templates(one)]
    return templates(value.value) if isinstance(value, Keyed) else []


def refusals(value: Any) -> list[No]:
    """The refusals inside a sentence."""
    inside = value.places.values() if isinstance(value, Sentence) else ()
    return [each for each in inside if isinstance(each, No)]


def english(template: Template, tag: str) -> bool:
    """Whether a language has no words of its own for a template that has words."""
    key = (template.text, template.many) if template.many else template.text
    message = catalog(tag).get(key)
    forms = message.string if message is not None else ""
    return bool(re.search(r"[a-z]", re.sub(r"\{\w+\}", "", template.text))) and (
        not forms or template.text in (forms if isinstance(forms, tuple) else (forms,))
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_sentence_stays_english(path: Path) -> None:
    found = told(path)
    assert found
    tellers: dict[tuple[str, int], Teller] = {}
    for tag in LANGUAGES:
        for tree, sentence in found:
            say = tellers.setdefault((tag, id(tree)), teller(tree, tag))
            said = say(sentence)
            assert "{" not in said, said
            assert said.endswith((".", "?", "]")), said
            if tag != FIRST:
                assert not any(english(each, tag) for each in templates(sentence)), said
                assert all(str(each) not in said for each in refusals(sentence)), said


def test_a_template_that_no_catalog_has_is_found() -> None:
    assert english(Template("{points} evaporated."), "fi")
    assert not english(Template("{points} expired."), "fi")


@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ("fi", "1 leima: coffee – 1 leima / tuote, 1 tuotteesta."),
        ("et", "1 tempel: coffee – 1 tempel / toode, 1 toote eest."),
        ("vi", "1 tem: coffee – 1 tem mỗi món, cho 1 sản phẩm."),
    ],
)
def test_why_in_each_language(tag: str, wanted: str) -> None:
    found = told(REPO / "programs/cases/corner-cafe.yaml")
    said = {teller(tree, tag)(sentence) for tree, sentence in found}
    assert wanted in said, sorted(said)
