"""Accounts, entries and programs, and what runs beside them."""

import re

import httpx

from tests.doors.service.conftest import Place
from tests.doors.service.server import buy, enrol, mug
from tests.doors.service.test_events import problem


def test_an_account_shows_what_it_has(till: httpx.Client) -> None:
    till.post("/v1/events", json=[enrol("show"), buy("show-1", "show", 130), mug("show-2", "show")])
    found = till.get("/v1/accounts/card:show").json()
    assert found["program"] == "club"
    assert found["cards"] == ["show"]
    assert found["balances"]["points"]["available"] == "30"
    assert [each["kind"] for each in found["vouchers"]] == ["mug"]
    assert till.get(f"/v1/accounts/account:{found['account']}").json() == found
    for ref in ("card:none", "account:999", "account:x", "place:1", f"account:{1 << 70}"):
        assert problem(till.get(f"/v1/accounts/{ref}")) == (404, "unknown-account")


def test_entries_come_newest_first_in_pages(till: httpx.Client) -> None:
    till.post("/v1/events", json=[enrol("pages"), *(buy(f"pages-{n}", "pages") for n in range(7))])
    path, seen, cursor = "/v1/accounts/card:pages/entries", [], ""
    while True:
        page = till.get(path, params={"limit": 3, "cursor": cursor}).json()
        seen += [(each["seq"], each["event"]) for each in page["entries"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert [seq for seq, _ in seen] == list(range(8, 0, -1))
    assert seen[0][1] == "club-till/pages-6"
    told = till.get(path, params={"limit": 1}).json()["entries"][0]
    assert told["sentences"] == ["10 points for all: 1 point per 1 EUR, on 10.00 EUR."]
    asked = {"accept-language": "sv, fi;q=0.8, en;q=0.5"}
    (last,) = till.get(path, params={"limit": 1}, headers=asked).json()["entries"]
    assert last["sentences"] == ["10 pistettä: all – 1 piste / 1,00\xa0€, ostosumma 10,00\xa0€."]
    assert problem(till.get(path, params={"cursor": "x"})) == (400, "bad-cursor")
    assert problem(till.get(path, params={"limit": 101})) == (400, "malformed")


def test_a_key_sees_its_own_program_only(place: Place) -> None:
    with place.client("club/auditor") as club, place.client("other/staff") as other:
        (found,) = club.get("/v1/programs").json()["programs"]
        assert (found["program"], found["versions"][0]["version"]) == ("club", 1)
        assert other.get("/v1/programs").json()["programs"][0]["program"] == "other"
        number = club.get("/v1/accounts/card:1").json()["account"]
        for ref in ("card:1", "1", f"account:{number}"):
            assert problem(other.get(f"/v1/accounts/{ref}")) == (404, "unknown-account")
            assert problem(other.get(f"/v1/accounts/{ref}/entries"))[0] == 404
        event = {**mug("foreign", "1"), "subject": f"account:{number}"}
        for path in ("/v1/events", "/v1/quotes"):
            assert problem(other.post(path, json=event)) == (404, "unknown-account")


def test_a_request_has_an_id_in_answer_and_log(place: Place) -> None:
    with place.client() as till:
        answer = till.get("/v1/programs", headers={"x-request-id": "abc-1"})
        assert answer.headers["x-request-id"] == "abc-1"
        answer = till.get("/v1/programs", headers={"x-request-id": "a b\\n"})
        assert re.fullmatch("[0-9a-f]{24}", answer.headers["x-request-id"])


def test_figures_count_requests_and_events(place: Place) -> None:
    with place.client("club/staff") as staff:
        staff.post("/v1/events", json=buy("figures", "1"))
        text = staff.get("/metrics").text
    assert 'kantis_events_total{outcome="decided"}' in text
    assert 'route="/v1/events"' in text
    assert 'kantis_waiting_events{queue="tills"} 0.0' in text
    assert "card" not in text
