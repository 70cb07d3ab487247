"""Who may do what: each caller on each route. A route without its row here fails."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

import kantis.desk
from kantis.doors.api.access import MAY_SEND, ROUTES, Route
from kantis.doors.api.contract import contract
from kantis.doors.api.wire import BODIES
from tests.doors.command import Kantis
from tests.doors.service.conftest import Place
from tests.doors.service.market import begin_member, bring_vouchers, post
from tests.doors.service.server import SCOPES, buy
from tests.doors.service.test_events import problem

#: What each route answers to a key of its own program: the statuses by scope, and the status
#: for a key of another program that asks for the same thing. Nothing is worked out here.
ROWS: dict[str, tuple[str, int]] = {
    "GET /healthz": ("open", 200),
    "GET /readyz": ("open", 200),
    "GET /openapi.json": ("open", 200),
    "GET /metrics": ("staff auditor", 200),
    "POST /v1/events": ("till shop partner staff", 404),
    "POST /v1/quotes": ("till shop partner staff", 404),
    "GET /v1/accounts/{ref}": ("till shop staff auditor", 404),
    "GET /v1/accounts/{ref}/entries": ("till shop staff auditor", 404),
    "GET /v1/accounts/{ref}/statements": ("till shop staff auditor", 404),
    "GET /v1/accounts/{ref}/rewards": ("till shop staff auditor", 404),
    "GET /v1/accounts/{ref}/vouchers": ("till shop staff auditor", 404),
    "POST /v1/accounts/{ref}/vouchers/{code}/use": ("till shop staff", 404),
    "GET /v1/accounts/{ref}/offers": ("till shop staff auditor", 404),
    "POST /v1/accounts/{ref}/offers/{offer}/load": ("till shop staff", 404),
    "GET /v1/accounts/{ref}/entitlements": ("till shop staff auditor", 404),
    "POST /v1/accounts/{ref}/entitlements/{entitlement}/enjoy": ("till shop staff", 404),
    "GET /v1/programs": ("till shop partner staff auditor", 200),
    "POST /v1/redemptions": ("till shop staff", 404),
    "GET /v1/redemptions/{id}": ("till shop staff", 404),
    "POST /v1/redemptions/{id}/capture": ("till shop staff", 404),
    "POST /v1/redemptions/{id}/release": ("till shop staff", 404),
    "GET /v1/webhooks": ("staff auditor", 200),
    "POST /v1/webhooks": ("staff", 200),
    "GET /v1/webhooks/{webhook}": ("staff auditor", 404),
    "PATCH /v1/webhooks/{webhook}": ("staff", 404),
    "DELETE /v1/webhooks/{webhook}": ("staff", 404),
    "POST /v1/webhooks/{webhook}/secret": ("staff", 404),
    "POST /v1/webhooks/{webhook}/test": ("staff", 404),
    "GET /v1/webhooks/{webhook}/deliveries": ("staff auditor", 404),
    "POST /v1/webhooks/{webhook}/deliveries/{message}/resend": ("staff", 404),
    "POST /v1/webhooks/{webhook}/resend": ("staff", 404),
}
CALLERS = ["nobody", "stranger", "revoked"] + [
    f"{p}/{s}" for p in ("market", "bazaar") for s in SCOPES
]
#: What is asked of a route, where it is not a purchase on the member's account.
BODIES_OF: dict[str, Any] = {
    "POST /v1/accounts/{ref}/vouchers/{code}/use": {"basket": 1_000},
    "POST /v1/accounts/{ref}/offers/{offer}/load": {},
    "POST /v1/accounts/{ref}/entitlements/{entitlement}/enjoy": {},
    "POST /v1/redemptions": {"subject": "account:1", "reward": "mug"},
    "POST /v1/redemptions/{id}/capture": None,
    "POST /v1/redemptions/{id}/release": None,
    "POST /v1/webhooks": {"url": "https://receiver.invalid/"},
    "PATCH /v1/webhooks/{webhook}": {"name": "other"},
    "POST /v1/webhooks/{webhook}/secret": None,
    "POST /v1/webhooks/{webhook}/test": None,
    "POST /v1/webhooks/{webhook}/deliveries/{message}/resend": None,
    "POST /v1/webhooks/{webhook}/resend": {
        "since": "2024-01-01T00:00:00Z", "until": "2024-01-02T00:00:00Z",
    },
}  # fmt: skip
NAMES = {"{ref}": "account:1", "{offer}": "tea-week", "{entitlement}": "lounge"}


def rowless(routes: Iterable[Route]) -> set[str]:
    """The routes that have no row."""
    return {f"{each.method} {each.path}" for each in routes} ^ set(ROWS)


def expected(row: str, caller: str) -> int:
    scopes, foreign = ROWS[row]
    if scopes == "open":
        return 200
    program, _, scope = caller.partition("/")
    if not scope:
        return 401
    if scope not in scopes.split():
        return 403
    return 200 if program == "market" else foreign


@pytest.fixture(scope="module")
def matrix(market: Place) -> Place:
    """The market's first member has points, and each caller who may has a hold for each row."""
    with market.client("market/shop") as shop:
        assert begin_member(shop, "matrix", 5_000) == 1
    with market.client("market/staff") as staff:
        bring_vouchers(staff, "matrix", *(f"market-{scope}" for scope in SCOPES))
    for scope in ("till", "shop", "staff"):
        with market.client(f"market/{scope}") as client:
            for row in ROWS:
                body = {"subject": "account:1", "reward": "mug"}
                if "{id}" in row:
                    assert post(client, "/v1/redemptions", body, hold_of(row)).status_code == 201
    return market


def hold_of(row: str) -> str:
    """The id of the hold that a row is about."""
    return f"matrix-{row.rpartition('/')[2]}"


@pytest.fixture(scope="module")
def revoked(market: Place) -> str:
    """A key that works, until it is revoked in another process."""
    from kantis.desk import keys

    with kantis.desk.open(market.server.store) as desk:
        secret, prefix = keys.make(desk, "gone", "market", "staff", "market-gone")
        with market.server.client(secret) as client:
            assert client.get("/v1/programs").status_code == 200
            assert desk.revoke_key(prefix)
            assert problem(client.get("/v1/programs")) == (401, "key-unknown")
    return secret


@contextmanager
def names_of(place: Place, row: str) -> Iterator[dict[str, str]]:
    """A webhook for a row that is about one, with a message that it was sent."""
    if "{webhook}" not in row:
        yield {}
        return
    with place.client("market/staff") as staff:
        id = staff.post("/v1/webhooks", json=BODIES_OF["POST /v1/webhooks"]).json()["id"]
        staff.post(f"/v1/webhooks/{id}/test")
        (sent,) = staff.get(f"/v1/webhooks/{id}/deliveries").json()["deliveries"]
        yield {"{webhook}": id, "{message}": sent["message"]}
        staff.delete(f"/v1/webhooks/{id}")


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("caller", CALLERS)
def test_each_caller_on_each_route(matrix: Place, revoked: str, caller: str, row: str) -> None:
    with names_of(matrix, row) as names:
        visit(matrix, revoked, caller, row, names)


def visit(matrix: Place, revoked: str, caller: str, row: str, named: dict[str, str]) -> None:
    method, path = row.split()
    key = {"nobody": "", "stranger": "kantis_" + "0" * 64, "revoked": revoked}.get(caller)
    names = {**NAMES, **named, "{id}": hold_of(row), "{code}": caller.replace("/", "-")}
    for name, value in names.items():
        path = path.replace(name, value)
    body: Any = None
    headers = {}
    if row in ("POST /v1/events", "POST /v1/quotes"):
        event = buy(f"matrix-{caller.replace('/', '-')}", "")
        event["data"]["partner"] = caller.replace("/", "-") if caller.endswith("partner") else ""
        body = {**event, "subject": NAMES["{ref}"], "ask": True}
    elif method in ("POST", "PATCH"):
        body, headers = BODIES_OF[row], {"idempotency-key": f"row-{list(ROWS).index(row)}"}
    with matrix.server.client(matrix.keys[caller] if key is None else key) as client:
        answer = client.request(method, path, json=body, headers=headers)
    found = answer.status_code
    assert (200 if found in (201, 202, 204) else found) == expected(row, caller), answer.text
    if found >= 400:
        problem(answer)
    if found == 401:
        assert answer.headers["www-authenticate"] == "Bearer"


def test_each_route_has_its_row_and_stands_in_the_contract() -> None:
    assert rowless(ROUTES) == set()
    told = {
        f"{method.upper()} {path}" for path, item in contract()["paths"].items() for method in item
    }
    assert told == set(ROWS)


def test_a_route_without_a_row_is_caught() -> None:
    assert rowless([*ROUTES, Route("GET", "/v1/secrets", frozenset())]) == {"GET /v1/secrets"}
    assert rowless(ROUTES[1:])


def test_what_is_not_named_is_not_there(till: httpx.Client) -> None:
    for path in ("/", "/docs", "/v1", "/v1/events/", "/v1/accounts/", "/v1/accounts/a/b", "//v1"):
        assert problem(till.get(path)) == (404, "not-found")
    for method in ("HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"):
        answer = till.request(method, "/v1/events")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "said", ["", "Bearer", "Basic a2FudGlz", "Bearer \xff\xff", "kantis_" + "0" * 64]
)
def test_a_header_that_is_no_key_lets_nobody_in(place: Place, said: str) -> None:
    with place.server.client() as client:
        headers = {"authorization": said.encode("latin-1")}
        assert client.get("/v1/programs", headers=headers).status_code == 401


@pytest.mark.parametrize("scope", SCOPES)
def test_each_scope_sends_its_events_and_no_other(place: Place, scope: str) -> None:
    events = [{"id": f"send-{tag}", "type": tag} for tag in sorted(BODIES)]
    with place.client(f"club/{scope}") as client:
        answer = client.post("/v1/quotes", json=events)
    if scope == "auditor":
        assert answer.status_code == 403
        return
    for tag, result in zip(sorted(BODIES), answer.json(), strict=True):
        code = result.get("refusal", {}).get("code")
        if tag not in MAY_SEND[scope]:
            assert code in ("not-allowed", "malformed"), (tag, code)
        else:
            assert code != "not-allowed", tag


def test_a_till_does_not_adjust(till: httpx.Client) -> None:
    data = {"balance": "points", "amount": 1_000_000, "reason": "gift"}
    event = {"id": "gift", "type": "adjust", "subject": "card:1", "data": data}
    assert problem(till.post("/v1/events", json=event)) == (403, "not-allowed")


def test_a_partner_speaks_for_itself(place: Place) -> None:
    with place.client("club/partner") as partner:
        event = buy("partner", "1")
        assert problem(partner.post("/v1/events", json=event)) == (403, "other-partner")
        event["data"]["partner"] = "somebody"
        assert problem(partner.post("/v1/events", json=event)) == (403, "other-partner")


def test_a_key_of_one_location_speaks_for_no_other(place: Place, kantis: Kantis) -> None:
    options = {"scope": "till", "source": "harbour", "program": "club", "location": "harbour"}
    said = [word for name, value in options.items() for word in (f"--{name}", value)]
    made = kantis("key", "new", "Harbour", *said, "--store", place.server.store, "--json")
    event = buy("place", "1")
    with place.server.client(json.loads(made.out)["key"]) as till:
        event["data"]["location"] = "station"
        assert problem(till.post("/v1/events", json=event)) == (403, "other-location")
        event["data"]["location"] = ""
        assert till.post("/v1/events", json=event).status_code == 200
        event["data"]["location"] = "harbour"
        assert till.post("/v1/events", json=event).json()["again"]
