"""Signing in, in a browser: an invitation, a wrong password, the people of a program."""

import pytest
from playwright.sync_api import Browser

from tests.doors.web.conftest import Site
from tests.doors.web.looking import tab

pytestmark = pytest.mark.browser
SECRET = "correct horse battery"


def test_somebody_is_invited_and_begins(browser: Browser, site: Site) -> None:
    with tab(browser, site.address, 1280, session=site.sessions["owner"]) as looked:
        page = looked.page
        page.goto("/people")
        page.get_by_label("Name").fill("Tuấn Nguyễn")
        page.get_by_label("Login").fill("Tuan@example.com")
        page.get_by_label("Role").select_option("support")
        page.get_by_role("button", name="Invite").click()
        link = page.locator(".notice code").inner_text()
        assert page.get_by_role("row", name="Tuấn Nguyễn").get_by_text("invited").count() == 1
        page.goto("/people")
        assert page.locator(".notice code").count() == 0
        assert looked.complaints == []
    with tab(browser, site.address, language="vi") as looked:
        page = looked.page
        page.goto(link)
        assert looked.barriers() == []
        page.locator("#password").fill(SECRET)
        page.get_by_role("button").first.click()
        page.wait_for_url("**/c/**")
        page.goto("/people")
        assert page.get_by_role("heading", level=1).inner_text() == "Không có trang này"
        page.goto(link)
        assert page.get_by_role("heading", level=1).inner_text() == "Không có trang này"


def test_a_wrong_password_says_so_and_a_right_one_goes_on(browser: Browser, site: Site) -> None:
    with tab(browser, site.address) as looked:
        page = looked.page
        page.goto("/c/corner-cafe/members")
        page.wait_for_url("**/sign-in?next=**")
        page.get_by_label("Login").fill("owner-1")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        assert "do not belong together" in page.get_by_role("alert").inner_text()
        assert page.locator("[name=next]").first.get_attribute("value") == "/c/corner-cafe/members"


def test_a_member_is_found_by_the_card(browser: Browser, site: Site) -> None:
    with tab(browser, site.address, session=site.sessions["support"]) as looked:
        page = looked.page
        page.goto("/c/corner-cafe")
        page.get_by_role("searchbox").fill("6407001")
        page.get_by_role("button", name="Find").click()
        page.wait_for_url("**/members/1")
        assert "2 stamps for own cup" in page.locator("main").inner_text()
        page.goto("/c/corner-cafe/members")
        page.get_by_role("searchbox").fill("<b>nobody")
        page.get_by_role("button", name="Find").click()
        assert "Nobody has <b>nobody here." in page.locator("main").inner_text()
        assert looked.complaints == []
