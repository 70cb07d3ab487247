"""How to write a program: every step of the page runs."""

import re
from pathlib import Path

import pytest

from kantis.desk.cases import run_file
from tests.house.sources import REPO

PAGE = (REPO / "docs" / "write-a-program.md").read_text(encoding="utf-8")
STEPS = re.findall(r"^## (\d+\. .*?)$.*?^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("title", "step"), STEPS, ids=[title for title, _ in STEPS])
def test_a_step_runs(title: str, step: str, tmp_path: Path) -> None:
    path = tmp_path / "step.yaml"
    path.write_text(step, encoding="utf-8")
    result = run_file(path)
    assert not result.faults
    assert result.passed, [(case.name, case.failures) for case in result.cases if case.failures]
    assert all(case.checks for case in result.cases), title


def test_every_step_has_its_file() -> None:
    assert len(STEPS) == len(re.findall(r"^## \d+\. ", PAGE, re.MULTILINE)) >= 12


def test_a_step_that_claims_too_much_is_caught(tmp_path: Path) -> None:
    path = tmp_path / "step.yaml"
    path.write_text(STEPS[0][1].replace("then: {stamps: 10}", "then: {stamps: 11}"))
    assert not run_file(path).passed
