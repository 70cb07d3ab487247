"""The page of the program language is held true: each of its examples is a program."""

import re

import pytest

from kantis.core.knobs import Node, ProgramError
from kantis.desk import text
from kantis.engine.program import Program, Version, assemble
from kantis.engine.sections import SECTIONS
from tests.house.sources import REPO

PAGE = (REPO / "docs" / "program-language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
BASE, *FRAGMENTS = EXAMPLES


def whole(fragment: str) -> Program:
    """The program that a fragment makes with the lines of the first example."""
    base, own = text.read(BASE), text.read(fragment)
    fields = dict(base.value)
    for key, child in own.value.items():
        if key in SECTIONS and key in fields:
            merged = fields[key].value | child.value
            fields[key] = Node(merged, child.line, child.column, child.keys)
        else:
            fields[key] = child
    return assemble([Version.of(1, 0, Node(fields, own.line, own.column, own.keys))])


def test_the_first_example_is_a_whole_program() -> None:
    assert whole("program: example\n").name == "example"


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda text: text.splitlines()[1].strip())
def test_each_example_is_a_program_with_the_lines_of_the_first(fragment: str) -> None:
    whole(fragment)


def test_each_section_is_named_and_shown() -> None:
    shown = {key for example in EXAMPLES for key in text.read(example).value}
    assert set(SECTIONS) - {"prices", "offers"} <= shown
    assert all(f"[`{name}`]({name}.md)" in PAGE for name in SECTIONS)


def test_an_example_that_is_wrong_is_caught() -> None:
    with pytest.raises(ProgramError, match="Did you mean 'spend'"):
        whole("rewards: {a: {reached: {spent: 5}, gives: {voucher: treat}, issued: by itself}}\n")
