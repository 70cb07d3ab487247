"""Every program file survives: events drawn from what it names, and what always holds.

``KANTIS_SEEDS`` and ``KANTIS_EVENTS`` say how many seeds and events of each program.
"""

from __future__ import annotations

import os

import pytest

from tests.simulation import world
from tests.simulation.survey import Fallen, Survey
from tests.simulation.world import SHIPPED

SEEDS = min(int(os.environ.get("KANTIS_SEEDS", "3")), 1000)
EVENTS = int(os.environ.get("KANTIS_EVENTS", "300"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_program_survives(name: str) -> None:
    for seed in range(SEEDS):
        Survey(name, seed).explore(EVENTS)


def test_the_survey_sees_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: with points that leave an account without leaving their lots, it falls, and says
    how to see that again; the same seed falls at the same event."""
    monkeypatch.setattr("kantis.core.postings.leave", lambda *of: None)
    world.forget_programs()
    said = []
    for _ in range(2):
        with pytest.raises(Fallen) as fallen:
            Survey("grocer", 0).explore(EVENTS)
        said.append(str(fallen.value))
    world.forget_programs()
    assert said[0] == said[1]
    assert "replay: python -m tests.simulation --program grocer --seed 0 --events " in said[0]
