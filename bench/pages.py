"""Row 12: how long the service takes for each page, on the books of the demo.

The time is the one that the service writes into its log: from the request to the whole answer.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from bench.measure import Row, Spread
from scripts.demo import opened

GOAL_MS = 50
ROUNDS = 15
_TOLD = 6


def rows(quick: bool, folder: Path) -> list[Row]:
    """The slowest page at its median, and those that come after it."""
    store = folder / "pages.db"
    with opened(store, 60 if quick else None) as demo:
        pages = demo.pages()
        for page in pages:
            with demo.client(page.who) as client:
                client.get(page.address)  # its template is read once
        log = store.with_name(store.name + ".log")
        begin = log.stat().st_size
        for _ in range(5 if quick else ROUNDS):
            for page in pages:
                with demo.client(page.who) as client:
                    client.get(page.address)
    with log.open("rb") as file:
        file.seek(begin)
        took = _times(file.read())
    shown = {page.path for page in pages}
    spreads = sorted(
        ((route, Spread.of(ms)) for route, ms in took.items() if route in shown),
        key=lambda each: -each[1].middle,
    )
    slowest = spreads[0][1]
    notes = [f"{spread.middle:7.1f} ms  {route}" for route, spread in spreads[:_TOLD]]
    return [
        Row(
            f"{len(spreads)} pages on the demo's books: the slowest at its median", slowest, "ms",
            f"at most {GOAL_MS} ms for each", reached=slowest.middle <= GOAL_MS, notes=notes,
        )
    ]  # fmt: skip


def _times(log: bytes) -> dict[str, list[float]]:
    """Milliseconds by route, as the service wrote them down."""
    found: dict[str, list[float]] = defaultdict(list)
    for line in log.splitlines():
        said = json.loads(line) if line.startswith(b"{") else {}
        if said.get("event") == "request" and said["method"] == "GET" and said["status"] == 200:
            found[said["route"]].append(float(said["ms"]))
    return dict(found)
