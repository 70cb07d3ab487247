"""The quick start of the page runs as it stands there, on another port."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from tests.house.sources import REPO

PAGE = (REPO / "docs" / "service.md").read_text(encoding="utf-8")
STEPS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
READY = """
for n in $(seq 200); do
    curl -fs http://127.0.0.1:8040/readyz > ready.json && break
    sleep 0.05
done
"""


def run(script: str, folder: Path) -> list[str]:
    """What a script prints, line by line; the service in its background is stopped."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", script.replace("8040", port) + "\necho; kill %1; wait"],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.replace("}{", "}\n{").splitlines() if line[:2] == '{"']


def test_the_quick_start_runs(tmp_path: Path) -> None:
    assert len(STEPS) == 2
    enrolled, bought, account, entries = map(json.loads, run(READY.join(STEPS), tmp_path))
    assert enrolled["outcome"] == "decided"
    assert bought["event"] == "till-1/receipt-4711"
    assert account["balances"]["stamps"]["available"] == "3"
    assert entries["entries"][0]["event"] == "till-1/receipt-4711"
    (told,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    shown = json.loads(told)
    assert shown["entry"]["postings"] == bought["entry"]["postings"]
    assert (shown["event"], shown["account"]) == (bought["event"], bought["account"])


def test_a_step_that_fails_is_caught(tmp_path: Path) -> None:
    script = READY.join(STEPS).replace('"id": "1", "type"', '"id": "1", "typ"')
    refused = json.loads(run(script, tmp_path)[0])
    assert refused["code"] == "malformed"
