"""Settlements over HTTP, on both stores: a partner sees itself and nobody else."""

import datetime as dt
from collections.abc import Iterator

import httpx
import pytest

import kantis.desk
from kantis.core.knobs import plain
from kantis.desk import keys, text
from kantis.desk.keys import UNLIMITED
from kantis.doors.api import settling
from kantis.doors.api.access import PARTNER, Caller
from kantis.doors.api.contract import contract
from tests.doors.service.conftest import Place
from tests.doors.service.server import enrol, served
from tests.doors.service.test_events import problem

FILE = """\
program: market
money: EUR
timezone: UTC
balances: {points: {}}
earning: {shopping: {give: the partner's rate}}
partners:
  dairy: {give: 1 point per 1.00 EUR, issuing: 0.0035 EUR per 1 point}
  florist: {give: 2 points per 1.00 EUR, issuing: 0.0050 EUR per 1 point}
"""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def market(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """A coalition in which two partners have sold something."""
    if request.param == "sqlite":
        store = str(tmp_path_factory.mktemp("market") / "books.db")
    else:
        store = str(request.getfixturevalue("market_url"))
    made = {}
    with kantis.desk.open(store) as desk:
        desk.publish("market", 0, FILE, plain(text.read(FILE)))
        for scope, source in (
            ("till", "till"), ("partner", "dairy"), ("partner", "florist"), ("staff", "staff"),
            ("auditor", "auditor"), ("owner", "owner"),
        ):  # fmt: skip
            made[source], _ = keys.make(desk, source, "market", scope, source)
    with served(store) as server:
        place = Place(server, made)
        with place.client("till") as till, place.client("dairy") as dairy:
            till.post("/v1/events", json=enrol("1"))
            for seller, partner in ((dairy, "dairy"), (till, "florist")):
                line = {"id": "1", "product": "", "amount": 10_000}
                data = {"lines": [line], "partner": partner}
                event = {"id": partner, "type": "purchase", "subject": "card:1", "data": data}
                assert seller.post("/v1/events", json=event).status_code == 200
        yield place


@pytest.fixture(scope="module")
def market_url() -> Iterator[str]:
    from tests.support.postgres import Run, fresh_database

    with fresh_database(Run.join().server_url()) as url:
        yield url


def test_the_contract_knows_the_words_of_partners(market: Place) -> None:
    schema = contract()["components"]["schemas"]["Fired"]["properties"]["base"]
    known = {str: "string", int: "integer"}
    data = {"lines": [{"id": "1", "product": "", "amount": 10_000}], "partner": "dairy"}
    event = {"id": "dairy", "type": "purchase", "subject": "card:1", "data": data}
    with market.client("dairy") as dairy:
        answer = dairy.post("/v1/events", json=event).json()
    bases = [rule["base"] for rule in answer["entry"]["rules"]]
    assert {type(each) for each in bases} == {int, str}
    allowed = {each["type"] for each in schema.get("anyOf", [schema])}
    assert {known[type(each)] for each in bases} <= allowed


def month(client: httpx.Client) -> httpx.Response:
    today = dt.datetime.now(dt.UTC).date()
    days = {"from": str(today - dt.timedelta(1)), "to": str(today + dt.timedelta(1))}
    return client.get("/v1/settlements", params=days)


def test_staff_sees_every_partner_and_a_partner_itself(market: Place) -> None:
    with market.client("staff") as staff, market.client("dairy") as dairy:
        told = month(staff).json()
        assert [(e["name"], e["total"]) for e in told["statements"]] == [
            ("dairy", "0.35"), ("florist", "1.00")
        ]  # fmt: skip
        (mine,) = month(dairy).json()["statements"]
        assert mine == told["statements"][0]
        stands = staff.get("/v1/positions").json()["positions"]
        assert [(e["name"], e["position"]) for e in stands] == [
            ("dairy", "receivable"), ("florist", "receivable")
        ]  # fmt: skip
        assert dairy.get("/v1/positions").json()["positions"] == stands[:1]
        bad = staff.get("/v1/settlements", params={"from": "2024-03-02", "to": "2024-03-01"})
        assert problem(bad) == (400, "malformed")


def test_without_the_check_a_partner_would_see_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin, on the check itself."""
    caller = Caller("k", "market", 1, PARTNER, "dairy", "", "Dairy", UNLIMITED)
    assert [settling._sees(caller, name) for name in ("dairy", "florist")] == [True, False]
    monkeypatch.setattr(settling, "PARTNER", "nobody")
    assert settling._sees(caller, "florist")


def test_the_office_works_on_each_store(market: Place) -> None:
    with market.client("staff") as staff, market.client("auditor") as auditor:
        gift = {"id": "g", "subject": "card:1", "balance": "points", "amount": 9, "reason": "late"}
        assert staff.post("/v1/adjustments", json=gift).json()["outcome"] == "decided"
        for what in ("accounts", "entries", "events", "balances", "liability"):
            answer = auditor.get(f"/v1/exports/{what}", params={"format": "csv"})
            assert answer.status_code == 200
            assert len(answer.text.splitlines()) >= 2
        assert auditor.get("/v1/exports/balances").json()["available"] == "309"
    with market.client("owner") as owner:
        tag = owner.get("/v1/programs/market").headers["etag"]
        said = {"source": FILE.replace("2 points", "3 points")}
        path = "/v1/programs/market/versions"
        assert owner.post(path, json=said, headers={"if-match": tag}).status_code == 200
        assert problem(owner.post(path, json={"source": FILE}, headers={"if-match": tag})) == (
            412, "published-meanwhile"
        )  # fmt: skip
        deeds = [each["deed"] for each in owner.get("/v1/audit").json()["lines"]]
        assert deeds[:6] == ["publish", *["export"] * 5]
