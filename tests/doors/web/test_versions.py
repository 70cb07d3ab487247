"""Versions in the console: what there is, what differs, and cancelling what has not begun."""

import datetime as dt

import pytest
from playwright.sync_api import Browser

from tests.doors.web.conftest import Site
from tests.doors.web.looking import LANGUAGES, tab
from tests.house.sources import REPO

SOURCE = (REPO / "programs" / "corner-cafe.yaml").read_text(encoding="utf-8")
PATH = "/c/corner-cafe/versions"


def publish(site: Site, about: str, days: int) -> None:
    """Another version of the café, so many days from now."""
    source = SOURCE.replace("about: ", f"about: {about} ", 1)
    assert source != SOURCE
    since = str(dt.datetime.now(dt.UTC).date() + dt.timedelta(days))
    with site.client("manager") as client:
        data = {"source": source, "do": "publish", "since": since}
        assert client.post("/c/corner-cafe/program", data=data).status_code == 303


@pytest.mark.browser
def test_a_scheduled_version_is_seen_compared_and_cancelled(browser: Browser, site: Site) -> None:
    publish(site, "Richer.", 30)
    with tab(browser, site.address, 1280, session=site.sessions["owner"]) as looked:
        page = looked.page
        page.goto(PATH)
        first = page.locator("main li").first
        assert "scheduled" in first.inner_text()
        assert "The manager" in first.inner_text()
        assert looked.barriers() == []
        first.get_by_role("link", name="What it changes").click()
        page.wait_for_url("**/difference?later=2")
        assert "+ about: Richer." in page.locator("pre ins").first.inner_text()
        assert page.locator("pre del").count() == 1
        assert "Version 2 holds for all members." in page.locator("main").inner_text()
        assert looked.barriers() == []
        assert not looked.overflows()
        page.goto(f"{PATH}/2")
        assert "about: Richer." in page.locator("pre").inner_text()
        assert looked.barriers() == []
        page.goto(PATH)
        page.get_by_role("button", name="Cancel").click()
        page.wait_for_url(f"**{PATH}")
        first = page.locator("main li").first.inner_text()
        assert "cancelled by The owner" in first
        assert page.get_by_role("button", name="Cancel").count() == 0
        assert looked.complaints == []
    for language in LANGUAGES:
        session = site.sessions["auditor"]
        with tab(browser, site.address, language=language, session=session) as looked:
            for path in (PATH, f"{PATH}/2", "/c/corner-cafe/difference?earlier=2&later=1"):
                looked.page.goto(path)
                assert looked.barriers() == []
                assert not looked.overflows()
    with site.client("owner") as client:  # the next one gets a number of its own
        publish(site, "Other.", 40)
        assert "Version 3" in client.get(PATH).text
        assert client.post(f"{PATH}/3/cancel").status_code == 303


def test_what_has_begun_is_not_cancelled(site: Site) -> None:
    with site.client("owner") as client:
        answer = client.post(f"{PATH}/1/cancel")
        assert (answer.status_code, "has begun" in answer.text) == (409, True)
        assert client.post(f"{PATH}/77/cancel").status_code == 404
        for path in (f"{PATH}/77", "/c/corner-cafe/difference?later=77", f"{PATH}/x"):
            assert client.get(path).status_code == 404
    with site.client("late") as client:
        answer = client.post(f"{PATH}/1/cancel")
        assert answer.headers["location"].startswith("/account/prove?next=")


def test_a_pilot_says_where_it_holds(site: Site) -> None:
    source = SOURCE + "\npilot: {locations: [harbour, station]}\n"
    day = str(dt.datetime.now(dt.UTC).date() + dt.timedelta(60))
    with site.client("manager") as client:
        data = {"source": source, "do": "publish", "since": day}
        answer = client.post("/c/corner-cafe/program", data=data)
        assert answer.status_code == 303, answer.text
        page = client.get(PATH).text
        assert "members who come to harbour, station" in page
        assert "and for nobody else" in client.get("/c/corner-cafe/difference").text
