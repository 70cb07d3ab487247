"""Whoever writes the books knows every chore by its name, whatever it has loaded before."""

import ast
import subprocess
import sys

from tests.house.sources import REPO

ASKED = """
from kantis.desk import chores
try:
    chores.named("nothing of that name")
except KeyError:
    print(*chores.CHORES)
"""


def test_every_chore_is_found_by_its_name() -> None:
    written = set()
    for path in (REPO / "src" / "kantis").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for mark in getattr(node, "decorator_list", ()):
                if isinstance(mark, ast.Name) and mark.id in ("chore", "chore_alone"):
                    written.add(node.name)  # type: ignore[attr-defined]
    said = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert set(said.stdout.split()) == written
    assert {"show_code", "count_more"} <= written
