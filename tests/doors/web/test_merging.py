"""Two cards become one in the console: it is shown before, and done once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import kantis.desk
from kantis.core.events import Enrol, Event, Line, Purchase
from kantis.desk.submit import Desk
from tests.doors.service.server import served
from tests.doors.web.conftest import Site, begin, publish
from tests.doors.web.looking import tab


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Site]:
    """A site whose first member has another card, with a full stamp card on it."""
    store = str(tmp_path / "books.db")
    with kantis.desk.open(store) as desk:
        assert isinstance(desk, Desk)
        publish(desk)
        tokens = begin(desk)
        cups = Purchase((Line("1", "latte", 11, 3_900, category="coffee"),))
        bodies = [("other", Enrol()), ("cups", cups)]
        events = [Event("till", id, desk.clock(), "card:6407002", body) for id, body in bodies]
        assert desk.submit(events, program="corner-cafe")[-1].refusal is None
    with served(Path(store)) as server:
        yield Site(server, tokens)


@pytest.mark.browser
def test_support_sees_what_comes_and_makes_one_of_two(browser: Browser, two: Site) -> None:
    path = "/c/corner-cafe/members/1"
    with tab(browser, two.address, session=two.sessions["support"]) as looked:
        page = looked.page
        page.goto(path)
        page.get_by_role("link", name="Make one of two cards").click()
        page.get_by_label("The other card of the same person").fill("nobody")
        page.get_by_role("button", name="Show what would come").click()
        assert "Nobody has this card." in page.get_by_role("alert").inner_text()
        page.get_by_label("The other card of the same person").fill("6407002")
        page.get_by_role("button", name="Show what would come").click()
        assert "The card 6407002 became a part of this account" in page.inner_text("main")
        who = page.locator("section[aria-labelledby=comes] a")
        assert who.count() == 2, "who both are, so that nobody merges the wrong ones"
        assert "This cannot be undone." in page.inner_text("main")
        assert looked.barriers() == []
        assert not looked.overflows()
        page.get_by_role("button", name="Make one of them").click()
        page.wait_for_url(f"**{path}")
        assert "The card 6407002 became a part of this account" in page.inner_text("main")
        page.goto(f"{path}/merge?other=6407002")
        assert "This is the same member." in page.get_by_role("alert").inner_text()
        assert looked.complaints == []
