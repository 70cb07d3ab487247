"""Joining in a browser: the card at once, a letter that confirms, and nobody learns of others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

import kantis.desk
from kantis.core.events import Enrol, Event
from kantis.core.knobs import plain
from kantis.desk import keys, sessions, text
from kantis.desk import staff as people
from kantis.desk.audit import By
from kantis.desk.submit import Desk, wall_clock
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

    def __init__(
        self,
        address: str,
        letters: Letters,
        till: httpx.Client,
        counter: httpx.Client,
        old: str,
        manager: str,
    ) -> None:
        self.address, self.letters, self.till, self.old = address, letters, till, old
        self.counter, self.manager = counter, manager

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
    with opened(tmp_path_factory.mktemp("joining"), CLUB) as site:
        yield site


@contextmanager
def opened(
    folder: Path, source: str, prepare: Callable[[Desk], None] = lambda _: None, port: int = 0
) -> Iterator[Site]:
    """A service with a program of that name, and a mail server; with a port it knows that it is
    reached on this machine."""
    store = folder / "books.db"
    before = wall_clock() - 16 * 60_000
    with kantis.desk.open(str(store), clock=lambda: before) as desk:
        assert isinstance(desk, Desk)
        desk.publish("club", 0, source, plain(text.read(source)))
        key, _ = keys.make(desk, "Till", "club", "till", "till-1")
        staff, _ = keys.make(desk, "Staff", "club", "staff", "counter")
        desk.submit([Event("till", "1", desk.clock(), "card:1", Enrol())], program="club")
        old = sessions.begin(desk, "an old phone", account=1)
        prepare(desk)
        number, _ = people.invite(desk, "kaisa", "Kaisa", "manager", "", By("test"))
        manager = sessions.begin(desk, "a test", staff=number)
    with mail_server() as (letters, url):
        address = f"http://localhost:{port}" if port else "http://x.test"
        options = ["--smtp", url, "--mail-from", "club@example.com", "--address", address]
        options += ["--port", str(port)] if port else []
        with served(store, options=options) as server:
            with server.client(staff) as counter:
                said = {"given_name": "Ole", "email": "old@example.org", "card": "1"}
                head = {"idempotency-key": '"old"'}
                answer = counter.post("/v1/members", json=said, headers=head)
                assert answer.status_code == 201, answer.text
            with server.client(key) as till, server.client(staff) as counter:
                yield Site(server.address, letters, till, counter, old, manager)
            status, log = server.end()
            assert status == 0, log
            assert '"fault"' not in log
            assert "@example.org" not in log


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [390, 1280])
def test_join_then_buy_then_see_it(browser: Browser, club: Site, language: str, width: int) -> None:
    email = f"{language}-{width}@example.org"
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
        card = scanned(page.screenshot())[0][1]
        answer = club.till.post("/v1/events", json=buy(f"buy-{email}", card, 30))
        assert answer.status_code == 200, answer.text
        page.goto("/me")
        assert page.locator(".figure").first.inner_text() == "30"
        letter = club.letters.to(email)
        page.goto(link(letter))
        page.locator("main form button").click()
        page.wait_for_url("**/me?offer=1")
        assert looked.complaints == []


def test_whether_an_address_is_taken_is_not_told(club: Site) -> None:
    """The same answer; the owner of the address gets another letter, and keeps the card."""
    with club.browser() as first:
        answer = club.join(first, "both@example.org")
        assert answer.headers["location"] == "/me?joined=1"
        answer = first.post(link(club.letters.to("both@example.org")))
        assert answer.headers["location"] == "/me?offer=1"
        mine = first.get("/me").text
    with club.browser() as second:
        again = club.join(second, "both@example.org")
        assert (again.status_code, again.headers["location"]) == (303, "/me?joined=1")
        letter = club.letters.to("both@example.org", 2)
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


def test_a_friend_is_invited(club: Site) -> None:
    with club.browser() as host:
        club.join(host, "host@example.org")
        code = host.get("/me/friends").text.split("?by=")[1].split("<")[0].split('"')[0]
    with club.browser() as friend:
        club.join(friend, "friend@example.org", by=code)
        card = card_of(friend.get("/me").text)
        club.till.post("/v1/events", json=buy("friend-buys", card, 25))
        assert ">30<" in friend.get("/me").text, "25 for the purchase, and 5 for coming"
    with club.browser() as other:
        answer = club.join(other, "other@example.org", by=code[:-1] + "x")
        assert answer.status_code == 303, "a link that nobody made invites nobody"
