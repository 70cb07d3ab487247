"""Files over HTTP: tried and taken as a job, without a second effect, by those who may."""

import time
from typing import Any

import httpx
import pytest

import kantis.desk
from kantis.desk import keys
from kantis.desk.keys import Limits
from tests.doors.service.conftest import Place
from tests.doors.service.test_events import problem

FILE = "id,time,card,amount\nfile-1,2024-03-01 10:00,99001,12.00\nfile-2,soon,99001,1.00\n"


def bring(client: httpx.Client, name: str = "week.csv", data: str = FILE, **form: str) -> Any:
    said = {"kind": "purchases", **form}
    return client.post("/v1/imports", data=said, files={"file": (name, data.encode())})


def ended(client: httpx.Client, number: int) -> dict[str, Any]:
    for _ in range(400):
        found: dict[str, Any] = client.get(f"/v1/imports/{number}").json()
        if found["state"] not in ("checking", "being taken"):
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def test_a_file_is_tried_then_taken_once(market: Place) -> None:
    with market.client("market/staff") as staff:
        answer = bring(staff, mapping="{source: old-till}")
        assert answer.status_code == 202, answer.text
        number = answer.json()["number"]
        found = ended(staff, number)
        assert found["state"] == "checked"
        assert (found["summary"]["events"], found["summary"]["bad_rows"]) == (1, 1)
        lines = staff.get(f"/v1/imports/{number}/bad-rows").text.splitlines()
        assert lines[0] == "row,column,value,code,reason"
        assert lines[1].startswith("3,time,soon,time-expected,")
        assert staff.post(f"/v1/imports/{number}/take").status_code == 202
        found = ended(staff, number)
        assert (found["state"], found["summary"]["waiting"]) == ("taken", 1)
        assert problem(staff.post(f"/v1/imports/{number}/take")) == (409, "import-busy")
        again = ended(staff, bring(staff, mapping="{source: old-till}", do="take").json()["number"])
        assert again["summary"]["again"] == 1
        assert staff.get("/v1/imports").json()["imports"][1]["number"] == number
    with market.client("bazaar/staff") as other:
        assert problem(other.get(f"/v1/imports/{number}")) == (404, "not-found")
        assert problem(other.post(f"/v1/imports/{number}/take")) == (404, "not-found")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "week.xlsx"}, "The name ends in none of"),
        ({"kind": "wishes"}, "Say what the file has"),
        ({"data": "a,b\n1,2\n"}, "needs 'time'"),
        ({"mapping": "{columns: {tiem: x}}"}, "tiem"),
        ({"mapping": "{encoding: klingon}"}, "klingon"),
    ],
)
def test_what_cannot_be_read_is_refused(market: Place, form: dict[str, str], said: str) -> None:
    with market.client("market/staff") as staff:
        before = len(staff.get("/v1/imports").json()["imports"])
        answer = bring(staff, **form)
        assert problem(answer) == (400, "malformed")
        assert said in answer.text
        assert len(staff.get("/v1/imports").json()["imports"]) == before
        assert problem(staff.post("/v1/imports", json={})) == (415, "media-type")


def test_a_key_with_limits_brings_and_takes_nothing(market: Place) -> None:
    with kantis.desk.open(market.server.store) as desk:
        limits = Limits(largest=100)
        secret, _ = keys.make(desk, "limited", "market", "staff", "limited", limits=limits)
    with market.server.client(secret) as client:
        assert problem(bring(client)) == (403, "not-allowed")
        with market.client("market/staff") as staff:
            number = bring(staff).json()["number"]
            ended(staff, number)
        assert problem(client.post(f"/v1/imports/{number}/take")) == (403, "not-allowed")
