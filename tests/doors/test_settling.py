"""settlement: statements for people and for scripts."""

from pathlib import Path

from kantis import desk as desks
from kantis.core.events import Enrol, Event, Line, Purchase
from tests.doors.command import Kantis

MARCH = 1_709_251_200_000  # 2024-03-01 00:00 UTC
FILE = """\
program: market
money: EUR
timezone: UTC
balances: {points: {}}
earning: {shopping: {give: the partner's rate}}
partners: {dairy: {give: 1 point per 1.00 EUR, issuing: 0.0035 EUR per 1 point}}
"""


def test_a_statement_is_told(kantis: Kantis, cafe: Path) -> None:
    path = cafe.with_name("market.yaml")
    path.write_text(FILE)
    kantis("publish", path)
    days = ("--from", "2024-03-01", "--to", "2024-03-31")
    assert "Nothing was owed" in kantis("settlement", *days).out
    buys = Purchase((Line("1", "", 1, 10_100),), partner="dairy")
    with desks.open("kantis.db") as desk:
        events = [
            Event("t", "e", MARCH, "card:1", Enrol()),
            Event("t", "p", MARCH + 1, "card:1", buys),
        ]
        desk.submit(events, importing=True)
    said = kantis("settlement", *days).out
    assert "dairy, receivable" in said
    assert "101 points" in said
    assert "0.35 EUR" in said
    (statement,) = kantis("settlement", *days, "--json").json["statements"]
    assert statement["total"] == "0.35"
    assert statement["lines"][0]["exact"] == "0.35350000"
    later = kantis("settlement", "--from", "2024-04-01", "--to", "2024-04-30").out
    assert "0.00 EUR" in later


def test_a_period_that_is_none_is_refused(kantis: Kantis, cafe: Path) -> None:
    kantis("publish", cafe)
    wrong = kantis("settlement", "--from", "2024-03-31", "--to", "2024-03-01")
    assert (wrong.status, "[dates-reversed]" in wrong.err) == (2, True)
    wrong = kantis("settlement", "--from", "March", "--to", "2024-03-01")
    assert (wrong.status, "[date-expected]" in wrong.err) == (2, True)
