"""The pages say what the code says: their knob tables are current, their examples load."""

import re
from pathlib import Path

import pytest

from kantis.desk import text
from kantis.desk.reference import table
from kantis.engine.program import Version, assemble
from kantis.engine.sections import SECTIONS
from scripts.pages import GENERATED, renewed

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = re.compile(r"^```yaml\n(program: .*?)^```", re.MULTILINE | re.DOTALL)
PAGES_WITH_EXAMPLES = sorted(p.name for p in DOCS.glob("*.md") if EXAMPLE.search(p.read_text()))


@pytest.mark.parametrize("page", [*sorted(p.name for p in DOCS.glob("*.md")), "../MAP.md"])
def test_what_is_generated_on_a_page_is_current(page: str) -> None:
    told = (DOCS / page).read_text(encoding="utf-8")
    assert renewed(told) == told, "run: python scripts/pages.py"
    assert told.count("<!-- end of") == sum(told.count(f"<!-- {word}") for word in GENERATED)


def test_every_section_has_its_table() -> None:
    for name in SECTIONS:
        assert f"<!-- knobs: {name} -->" in (DOCS / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES_WITH_EXAMPLES)
def test_the_examples_load(page: str) -> None:
    for example in EXAMPLE.findall((DOCS / page).read_text(encoding="utf-8")):
        if "\ncases:" in example:
            continue
        assemble([Version.of(1, 0, text.read(example))])


def test_a_stale_table_is_caught() -> None:
    stale = "<!-- knobs: offers -->\n| key |\n<!-- end of knobs -->"
    assert "`uses`" in renewed(stale)
    assert renewed(renewed(stale)) == renewed(stale) != stale
    assert "`sold-out`" in renewed("<!-- refusals: rules -->\n<!-- end of refusals -->")
    with pytest.raises(KeyError):
        renewed("<!-- knobs: gone -->\n<!-- end of knobs -->")
    assert "`uses`" in table(SECTIONS["offers"])
