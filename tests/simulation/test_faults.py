"""Every planted fault is caught; the seed that caught it is told (``pytest -rP`` shows it)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.faults import PLANTED, catch


@pytest.mark.parametrize("wrong", PLANTED)
def test_a_planted_fault_is_caught(
    wrong: str, tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    failure = catch(PLANTED[wrong], str(tmp_path))
    assert failure is not None, f"200 seeds do not notice that {wrong}"
    record_property("caught by", f"seed {failure.seed}, event {failure.number}")
    print(f"{wrong}: caught by seed {failure.seed} at event {failure.number}")


def test_without_a_fault_nothing_is_caught(tmp_path: Path) -> None:
    """The twin of all the twins: the same seeds pass on the code as it is."""
    for wrong in ("a cap is not counted", "a rollback is lost"):
        fault = PLANTED[wrong]
        fault.replaced = ()
        assert catch(fault, str(tmp_path), seeds=8) is None


def test_there_are_enough_of_them() -> None:
    assert len(PLANTED) >= 40
