"""The design of the card: seen while it is made, kept, and then on every card of the program."""

import httpx
import pytest
from playwright.sync_api import Browser

from tests.desk.drawing import SECRET, png, talkative
from tests.doors.web.conftest import Site
from tests.doors.web.looking import LOOKS, tab
from tests.doors.web.test_portal import scanned

WHERE = "/c/corner-cafe/design"
LOGO = talkative("WEBP", 24, 20, quality=80)


def keep(
    site: Site, logo: bytes = b"", role: str = "manager", **said: str
) -> tuple[int, httpx.Response]:
    data = {"ground": "#ffdd00", "ink": "#1d2126"} | said
    files = {"logo": ("logo", logo, "image/png")} if logo else None
    with site.client(role) as client:
        answer = client.post(WHERE, data=data, files=files or {"x": ("", b"")})
    return answer.status_code, answer


@pytest.mark.browser
def test_the_card_is_seen_while_it_is_designed(browser: Browser, site: Site) -> None:
    with tab(browser, site.address, 1280, session=site.sessions["manager"]) as looked:
        page = looked.page
        page.goto(f"{WHERE}?first=1")
        card = page.locator("#card")
        page.get_by_label("Name on the card").fill("Corner Café")
        page.get_by_label("Ground").fill("#123456")
        page.get_by_label("Writing").fill("#334455")
        assert card.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(18, 52, 86)"
        assert card.locator("h2").inner_text() == "Corner Café"
        assert "too little" in page.locator("#contrast").inner_text()
        page.get_by_role("button", name="Keep").click()
        assert "#ffffff" in page.get_by_role("alert").inner_text()
        page.get_by_label("Writing").fill("#ffffff")
        assert "can be read" in page.locator("#contrast").inner_text()
        assert looked.barriers() == []
        file = {"name": "logo.webp", "mimeType": "image/webp", "buffer": LOGO}
        page.get_by_label("Logo", exact=True).set_input_files(files=[file])
        page.wait_for_function("document.querySelector('#card img')?.src.startsWith('data:')")
        page.get_by_role("button", name="Keep").click()
        page.wait_for_url("**/c/corner-cafe")
        # the answer to the form that was refused; anything else would be a complaint
        assert [each for each in looked.complaints if "422" not in each] == []
    with tab(browser, site.address, session=site.sessions["member"]) as looked:
        page = looked.page
        page.goto("/me")
        card = page.locator(".pass")
        assert card.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(18, 52, 86)"
        assert page.get_by_role("heading", name="Corner Café", exact=True).count() == 1
        assert (
            card.locator("img").evaluate("each => each.decode().then(() => each.naturalWidth)")
            == 24
        )
        assert scanned(page.screenshot())[0][1] == "6407001"
        assert looked.barriers() == []
        assert looked.complaints == []


def test_what_is_kept_is_looked_at_again(site: Site) -> None:
    for said, logo in (
        ({"ground": "red"}, b""),
        ({"ground": "#ffffff"}, b"<svg/>"),
        ({"ink": "#ffee00"}, b""),
        ({"name": "x" * 41}, b""),
        ({}, png(2_000, 16)),
        ({}, b"GIF89a"),
    ):
        assert keep(site, logo, **said)[0] == 422, said
    assert keep(site, bytes(200_000))[0] == 413
    assert keep(site, role="support")[0] == 404
    assert keep(site)[1].headers["location"] == f"{WHERE}?kept=1"


def test_what_members_get_is_picture_and_colours_alone(site: Site) -> None:
    assert keep(site, talkative("PNG", 192, 192), name="Café card")[0] == 303
    with site.client("member") as client:
        page = client.get("/me").text
        said = client.get("/me/app.webmanifest?program=corner-cafe").json()
    assert said["name"] == "Café card"
    assert said["theme_color"] == "#ffdd00"
    icon = said["icons"][0]
    assert (icon["sizes"], icon["type"]) == ("192x192", "image/png")
    assert icon["src"] in page
    with httpx.Client(base_url=site.address) as client:  # a browser asks for both as for any file
        logo = client.get(icon["src"])
        assert logo.headers["content-type"] == "image/png"
        assert "immutable" in logo.headers["cache-control"]
        assert SECRET not in logo.content
        style = client.get(icon["src"].replace(".png", ".css"))
        assert style.headers["content-type"].startswith("text/css")
        assert "#ffdd00" in style.text
        for other in ("/card/corner-cafe/0123456789.css", "/card/coalition/0123456789.css",
                      "/card/nothing/x", icon["src"].replace(".png", ".webp")):  # fmt: skip
            assert client.get(other).status_code == 404
    with site.client("owner") as client:
        assert icon["src"] in client.get("/c/corner-cafe/cards/1").text
    assert keep(site, none="1")[0] == 303
    with site.client("member") as client:
        assert "<img" not in client.get("/me").text


@pytest.mark.browser
def test_without_a_network_the_card_has_its_colours(browser: Browser, site: Site) -> None:
    assert keep(site, png(192, 192))[0] == 303
    with tab(browser, site.address, session=site.sessions["member"]) as looked:
        page = looked.page
        page.goto("/me")
        page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        page.reload()
        page.wait_for_function("caches.open('card-1').then(c => c.keys()).then(k => k.length > 3)")
        page.context.set_offline(True)
        page.reload()
        colour = "each => getComputedStyle(each).backgroundColor"
        assert page.locator(".pass").evaluate(colour) == "rgb(255, 221, 0)"
        assert (
            page.locator(".pass img").evaluate("each => each.complete && each.naturalWidth") == 192
        )


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_the_design_in_each_language(
    browser: Browser, site: Site, language: str, width: int
) -> None:
    session = site.sessions["owner"]
    with tab(browser, site.address, width, language=language, session=session) as looked:
        for path in ("/c/corner-cafe/design?first=1", "/c/boots-advantage-card"):
            looked.page.goto(path)
            assert looked.barriers() == []
            assert not looked.overflows()


def test_the_first_steps_stand_until_somebody_has_bought(site: Site) -> None:
    with site.client("owner") as client:
        assert "The first steps" in client.get("/c/boots-advantage-card").text
        assert "The first steps" not in client.get("/c/corner-cafe").text
    with site.client("auditor") as client:
        assert "The first steps" not in client.get("/c/boots-advantage-card").text
