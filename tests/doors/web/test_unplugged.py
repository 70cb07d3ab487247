"""Points without the network: off until allowed, capped, booked once, and what is short is owed."""

import json
import re
import time

import httpx
import pytest
from playwright.sync_api import Browser, Page

import kantis.desk
from kantis.desk import freezing
from kantis.desk.audit import By
from tests.doors.web.looking import LOOKS, THEMES, tab
from tests.doors.web.test_till import Shop, ready, sell, shop

__all__ = ["shop"]
pytestmark = pytest.mark.browser


def allow(shop: Shop, amount: str) -> int:
    """Say in the console what points may pay; the status of the answer."""
    headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
    with httpx.Client(
        base_url=shop.address, headers=headers, cookies={"session": shop.manager}
    ) as client:
        return client.post("/c/shop/offline", data={"offline": amount}).status_code


def offline(page: Page, card: str, amount: str, *, pays: str = "") -> None:
    """Sell without the network; with points that pay so much where it is said."""
    page.get_by_label("Card", exact=True).fill(card)
    page.get_by_label("Amount").fill(amount)
    if pays:
        page.get_by_label("Pay with points").check()
        assert page.locator("#off").inner_text() == pays
    page.get_by_role("button", name="Keep this sale").click()
    page.locator("#sold li", has_text=amount).first.wait_for()


def remembered(page: Page, card: str) -> None:
    """Wait until the device has kept what a member has."""
    for _ in range(200):
        if page.evaluate("card => Queue.offer(card, 1e6).then(Boolean)", card):
            return
        page.wait_for_timeout(50)
    raise AssertionError(card)


def back(page: Page) -> None:
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.locator("#kept").wait_for(state="hidden")


def queued(shop: Shop, card: str, **sale: object) -> str:
    """Send a sale as a device does; what became of it."""
    said = {"id": "2345-6789-ABCD", "at": int(time.time() * 1_000), "card": card} | sale
    with shop.client() as client:
        told = client.post("/till/queue", content=json.dumps({"sales": [said]})).json()
    code: str = told["sales"][str(said["id"])]
    return code


def test_nothing_is_spent_until_it_is_allowed(browser: Browser, shop: Shop) -> None:
    with shop.client() as client:
        sell(client, "6407001", "90")
    with tab(browser, shop.address, till=shop.till) as looked:
        page = looked.page
        ready(page)
        page.goto("/till?card=6407001")
        page.context.set_offline(True)
        page.goto("/till")
        page.get_by_label("Card", exact=True).fill("6407001")
        page.get_by_label("Amount").fill("20")
        page.wait_for_timeout(300)
        assert page.locator("#paying").is_hidden()
    assert queued(shop, "6407001", lines=":1:2000", points={"money-off": 10}) == "offline-too-much"
    assert shop.points("6407001") == "90"


def test_points_pay_without_the_network_up_to_the_cap(browser: Browser, shop: Shop) -> None:
    with shop.client() as client:
        sell(client, "6407002", "90")
    with tab(browser, shop.address, 1280, session=shop.manager) as looked:
        page = looked.page
        page.goto("/c/shop/tills")
        page.get_by_label("At most (EUR)").fill("5.00")
        page.get_by_role("button", name="Keep Without the network").click()
        page.wait_for_url("**/tills")
        assert page.get_by_label("At most (EUR)").input_value() == "5.00"
        assert looked.barriers() == []
    with tab(browser, shop.address, till=shop.till) as looked:
        page = looked.page
        ready(page)
        page.goto("/till?card=6407002")
        page.get_by_role("heading", name="The member has").wait_for()
        remembered(page, "6407002")
        page.context.set_offline(True)
        page.goto("/till")
        offline(page, "6407002", "8.00", pays="€4.00")  # at most half of a basket
        offline(page, "6407002", "20.00", pays="€1.00")  # and five in all
        page.get_by_label("Card", exact=True).fill("6407002")
        page.get_by_label("Amount").fill("30")
        page.wait_for_timeout(300)
        assert page.locator("#paying").is_hidden()
        assert looked.barriers() == []
        assert not looked.overflows()
        sold = page.evaluate("Queue.all().then(all => all.map(each => each.id))")
        back(page)
        assert page.locator("#short").is_hidden()
    booked = shop.events()
    assert [booked.count(each) for each in sold] == [1, 1]
    # 90, less 40 and 10, and what was paid in money: 4 and 19
    assert shop.points("6407002") == "63"


def test_what_is_not_covered_is_owed_and_shown(browser: Browser, shop: Shop) -> None:
    assert allow(shop, "5") == 303
    with shop.client() as client:
        sell(client, "6407003", "50")
    with tab(browser, shop.address, till=shop.till) as looked:
        page = looked.page
        ready(page)
        page.goto("/till?card=6407003")
        page.get_by_role("heading", name="The member has").wait_for()
        remembered(page, "6407003")
        page.context.set_offline(True)
        page.goto("/till")
        offline(page, "6407003", "10.00", pays="€5.00")
        with tab(browser, shop.address, till=shop.till) as other:  # meanwhile, at another till
            other.page.goto("/till?card=6407003&amount=10")
            other.page.get_by_role("button", name="Redeem Money off").click()
            other.page.wait_for_url("**id=**")
            other.page.get_by_role("button", name="Record").click()
            other.page.wait_for_url("**/till/receipts/**")
        back(page)
        page.locator("#short").wait_for()
        number = page.locator("#short span").inner_text()
        assert looked.barriers() == []
        page.get_by_role("button", name="I have seen it").click()
        page.locator("#short").wait_for(state="hidden")
        page.goto(f"/till/receipts/{number}")
        page.get_by_text("more points than there were").wait_for()
        assert "-€5.00" in page.locator("main").inner_text()
    assert shop.events().count(number) == 1


def test_sent_again_it_is_booked_once_and_nothing_beyond_the_cap(shop: Shop) -> None:
    assert allow(shop, "5") == 303
    with shop.client() as client:
        sell(client, "6407004", "90")
    sale = {"lines": ":1:2000", "points": {"money-off": 50}, "id": "2345-6789-ABCE"}
    sale["at"] = int(time.time() * 1_000)
    for _ in range(5):
        assert queued(shop, "6407004", **sale) == ""
    assert shop.points("6407004") == "55"  # 90 - 50, and 15 for what was paid in money
    more = sale | {"id": "2345-6789-ABCF", "points": {"money-off": 60}}
    assert queued(shop, "6407004", **more) == "offline-too-much"
    for bad in ({"money-off": -50}, {"money-off": 0}):
        assert queued(shop, "6407004", **(more | {"points": bad})) == "offline-too-much"
    assert queued(shop, "", **(more | {"points": {"money-off": 10}})) == "offline-too-much"
    assert allow(shop, "") == 303
    assert queued(shop, "6407004", **sale) == ""  # it was booked while it was allowed
    assert allow(shop, "x") == 422
    assert shop.points("6407004") == "55"


def test_a_card_of_one_till_pays_no_more_in_many_sales(shop: Shop) -> None:
    assert allow(shop, "5") == 303
    with shop.client() as client:
        sell(client, "6407005", "200")
        now = int(time.time() * 1_000)
        sales = [
            {"id": f"2345-6789-{letter * 4}", "at": now, "card": "6407005", "lines": ":1:2000",
             "points": {"money-off": 30}} for letter in "ABC"
        ]  # fmt: skip
        told = client.post("/till/queue", json={"sales": sales}).json()["sales"]
    assert sorted(told.values()) == ["", "offline-too-much", "offline-too-much"]


def kept(page: httpx.Response) -> str:
    """What a device keeps of the card on its page."""
    found = re.search(r'id="seen"[^>]* data-said="([^"]*)"', page.text)
    assert found is not None
    return found[1]


def frozen(shop: Shop, *, on: bool) -> None:
    with kantis.desk.open(str(shop.store)) as desk:
        freezing.switch(desk, 1, By("test"), on=on)
        desk.settle()


def test_frozen_a_till_learns_it_and_what_it_took_waits(shop: Shop) -> None:
    assert allow(shop, "50") == 303
    with shop.client() as client:
        sell(client, "6407025", "200")
        assert "money-off" in kept(client.get("/till", params={"card": "6407025"}))
        frozen(shop, on=True)
        page = client.get("/till", params={"card": "6407025", "amount": "20"})
        assert kept(page) == "", "the device forgets what the card could pay"
        assert "Nothing can be spent for now." in page.text
        assert "For the member" in page.text
        assert "/till/hold" not in page.text, "no button for what is refused"
    sale = {"id": "2345-6789-FRZN", "lines": ":1:2000", "points": {"money-off": 100}}
    assert queued(shop, "6407025", **sale) == "", "it is taken, so the device lets go of it"
    assert shop.points("6407025") == "200"
    frozen(shop, on=False)
    assert shop.points("6407025") == "110", "decided now: 100 spent, 10 earned by the rest"


def test_at_a_locked_card_the_till_says_so_and_offers_nothing(shop: Shop) -> None:
    said = "The spending of this card is locked."
    with shop.client() as client:
        sell(client, "6407026", "200")
        page = client.get("/till", params={"card": "6407026", "amount": "20"}).text
        assert "/till/hold" in page
        assert said not in page
        with kantis.desk.open(str(shop.store)) as desk:
            account = desk.books.cards([(1, "6407026")])[1, "6407026"]
            freezing.freeze_account(desk, account, freezing.LOCK, By("test"))
        page = client.get("/till", params={"card": "6407026", "amount": "20"}).text
        assert "/till/hold" not in page
        assert page.count(said) == 1


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_it_has_no_barrier(browser: Browser, shop: Shop, language: str, width: int) -> None:
    assert allow(shop, "5") == 303
    with shop.client() as client:
        sell(client, "6407006", "90")
    for theme in THEMES:
        with tab(browser, shop.address, width, theme, language, till=shop.till) as looked:
            page = looked.page
            page.goto("/till?card=6407006")
            page.locator("#seen").wait_for(state="attached")
            remembered(page, "6407006")
            page.goto("/till/offline")
            page.locator("#card").fill("6407006")
            page.locator("#amount").fill("20")
            page.locator("#pay").check()
            assert looked.barriers() == []
            assert not looked.overflows()
