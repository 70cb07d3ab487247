"""The demo in a browser: it opens with a login for each role, says what it is, and goes away."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from kantis.desk import staff
from kantis.doors.cli import cast
from tests.doors.command import Kantis
from tests.doors.service.server import served

HOUSEHOLDS = 8
TIMEOUT_S = 30


@contextmanager
def opened(store: Path) -> Iterator[dict[str, Any]]:
    """What the command says, while it serves."""
    asked = ["demo", "--serve", "--households", str(HOUSEHOLDS), "--port", "0", "--json"]
    running = subprocess.Popen(
        [sys.executable, "-m", "kantis", *asked, "--store", str(store)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        lines = []
        for line in running.stdout:
            lines.append(line)
            if line == "}\n":
                break
        said = json.loads("".join(lines))
        assert httpx.get(f"{said['address']}/readyz", timeout=TIMEOUT_S).status_code == 200
        yield said
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=TIMEOUT_S)
    assert running.returncode == 0


def browser(address: str) -> httpx.Client:
    headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
    return httpx.Client(base_url=address, headers=headers, timeout=TIMEOUT_S, follow_redirects=True)


def sign_in(client: httpx.Client, login: dict[str, str]) -> httpx.Response:
    said = {"login": login["login"], "password": login["password"]}
    return client.post("/sign-in", data=said, follow_redirects=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "demo.db"


def test_it_opens_for_each_role_with_names_and_marks_each_page(store: Path, kantis: Kantis) -> None:
    with opened(store) as said:
        assert [each["role"] for each in said["logins"]] == [
            role for role in staff.ROLES if role != staff.PARTNER
        ]
        for login in said["logins"]:
            with browser(said["address"]) as client:
                assert sign_in(client, login).status_code == 303, login["role"]
                if login["role"] == "owner":
                    page = client.get("/c/grocer/members").text
                    assert "made-up names. Today is 1 January 2018 here" in page
        for member in said["members"]:
            assert member["name"] == cast.person(member["number"]).name
            with browser(said["address"]) as client:
                path = member["link"].removeprefix(said["address"])
                card = client.post(path)
                assert (card.url.path, card.status_code) == ("/me", 200)
                assert "made-up names" in card.text
        with browser(said["address"]) as client:
            paired = client.post("/till/pair", data={"code": said["till"]["code"]})
            assert paired.url.path == "/till/sign-in"
            assert "Demo cashier" in paired.text
        busy = kantis("demo", "--remove", "--yes", "--store", store)
        assert (busy.status, "[store-in-use]" in busy.err) == (3, True)
    found = kantis("member", "find", said["members"][0]["name"], "--store", store, "--json").json
    assert said["members"][0]["number"] in {card for each in found for card in each["cards"]}


def test_it_opens_again_as_it_was_left_with_new_passwords(store: Path, kantis: Kantis) -> None:
    with opened(store) as first:
        pass
    with opened(store) as again:
        assert [each["name"] for each in again["members"]] == [
            each["name"] for each in first["members"]
        ]
        old, new = first["logins"][0], again["logins"][0]
        assert old["login"] == new["login"]
        with browser(again["address"]) as client:
            assert sign_in(client, old).status_code != 303
            assert sign_in(client, new).status_code == 303


def test_what_is_served_without_the_demo_has_no_band(kantis: Kantis, cafe: Path) -> None:
    assert kantis("publish", cafe).status == 0
    with served(cafe.with_name("kantis.db")) as server, browser(server.address) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "made-up names" not in page.text


def test_it_goes_away_and_leaves_everything_else(store: Path, kantis: Kantis, cafe: Path) -> None:
    beside = store.with_name("notes.txt")
    beside.write_text("mine")
    asked = kantis("demo", "--remove", "--json", "--store", store)
    assert (asked.status, "[say-yes]" in asked.err) == (2, True)
    said = kantis("demo", "--remove", "--yes", "--json", "--store", store)
    assert str(store) in said.json["deleted"]
    assert list(store.parent.iterdir()) == [beside]
    assert kantis("publish", cafe).status == 0
    other = kantis("demo", "--remove", "--yes", "--store", "kantis.db")
    assert (other.status, "[not-a-demo]" in other.err) == (3, True)
    assert cafe.with_name("kantis.db").is_file()
    gone = kantis("demo", "--remove", "--store", store)
    assert (gone.status, "[no-store]" in gone.err) == (3, True)
