"""Scanning with the camera: a real browser looks at a film of a card's code."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import segno
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.doors.web.conftest import CHROMIUM
from tests.doors.web.looking import LOOKS, THEMES, tab
from tests.doors.web.test_till import Shop, ready, shop

__all__ = ["shop"]
pytestmark = pytest.mark.browser
CARD = "6407025"
SIZE = 640, 480
FRAMES = 10


def qr(text: str) -> Image.Image:
    drawn = io.BytesIO()
    segno.make_qr(text, error="m").save(drawn, kind="png", scale=10, border=4)
    return Image.open(drawn).convert("RGB")


def bars(text: str, kind: str) -> Image.Image:
    made = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    return Image.fromarray(zxingcpp.write_barcode_to_image(made, scale=3)).convert("RGB")


def film(path: Path, picture: Image.Image) -> Path:
    """A film of a picture that is held before a camera, in frames of JPEG."""
    frame = Image.new("RGB", SIZE, "#8a8f94")
    frame.paste(picture, ((SIZE[0] - picture.width) // 2, (SIZE[1] - picture.height) // 2))
    said = io.BytesIO()
    frame.save(said, "JPEG", quality=85)
    path.write_bytes(said.getvalue() * FRAMES)
    return path


@contextmanager
def before(path: Path) -> Iterator[Browser]:
    """A browser whose camera sees a film."""
    flags = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={path}"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *flags])
        yield found
        found.close()


@pytest.mark.parametrize("kind", ["qr", "Code128", "EAN13"])
def test_a_code_before_the_camera_is_the_card(shop: Shop, tmp_path: Path, kind: str) -> None:
    text = "6407025000000" if kind == "EAN13" else CARD
    picture = qr(text) if kind == "qr" else bars(text, kind)
    with (
        before(film(tmp_path / "card.mjpeg", picture)) as browser,
        tab(browser, shop.address, till=shop.till) as looked,
    ):
        page = looked.page
        page.context.grant_permissions(["camera"])
        page.goto("/till")
        page.get_by_role("button", name="Scan with the camera").click()
        page.wait_for_url(f"**card={text}**")
        assert page.get_by_label("Card", exact=True).input_value() == text
        assert looked.complaints == []
        if kind == "qr":  # without the network too: the decoder is kept on the device
            ready(page)
            page.context.set_offline(True)
            page.goto("/till")
            page.get_by_role("heading", name="Sale without the network").wait_for()
            page.get_by_role("button", name="Scan with the camera").click()
            page.locator("#amount:focus").wait_for()
            assert page.get_by_label("Card", exact=True).input_value() == text


def test_what_is_no_code_is_no_card(shop: Shop, tmp_path: Path) -> None:
    with (
        before(film(tmp_path / "none.mjpeg", Image.new("RGB", (200, 200), "#ddd"))) as browser,
        tab(browser, shop.address, till=shop.till) as looked,
    ):
        page = looked.page
        page.context.grant_permissions(["camera"])
        page.goto("/till")
        page.get_by_role("button", name="Scan with the camera").click()
        page.get_by_text("Hold the code of the card").wait_for()
        page.wait_for_timeout(1_500)
        assert looked.barriers() == []
        page.get_by_role("button", name="Close").click()
        assert page.get_by_label("Card", exact=True).input_value() == ""
        still = page.evaluate("document.getElementById('view').srcObject")
        assert still is None  # the camera is let go
        assert looked.complaints == []


def test_who_refuses_the_camera_is_told_so(shop: Shop, tmp_path: Path) -> None:
    with (
        before(film(tmp_path / "card.mjpeg", qr(CARD))) as browser,
        tab(browser, shop.address, till=shop.till) as looked,
    ):
        page = looked.page
        page.goto("/till")  # nobody grants it here
        page.get_by_role("button", name="Scan with the camera").click()
        page.get_by_role("alert").wait_for()
        assert "may not use the camera" in page.get_by_role("alert").inner_text()
        assert looked.complaints == []


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_a_device_without_a_camera_says_so(
    browser: Browser, shop: Shop, language: str, width: int
) -> None:
    for theme in THEMES:
        with tab(browser, shop.address, width, theme, language, till=shop.till) as looked:
            page = looked.page
            page.context.grant_permissions(["camera"])
            page.goto("/till")
            page.locator("#scan").click()
            page.locator("#scanner [role=alert]:visible").wait_for()
            assert page.locator("[data-said=none]").is_visible()
            assert looked.barriers() == []
            assert not looked.overflows()


def test_the_decoder_is_loaded_only_when_it_is_used(browser: Browser, shop: Shop) -> None:
    with tab(browser, shop.address, till=shop.till) as looked:
        asked: list[str] = []
        looked.page.on("request", lambda request: asked.append(request.url))
        looked.page.goto("/till")
        looked.page.wait_for_load_state("networkidle")
        by_page = [each for each in asked if "zxing" in each and "worker" not in each]
        assert looked.page.evaluate("typeof ZXing") == "undefined"
        assert by_page == []
