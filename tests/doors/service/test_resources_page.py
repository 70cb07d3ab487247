"""The page about an account runs as it stands there, and its answers are those of the service."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.doors.service.test_quick_start import READY
from tests.house.sources import REPO

PAGE = (REPO / "docs" / "resources.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|json)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
STEPS = [told for kind, told in BLOCKS if kind == "sh"]
ANYTHING = "…"


def run(steps: list[str], folder: Path) -> list[list[Any]]:
    """The answers of each step, in order."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    script = f"\necho; echo '===='\n{READY}".join(steps) + "\necho; kill %1; wait"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", script.replace("8040", port)],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [list(answers(part)) for part in done.stdout.split("====\n")]


def answers(said: str) -> Any:
    """The JSON values in what was printed."""
    decoder = json.JSONDecoder()
    for line in said.splitlines():
        at = 0
        while line[at : at + 1] in ("{", "["):
            found, at = decoder.raw_decode(line, at)
            yield found


def shown(told: Any, found: Any) -> bool:
    """Whether a page shows what was found, or a part of it; … is anything."""
    if isinstance(told, dict):
        return isinstance(found, dict) and all(
            key in found and shown(value, found[key]) for key, value in told.items()
        )
    if isinstance(told, list):
        return isinstance(found, list) and len(told) <= len(found) and all(map(shown, told, found))
    return told in (ANYTHING, found)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    return run(STEPS, tmp_path_factory.mktemp("page"))


def test_each_step_is_answered_as_the_page_shows(found: list[list[Any]]) -> None:
    step = -1
    for kind, told in BLOCKS:
        if kind == "sh":
            step += 1
        else:
            assert shown(json.loads(told), found[step][-1]), (STEPS[step], found[step][-1])


def test_no_step_is_refused(found: list[list[Any]]) -> None:
    assert len(found) == len(STEPS)
    for step, said in zip(STEPS[1:], found[1:], strict=True):
        assert said, step
        assert all("code" not in each for each in said if isinstance(each, dict)), (step, said)


def test_another_answer_is_caught() -> None:
    assert shown({"a": [{"b": "…"}]}, {"a": [{"b": 1, "c": 2}], "d": 3})
    assert not shown({"a": 1}, {"a": 2})
    assert not shown({"a": [1, 2]}, {"a": [1]})
