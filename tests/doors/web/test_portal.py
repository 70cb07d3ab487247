"""A member's own pages: by a link that opens once, with a card that a scanner reads."""

import io

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser

from tests.doors.web.conftest import Site
from tests.doors.web.looking import LANGUAGES, tab

pytestmark = pytest.mark.browser
SAID = {
    "en": ("Stamps", "4 stamps"),
    "fi": ("Leimat", "4 leimaa"),
    "et": ("Templid", "4 templit"),
    "vi": ("Tem", "4 tem"),
}


def scanned(picture: bytes) -> list[tuple[str, str]]:
    """The kind and the text of what a reader of codes sees in a picture of the screen."""
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    return sorted((each.format.name, each.text) for each in found)


def test_a_member_comes_by_a_link_that_opens_once(browser: Browser, site: Site) -> None:
    with tab(browser, site.address, 1280, session=site.sessions["support"]) as looked:
        page = looked.page
        page.goto("/c/corner-cafe/members/1")
        page.get_by_role("button", name="Link to their card").click()
        link = page.locator(".notice code").inner_text()
    for language in ("fi", "en"):
        with tab(browser, site.address, language=language) as looked:
            page = looked.page
            page.goto(link)
            assert looked.barriers() == []
            if language == "fi":
                page.reload()  # a preview of the link does not use it up
                page.get_by_role("button", name="Näytä korttini").click()
                page.wait_for_url("**/me?offer=1")
                assert "6407001" in page.locator("main").inner_text()
            else:
                assert "does not open any more" in page.locator("main").inner_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_is_there_in_each_language(browser: Browser, site: Site, language: str) -> None:
    member = site.sessions["member"]
    with tab(browser, site.address, language=language, session=member) as looked:
        looked.page.goto("/me")
        told = looked.page.locator("main").inner_text()
        assert all(each in told for each in SAID[language]), told
        assert looked.complaints == []


WHY = {
    "en": "for own cup: 1 stamp per item, for 2 items.",
    "fi": "own cup – 1 leima / tuote, 2 tuotteesta.",
    "et": "own cup – 1 tempel / toode, 2 toote eest.",
    "vi": "own cup – 1 tem mỗi món, cho 2 sản phẩm.",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reasons_are_in_the_language_of_the_member(site: Site, language: str) -> None:
    with site.client("member") as client:
        page = client.get("/me/history", headers={"accept-language": language}).text
        assert WHY[language] in page


def test_nobody_signs_in_to_another_account(site: Site) -> None:
    with site.client("member") as client:
        assert client.get("/c/corner-cafe/members/1").status_code == 404
        assert client.get("/me/history?below=1").status_code == 200
        assert client.get("/open/x").status_code == 404
        assert client.post("/open/x").status_code == 404


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_scanner_reads_the_card_off_the_screen(
    browser: Browser, site: Site, theme: str, width: int
) -> None:
    with tab(browser, site.address, width, theme, session=site.sessions["member"]) as looked:
        looked.page.goto("/me")
        assert scanned(looked.page.screenshot()) == [
            ("Code128", "6407001"), ("QRCode", "6407001")
        ]  # fmt: skip
        looked.page.goto("/me/history")
        assert scanned(looked.page.screenshot()) == []
