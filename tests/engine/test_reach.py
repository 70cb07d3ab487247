"""Reach: until when a challenge can be won, and when it cannot any more."""

from typing import Any

import pytest

from kantis.core.calendar import show_day
from kantis.engine.reach import ChallengeReach, challenges_within
from tests.engine.member import NOON, Member, bought, program

GOAL = {"goal": "1 purchase", "give": "5 points"}


def within(buys: int = 0, **about: Any) -> list[ChallengeReach]:
    """What a member can win on the 6th of March 2024."""
    terms = program({"base": {"give": "1 point per 1 EUR"}}, challenges={"one": GOAL | about})
    member = Member(terms)
    for _ in range(buys):
        member(bought(1_000))
    return challenges_within(terms, member.account, NOON)


@pytest.mark.parametrize(
    ("about", "until"),
    [
        ({"window": "calendar year", "when": "2024-01-01 to 2024-06-30"}, "2024-07-01"),
        ({"window": "calendar month", "when": "2024-01-01 to 2024-06-30"}, "2024-04-01"),
        ({"window": "rolling 30 days", "when": "2024-01-01 to 2024-06-30"}, "2024-07-01"),
        ({"window": "ever", "when": ["2024-01-01 to 2024-06-30", "from 2024-09-01"]}, ""),
        ({"window": "ever"}, ""),
    ],
)
def test_it_can_be_won_until_its_dates_or_its_window_end(about: dict[str, Any], until: str) -> None:
    (found,) = within(1 if "rolling" in str(about) else 0, goal="2 purchases", **about)
    assert (show_day(found.until) if found.until else "") == until


def test_what_was_won_in_its_window_waits_for_the_next_one() -> None:
    again = {"window": "calendar month", "repeats": "yes"}
    assert [each.has for each in within(**again)] == [0]
    assert within(1, **again) == []


def test_what_is_over_or_has_not_begun_is_not_there() -> None:
    for when in ("2023-01-01 to 2023-02-01", "from 2024-09-01"):
        assert within(when=when) == []
