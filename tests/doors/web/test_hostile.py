"""What somebody tries who means harm: with another's program, a stolen session, a large form."""

import httpx
import pytest

from kantis.desk import sessions
from kantis.desk.sessions import Session
from tests.doors.web.conftest import Site

WHO = {"login": "mallory", "name": "Mallory", "role": "owner"}


def invited(client: httpx.Client, program: str, login: str) -> httpx.Response:
    return client.post("/people", data=WHO | {"program": program, "login": login})


def test_an_owner_of_one_program_stays_in_it(site: Site) -> None:
    with site.client("branch") as branch:
        assert invited(branch, "", "mallory-1").status_code == 422
        assert invited(branch, "boots-advantage-card", "mallory-2").status_code == 422
        assert invited(branch, "corner-cafe", "mallory-3").status_code == 200
        shown = branch.get("/people").text
        assert "mallory-3" in shown
        assert "owner-1" not in shown
        assert "boots-advantage-card" not in shown
        assert branch.post("/people/1/leave").status_code == 404
    with site.client("owner") as owner:
        assert owner.get("/people").status_code == 200


def test_a_session_that_is_not_fresh_invites_nobody(site: Site) -> None:
    with site.client("late") as late:
        assert late.get("/people").status_code == 200
        for answer in (invited(late, "", "mallory-4"), late.post("/people/2/leave")):
            assert answer.status_code == 303
            assert answer.headers["location"] == "/account/prove?next=%2Fpeople"
        assert "mallory-4" not in late.get("/people").text


def test_without_the_check_any_session_would_be_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin, on the check itself."""
    old = Session(b"", None, 0, 0, False)
    assert not old.is_fresh(sessions.HOUR_MS)
    monkeypatch.setattr(sessions, "PROVED_MS", 2 * sessions.HOUR_MS)
    assert old.is_fresh(sessions.HOUR_MS)
