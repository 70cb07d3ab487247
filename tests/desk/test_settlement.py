"""Statements of partners: reproducible, and they add up, line by line and month by month."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kantis import desk as desks
from kantis.core.events import Choose, Enrol, Event, Line, Purchase, Redeem, Refund
from kantis.core.knobs import plain
from kantis.desk import text
from kantis.desk.programs import Home, Homes
from kantis.desk.replay import redecide
from kantis.desk.settlement import Settlement, settle
from kantis.desk.submit import Desk
from kantis.desk.verify import verify

DAY = 86_400_000
MARCH = 1_709_251_200_000  # 2024-03-01 00:00 UTC
FILE = """\
program: market
money: EUR
timezone: UTC
balances: {points: {}, cause: {decimals: 2}}
earning:
  shopping: {give: the partner's rate}
  cause: {give: 1 % in cause}
  tasting: {for: tasting, give: 1 point, funded by: {dairy: 60 %, mill: 30 %}}
partners:
  dairy: {give: 1 point per 1.00 EUR, issuing: 0.0035 EUR per 1 point}
  mill: {give: 1 point per 1.00 EUR, issuing: 0.0035 EUR per 1 point,
         redeeming: 0.0033 EUR per 1 point}
choices: {cause: {options: [sea, forest]}}
payouts: {cause: {gives away: cause, charity: chosen cause, matched by: {mill: 1 times}}}
rewards: {pay: {rate: 0.01 EUR per 1 point}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Desk]:
    with desks.open(str(tmp_path / "books.db")) as desk:
        assert isinstance(desk, Desk)
        desk.publish("market", 0, FILE, plain(text.read(FILE)))
        yield desk


def home(desk: Desk) -> Home:
    homes = Homes(desk.engine)
    homes.refresh(desk.books)
    found = homes.find("market")
    assert found is not None
    return found


def trade(desk: Desk) -> None:
    """Two months of small purchases, a redemption and a refund, by two members."""
    events = [Event("t", f"e{card}", MARCH, f"card:{card}", Enrol()) for card in ("1", "2")]
    events.append(Event("t", "c", MARCH, "card:1", Choose("cause", "sea")))
    for n in range(60):
        line = (Line("1", "", 1, 100 + n * 7), Line("2", "", 1, 350))
        body = Purchase(line, partner="mill" if n % 3 else "dairy")
        events.append(Event("t", f"p{n}", MARCH + (n + 1) * DAY, f"card:{1 + n % 2}", body))
    events.append(
        Event("t", "r", MARCH + 20 * DAY, "card:2", Redeem("pay", 500, 7, partner="mill"))
    )
    events.append(Event("t", "b", MARCH + 45 * DAY, "card:1", Refund("p2", (("1", 1),))))
    events.sort(key=lambda event: event.time)
    results = desk.submit(events, importing=True)
    assert {each.outcome for each in results} == {"decided"}, results


def of(found: Settlement, name: str, position: str) -> tuple[int, int]:
    """(exact, coins) of a statement."""
    for each in found.statements:
        if (each.name, each.position) == (name, position):
            assert each.total == sum(line.coins for line in each.lines)
            return each.after - each.before, each.total
    return 0, 0


def test_months_add_up_to_their_quarter_and_lines_to_their_total(shop: Desk) -> None:
    trade(shop)
    months = [
        settle(shop.books, home(shop), MARCH + a * DAY, MARCH + b * DAY)
        for a, b in ((0, 31), (31, 61), (61, 92))
    ]
    whole = settle(shop.books, home(shop), MARCH, MARCH + 92 * DAY)
    assert not whole.problems
    names = {(each.name, each.position) for each in whole.statements}
    assert names == {
        ("dairy", "receivable"), ("mill", "receivable"), ("mill", "payable"),
        ("sea", "given"), ("forest", "given"),
    }  # fmt: skip
    for each in names:
        parts = [of(month, *each) for month in months]
        assert tuple(map(sum, zip(*parts, strict=True))) == of(whole, *each)
    assert of(whole, "mill", "payable") == (7 * 330_000, 2)


def test_the_same_period_gives_the_same_statement_whatever_came_later(shop: Desk) -> None:
    trade(shop)
    first = settle(shop.books, home(shop), MARCH, MARCH + 31 * DAY)
    body = Purchase((Line("1", "", 1, 9900),), partner="dairy")
    late = Event("t", "late", MARCH + 70 * DAY, "card:1", body)
    shop.submit([late], importing=True)
    assert settle(shop.books, home(shop), MARCH, MARCH + 31 * DAY) == first


def test_the_books_prove_themselves(shop: Desk) -> None:
    trade(shop)
    report = verify(shop.books)
    redecide(shop.books, report)
    assert report.ok, report.problems
    assert (report.redecided > 60, report.differences) == (True, 0)
    purses = {name for name, *_ in shop.books.rows("SELECT balance FROM balance")}
    assert purses == {"points", "cause"}, "no member has a purse of a partner's money"


def test_a_statement_whose_sides_differ_says_so(shop: Desk) -> None:
    """The twin: a posting that was taken away shows in the statement, and in the proof."""
    trade(shop)
    triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'posting'"
    for (name,) in shop.books.rows(triggers):
        shop.books.rows(f"DROP TRIGGER {name}")
    last = "SELECT max(account) FROM posting WHERE balance = 'dairy'"
    shop.books.rows(f"DELETE FROM posting WHERE balance = 'dairy' AND account = ({last})")
    found = settle(shop.books, home(shop), MARCH, MARCH + 92 * DAY)
    assert any("dairy" in problem for problem in found.problems)
    assert not verify(shop.books).ok
