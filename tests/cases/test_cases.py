"""Every case file passes: of the programs, and of the language that they are written in."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kantis.desk.cases import FileResult, find, run_file
from kantis.doors.cli import app
from tests.house.sources import REPO, name

FILES = sorted(find([REPO / "programs" / "cases"]))


def told(result: FileResult) -> str:
    """What is wrong with a case file, as people read it."""
    lines = [f"{result.path}: {fault}" for fault in result.faults]
    for case in result.cases:
        for failure in case.failures:
            lines.append(f"{result.path}, line {failure.line}, {case.name}")
            lines.append(f"  {failure.what}: expected {failure.expected}, got {failure.got}")
            lines += [f"    {line}" for line in failure.story]
    return "\n".join(lines)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_cases(path: Path) -> None:
    result = run_file(path)
    assert result.passed, told(result)
    assert result.cases, f"{path} has no case"
    assert all(case.checks for case in result.cases), "a case that states nothing shows nothing"


def test_programs_and_cases_stand_in_their_canonical_form() -> None:
    result = CliRunner().invoke(app, ["format", "--check", str(REPO / "programs")])
    assert result.exit_code == 0, result.output


def test_every_program_has_its_cases() -> None:
    programs = {path.stem for path in (REPO / "programs").glob("*.yaml")}
    assert programs == {path.stem for path in FILES if path.parent.name == "cases"}


def test_a_case_that_is_wrong_fails(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        """\
program:
  program: wrong
  money: EUR
  timezone: UTC
  balances: {points: {}}
  earning: {base: {give: 1 point per 1.00 EUR}}
cases:
  - {case: too much, when: [{time: 2024-03-01, purchase: 5.00}], then: {points: 6}}
  - {case: a refusal that nobody expects, when: [{time: 2024-03-01, refund: x, then: {points: 0}}]}
"""
    )
    result = run_file(path)
    assert [len(case.failures) for case in result.cases] == [1, 1]
    assert "expected 6 points, got 5 points" in told(result)
