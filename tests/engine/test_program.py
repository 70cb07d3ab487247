"""Versions and dates: what is in force when."""

import pytest

from kantis.core.knobs import ProgramError
from kantis.core.phrases import Quantity
from kantis.desk import text
from kantis.engine.program import Program, Version, assemble

HEAD = "program: shop\nmoney: EUR\ntimezone: Europe/Helsinki\n"
ONE = HEAD + "balances: {points: {}}\nearning: {base: {give: 1 point per 1 EUR}}\n"


def program(*texts: str, since: tuple[int, ...] = (0, 10**12)) -> Program:
    versions = [Version.of(i + 1, since[i], text.read(t)) for i, t in enumerate(texts)]
    return assemble(versions)


def rate(found: Program, date: str) -> tuple[int, int] | None:
    rules = found.plan(found.calendar.read(date)).earning.by_event.get("purchase", [])
    return (rules[0].give.steps[0].num, rules[0].give.steps[0].den) if rules else None


def test_a_dated_value_changes_at_local_midnight() -> None:
    dated = "{before 2023-05-23: 4 points per 1 EUR, from 2023-05-23: 3 points per 1 EUR}"
    found = program(ONE.replace("1 point per 1 EUR", dated))
    assert rate(found, "2023-05-22T23:59:59") == (4, 100)
    assert rate(found, "2023-05-23T00:00") == (3, 100)


def test_an_entry_without_its_value_is_not_there() -> None:
    found = program(
        ONE.replace("give: 1 point", "give: {from 2024-01-01: 1 point").replace("EUR}}", "EUR}}}")
    )
    assert rate(found, "2023-12-31") is None
    assert rate(found, "2024-01-01") == (1, 100)


def test_a_later_version_takes_over_at_its_instant() -> None:
    found = program(ONE, ONE.replace("1 point per", "2 points per"))
    assert found.plan(10**12 - 1).version == 1
    assert found.plan(10**12).version == 2


def test_a_balance_that_members_hold_stays() -> None:
    with pytest.raises(ProgramError, match="balance-removed"):
        program(ONE, ONE.replace("points: {}", "stars: {}").replace("1 point per", "1 star per"))


def test_overlapping_dates_are_refused() -> None:
    with pytest.raises(ProgramError, match="versions-overlap"):
        program(
            ONE.replace(
                "1 point per 1 EUR",
                "{before 2024-02-01: 1 point per 1 EUR, from 2024-01-01: 2 points per 1 EUR}",
            )
        )


def test_quantities_keep_their_unit() -> None:
    found = program(ONE + "rewards: {off: {cost: 50 points, gives: 5 EUR off}}\n")
    assert found.newest.rewards["off"].cost == Quantity(50, "points")
