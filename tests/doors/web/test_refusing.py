"""Each reason that a rule can give for a no has its shape, and is said in each language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product

import pytest

from kantis.core.amounts import money
from kantis.core.refusals import NEXT, OTHERWISE, told
from kantis.core.sentences import No
from kantis.doors.web import refusing
from kantis.doors.web.languages import FIRST, LANGUAGES, language
from kantis.doors.web.phrasebook import Speaker
from kantis.doors.web.telling import Teller
from kantis.doors.web.terms import words
from tests.house.sources import REPO

ROOMS = ("core", "features", "engine")
#: What can stand in a place that is not in quotation marks.
FILLINGS = ("3", "once", "2024-02-29", "used", "points", "the basket is too small")


def reasons(source: str) -> Iterator[list[str]]:
    """What each ``Refused`` of a source gives as its reason: its parts, of which each is text,
    or empty for a place, or a quotation mark for one that is quoted."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        inside = list(ast.walk(function))
        for call in inside:
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Refused":
                yield _parts(_written(call, inside))


def _written(call: ast.Call, inside: list[ast.AST]) -> ast.expr:
    """The reason of a call, or what was last assigned to its name before."""
    said = call.args[1]
    if not isinstance(said, ast.Name):
        return said
    before = [
        each
        for each in inside
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == said.id
        and each.lineno < call.lineno
    ]  # fmt: skip
    return max(before, key=lambda each: each.lineno).value


def _parts(said: ast.expr) -> list[str]:
    if isinstance(said, ast.Constant):
        return [str(said.value)]
    assert isinstance(said, ast.JoinedStr), ast.unparse(said)
    return [
        str(each.value) if isinstance(each, ast.Constant)
        else "'" if isinstance(each, ast.FormattedValue) and each.conversion == ord("r") else ""
        for each in said.values
    ]  # fmt: skip


def known(parts: list[str]) -> bool:
    """Whether a reason with something in its places has a shape."""
    choices = [{"": FILLINGS, "'": ("'mug'",)}.get(each, (each,)) for each in parts]
    return any(refusing.read("".join(each)) for each in product(*choices))


def every() -> list[list[str]]:
    """The reasons of all rules."""
    files = [file for room in ROOMS for file in (REPO / "src/kantis" / room).glob("*.py")]
    return [each for file in sorted(files) for each in reasons(file.read_text(encoding="utf-8"))]


def test_every_reason_has_its_shape() -> None:
    found = every()
    assert len(found) > 100
    assert [each for each in found if not known(each)] == []


def test_a_reason_without_a_shape_is_found() -> None:
    (parts,) = reasons("def f(x):\n    raise Refused('odd', f'The moon is {x} today.')")
    assert not known(parts)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_refusal_is_said_whole(tag: str) -> None:
    unit = money("EUR")
    say = Teller(Speaker(language(tag), {"EUR": (unit, "")}, words), {"mug": "Mug"})
    for code in (*NEXT, *(f"{start}tier" for start in OTHERWISE)):
        sentence = told(code, "The reward 'mug' is sold out.")
        said = say(No(code, sentence))
        assert "Mug" in said
        assert tag == FIRST or not set(said.split()) & {"the", "The", "is", "it", "one"}, said


def test_in_finnish() -> None:
    say = Teller(Speaker(language("fi"), {}, words), {"mug": "Muki"})

    def finnish(code: str, reason: str) -> str:
        return say(No(code, told(code, reason)))

    assert finnish("sold-out", "The reward 'mug' is sold out.") == (
        "Palkinto Muki on loppunut. Valitse toinen palkinto."
    )
    assert finnish("not-enough", "It takes 3000, there are 20.") == (
        "Tarvitaan 3\xa0000, käytettävissä on 20. "
        "Käytä vähemmän pisteitä tai odota, kunnes niitä on tarpeeksi."
    )
    assert finnish("voucher-gone", "The voucher 'mug-1-1' is used already.").startswith(
        "Kuponki mug-1-1 on jo käytetty."
    )
    odd = "Said by an engine of another age."
    assert say(No("odd", odd)) == odd
