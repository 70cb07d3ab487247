"""Any program file is refused with its faults, or it runs: nothing in between."""

import random
import re
import textwrap
from pathlib import Path

import pytest

from kantis.core import phrases
from kantis.core.knobs import ProgramError
from kantis.desk import text
from kantis.desk.cases.file import CaseFile, read_cases
from kantis.desk.cases.run import run_case
from kantis.engine.program import Version, assemble
from tests.house.sources import REPO

PROGRAMS = REPO / "programs"
FILES = [*(PROGRAMS / "cases" / "language").glob("*.yaml"), PROGRAMS / "cases" / "grocer.yaml"]
NUMBER = re.compile(r"(?<![-\w.])[0-9][0-9.]*(?![-\w])")
STRANGE = "0 1 31 100 999999 99999999999999999999 0.01 -1 times never all {} []".split()
CHANGES = 25


def source(path: Path) -> str:
    """The program of a case file, which stands in it or beside it."""
    told = path.read_text(encoding="utf-8")
    inside = re.search(r"^program:\n(.*?)^cases:", told, re.MULTILINE | re.DOTALL)
    if inside:
        return textwrap.dedent(inside[1])
    return (PROGRAMS / path.name).read_text(encoding="utf-8")


def faults_of_the_engine(changed: str, file: CaseFile) -> list[str]:
    """What breaks down in a program that was not refused."""
    try:
        version = Version.of(1, 0, text.read(changed))
        assemble([version])
    except ProgramError:
        return []
    found = [failure for case in file.cases for failure in run_case(version, case).failures]
    return [each.got for each in found if each.what == "the engine"]


@pytest.mark.parametrize("path", sorted(FILES), ids=lambda path: path.stem)
def test_a_program_with_a_strange_number_is_refused_or_runs(path: Path) -> None:
    dice, told, file = random.Random(path.stem), source(path), read_cases(path)
    assert not faults_of_the_engine(told, file)
    for _ in range(CHANGES):
        place, strange = dice.choice(list(NUMBER.finditer(told))), dice.choice(STRANGE)
        changed = told[: place.start()] + strange + told[place.end() :]
        line = changed[: place.start()].count("\n")
        assert not faults_of_the_engine(changed, file), changed.splitlines()[line]


def test_an_engine_that_breaks_down_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: without the refusal of a step of nothing, the engine divides by it."""
    path = PROGRAMS / "cases" / "language" / "rewards.yaml"
    changed = source(path).replace("step: 10000 points", "step: 0 points")
    assert not faults_of_the_engine(changed, read_cases(path))
    monkeypatch.setattr(phrases, "some", phrases.quantity)
    assert "ZeroDivisionError" in faults_of_the_engine(changed, read_cases(path))[0]
