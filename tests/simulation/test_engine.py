"""The engine beside the naive model: 200 seeds of 2,000 events, more on request.

``KANTIS_SEEDS`` and ``KANTIS_EVENTS`` say how many. A seed that fails tells how to see it
again, and the smallest list of steps that still fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation import faults
from tests.simulation.run import Failure, Run, fails, report, shrink

SEEDS = int(os.environ.get("KANTIS_SEEDS", "200"))
EVENTS = int(os.environ.get("KANTIS_EVENTS", "2000"))
SHARDS = 4


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each class takes its share of the seeds, so that workers can share the classes."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(metafunc.cls.first, SEEDS, SHARDS))


class Shard:
    first = 0

    def test_seed(self, seed: int) -> None:
        try:
            Run(seed).explore(EVENTS)
        except Failure as failure:
            pytest.fail(report(failure), pytrace=False)


class TestSeeds0(Shard):
    first = 0


class TestSeeds1(Shard):
    first = 1


class TestSeeds2(Shard):
    first = 2


class TestSeeds3(Shard):
    first = 3


class TestReplay:
    """A run is the same wherever and however often it is run; a failure can be seen again."""

    def test_a_seed_is_the_same_in_another_process(self) -> None:
        """Also where texts hash otherwise, so no decision depends on the order of a set."""
        code = (
            "import sys; from tests.simulation.run import Run; run = Run(int(sys.argv[1])); "
            "run.explore(300); print(run.digest.hexdigest())"
        )
        for seed in (0, 1, 3):
            found = {
                subprocess.run(
                    [sys.executable, "-c", code, str(seed)],
                    capture_output=True,
                    text=True,
                    check=True,
                    cwd=Path(__file__).parents[2],
                    env=os.environ | {"PYTHONHASHSEED": salt, "PYTHONPATH": "src:."},
                ).stdout
                for salt in ("1", "2")
            }
            assert len(found) == 1

    def test_recorded_steps_replay_to_the_same_books(self) -> None:
        run, again = Run(5), Run(5)
        run.explore(300)
        again.replay(run.steps)
        assert again.digest.hexdigest() == run.digest.hexdigest()

    def test_a_failure_is_found_again_and_made_small(self) -> None:
        with faults.PLANTED["a refund forgets earlier refunds"].planted():
            found = []
            for _ in range(2):
                with pytest.raises(Failure) as caught:
                    Run(0).explore(600)
                found.append(caught.value)
            assert str(found[0]) == str(found[1])
            assert f"--seed 0 --events {found[0].number}" in str(found[0])
            small = shrink(found[0])
            assert len(small) <= 6
            assert fails(0, small) is not None
        assert fails(0, small) is None


def test_the_naive_model_is_small() -> None:
    lines = (Path(__file__).parent / "naive.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 300
