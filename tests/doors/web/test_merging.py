"""Two cards become one in the console: it is shown before, and done once."""

import pytest
from playwright.sync_api import Browser

from tests.doors.web.conftest import Site
from tests.doors.web.looking import tab


@pytest.mark.browser
def test_support_sees_what_comes_and_makes_one_of_two(browser: Browser, site: Site) -> None:
    with site.client("owner") as client:
        for number in (11, 12):
            assert client.get(f"/c/corner-cafe/members/{number}").status_code == 200
    path = "/c/corner-cafe/members/11"
    with tab(browser, site.address, session=site.sessions["support"]) as looked:
        page = looked.page
        page.goto(path)
        page.get_by_role("link", name="Make one of two cards").click()
        page.get_by_label("The other card of the same person").fill("nobody")
        page.get_by_role("button", name="Show what would come").click()
        assert "Nobody has this card." in page.get_by_role("alert").inner_text()
        page.get_by_label("The other card of the same person").fill("12")
        page.get_by_role("button", name="Show what would come").click()
        assert "became a part of this account" in page.inner_text("main")
        assert "This cannot be undone." in page.inner_text("main")
        assert looked.barriers() == []
        assert not looked.overflows()
        page.get_by_role("button", name="Make one of them").click()
        page.wait_for_url(f"**{path}")
        assert "became a part of this account" in page.inner_text("main")
        page.goto(f"{path}/merge?other=12")
        assert "became a part of another one before" in page.get_by_role("alert").inner_text()
        assert looked.complaints == []
