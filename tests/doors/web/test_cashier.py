"""What a cashier is told: what was used, what is too much, what became of a claimed receipt."""

import re
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from kantis.desk import staff, tills
from kantis.desk.submit import Desk
from tests.doors.service.server import buy
from tests.doors.web.looking import LOOKS, THEMES, tab
from tests.doors.web.test_household import HOUSE, come, together
from tests.doors.web.test_joining import Site, opened
from tests.doors.web.test_patron import plain
from tests.doors.web.test_till import BY, Shop, fields, ready, sell, shop

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


# ── a household at the counter ───────────────────────────────────────────────

TREATS = HOUSE.replace(
    "rewards: {", "rewards: {tea: {title: {en: A tea}, cost: 20 points, gives: a tea}, "
)


class Family:
    """A site with a till at which a cashier stands; ``anna`` leads, ``ben`` came in."""

    def __init__(self, site: Site, till: str) -> None:
        self.site, self.anna, self.ben = site, site.browser(), site.browser()
        self.till = site.browser()
        self.till.cookies.set("till", till)
        self.hers, self.his = come(site, self.anna, "Anna", 50), come(site, self.ben, "Ben", 30)
        together(self.anna, self.ben)

    def at_till(self, card: str) -> str:
        return self.till.get("/till", params={"card": card, "amount": "5"}).text

    def permit(self, *, burns: bool) -> None:
        about = {"member": self.his, "burns": str(int(burns))}
        assert self.anna.post("/me/household/permit", data=about).status_code in (200, 303)

    def redeem(self) -> httpx.Response:
        form = fields(self.at_till(self.his), "/till/sale") | {"reward": "tea"}
        return self.till.post("/till/hold", data=form)


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    found: list[str] = []

    def prepare(desk: Desk) -> None:
        cashier, _ = staff.invite(desk, "kai", "Kai", "cashier", "club", BY)
        found.append(tills.pair(desk, tills.offer(desk, 1, "First", "", BY), "here"))
        found.append(tills.give_pin(desk, 1, cashier, BY))
        found.append(str(cashier))

    with opened(tmp_path_factory.mktemp("family"), TREATS, prepare) as site:
        till, pin, cashier = found
        family = Family(site, till)
        about = {"cashier": cashier, "pin": pin}
        assert family.till.post("/till/sign-in", data=about).status_code == 303
        yield family
        for each in (family.anna, family.ben, family.till):
            each.close()


def test_a_member_of_a_household_has_its_points_at_the_till(family: Family) -> None:
    answer = family.site.till.post("/v1/events", json=buy("hers", family.hers, 7))
    assert answer.status_code == 200
    for card in (family.hers, family.his):
        said = plain(family.at_till(card))
        assert "The member has 87 points" in said
    family.permit(burns=False)
    assert "A tea" not in plain(family.at_till(family.his)), "only whoever may spend is offered it"
    assert "available now" not in plain(family.ben.get("/me/rewards").text)
    assert "available now" in plain(family.anna.get("/me/rewards").text)
    refused = family.redeem()
    assert refused.status_code == 409
    assert "This member may not spend the points of the household." in refused.text
    family.permit(burns=True)
    assert "A tea" in plain(family.at_till(family.his))
    assert "available now" in plain(family.ben.get("/me/rewards").text)
    answer = family.redeem()
    assert answer.status_code == 303, answer.text
    page = family.till.get(answer.headers["location"]).text
    assert "The member has 67 points" in plain(page)
    answer = family.till.post("/till/release", data=fields(page, "/till/release"))
    assert answer.status_code == 303, answer.text
    assert "The member has 87 points" in plain(family.at_till(family.his))
    page = family.till.get(family.redeem().headers["location"]).text
    answer = family.till.post("/till/sale", data=fields(page, "/till/sale"))
    assert answer.status_code == 303, answer.text
    end = time.monotonic() + 10  # what comes with his card reaches the household a moment later
    while "The member has 72 points" not in plain(family.at_till(family.his)):
        assert time.monotonic() < end
        time.sleep(0.1)
    shown = plain(family.till.get(answer.headers["location"]).text)
    assert "The member has 72 points" in shown


def test_a_blocked_card_spends_nothing_of_its_household(family: Family) -> None:
    found = family.site.till.post("/v1/members/search", json={"card": family.his})
    id = found.json()["members"][0]["id"]
    answer = family.site.till.post(f"/v1/members/{id}/cards/block", json={"card": family.his})
    assert answer.status_code == 200, answer.text
    refused = family.redeem()
    assert refused.status_code == 409
    assert "This card is not valid any more." in plain(refused.text)
