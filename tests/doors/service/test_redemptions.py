"""Redemptions: held, then captured or released, once, and by nobody else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import kantis.desk
from kantis.desk.verify import verify
from tests.doors.service.conftest import Place
from tests.doors.service.market import MARKET, begin_member, post
from tests.doors.service.server import Server, begin, served
from tests.doors.service.test_events import problem


def purse(client: httpx.Client, card: str) -> dict[str, str]:
    found: dict[str, str] = client.get(f"/v1/accounts/card:{card}").json()["balances"]["points"]
    return found


def test_a_hold_is_captured(shop: httpx.Client) -> None:
    number = begin_member(shop, "hold", 250)
    body = {"subject": "card:hold", "reward": "mug"}
    held = post(shop, "/v1/redemptions", body, "order-1")
    assert (held.status_code, held.headers["location"]) == (201, "/v1/redemptions/order-1")
    found = held.json()
    assert (found["id"], found["state"], found["account"]) == ("order-1", "held", number)
    assert (found["balance"], found["points"]) == ("points", 100)
    assert purse(shop, "hold")["held"] == "100"
    seen = shop.get("/v1/redemptions/order-1").json()
    assert (seen["state"], seen["until"]) == ("held", found["until"])
    again = post(shop, "/v1/redemptions", body, "order-1")
    assert again.json() == {**found, "again": True}
    captured = post(shop, "/v1/redemptions/order-1/capture").json()
    assert (captured["id"], captured["state"], captured["points"]) == ("order-1", "captured", 100)
    assert len(captured["vouchers"]) == 1
    assert (purse(shop, "hold")["held"], purse(shop, "hold")["voucher"]) == ("0", "100")
    seen = shop.get("/v1/redemptions/order-1").json()
    assert (seen["state"], seen["vouchers"]) == ("captured", captured["vouchers"])
    assert problem(post(shop, "/v1/redemptions/order-1/release")) == (409, "unknown-hold")


def test_a_hold_is_released(shop: httpx.Client) -> None:
    begin_member(shop, "let-go", 100)
    post(shop, "/v1/redemptions", {"subject": "let-go", "reward": "mug"}, "order-2")
    released = post(shop, "/v1/redemptions/order-2/release", {}, "back-2").json()
    assert (released["state"], released["points"]) == ("released", 100)
    assert post(shop, "/v1/redemptions/order-2/release", {}, "back-2").json()["again"]
    assert purse(shop, "let-go")["available"] == "100"
    assert shop.get("/v1/redemptions/order-2").json()["state"] == "released"
    assert problem(post(shop, "/v1/redemptions/order-2/capture")) == (409, "unknown-hold")


def test_points_are_held_for_a_part_of_a_basket(shop: httpx.Client) -> None:
    begin_member(shop, "part", 2_000)
    body = {"subject": "card:part", "reward": "money-off", "basket": 1_000}
    found = post(shop, "/v1/redemptions", body).json()
    assert (found["points"], found["worth"]) == (500, 500)
    refused = post(shop, "/v1/redemptions", {**body, "points": 550})
    assert problem(refused) == (409, "too-much")


def test_a_refused_hold_is_final_and_told(shop: httpx.Client) -> None:
    begin_member(shop, "poor", 5)
    body = {"subject": "card:poor", "reward": "mug"}
    assert problem(post(shop, "/v1/redemptions", body, "order-3")) == (409, "not-enough")
    asked = shop.post(
        "/v1/redemptions", json=body,
        headers={"idempotency-key": "order-3", "accept-language": "fi"},
    )  # fmt: skip
    assert asked.json()["detail"].endswith("odota, kunnes niitä on tarpeeksi.")
    seen = shop.get("/v1/redemptions/order-3").json()
    assert (seen["state"], seen["refusal"], seen["reward"]) == ("refused", "not-enough", "mug")
    other = {**body, "reward": "lamp"}
    assert problem(post(shop, "/v1/redemptions", other, "order-3")) == (422, "id-reused")


def test_what_cannot_be_read_uses_no_id_up(shop: httpx.Client) -> None:
    body = {"subject": "card:hold", "reward": "mug"}
    path = "/v1/redemptions"
    assert problem(shop.post(path, json=body)) == (400, "id-missing")
    assert problem(post(shop, path, {**body, "hold": False})) == (400, "malformed")
    assert problem(post(shop, path, {"subject": "card:hold"})) == (400, "malformed")
    assert problem(post(shop, path, body, "a/b")) == (400, "malformed")
    assert problem(post(shop, path, body, "x" * 201)) == (400, "malformed")
    headers = {"idempotency-key": "text", "content-type": "text/plain"}
    assert problem(shop.post(path, content=b"{}", headers=headers)) == (415, "media-type")
    assert problem(post(shop, path, {**body, "subject": "card:none"})) == (404, "unknown-card")
    assert problem(post(shop, path, {**body, "subject": "place:1"})) == (422, "malformed-subject")


@pytest.mark.parametrize("name", ["a%00b", "%F0%9F", "%0A", "x" * 501, "%E2%80%AE"])
def test_what_is_no_name_is_nobodys(shop: httpx.Client, name: str) -> None:
    assert shop.get(f"/v1/redemptions/{name}").status_code in (400, 404)
    for path in (f"redemptions/{name}/capture", f"accounts/card:{name}/offers/{name}/load"):
        assert problem(post(shop, f"/v1/{path}"))[0] in (400, 404)


def test_a_hold_of_others_is_nowhere(market: Place, shop: httpx.Client) -> None:
    begin_member(shop, "mine", 100)
    post(shop, "/v1/redemptions", {"subject": "card:mine", "reward": "mug"}, "mine-1")
    for who in ("market/till", "bazaar/shop"):
        with market.client(who) as other:
            seen = other.get("/v1/redemptions/mine-1")
            assert problem(seen) == (404, "unknown-redemption")
            for what in ("capture", "release"):
                answer = post(other, f"/v1/redemptions/mine-1/{what}")
                assert problem(answer) == (404, "unknown-original")
    assert shop.get("/v1/redemptions/mine-1").json()["state"] == "held"


def test_an_unchanged_redemption_is_not_sent_again(shop: httpx.Client) -> None:
    begin_member(shop, "tag", 100)
    post(shop, "/v1/redemptions", {"subject": "card:tag", "reward": "mug"}, "tag-1")
    tag = shop.get("/v1/redemptions/tag-1").headers["etag"]
    same = shop.get("/v1/redemptions/tag-1", headers={"if-none-match": f'"x", W/{tag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    post(shop, "/v1/redemptions/tag-1/capture")
    other = shop.get("/v1/redemptions/tag-1", headers={"if-none-match": tag})
    assert other.status_code == 200
    assert other.headers["etag"] != tag


# ── many at once ──────────────────────────────────────────────────────────────

Spend = Callable[[httpx.Client, int], int]


def hold(client: httpx.Client, n: int) -> int:
    body = {"subject": "card:rush", "reward": "money-off", "points": 100}
    return post(client, "/v1/redemptions", body, f"rush-{n}").status_code


def look_first(client: httpx.Client, n: int) -> int:
    """The twin: looks whether there is enough, then tells that it was spent."""
    if int(purse(client, "rush")["available"]) < 100:
        return 409
    event = {
        "id": f"rush-{n}", "type": "redeem", "subject": "card:rush",
        "data": {"reward": "money-off", "points": 100},
    }  # fmt: skip
    return 201 if client.post("/v1/events", json=event).status_code == 200 else 0


def race(servers: list[Server], key: str, spend: Spend) -> list[int]:
    """What 64 shops get who want 100 points each of 1,000, all at once."""
    clients = [servers[n % len(servers)].client(key) for n in range(64)]
    begin_member(clients[0], "rush", 1_000)
    try:
        with ThreadPoolExecutor(64) as pool:
            return sorted(pool.map(spend, clients, range(64)))
    finally:
        for client in clients:
            client.close()


@pytest.fixture(params=["sqlite", "postgres"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "books.db")
    return str(request.getfixturevalue("pg_url"))


def test_64_holds_at_once_get_exactly_what_there_is(books: str) -> None:
    key = begin(books, "market", terms=MARKET)["market/shop"]
    with served(books) as one:
        if books.endswith(".db"):
            got = race([one], key, hold)
        else:
            with served(books) as two:
                got = race([one, two], key, hold)
        assert got == [201] * 10 + [409] * 54
        with one.client(key) as client:
            assert (purse(client, "rush")["available"], purse(client, "rush")["held"]) == (
                "0", "1000",
            )  # fmt: skip
    with kantis.desk.open(books) as desk:
        assert verify(desk.books).ok


def test_who_looks_first_spends_more_than_there_is(books: str) -> None:
    """The twin."""
    key = begin(books, "market", terms=MARKET)["market/shop"]
    with served(books) as one:
        assert race([one], key, look_first).count(201) > 10
