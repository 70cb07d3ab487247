"""Adjustments, exports and settlements over HTTP."""

import csv
import json

import httpx
import pytest

from tests.doors.service.conftest import Place
from tests.doors.service.server import buy, enrol, mug
from tests.doors.service.test_events import points, problem


def gift(id: str, card: str, amount: int = 50) -> dict[str, object]:
    reason = "the order came late"
    return {"id": id, "subject": f"card:{card}", "balance": "points", "amount": amount,
            "reason": reason}  # fmt: skip


@pytest.fixture(scope="module")
def clerk(place: Place) -> str:
    """The key of a clerk who adjusts up to 100 points alone."""
    asked = {"name": "Clerk", "scope": "staff", "source": "clerk", "limits": {"largest": 100}}
    with place.client("club/owner") as owner:
        return str(owner.post("/v1/keys", json=asked).json()["key"])


def test_above_the_limit_a_second_person_decides(place: Place, clerk: str) -> None:
    with place.server.client(clerk) as one, place.client("club/staff") as two:
        two.post("/v1/events", json=enrol("hand"))
        alone = one.post("/v1/adjustments", json=gift("1", "hand", 100))
        assert (alone.status_code, alone.json()["state"]) == (200, "alone")
        assert points(two, "hand") == "100"
        waits = one.post("/v1/adjustments", json=gift("2", "hand", 101))
        assert (waits.status_code, waits.json()["state"]) == (202, "waits")
        assert points(two, "hand") == "100"
        path = f"/v1/adjustments/{waits.json()['number']}"
        assert problem(one.post(f"{path}/approve", json={})) == (403, "same-person")
        listed = two.get("/v1/adjustments", params={"state": "waits"}).json()["adjustments"]
        assert listed[0] == waits.json()
        done = two.post(f"{path}/approve", json={"note": "seen the receipt"})
        assert (done.status_code, done.json()["outcome"]) == (200, "decided")
        assert (done.json()["decided_by"], points(two, "hand")) == ("club-staff", "201")
        assert two.post(f"{path}/approve", json={"note": "seen the receipt"}).json() == done.json()
        assert problem(two.post(f"{path}/decline", json={})) == (409, "answered-before")
        assert one.post("/v1/adjustments", json=gift("2", "hand", 101)).json() == done.json()
        assert points(two, "hand") == "201"
        assert done.json()["reason"] == "the order came late"


def test_events_are_no_way_around_the_second_person(place: Place, clerk: str) -> None:
    data = {"balance": "points", "amount": 101, "reason": "x"}
    event = {"id": "e", "type": "adjust", "subject": "card:1", "data": data}
    lots = {"origin": "opening", "lots": [{"balance": "points", "amount": 5}]}
    carry = {"id": "c", "type": "carry", "subject": "card:1", "data": lots}
    with place.server.client(clerk) as one:
        for each in (event, [event], carry):
            assert problem(one.post("/v1/events", json=each)) == (403, "above-limit")
        data["amount"] = 100
        assert one.post("/v1/events", json=event).status_code == 200


def test_a_till_has_goodwill_for_the_day(place: Place) -> None:
    asked = {"name": "T", "scope": "till", "source": "good", "limits": {"goodwill": 60}}
    with place.client("club/owner") as owner, place.client() as other:
        key = owner.post("/v1/keys", json=asked).json()["key"]
        other.post("/v1/events", json=enrol("good"))
        with place.server.client(key) as till:
            first = till.post("/v1/adjustments", json=gift("1", "good"))
            second = till.post("/v1/adjustments", json=gift("2", "good"))
            number = second.json()["number"]
            assert (first.status_code, second.status_code) == (200, 202)
            assert len(till.get("/v1/adjustments").json()["adjustments"]) == 2
            assert problem(other.get(f"/v1/adjustments/{number}")) == (404, "unknown-adjustment")
        assert points(other, "good") == "50"


def test_what_cannot_be_adjusted_is_not_proposed(place: Place, clerk: str) -> None:
    with place.server.client(clerk) as one:
        for said, code in (
            (gift("n", "nobody"), (404, "unknown-account")),
            (gift("n", "1", 0), (422, "adjustment-unclear")),
            (gift("n", "1") | {"balance": "stars"}, (409, "adjustment-refused")),
            (gift("n", "1", -900), (409, "adjustment-refused")),
            (gift("n", "1") | {"reason": ""}, (400, "malformed")),
            (gift("", "1"), (400, "id-missing")),
        ):
            assert problem(one.post("/v1/adjustments", json=said)) == code
        one.post("/v1/adjustments", json=gift("n2", "1"))
        assert problem(one.post("/v1/adjustments", json=gift("n2", "1", 51))) == (
            422, "adjustment-unclear"
        )  # fmt: skip


# ── exports ──────────────────────────────────────────────────────────────────


def rows(client: httpx.Client, what: str, **asked: object) -> list[dict[str, object]]:
    answer = client.get(f"/v1/exports/{what}", params={k: str(v) for k, v in asked.items()})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_tables_come_out_as_they_are(place: Place) -> None:
    with place.client("club/auditor") as auditor, place.client() as till:
        till.post("/v1/events", json=[enrol("out"), buy("out-1", "out", 130), mug("out-2", "out")])
        number = till.get("/v1/accounts/card:out").json()["account"]
        mine = [each for each in rows(auditor, "entries") if each["account"] == number]
        moves = [(each["from"], each["to"], each["amount"]) for each in mine]
        assert moves[1:3] == [("issued", "available", "130"), ("available", "voucher", "100")]
        (account,) = [e for e in rows(auditor, "accounts") if e["account"] == number]
        assert (account["cards"], account["entries"]) == (["out"], 3)
        (balance,) = [e for e in rows(auditor, "balances") if e["account"] == number]
        assert (balance["available"], balance["voucher"]) == ("30", "100")
        total = sum(int(str(e["available"])) for e in rows(auditor, "balances"))
        assert rows(auditor, "liability")[0]["available"] == f"{total:,}".replace(",", "")
        event = next(e for e in rows(auditor, "events") if e["event"] == "club-till/out-1")
        assert (event["state"], event["subject"]) == ("decided", "card:out")
        assert event["data"] == {
            "lines": [{"id": "1", "product": "latte", "quantity": 1, "amount": 13000}]
        }


def test_a_stream_goes_on_where_it_broke(place: Place) -> None:
    with place.client("club/auditor") as auditor, place.client() as till:
        first = auditor.get("/v1/exports/events")
        upto = first.headers["kantis-upto"]
        whole = [json.loads(line) for line in first.text.splitlines()]
        till.post("/v1/events", json=buy("later", ""))
        middle = whole[len(whole) // 2]["number"]
        rest = rows(auditor, "events", after=middle, upto=upto)
        assert rest == [each for each in whole if each["number"] > middle]
        assert [e["event"] for e in rows(auditor, "events", after=upto)] == ["club-till/later"]


def test_a_spreadsheet_runs_no_formula(place: Place) -> None:
    with place.client("club/staff") as staff:
        staff.post("/v1/events", json=enrol("=1+1"))
        answer = staff.get("/v1/exports/events", params={"format": "csv"})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        read = list(csv.DictReader(answer.text.splitlines()))
        assert any(row["event"].endswith("enrol-=1+1") for row in read)
        assert not any(
            cell.startswith(("=", "+", "@")) for row in read for cell in row.values() if cell
        )


def test_exports_are_refused_and_recorded(place: Place) -> None:
    with place.client("club/auditor") as auditor:
        assert problem(auditor.get("/v1/exports/secrets")) == (404, "not-found")
        bad = auditor.get("/v1/exports/events", params={"format": "xml"})
        assert problem(bad) == (400, "malformed")
        auditor.get("/v1/exports/liability")
        line = auditor.get("/v1/audit", params={"limit": 1}).json()["lines"][0]
        assert (line["deed"], line["about"], line["name"]) == (
            "export",
            "liability",
            "club auditor",
        )


def test_a_caller_who_hangs_up_lets_the_next_one_in(place: Place) -> None:
    with place.client("club/auditor") as auditor:
        for _ in range(6):
            with auditor.stream("GET", "/v1/exports/entries") as answer:
                assert answer.status_code == 200
            assert auditor.get("/v1/exports/liability").status_code == 200
