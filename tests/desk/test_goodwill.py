"""Goodwill: nobody gives more than their budget, however many presses come at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from kantis.core.calendar import DAY_MS
from kantis.core.knobs import ProgramError, plain
from kantis.desk import adjusting, goodwill, text
from kantis.desk.adjusting import Alone, Asked, Wrong
from kantis.desk.audit import By
from kantis.desk.goodwill import Budget
from kantis.desk.programs import Engine, Home
from kantis.store import hands
from tests.desk.shop import Shop

TERMS = """\
program: p
money: EUR
timezone: Europe/Helsinki
balances:
  points: {expires: never}
earning:
  all: {give: 1 point per 1 EUR}
"""
MAIJA, KAISA, OTTO = By("maija", "Maija"), By("kaisa", "Kaisa"), By("otto", "Otto")
NUMBERS = count(1)


@pytest.fixture
def club(url: str) -> Iterator[Shop]:
    """A shop with one member, where a cashier may give 10 at once, 50 a day, 80 a month."""
    with Shop(url, Engine(), plain(text.read(TERMS))) as shop:
        shop(shop.enrol("1"))
        goodwill.set_budget(shop.desk, home(shop), Budget("points", 10, 50, 80), MAIJA)
        yield shop
        shop.prove()


def home(shop: Shop) -> Home:
    shop.desk.homes.refresh(shop.desk.books)
    return shop.desk.homes.numbered(1)


def give(shop: Shop, amount: int, by: By = KAISA, id: str = "", till: str = "till-1") -> str:
    """Give points; the code of why not."""
    there = shop.desk.homes.numbered(1)
    id = id or f"gift-{next(NUMBERS)}"
    asked = Asked(till, id, "card:1", "points", amount, "A long wait")
    try:
        row = goodwill.give(shop.desk, by, there, asked)
    except Wrong as wrong:
        return wrong.code
    (result,) = shop.desk.submit([adjusting.event_of(row)], program="p")
    assert result.refusal is None
    adjusting.settled(shop.desk, row, result)
    return ""


def left(shop: Shop, by: By = KAISA) -> tuple[int, int]:
    found = goodwill.left(shop.desk.books, home(shop), by.who, shop.desk.clock())
    return found.today, found.this_month


def test_a_day_and_a_month_have_their_most(club: Shop) -> None:
    assert give(club, 30) == ""
    assert give(club, 30) == goodwill.SPENT_DAY
    assert give(club, 20, till="till-2") == ""
    assert give(club, 1, till="till-2") == goodwill.SPENT_DAY
    assert left(club) == (0, 30)
    assert give(club, 50, by=OTTO) == ""  # everybody has a budget of their own
    club.now += DAY_MS
    assert give(club, 31) == goodwill.SPENT_MONTH
    assert give(club, 30) == ""
    club.now += 31 * DAY_MS
    assert left(club) == (50, 80)
    assert give(club, 50) == ""


def test_the_same_press_is_one_gift(club: Shop) -> None:
    for _ in range(3):
        assert give(club, 20, id="one") == ""
    assert left(club) == (30, 60)
    assert give(club, 10, id="one") == "id-reused"


def test_what_somebody_adjusts_in_the_console_is_no_goodwill(club: Shop) -> None:
    source = f"{adjusting.CONSOLE}{KAISA.who}"
    asked = Asked(source, "case-1", "card:1", "points", 45, "the cake was for yesterday")
    adjusting.ask(club.desk, KAISA, home(club), asked, Alone(any=True))
    assert left(club) == (50, 80)


def test_nothing_is_given_where_nothing_is_allowed(club: Shop) -> None:
    goodwill.set_budget(club.desk, home(club), Budget(), MAIJA)
    assert give(club, 1) == goodwill.NONE
    for wrong in (Budget("stars", 1, 1, 1), Budget("points", 5, 4, 4), Budget("points", 0, 4, 4)):
        with pytest.raises(ProgramError):
            goodwill.set_budget(club.desk, home(club), wrong, MAIJA)
    goodwill.set_budget(club.desk, home(club), Budget("points", 1, 1, 1), MAIJA)
    assert give(club, 0) == goodwill.SPENT_MONTH
    assert give(club, -5) == goodwill.SPENT_MONTH
    assert give(club, 1) == ""
    deeds = [each.deed for each in hands.audit(club.desk.books, 1 << 60, 2)]
    assert deeds == ["goodwill", "allow"]


def at_once(shop: Shop, presses: int) -> int:
    """How much was given by so many presses of 10 at once."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: give(shop, 10, till=f"till-{n % 4}"), range(presses)))
    rows = hands.adjustments(shop.desk.books, 1, 1 << 60, 1_000)
    return sum(row.amount for row in rows)


def test_presses_at_once_stay_within_the_budget(club: Shop) -> None:
    assert at_once(club, 64) == 50


def test_without_the_look_before_each_they_do_not(
    club: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goodwill, "_check", lambda there, asked: None)
    assert at_once(club, 16) == 160
