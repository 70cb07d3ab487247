"""A letter about a purchase leaves once, whatever happens, and to nobody who did not agree."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kantis.core.events import Enrol, Event, Line, Purchase
from kantis.desk import chores, surveys
from kantis.desk.audit import By
from kantis.desk.jobs import Progress
from kantis.desk.vault import answering
from kantis.desk.vault.opening import open_vault
from kantis.desk.vault.person import Person
from kantis.store import surveys as rows
from tests.doors.web.letters import mail_server
from tests.doors.web.test_reminders_once import Club, Dying, a_job


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Club]:
    """The club of the reminders, which asks; its member wishes letters, and has bought."""
    with mail_server() as (letters, url):
        club = Club(tmp_path, letters, url)
        with club.desk:
            club.desk.chore("wish_reminders", 1, {"points": 0, surveys.WISH: 1})
            row = surveys.USUAL._replace(program=1, live=1, hours=0)
            surveys.put(club.desk, row, By("test"))
            buy(club, "1", "3")
            yield club


def buy(club: Club, card: str, id: str) -> str:
    """Somebody buys, and is asked; what the job says."""
    event = Event("till", id, club.now, f"card:{card}", Purchase((Line("1", "latte", 1, 400),)))
    club.desk.submit([event], program="club")
    return surveys.run(club.desk, a_job(), Progress(threading.Event()))


def test_no_question_comes_twice_after_a_crash(asking: Club) -> None:
    with pytest.raises(KeyboardInterrupt):
        asking.post(Dying)
    assert asking.post() == ["may have left before"]
    assert len(asking.letters.came) == 1


def test_without_its_guard_a_question_would_come_twice(
    asking: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: nobody writes down that a letter leaves."""
    monkeypatch.setitem(chores.CHORES, "begin_question_mail", lambda *_: True)
    with pytest.raises(KeyboardInterrupt):
        asking.post(Dying)
    assert asking.post() == ["done"]
    assert len(asking.letters.came) == 2


def test_who_stopped_it_or_answered_meanwhile_gets_none(asking: Club) -> None:
    asking.desk.chore("stop_reminders", 1)
    assert asking.post() == ["nothing to tell"]
    asking.desk.chore("wish_reminders", 1, {surveys.WISH: 1})
    asking.now += 30 * 86_400_000 + 1
    assert buy(asking, "1", "4") == "1 questions, 0 gifts"
    (asked, _) = rows.of_account(asking.desk.books, 1, 5)
    surveys.answer(asking.desk, asking.desk.homes.numbered(1), asked.number, 4)
    assert asking.post() == ["nothing to tell"]
    assert asking.letters.came == []


def test_a_reply_is_told_once_and_without_its_words(asking: Club) -> None:
    (asked,) = rows.of_account(asking.desk.books, 1, 5)
    surveys.answer(asking.desk, asking.desk.homes.numbered(1), asked.number, 1)
    vault = open_vault(asking.desk, asking.folder)
    assert answering.reply(vault, asked, "So sorry", 0, By("test", "Kaisa"))
    (now,) = rows.of_account(asking.desk.books, 1, 5)
    assert answering.reply(vault, asked, "Very sorry", now.replied or 0, By("test", "Kaisa"))
    assert asking.post() == ["nothing to tell", "done"]
    (letter,) = asking.letters.came
    assert f"http://club.test/me/questions/{asked.number}" in letter.get_content()
    assert "sorry" not in letter.get_content()


def test_nobody_else_is_written_to(asking: Club) -> None:
    asking.desk.submit([Event("till", "5", asking.now, "card:2", Enrol())], program="club")
    open_vault(asking.desk, asking.folder).enrol(
        1, 2, "till/5", Person("Ole", email="ole@example.org"), b"", asking.now
    )
    assert buy(asking, "2", "6") == "1 questions, 0 gifts"
    assert asking.post() == ["done"], "the member who agreed"
    assert [each["to"] for each in asking.letters.came] == ["an@example.org"]
