"""Undocumented means unfinished: a feature has a page, and a page begins with its guarantee."""

import re
from pathlib import Path

from tests.house.sources import REPO, SRC, name, tracked_files

DOCS = REPO / "docs"
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$", re.MULTILINE)
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(<?([^)\s>]+)>?[^)]*\)")


def page_fault(text: str | None) -> str:
    """What is wrong with the page of a feature; empty when nothing is."""
    if text is None:
        return "has no page"
    sections = [title for level, title in HEADING.findall(FENCE.sub("", text)) if level == "##"]
    if not sections or sections[0] != "Guarantee":
        return "does not begin with '## Guarantee'"
    return ""


def broken_links(page: Path) -> list[str]:
    """The links of this page to files or headings that are not there."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return [link for link in LINK.findall(text) if not _resolves(page, link)]


def _resolves(page: Path, link: str) -> bool:
    if re.match(r"[a-z][a-z0-9+.-]*:", link):
        return True
    path, _, anchor = link.partition("#")
    target = (page.parent / path) if path else page
    if not target.exists():
        return False
    if anchor and target.suffix == ".md":
        return anchor in _anchors(target.read_text(encoding="utf-8"))
    return True


def _anchors(text: str) -> set[str]:
    titles = (title for _, title in HEADING.findall(FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _features() -> list[str]:
    return [p.stem for p in sorted((SRC / "features").glob("*.py")) if not p.stem.startswith("_")]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def test_every_feature_has_its_page() -> None:
    found = {feature: page_fault(_read(DOCS / f"{feature}.md")) for feature in _features()}
    faults = [f"docs/{feature}.md {fault}" for feature, fault in found.items() if fault]
    assert not faults, "\n".join(faults)


def test_links_between_pages_resolve() -> None:
    faults = [
        f"{name(page)}: {link}"
        for page in tracked_files()
        if page.suffix == ".md"
        for link in broken_links(page)
    ]
    assert not faults, "links to nothing:\n" + "\n".join(faults)


def test_a_page_without_guarantee_is_caught() -> None:
    assert page_fault(None)
    assert page_fault("# Tiers\n\nWords.\n")
    assert page_fault("# Tiers\n\n## Rounding\n\n## Guarantee\n")
    assert page_fault("# Tiers\n\n```\n## Guarantee\n```\n\n## Rounding\n")
    assert not page_fault(
        "# Tiers\n\nA sentence.\n\n## Guarantee\n\nNothing is lost.\n\n## Knobs\n"
    )


def test_a_broken_link_is_caught(tmp_path: Path) -> None:
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    other.write_text("# Other\n\n## What is kept, and why\n")
    page.write_text("[a](other.md) [b](other.md#what-is-kept-and-why) [c](https://example.org/x)\n")
    assert broken_links(page) == []
    page.write_text("[a](gone.md) [b](other.md#gone) [c](#gone)\n")
    assert broken_links(page) == ["gone.md", "other.md#gone", "#gone"]
