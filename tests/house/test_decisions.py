"""DECISIONS.md stays readable after many hands: newest first, apart, short, and complete.

Every package that Kantis needs is a choice, so it is named there.
"""

import re
import tomllib
from itertools import pairwise
from typing import Any

from tests.house.sources import REPO

LINES_MAX = 6
ENTRY = re.compile(r"^## ", re.MULTILINE)
TITLE = re.compile(r"\d{4}-\d\d-\d\d · \S.*")


def faults(text: str) -> list[str]:
    """What is wrong with the list of decisions."""
    head, *entries = ENTRY.split(text)
    found = [] if head.endswith("\n\n") else ["the first entry stands against the introduction"]
    titles = [entry.partition("\n")[0] for entry in entries]
    for title, entry in zip(titles, entries, strict=True):
        lines = entry.rstrip("\n").split("\n")
        if not TITLE.fullmatch(title):
            found.append(f"{title!r} has no date and title")
        if len(lines) > LINES_MAX or "" in lines:
            found.append(f"{title!r} is longer than {LINES_MAX} lines, or has a gap")
        if entry is not entries[-1] and not entry.endswith("\n\n"):
            found.append(f"{title!r} stands against the next one")
    days = [title[:10] for title in titles]
    pairs = pairwise(days)
    found += [f"{day!r} comes before a later day" for day, following in pairs if day < following]
    found += [f"{title!r} stands twice" for title in set(titles) if titles.count(title) > 1]
    return found


def unexplained(text: str, project: dict[str, Any]) -> set[str]:
    """Packages that the project needs and no decision names."""
    about = project["project"]
    needs = sum(about["optional-dependencies"].values(), list(about["dependencies"]))
    names = {re.split(r"[\[<>=;~! ]", each)[0] for each in needs} - {"kantis"}
    return {name for name in names if name.lower() not in text.lower()}


def _text() -> str:
    return (REPO / "DECISIONS.md").read_text(encoding="utf-8")


def test_decisions_stand_in_order_and_apart() -> None:
    assert faults(_text()) == []


def test_every_package_is_a_decision() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    assert unexplained(_text(), project) == set()
    assert unexplained("", {"project": {"dependencies": ["x>=1"], "optional-dependencies": {}}})


def test_a_careless_list_is_caught() -> None:
    one, two = "## 2026-01-02 · A\nChoice: a.\n", "## 2026-01-01 · B\nChoice: b.\n"
    assert faults(f"# D\n\n{one}\n{two}") == []
    for bad in (
        f"# D\n\n{one}{two}",
        f"# D\n\n{two}\n{one}",
        f"# D\n\n{one}\n{one}",
        f"# D\n{one}",
        "# D\n\n## Undated\nChoice: a.\n",
        f"# D\n\n{one}" + "More.\n" * LINES_MAX,
    ):
        assert faults(bad), bad
