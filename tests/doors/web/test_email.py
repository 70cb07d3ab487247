"""Another e-mail address: on a fresh sign-in, confirmed at the new one, told to the old one."""

import json
import re

import httpx
import pytest
from playwright.sync_api import Browser

from tests.doors.web.letters import link, lock
from tests.doors.web.looking import LOOKS, WIDTHS, tab
from tests.doors.web.test_joining import Site, club

__all__ = ["club"]


def come(site: Site, client: httpx.Client, email: str) -> None:
    """Somebody joins and confirms their address."""
    site.join(client, email)
    assert client.post(link(site.letters.to(email))).headers["location"] == "/me?offer=1"


def addresses(client: httpx.Client) -> tuple[str, str]:
    """The address that counts, and the one that is to be confirmed."""
    kept = json.loads(client.get("/me/export").text)["member"]["person"]
    return kept["email"], kept["unconfirmed"] or ""


def test_the_new_address_confirms_and_the_old_one_hears_of_it(club: Site) -> None:
    with club.browser() as client:
        come(club, client, "before@example.org")
        answer = client.post("/me/email", data={"email": "after@example.org"})
        assert answer.headers["location"] == "/me/you?letters=1"
        assert addresses(client) == ("before@example.org", "after@example.org")
        told = club.letters.to("before@example.org", 2)
        assert "Somebody who is signed in to your card" in told.get_content()
        assert "after@example.org" not in told.get_content()
        asked = club.letters.to("after@example.org")
        assert "confirms your new e-mail address" in asked.get_content()
        assert "It was not me" in client.get(lock(told)).text  # looking changes nothing
        assert addresses(client) == ("before@example.org", "after@example.org")
        client.post(link(asked))
        assert addresses(client) == ("after@example.org", "")
        client.post("/me/sign-in", data={"email": "after@example.org"})
        assert club.letters.to("after@example.org", 2)


def test_the_owner_takes_the_change_of_a_stranger_back(club: Site) -> None:
    with club.browser() as thief, club.browser() as owner:
        come(club, thief, "owner@example.org")
        thief.post("/me/email", data={"email": "thief@example.org"})
        asked = club.letters.to("thief@example.org")
        warned = lock(club.letters.to("owner@example.org", 2))
        assert "Your card is locked" in owner.post(warned, data={"do": "lock"}).text
        assert thief.get("/me").status_code == 303
        with club.browser() as late:
            assert late.post(link(asked)).status_code == 404
            assert late.get("/me").status_code == 303, "the link signs nobody in any more"
        owner.post(warned, data={"do": "unlock"})
        owner.post(link(club.letters.to("owner@example.org", 3)))
        assert addresses(owner) == ("owner@example.org", "")


def test_the_link_to_one_address_confirms_no_other_one(club: Site) -> None:
    with club.browser() as client:
        come(club, client, "mine@example.org")
        client.post("/me/email", data={"email": "also-mine@example.org"})
        asked = club.letters.to("also-mine@example.org")
        client.post("/me/email", data={"email": "of-another@example.org"})
        assert client.post(link(asked)).status_code == 404
        assert addresses(client) == ("mine@example.org", "of-another@example.org")


def test_no_address_changes_on_an_old_sign_in(club: Site) -> None:
    """The twin: the same form, signed in for longer than a quarter of an hour."""
    with club.browser() as client:
        client.cookies.set("member", club.old)
        assert "Send me a link" in client.get("/me/email").text
        answer = client.post("/me/email", data={"email": "stolen@example.org"})
        assert answer.status_code == 422
        assert addresses(client) == ("old@example.org", "")


def test_what_is_no_address_is_said(club: Site) -> None:
    with club.browser() as client:
        come(club, client, "typo@example.org")
        answer = client.post("/me/email", data={"email": "typo@"})
        assert answer.status_code == 422
        assert re.search(r'aria-invalid="true"', answer.text)
        assert addresses(client) == ("typo@example.org", "")


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_the_form_in_each_language(browser: Browser, club: Site, language: str, width: int) -> None:
    email = f"{language}{width}-mail@example.org"
    with club.browser() as client:
        come(club, client, email)
        session = client.cookies["member"]
        theme = "dark" if width == WIDTHS[0] else "light"
        with tab(browser, club.address, width, theme, language, session) as looked:
            looked.page.goto("/me/email")
            assert looked.barriers() == []
            looked.page.locator("#email").fill(f"new-{email}")
            looked.page.locator("form[action='/me/email'] button").first.click()
            looked.page.wait_for_url("**letters=1")
            assert looked.barriers() == []
            assert not looked.overflows()
            assert f"new-{email}" in looked.page.locator("main").inner_text()
            assert looked.complaints == []
