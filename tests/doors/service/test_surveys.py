"""What members say about purchases, over HTTP: read, and replied to."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import kantis.desk
from kantis.core.events import Body, Enrol, Event, Line, Purchase
from kantis.desk import surveys
from kantis.desk.audit import By
from kantis.desk.jobs import Job, Progress
from kantis.desk.submit import Desk
from kantis.desk.vault import answering
from kantis.desk.vault.opening import open_vault
from kantis.desk.vault.person import Person
from kantis.store import surveys as rows
from tests.doors.service.conftest import Place, proved
from tests.doors.service.server import begin
from tests.doors.service.test_events import problem

ANSWERS = "/v1/survey-answers"
JOB = Job(1, surveys.JOB, "", "running", 0, 0, "", 0, 1, 0, 0, "", 0, 0)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A club with two answers, of two members: one with words, and a better one without."""
    store: Path = tmp_path_factory.mktemp("surveys") / "books.db"
    keys = begin(str(store), "club", "other")
    with kantis.desk.open(str(store)) as desk:
        assert isinstance(desk, Desk)
        vault = open_vault(desk)
        program = desk.books.programs()["club"]
        surveys.put(desk, surveys.USUAL._replace(program=program, live=1, hours=0), By("test"))
        for card, score, words in (("1", 2, "Cold!"), ("2", 5, "")):
            bodies: tuple[Body, ...] = (Enrol(), Purchase((Line("1", "latte", 1, 400),), "hill"))
            for n, body in enumerate(bodies):
                event = Event("shop-1", f"{card}-{n}", 0, f"card:{card}", body)
                (result,) = desk.submit([event], program="club")
            assert result.account is not None
            vault.enrol(program, result.account, f"shop-1/{card}-0", Person("Anna"), b"", 1)
            surveys.run(desk, JOB, Progress(threading.Event()))
            (row,) = rows.of_account(desk.books, result.account, 5)
            assert surveys.answer(desk, desk.homes.numbered(program), row.number, score)
            if words:
                assert answering.write(vault, row, words)
    with proved(store, keys) as place:
        yield place


def test_staff_reads_all_and_an_auditor_no_word(asked: Place) -> None:
    with asked.client("club/staff") as staff, asked.client("club/auditor") as auditor:
        found = staff.get(ANSWERS).json()
        assert [(x["score"], x["text"], x["location"]) for x in found["answers"]] == [
            (5, "", "hill"), (2, "Cold!", "hill"),
        ]  # fmt: skip
        bare = auditor.get(ANSWERS, params={"score": 2}).json()["answers"]
        assert [(x["score"], x["text"], x["reply"]) for x in bare] == [(2, None, None)]
        first = staff.get(ANSWERS, params={"limit": 1}).json()
        rest = staff.get(ANSWERS, params={"limit": 1, "cursor": first["next"]}).json()
        assert [x["score"] for x in (*first["answers"], *rest["answers"])] == [5, 2]
        member = found["answers"][1]["member"]
        read = staff.get(f"/v1/members/{member}/export").json()
        assert "answers" in [x["why"] for x in read["readings"]]
        assert [x["text"] for x in read["answers"]] == ["Cold!"]


def test_a_reply_takes_the_place_of_one_that_was_seen(asked: Place) -> None:
    with asked.client("club/staff") as staff, asked.client("other/staff") as stranger:
        number = staff.get(ANSWERS, params={"score": 2}).json()["answers"][0]["number"]
        path = f"{ANSWERS}/{number}/reply"
        assert problem(stranger.post(path, json={"text": "x"})) == (404, "unknown-answer")
        assert problem(staff.post(path, json={"text": "  "})) == (422, "bad-value")
        once = staff.post(path, json={"text": "Sorry"}).json()
        assert (once["reply"], once["text"]) == ("Sorry", "Cold!")
        answer = staff.post(path, json={"text": "Me too"})
        assert problem(answer) == (409, "replied-meanwhile")
        again = {"text": "So sorry", "seen": once["replied"]}
        assert staff.post(path, json=again).json()["reply"] == "So sorry"
        left = staff.get(ANSWERS, params={"unreplied": True}).json()["answers"]
        assert [x["score"] for x in left] == [5]
    with asked.client("club/owner") as owner:
        deeds = owner.get("/v1/audit").json()
        assert "orry" not in str(deeds)
        assert str(deeds).count("'reply'") == 2
