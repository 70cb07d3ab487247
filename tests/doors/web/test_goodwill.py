"""Goodwill at the till: one press, a reason, and no more than the budget."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser

from tests.doors.web.looking import LOOKS, THEMES, tab
from tests.doors.web.test_till import Shop, fields, shop

__all__ = ["shop"]
pytestmark = pytest.mark.browser


def allow(shop: Shop, **amounts: str) -> int:
    """Set the budget in the console; the status of the answer."""
    with shop.client() as client:
        client.cookies.set("session", shop.manager)
        answer = client.post("/c/shop/goodwill", data={"balance": "points", **amounts})
    return answer.status_code


def test_a_manager_sets_it_and_a_cashier_gives_it(browser: Browser, shop: Shop) -> None:
    with tab(browser, shop.address, till=shop.till) as looked:
        looked.page.goto("/till?card=6407020")
        assert looked.page.get_by_role("heading", name="Goodwill").count() == 0
    with tab(browser, shop.address, 1280, session=shop.manager) as looked:
        page = looked.page
        page.goto("/c/shop/tills")
        page.get_by_label("Of what").select_option("points")
        page.get_by_label("With one press").fill("20")
        page.get_by_label("In a day at most").fill("10")
        page.get_by_label("In a month at most").fill("500")
        page.get_by_role("button", name="Keep", exact=True).click()
        assert "no more than a day" in page.get_by_role("alert").inner_text()
        page.get_by_label("Of what").select_option("points")
        for label, amount in (("With one press", "20"), ("In a day", "50"), ("In a month", "500")):
            page.get_by_label(label).fill(amount)
        page.get_by_role("button", name="Keep", exact=True).click()
        page.wait_for_url("**/tills")
        assert page.get_by_label("In a day").input_value() == "50"
        assert looked.barriers() == []
        assert not looked.overflows()
    with tab(browser, shop.address, till=shop.till) as looked:
        page = looked.page
        page.goto("/till?card=6407020&amount=12")
        page.get_by_role("button", name="A long wait").click()
        page.get_by_text("Given for this sale: 20 points").wait_for()
        page.get_by_role("button", name="Record").click()
        page.wait_for_url("**/till/receipts/**")
        assert shop.points("6407020") == "32"
        page.goto("/till?card=6407021")
        page.get_by_label("So much").fill("31")
        page.get_by_label("In your words").fill("the cake was cold")
        page.get_by_role("button", name="Something was not good").click()
        assert "more than you may give today" in page.get_by_role("alert").inner_text()
        page.get_by_label("So much").fill("30")
        page.get_by_role("button", name="Something was not good").click()
        page.get_by_text("Given for this sale: 30 points").wait_for()
        page.goto("/till?card=6407021")
        page.get_by_text("Your goodwill is spent").wait_for()
    assert shop.points("6407021") == "30"


def test_presses_at_once_stay_within_the_budget(shop: Shop) -> None:
    assert allow(shop, usual="10", day="80", month="500") == 303  # 50 are given already

    with shop.client() as client:  # the form as it was shown before anybody pressed
        shown = client.get("/till", params={"card": "6407022"}).text
    form = fields(shown, "/till/goodwill") | {"amount": "10", "reason": "wait"}
    letters = "ABCDEFGHJKMNPQRS"

    def press(letter: str) -> int:
        with shop.client() as client:
            said = form | {"id": f"2345-6789-{letter * 4}"}
            return client.post("/till/goodwill", data=said).status_code

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(press, letters))
    assert sorted(told) == [303] * 3 + [409] * 13
    assert shop.points("6407022") == "30"


def test_what_says_no_reason_gives_nothing(shop: Shop) -> None:
    assert allow(shop, usual="10", day="500", month="500") == 303
    with shop.client() as client:
        form = fields(client.get("/till", params={"card": "6407023"}).text, "/till/goodwill")
        for said in ({}, {"reason": "wait"}, {"reason": "wait", "amount": "x"}, {"amount": "5"}):
            assert client.post("/till/goodwill", data=form | said).status_code == 422
        nobody = form | {"card": "99", "reason": "wait", "amount": "5"}
        assert client.post("/till/goodwill", data=nobody).status_code == 422
        for _ in range(2):
            said = form | {"reason": "wait", "amount": "5"}
            assert client.post("/till/goodwill", data=said).status_code == 303
        other = form | {"reason": "wait", "amount": "6"}
        assert client.post("/till/goodwill", data=other).status_code == 422
    assert shop.points("6407023") == "5"


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_it_has_no_barrier(browser: Browser, shop: Shop, language: str, width: int) -> None:
    for theme in THEMES:
        with tab(browser, shop.address, width, theme, language, till=shop.till) as looked:
            looked.page.goto("/till?card=6407024&amount=3")
            assert looked.page.locator("button[name=reason]").count() == 4
            assert looked.barriers() == []
            assert not looked.overflows()
            assert looked.complaints == []
