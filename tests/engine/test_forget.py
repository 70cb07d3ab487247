"""What a snapshot no longer needs is forgotten, however events and time take turns."""

from __future__ import annotations

import pytest

from kantis.core.events import Activity, Referred
from tests.engine.member import NOON, Member, program

TERMS = program(
    {"visits": {"for": "visit", "give": "1 point per item", "cap": "9 times per calendar month"}},
    balances={"points": {"expires": "1 month after earning"}},
    referrals={"friend": {"give": "5 points", "cap": "3 times per calendar month"}},
    late="7 days",
    refunds={"within": "30 days"},
)


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("visits", range(1, 6))
def test_windows_of_caps_that_are_over_are_forgotten(visits: int, before: int) -> None:
    """Each month has so many visits, and one entry of time; the first has some ``before``."""
    member = Member(TERMS)
    for _ in range(before):
        member(Activity("visit"))
    member(Referred("friend", "account:2", NOON))
    for month in range(36):
        for _ in range(visits):
            member(Activity("visit"), 31 * month)
    assert "cap friend 1" not in member.account.counters
    assert len(member.account.counters["cap visits 1"]) < 13
