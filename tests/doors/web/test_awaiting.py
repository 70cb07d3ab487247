"""Those whose signature a draft waits for get a letter in their language, once."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

import kantis.desk
from kantis.core.knobs import plain
from kantis.desk import awaiting, editing, signoffs, staff, text
from kantis.desk.audit import By
from kantis.desk.signoffs import Demand
from kantis.desk.submit import Desk
from tests.doors.service.server import served
from tests.doors.web.letters import WAIT_S, mail_server

CLUB = """\
program: club
title: {en: Club, fi: Kerho}
money: EUR
timezone: UTC
balances: {points: {expires: 12 months after earning}}
earning: {all: {give: 1 point per 1 EUR}}
"""
BY = By("test")
SECRET = "blue kettle on the stove"


def people(desk: Desk) -> dict[str, int]:
    """An owner, and two who sign: one with an address, one with a short name."""
    desk.publish("club", 0, CLUB, plain(text.read(CLUB)))
    found = {}
    for login, role in (
        ("olga@club.example", "owner"), ("mart@club.example", "auditor"), ("anh", "auditor"),
        ("kai@club.example", "cashier"),
    ):  # fmt: skip
        found[login], token = staff.invite(desk, login, login.partition("@")[0], role, "", BY)
        assert staff.accept(desk, token, SECRET) is not None
    signoffs.settle(desk, 1, Demand(1, ("auditor",)), found["olga@club.example"], BY)
    return found


def letters_in(store: Path) -> int:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as books:
        return int(books.execute("SELECT count(*) FROM mail").fetchone()[0])


def put_up(desk: Desk, number: int, points: int) -> int:
    draft = editing.read(CLUB.replace("1 point ", f"{points} points "))
    return editing.put_up(desk, draft, "", desk.clock(), By("olga@club.example", "Olga"), number)


def test_whose_signature_is_awaited_is_written_to(tmp_path: Path) -> None:
    store = tmp_path / "books.db"
    with kantis.desk.open(str(store)) as desk:
        assert isinstance(desk, Desk)
        found = people(desk)
        awaiting.speak(desk, found["mart@club.example"], "fi")
        owner = found["olga@club.example"]
        first = put_up(desk, owner, 2)
        assert put_up(desk, owner, 2) == first  # the same again is the same draft, and no letter
        signoffs.drop(desk, 1, put_up(desk, owner, 3), BY)
    with mail_server() as (letters, url):
        options = [
            "--smtp",
            url,
            "--mail-from",
            "club@example.com",
            "--address",
            "http://club.test",
        ]
        with served(store, options=options) as server:
            letter = letters.to("mart@club.example")
            assert letter["subject"] == "Allekirjoitustasi pyydetään: Kerho"
            said = letter.get_content()
            assert f"http://club.test/c/club/drafts/{first}" in said
            assert "Olga" in said
            assert "points" not in said  # no word of what it changes
            status, log = server.end()
            assert (status, '"fault"' in log) == (0, False)
        # nobody else: not the author, not who signs no draft; not for the one that was taken back
        assert [each["to"] for each in letters.came] == ["mart@club.example"]


def test_without_a_mail_server_no_letter_stays(tmp_path: Path) -> None:
    store = tmp_path / "books.db"
    with kantis.desk.open(str(store)) as desk:
        assert isinstance(desk, Desk)
        put_up(desk, people(desk)["olga@club.example"], 2)
    assert letters_in(store) == 1
    with served(store) as server:
        end = time.monotonic() + WAIT_S
        while letters_in(store):
            assert time.monotonic() < end, "the letter stays"
            time.sleep(0.1)
        assert server.end()[0] == 0


@pytest.mark.parametrize("gone", [False, True])
def test_a_language_goes_with_who_left(tmp_path: Path, gone: bool) -> None:
    with kantis.desk.open(str(tmp_path / "books.db")) as desk:
        assert isinstance(desk, Desk)
        number = people(desk)["mart@club.example"]
        awaiting.speak(desk, number, "vi")
        if gone:
            staff.end(desk, number, BY)
        assert (desk.books.one("SELECT count(*) FROM staff_language") == 0) == gone
