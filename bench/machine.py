"""Machine: what this machine can do at best, whatever the language."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import apsw


def describe(folder: Path) -> dict[str, str]:
    """The machine, its Python and its libraries, and two small limits."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load when it began": " ".join(f"{each:.2f}" for each in os.getloadavg()),
        "python": sys.version.split()[0],
        "sqlite": apsw.sqlite_lib_version(),
        "syncs to disk per second": f"{syncs(folder):,.0f}",
        "empty loop of a million": f"{loop() * 1000:.1f} ms",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def syncs(folder: Path, seconds: float = 1.0) -> float:
    """How often a second a page can be made durable in a folder, one after the other."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        page = b"x" * 4096
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            os.pwrite(file.fileno(), page, (count % 64) * 4096)
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.perf_counter() - start)


def loop() -> float:
    """Seconds of an empty loop: a measure of the interpreter on this machine."""
    best = 1.0
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(1_000_000):
            pass
        best = min(best, time.perf_counter() - start)
    return best
