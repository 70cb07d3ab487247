"""Where the house rules look: the files of this checkout."""

import ast
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
SRC = REPO / "src" / "kantis"
PURE_ROOMS = ("core", "features", "engine")


def modules(*rooms: str) -> list[Path]:
    """Every Python file in these rooms of src/kantis, or in all of them."""
    folders = [SRC / room for room in rooms] or [SRC]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name(path: Path) -> str:
    """The file's path from the root of the checkout, as people write it."""
    return path.relative_to(REPO).as_posix()


def tracked_files() -> list[Path]:
    """The files that are, or would be, in a commit."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPO, capture_output=True, text=True,
    )  # fmt: skip
    if listing.returncode == 0:
        found = (REPO / entry for entry in listing.stdout.split("\0") if entry)
        return sorted(path for path in found if path.is_file())
    # An unpacked archive has no history: everything but hidden folders.
    return sorted(
        path
        for path in REPO.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(REPO).parts[:-1])
        and "__pycache__" not in path.parts
    )
