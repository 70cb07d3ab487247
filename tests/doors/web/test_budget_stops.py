"""A budget that stops, as people see it: the console, the portal, the till, and the API."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

import kantis.desk
from kantis.core.events import Enrol, Event, Line, Load, Purchase
from kantis.core.knobs import plain
from kantis.desk import budget_stops, keys, sessions, staff, text
from kantis.desk.audit import By
from kantis.desk.measures.tallying import catch_up
from kantis.desk.submit import Desk
from tests.doors.service.server import served
from tests.doors.web.conftest import Site
from tests.doors.web.looking import THEMES, WIDTHS, tab

PROGRAM = """
program: club
title: Tea club
money: EUR
timezone: Europe/Helsinki
balances: {points: {}}
prices:
  opening: {title: Opening week, where: {category: coffee}, off: 20 %, budget: 5.00 EUR}
earning:
  base: {give: 1 point per 1.00 EUR}
  launch: {title: Launch points, where: {category: tea}, give: 30 points, budget: 1000 points}
offers:
  first: {title: The first two, give: 5 points, budget: 2 times}
  bread: {title: Bread week, where: {category: bread}, give: 10 points, budget: 100 points}
"""


def basket(category: str, amount: int) -> Purchase:
    return Purchase((Line("1", "", 1, amount, category=category),))


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """A service in whose program one budget is used up, and one has too little left."""
    store: Path = tmp_path_factory.mktemp("club") / "books.db"
    with kantis.desk.open(str(store)) as desk:
        assert isinstance(desk, Desk)
        desk.publish("club", 0, PROGRAM, plain(text.read(PROGRAM)))
        now = desk.clock()
        deeds = [(card, Enrol()) for card in "123"] + [(card, Load("first")) for card in "123"]
        deeds += [("1", basket("tea", 700)), ("2", basket("tea", 900))]
        deeds += [("1", basket("coffee", 1_500)), ("2", basket("coffee", 1_200))]
        for number, (card, body) in enumerate(deeds):
            desk.submit([Event("till", f"{number}", now, f"card:{card}", body)])
        desk.checkpoint()
        catch_up(desk)
        budget_stops.tell(desk)
        number, _ = staff.invite(desk, "anna", "Anna", "owner", "", By("test"))
        tokens = {
            "owner": sessions.begin(desk, "a test", staff=number),
            "first": sessions.begin(desk, "a phone", account=1),
            "third": sessions.begin(desk, "a phone", account=3),
        }
        key, _ = keys.make(desk, "Till", "club", "till", "till-1")
    with served(store) as server:
        yield Site(server, tokens), key
        status, log = server.end()
        assert status == 0, log
        assert '"fault"' not in log


def test_the_console_says_what_is_used_left_and_who_went_without(club: tuple[Site, str]) -> None:
    with club[0].client("owner") as client:
        page = client.get("/c/club/budgets").text
        assert "Stops</a>: 2 of 2" in client.get("/c/club/rewards").text
        assert "1 budget has reached its alarm." in client.get("/c/club").text
        assert client.get("/c/club/measures").status_code == 200
    for said in ("Opening week", "€3.00", "of €5.00", "€2.00 left.", "1 purchase went without it."):
        assert said in page, said
    for said in ("The first two", "Used up", "60 points", "of 1,000 points", "Stopped on"):
        assert said in page, said


def test_the_portal_offers_nobody_what_is_used_up(club: tuple[Site, str]) -> None:
    with club[0].client("third") as client:
        page = client.get("/me/rewards").text
    assert "Bread week" in page
    assert "The first two" in page, "it was loaded, so it is said what became of it"
    assert "used up" in page
    with club[0].client("first") as client:
        page = client.get("/me/rewards").text
    assert "Bread week" in page
    assert "The first two" not in page


def test_a_quote_over_http_promises_nothing_of_it(club: tuple[Site, str]) -> None:
    site, key = club
    head = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=site.address, headers=head) as till:
        found = till.get("/v1/accounts/card:1/offers").json()["offers"]
        assert [each["offer"] for each in found] == ["bread"]
        for amount, off in ((1_500, []), (1_000, [["1", "opening", 200]])):
            lines = [{"id": "1", "product": "latte", "category": "coffee", "amount": amount}]
            body = {"type": "purchase", "subject": "card:3", "data": {"lines": lines}}
            told = till.post("/v1/quotes", json=body).json()
            assert [list(each.values()) for each in told["entry"].get("effects", [])] == off
            silent = {each["rule"]: each["why"] for each in told["forecast"]["silent"]}
            why = None if off else "Too little is left of its budget."
            assert silent.get("opening") == why


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_the_page_keeps_to_the_window(
    browser: Browser, club: tuple[Site, str], width: int, theme: str
) -> None:
    site = club[0]
    about = width, theme, "en", site.sessions["owner"]
    with tab(browser, site.address, *about) as looked:
        looked.page.goto("/c/club/budgets")
        assert looked.barriers() == []
        assert not looked.overflows()
        assert looked.complaints == []
