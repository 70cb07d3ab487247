"""A page of a shop: what its token lets it do from its own origin, and nothing else."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from msgspec import structs

import kantis.desk
from kantis.core.knobs import plain
from kantis.desk import keys, shops, text
from kantis.desk.codes import digest
from kantis.desk.vault.keyfile import FolderKeys
from kantis.desk.vault.opening import folder_of
from kantis.desk.vault.seals import Seals
from kantis.desk.verify import verify
from kantis.doors.api import checkout, tokens
from kantis.store.sqlite import SqliteBooks
from tests.doors.service.server import ORIGIN, Server, served
from tests.doors.service.test_events import problem
from tests.doors.service.test_shops import headers_of, post
from tests.doors.shops.stage import PROGRAM, SIGNING, payload
from tests.house.sources import REPO
from tests.support.seals import seals_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
#: The page is a made up one, and the service on this machine: nothing else is switched off.
FLAGS = ["--no-sandbox", "--disable-features=LocalNetworkAccessChecks"]
BASKET = {"lines": [{"id": "1", "product": "mug", "amount": 2_500}]}


class Shop:
    """A server, the shop's key, and members with 70 points each."""

    def __init__(self, server: Server, key: str) -> None:
        self.server, self.key = server, key

    def member(self, card: str) -> str:
        with self.server.client(self.key) as client:
            subject = f"card:{card}"
            line = {"id": "1", "product": "tea", "amount": 6_500}
            events = [
                {"id": f"e-{card}", "type": "enrol", "subject": subject},
                {"id": f"b-{card}", "type": "purchase", "subject": subject,
                 "data": {"lines": [line]}},
            ]  # fmt: skip
            answer = client.post("/v1/events", json=events)
            assert [each["outcome"] for each in answer.json()] == ["decided"] * 2
        return subject

    def token(self, subject: str, **other: Any) -> dict[str, Any]:
        asked = {"subject": subject, "origin": ORIGIN, "reward": "off", "points_max": 50}
        with self.server.client(self.key) as client:
            answer = client.post("/v1/checkout-tokens", json=asked | other)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, token: str, what: str, body: Any = None, origin: str = ORIGIN) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} | ({"origin": origin} if origin else {})
        with self.server.client() as client:
            return client.post(f"/v1/checkout/{what}", json=body, headers=headers)

    def points(self, subject: str) -> tuple[str, str]:
        with self.server.client(self.key) as client:
            found = client.get(f"/v1/accounts/{subject}").json()["balances"]["points"]
        return found["available"], found["held"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    store = str(tmp_path_factory.mktemp("checkout") / "books.db")
    with kantis.desk.open(store) as desk:
        desk.publish("club", 0, PROGRAM, plain(text.read(PROGRAM)))
        key, _ = keys.make(desk, "shop", "club", "shop", "shopify")
        settings = {"domain": "club.myshopify.com", "card": "field:club card"}
        about = "shopify", "shopify", "club", "shopify", {"signing": SIGNING}
        shops.connect(desk, seals_of(desk), *about, settings)
    with served(store) as server:
        yield Shop(server, key)
        status, log = server.end()
        assert status == 0, log
        assert "Traceback" not in log
    with SqliteBooks(store, write=False) as books:
        assert verify(books).ok


def test_a_page_sees_the_balance_and_what_a_basket_earns(shop: Shop) -> None:
    token = shop.token(shop.member("q"))["token"]
    answer = shop.ask(token, "quote", BASKET)
    assert answer.json() == {
        "balances": {"points": "70", "stars": "0"}, "earns": {"points": 75, "stars": 3}, "off": 0
    }  # fmt: skip
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


def test_points_are_held_and_taken_when_the_order_is_paid(shop: Shop) -> None:
    subject = shop.member("h")
    made = shop.token(subject)
    held = shop.ask(made["token"], "hold", {"points": 50, "basket": 2_500})
    assert held.json() == {"hold": made["hold"], "points": 50, "off": 500}
    for _ in range(50):  # a replay holds nothing more
        again = shop.ask(made["token"], "hold", {"points": 50, "basket": 2_500})
        assert again.json() == held.json()
    assert shop.points(subject) == ("20", "50")
    other = shop.ask(made["token"], "hold", {"points": 20, "basket": 2_500})
    assert problem(other) == (409, "refused")  # the token is used up
    order = payload("shopify-order") | {"note_attributes": [
        {"name": "club card", "value": "h"}, {"name": "kantis_hold", "value": made["hold"]},
    ]}  # fmt: skip
    body = json.dumps(order).encode()
    answer = post(shop.server, "shopify", body, headers_of("shopify", body))
    assert answer.json() == {"outcomes": ["decided", "decided"]}
    assert shop.points(subject)[1] == "0"


def test_an_abandoned_basket_gives_the_points_back(shop: Shop) -> None:
    subject = shop.member("r")
    token = shop.token(subject)["token"]
    assert shop.ask(token, "hold", {"points": 30, "basket": 2_500}).status_code == 200
    assert shop.points(subject) == ("40", "30")
    for _ in range(2):
        assert shop.ask(token, "release", {}).status_code == 200
    assert shop.points(subject) == ("70", "0")


def test_a_foreign_hold_is_not_taken(shop: Shop) -> None:
    """The fields of an order are written by whoever buys: another's hold is none of theirs."""
    victim, _ = shop.member("victim"), shop.member("thief")
    made = shop.token(victim)
    assert shop.ask(made["token"], "hold", {"points": 50, "basket": 2_500}).status_code == 200
    order = payload("shopify-order") | {"id": 99, "note_attributes": [
        {"name": "club card", "value": "thief"}, {"name": "kantis_hold", "value": made["hold"]},
    ]}  # fmt: skip
    body = json.dumps(order).encode()
    assert post(shop.server, "shopify", body, headers_of("shopify", body)).status_code == 200
    assert shop.points(victim) == ("20", "50")


def test_over_the_limit_and_out_of_scope(shop: Shop) -> None:
    subject = shop.member("l")
    token = shop.token(subject)["token"]
    answer = shop.ask(token, "hold", {"points": 60, "basket": 2_500})
    assert problem(answer) == (403, "over-limit")
    assert problem(shop.ask(token, "hold", {"points": 0, "basket": 9_900})) == (403, "over-limit")
    only = shop.token(subject, scopes=["quote"])["token"]
    assert problem(shop.ask(only, "hold", {"points": 10, "basket": 100})) == (403, "not-allowed")
    assert shop.points(subject) == ("70", "0")
    assert problem(shop.ask(token, "release", {})) == (409, "refused")


def test_another_origin_may_not(shop: Shop) -> None:
    token = shop.token(shop.member("o"))["token"]
    for origin in ("https://evil.example", "https://shop.example.evil", "http://shop.example",
                   "null", "", "https://shop.example:444"):  # fmt: skip
        answer = shop.ask(token, "quote", BASKET, origin)
        assert problem(answer) == (403, "other-origin"), origin
        assert "access-control-allow-origin" not in answer.headers
    with shop.server.client(shop.key) as client:
        said = {"subject": "card:o", "origin": "https://evil.example"}
        assert problem(client.post("/v1/checkout-tokens", json=said)) == (403, "other-origin")


def test_a_browser_is_told_before_it_asks(shop: Shop) -> None:
    def ask(path: str, origin: str, method: str = "POST") -> httpx.Response:
        headers = {"origin": origin, "access-control-request-method": method}
        with shop.server.client() as client:
            return client.options(path, headers=headers)

    answer = ask("/v1/checkout/hold", ORIGIN)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type"
    assert problem(ask("/v1/checkout/hold", "https://evil.example")) == (403, "other-origin")
    for path in ("/v1/events", "/v1/checkout-tokens", "/v1/shops"):  # no page calls these
        answer = ask(path, ORIGIN)
        assert problem(answer) == (403, "other-origin")
        assert "access-control-allow-origin" not in answer.headers
    assert ask("/v1/checkout/hold", ORIGIN, "DELETE").status_code == 405


def test_a_token_is_believed_only_as_it_was_signed(shop: Shop) -> None:
    subject = shop.member("t")
    made = shop.token(subject)["token"]
    token = tokens.read(made)
    assert token is not None
    kept = digest(shop.key)  # what a thief of the books has
    seals = Seals(FolderKeys(folder_of(shop.server.store)))
    (secret,) = seals.signing(checkout.TOKENS, kept)
    assert tokens.sign(token, secret) == made
    for theirs in (b"x" * 32, kept):
        stolen = tokens.sign(token, theirs)
        assert problem(shop.ask(stolen, "quote", BASKET)) == (401, "token-unknown")
    forged = structs.replace(token, subject="card:q", points_max=1_000_000)
    mac = made.rpartition(".")[2]
    spliced = f"{tokens.sign(forged, b'').rpartition('.')[0]}.{mac}"
    for wrong in (spliced, "x", "kantis-checkout_", "kantis-checkout_a.b", made[:-2], shop.key,
                  made.replace("_", "", 1), made + "." + mac):  # fmt: skip
        assert problem(shop.ask(wrong, "quote", BASKET)) == (401, "token-unknown"), wrong
    old = structs.replace(token, expires=time.time_ns() // 1_000_000 - 1)
    late = shop.ask(tokens.sign(old, secret), "quote", BASKET)
    assert problem(late) == (401, "token-expired")


def test_without_the_signature_another_account_would_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = tokens.Token("k", "1", "card:victim", ORIGIN, "off", 9, ("quote",), 1 << 50)
    forged = tokens.sign(token, b"nobody's")
    assert not tokens.signed(forged, b"somebody's")
    monkeypatch.setattr(tokens.hmac, "compare_digest", lambda *_: True)
    assert tokens.signed(forged, b"somebody's")


def test_a_token_ends_with_its_key(shop: Shop) -> None:
    subject = shop.member("k")
    with kantis.desk.open(shop.server.store) as desk:
        secret, prefix = keys.make(desk, "second", "club", "shop", "shopify")
        token = Shop(shop.server, secret).token(subject)["token"]
        assert shop.ask(token, "quote", BASKET).status_code == 200
        assert desk.revoke_key(prefix)
    assert problem(shop.ask(token, "quote", BASKET)) == (401, "token-unknown")


def test_the_script_is_the_one_of_the_page(shop: Shop) -> None:
    """A page holds the script by its hash: a change of it is another number."""
    with shop.server.client() as client:
        answer = client.get(checkout.SCRIPT)
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    told = re.findall(r"sha384-[A-Za-z0-9+/]{64}", (REPO / "docs" / "shops.md").read_text("utf-8"))
    assert told == [checkout.integrity()]


PAGE = """<!doctype html><title>Basket</title><input id="hold"><div id="points"></div>
<script type="module">
import {{show}} from "{service}/v1/checkout-1.js";
show(document.querySelector("#points"), {{
  service: "{service}", token: async () => ({token}),
  basket: () => ({basket}),
  changed: hold => {{ document.querySelector("#hold").value = hold ? hold.hold : ""; }},
}});
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")
def test_in_a_browser(shop: Shop) -> None:
    from playwright.sync_api import expect, sync_playwright

    subject = shop.member("browser")
    made = shop.token(subject, points_max=100)
    basket = json.dumps(BASKET | {"amount": 2_500})
    page_text = PAGE.format(service=shop.server.address, token=json.dumps(made), basket=basket)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        for origin in (ORIGIN, "https://evil.example"):
            page.route(
                f"{origin}/", lambda route: route.fulfill(body=page_text, content_type="text/html")
            )
        page.goto(f"{ORIGIN}/")
        status, button = page.get_by_role("status"), page.get_by_role("button")
        expect(status).to_have_text("You have 70 points. This order earns 75.")
        button.click()
        expect(status).to_have_text("70 points are set aside for this order.")
        expect(page.locator("#hold")).to_have_value(made["hold"])
        assert shop.points(subject) == ("0", "70")
        button.click()
        expect(page.locator("#hold")).to_have_value("")
        assert shop.points(subject) == ("70", "0")
        page.goto("https://evil.example/")  # the browser itself keeps the answer from it
        expect(status).to_have_text("Points are not available at the moment.")
        browser.close()
