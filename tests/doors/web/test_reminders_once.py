"""Of one thing and its last day a reminder leaves once, whatever happens; webhooks too."""

import json
import re
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

import kantis.desk
from kantis.core.events import Enrol, Event, Line, Purchase
from kantis.core.knobs import plain
from kantis.desk import chores, jobs, reminding, text
from kantis.desk.jobs import Job, Progress
from kantis.desk.submit import Desk
from kantis.desk.vault.opening import open_vault
from kantis.desk.vault.person import Person
from kantis.doors.outbound.postman import Postman
from kantis.doors.outbound.smtp import MailServer
from kantis.doors.outbound.smtp import mail_server as server_of
from kantis.store import reminding as rows
from tests.doors.web.letters import Letters, mail_server
from tests.doors.web.test_reminders import SOON

START = 1_700_000_000_000
DAY_MS = 86_400_000


class Dying(MailServer, frozen=True):
    """The process dies just after the letter was taken."""

    def send(self, message: EmailMessage) -> None:
        super().send(message)
        raise KeyboardInterrupt


class Club:
    """A desk with a member who has points that end in five days and wishes to be told."""

    def __init__(self, folder: Path, letters: Letters, url: str) -> None:
        self.now, self.folder, self.letters = START, str(folder / "keys"), letters
        desk = kantis.desk.open(str(folder / "books.db"), clock=lambda: self.now)
        assert isinstance(desk, Desk)
        self.desk, self.url = desk, url
        desk.publish("club", 0, SOON, plain(text.read(SOON)))
        line = (Line("1", "latte", 1, 4000),)
        for id, body in (("1", Enrol()), ("2", Purchase(line))):
            desk.submit([Event("till", id, self.now, "card:1", body)], program="club")
        vault = open_vault(desk, self.folder)
        vault.enrol(1, 1, "till/1", Person(given_name="An", email="an@example.org"), b"", self.now)
        desk.chore("wish_reminders", 1, {"points": 7})

    def look(self) -> str:
        """The job that looks for what ends."""
        return reminding.run(self.desk, a_job(), Progress(threading.Event()))

    def post(self, server: type[MailServer] = MailServer) -> list[str]:
        """What becomes of the letters that wait."""
        plain_server = server_of(self.url, "club@example.com")
        values = {name: getattr(plain_server, name) for name in MailServer.__struct_fields__}
        postman = Postman(self.folder, server(**values), "http://club.test")
        waiting = self.desk.books.rows("SELECT number FROM mail ORDER BY number")
        return [
            postman.run(self.desk, a_job(str(n)), Progress(threading.Event())) for (n,) in waiting
        ]


def a_job(about: str = "") -> Job:
    return Job(1, "mail", about, "running", 0, 0, "", 0, 1, 0, 0, "", 0, 0)


@pytest.fixture
def a_club(tmp_path: Path) -> Iterator[Club]:
    with mail_server() as (letters, url):
        club = Club(tmp_path, letters, url)
        with club.desk:
            yield club


def test_of_one_day_there_is_one_letter(a_club: Club) -> None:
    assert a_club.look() == "1 reminders, 0 messages"
    assert a_club.look() == "0 reminders, 0 messages"
    assert a_club.post() == ["done"]
    a_club.now += DAY_MS
    assert a_club.look() == "0 reminders, 0 messages"
    a_club.now += 10 * DAY_MS
    a_club.look()
    line = (Line("1", "latte", 1, 500),)
    event = Event("till", "3", a_club.now, "card:1", Purchase(line))
    a_club.desk.submit([event], program="club")
    assert a_club.look() == "1 reminders, 0 messages", "another day is another letter"
    assert a_club.post() == ["done"]
    first, second = a_club.letters.came
    assert "40 points" in first.get_content()
    assert "5 points" in second.get_content()


def test_without_what_is_known_there_would_be_two(
    a_club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the rows of what was told are looked past."""
    monkeypatch.setattr(rows, "known", lambda books, account: set())
    assert a_club.look() == "1 reminders, 0 messages"
    assert a_club.look() == "1 reminders, 0 messages"


def test_no_letter_comes_twice_after_a_crash(a_club: Club) -> None:
    a_club.look()
    with pytest.raises(KeyboardInterrupt):
        a_club.post(Dying)
    assert a_club.post() == ["may have left before"]
    assert a_club.post() == []
    assert len(a_club.letters.came) == 1


def test_without_its_guard_a_letter_would_come_twice(
    a_club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin of the test above: nobody writes down that a letter leaves."""
    monkeypatch.setitem(chores.CHORES, "begin_reminder", lambda *_: True)
    a_club.look()
    with pytest.raises(KeyboardInterrupt):
        a_club.post(Dying)
    assert a_club.post() == ["done"]
    assert len(a_club.letters.came) == 2


def test_a_server_that_is_down_is_tried_again(a_club: Club) -> None:
    a_club.look()
    url, a_club.url = a_club.url, "smtp://127.0.0.1:1"
    with pytest.raises(Exception, match="did not take a letter"):
        a_club.post()
    a_club.url = url
    assert a_club.post() == ["done"]
    assert len(a_club.letters.came) == 1


def test_who_stopped_it_meanwhile_gets_none(a_club: Club) -> None:
    a_club.look()
    a_club.desk.chore("stop_reminders", 1)
    assert a_club.post() == ["nothing to tell"]
    assert a_club.letters.came == []


def test_webhooks_are_told_once_of_what_ends(a_club: Club) -> None:
    kantis_hook(a_club.desk)
    assert a_club.look() == "1 reminders, 1 messages"
    assert a_club.look() == "0 reminders, 0 messages"
    found = a_club.desk.books.rows("SELECT type, body FROM delivery")
    said = json.loads(found[0][1])
    assert found[0][0] == "points.ending"
    assert said["type"] == "kantis.points.ending.v1"
    assert said["subject"] == "account:1"
    assert said["data"]["amount"] == 40
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", said["data"]["last"])
    assert "an@example.org" not in found[0][1].decode()


def kantis_hook(desk: Desk) -> None:
    desk.books.begin()
    desk.books.execute(
        "INSERT INTO webhook (number, id, program, name, url, types, state, reason, secret, "
        "entry_at, flag_at, version_at, created) VALUES (1, 'wh_1', 1, 'shop', 'https://x.test', "
        "'[\"*.ending\"]', 0, '', ?, 0, 0, 0, 0)",
        (b"",),
    )
    desk.books.commit()


def test_jobs_are_hastened_only_towards_now(a_club: Club) -> None:
    a_club.desk.chore("plan_jobs", START + 5, [(reminding.JOB, 1000)])
    a_club.desk.chore("wish_reminders", 1, {"points": 3})
    assert [x.due for x in jobs.jobs(a_club.desk.books)] == [START]
