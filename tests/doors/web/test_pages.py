"""What holds for every page: no barrier, no complaint, no other site, its language, its size."""

import httpx
import pytest
from playwright.sync_api import Browser

from kantis.doors.web import static
from kantis.doors.web.doors import PAGES
from tests.doors.web.conftest import Site
from tests.doors.web.looking import LANGUAGES, PAINTED, tab

#: Each page that is got, with an address of it. Nothing is worked out here.
ADDRESSES = {
    "/": "/",
    "/p/{program}": "/p/corner-cafe?visits=8&amount=4,50&category=coffee",
    "/p/{program}/join": "/p/boots-advantage-card/join",
    "/theme/{theme}": "/theme/auto",
    "/first/{token}": "",
    "/sign-in": "/sign-in?next=/people",
    "/sign-in/second": "",
    "/account": "/account",
    "/account/prove": "/account/prove?next=/people",
    "/account/second": "/account/second?first=1",
    "/account/app": "/account/app",
    "/invitation/{token}": "",
    "/programs/new": "/programs/new",
    "/c/{program}/program": "/c/corner-cafe/program",
    "/c": "/c",
    "/c/{program}": "/c/corner-cafe",
    "/c/{program}/find": "/c/corner-cafe/find?q=6407001",
    "/c/{program}/design": "/c/corner-cafe/design?first=1",
    "/card/{program}/{file}": "",
    "/c/{program}/drafts": "/c/corner-cafe/drafts",
    "/c/{program}/drafts/{number}": "/c/boots-advantage-card/drafts/1?newest=100",
    "/c/{program}/versions": "/c/corner-cafe/versions",
    "/c/{program}/versions/{number}": "/c/corner-cafe/versions/1",
    "/c/{program}/difference": "/c/corner-cafe/difference",
    "/c/{program}/members": "/c/corner-cafe/members",
    "/c/{program}/members/{account}": "/c/corner-cafe/members/1",
    "/c/{program}/members/{account}/merge": "/c/corner-cafe/members/1/merge?other=2",
    "/c/{program}/imports": "/c/corner-cafe/imports",
    "/c/{program}/imports/{number}": "",
    "/c/{program}/imports/{number}/bad-rows.csv": "",
    "/c/{program}/flags": "/c/corner-cafe/flags",
    "/c/{program}/adjustments": "/c/corner-cafe/adjustments",
    "/c/{program}/answers": "/c/corner-cafe/answers?unreplied=1",
    "/c/{program}/survey": "/c/corner-cafe/survey",
    "/me/questions/{number}": "",
    "/ask/{code}": "",
    "/c/{program}/mails": "/c/corner-cafe/mails",
    "/c/{program}/cards": "/c/corner-cafe/cards",
    "/c/{program}/cards/{number}": "/c/corner-cafe/cards/1",
    "/c/{program}/cards/{number}/numbers.csv": "",
    "/c/{program}/tills": "/c/corner-cafe/tills",
    "/c/{program}/rewards": "/c/corner-cafe/rewards",
    "/c/{program}/budgets": "/c/corner-cafe/budgets",
    "/c/{program}/keys": "/c/corner-cafe/keys",
    "/c/{program}/safety": "/c/corner-cafe/safety",
    "/lock/{token}": "",
    "/c/{program}/audit": "/c/corner-cafe/audit?from=2020-01-01",
    "/c/{program}/audit.csv": "",
    "/c/{program}/rewards.csv": "",
    "/c/{program}/adjustments.csv": "",
    "/c/{program}/segments": "/c/corner-cafe/segments",
    "/c/{program}/segments/{segment}": "",
    "/c/{program}/measures": "/c/corner-cafe/measures",
    "/c/{program}/measures/{panel}": "",
    "/c/{program}/partners": "/c/coalition/partners",
    "/c/{program}/partners.csv": "",
    "/c/{program}/partners/{partner}": "/c/coalition/partners/bakery",
    "/c/{program}/partners/{partner}/statement.csv": "",
    "/people": "/people",
    "/till/pair": "",
    "/till/sign-in": "/till/sign-in",
    "/till": "/till?card=6407001&amount=2x4.50&add=coffee",
    "/till/receipts": "/till/receipts",
    "/till/receipts/{receipt}": "",
    "/till/offline": "/till/offline",
    "/till/worker.js": "",
    "/till/manifest.webmanifest": "",
    "/open/{token}": "",
    "/me/sign-in": "/me/sign-in",
    "/me": "/me",
    "/me/rewards": "/me/rewards",
    "/me/you": "/me/you",
    "/me/export": "",
    "/me/leave": "/me/leave",
    "/me/friends": "",
    "/stop/{code}": "",
    "/me/email": "",
    "/me/household": "",
    "/me/household/join": "",
    "/me/household/leave": "",
    "/me/ends.ics": "",
    "/me/app.webmanifest": "",
    "/me/worker.js": "",
    "/me/history": "/me/history",
}
WHOSE = {
    who: [
        each
        for each in ADDRESSES.values()
        if each
        and each.startswith("/me") == (who == "member")
        and each.startswith("/till") == (who == "till")
    ]
    for who in ("owner", "member", "till")
}
SIZE_MAX = 150_000
#: What a page loads only when it is used: together at most so much.
VENDOR_MAX = 350_000

pytestmark = pytest.mark.browser


def test_every_page_has_its_address_here() -> None:
    assert {page.path for page in PAGES if page.method == "GET"} == set(ADDRESSES)


@pytest.mark.parametrize(("theme", "width"), PAINTED)
@pytest.mark.parametrize("who", WHOSE)
def test_pages_have_no_barrier(
    browser: Browser, site: Site, who: str, theme: str, width: int
) -> None:
    badge = {"till" if who == "till" else "session": site.sessions[who]}
    with tab(browser, site.address, width, theme, **badge) as looked:
        for address in WHOSE[who]:
            looked.page.goto(address)
            assert looked.barriers() == [], address
            assert not looked.overflows(), address
        assert looked.complaints == []


def test_a_barrier_is_found(browser: Browser, site: Site) -> None:
    with tab(browser, site.address) as looked:
        looked.page.goto("/")
        looked.page.evaluate("document.querySelector('main').append(document.createElement('img'))")
        assert [each.partition(":")[0] for each in looked.barriers()] == ["image-alt"]


def test_a_script_in_a_page_does_not_run(browser: Browser, site: Site) -> None:
    with tab(browser, site.address) as looked:
        looked.page.goto("/")
        looked.page.evaluate(
            "const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
            "document.head.append(s)"
        )
        assert looked.page.evaluate("window.ran") is None
        assert any("Content Security Policy" in each for each in looked.complaints)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_speaks_the_language_of_the_browser(
    browser: Browser, site: Site, language: str
) -> None:
    with tab(browser, site.address, language=language) as looked:
        looked.page.goto("/p/boots-advantage-card")
        assert looked.page.locator("html").get_attribute("lang") == language
        looked.page.locator("footer a[lang=et]").click()
        assert looked.page.get_by_role("heading", name="Nii kogud").count() == 1
        looked.page.goto("/")
        assert looked.page.locator("html").get_attribute("lang") == "et"


def test_colours_are_kept(browser: Browser, site: Site) -> None:
    with tab(browser, site.address) as looked:
        looked.page.goto("/")
        looked.page.get_by_role("link", name="Dark").click()
        assert looked.page.locator("html").get_attribute("data-theme") == "dark"
        looked.page.get_by_role("link", name="As the device").click()
        assert looked.page.locator("html").get_attribute("data-theme") is None


def test_pages_are_small_and_files_are_kept(site: Site) -> None:
    for who, addresses in WHOSE.items():
        for address in addresses:
            with site.client(who) as client:
                answer = client.get(address, follow_redirects=True)
            size = len(answer.content) + sum(
                len(file.body)
                for path, file in static.files().items()
                if path in answer.text and "/vendor/" not in path
            )
            assert size <= SIZE_MAX, address
    vendored = [len(file.body) for path, file in static.files().items() if "/vendor/" in path]
    assert sum(vendored) <= VENDOR_MAX
    with site.client() as client:
        for path in static.files():
            answer = client.get(path)
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_what_is_not_named_is_a_page_that_says_so(site: Site) -> None:
    with site.client() as client:
        for path in ("/nothing", "/p/nothing", "/theme/pink", "/static/kantis.css", "/../etc"):
            answer = client.get(path)
            assert answer.status_code == 404
            assert "There is no such page" in answer.text
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert client.get("/nothing", headers={"accept": "*/*"}).json()["code"] == "not-found"


@pytest.mark.parametrize(
    "headers", [{}, {"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}]
)
def test_a_form_of_another_site_is_refused(site: Site, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=site.address, headers=headers) as client:
        client.cookies.set("session", site.sessions["manager"])
        assert client.post("/sign-out", headers={"accept": "text/html"}).status_code == 403
    with site.client("manager") as client:
        assert client.get("/c/corner-cafe").status_code == 200
