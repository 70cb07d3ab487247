"""Links by mail: they sign in once, and nobody learns from them who is a member."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import kantis.desk
from kantis.core.events import Enrol, Event
from kantis.core.knobs import plain
from kantis.desk import keys, sessions, staff, text
from kantis.desk.audit import By
from kantis.desk.submit import Desk
from tests.doors.service.server import Server, served
from tests.doors.web.letters import Letters, link, mail_server
from tests.house.sources import REPO

ANNA = {"given_name": "Anna", "family_name": "Mäkinen", "email": "Anna@example.org"}
ASK = "/me/sign-in"


class Club:
    """A service with one program and a member whose address is known."""

    def __init__(self, server: Server, letters: Letters, store: Path, owner: str) -> None:
        self.server, self.letters, self.store, self.owner = server, letters, store, owner

    def browser(self, language: str = "en") -> httpx.Client:
        headers = {
            "accept": "text/html", "sec-fetch-site": "same-origin", "accept-language": language,
        }  # fmt: skip
        return httpx.Client(base_url=self.server.address, headers=headers, timeout=30)


def club(folder: Path, letters: Letters, url: str) -> Iterator[Club]:
    store = folder / "books.db"
    with kantis.desk.open(str(store)) as desk:
        source = (REPO / "programs" / "corner-cafe.yaml").read_text(encoding="utf-8")
        tree = plain(text.read(source))
        desk.publish(tree["program"], 0, source, tree)
        desk.submit([Event("till", "1", desk.clock(), "card:1", Enrol())], program="corner-cafe")
        assert isinstance(desk, Desk)
        number, _ = staff.invite(desk, "owner", "The owner", "owner", "", By("test"))
        owner = sessions.begin(desk, "a test", staff=number)
        key, _ = keys.make(desk, "Staff", "corner-cafe", "staff", "counter")
    options = ["--smtp", url, "--mail-from", "club@example.com", "--address", "http://club.test"]
    with served(store, options=options if url else []) as server:
        with server.client(key) as client:
            answer = client.post(
                "/v1/members", json={**ANNA, "language": "fi"},
                headers={"idempotency-key": '"anna"'},
            )  # fmt: skip
            assert answer.status_code == 201, answer.text
        yield Club(server, letters, store, owner)
        status, log = server.end()
        assert status == 0, log
        assert "anna@" not in log.lower()


@pytest.fixture(scope="module")
def mailed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Club]:
    with mail_server() as (letters, url):
        yield from club(tmp_path_factory.mktemp("mailed"), letters, url)


def test_a_link_signs_in_once(mailed: Club) -> None:
    with mailed.browser("en") as client:
        answer = client.post(ASK, data={"email": " anna@EXAMPLE.org "})
        assert answer.status_code == 200
        letter = mailed.letters.to("Anna@example.org")
        assert letter["from"] == "club@example.com"
        assert "vartin kuluessa" in letter.get_content(), "in the member's language"
        assert "http://club.test/open/" in letter.get_content()
        assert client.get(link(letter)).status_code == 200, "looking uses nothing up"
        assert client.post(link(letter)).headers["location"] == "/me?offer=1"
        assert client.get("/me").status_code == 200
    with mailed.browser() as other:
        assert other.get(link(letter)).status_code == 404
        assert other.post(link(letter)).status_code == 404
        assert other.get("/me").headers["location"].startswith("/me/sign-in")


def test_nobody_learns_who_is_a_member(mailed: Club) -> None:
    said = {}
    with mailed.browser() as client:
        for email in ("anna@example.org", "nobody@example.org"):
            answer = client.post(ASK, data={"email": email})
            said[email] = answer.status_code, answer.text.replace(email, "")
    assert said["anna@example.org"] == said["nobody@example.org"]
    mailed.letters.to("Anna@example.org", 2)
    time.sleep(1)
    assert {each["to"] for each in mailed.letters.came} == {"Anna@example.org"}


def test_what_is_no_address_is_said(mailed: Club) -> None:
    with mailed.browser() as client:
        for email in ("", "anna", "a@b", "anna@example.org\nbcc: x@example.org"):
            answer = client.post(ASK, data={"email": email})
            assert answer.status_code == 422
            assert "This is no e-mail address" in answer.text


def test_too_many_tries_are_refused_alike(mailed: Club) -> None:
    for email in ("often@example.org", "oftener@example.org"):
        with mailed.browser() as client:
            found = [client.post(ASK, data={"email": email}).status_code for _ in range(6)]
        assert found == [200] * 5 + [429]


def test_the_books_hold_no_address(mailed: Club) -> None:
    with sqlite3.connect(f"file:{mailed.store}?mode=ro", uri=True) as books:
        dumped = "\n".join(books.iterdump()).lower()
    assert "example.org" not in dumped
    assert b"example.org".hex() not in dumped


def test_without_a_mail_server_owners_find_the_letters(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    for here in club(folder, Letters(), ""):
        with here.browser() as client:
            client.post(ASK, data={"email": ANNA["email"]})
            client.post(ASK, data={"email": "nobody@example.org"})
        _owner_reads(here)


def _owner_reads(here: Club) -> None:
    with here.browser() as owner:
        owner.cookies.set("session", here.owner)
        for _ in range(100):
            page = owner.get("/c/corner-cafe/mails").text
            if "Member 2" in page:
                break
            time.sleep(0.1)
        assert page.count('action="/c/corner-cafe/mails/') == 1, page
        shown = owner.post("/c/corner-cafe/mails/1").text
        assert "Anna@example.org" in shown
        where = shown[shown.index("/open/") :].split()[0]
        assert owner.post("/c/corner-cafe/mails/999").status_code == 404
    with here.browser() as member:
        assert member.post(where).headers["location"] == "/me?offer=1"
