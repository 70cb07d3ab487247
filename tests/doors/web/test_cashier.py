"""What a cashier is told: what was used, what is too much, what became of a claimed receipt."""

import re

import pytest
from playwright.sync_api import Browser

from tests.doors.web.looking import LOOKS, THEMES, tab
from tests.doors.web.test_patron import plain
from tests.doors.web.test_till import Shop, fields, ready, sell, shop

__all__ = ["shop"]
pytestmark = pytest.mark.browser


def test_a_receipt_that_was_claimed_has_not_come_back_and_can(shop: Shop) -> None:
    with shop.client() as client:
        number = sell(client, "", "20")
        at = f"/till/receipts/{number}"
        form = fields(client.get(at).text, f"{at}/claim") | {"card": "6407003"}
        assert client.post(f"{at}/claim", data=form).status_code == 303
        shown = client.get(at).text
        assert "has come back" not in shown
        form = fields(shown, f"{at}/refund") | {"amount": ""}
        assert client.post(f"{at}/refund", data=form).status_code == 303
        assert "has come back" in client.get(at).text
        assert "0 points" in plain(client.get("/till", params={"card": "6407003"}).text)


def test_more_than_was_paid_does_not_come_back_and_it_says_how_much_may(shop: Shop) -> None:
    with shop.client() as client:
        at = f"/till/receipts/{sell(client, '6407004', '4.50')}"
        form = fields(client.get(at).text, f"{at}/refund") | {"amount": "5"}
        answer = client.post(f"{at}/refund", data=form)
        assert answer.status_code == 422
        assert "This is more than was paid. At most: €4.50" in answer.text


def test_a_receipt_says_what_there_is_enough_for_and_only_what_is_near(shop: Shop) -> None:
    with shop.client() as client:
        said = plain(client.get(f"/till/receipts/{sell(client, '6407005', '2')}").text)
        assert "to go to" not in said, "2 of 10 points are not near"
        said = plain(client.get(f"/till/receipts/{sell(client, '6407005', '6')}").text)
        assert "Only 2 points to go to" in said
        said = plain(client.get(f"/till/receipts/{sell(client, '6407005', '6')}").text)
        assert "You have enough for: A mug" in said


def test_a_line_is_taken_off_and_the_rest_stays(browser: Browser, shop: Shop) -> None:
    with tab(browser, shop.address, till=shop.till) as looked:
        page = looked.page
        page.goto("/till?card=6407006&amount=12.50&add=tea")
        page.get_by_label("Amount", exact=True).fill("3")
        page.get_by_role("button", name="Goods").click()
        page.get_by_text("€15.50").wait_for()
        page.get_by_role("link", name="Take this line off").first.click()
        page.locator(".figure", has_text="€3.00").wait_for()
        page.get_by_role("button", name="Record").click()
        page.wait_for_url("**/till/receipts/**")
        assert looked.complaints == []
    assert shop.points("6407006") == "3"


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_a_voucher_that_was_used_is_told(
    browser: Browser, shop: Shop, language: str, width: int
) -> None:
    card = str(6407007 + [each[0] for each in LOOKS].index(language))
    with shop.client() as client:
        sell(client, card, "30")
        form = fields(client.get("/till", params={"card": card}).text, "/till/hold")
        assert client.post("/till/hold", data=form | {"reward": "mug"}).status_code == 303
        form |= {"lines": ":1:500"}
        assert client.post("/till/sale", data=form).status_code == 303
    for theme in THEMES:
        with tab(browser, shop.address, width, theme, language, till=shop.till) as looked:
            page = looked.page
            page.goto(f"/till?card={card}&amount=5")
            assert looked.barriers() == []
            if theme == "light":
                page.locator("form[action='/till/use'] button").click()
                page.wait_for_load_state()
                page.locator(".notice", has_text=re.compile("mug", re.I)).wait_for()
            assert not looked.overflows()
            assert looked.complaints == []


def test_the_till_says_when_the_network_is_back(browser: Browser, shop: Shop) -> None:
    with tab(browser, shop.address, till=shop.till) as looked:
        page = looked.page
        ready(page)
        page.context.set_offline(True)
        page.goto("/till")
        page.get_by_label("Amount").fill("4.00")
        page.get_by_role("button", name="Keep this sale").click()
        page.locator("#kept span", has_text="1").wait_for()
        assert page.locator("#back").is_hidden()
        page.context.set_offline(False)
        page.evaluate("dispatchEvent(new Event('online'))")
        page.get_by_text("The network is back, and all sales are recorded.").wait_for()
        page.locator("#back a").click()
        page.get_by_role("heading", name="Sale", exact=True).wait_for()
