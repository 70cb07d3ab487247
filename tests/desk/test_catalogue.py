"""What rewards cost and who had them: worked out by hand, a fold of the books, and twins."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import kantis.desk
from kantis.core.account import decode_account
from kantis.core.calendar import instant
from kantis.core.events import (
    Body,
    Cancel,
    Capture,
    Enrol,
    Event,
    Line,
    Load,
    Purchase,
    Redeem,
    Refund,
    Release,
    Use,
)
from kantis.core.knobs import plain
from kantis.desk import text
from kantis.desk.measures import counting, had
from kantis.desk.measures.catalogue import Item, catalogue
from kantis.desk.measures.figures import measure
from kantis.desk.measures.tallying import catch_up, differences
from kantis.desk.submit import Desk

PROGRAM = """
program: shop
money: EUR
timezone: Europe/Helsinki
balances:
  points: {expires: never}
earning:
  shopping: {give: 1 point per 1.00 EUR}
offers:
  tea-week: {where: {category: tea}, off: 10 %, uses: 2, worth: 2.00 EUR}
  bonus: {give: 20 points, uses: 1, costs us: 0.15 EUR}
rewards:
  mug: {cost: 40 points, gives: a mug, worth: 6.00 EUR, costs us: 1.10 EUR}
  money-off: {rate: 1.00 EUR per 100 points, least: 50 points}
  cake: {cost: 30 points, gives: {voucher: cake}}
vouchers:
  cake: {good for: a cake, worth: 3.50 EUR, costs us: 0.90 EUR, valid: 30 days}
"""


def basket(amount: int, **more: object) -> Purchase:
    return Purchase((Line("1", "tea", 1, amount, category="tea"),), **more)  # type: ignore[arg-type]


HISTORY: list[tuple[str, str, Body]] = [
    ("2024-01-05T10:00", "1", Enrol()),
    ("2024-01-05T10:01", "2", Enrol()),
    ("2024-01-05T10:02", "3", Enrol()),
    ("2024-01-05T10:03", "1", Load("bonus")),
    ("2024-01-05T11:00", "1", basket(30_000)),  # 300 points, and 20 of the offer
    ("2024-01-05T11:01", "2", basket(10_000)),  # 100
    ("2024-01-05T11:02", "3", basket(3_500)),  # 35
    ("2024-01-06T10:00", "1", Redeem("mug")),
    ("2024-02-20T10:00", "1", Redeem("mug", hold=True)),
    ("2024-02-20T10:01", "1", Capture("8")),
    ("2024-02-20T10:02", "2", Redeem("mug", hold=True)),
    ("2024-02-20T10:03", "2", Release("10")),
    ("2024-02-21T10:00", "2", Redeem("mug")),
    ("2024-02-21T10:01", "2", Cancel("12")),
    ("2024-03-01T10:00", "1", Redeem("cake")),
    ("2024-03-02T10:00", "1", Use("")),
    ("2024-03-03T10:00", "2", basket(1_000, points={"money-off": 60})),
    ("2024-03-04T10:00", "3", Load("tea-week")),
    ("2024-03-04T10:01", "3", basket(2_000)),
    ("2024-03-05T10:00", "1", Refund("4")),
]
NOW = instant("2024-03-06T12:00:00+02:00")


@contextmanager
def books(url: str) -> Iterator[Desk]:
    """The history in books."""
    with kantis.desk.open(url) as desk:
        assert isinstance(desk, Desk)
        desk.publish("shop", 0, PROGRAM, plain(text.read(PROGRAM)))
        for number, (at, card, body) in enumerate(HISTORY):
            when = instant(f"{at}:00+02:00")
            if isinstance(body, Use):
                row = desk.books.account(1)
                assert row is not None
                (code,) = decode_account(row.snapshot).vouchers
                body = Use(code)
            event = Event("till", str(number), when, f"card:{card}", body)
            (result,) = desk.submit([event], importing=True)
            assert result.outcome == "decided", (number, result)
            assert result.refusal is None, (number, result)
        desk.checkpoint()
        catch_up(desk)
        yield desk


def found(desk: Desk, now: int = NOW) -> dict[str, Item]:
    items = catalogue(desk.books, desk.homes.numbered(1), now).items
    return {f"{each.what} {each.name}": each for each in items}


def test_what_was_had_and_what_it_cost(url: str) -> None:
    with books(url) as desk:
        items = found(desk)
        mug = items["reward mug"]
        assert (mug.times, mug.members, mug.ever) == ([1, 2, 2], [1, 1, 1], 2)
        assert (mug.worth, mug.costs_us, mug.cost, mug.each) == (600, 110, 220, 110)
        off = items["reward money-off"]
        assert (off.ever, off.cost, off.members) == (1, 60, [1, 1, 1])
        cake = items["reward cake"]
        assert (cake.ever, cake.cost, cake.via) == (1, None, "cake")
        voucher = items["voucher cake"]
        assert (voucher.ever, voucher.worth, voucher.cost) == (1, 350, 90)
        tea = items["offer tea-week"]
        assert (tea.ever, tea.cost, tea.worth) == (1, 200, 200)
        assert (items["offer bonus"].ever, items["offer bonus"].cost) == (1, 15)


def test_who_has_enough(url: str) -> None:
    with books(url) as desk:
        # member 1 owes the refund and has nothing; 2 has 40 + 9.40 spent; 3 has 35 + 18
        purses = dict(
            desk.books.rows("SELECT account, available FROM balance WHERE balance = 'points'")
        )
        items = found(desk)
        for name in ("mug", "money-off"):
            item = items[f"reward {name}"]
            enough = sum(1 for n in purses.values() if n >= item.points)
            nearly = sum(1 for n in purses.values() if item.points > n >= item.points * 3 / 4)
            assert (item.can, item.near) == (enough, nearly)
        assert sum(items[f"reward {name}"].can or 0 for name in ("mug", "money-off")) > 0


def test_measures_count_what_one_costs(url: str) -> None:
    with books(url) as desk:
        january, february, march = measure(desk.books, desk.homes.numbered(1)).months
        assert january.points_cost == 110, "a mug, and not its 40 points"
        assert (january.offered, march.offered) == (20, -20), "given, and taken back by a refund"
        assert february.points_cost == 110
        assert march.voucher_cost == 90, "what a cake costs, and not the 3.50 that it is worth"
        assert march.points_cost == 60
        assert march.price_cuts == 200
        tree = PROGRAM.replace(", costs us: 1.10 EUR", "")
        desk.publish("shop", NOW, tree, plain(text.read(tree)))
        months = measure(desk.books, desk.homes.numbered(1)).months
        assert months[0].points_cost == 110, "a later version changes no earlier month"


def test_it_is_a_fold_of_the_books(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with books(url) as desk:
        assert differences(desk.books) == []
        before = found(desk)
        catch_up(desk, again=True)
        assert found(desk) == before
        with desk.quiet():  # the twin: a row that somebody changed shows
            desk.books.execute("UPDATE tallied_had SET times = times + 1 WHERE name = 'reward mug'")
        assert {key[3] for key, _, _ in differences(desk.books)} == {"reward mug"}
        catch_up(desk, again=True)
        monkeypatch.setattr(had, "_ended", lambda cause, decision: ())
        assert {key[2] for key, _, _ in differences(desk.books)} == {counting.HAD, "who"}, (
            "the twin: nothing is captured or cancelled"
        )
