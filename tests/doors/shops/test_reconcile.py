"""A pull settles what no webhook told: against a server that answers as the shops' APIs do."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kantis.desk import shops
from kantis.doors.shops.pulling import Client, Silent
from tests.doors.command import Kantis
from tests.doors.shops.stage import SETTINGS, Stage, payload, shopify_life
from tests.support.seals import seals_of

Page = tuple[int, Any, dict[str, str]]


class Api:
    """A shop's API: ``pages`` by path, each asked in turn; what was asked is noted."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.pages: dict[str, list[Page]] = {}
        self.asked: list[tuple[str, dict[str, list[str]], str]] = []

    def put(self, path: str, said: Any, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages.setdefault(path, []).append((status, said, named))


@contextmanager
def serving() -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = urlsplit(self.path)
            token = self.headers.get("X-Shopify-Access-Token") or self.headers["Authorization"]
            api.asked.append((found.path, parse_qs(found.query), token))
            pages = api.pages.get(found.path, [])
            status, said, headers = pages.pop(0) if pages else (404, {}, {})
            body = json.dumps(said).encode()
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api = Api(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as api:
        yield api


def reconcile(kantis: Kantis, store: str, kind: str, api: Api, token: str = "t0ken") -> Any:
    """Connect the shop with a token, and run the command."""
    with Stage(store) as stage:
        if stage.kinds[kind].connection.secrets.get("token") is None:
            stage.desk.remove_shop(kind)
            settings = SETTINGS[kind] | {"api": api.address}
            about = kind, kind, "club", kind, {"signing": "hush", "token": token}
            shops.connect(stage.desk, seals_of(stage.desk), *about, settings)
    said = kantis("shop", "reconcile", kind, "--since", "3 days", "--store", store, "--json")
    assert said.status == 0, said.err
    return said.json


def stands(store: str, card: str) -> Any:
    with Stage(store) as stage:
        return stage.stands(card)


def test_shopify_page_by_page_as_fast_as_it_lets_us(
    api: Api, kantis: Kantis, tmp_path: Path
) -> None:
    store = str(tmp_path / "books.db")
    with Stage(store) as stage:
        for card in ("shopify-1", "shopify-2", "shopify-3"):
            stage.member(card)
        for number in (1, 2, 3):  # of the third everything is lost, of the first the end
            life = shopify_life(number, number)
            if number == 2:
                for name in ("paid", "edited", "part", "after", "rest", "whole"):
                    stage.shopify(*life[name])
            elif number == 1:
                stage.shopify(*life["paid"])
        expected = stage.stands("shopify-2")
    path = "/admin/api/2025-10/orders.json"
    link = f'<{api.address}{path}?page_info=abc>; rel="next"'
    last = [shopify_life(number, number)["whole"][1] for number in (1, 2, 3)]
    api.put(path, {}, 429, Retry_After="0.01")
    api.put(path, {"orders": last[:2]}, Link=link)
    api.put(path, {}, 503)
    api.put(path, {"orders": last[2:]})
    assert reconcile(kantis, store, "shopify", api)["told"] == 3
    first, _, third, fourth = api.asked
    assert first[1]["status"] == ["any"]
    assert third[1] == fourth[1] == {"page_info": ["abc"]}
    assert {token for _, _, token in api.asked} == {"t0ken"}
    for card in ("shopify-1", "shopify-2", "shopify-3"):
        found = stands(store, card)
        assert found["counters"] == expected["counters"] == {"spend": "0.00", "orders": "0"}
        assert found["balances"] == expected["balances"]
    api.put(path, {"orders": last})
    again = reconcile(kantis, store, "shopify", api)
    assert (again["told"], again["events"]) == (3, 0)


def test_woocommerce_with_the_lines_of_its_refunds(
    api: Api, kantis: Kantis, tmp_path: Path
) -> None:
    store = str(tmp_path / "books.db")
    with Stage(store) as stage:
        stage.member("woocommerce-26")
    order = payload("woocommerce-order")
    other = order | {"id": 728, "customer_id": 0}
    refunded = order | {"refunds": [{"id": 726, "reason": "", "total": "-11.16"}]}
    path = "/wp-json/wc/v3/orders"
    api.put(path, [refunded], X_WP_TotalPages="2")
    api.put(f"{path}/727/refunds", [payload("woocommerce-refund")])
    api.put(path, [other], X_WP_TotalPages="2")
    assert reconcile(kantis, store, "woocommerce", api, "ck_1:cs_2")["told"] == 2
    assert [asked[1].get("page") for asked in api.asked] == [["1"], None, ["2"]]
    assert api.asked[0][2] == "Basic Y2tfMTpjc18y"
    assert stands(store, "woocommerce-26")["counters"] == {"spend": "19.00", "orders": "1"}


def test_square_with_the_lines_of_its_orders(api: Api, kantis: Kantis, tmp_path: Path) -> None:
    store = str(tmp_path / "books.db")
    card = "square-RDX9Z4XTIZR7MRZJUXNY9HUK6I"
    with Stage(store) as stage:
        stage.member(card)
    payment = payload("square-payment")["data"]["object"]["payment"]
    refund = payload("square-refund")["data"]["object"]["refund"]
    guest = deepcopy(payment) | {"id": "G", "customer_id": None, "order_id": None}
    api.put("/v2/payments", {"payments": [payment], "cursor": "more"})
    api.put("/v2/orders/03O3USaPaAaFnI6kkwB1JxGgBsUZY", payload("square-order"))
    api.put("/v2/payments", {"payments": [guest]})
    api.put("/v2/refunds", {"refunds": [refund]})
    assert reconcile(kantis, store, "square", api)["told"] == 3
    # 36.60 before tax of 41.00, of which 10.00 came back: 36.60 x 31 / 41, to the cent
    assert stands(store, card)["counters"] == {"spend": "27.67", "orders": "1"}


def test_stripe_subscriptions_and_invoices(api: Api, kantis: Kantis, tmp_path: Path) -> None:
    store = str(tmp_path / "books.db")
    with Stage(store) as stage:
        stage.member("stripe-cus_Na6dX7aXxi11N4")
    subscription = payload("stripe-subscription")["data"]["object"]
    invoice = payload("stripe-invoice")["data"]["object"]
    first = deepcopy(invoice) | {"id": "in_0", "billing_reason": "subscription_create"}
    api.put("/v1/subscriptions", {"data": [subscription], "has_more": False})
    api.put("/v1/invoices", {"data": [first], "has_more": True})
    api.put("/v1/invoices", {"data": [invoice], "has_more": False})
    assert reconcile(kantis, store, "stripe", api) == {"name": "stripe", "told": 2, "events": 2}
    assert api.asked[2][1]["starting_after"] == ["in_0"]
    assert stands(store, "stripe-cus_Na6dX7aXxi11N4")["plans"]["plus"]["state"] == "paid"


def test_a_shop_that_says_no_is_told(api: Api) -> None:
    waited: list[float] = []
    with Client(sleep=waited.append, tries=3) as client:
        for _ in range(3):
            api.put("/busy", {}, 429, Retry_After="7")
        with pytest.raises(Silent, match="429"):
            client.get(f"{api.address}/busy")
        assert (waited, client.asked, client.slowed) == ([7.0] * 3, 3, 3)
        with pytest.raises(Silent, match="Look at the token"):
            client.get(f"{api.address}/nowhere")
        api.put("/moved", {}, 302, Location="http://169.254.169.254/")
        with pytest.raises(Silent, match="302"):
            client.get(f"{api.address}/moved")
        api.put("/page", {}, Link='<http://other.example/>; rel="next"')
        with pytest.raises(Silent, match="another host"):
            client.get(f"{api.address}/page")
    with Client(sleep=waited.append, tries=2) as client, pytest.raises(Silent, match="Connect"):
        client.get("http://127.0.0.1:1/")
