"""What members do on their own pages, without scripts; and the card without a network."""

import json

import pytest
from playwright.sync_api import Browser

from tests.doors.service.server import buy
from tests.doors.web.letters import link
from tests.doors.web.looking import LANGUAGES, tab
from tests.doors.web.test_joining import Site, _hidden, card_of, club

__all__ = ["club"]


def test_offers_and_choices_are_forms(club: Site) -> None:
    with club.browser() as client:
        club.join(client, "chooser@example.org")
        card = card_of(client.get("/me").text)
        page = client.get("/me/rewards").text
        answer = client.post(
            "/me/offers", data={"offer": "double", "form": _hidden(page, "form")}
        )  # fmt: skip
        assert answer.headers["location"] == "/me/rewards?done=1#main"
        club.till.post("/v1/events", json=buy("chooser-buys", card, 20))
        assert '<p class="figure">40</p>' in client.get("/me").text, "twice as many"
        for value, became in (("seas", "done"), ("moon", "no"), ("", "no")):
            answer = client.post("/me/choices", data={"choice": "cause", "value": value})
            assert answer.headers["location"] == f"/me/rewards?{became}=1#main"
        assert '<option value="seas" selected>' in client.get("/me/rewards").text
        calendar = client.get("/me/ends.ics").text
        assert "BEGIN:VEVENT\r\n" in calendar
        assert "SUMMARY:The Club: Last day for 40 points" in calendar
        assert all(len(line.encode()) <= 75 for line in calendar.split("\r\n"))


def test_consents_are_given_and_taken_back(club: Site) -> None:
    with club.browser() as client:
        club.join(client, "agrees@example.org", news="1")
        assert "not confirmed yet" in client.get("/me/you").text
        client.post("/me/consents", data={"field": "news", "granted": "0"})
        client.post("/me/consents", data={"field": "habits", "granted": "1"})
        assert client.post("/me/consents", data={"field": "all"}).status_code == 404
        kept = json.loads(client.get("/me/export").text)
        said = [(x["purpose"], x["granted"]) for x in kept["member"]["person"]["consents"]]
        assert said == [
            ("terms", True), ("news by e-mail", True), ("news by e-mail", False),
            ("offers from purchases", True),
        ]  # fmt: skip
        news = kept["member"]["person"]["consents"][1]
        assert news["wording"].startswith("Write to me by e-mail about offers and news.")
        assert kept["member"]["person"]["unconfirmed"] == "agrees@example.org"
        assert [x["who"] for x in kept["readings"]][-1] == "the member"
        assert kept["account"]["cards"]


def test_other_devices_are_signed_out(club: Site) -> None:
    with club.browser() as first, club.browser() as second:
        club.join(first, "devices@example.org")
        second.post(link(club.letters.to("devices@example.org")))
        assert second.get("/me").status_code == 200
        assert "Sign out everywhere else" in first.get("/me/you").text
        first.post("/me/sign-out-elsewhere")
        assert second.get("/me").status_code == 303
        assert first.get("/me").status_code == 200


def test_who_leaves_is_erased(club: Site) -> None:
    with club.browser() as client, club.browser() as other:
        club.join(client, "leaves@example.org")
        other.post(link(club.letters.to("leaves@example.org")))
        card = card_of(client.get("/me").text)
        club.till.post("/v1/events", json=buy("leaver-buys", card, 7))
        page = client.get("/me/leave").text
        assert "7 points" in page
        assert f"Card {card}" in page
        assert client.post("/me/leave", data={}).status_code == 422, "nobody is sure"
        assert client.post("/me/leave", data={"sure": "1"}).status_code == 200
        assert client.get("/me").status_code == 303
        assert other.get("/me").status_code == 303
        assert club.till.get(f"/v1/accounts/card:{card}").json()["cards"] == [card]
        answer = club.till.post("/v1/events", json={**buy("after", card, 7), "ask": True})
        assert answer.status_code >= 400, answer.text
        assert client.post("/me/sign-in", data={"email": "leaves@example.org"}).status_code == 200


def test_nobody_leaves_on_an_old_sign_in(club: Site) -> None:
    """The twin of the test above: the same form, signed in for longer than a quarter of an hour."""
    with club.browser() as client:
        client.cookies.set("member", club.old)
        page = client.get("/me/leave").text
        assert 'name="sure"' not in page
        assert "Send me a link" in page
        assert client.post("/me/leave", data={"sure": "1"}).status_code == 422
        assert client.get("/me").status_code == 200
        assert "A link is on its way" in client.post("/me/prove").text
    with club.browser() as client:
        client.post(link(club.letters.to("old@example.org")))
        assert client.post("/me/leave", data={"sure": "1"}).status_code == 200
        assert client.get("/me").status_code == 303


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_own_pages_have_no_barrier(browser: Browser, club: Site, theme: str, width: int) -> None:
    with club.browser() as client:
        club.join(client, f"looks-{theme}-{width}@example.org", news="1")
        session = client.cookies["member"]
    with tab(browser, club.address, width, theme, session=session) as looked:
        for path in ("you", "rewards?no=1", "leave", "friends", "rewards?done=1"):
            looked.page.goto(f"/me/{path}")
            assert looked.barriers() == [], path
            assert not looked.overflows(), path
        looked.page.goto("/p/club?visits=8&amount=4,50")
        assert looked.barriers() == []
        assert looked.complaints == []


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_is_there_without_a_network(browser: Browser, club: Site, language: str) -> None:
    with club.browser() as client:
        club.join(client, f"offline-{language}@example.org")
        session = client.cookies["member"]
    with tab(browser, club.address, language=language, session=session) as looked:
        page = looked.page
        page.goto("/me")
        for _ in range(200):
            if page.evaluate("navigator.serviceWorker.getRegistration().then(r => !!r?.active)"):
                break
            page.wait_for_timeout(100)
        page.goto("/me")
        card = page.locator(".digits").inner_text()
        page.context.set_offline(True)
        page.goto("/me")
        assert page.locator(".digits").inner_text() == card
        page.goto("/me/history")
        assert page.locator(".digits").inner_text() == card, "the card stands for all pages"
        page.context.set_offline(False)
        page.goto("/me")
        page.locator("footer form button").click()
        page.wait_for_url("**/p/club")
        page.context.set_offline(True)
        with pytest.raises(Exception, match="ERR_"):
            page.goto("/me")
