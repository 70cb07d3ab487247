"""Reminders: chosen by the member, sent once, stopped with one press; webhooks are told too."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from tests.doors.service.server import buy
from tests.doors.web.letters import link
from tests.doors.web.looking import LOOKS, WIDTHS, tab
from tests.doors.web.test_joining import CLUB, Site, card_of, opened

SOON = CLUB.replace("12 months after earning", "5 days after earning")


@pytest.fixture(scope="module")
def soon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("reminders"), SOON) as site:
        yield site


def come(site: Site, client: httpx.Client, email: str) -> None:
    """Somebody joins, confirms the address, and buys."""
    site.join(client, email)
    client.post(link(site.letters.to(email)))
    card = card_of(client.get("/me").text)
    assert site.till.post("/v1/events", json=buy(f"buy-{email}", card, 40)).status_code == 200


def test_a_member_chooses_is_reminded_once_and_stops_it(soon: Site) -> None:
    with soon.browser() as client, soon.browser() as other:
        come(soon, client, "wants@example.org")
        come(soon, other, "does-not@example.org")
        assert '<option value="0" selected>' in client.get("/me/you").text, "off by default"
        client.post("/me/reminders", data={"points": "7", "offer": "0"})
        letter = soon.letters.to("wants@example.org", 2)
        assert "40 points" in letter.get_content()
        assert letter["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
        kept = json.loads(client.get("/me/export").text)["member"]["person"]["consents"]
        assert [x["granted"] for x in kept if x["purpose"] == "reminders of points"] == [True]
        client.post("/me/reminders", data={"points": "14"})  # it looks again, and finds no news
        client.post("/me/reminders", data={"points": "7"})
        stop = re.fullmatch(r"<http://x\.test(/stop/[0-9]+-[0-9a-f]+)>", letter["list-unsubscribe"])
        assert stop is not None
        bare = {"content-type": "application/x-www-form-urlencoded"}
        with httpx.Client(base_url=soon.address, headers=bare) as mailer:  # no browser of ours
            assert mailer.get(stop[1]).status_code == 200
            assert '<option value="7" selected>' in client.get("/me/you").text, "only looked"
            wrong = stop[1][:-1] + ("0" if stop[1][-1] != "0" else "1")
            assert mailer.post(wrong, content="List-Unsubscribe=One-Click").status_code == 404
            assert mailer.post("/me/reminders", content="points=7").status_code in (403, 404)
            answer = mailer.post(stop[1], content="List-Unsubscribe=One-Click")
            assert answer.status_code == 200
        assert '<option value="7" selected>' not in client.get("/me/you").text
        kept = json.loads(client.get("/me/export").text)["member"]["person"]["consents"]
        said = [x["granted"] for x in kept if x["purpose"] == "reminders of points"]
        assert said == [True, False]
        came = [x["to"] for x in soon.letters.came if x["list-unsubscribe"]]
        assert came == ["wants@example.org"]


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_the_choice_in_each_language(
    browser: Browser, soon: Site, language: str, width: int
) -> None:
    email = f"{language}-{width}-reminds@example.org"
    with soon.browser() as client:
        client.headers["accept-language"] = language
        come(soon, client, email)
        session = client.cookies["member"]
        theme = "dark" if width == WIDTHS[0] else "light"
        with tab(browser, soon.address, width, theme, language, session) as looked:
            looked.page.goto("/me/you")
            looked.page.locator("#remind-points").select_option("7")
            looked.page.locator("form[action='/me/reminders'] button").click()
            assert looked.page.locator("#remind-points").input_value() == "7"
            assert looked.barriers() == []
            assert not looked.overflows()
            letter = soon.letters.to(email, 2)
            stop = letter["list-unsubscribe"].strip("<>").removeprefix("http://x.test")
            looked.page.goto(stop)
            assert looked.barriers() == []
            looked.page.locator("main form button").click()
            assert looked.barriers() == []
            assert looked.complaints == []
