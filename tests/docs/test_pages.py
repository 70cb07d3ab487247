"""The pages say what the code says: their knob tables are current, their examples load."""

import re
from pathlib import Path

import pytest

from kantis.desk import text
from kantis.desk.reference import refreshed, table
from kantis.engine.program import Version, assemble
from kantis.engine.sections import PAGES, SECTIONS
from scripts.pages import documented, mapped

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = re.compile(r"^```yaml\n(program: .*?)^```", re.MULTILINE | re.DOTALL)
PAGES_WITH_EXAMPLES = sorted(p.name for p in DOCS.glob("*.md") if EXAMPLE.search(p.read_text()))


@pytest.mark.parametrize("page", sorted(p.name for p in DOCS.glob("*.md")))
def test_the_tables_of_a_page_are_current(page: str) -> None:
    told = (DOCS / page).read_text(encoding="utf-8")
    assert documented(told) == told, "run: python scripts/pages.py"


def test_the_tables_of_the_map_are_current() -> None:
    told = (DOCS.parent / "MAP.md").read_text(encoding="utf-8")
    assert mapped(told) == told, "run: python scripts/pages.py"


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
    assert refreshed(stale, PAGES) != stale
    stale = "<!-- refusals: rules -->\n<!-- end of refusals -->"
    assert "`sold-out`" in documented(stale)
    assert "`uses`" in table(SECTIONS["offers"])
