"""Budgets: used and forecast by hand; an alarm is told once; what stops is the stock."""

import pytest
from msgspec import json

from kantis.core.calendar import day, instant
from kantis.core.events import Event, Redeem
from kantis.core.knobs import ProgramError
from kantis.desk import budgets, hooks
from kantis.desk.audit import By
from kantis.desk.budgets import Standing
from kantis.desk.measures.tallying import catch_up
from kantis.desk.submit import Desk
from kantis.store import budgets as rows
from kantis.store.budgets import BudgetRow
from tests.desk.test_catalogue import books
from tests.support.seals import seals_of

MARCH = instant("2024-03-10T12:00:00+02:00")


def row(what: str, name: str, counts: str, amount: int, per: str = "month") -> BudgetRow:
    return BudgetRow(0, 1, what, name, counts, amount, per, 80, day("2024-01-01"))


def stands(desk: Desk, budget: BudgetRow, now: int = MARCH) -> Standing:
    return budgets.standing(desk.books, desk.homes.numbered(1), budget, now)


def test_used_and_forecast_are_what_comes_out_by_hand(url: str) -> None:
    with books(url) as desk:
        program = stands(desk, row("", "", "money", 2_000))
        # in March: money off 0.60, a cake 0.90, a price cut of 2.00
        assert program.used == 60 + 90 + 200
        assert program.forecast == (350 * 31 * 2 + 10) // 20 == 1_085
        assert (program.first, program.end) == (day("2024-03-01"), day("2024-04-01"))
        assert (program.alarming, program.over, program.gone) == (False, False, 0)
        tight = stands(desk, row("", "", "money", 700))
        assert tight.gone == day("2024-03-20"), "35 cents a day"
        mugs = stands(desk, row("reward", "mug", "times", 2, "year"))
        assert (mugs.used, mugs.over, mugs.alarming) == (2, True, True)
        assert stands(desk, row("reward", "mug", "times", 2)).used == 0, "none of them in March"
        ever = stands(desk, row("reward", "mug", "money", 1_000, "ever"))
        assert (ever.used, ever.forecast, ever.end) == (220, None, 0)


def test_an_alarm_is_told_once_in_its_window(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with books(url) as desk:
        desk.clock = lambda: MARCH
        about = 1, "https://example.com/", ["budget.*"], ""
        hooks.make(desk, seals_of(desk), *about, lan=False)
        number = budgets.make(desk, row("", "", "money", 400), By("test"))
        budgets.make(desk, row("", "", "money", 40_000), By("test"))
        assert [budgets.tell(desk) for _ in range(2)] == [1, 0]
        ((body,),) = desk.books.rows("SELECT body FROM delivery")
        told = json.decode(body)
        assert told["type"] == "kantis.budget.alarm.v1"
        assert told["data"] == {
            "budget": number, "of": "", "counts": "money", "since": "2024-03-01",
            "used": "3.50", "amount": "4.00", "alarm": 80,
        }  # fmt: skip
        desk.clock = lambda: instant("2024-04-02T12:00:00+03:00")
        assert budgets.tell(desk) == 0, "a new month, in which nothing is used"
        desk.clock = lambda: MARCH
        with desk.quiet():
            desk.books.execute("UPDATE budget SET alarmed = 0")
        monkeypatch.setattr(rows, "alarm", lambda *about: True)  # the twin: nobody notes it
        assert [budgets.tell(desk) for _ in range(2)] == [1, 1]


def test_a_budget_that_is_none_is_refused(url: str) -> None:
    with books(url) as desk:
        for wrong, code in (
            (row("reward", "cup", "money", 100), "unknown-item"),
            (row("reward", "cake", "money", 100), "unknown-item"),  # its voucher has the cost
            (row("", "", "times", 100), "counts-expected"),
            (row("", "", "money", 0), "amount-expected"),
            (row("", "", "money", 100, "week"), "window-expected"),
            (row("", "", "money", 100)._replace(alarm=101), "share-expected"),
        ):
            with pytest.raises(ProgramError) as caught:
                budgets.make(desk, wrong, By("test"))
            assert [each.code for each in caught.value.faults] == [code]
        number = budgets.make(desk, row("", "", "money", 100), By("test"))
        assert budgets.end(desk, 1, number, By("test"))
        assert not budgets.end(desk, 1, number, By("test"))
        assert budgets.standings(desk.books, desk.homes.numbered(1), MARCH) == []


def test_a_later_redemption_is_used(url: str) -> None:
    with books(url) as desk:
        when = instant("2024-03-09T10:00:00+02:00")
        event = Event("till", "more", when, "card:3", Redeem("mug"))
        before = stands(desk, row("reward", "mug", "money", 1_000)).used
        desk.submit([event], importing=True)
        assert stands(desk, row("reward", "mug", "money", 1_000)).used == before
        desk.checkpoint()
        catch_up(desk)
        assert stands(desk, row("reward", "mug", "money", 1_000)).used == before + 110
