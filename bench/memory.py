"""Row 7: the memory of the demo, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.measure import Row, Spread

GOAL_MB = 500


def rows(quick: bool, folder: Path) -> list[Row]:
    """The most memory that ``kantis demo`` holds at once; a few households when quick."""
    command = [sys.executable, "-m", "kantis", "demo", "--json", "--store", str(folder / "demo.db")]
    if quick:
        command += ["--households", "150"]
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read()
    if child.returncode:
        raise RuntimeError(f"the demo ended with {child.returncode}: {said[-500:]}")
    run = json.loads(said)["run"]
    held = usage.ru_maxrss / 1024
    part = " (150 households)" if quick else ""
    stages = ", ".join(f"{name} {spent:.1f} s" for name, spent in run["stages"].items())
    return [
        Row(
            f"memory of the demo{part}",
            Spread.of([held]),
            "MB",
            f"≤ {GOAL_MB} MB",
            held <= GOAL_MB,
            notes=[f"the demo took {run['seconds']:.0f} s: {stages}"],
        )
    ]
