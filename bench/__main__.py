"""``python -m bench``: print the table of speed, each figure beside its limit.

Rows take their turns with their limits; run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import (
    deciding,
    enduring,
    finding,
    growing,
    machine,
    memory,
    offering,
    onpostgres,
    onsqlite,
    overhttp,
    pages,
    proving,
    year,
)
from bench.measure import Row, spread
from kantis.doors.cli import RECORDS_MAX
from kantis.doors.intake.completejourney import DataMissing
from tests.support.postgres import NoPostgres

PARTS: dict[str, Callable[[bool, Path], list[Row]]] = {
    "decide": lambda quick, folder: deciding.rows(quick),
    "offers": lambda quick, folder: offering.rows(quick),
    "replay": lambda quick, folder: year.rows(quick),
    "sqlite": onsqlite.rows,
    "postgres": onpostgres.rows,
    "http": overhttp.rows,
    "http-postgres": overhttp.postgres_rows,
    "endure": enduring.rows,
    "endure-postgres": enduring.postgres_rows,
    "verify": proving.rows,
    "demo": memory.rows,
    "members": finding.rows,
    "pages": pages.rows,
}
BIG = {"big": growing.rows, "million": finding.many}


def main() -> int:
    """Measure, and print; 0 also where a goal is not reached."""
    given = _arguments()
    gc.set_threshold(RECORDS_MAX)  # as every command of kantis does
    if given.seconds:
        PARTS["endure"] = partial(enduring.rows, seconds=given.seconds)
        PARTS["endure-postgres"] = partial(enduring.postgres_rows, seconds=given.seconds)
    parts = {**PARTS, **BIG} if given.big or BIG.keys() & given.only else dict(PARTS)
    if given.only:
        parts = {name: parts[name] for name in parts if name in given.only}
    found: list[Row] = []
    start = time.monotonic()
    with tempfile.TemporaryDirectory(dir=given.folder, prefix="kantis-bench-") as name:
        folder = Path(name)
        about = machine.describe(folder)
        if not given.json:
            for what, value in about.items():
                print(f"{what:26}{value}")
        for part, measure in parts.items():
            began = time.monotonic()
            try:
                made = measure(given.quick, folder)
            except (NoPostgres, DataMissing) as error:
                print(f"\n{part} is left out: {error}", file=sys.stderr)
                continue
            found += made
            if not given.json:
                for row in made:
                    _tell(row)
                print(f"  · {part} took {time.monotonic() - began:.0f} s", flush=True)
    if given.json:
        said = {"machine": about, "rows": [row.plain() for row in found]}
        print(json.dumps(said, indent=1, ensure_ascii=False))
    else:
        missed = sum(row.reached is False for row in found)
        print(f"\n{time.monotonic() - start:.0f} s. {_said(missed)}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller books")
    parser.add_argument("--big", action="store_true", help="also books of a million accounts")
    parser.add_argument("--seconds", type=int, default=0, help="how long the open loop lasts")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--folder", help="where the books are written; its disk is measured")
    parser.add_argument(
        "--only", nargs="+", default=[], choices=[*PARTS, *BIG], help="only these rows"
    )
    return parser.parse_args()


def _tell(row: Row) -> None:
    mark = {True: "reached", False: "MISSED", None: ""}[row.reached]
    print(f"\n{row.name}")
    print(f"  {'measured':10}{spread(row.ours)} {row.unit}")
    if row.theirs is not None:
        print(f"  {'beside':10}{spread(row.theirs)} {row.unit}: {row.limit}")
    if row.ratio is not None:
        print(f"  {'ratio':10}{spread(row.ratio)} {row.of}")
    print(f"  {'goal':10}{row.goal}  {mark}")
    for note in row.notes:
        print(f"  {'':10}{note}")
    sys.stdout.flush()


def _said(missed: int) -> str:
    if not missed:
        return "Every goal was reached."
    return f"{missed} {'goal was' if missed == 1 else 'goals were'} missed in this run."


if __name__ == "__main__":
    sys.exit(main())
