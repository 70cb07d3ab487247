"""Row 7: the memory of the demo, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
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
        held = 0.0
        while child.poll() is None:
            held = max(held, _held(child.pid))
            time.sleep(0.05)
        output.seek(0)
        said = output.read()
    if child.returncode:
        raise RuntimeError(f"the demo ended with {child.returncode}: {said[-500:]}")
    run = json.loads(said)["run"]
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


def _held(process: int) -> float:
    """The most that a process and those that it has started have held, in MB.

    Not what ``wait4`` tells: that counts what this process held when it started the other.
    """
    try:
        folder = Path(f"/proc/{process}")
        children = (folder / "task" / str(process) / "children").read_text().split()
        status = (folder / "status").read_text()
    except OSError:  # it has just ended
        return 0.0
    most = next((line.split()[1] for line in status.splitlines() if line[:6] == "VmHWM:"), "0")
    return int(most) / 1024 + sum(_held(int(child)) for child in children)
