"""Joining in a browser: the card at once, a letter that confirms, and nobody learns of others."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

import kantis.desk
from kantis.core.knobs import plain
from kantis.desk import keys, text
from tests.doors.service.server import buy, served
from tests.doors.web.letters import Letters, link, mail_server
from tests.doors.web.looking import LANGUAGES, tab
from tests.doors.web.test_portal import scanned

CLUB = """\
program: club
title: {en: The Club, fi: Kerho, et: Klubi, vi: Câu lạc bộ}
money: EUR
timezone: Europe/Helsinki
least age: 18
balances: {points: {expires: 12 months after earning}}
earning: {all: {give: 1 point per 1 EUR}}
rewards: {off: {cost: 100 points, gives: 5.00 EUR off}}
referrals: {friend: {spends: at least 20.00 EUR, give: {friend: 5 points, referrer: 10 points}}}
choices: {cause: {options: [forests, seas]}}
offers: {double: {on: all, multiply: 2 times}}
"""
NAMES = {"en": "Anna", "fi": "Väinö", "et": "Õie", "vi": "Nguyễn Thị Ánh"}


class Site:
    """A service with one program that anybody of age may join."""

    def __init__(self, address: str, letters: Letters, till: httpx.Client) -> None:
        self.address, self.letters, self.till = address, letters, till

    def browser(self) -> httpx.Client:
        headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=30)

    def join(self, client: httpx.Client, email: str, **more: str) -> httpx.Response:
        page = client.get("/p/club/join", params={"by": more.pop("by", "")}).text
        said = {
            "given_name": "Anna", "email": email, "birthday": "1990-05-17", "terms": "1",
            "form": _hidden(page, "form"), "by": _hidden(page, "by"),
        }  # fmt: skip
        return client.post("/p/club/join", data=said | more)


def _hidden(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="')[1].split('"')[0]


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    store = tmp_path_factory.mktemp("joining") / "books.db"
    with kantis.desk.open(str(store)) as desk:
        desk.publish("club", 0, CLUB, plain(text.read(CLUB)))
        key, _ = keys.make(desk, "Till", "club", "till", "till-1")
    with mail_server() as (letters, url):
        options = ["--smtp", url, "--mail-from", "club@example.com", "--address", "http://x.test"]
        with served(store, options=options) as server:
            with server.client(key) as till:
                yield Site(server.address, letters, till)
            status, log = server.end()
            assert status == 0, log
            assert '"fault"' not in log
            assert "@example.org" not in log


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [390, 1280])
def test_join_then_buy_then_see_it(browser: Browser, club: Site, language: str, width: int) -> None:
    email = f"{language}-{width}@example.org"
    known = len(club.letters.came)
    with tab(browser, club.address, width, language=language) as looked:
        page = looked.page
        page.goto("/p/club")
        page.locator("main a[href='/p/club/join']").click()
        assert looked.barriers() == []
        page.locator("#given_name").fill(NAMES[language])
        page.locator("#email").fill(email)
        page.locator("#birthday").fill("1990-05-17")
        page.locator("#news").check()
        page.locator("#terms").check()
        page.locator("main form button").click()
        page.wait_for_url("**/me?joined=1")
        assert looked.barriers() == []
        (card,) = scanned(page.screenshot())
        answer = club.till.post("/v1/events", json=buy(f"buy-{email}", card, 30))
        assert answer.status_code == 200, answer.text
        page.goto("/me")
        assert page.locator(".figure").first.inner_text() == "30"
        letter = club.letters.next(known + 1)
        assert letter["to"] == email
        page.goto(link(letter))
        page.locator("main form button").click()
        page.wait_for_url("**/me")
        assert looked.complaints == []


def test_whether_an_address_is_taken_is_not_told(club: Site) -> None:
    """The same answer; the owner of the address gets another letter, and keeps the card."""
    known = len(club.letters.came)
    with club.browser() as first:
        answer = club.join(first, "both@example.org")
        assert answer.headers["location"] == "/me?joined=1"
        assert first.post(link(club.letters.next(known + 1))).headers["location"] == "/me"
        mine = first.get("/me").text
    with club.browser() as second:
        again = club.join(second, "both@example.org")
        assert (again.status_code, again.headers["location"]) == (303, "/me?joined=1")
        letter = club.letters.next(known + 2)
        assert "You have a card already" in letter.get_content()
        assert card_of(second.get("/me").text) != card_of(mine)
    with club.browser() as third:
        third.post(link(letter))
        assert card_of(third.get("/me").text) == card_of(mine)


def card_of(page: str) -> str:
    return page.split('class="digits">')[1].split("<")[0]


def test_the_same_form_joins_once(club: Site) -> None:
    with club.browser() as client:
        page = client.get("/p/club/join").text
        said = {
            "given_name": "Anna", "email": "twice@example.org", "birthday": "1990-05-17",
            "terms": "1", "form": _hidden(page, "form"),
        }  # fmt: skip
        cards = []
        for _ in range(2):
            assert client.post("/p/club/join", data=said).status_code == 303
            cards.append(card_of(client.get("/me").text))
        assert cards[0] == cards[1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"birthday": "2020-01-01"}, "Members are at least 18 years old."),
        ({"birthday": ""}, "Please write a date of birth."),
        ({"given_name": " "}, "Please write your first name"),
        ({"email": "anna"}, "This is no e-mail address."),
        ({"terms": ""}, "Please read the terms first."),
    ],
)
def test_what_is_missing_is_said_and_nothing_kept(
    club: Site, wrong: dict[str, str], said: str
) -> None:
    with club.browser() as client:
        answer = club.join(client, **({"email": "wrong@example.org"} | wrong))
        assert answer.status_code == 422
        assert said in answer.text
        assert client.get("/me").status_code == 303
