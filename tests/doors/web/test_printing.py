"""Printed cards: a batch is made, its codes are read by a real reader, and one is given."""

import csv
import io

import httpx
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser

from kantis.desk.vault.cards import valid
from kantis.doors.web.basket import card_of
from tests.doors.web.looking import LANGUAGES, tab
from tests.doors.web.test_till import Shop, fields, shop

__all__ = ["shop"]
pytestmark = pytest.mark.browser


def console(shop: Shop) -> httpx.Client:
    headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
    cookies = {"session": shop.manager}
    return httpx.Client(base_url=shop.address, headers=headers, cookies=cookies)


def printed(shop: Shop, size: int) -> tuple[str, list[dict[str, str]]]:
    """Make a batch; its address, and the rows of its file."""
    with console(shop) as client:
        made = client.post("/c/shop/cards", data={"name": "Spring", "size": str(size)})
        assert made.status_code == 303
        path = client.get("/c/shop/cards").text.split('href="/c/shop/cards/', 1)[1].split('"')[0]
        answer = client.get(f"/c/shop/cards/{path}/numbers.csv")
    assert answer.headers["content-disposition"].endswith(f'"cards-{path}.csv"')
    return f"/c/shop/cards/{path}", list(csv.DictReader(io.StringIO(answer.text)))


def codes(picture: bytes) -> set[tuple[str, str]]:
    """All codes in a picture: their kind and what they say."""
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    return {(str(each.format).replace(" ", "").upper(), each.text) for each in found}


def test_a_sheet_is_read_by_a_real_reader(browser: Browser, shop: Shop) -> None:
    with tab(browser, shop.address, 1280, session=shop.manager) as looked:
        page = looked.page
        page.goto("/c/shop/cards")
        page.get_by_label("Name").fill("Spring")
        page.get_by_label("How many cards").fill("24")
        page.get_by_role("button", name="Make the numbers").click()
        page.get_by_text("0 of 24 given").wait_for()
        assert looked.barriers() == []
        page.get_by_role("link", name="Sheet to print").first.click()
        page.get_by_role("heading", name="Spring").wait_for()
        assert looked.barriers() == []
        assert page.locator(".plastic").count() == 20
        number = page.locator(".plastic .digits").first.inner_text().replace(" ", "")
        picture = page.locator(".plastic").first.screenshot()
        assert {text for _, text in codes(picture)} == {number}
        assert {kind for kind, _ in codes(picture)} == {"QRCODE", "CODE128"}
        page.get_by_role("link", name="More cards").click()
        page.wait_for_url("**after=**")
        assert page.locator(".plastic").count() == 4
        assert page.get_by_role("link", name="More cards").count() == 0
        assert looked.complaints == []


def test_the_file_for_a_printer_has_the_stripe(shop: Shop) -> None:
    _, rows = printed(shop, 3)
    assert len(rows) == 3
    for row in rows:
        assert valid(row["card"])
        assert row["printed"].replace(" ", "") == row["qr"] == row["code128"] == row["card"]
        assert card_of(row["track2"]) == row["card"]
    with shop.client() as client:  # a till is no printer
        assert client.get("/c/shop/cards").status_code == 303


def test_a_card_is_given_at_the_till_and_collects(browser: Browser, shop: Shop) -> None:
    path, rows = printed(shop, 3)
    card, other = rows[0]["card"], rows[1]["card"]
    with tab(browser, shop.address, till=shop.till) as looked:
        page = looked.page
        page.goto(f"/till?card={card}&amount=12")
        assert looked.barriers() == []
        page.get_by_role("button", name="Give this card").click()
        page.get_by_role("heading", name="The member has").wait_for()
        assert page.get_by_role("button", name="Give this card").count() == 0
        page.get_by_role("button", name="Record").click()
        page.wait_for_url("**/till/receipts/**")
    assert shop.points(card) == "12"
    with console(shop) as client:
        assert "1 of 3 given" in client.get("/c/shop/cards").text
        left = client.get(f"{path}/numbers.csv").text
        assert card not in left
        assert other in left
        assert client.post(f"{path}/block").status_code == 303
        assert client.post(f"{path}/block").status_code == 303
    with shop.client() as client:
        shown = client.get("/till", params={"card": other}).text
        answer = client.post("/till/cards", data=fields(shown, "/till/cards"))
        assert answer.status_code == 409
        assert "not valid any more" in answer.text
        nobody = client.post("/till/cards", data={"card": "123"})  # it was never printed
        assert nobody.status_code == 422


def test_what_no_batch_can_be(shop: Shop) -> None:
    with console(shop) as client:
        for said in ({"name": "x", "size": "10001"}, {"name": "x"}, {"size": "5"}):
            answer = client.post("/c/shop/cards", data=said)
            assert answer.status_code == 422
            assert 'role="alert"' in answer.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_fit_a_phone(browser: Browser, shop: Shop, language: str) -> None:
    path, _ = printed(shop, 2)
    with tab(browser, shop.address, 390, "dark", language, session=shop.manager) as looked:
        for each in ("/c/shop/cards", path):
            looked.page.goto(each)
            assert looked.barriers() == []
            assert not looked.overflows()
