"""Passkeys, with an authenticator that chromium itself plays: made, used, named, removed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page

import kantis.desk
from kantis.desk import ceremony, passkeys, sessions, staff
from kantis.desk.ceremony import Site as Where
from kantis.desk.submit import Desk
from tests.desk.test_staff import Clock, clock_of, owner
from tests.doors.web.conftest import Site
from tests.doors.web.looking import tab
from tests.doors.web.test_account import SECRET, grow_old, joined

pytestmark = pytest.mark.browser


@contextmanager
def device(browser: Browser, site: Site) -> Iterator[tuple[Page, CDPSession, str, list[str]]]:
    """A tab at localhost with an authenticator of its own; its session, its id, complaints."""
    with played(browser, site.address.replace("127.0.0.1", "localhost")) as found:
        yield found


@contextmanager
def played(
    browser: Browser, own: str, *look: Any
) -> Iterator[tuple[Page, CDPSession, str, list[str]]]:
    """As ``device``, at any address; at a width, in a theme, in a language."""
    with tab(browser, own, *look) as looked:
        cdp = looked.page.context.new_cdp_session(looked.page)
        cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }  # fmt: skip
        made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        yield looked.page, cdp, made["authenticatorId"], looked.complaints


def by_password(page: Page, login: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Sign in").click()


def make(page: Page, name: str) -> None:
    page.goto("/account/second")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make a passkey").click()


def test_a_passkey_is_made_signs_in_proves_is_named_and_removed(
    browser: Browser, site: Site
) -> None:
    joined(site, "saara")
    with device(browser, site) as (page, _, _, complaints):
        by_password(page, "saara")
        make(page, "My <b>phone</b>")
        page.get_by_role("heading", name="Recovery codes").wait_for()
        page.goto("/account")
        assert "My <b>phone</b>" in page.locator("main").inner_text()
        page.get_by_text("Another name").click()
        page.get_by_role("textbox", name="Name").fill("Phone")
        page.get_by_role("button", name="Rename").click()
        page.get_by_role("button", name="Sign out", exact=True).click()
        by_password(page, "saara")
        page.wait_for_url("**/sign-in/second")
        page.goto("/c")
        assert "/sign-in?" in page.url, "the password alone opens nothing any more"
        page.get_by_role("button", name="With a passkey").click()
        page.wait_for_url("**/c/**")
        grow_old(site, "saara")
        page.goto("/people")
        page.get_by_role("link", name="Show who I am").click()
        page.get_by_role("button", name="With a passkey").click()
        page.get_by_role("heading", name="Invite somebody").wait_for()
        page.goto("/account")
        page.get_by_role("button", name="Remove Phone").click()
        assert "You have none" in page.locator("main").inner_text()
        assert complaints == []


def test_a_passkey_of_somebody_else_proves_nothing(browser: Browser, site: Site) -> None:
    joined(site, "kerttu")
    joined(site, "lauri")
    with device(browser, site) as (page, _, _, _):
        by_password(page, "kerttu")
        make(page, "hers")
        page.get_by_role("link", name="I have kept them").click()
        page.get_by_role("button", name="Sign out", exact=True).click()
        by_password(page, "lauri")
        page.goto("/account")
        assert "You have none" in page.locator("main").inner_text()
        client = page.request
        asked = client.post("/account/passkeys/1/end", headers={"sec-fetch-site": "same-origin"})
        assert asked.status == 404


def test_a_device_that_checks_nobody_is_not_enough(browser: Browser, site: Site) -> None:
    joined(site, "martta")
    with device(browser, site) as (page, cdp, id, _):
        by_password(page, "martta")
        make(page, "phone")
        page.get_by_role("link", name="I have kept them").click()
        page.get_by_role("button", name="Sign out", exact=True).click()
        about = {"authenticatorId": id, "isUserVerified": False}
        cdp.send("WebAuthn.setUserVerified", about)
        page.goto("/sign-in")
        page.get_by_role("button", name="With a passkey").click()
        page.get_by_text("That did not work with a passkey").wait_for()
        page.goto("/account")
        assert "/sign-in?" in page.url


# ── what a page sends, straight to the desk ──────────────────────────────────


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with kantis.desk.open(str(tmp_path / "books.db"), clock=Clock()) as found:
        assert isinstance(found, Desk)
        yield found


#: Runs in the page: makes or shows a passkey for options, and answers what the form would.
_RUN = """
async ([kind, options]) => {
  const bytes = (text) => Uint8Array.from(
    atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0)).buffer;
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=/g, "");
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  const found = await navigator.credentials[kind]({ publicKey: options });
  const response = {};
  const names = [
    "clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  for (const name of names) {
    if (found.response[name]) response[name] = text(found.response[name]);
  }
  return JSON.stringify({ id: found.id, rawId: text(found.rawId), type: found.type, response });
}
"""


def answered(page: Page, kind: str, asked: str) -> str:
    said: str = page.evaluate(_RUN, [kind, json.loads(asked)])
    return said


def begun(desk: Desk, page: Page) -> tuple[Where, staff.Staff, str]:
    """Somebody with a passkey, made at the page's address; and what the browser answered."""
    page.goto("/sign-in")
    number = owner(desk)
    who = next(each for each in staff.everybody(desk.books) if each.number == number)
    where = Where("localhost", page.url.removesuffix("/sign-in"))
    answer = answered(page, "create", passkeys.ask_to_make(desk, where, who))
    done, codes = passkeys.make(desk, where, who, "phone", answer, sessions.By("test"))
    assert (done, len(codes)) == (True, 10)
    return where, who, answer


def shown(desk: Desk, where: Where, page: Page) -> str:
    return answered(page, "get", passkeys.ask_to_show(desk, where, "here"))


def test_an_answer_is_good_once_in_its_time_and_at_its_address(
    browser: Browser, site: Site, desk: Desk
) -> None:
    with device(browser, site) as (page, _, _, _):
        where, who, first = begun(desk, page)
        by = sessions.By("test")
        assert passkeys.make(desk, where, who, "again", first, by) == (False, [])
        answer = shown(desk, where, page)
        found = passkeys.show(desk, where, answer)
        assert found is not None
        assert found.login == who.login
        assert passkeys.show(desk, where, answer) is None, "a replay"
        late = shown(desk, where, page)
        clock_of(desk).now += ceremony.CHALLENGE_MS
        assert passkeys.show(desk, where, late) is None
        answer = shown(desk, where, page)
        assert passkeys.show(desk, Where("localhost", "https://evil.example"), answer) is None
        answer = shown(desk, where, page)
        assert passkeys.show(desk, Where("evil.example", where.origin), answer) is None
        for nonsense in ("", "[]", "{}", "x" * 99, '{"response": {"clientDataJSON": "e30"}}'):
            assert passkeys.show(desk, where, nonsense) is None


def test_without_using_the_challenge_up_a_replay_signs_in(
    browser: Browser, site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin. (The device does not count what it signs, as many do not.)"""
    with device(browser, site) as (page, _, _, _):
        where, _, _ = begun(desk, page)
        answer = shown(desk, where, page)
        monkeypatch.setattr(ceremony.rows, "take_ticket", lambda books, hashed: True)
        real: Any = ceremony.webauthn.verify_authentication_response
        uncounted = lambda **given: real(**given | {"credential_current_sign_count": 0})  # noqa: E731
        monkeypatch.setattr(ceremony.webauthn, "verify_authentication_response", uncounted)
        assert passkeys.show(desk, where, answer) is not None
        assert passkeys.show(desk, where, answer) is not None


def test_one_place_asks_so_often_only(desk: Desk) -> None:
    where = Where("localhost", "http://localhost")
    asked = [passkeys.ask_to_show(desk, where, "here") for _ in range(passkeys.ASKS_MAX + 1)]
    assert [bool(each) for each in asked] == [True] * passkeys.ASKS_MAX + [False]
    assert passkeys.ask_to_show(desk, where, "elsewhere")
