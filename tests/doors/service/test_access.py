"""Who may do what: each caller on each route. A route without its row here fails."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

import kantis.desk
from kantis.desk import shops
from kantis.doors.api.access import MAY_SEND, ROUTES, Route
from kantis.doors.api.contract import contract
from kantis.doors.api.wire import BODIES
from tests.doors.command import Kantis
from tests.doors.service.conftest import Place
from tests.doors.service.market import MARKET, begin_member, bought, bring_vouchers, post
from tests.doors.service.server import ORIGIN, SCOPES, buy
from tests.doors.service.test_events import problem
from tests.support.seals import seals_of

#: What each route answers to a key of its own program: the statuses by scope, and the status
#: for a key of another program that asks for the same thing. Nothing is worked out here.
ROWS: dict[str, tuple[str, int]] = {
    "GET /healthz": ("open", 200),
    "GET /readyz": ("open", 200),
    "GET /openapi.json": ("open", 200),
    "POST /first/{token}": ("open", 404),
    "GET /metrics": ("staff auditor owner", 200),
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
    "GET /v1/programs": ("till shop partner staff auditor owner", 200),
    "GET /v1/programs/{name}": ("till shop partner staff auditor owner", 404),
    "POST /v1/programs/{name}/validate": ("staff auditor owner", 404),
    "GET /v1/programs/{name}/difference": ("staff auditor owner", 404),
    "POST /v1/programs/{name}/versions": ("owner", 404),
    "GET /v1/programs/{name}/versions/{number}": ("staff auditor owner", 404),
    "DELETE /v1/programs/{name}/versions/{number}": ("owner", 404),
    "GET /v1/programs/{name}/drafts": ("staff auditor owner", 404),
    "POST /v1/programs/{name}/drafts": ("owner", 404),
    "DELETE /v1/programs/{name}/drafts/{number}": ("owner", 404),
    "GET /v1/adjustments": ("till staff auditor", 200),
    "POST /v1/adjustments": ("till staff", 404),
    "GET /v1/adjustments/{number}": ("till staff auditor", 404),
    "POST /v1/adjustments/{number}/approve": ("staff", 404),
    "POST /v1/adjustments/{number}/decline": ("staff", 404),
    "GET /v1/survey-answers": ("staff auditor", 200),
    "POST /v1/survey-answers/{number}/reply": ("staff", 404),
    "GET /v1/positions": ("partner staff auditor", 200),
    "GET /v1/settlements": ("partner staff auditor", 200),
    "GET /v1/exports/{what}": ("staff auditor", 200),
    "GET /v1/imports": ("staff auditor", 200),
    "POST /v1/imports": ("staff", 415),
    "GET /v1/imports/{number}": ("staff auditor", 404),
    "POST /v1/imports/{number}/take": ("staff", 404),
    "GET /v1/imports/{number}/bad-rows": ("staff", 404),
    "GET /v1/keys": ("owner", 200),
    "POST /v1/keys": ("owner", 404),
    "DELETE /v1/keys/{prefix}": ("owner", 404),
    "GET /v1/audit": ("auditor owner", 200),
    "POST /v1/accounts/{ref}/proofs": ("shop", 404),
    "POST /v1/accounts/{ref}/proofs/confirm": ("shop", 404),
    "GET /v1/accounts/{ref}/referrals": ("till shop staff auditor", 404),
    "POST /v1/accounts/{ref}/join": ("shop staff", 404),
    "POST /v1/claims": ("till shop staff", 404),
    "POST /v1/transfers": ("shop staff", 404),
    "POST /v1/households": ("shop staff", 404),
    "POST /v1/households/{ref}/members": ("shop staff", 404),
    "POST /v1/households/{ref}/members/{member}/leave": ("shop staff", 404),
    "POST /v1/households/{ref}/members/{member}/permit": ("shop staff", 404),
    "POST /v1/referrals": ("shop staff", 404),
    "POST /v1/members": ("till shop staff", 200),
    "POST /v1/members/search": ("till shop staff", 200),
    "GET /v1/members/{member}": ("till shop staff auditor", 404),
    "PATCH /v1/members/{member}": ("shop staff", 404),
    "GET /v1/members/{member}/export": ("staff", 404),
    "GET /v1/members/{member}/consents": ("shop staff", 404),
    "POST /v1/members/{member}/consents": ("shop staff", 404),
    "GET /v1/members/{member}/merge": ("staff", 404),
    "POST /v1/members/{member}/merge": ("staff", 404),
    "POST /v1/members/{member}/cards": ("shop staff", 404),
    "POST /v1/members/{member}/cards/block": ("till shop staff", 404),
    "DELETE /v1/members/{member}": ("staff", 404),
    "POST /v1/redemptions": ("till shop staff", 404),
    "GET /v1/redemptions/{id}": ("till shop staff", 404),
    "POST /v1/redemptions/{id}/capture": ("till shop staff", 404),
    "POST /v1/redemptions/{id}/release": ("till shop staff", 404),
    "GET /v1/checkout-1.js": ("open", 200),
    "POST /v1/checkout-tokens": ("shop", 200),
    "POST /v1/checkout/quote": ("signed", 401),
    "POST /v1/checkout/hold": ("signed", 401),
    "POST /v1/checkout/release": ("signed", 401),
    "GET /v1/shops": ("shop staff auditor", 200),
    "POST /v1/shops": ("shop", 400),
    "DELETE /v1/shops/{connection}": ("shop staff", 404),
    "POST /v1/shops/{connection}/webhook": ("signed", 401),
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
#: What a key of the same program gets where that is not 200 or 201.
OWN = {
    "POST /first/{token}": 404,
    "GET /v1/programs/{name}/difference": 404,
    "DELETE /v1/programs/{name}/versions/{number}": 409,
    "POST /v1/programs/{name}/drafts": 422,  # it says what the newest version says
    "DELETE /v1/programs/{name}/drafts/{number}": 404,
    "POST /v1/adjustments/{number}/approve": 409,
    "DELETE /v1/keys/{prefix}": 204,
    "POST /v1/adjustments": 202,
    "POST /v1/accounts/{ref}/proofs": 202,
    "POST /v1/accounts/{ref}/proofs/confirm": 403,
    "POST /v1/survey-answers/{number}/reply": 404,  # test_surveys has answers
    "POST /v1/imports": 415,  # test_imports brings files
    "GET /v1/imports/{number}": 404,
    "POST /v1/imports/{number}/take": 404,
    "GET /v1/imports/{number}/bad-rows": 404,
}
#: Where it depends on the scope too.
SPECIAL = {("POST /v1/adjustments", "market/staff"): 200}
CALLERS = ["nobody", "stranger", "revoked"] + [
    f"{p}/{s}" for p in ("market", "bazaar") for s in SCOPES
]
#: What is asked of a route, where it is not a purchase on the member's account; MINE is the
#: market's key of the caller's scope.
BODIES_OF: dict[str, Any] = {
    "POST /v1/accounts/{ref}/join": {"into": "card:home-MINE", "member": "joiner"},
    "POST /v1/accounts/{ref}/proofs": None,
    "POST /v1/accounts/{ref}/proofs/confirm": {"code": "ABCD-2345"},
    "POST /v1/claims": {"subject": "account:1", "receipt": "receipt-MINE"},
    "POST /v1/transfers": {
        "subject": "account:1",
        "to": "card:home-MINE",
        "balance": "points",
        "amount": 1,
    },
    "POST /v1/households": {"subject": "card:founder-MINE", "member": "lead"},
    "POST /v1/households/{ref}/members": {"member": "new"},
    "POST /v1/households/{ref}/members/{member}/leave": {"to": "account:1"},
    "POST /v1/households/{ref}/members/{member}/permit": {"burns": False},
    "POST /v1/referrals": {"subject": "card:friend-MINE", "referral": "friend", "by": "account:1"},
    "POST /v1/members": {"given_name": "Anna"},
    "POST /v1/members/search": {"card": "matrix"},
    "PATCH /v1/members/{member}": {"notes": "matrix"},
    "POST /v1/members/{member}/consents": {"purpose": "news", "granted": True},
    "POST /v1/members/{member}/cards": {"card": "matrix-2"},
    "POST /v1/members/{member}/cards/block": {"card": "matrix-1"},
    "POST /v1/members/{member}/merge": {},
    "POST /v1/accounts/{ref}/vouchers/{code}/use": {"basket": 1_000},
    "POST /v1/accounts/{ref}/offers/{offer}/load": {},
    "POST /v1/accounts/{ref}/entitlements/{entitlement}/enjoy": {},
    "POST /v1/redemptions": {"subject": "account:1", "reward": "mug"},
    "POST /v1/redemptions/{id}/capture": None,
    "POST /v1/redemptions/{id}/release": None,
    "POST /v1/checkout-tokens": {"subject": "account:1", "origin": ORIGIN},
    "POST /v1/checkout/quote": {"lines": []},
    "POST /v1/checkout/hold": {"points": 1, "basket": 1},
    "POST /v1/checkout/release": {},
    "POST /v1/webhooks": {"url": "https://receiver.invalid/"},
    "PATCH /v1/webhooks/{webhook}": {"name": "other"},
    "POST /v1/webhooks/{webhook}/secret": None,
    "POST /v1/webhooks/{webhook}/test": None,
    "POST /v1/webhooks/{webhook}/deliveries/{message}/resend": None,
    "POST /v1/webhooks/{webhook}/resend": {
        "since": "2024-01-01T00:00:00Z",
        "until": "2024-01-02T00:00:00Z",
    },
}
REFS_OF = {
    "POST /v1/accounts/{ref}/join": "card:joiner-MINE",
    "POST /v1/households/{ref}/members": "card:home-MINE",
    "POST /v1/households/{ref}/members/{member}/leave": "card:home-MINE",
    "POST /v1/households/{ref}/members/{member}/permit": "card:home-MINE",
}
NAMES = {"{offer}": "tea-week", "{entitlement}": "lounge"}


def rowless(routes: Iterable[Route]) -> set[str]:
    """The routes that have no row."""
    return {f"{each.method} {each.path}" for each in routes} ^ set(ROWS)


def expected(row: str, caller: str) -> int:
    scopes, foreign = ROWS[row]
    if scopes == "open":
        return OWN.get(row, 200)
    if scopes == "signed":  # a key is no signature
        return foreign
    program, _, scope = caller.partition("/")
    if not scope:
        return 401
    if scope not in scopes.split():
        return 403
    own = SPECIAL.get((row, caller), OWN.get(row, 200))
    return own if program == "market" else foreign


@dataclass
class Things:
    """What the merchant's routes are asked about; all of it is the market's."""

    declined: int
    prefix: str

    def names(self, path: str) -> dict[str, str]:
        """What stands in the address."""
        number = "1" if "programs" in path else str(self.declined)
        return {
            "{name}": "market", "{prefix}": self.prefix, "{what}": "entries",
            "{token}": "0" * 64, "{number}": number,
        }  # fmt: skip

    def body(self, row: str, caller: str) -> Any:
        """What is sent; ``None`` where these routes send nothing."""
        who, source = caller.replace("/", "-"), MARKET.format(name="market")
        hand = {"id": f"m-{who}", "subject": "account:1", "balance": "points", "amount": 1,
                "reason": "matrix"}  # fmt: skip
        key = {"name": who, "scope": "till", "source": f"m-{who}", "program": "market"}
        return {
            "POST /v1/adjustments": hand, "POST /v1/keys": key,
            "POST /v1/programs/{name}/validate": {"source": source},
            "POST /v1/programs/{name}/versions": {"source": source},
            "POST /v1/programs/{name}/drafts": {"source": source},
            "POST /v1/adjustments/{number}/approve": {},
            "POST /v1/adjustments/{number}/decline": {},
            "POST /v1/survey-answers/{number}/reply": {"text": "Thank you"},
        }.get(row)  # fmt: skip


@pytest.fixture(scope="module")
def matrix(market: Place) -> Place:
    """The market's first member has points, and each caller who may has a hold for each row."""
    with market.client("market/shop") as shop:
        assert begin_member(shop, "matrix", 5_000) == 1
    with market.client("market/staff") as staff:
        bring_vouchers(staff, "matrix", *(f"market-{scope}" for scope in SCOPES))
        for scope in ("till", "shop", "staff"):
            prepare(staff, f"market-{scope}")
    for scope in ("till", "shop", "staff"):
        with market.client(f"market/{scope}") as client:
            for row in ROWS:
                body = {"subject": "account:1", "reward": "mug"}
                if "{id}" in row:
                    assert post(client, "/v1/redemptions", body, hold_of(row)).status_code == 201
    return market


def prepare(staff: httpx.Client, mine: str) -> None:
    """What a caller finds: members, a household, and a purchase that nobody has claimed."""
    for card in ("joiner", "founder", "friend", "home"):
        begin_member(staff, f"{card}-{mine}")
    assert staff.post("/v1/events", json=bought(f"lone-{mine}", "", receipt=f"receipt-{mine}"))
    for member in ("lead", "leave", "permit"):
        path = f"/v1/households/card:home-{mine}/members"
        assert post(staff, path, {"member": member}).status_code == 200


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


@pytest.fixture(scope="module")
def things(matrix: Place) -> Things:
    """A till's proposal that staff has declined, and a key that can be revoked."""
    from kantis.desk import keys

    hand = {"id": "row", "subject": "account:1", "balance": "points", "amount": 1, "reason": "m"}
    with matrix.client("market/till") as till, matrix.client("market/staff") as staff:
        number = till.post("/v1/adjustments", json=hand).json()["number"]
        assert staff.post(f"/v1/adjustments/{number}/decline", json={}).status_code == 200
    with kantis.desk.open(matrix.server.store) as desk:
        _, prefix = keys.make(desk, "to go", "market", "till", "market-to-go")
    return Things(number, prefix)


def join(place: Place, id: str, **said: str) -> str:
    """A member of the market; the id."""
    with place.client("market/staff") as staff:
        answer = staff.post("/v1/members", json=said, headers={"idempotency-key": id})
    return str(answer.json()["id"])


@pytest.fixture(scope="module")
def member(matrix: Place) -> str:
    """A member of the market with a card."""
    return join(matrix, "matrix-member", card="matrix-1")


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
def test_each_caller_on_each_route(
    matrix: Place, things: Things, revoked: str, member: str, caller: str, row: str
) -> None:
    with names_of(matrix, row) as names:
        names |= things.names(row.split()[1])
        visit(matrix, things.body(row, caller), revoked, member, caller, row, names)


def visit(
    matrix: Place,
    body: Any,
    revoked: str,
    member: str,
    caller: str,
    row: str,
    named: dict[str, str],
) -> None:
    method, path = row.split()
    key = {"nobody": "", "stranger": "kantis_" + "0" * 64, "revoked": revoked}.get(caller)
    mine = f"market-{caller.partition('/')[2] or 'shop'}"
    ref = REFS_OF.get(row, "account:1").replace("MINE", mine)
    one = member if "/v1/members/" in path else path.rpartition("/")[2]
    names = {**NAMES, "{ref}": ref, "{id}": hold_of(row), "{code}": mine, "{member}": one}
    for name, value in (names | named).items():
        path = path.replace(name, value)
    if path == "/v1/settlements":
        path += "?from=2024-03-01&to=2024-03-31"
    headers = {"if-match": '"1"'}
    wanted = expected(row, caller)
    if "/v1/shops" in path:
        path, body = connected(matrix, row, caller)
        wanted = 204 if (method, wanted) == ("DELETE", 200) else wanted
    elif row in ("POST /v1/events", "POST /v1/quotes"):
        event = buy(f"matrix-{caller.replace('/', '-')}", "")
        event["data"]["partner"] = caller.replace("/", "-") if caller.endswith("partner") else ""
        body = {**event, "subject": "account:1", "ask": True}
    elif row in BODIES_OF:
        body = json.loads(json.dumps(BODIES_OF[row]).replace("MINE", mine))
        headers = {"idempotency-key": f"row-{list(ROWS).index(row)}"}
    if row.startswith("GET") and row.endswith("/merge"):
        path += f"?other={join(matrix, f'merge-look-{caller}')}"
    elif row.endswith("/merge"):
        body = {"other": join(matrix, f"merged-{caller}")}
    if method == "PATCH" and "/v1/members" in path:
        with matrix.client("market/staff") as staff:
            headers["if-match"] = staff.get(path).headers["etag"]
    with matrix.server.client(matrix.keys[caller] if key is None else key) as client:
        answer = client.request(method, path, json=body, headers=headers)
    found = answer.status_code
    if "/v1/webhooks" in path:
        found = 200 if found in (202, 204) else found
    assert (200 if found == 201 else found) == wanted, answer.text
    if found >= 400:
        problem(answer)
    if found == 401:
        scheme = "Signature" if path.endswith("webhook") else "Bearer"
        assert answer.headers["www-authenticate"] == scheme


def connected(matrix: Place, row: str, caller: str) -> tuple[str, Any]:
    """A connection of the market to take away, or to send to; a new one to make."""
    said = {
        "name": "matrix", "kind": "shopify", "secrets": {"signing": "hush"},
        "settings": {"domain": "market.myshopify.com"},
    }  # fmt: skip
    with kantis.desk.open(matrix.server.store) as desk:
        there = any(each.name == "matrix" for each in shops.shown(desk.books))
        new = row == "POST /v1/shops"
        if new and there and not caller.startswith("bazaar"):
            desk.remove_shop("matrix")
        elif not there and not (new and caller.startswith("market")):
            about = "matrix", "shopify", "market", "market-shop"
            shops.connect(desk, seals_of(desk), *about, said["secrets"], said["settings"])
    path = row.partition(" ")[2].replace("{connection}", "matrix")
    return path, said if row.startswith("POST") else None


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
    if scope in ("auditor", "owner"):
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
