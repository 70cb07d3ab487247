"""The till: paired by a code, a sale in two presses, each booked once, also without a network."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

import kantis.desk
from kantis.core.events import Enrol, Event
from kantis.core.knobs import plain
from kantis.desk import sessions, staff, text, tills
from kantis.desk.audit import By
from tests.doors.service.server import Server, served
from tests.doors.web.looking import LANGUAGES, LOOKS, WIDTHS, tab

pytestmark = pytest.mark.browser
SHOP = """
program: shop
title: {en: Corner shop, fi: Kulmakauppa}
money: EUR
timezone: Europe/Helsinki
claims: within 30 days
balances: {points: {expires: 12 months after earning}}
earning:
  all: {give: 1 point per 1 EUR}
  tea: {where: {category: tea}, give: 5 points per item}
offers:
  tea-week: {title: {en: Tea week}, where: {category: tea}, give: 50 points, uses: 2}
rewards:
  mug: {title: {en: A mug}, cost: 10 points, gives: {voucher: mug}}
  money-off: {rate: 1.00 EUR per 10 points, pays at most: 50 %, step: 10 points}
vouchers: {mug: {good for: a mug, valid: 6 months}}
"""
BY = By("test")


class Shop:
    """A running service with one till; ``card`` makes a member with as many points."""

    def __init__(self, server: Server, store: Path, manager: str, till: str, pin: str) -> None:
        self.server, self.store = server, store
        self.manager, self.till, self.pin = manager, till, pin
        #: of the manager on a till of their own
        self.spare: dict[str, str] = {}
        self.leaver = ""

    @property
    def address(self) -> str:
        return self.server.address

    def client(self) -> httpx.Client:
        headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
        return httpx.Client(base_url=self.address, headers=headers, cookies={"till": self.till})

    def events(self, kind: str = "purchase") -> list[str]:
        """The ids of all events of a type, each as often as the books have it."""
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as books:
            found = books.execute("SELECT key FROM event WHERE type = ?", (kind,)).fetchall()
        return [key.partition("/")[2] for (key,) in found]

    def points(self, card: str) -> str:
        with self.client() as client:
            said = client.get("/till", params={"card": card}).text
        found = re.search(r"<li>([\d.,]+) points?</li>", said)
        assert found is not None, said
        return found[1]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    store: Path = tmp_path_factory.mktemp("till") / "books.db"
    with kantis.desk.open(str(store)) as desk:
        desk.publish("shop", 0, SHOP, plain(text.read(SHOP)))
        for n in range(1, 30):
            event = Event("test", f"e{n}", desk.clock(), f"card:{6407000 + n}", Enrol())
            desk.submit([event], program="shop")
        number, _ = staff.invite(desk, "maija", "Maija", "manager", "", BY)
        cashier, _ = staff.invite(desk, "kaisa", "Kaisa", "cashier", "shop", BY)
        manager = sessions.begin(desk, "a test", staff=number)
        pin = tills.give_pin(desk, 1, cashier, BY)
        till = tills.pair(desk, tills.offer(desk, 1, "First", "", BY), "here")
        key = desk.keyring.find(till, desk.books)
        assert key is not None
        tills.stand(desk, key.prefix, cashier)
        leaver = sessions.begin(desk, "a test", staff=number)
        spare = {
            "session": sessions.begin(desk, "a test", staff=number),
            "till": tills.pair(desk, tills.offer(desk, 1, "Spare", "", BY), "here"),
        }
    with served(store) as server:
        shop = Shop(server, store, manager, till, pin)
        shop.spare, shop.leaver = spare, leaver
        yield shop
        status, log = server.end()
        assert status == 0, log
        assert '"fault"' not in log


def fields(page: str, action: str) -> dict[str, str]:
    """The hidden fields of a form, as it was shown."""
    form = page.split(f'action="{action}"', 1)[1].split("</form>", 1)[0]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def sell(client: httpx.Client, card: str, amount: str, add: str = "") -> str:
    """The number of the receipt of a sale."""
    shown = client.get("/till", params={"card": card, "amount": amount, "add": add})
    answer = client.post("/till/sale", data=fields(shown.text, "/till/sale"))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def test_a_till_is_paired_and_a_cashier_shows_a_pin(browser: Browser, shop: Shop) -> None:
    with tab(browser, shop.address, 1280, session=shop.manager) as looked:
        page = looked.page
        page.goto("/c/shop/tills")
        page.get_by_label("Name").fill("Second")
        page.get_by_role("button", name="Make a code").click()
        code = page.locator(".figure code").inner_text()
        assert looked.barriers() == []
        page.get_by_role("button", name="New PIN Kaisa").click()
        pin = shop.pin = page.locator(".figure code").inner_text()
        assert looked.complaints == []
    with tab(browser, shop.address) as looked:
        page = looked.page
        page.goto("/till")
        assert page.url.endswith("/till/pair")
        page.get_by_label("Pairing code").fill(code.lower())
        page.keyboard.press("Enter")
        page.wait_for_url("**/till/sign-in")
        assert looked.barriers() == []
        page.get_by_label("PIN").fill("12")
        page.keyboard.press("Enter")
        assert "not right" in page.get_by_role("alert").inner_text()
        page.get_by_label("PIN").fill(pin)
        page.keyboard.press("Enter")
        page.wait_for_url("**/till")
        page.get_by_role("button", name="Lock").click()
        page.wait_for_url("**/till/sign-in")
    with tab(browser, shop.address) as looked:  # the code is used up
        looked.page.goto("/till/pair")
        looked.page.get_by_label("Pairing code").fill(code)
        looked.page.keyboard.press("Enter")
        assert "does not hold" in looked.page.get_by_role("alert").inner_text()
    with tab(browser, shop.address, 1280, session=shop.manager) as looked:
        looked.page.goto("/c/shop/tills")
        looked.page.get_by_role("button", name="End Second").click()
        assert looked.page.get_by_role("button", name="End Second").count() == 0


def test_a_locked_till_is_locked_for_whoever_signed_in_with_a_password(shop: Shop) -> None:
    headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
    with httpx.Client(base_url=shop.address, headers=headers, cookies=shop.spare) as client:
        assert client.get("/till").status_code == 200, "a password is as good as a PIN"
        client.post("/till/lock")
    with httpx.Client(base_url=shop.address, headers=headers, cookies=shop.spare) as client:
        assert client.get("/till").headers["location"] == "/till/sign-in"
        assert client.get("/c/shop/tills").headers["location"].startswith("/sign-in")


def test_signing_out_of_the_console_keeps_the_sales_that_wait(shop: Shop) -> None:
    headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
    cookies = {"session": shop.leaver}
    with httpx.Client(base_url=shop.address, headers=headers, cookies=cookies) as client:
        assert client.get("/c/shop").status_code == 200
        assert "clear-site-data" not in client.post("/sign-out").headers


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_a_sale_with_the_keyboard_alone(
    browser: Browser, shop: Shop, language: str, width: int
) -> None:
    card = str(6407001 + LANGUAGES.index(language) * 2 + WIDTHS.index(width))
    with tab(browser, shop.address, width, language=language, till=shop.till) as looked:
        page = looked.page
        page.goto("/till")
        page.keyboard.type(f";{card}=4912?")  # a stripe that is drawn through
        page.keyboard.press("Enter")
        page.wait_for_url("**card=**")
        page.locator("[name=amount]:focus").wait_for()
        page.keyboard.type("12,50")
        page.keyboard.press("Enter")
        page.wait_for_url("**amount=12**")
        assert looked.barriers() == []
        assert not looked.overflows()
        page.keyboard.press("Enter")
        page.wait_for_url("**/till/receipts/**")
        assert looked.barriers() == []
        assert not looked.overflows()
        told = page.locator("main").inner_text()
        assert "12" in told
        number = page.url.rpartition("/")[2]
        assert shop.events().count(number) == 1
        assert looked.complaints == []


def test_pressed_twice_it_is_booked_once(shop: Shop) -> None:
    with shop.client() as client:
        shown = client.get("/till", params={"card": "6407010", "amount": "20"})
        form = fields(shown.text, "/till/sale")
        places = {client.post("/till/sale", data=form).headers["location"] for _ in range(3)}
        assert places == {f"/till/receipts/{form['id']}"}
        assert shop.points("6407010") == "20"
        # the twin: under an id of its own the same basket is another purchase
        again = client.get("/till", params={"card": "6407010", "amount": "20"})
        client.post("/till/sale", data=fields(again.text, "/till/sale"))
        assert shop.points("6407010") == "40"


def test_a_reward_is_held_and_spent_with_the_purchase(browser: Browser, shop: Shop) -> None:
    with shop.client() as client:
        sell(client, "6407011", "60")
    with tab(browser, shop.address, till=shop.till) as looked:
        page = looked.page
        page.goto("/till?card=6407011&amount=10")
        page.get_by_role("button", name="Redeem Money off").click()
        page.wait_for_url("**id=**")
        assert "€5.00" in page.locator(".figure").inner_text()
        page.get_by_role("button", name="Record").click()
        page.wait_for_url("**/till/receipts/**")
        assert looked.complaints == []
        number = page.url.rpartition("/")[2]
        assert shop.points("6407011") == "15"
        page.get_by_role("button", name="Take it back").click()
        page.get_by_text("has come back").wait_for()
    assert shop.points("6407011") == "60"
    assert shop.events("capture").count(f"{number}-c") == 1


def test_what_was_set_aside_can_be_given_back(browser: Browser, shop: Shop) -> None:
    with shop.client() as client:
        sell(client, "6407012", "30")
    with tab(browser, shop.address, till=shop.till) as looked:
        page = looked.page
        page.goto("/till?card=6407012&amount=10")
        page.get_by_role("button", name="Redeem A mug").click()
        page.get_by_role("button", name="Give it back").click()
        page.get_by_role("button", name="Redeem A mug").wait_for()
        assert shop.points("6407012") == "30"
        page.get_by_role("button", name="Redeem A mug").click()
        page.get_by_role("button", name="Record").click()
        page.wait_for_url("**/till/receipts/**")
        assert shop.points("6407012") == "30"  # 20 left, and 10 for the purchase
        page.goto("/till?card=6407012")
        page.get_by_role("button", name="Use voucher a mug").click()
        page.wait_for_url("**id=**")
        assert page.get_by_role("button", name="Use voucher a mug").count() == 0


def test_an_offer_is_loaded_and_counts(browser: Browser, shop: Shop) -> None:
    with tab(browser, shop.address, till=shop.till) as looked:
        page = looked.page
        page.goto("/till?card=6407013&amount=2x4.50&add=tea")
        page.get_by_role("button", name="Load Tea week").click()
        page.wait_for_url("**id=**")
        assert "50 points" in page.locator("main").inner_text()
        page.get_by_role("button", name="Record").click()
        page.wait_for_url("**/till/receipts/**")
    assert shop.points("6407013") == "69"


def test_a_purchase_without_a_card_is_claimed_later(shop: Shop) -> None:
    with shop.client() as client:
        number = sell(client, "", "8")
        shown = client.get(f"/till/receipts/{number}").text
        assert "A member would have had" in shown
        assert "8 points" in shown
        form = fields(shown, f"/till/receipts/{number}/claim") | {"card": "6407014"}
        for _ in range(2):
            assert client.post(f"/till/receipts/{number}/claim", data=form).status_code == 303
        late = form | {"card": "6407015", "id": "2222-3333-4444"}
        assert client.post(f"/till/receipts/{number}/claim", data=late).status_code == 409
    assert shop.points("6407014") == "8"


def test_a_part_comes_back_once(shop: Shop) -> None:
    with shop.client() as client:
        number = sell(client, "6407016", "20")
        path = f"/till/receipts/{number}/refund"
        form = fields(client.get(f"/till/receipts/{number}").text, path)
        for _ in range(2):
            answer = client.post(path, data=form | {"amount": "5"})
            assert answer.headers["location"] == f"/till/receipts/{form['id']}"
        assert shop.points("6407016") == "15"
        again = client.post(path, data={"id": "2222-3333-5555", "amount": "5"})
        assert again.status_code == 409
        assert client.post(path, data={"id": "2222-3333-6666", "amount": "99"}).status_code == 422


def test_sixty_four_times_the_same_is_booked_once(shop: Shop) -> None:
    now = int(time.time() * 1_000)
    sales = [
        {"id": f"2345-6789-AB{a}{b}", "at": now, "card": "6407017", "lines": ":1:100"}
        for a in "CD" for b in "EFGH"
    ]  # fmt: skip
    with shop.client() as client:
        for _ in range(64):
            answer = client.post("/till/queue", json={"sales": sales})
            assert set(answer.json()["sales"].values()) == {""}
        assert shop.points("6407017") == "8"
        other = [sales[0] | {"lines": ":1:900"}]  # the twin: another sale under a known id
        told = client.post("/till/queue", json={"sales": other}).json()["sales"]
        assert told == {sales[0]["id"]: "id-reused"}
        bad = [{"id": "x", "at": now, "card": "", "lines": ":1:1"}]
        assert client.post("/till/queue", json={"sales": bad}).json()["sales"] == {"x": "malformed"}
        assert client.post("/till/queue", json=[1]).status_code == 400


def ready(page: Page) -> None:
    """Wait until the worker keeps the page."""
    page.goto("/till")
    for _ in range(200):  # an event that came before somebody listens is waited for in vain
        if page.evaluate("Boolean(navigator.serviceWorker.controller)"):
            break
        page.wait_for_timeout(100)
    kept = "caches.match('/till/offline').then(found => Boolean(found && !found.redirected))"
    assert page.evaluate(kept)


def test_the_till_goes_on_without_the_network(browser: Browser, shop: Shop) -> None:
    with tab(browser, shop.address, till=shop.till) as looked:
        page, context = looked.page, looked.page.context
        ready(page)
        page.goto("/till?card=6407018&amount=7")
        cut = page.locator("#record [name=id]").get_attribute("value")
        context.set_offline(True)
        page.get_by_role("button", name="Record").click()  # cut off while it is recorded
        page.wait_for_url("**/till/offline")
        for amount in ("3,00", "2 x 4.50"):
            page.get_by_label("Card", exact=True).fill("6407018")
            page.get_by_label("Amount").fill(amount)
            page.keyboard.press("Enter")
            page.locator("#sold li", has_text=amount).wait_for()
        page.goto("/till")  # nothing is lost when the page is loaded anew
        page.get_by_role("heading", name="Sale without the network").wait_for()
        page.locator("#kept span", has_text="3").wait_for()
        sold = page.evaluate("Queue.all().then(all => all.map(each => each.id))")
        assert not set(sold) & set(shop.events())
        context.set_offline(False)
        page.evaluate("dispatchEvent(new Event('online'))")
        page.locator("#kept").wait_for(state="hidden")
        assert page.evaluate("Queue.all().then(all => all.length)") == 0
    booked = shop.events()
    assert cut in sold
    assert [booked.count(each) for each in sold] == [1, 1, 1]
    assert shop.points("6407018") == "19"


def test_a_sale_whose_answer_was_lost_is_booked_once(browser: Browser, shop: Shop) -> None:
    with tab(browser, shop.address, till=shop.till) as looked:
        page = looked.page
        ready(page)
        page.goto("/till?card=6407019&amount=7")
        form = page.evaluate("Object.fromEntries(new FormData(document.getElementById('record')))")
        with shop.client() as client:  # it arrived, and its answer did not
            assert client.post("/till/sale", data=form).status_code == 303
        page.evaluate("form => Queue.add({...form, at: Number(form.at)})", form)
        page.evaluate("Queue.send()")
        assert page.evaluate("Queue.all().then(all => all.length)") == 0
    assert shop.events().count(form["id"]) == 1
    assert shop.points("6407019") == "7"
