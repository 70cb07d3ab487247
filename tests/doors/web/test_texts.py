"""The catalogs are whole: every text of every page in every language, with its places."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kantis
from kantis.doors.web.languages import FIRST, LANGUAGES, TEXTS, catalog, language
from scripts.texts import renewed, wanted

GLOSSARY = Path(__file__).parents[3] / "docs/words-in-languages.md"
PLACE = re.compile(r"\{\w+\}|%\(\w+\)s")


def faults(tag: str) -> list[str]:
    """What is wrong with the texts of a language."""
    found = []
    for text in sorted(set(wanted()), key=str):
        message = catalog(tag).get(text)
        forms = message.string if message is not None else ""
        for form in forms if isinstance(forms, tuple) else (forms,):
            known = text if isinstance(text, tuple) else (text,)
            places = {place for each in known for place in PLACE.findall(each)}
            if not form and tag != FIRST:
                found.append(f"{text!r} is not translated")
            elif form and not set(PLACE.findall(str(form))) <= places:
                found.append(f"{text!r} has other places than {form!r}")
            elif form and str(form)[-1] in ".!?" and known[-1][-1] not in ".!?,":
                found.append(f"{form!r} ends as a sentence")
    return found


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_text_is_there(tag: str) -> None:
    assert faults(tag) == []
    kept = (TEXTS / f"{tag}.po").read_text(encoding="utf-8")
    known = {str(message.id) for message in catalog(tag) if message.id}
    assert known == {str(message.id) for message in renewed(tag) if message.id}, (
        "run: python scripts/texts.py"
    )
    assert "fuzzy" not in kept


def written_out(source: str) -> Iterator[str]:
    """The texts that a file hands to a catalog as they stand, wherever they stand in it.

    >>> list(written_out("said = f'{tongue.gettext(\\"Card\\")}: {number}'"))
    ['Card']
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("gettext", "ngettext", "_"):
                texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
                yield from (each for each in texts if isinstance(each, str))


def test_no_text_of_the_code_is_overlooked() -> None:
    known = {each for text in wanted() for each in ((text,) if isinstance(text, str) else text)}
    files = sorted(Path(kantis.__file__).parent.rglob("*.py"))
    said = {text for file in files for text in written_out(file.read_text(encoding="utf-8"))}
    assert said - known == set()
    assert list(written_out("f'{tongue.gettext(\"Card\")}'")) == ["Card"], "its twin"


def test_a_text_that_is_missing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    message = catalog("fi").get("Levels")
    assert message is not None
    monkeypatch.setattr(message, "string", "")
    assert faults("fi") == ["'Levels' is not translated"]


def test_numbers_take_the_form_that_the_language_has() -> None:
    pair = "{n} point", "{n} points"
    said = {tag: [language(tag).ngettext(*pair, n) for n in (1, 2)] for tag in LANGUAGES}
    assert said == {
        "en": ["{n} point", "{n} points"],
        "fi": ["{n} piste", "{n} pistettä"],
        "et": ["{n} punkt", "{n} punkti"],
        "vi": ["{n} điểm", "{n} điểm"],
    }


def unwanted(tag: str) -> list[str]:
    """How words begin that a language has another word for, by the glossary."""
    rows = re.findall(rf"^\| {tag} \| (.+?) \| .+ \|$", GLOSSARY.read_text("utf-8"), re.M)
    return [word for row in rows for word in row.split(", ")]


def mixed(tag: str) -> list[str]:
    """The texts of a language that say a thing by another word than the glossary."""
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(unwanted(tag))})", re.I)
    if tag == "vi":  # its syllables are words
        pattern = re.compile(pattern.pattern + r"(?!\w)", re.I)
    found = []
    for message in catalog(tag):
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        found += [str(each) for each in forms if message.id and pattern.search(str(each))]
    return found


@pytest.mark.parametrize("tag", [tag for tag in LANGUAGES if tag != FIRST])
def test_one_word_for_one_thing(tag: str) -> None:
    assert unwanted(tag)
    assert mixed(tag) == []


def test_another_word_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    message = catalog("et").get("Rewards")
    assert message is not None
    monkeypatch.setattr(message, "string", "Sinu preemiad")
    assert mixed("et") == ["Sinu preemiad"]
