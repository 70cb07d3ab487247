"""Measures: figures worked out by hand, tallies that are a fold of the books, and twins."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import kantis.desk
from kantis.core.calendar import day, instant
from kantis.core.events import Body, Enrol, Event, Line, Purchase, Redeem, Refund
from kantis.core.knobs import plain
from kantis.desk import text
from kantis.desk.measures import counting, tallying
from kantis.desk.measures.figures import Flow, Measures, Month, Pair, measure
from kantis.desk.measures.mixes import NAMED_MAX, mixed
from kantis.desk.measures.panels import board
from kantis.desk.measures.panels import plain as plain_cell
from kantis.desk.measures.tallying import catch_up, differences
from kantis.desk.submit import Desk

PROGRAM = """
program: shop
title: {en: Shop}
money: EUR
timezone: Europe/Helsinki
balances:
  points: {expires: 2 months after earning}
earning:
  shopping: {give: 1 point per 1.00 EUR}
rewards:
  money-off: {rate: 5.00 EUR per 100 points, least: 100 points, step: 100 points}
"""


def basket(amount: int, items: int = 1) -> Purchase:
    return Purchase((Line("1", "tea", items, amount),))


#: When (in Helsinki), whose, and what.
HISTORY: list[tuple[str, str, Body]] = [
    ("2024-01-05T10:00", "1", Enrol()),
    ("2024-01-05T10:01", "1", basket(15_000)),  # 150 points
    ("2024-01-09T10:00", "2", Enrol()),
    ("2024-01-09T10:01", "2", basket(5_000, 2)),  # 50 points
    ("2024-01-15T10:00", "1", basket(3_000)),  # 30 points; again after 10 days
    ("2024-02-01T00:30", "3", Enrol()),  # still January in London
    ("2024-02-01T00:31", "3", basket(2_000)),  # 20 points
    ("2024-02-02T09:00", "1", Redeem("money-off", points=100, basket=2_000)),
    ("2024-02-03T09:00", "1", basket(1_000)),  # 10 points
    ("2024-02-04T09:00", "2", Refund("3")),  # half of it: 25 points
    ("2024-02-05T09:00", "", basket(700)),
    ("2024-02-06T09:00", "", basket(500)),
    ("2024-03-20T09:00", "1", basket(4_000)),  # 40 points; what is left of January is over
]


@contextmanager
def books(url: str, history: list[tuple[str, str, Body]] = HISTORY) -> Iterator[Desk]:
    """The history in books."""
    with kantis.desk.open(url) as desk:
        assert isinstance(desk, Desk)
        desk.publish("shop", 0, PROGRAM, plain(text.read(PROGRAM)))
        for number, (at, card, body) in enumerate(history):
            if isinstance(body, Refund):
                body = Refund(body.of, (("1", 1),))
            when = instant(f"{at}:00+02:00")
            event = Event("till", str(number), when, f"card:{card}" if card else "", body)
            (result,) = desk.submit([event], importing=True)
            assert result.outcome in ("decided", "alone"), (number, result)
        desk.checkpoint()
        yield desk


def measured(desk: Desk) -> Measures:
    catch_up(desk)
    return measure(desk.books, desk.homes.numbered(1))


def row(flow: Flow) -> tuple[object, ...]:
    return flow.opening, flow.sides, flow.open, flow.closing


def people(month: Month) -> tuple[int, ...]:
    return month.joined, month.members, month.active


def test_figures_are_what_comes_out_by_hand(url: str) -> None:
    with books(url) as desk:
        found = measured(desk)
        january, february, march = found.months
        assert [each.first for each in found.months] == [
            day("2024-01-01"), day("2024-02-01"), day("2024-03-01"),
        ]  # fmt: skip
        assert [people(each) for each in found.months] == [(2, 2, 2), (1, 3, 2), (0, 3, 1)]
        assert (january.bought.count, january.bought.amount) == (3, 23_000)
        assert (february.bought.count, february.sales) == (2, 3_000 - 2_500)
        assert (february.alone.count, february.alone.amount) == (2, 1_200)
        assert row(january.flows["points"]) == (0, {"earned": 230}, 230, 230)
        sides = {"earned": 30, "redeemed": -100, "reversed": -25}
        assert row(february.flows["points"]) == (230, sides, 135, 135)
        # of January 80 of member 1 are over; 25 of member 2 are still to be swept
        assert row(march.flows["points"]) == (135, {"earned": 40, "expired": -80}, 95, 95)
        assert [each.points_liability for each in found.months] == [1_150, 675, 475]
        assert [each.cost for each in found.months] == [0, 500, 0]
        assert [(each.joined, each.active) for each in found.cohorts] == [
            (2, [2, 1, 1]), (1, [1, 0]), (0, [0]),
        ]  # fmt: skip
        assert found.cohorts[0].sales == [23_000, 1_000, 4_000]
        assert [(each.earned, each.spent) for each in found.earned] == [
            (230 - 25, 100), (30, 0), (40, 0),
        ]  # fmt: skip
        first = found.returns[0]
        assert (first.members, first.again, first.median) == (2, 1, 10)


def test_the_roll_forward_ends_at_what_stands_in_the_books(url: str) -> None:
    with books(url) as desk:
        found = measured(desk)
        for month in found.months:
            for flow in month.flows.values():
                assert flow.opening + sum(flow.sides.values()) == flow.closing
        purses = desk.books.purses(1)
        assert found.months[-1].flows["points"].purse == purses["points"]
        with desk.quiet():  # the twin: a tally that somebody changed shows
            desk.books.execute("UPDATE tally SET amount = amount + 1 WHERE part = '6>0'")
        changed = measure(desk.books, desk.homes.numbered(1))
        assert changed.months[-1].flows["points"].purse != purses["points"]
        assert {key[2] for key, _, _ in differences(desk.books)} == {counting.MOVED}


def bought(channel: str, **amounts: int) -> Purchase:
    """Lines of some types; ``other`` has none."""
    lines = [
        Line(f"{n}", "", 1, amount, category="" if kind == "other" else kind)
        for n, (kind, amount) in enumerate(amounts.items())
    ]
    return Purchase(tuple(lines), channel=channel)


MIXED: list[tuple[str, str, Body]] = [
    ("2024-01-05T10:00", "1", Enrol()),
    ("2024-01-05T10:01", "1", bought("till", coffee=600, cake=400)),
    ("2024-02-05T10:01", "1", bought("till", coffee=900, other=100)),
    ("2024-02-06T10:01", "1", bought("web", cake=3_000)),
    ("2024-02-07T10:01", "", bought("till", coffee=500)),
]


def test_what_is_bought_and_where_stands_beside_before_and_without_a_card(url: str) -> None:
    with books(url, MIXED) as desk:
        found = measured(desk)
        assert differences(desk.books) == []
        units = desk.homes.numbered(1).program.units
        shown = {each.key: each for each in board(found, units, months=1).panels}
        money = desk.homes.numbered(1).program.money

        def rows(key: str) -> list[list[object]]:
            return [[plain_cell(cell, money, units) for cell in row] for row in shown[key].rows]

        assert rows("products") == [
            ["cake", "30.00", "0.7500", "0.4000", "0.00", "0.0000"],
            ["coffee", "9.00", "0.2250", "0.6000", "5.00", "1.0000"],
            ["Not said", "1.00", "0.0250", "0.0000", "0.00", "0.0000"],
        ]
        assert rows("channels") == [
            ["web", 1, "0.5000", "0.0000", 0, "0.0000", "30.00", "30.00"],
            ["till", 1, "0.5000", "1.0000", 1, "1.0000", "10.00", "10.00"],
        ]
        assert rows("frequency") == [["2024-02", 1, 2, "2.0000"]]
        early = {each.key: each for each in board(found, units, 1, until=day("2024-01-01")).panels}
        assert early["products"].columns == ("Type of product", "By members", "Share")
        with desk.quiet():  # the twin: a type that somebody counted twice shows
            desk.books.execute("UPDATE tally SET amount = amount * 2 WHERE what = 'kinds'")
        assert {key[2] for key, _, _ in differences(desk.books)} == {counting.KINDS}


def test_many_types_stand_under_one_name() -> None:
    month = Month(1, kinds={f"type {n:02}": Pair(1, 100 - n) for n in range(20)})
    parts, whole = mixed([month], [], "kinds")
    assert [each.name for each in parts[:2]] == ["type 00", "type 01"]
    assert len(parts) == NAMED_MAX + 1
    assert (parts[-1].name, parts[-1].now.count) == ("Everything else", 8)
    assert sum(each.now.amount for each in parts) == whole.now.amount
    assert mixed([Month(1, kinds={"": Pair(1, 5)})], [], "kinds")[0] == []


def test_in_steps_and_at_once_is_the_same(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with books(url) as desk:
        catch_up(desk)
        at_once = measure(desk.books, desk.homes.numbered(1))
        assert differences(desk.books) == []
        monkeypatch.setattr(tallying, "STEP", 1)
        monkeypatch.setattr(tallying, "_EVENTS", 1)
        assert catch_up(desk, again=True) == 13, "11 events, and two times time alone"
        assert measure(desk.books, desk.homes.numbered(1)) == at_once
        assert differences(desk.books) == []
        assert catch_up(desk) == 0
        monkeypatch.setattr(counting, "with_month", lambda months, month: (months, True))
        assert differences(desk.books) != [], "the twin: a month that is counted for each purchase"


def test_only_what_is_sealed_is_counted(url: str) -> None:
    with books(url) as desk:
        before = measured(desk)
        late = Event("till", "late", instant("2024-03-21T09:00:00+02:00"), "card:3", basket(900))
        desk.submit([late], importing=True)
        assert measured(desk) == before
        desk.checkpoint()
        assert measured(desk).months[-1].bought.count == 2


def test_another_time_zone_counts_anew(url: str) -> None:
    with books(url) as desk:
        assert measured(desk).months[0].joined == 2
        moved = PROGRAM.replace("Europe/Helsinki", "Europe/London")
        desk.publish("shop", instant("2024-03-25T00:00:00Z"), moved, plain(text.read(moved)))
        assert measured(desk).months[0].joined == 3
        assert differences(desk.books) == []
