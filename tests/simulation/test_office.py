"""The same people through the desk and its books, with crashes, lost answers and repeats."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.office import Office
from tests.simulation.run import Failure, report

SEEDS, EVENTS = 12, 600


@pytest.mark.parametrize("seed", range(SEEDS))
def test_sqlite(seed: int, tmp_path: Path) -> None:
    explore(seed, str(tmp_path / "books.db"), EVENTS)


@pytest.mark.parametrize("seed", [0, 4, 17])
def test_postgres(seed: int, pg_url: str) -> None:
    explore(seed, pg_url, 400)


def explore(seed: int, url: str, events: int) -> None:
    office = Office(seed, url)
    try:
        office.explore(events)
    except Failure as failure:
        pytest.fail(report(failure), pytrace=False)
    assert min(office.counts.values()) > 0, office.counts
