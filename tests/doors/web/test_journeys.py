"""Whole journeys through the pages, in each language and at both widths.

Each language is tried at one width; with KANTIS_EVERY=1 each at both.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import kantis.desk
from kantis.core.knobs import plain
from kantis.desk import sessions, staff, text, tills
from kantis.desk.audit import By
from kantis.doors.web.languages import language as spoken
from tests.doors.service.server import served
from tests.doors.web.looking import LOOKS, Looked, tab
from tests.doors.web.test_portal import scanned
from tests.doors.web.test_till import Shop, ready

pytestmark = pytest.mark.browser

CORNER = """
program: corner
title: {en: Corner shop, fi: Kulmakauppa, et: Nurgapood, vi: Tiệm góc phố}
money: EUR
timezone: Europe/Helsinki
balances: {points: {expires: 12 months after earning}}
earning: {all: {give: 1 point per 1 EUR}}
rewards:
  money-off:
    title: {en: Money off, fi: Alennus, et: Soodustus, vi: Giảm giá}
    rate: 1.00 EUR per 10 points
    pays at most: 50 %
    step: 10 points
"""
BY = By("test")


@pytest.fixture(scope="module")
def corner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    store: Path = tmp_path_factory.mktemp("journeys") / "books.db"
    with kantis.desk.open(str(store)) as desk:
        desk.publish("corner", 0, CORNER, plain(text.read(CORNER)))
        number, _ = staff.invite(desk, "maija", "Maija", "manager", "", BY)
        manager = sessions.begin(desk, "a test", staff=number)
        pin = tills.give_pin(desk, 1, number, BY)
        till = tills.pair(desk, tills.offer(desk, 1, "First", "", BY), "here")
        key = desk.keyring.find(till, desk.books)
        assert key is not None
        tills.stand(desk, key.prefix, number)
    with served(store) as server:
        yield Shop(server, store, manager, till, pin)
        status, log = server.end()
        assert status == 0, log
        assert '"fault"' not in log


class Words:
    """The buttons of a page in a language: they are pressed by what they say."""

    def __init__(self, tag: str) -> None:
        self.said = spoken(tag).gettext

    def press(self, page: Page, text: str, *, more: str = "") -> None:
        """Press the button with a text; ``more`` is what is told to those who do not see."""
        name = re.compile(f"^{re.escape(self.said(text))}{more and f' {re.escape(more)}'}$")
        page.get_by_role("button", name=name).click()

    def fill(self, page: Page, label: str, value: str) -> None:
        """Fill in the field with a label."""
        page.get_by_label(self.said(label), exact=True).fill(value)


def fine(*looked: Looked) -> None:
    """No page is wider than its window, and the browser complains about nothing."""
    for each in looked:
        assert not each.overflows()
        assert each.complaints == []


def points(page: Page, expected: str) -> None:
    """The member sees so many points."""
    page.goto("/me")
    assert page.locator(".figure").first.inner_text() == expected


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_join_earn_see_redeem_refund(
    browser: Browser, corner: Shop, language: str, width: int
) -> None:
    words, own = Words(language), corner.address
    with (
        tab(browser, own, width, language=language) as member,
        tab(browser, own, width, language=language, till=corner.till) as till,
    ):
        me, sale = member.page, till.page
        me.goto("/p/corner/join")
        words.fill(me, "First name", "Anu")
        words.fill(me, "E-mail", f"anu-{language}-{width}@example.org")
        me.locator("#terms").check()
        words.press(me, "Join")
        me.wait_for_url("**/me?joined=1")
        card = scanned(me.screenshot())[0][1]
        for amount, redeems, left in (("60", False, "60"), ("10", True, "15")):
            sale.goto("/till")
            words.fill(sale, "Card", card)
            words.fill(sale, "Amount", amount)
            words.press(sale, "Add")
            if redeems:
                title = {"en": "Money off", "fi": "Alennus", "et": "Soodustus"}
                words.press(sale, "Redeem", more=title.get(language, "Giảm giá"))
                sale.locator("form[action='/till/release']").wait_for()
            words.press(sale, "Record")
            sale.wait_for_url("**/till/receipts/**")
            points(me, left)
        words.press(sale, "Take it back")
        sale.get_by_text(words.said("has come back")).wait_for()
        points(me, "60")
        me.goto("/me/history")
        assert "60" in me.locator("main").inner_text()
        fine(member, till)


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_pair_go_offline_sell_come_back(
    browser: Browser, corner: Shop, language: str, width: int
) -> None:
    words, own = Words(language), corner.address
    with (
        tab(browser, own, width, language=language, session=corner.manager) as console,
        tab(browser, own, width, language=language) as till,
    ):
        page, sale = console.page, till.page
        page.goto("/c/corner/tills")
        words.fill(page, "Name", f"Till {language} {width}")
        words.press(page, "Make a code")
        code = page.locator(".figure code").inner_text()
        sale.goto("/till")
        words.fill(sale, "Pairing code", code)
        words.press(sale, "Pair")
        words.fill(sale, "PIN", corner.pin)
        words.press(sale, "Begin")
        sale.wait_for_url("**/till")
        ready(sale)
        sale.context.set_offline(True)
        sale.goto("/till")
        sale.get_by_role("heading", name=words.said("Sale without the network")).wait_for()
        words.fill(sale, "Amount", "7.00")
        words.press(sale, "Keep this sale")
        sale.locator("#sold li").wait_for()
        sale.locator("#kept span", has_text="1").wait_for()
        sold = sale.evaluate("Queue.all().then(all => all.map(each => each.id))")
        assert not set(sold) & set(corner.events())
        sale.context.set_offline(False)
        sale.evaluate("dispatchEvent(new Event('online'))")
        sale.locator("#kept").wait_for(state="hidden")
        assert [corner.events().count(each) for each in sold] == [1]
        sale.goto(f"/till/receipts/{sold[0]}")
        assert "7" in sale.locator("main").inner_text()
        assert not till.overflows()
        fine(console)


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_write_publish_see_it_act(
    browser: Browser, corner: Shop, language: str, width: int
) -> None:
    words, name = Words(language), f"club-{language}-{width}"
    with tab(
        browser, corner.address, width, language=language, session=corner.manager
    ) as looked:  # fmt: skip
        page = looked.page
        page.goto("/programs/new")
        words.fill(page, "Short name", name)
        words.press(page, "On to the program")
        source = page.get_by_label(words.said("The program"), exact=True)
        written = source.input_value()
        assert "1 point per 1.00 EUR" in written
        source.fill(written.replace("1 point per 1.00 EUR", "7 points per 1.00 EUR"))
        words.press(page, "Check and preview")
        assert "109" in page.locator("[aria-labelledby=preview]").inner_text()  # and 25 for joining
        words.press(page, "Publish")
        page.wait_for_url(f"**/c/{name}/design*")  # the card of a new program comes next
        page.goto(f"/c/{name}/tills")
        words.fill(page, "Name", "Counter")
        words.press(page, "Make a code")
        code = page.locator(".figure code").inner_text()
        page.goto("/till/pair")  # whoever is signed in stands at it with no PIN
        words.fill(page, "Pairing code", code)
        words.press(page, "Pair")
        page.goto("/till")
        words.fill(page, "Amount", "10")
        words.press(page, "Add")
        assert words.said("A member would have had") in page.locator("main").inner_text()
        assert "70" in page.locator("section.card").first.inner_text()
        words.press(page, "Record")
        page.wait_for_url("**/till/receipts/**")
        fine(looked)
