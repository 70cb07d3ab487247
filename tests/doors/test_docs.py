"""Undocumented means unfinished: each command, option, verb, check and field has its place."""

import re
from pathlib import Path

import pytest
import typer.main

from kantis.desk.cases import run_file
from kantis.desk.cases.checks import CHECKS
from kantis.desk.cases.steps import BROUGHT, VERBS
from kantis.doors.cli import app
from kantis.doors.intake.completejourney import DIRTY
from kantis.doors.intake.mapping import KINDS
from tests.doors.conftest import ROOT

DOCS = ROOT / "docs"


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()


def test_every_command_and_option_is_described() -> None:
    text = page("command-line") + page("demo")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    headings = set(re.findall(r"^### (\S+)$", text, re.MULTILINE))
    assert headings == set(commands)
    for name, command in commands.items():
        assert command.help, name
        for parameter in (each for each in command.params if not getattr(each, "hidden", False)):
            for option in parameter.opts:
                assert not option.startswith("--") or option in text, (name, option)


@pytest.mark.parametrize("word", sorted({*VERBS, *CHECKS, *BROUGHT, "until", "quote", "publish"}))
def test_every_word_of_a_case_is_described(word: str) -> None:
    assert f"`{word}`" in page("case-files")


def test_every_field_and_kind_of_a_file_is_described() -> None:
    text = page("import")
    for kind, fields in KINDS.items():
        for word in (kind, *fields):
            assert f"`{word}`" in text, (kind, word)


def test_every_rule_for_dirty_lines_is_described() -> None:
    assert len(re.findall(r"^\| .* \| [\d,]+ \|", page("demo"), re.MULTILINE)) == len(DIRTY)


def test_the_example_of_a_case_file_passes(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(program: corner-cafe\n.*?)```", page("case-files"), re.S)
    (tmp_path / "corner-cafe.yaml").write_text((ROOT / "programs" / "corner-cafe.yaml").read_text())
    (tmp_path / "cases.yaml").write_text(example)
    result = run_file(tmp_path / "cases.yaml")
    assert result.passed, result
    assert len(result.cases) == 3
