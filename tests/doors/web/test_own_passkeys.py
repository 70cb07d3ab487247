"""Members and their passkeys on pages: offered once, made, named, used, proved with, removed."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest
from playwright.sync_api import Browser, CDPSession, Page

from kantis.core.calendar import DAY_MS
from tests.doors.service.server import buy
from tests.doors.web.letters import free_port, link, lock
from tests.doors.web.looking import LOOKS, WIDTHS, Looked
from tests.doors.web.looking import tab as tab_at
from tests.doors.web.test_email import come
from tests.doors.web.test_joining import Site, card_of, opened
from tests.doors.web.test_passkeys import answered, played
from tests.doors.web.test_takeover import SOURCE

pytestmark = pytest.mark.browser

_SIGN_IN = "/me/sign-in/passkey"


class House:
    """A service at an address of this machine, and its books."""

    def __init__(self, site: Site, store: Path, port: int) -> None:
        self.site, self.store, self.own = site, store, f"http://localhost:{port}"

    def change(self, statement: str, *about: object) -> None:
        with apsw.Connection(str(self.store)) as books:
            books.execute(statement, about)

    def grow_old(self) -> None:
        """All passkeys were made four days ago, and nobody has shown who they are for long."""
        self.change("UPDATE member_passkey SET made = made - ?", 4 * DAY_MS)
        self.change("UPDATE session SET proved = 0")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder, port = tmp_path_factory.mktemp("passkeys"), free_port()
    with opened(folder, SOURCE, port=port) as site:
        yield House(site, folder / "books.db", port)


class Device:
    """A tab with an authenticator. It answers by itself only while a finger is on it."""

    def __init__(self, page: Page, cdp: CDPSession, id: str, complaints: list[str]) -> None:
        self.page, self.complaints = page, complaints
        self._cdp, self._id = cdp, id

    def finger(self, *, on: bool) -> None:
        about = {"authenticatorId": self._id, "enabled": on}
        self._cdp.send("WebAuthn.setAutomaticPresenceSimulation", about)

    def count(self) -> int:
        found = self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": self._id})
        return len(found["credentials"])

    def press(self, action: str) -> None:
        self.finger(on=True)
        self.page.locator(f"form[action='{action}'] button").click()

    def by_letter(self, house: House, email: str, count: int) -> None:
        """Sign in by the letter that makes so many of them."""
        self.page.goto(link(house.site.letters.to(email, count)))
        self.page.locator("main form button").click()
        self.page.wait_for_url("**/me**")

    def sign_out(self) -> None:
        self.page.goto("/me")
        self.page.locator("footer form button").click()
        self.page.wait_for_load_state()

    def by_button(self) -> None:
        self.come()
        with self.page.expect_navigation():
            with self.page.expect_request(f"**{_SIGN_IN}"):
                self.press(_SIGN_IN)
            self.finger(on=False)  # before the page that comes asks by itself

    def prove(self) -> None:
        with self.page.expect_navigation():
            self.press("/me/prove/passkey")

    def come(self) -> None:
        """Open the page to sign in, where the browser waits to be asked for a passkey."""
        self.finger(on=False)
        with self.page.expect_response(f"**{_SIGN_IN}/ask"):
            self.page.goto("/me/sign-in")
        self.page.wait_for_timeout(300)


@contextmanager
def device(browser: Browser, house: House, *look: Any) -> Iterator[Device]:
    with played(browser, house.own, *look) as found:
        yield Device(*found)


def looks_right(page: Page, house: House) -> None:
    looked = Looked(page, house.own)
    assert looked.barriers() == []
    assert not looked.overflows()


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_a_passkey_is_offered_made_named_used_and_removed(
    browser: Browser, house: House, language: str, width: int
) -> None:
    email = f"{language}{width}-passkey@example.org"
    theme = "dark" if width == WIDTHS[0] else "light"
    with house.site.browser() as client:
        house.site.join(client, email)
    with device(browser, house, width, theme, language) as tab:
        page = tab.page
        tab.by_letter(house, email, 1)
        page.locator("#offer").wait_for()
        looks_right(page, house)
        page.reload()
        assert page.locator("#offer").count() == 0, "it is offered once"
        page.goto("/me/you")
        page.locator("#passkey-name").fill("My <b>phone</b>")
        tab.press("/me/passkeys")
        page.wait_for_url("**passkey=made**")
        assert "My <b>phone</b>" in page.locator("#passkeys").inner_text()
        looks_right(page, house)
        assert "/lock/" in house.site.letters.to(email, 2).get_content()
        tab.press("/me/passkeys")  # the device has one already, and says so
        page.locator("form[action='/me/passkeys'] [data-known]").wait_for()
        page.locator("#passkeys summary").click()
        page.locator("#passkeys form.search input").fill("Phone")
        page.locator("#passkeys form.search button").click()
        page.wait_for_url("**passkey=named**")
        tab.sign_out()
        tab.come()
        looks_right(page, house)
        tab.by_button()
        page.wait_for_url("**/me")
        assert page.locator("#offer").count() == 0
        tab.sign_out()
        tab.finger(on=True)
        page.goto("/me/sign-in")  # the browser fills it in, with a finger on the device
        page.wait_for_url("**/me")
        page.goto("/me/you")
        assert "Phone" in page.locator("#passkeys").inner_text()
        page.locator("#passkeys form[action$='/end'] button").click()
        page.wait_for_url("**passkey=removed**")
        looks_right(page, house)
        assert page.locator("#passkeys form[action$='/end']").count() == 0
        assert "/lock/" in house.site.letters.to(email, 3).get_content()
        tab.sign_out()
        tab.by_button()
        page.locator("[role=alert]:visible").wait_for()
        looks_right(page, house)
        page.goto("/me")
        assert "/me/sign-in" in page.url, "it signs nobody in any more"
        assert [each for each in tab.complaints if "403" not in each] == []


def test_the_offer_is_made_and_not_kept_on_the_device(browser: Browser, house: House) -> None:
    email = "offer@example.org"
    with house.site.browser() as client:
        house.site.join(client, email)
    with device(browser, house) as tab:
        tab.by_letter(house, email, 1)
        tab.press("/me/passkeys")
        tab.page.wait_for_url("**passkey=made**")
        assert tab.page.locator("#passkeys li strong").inner_text() == "Linux"
        assert tab.count() == 1
        tab.page.goto("/me")
        kept = "caches.match('/me').then(r => r ? r.text() : '')"
        tab.page.wait_for_timeout(300)
        assert "data-passkey" not in tab.page.evaluate(kept)


def take(page: Page, reward: str) -> None:
    page.goto("/me/rewards")
    page.locator(f"form:has(input[value='{reward}']) button").click()
    page.wait_for_load_state()


def test_a_passkey_proves_who_takes_what_is_large(browser: Browser, house: House) -> None:
    email, site = "large@example.org", house.site
    with device(browser, house) as tab:
        with site.browser() as client:
            site.join(client, email)
            card = card_of(client.get("/me").text)
        tab.by_letter(house, email, 1)
        tab.press("/me/passkeys")
        tab.page.wait_for_url("**passkey=made**")
        site.till.post("/v1/events", json=buy("large-buys", card, 2_000))
        tab.sign_out()
        tab.by_button()
        tab.page.wait_for_url("**/me")
        take(tab.page, "lamp")
        assert tab.page.locator("form[action='/me/prove']").count() == 1
        assert tab.page.locator("form[action='/me/prove/passkey']").count() == 0, "it is too new"
        tab.page.goto("/me/email")
        assert tab.page.locator("form[action='/me/prove/passkey']").count() == 0
        house.grow_old()
        take(tab.page, "lamp")
        looks_right(tab.page, house)
        tab.prove()
        take(tab.page, "lamp")
        tab.page.wait_for_url("**taken=1**")
        house.grow_old()
        tab.page.goto("/me/email")
        tab.prove()
        tab.page.locator("#email").wait_for()
        house.grow_old()
        tab.sign_out()
        tab.by_button()
        tab.page.wait_for_url("**/me")
        tab.page.goto("/me/leave")
        tab.page.locator("#sure").wait_for()


def test_a_passkey_of_somebody_else_proves_nothing(browser: Browser, house: House) -> None:
    """The twin is the test above, where it is one's own."""
    here = {"sec-fetch-site": "same-origin"}
    with device(browser, house) as tab:
        for email in ("first@example.org", "second@example.org"):
            with house.site.browser() as client:
                house.site.join(client, email)
            tab.by_letter(house, email, 1)
            if email.startswith("first"):
                tab.press("/me/passkeys")
                tab.page.wait_for_url("**passkey=made**")
        house.grow_old()
        asked = tab.page.request.post("/me/sign-in/passkey/ask", headers=here).text()
        said = {"credential": answered(tab.page, "get", asked), "next": "/me/email"}
        answer = tab.page.request.post("/me/prove/passkey", headers=here, form=said)
        assert "This passkey does not show that it is you." in answer.text()
        assert "second@example.org" in answer.text()
        tab.page.goto("/me/email")
        assert tab.page.locator("#email").count() == 0


def test_one_press_in_the_letter_ends_what_a_thief_has_made(browser: Browser, house: House) -> None:
    email, site = "victim@example.org", house.site
    with site.browser() as client:
        come(site, client, email)
    with device(browser, house) as thief, site.browser() as owner:
        owner.post("/me/sign-in", data={"email": email})
        thief.by_letter(house, email, 2)
        thief.press("/me/passkeys")
        thief.page.wait_for_url("**passkey=made**")
        warned = lock(site.letters.to(email, 3))
        assert "all its passkeys are removed" in owner.get(warned).text
        assert "its passkeys are removed" in owner.post(warned, data={"do": "lock"}).text
        assert thief.page.goto("/me").url.endswith("sign-in?next=%2Fme")  # type: ignore[union-attr]
        refused(thief)
        owner.post(warned, data={"do": "unlock"})
        owner.post(link(site.letters.to(email, 4)))
        assert owner.get("/me").status_code == 200
        refused(thief)
        assert "/end" not in owner.get("/me/you").text


def refused(tab: Device) -> None:
    """The passkey of the device opens nothing."""
    tab.by_button()
    tab.page.get_by_text("This passkey opens no card here.").wait_for()
    tab.page.goto("/me")
    assert "/me/sign-in" in tab.page.url


def test_without_a_fresh_sign_in_none_is_made(house: House) -> None:
    """The twin is each test above, which is signed in by a letter."""
    with house.site.browser() as client:
        client.cookies.set("member", house.site.old)
        page = client.get("/me/you").text
        assert 'data-passkey="make"' not in page
        assert "To make a passkey, open a link that we send you" in page
        assert client.post("/me/passkeys/ask").status_code == 403
        answer = client.post("/me/passkeys", data={"name": "x", "credential": "{}"})
        assert answer.headers["location"] == "/me/you#passkeys"


def test_nobody_touches_the_passkeys_of_another(browser: Browser, house: House) -> None:
    site = house.site
    with device(browser, house) as tab, site.browser() as other:
        with site.browser() as client:
            site.join(client, "hers@example.org")
        tab.by_letter(house, "hers@example.org", 1)
        tab.press("/me/passkeys")
        tab.page.wait_for_url("**passkey=made**")
        path = tab.page.locator("#passkeys form[action$='/end']").get_attribute("action")
        come(site, other, "curious@example.org")
        assert path is not None
        assert other.post(path).status_code == 404
        name = path.replace("/end", "/name")
        assert other.post(name, data={"name": "mine"}).status_code == 404
        assert own(tab.page.request.get("/me/export").text()) == ["Linux"]
        assert own(other.get("/me/export").text) == []


def own(export: str) -> list[str]:
    return [each["name"] for each in json.loads(export)["passkeys"]]


def test_who_is_unconfirmed_or_changes_their_address_makes_none(house: House) -> None:
    site = house.site
    with site.browser() as client:
        site.join(client, "unsure@example.org")
        assert "confirm your e-mail address first" in client.get("/me/you").text
        assert client.post("/me/passkeys/ask").status_code == 403
        client.post(link(site.letters.to("unsure@example.org")))
        assert client.post("/me/passkeys/ask").status_code == 200
        client.post("/me/email", data={"email": "sure@example.org"})
        client.post(link(site.letters.to("sure@example.org")))
        assert "For three days no passkey is made" in client.get("/me/you").text
        assert client.post("/me/passkeys/ask").status_code == 403


def test_nonsense_signs_nobody_in(house: House) -> None:
    with house.site.browser() as client:
        strange = base64.urlsafe_b64encode(b'{"challenge": "\\ud800"}').decode().rstrip("=")
        deep = json.dumps({"response": {"clientDataJSON": strange}})
        for said in ("", "{}", "[]", "null", '{"rawId": "AAAA"}', "[" * 19_000, deep):
            answer = client.post("/me/sign-in/passkey", data={"credential": said})
            assert answer.status_code == 403
            assert "member" not in client.cookies
        assert asked(client) == asked(client) == []


def asked(client: httpx.Client) -> list[Any]:
    """Whose passkeys are listed to whoever comes along."""
    found: list[Any] = client.post("/me/sign-in/passkey/ask").json()["allowCredentials"]
    return found


def test_none_is_offered_where_a_browser_makes_none(browser: Browser, house: House) -> None:
    """An address that is a number has no passkeys; the twin is each test above."""
    with tab_at(browser, house.site.address, 390) as looked:
        looked.page.goto("/me/sign-in")
        looked.page.wait_for_load_state("networkidle")
        assert looked.page.locator("form[data-passkey]").count() == 1
        assert not looked.page.locator("form[data-passkey]").is_visible()
        assert looked.complaints == []
