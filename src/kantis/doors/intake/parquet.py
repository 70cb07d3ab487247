"""Parquet: the database that reads such files, kept small and out of the way."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

MISSING = "Reading Parquet files needs duckdb. Install it: pip install 'kantis[import]'."


def connect(memory_mb: int = 100) -> Any:
    """A connection that keeps nothing; ``ImportError`` where the extra is not installed.

    What does not fit in memory goes to the machine's folder for such things, never into the
    folder that somebody works in.
    """
    import duckdb

    spill = Path(tempfile.gettempdir(), f"kantis-duckdb-{os.getpid()}")
    limits: dict[str, Any] = {
        "threads": "2",
        "memory_limit": f"{memory_mb}MB",
        "temp_directory": str(spill),
    }
    return duckdb.connect(config=limits)
