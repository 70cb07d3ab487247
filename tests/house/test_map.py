"""MAP.md is never stale: each path it names exists, and it names each module of Kantis.

A path is whatever stands in `backticks` or in a link's target and looks like one. It may begin
at the root of the checkout or in src/kantis (`core/lots.py`). A `*` must match something.
"""

import re
from pathlib import Path

from tests.house.sources import REPO, SRC, modules

MAP = REPO / "MAP.md"
NAMED = re.compile(r"`([^`\s]+)`|\]\(([^)\s#]+)[^)\s]*\)")
SUFFIX = re.compile(r"\.(py|md|ya?ml|toml|sql|html|css|js|txt|json|csv)$")
# Nobody looks for these: they say what the folder holds, or start the program.
NEED_NO_ENTRY = {"__init__.py", "__main__.py"}


def named_paths(text: str, root: Path, package: Path) -> list[str]:
    """The paths that this text names, as they stand there."""
    words = [code or link for code, link in NAMED.findall(text)]
    return [w.rstrip("/") for w in words if _looks_like_a_path(w, root, package)]


def _looks_like_a_path(word: str, root: Path, package: Path) -> bool:
    if word.startswith(("/", "<", "http:", "https:", "mailto:")) or not re.fullmatch(
        r"[\w.\-*/]+", word
    ):
        return False
    first = word.partition("/")[0]
    is_below_something = "/" in word and ((root / first).exists() or (package / first).exists())
    return bool(SUFFIX.search(word)) or is_below_something or word.endswith("/")


def stale(text: str, root: Path, package: Path) -> list[str]:
    """The paths that this text names and that are not there."""
    return [
        path
        for path in named_paths(text, root, package)
        if not any(root.glob(path)) and not any(package.glob(path))
    ]


def missing(text: str, root: Path, package: Path, files: list[Path]) -> list[str]:
    """The modules that this text does not name."""
    named = set(named_paths(text, root, package))
    return [
        file.relative_to(root).as_posix()
        for file in files
        if file.name not in NEED_NO_ENTRY
        and file.relative_to(root).as_posix() not in named
        and file.relative_to(package).as_posix() not in named
    ]


def _text() -> str:
    return MAP.read_text(encoding="utf-8") if MAP.exists() else ""


def test_the_map_names_nothing_that_is_gone() -> None:
    gone = stale(_text(), REPO, SRC)
    assert not gone, f"MAP.md names what is not there: {', '.join(gone)}"


def test_the_map_names_every_module() -> None:
    lost = missing(_text(), REPO, SRC, modules())
    assert not lost, "MAP.md does not name:\n" + "\n".join(lost)


def test_a_stale_map_is_caught(tmp_path: Path) -> None:
    package = tmp_path / "src" / "kantis"
    (package / "core").mkdir(parents=True)
    lots = package / "core" / "lots.py"
    lots.touch()
    good = "Lots: `core/lots.py`; all of `core/*.py`; see [lots](src/kantis/core/lots.py#split)."
    assert stale(good, tmp_path, package) == []
    assert missing(good, tmp_path, package, [lots]) == []
    for bad in ("`core/gone.py`", "[x](docs/gone.md)", "`core/*.sql`", "`gone/`", "`core/gone`"):
        assert stale(bad, tmp_path, package), bad
    assert missing("`core/*.py`", tmp_path, package, [lots]) == ["src/kantis/core/lots.py"]


def test_words_that_are_no_paths_are_left_alone(tmp_path: Path) -> None:
    text = "`decide` of `POST /v1/events` and `/v1/events`, `and/or`, [web](https://example.org/)"
    assert named_paths(text, tmp_path, tmp_path) == []
