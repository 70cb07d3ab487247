"""Drafts over HTTP: a key puts a version up, people sign it, and only then a key publishes it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import kantis.desk
from kantis.desk import signoffs, staff
from kantis.desk.audit import By
from kantis.desk.signoffs import Demand
from kantis.desk.submit import Desk
from tests.doors.command import Kantis
from tests.doors.service.conftest import Place, proved
from tests.doors.service.server import CLUB, begin
from tests.doors.service.test_events import problem

PATH = "/v1/programs/club"
ANNA, BEN = By("anna", "Anna"), By("ben", "Ben")


def richer(points: int) -> str:
    return CLUB.format(name="club").replace("1 point per 1 EUR", f"{points} points per 1 EUR")


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Place]:
    """A server whose program demands the signature of one owner or manager."""
    store = tmp_path / "books.db"
    keys = begin(str(store), "club")
    with kantis.desk.open(str(store)) as desk:
        assert isinstance(desk, Desk)
        staff.invite(desk, "anna", "Anna", "owner", "", By("test"))
        staff.invite(desk, "ben", "Ben", "manager", "", By("test"))
        signoffs.settle(desk, 1, Demand(1, ("owner", "manager")), 1, ANNA)
    with proved(store, keys) as place:
        yield place


def publish(owner: httpx.Client, points: int) -> httpx.Response:
    tag = owner.get(PATH).headers["etag"]
    headers = {"if-match": tag}
    return owner.post(f"{PATH}/versions", json={"source": richer(points)}, headers=headers)


def sign(place: Place, draft: int, *people: tuple[int, By]) -> None:
    """People sign, in another process as the console does in its own."""
    with kantis.desk.open(place.server.store) as desk:
        for number, by in people:
            signoffs.sign(desk, 1, draft, number, "", by)


def test_a_key_puts_up_and_publishes_what_was_signed(guarded: Place) -> None:
    with guarded.client("club/owner") as owner:
        assert problem(publish(owner, 2)) == (409, "signatures-missing")
        answer = owner.post(f"{PATH}/drafts", json={"source": richer(2)})
        draft = answer.json()
        assert (answer.status_code, draft["missing"], draft["signatures"]) == (200, 2, [])
        assert owner.post(f"{PATH}/drafts", json={"source": richer(2)}).json() == draft
        assert "2 signatures are missing" in publish(owner, 2).json()["detail"]
        sign(guarded, draft["draft"], (1, ANNA), (2, BEN))
        found = owner.get(f"{PATH}/drafts").json()
        assert (found["demanded"], found["roles"]) == (1, ["owner", "manager"])
        (shown,) = found["drafts"]
        assert (shown["missing"], shown["since"]) == (0, None)
        assert [each["name"] for each in shown["signatures"]] == ["Anna", "Ben"]
        assert problem(publish(owner, 3)) == (409, "signatures-missing")
        assert publish(owner, 2).json()["version"] == 2
        assert owner.get(f"{PATH}/drafts").json()["drafts"] == []
        path = f"{PATH}/drafts/{draft['draft']}"
        assert problem(owner.delete(path)) == (409, "draft-closed")
        assert problem(owner.delete(f"{PATH}/drafts/9")) == (404, "unknown-draft")


def test_a_draft_is_taken_back_and_a_bad_one_is_not_put_up(guarded: Place) -> None:
    with guarded.client("club/owner") as owner:
        for source in (richer(2).replace("EUR", "EURO"), richer(1).replace("1 points", "1 point")):
            answer = owner.post(f"{PATH}/drafts", json={"source": source})
            assert problem(answer) == (422, "program-faulty")
        draft = owner.post(f"{PATH}/drafts", json={"source": richer(2)}).json()["draft"]
        for _ in range(2):
            assert owner.delete(f"{PATH}/drafts/{draft}").json()["drafts"] == []


def test_the_command_line_keeps_to_the_signatures_too(
    guarded: Place, kantis: Kantis, tmp_path: Path
) -> None:
    file, store = tmp_path / "club.yaml", ("--store", guarded.server.store)
    file.write_text(richer(2))
    refused = kantis("publish", file, *store)
    assert refused.status == 1
    assert "signatures-missing" in refused.err
    assert "kantis publish --put-up" in " ".join(refused.err.split())
    assert "draft 1: put up" in kantis("publish", file, *store, "--put-up").out
    assert kantis("publish", file, *store, "--put-up", "--json").json == {
        "program": "club",
        "draft": 1,
    }
    sign(guarded, 1, (1, ANNA))
    assert "1 of 2 signatures" in " ".join(kantis("publish", file, *store).err.split())
    sign(guarded, 1, (2, BEN))
    assert "version 2: published" in kantis("publish", file, *store).out
    file.write_text(richer(2) + "# a thought\n")
    assert "nothing changed" in kantis("publish", file, *store).out
    assert kantis("publish", file, *store, "--put-up").status == 1
