"""Webhooks over HTTP: what is not signed, not of this shop or too old has no effect."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import kantis.desk
from kantis.core.knobs import plain
from kantis.desk import keys, shops, text
from kantis.desk.verify import verify
from kantis.doors.shops import signatures
from kantis.store.sqlite import SqliteBooks
from tests.doors.service.server import Server, served
from tests.doors.service.test_events import problem
from tests.doors.shops.stage import PROGRAM, SETTINGS, SIGNING, payload, shopify_life, sign
from tests.support.seals import seals_of

OTHER = "another shop's secret"
CARDS = {
    "shopify": "shopify-207119551",
    "woocommerce": "woocommerce-26",
    "square": "square-RDX9Z4XTIZR7MRZJUXNY9HUK6I",
    "stripe": "stripe-cus_Na6dX7aXxi11N4",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server with a connection of each kind, and the key of the shop."""
    store = str(tmp_path_factory.mktemp("shops") / "books.db")
    with kantis.desk.open(store) as desk:
        desk.publish("club", 0, PROGRAM, plain(text.read(PROGRAM)))
        for kind, settings in SETTINGS.items():
            about = kind, kind, "club", kind, {"signing": f"old {SIGNING}"}
            shops.connect(desk, seals_of(desk), *about, settings)
        key, _ = keys.make(desk, "shop", "club", "shop", "web")
    with served(store) as server:
        with server.client(key) as client:
            for card in CARDS.values():
                event = {"id": f"e-{card}", "type": "enrol", "subject": f"card:{card}"}
                assert client.post("/v1/events", json=event).status_code == 200
        yield server, key
        status, log = server.end()
        assert status == 0, log
        assert "Traceback" not in log
        assert SIGNING not in log
    with SqliteBooks(store, write=False) as books:
        assert verify(books).ok


def recent(kind: str) -> bytes:
    """What the shop has sent just now."""
    name = {
        "shopify": "shopify-order", "woocommerce": "woocommerce-order",
        "square": "square-payment", "stripe": "stripe-subscription",
    }[kind]  # fmt: skip
    return json.dumps(payload(name)).encode()


def headers_of(kind: str, body: bytes, secret: str = SIGNING, ago_s: int = 0) -> dict[str, str]:
    """The headers that the shop sends with it."""
    if kind == "shopify":
        made = datetime.now(UTC) - timedelta(seconds=ago_s)
        return {
            "x-shopify-hmac-sha256": sign(body, secret), "x-shopify-topic": "orders/paid",
            "x-shopify-shop-domain": "club.myshopify.com",
            "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
            "x-shopify-triggered-at": made.isoformat().replace("+00:00", "Z"),
        }  # fmt: skip
    if kind == "woocommerce":
        return {
            "x-wc-webhook-signature": sign(body, secret), "x-wc-webhook-topic": "order.updated",
            "x-wc-webhook-source": "https://club.example/", "x-wc-webhook-delivery-id": "7",
        }  # fmt: skip
    if kind == "square":
        url = SETTINGS["square"]["url"].encode()
        return {"x-square-hmacsha256-signature": sign(url + body, secret)}
    stamp = str(int(time.time()) - ago_s)
    made_by = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={stamp},v1={'0' * 64},v1={made_by}"}


def post(server: Server, kind: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    with server.client() as client:
        said = {"content-type": "application/json"} | headers
        return client.post(f"/v1/shops/{kind}/webhook", content=body, headers=said)


def stands(shop: tuple[Server, str], card: str) -> Any:
    server, key = shop
    with server.client(key) as client:
        account = client.get(f"/v1/accounts/card:{card}").json()
        entries = client.get(f"/v1/accounts/card:{card}/entries?limit=100").json()["entries"]
    return account, len(entries)


def flipped(body: bytes, number: int) -> bytes:
    """The body with one bit that is another."""
    place = number * len(body) // 50
    return body[:place] + bytes([body[place] ^ (1 << number % 8)]) + body[place + 1 :]


@pytest.mark.parametrize("kind", sorted(SETTINGS))
def test_fifty_times_each_has_one_effect(shop: tuple[Server, str], kind: str) -> None:
    server, _ = shop
    body = recent(kind)
    for number in range(50):  # nothing of it has an effect before the right one comes
        forged = flipped(body, number)
        answer = post(server, kind, forged, headers_of(kind, body))
        assert problem(answer) == (401, "not-signed")
        assert problem(post(server, kind, body, headers_of(kind, body, OTHER)))[0] == 401
    assert stands(shop, CARDS[kind])[1] == 1  # enrolled, and nothing else
    assert problem(post(server, kind, body, {})) == (401, "not-signed")
    assert post(server, kind, body, headers_of(kind, body)).json() == {"outcomes": ["decided"]}
    after = stands(shop, CARDS[kind])
    assert after[1] == 2
    for _ in range(50):
        answer = post(server, kind, body, headers_of(kind, body))
        assert (answer.status_code, answer.json()) == (200, {"outcomes": []})
    old = post(server, kind, body, headers_of(kind, body, ago_s=360))
    # only Stripe signs the time; of the others the same delivery comes again for hours
    assert old.status_code == (401 if kind == "stripe" else 200)
    assert stands(shop, CARDS[kind]) == after


def test_without_comparing_the_signature_a_forgery_has_an_effect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from kantis.doors.shops import shopify
    from kantis.doors.shops.reading import Mapping

    mapping = Mapping("shopify", SETTINGS["shopify"])
    body = recent("shopify")
    forged = headers_of("shopify", body, OTHER)
    now = time.time_ns() // 1_000_000
    assert not shopify.verify(mapping, [SIGNING], forged, body, now)
    monkeypatch.setattr(shopify, "signed", lambda *_: True)
    assert shopify.verify(mapping, [SIGNING], forged, body, now)


def test_a_stripe_signature_has_a_time() -> None:
    body, now = b"{}", 1_772_359_200
    made = hmac.new(b"hush", f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    for ago, right in ((0, True), (299, True), (301, False), (-299, True), (-360, False)):
        said = f"t={now},v1={made}"
        assert signatures.stripe_signed(["hush"], body, said, now + ago) is right
    for said in ("", "t=1", f"v1={made}", f"t=x,v1={made}", f"t={now},t={now},v1={made}", "t=,v1="):
        assert not signatures.stripe_signed(["hush"], body, said, now)


def test_shopify_another_domain_and_two_days_old(shop: tuple[Server, str]) -> None:
    server, _ = shop
    body = recent("shopify")
    other = headers_of("shopify", body) | {"x-shopify-shop-domain": "other.myshopify.com"}
    assert problem(post(server, "shopify", body, other)) == (401, "not-signed")
    old = headers_of("shopify", body, ago_s=49 * 3600)
    assert problem(post(server, "shopify", body, old)) == (401, "not-signed")


def test_a_woocommerce_ping_is_answered_and_does_nothing(shop: tuple[Server, str]) -> None:
    server, _ = shop
    said = {"content-type": "application/x-www-form-urlencoded"}
    assert post(server, "woocommerce", b"webhook_id=17", said).json() == {"outcomes": []}
    assert post(server, "woocommerce", b"webhook_id=17&x=1", said).status_code == 401
    assert post(server, "shopify", b"webhook_id=17", said).status_code == 401


def test_what_is_signed_and_unreadable_is_said(shop: tuple[Server, str]) -> None:
    server, _ = shop
    for body in (b"{", b"[]", b'{"id": 1}', b"\xff"):
        answer = post(server, "shopify", body, headers_of("shopify", body))
        assert problem(answer) == (422, "unreadable")
    assert problem(post(server, "nobody", b"{}", {})) == (404, "not-found")


def test_a_life_over_http(shop: tuple[Server, str]) -> None:
    server, key = shop
    with server.client(key) as client:
        event = {"id": "e-77", "type": "enrol", "subject": "card:shopify-77"}
        assert client.post("/v1/events", json=event).status_code == 200
    life = shopify_life(77, 77)
    for name in ("rest", "edited", "part", "paid", "whole", "after"):
        topic, said = life[name]
        body = json.dumps(said).encode()
        headers = headers_of("shopify", body) | {"x-shopify-topic": topic}
        assert post(server, "shopify", body, headers).status_code == 200
    account, _ = stands(shop, "shopify-77")
    assert account["balances"]["points"]["available"] == "0"
    assert account["counters"] == {"spend": "0.00", "orders": "0"}


def test_connections_are_made_and_taken_away(shop: tuple[Server, str]) -> None:
    server, key = shop
    said: dict[str, Any] = {
        "name": "second", "kind": "woocommerce", "secrets": {"signing": "s3"},
        "settings": {"domain": "https://second.example"},
    }  # fmt: skip
    with server.client(key) as client:
        made = client.post("/v1/shops", json=said)
        assert made.status_code == 201
        assert made.json()["webhook"] == "/v1/shops/second/webhook"
        assert "s3" not in made.text
        assert problem(client.post("/v1/shops", json=said)) == (400, "malformed")
        for wrong in (
            {"kind": "magento"}, {"settings": {}}, {"settings": {"domian": "x"}},
            {"name": "X Y"}, {"secrets": {}}, {"secrets": {"signing": "a", "token": "b"}},
            {"settings": {"domain": "https://a.example", "api": "http://127.0.0.1"}},
        ):  # fmt: skip
            answer = client.post("/v1/shops", json=said | {"name": "third"} | wrong)
            assert problem(answer) == (400, "malformed"), wrong
        names = [each["name"] for each in client.get("/v1/shops").json()["shops"]]
        assert names == [*SETTINGS, "second"]
        assert client.delete("/v1/shops/second").status_code == 204
        assert problem(client.delete("/v1/shops/second")) == (404, "not-found")
        both = said | {"name": "fourth", "kind": "shopify"}
        both["settings"] = {"domain": "club.myshopify.com"}
        assert "numbers of orders" in client.post("/v1/shops", json=both).json()["detail"]
        assert client.post("/v1/shops", json=said | {"name": "again"}).status_code == 201
    body = recent("woocommerce")
    answer = post(server, "second", body, headers_of("woocommerce", body, "s3"))
    assert answer.status_code == 404


def test_on_the_command_line(tmp_path: Path, kantis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = str(tmp_path / "books.db")
    with kantis_desk(store):
        pass
    monkeypatch.setenv("KANTIS_SHOP_SECRET", "hush")
    about = ("--kind", "shopify", "--store", store)
    made = kantis("shop", "add", "web", *about, "--set", "domain=club.myshopify.com", "--json")
    assert json.loads(made.out)["webhook"] == "/v1/shops/web/webhook"
    assert "hush" not in made.out
    for wrong in (("--set", "domain"), (), ("--set", "x=1")):
        assert kantis("shop", "add", "other", *about, *wrong).status == 2
    (listed,) = json.loads(kantis("shop", "list", "--store", store, "--json").out)
    assert (listed["name"], listed["settings"]["currency"]) == ("web", "EUR")
    assert "web" in kantis("shop", "list", "--store", store).out
    assert kantis("shop", "reconcile", "web", "--store", store).status == 1  # it has no token
    assert kantis("shop", "reconcile", "web", "--since", "soon", "--store", store).status == 2
    assert kantis("shop", "remove", "web", "--store", store).status == 0
    assert kantis("shop", "remove", "web", "--store", store).status == 1


def kantis_desk(store: str) -> Any:
    desk = kantis.desk.open(store)
    desk.publish("club", 0, PROGRAM, plain(text.read(PROGRAM)))
    return desk
