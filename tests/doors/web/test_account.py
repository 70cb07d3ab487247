"""The account of somebody who works here: a second factor, the second step, showing it again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import apsw
import httpx
import pyotp
import pytest
from playwright.sync_api import Browser, Page

from tests.doors.web.conftest import Site
from tests.doors.web.looking import tab

SECRET = "correct horse battery"
OTHER = "quite another sentence"


def joined(site: Site, login: str, role: str = "owner") -> None:
    """Somebody is invited and has chosen a password."""
    with site.client("owner") as client:
        form = {"name": login.title(), "login": login, "role": role, "program": ""}
        text = client.post("/people", data=form).text
        link = text.split("/invitation/")[1].split("<")[0]
        with site.client() as fresh:
            answer = fresh.post(f"/invitation/{link}", data={"password": SECRET})
            assert answer.status_code == 303


@contextmanager
def signed_in(site: Site, login: str) -> Iterator[httpx.Client]:
    """A browser without scripts that has shown the password."""
    with site.client() as client:
        client.post("/sign-in", data={"login": login, "password": SECRET})
        yield client


def set_up(client: httpx.Client) -> tuple[str, list[str]]:
    """Somebody sets up an app: its secret, and the recovery codes."""
    assert client.post("/account/app").headers["location"] == "/account/app"
    text = client.get("/account/app").text
    secret = text.split('<code class="break">')[1].split("<")[0].replace(" ", "")
    text = client.post("/account/app/confirm", data={"code": pyotp.TOTP(secret).now()}).text
    return secret, [each.split("<")[0] for each in text.split("<li><code>")[1:]]


def shown(secret: str, steps: int = 1) -> str:
    """The code of the half minute after this one, which was not used yet."""
    return pyotp.TOTP(secret).generate_otp(int(time.time()) // 30 + steps)


@pytest.mark.browser
def test_an_app_is_set_up_and_asked_for(browser: Browser, site: Site) -> None:
    joined(site, "aino")
    with tab(browser, site.address, 390) as looked:
        page = looked.page
        _sign_in(page, "aino")
        page.goto("/account")
        assert "You have none" in page.locator("main").inner_text()
        page.get_by_role("link", name="Set up a second factor").click()
        page.get_by_role("button", name="Set up an app").click()
        assert looked.barriers() == []
        assert not looked.overflows()
        secret = page.locator("code").inner_text().replace(" ", "")
        page.get_by_label("Code", exact=True).fill("000 000")
        page.get_by_role("button", name="Confirm").click()
        assert "not right" in page.get_by_role("alert").inner_text()
        page.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).now())
        page.get_by_role("button", name="Confirm").click()
        codes = page.locator(".codes code").all_inner_texts()
        assert len(set(codes)) == 10
        assert looked.barriers() == []
        page.get_by_role("link", name="I have kept them").click()
        assert "10 left" in page.locator("main").inner_text()
        assert looked.barriers() == []
        assert not looked.overflows()
        page.get_by_role("button", name="Sign out", exact=True).click()
    with tab(browser, site.address, 390) as looked:
        page = looked.page
        _sign_in(page, "aino")
        page.wait_for_url("**/sign-in/second")
        assert looked.barriers() == []
        page.get_by_label("Code").fill("000000")
        page.get_by_role("button", name="Sign in").click()
        assert "not right" in page.get_by_role("alert").inner_text()
        page.goto("/c")
        assert "/sign-in?" in page.url, "a password alone opens nothing"
        page.goto("/sign-in/second")
        page.get_by_label("Code").fill(codes[0].lower())
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/c/**")
        page.goto("/account")
        assert "9 left" in page.locator("main").inner_text()


def _sign_in(page: Page, login: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Sign in").click()


def test_a_code_signs_in_once(site: Site) -> None:
    joined(site, "toivo")
    with signed_in(site, "toivo") as client:
        secret, _ = set_up(client)
    code = shown(secret)
    for status in (303, 403):
        with signed_in(site, "toivo") as client:
            assert client.get("/account").headers["location"].startswith("/sign-in?")
            assert client.post("/sign-in/second", data={"code": code}).status_code == status
            assert (client.get("/account").status_code == 200) == (status == 303)


def test_without_a_password_there_is_no_second_step(site: Site) -> None:
    with site.client() as client:
        assert client.get("/sign-in/second").headers["location"] == "/sign-in"
        answer = client.post("/sign-in/second", data={"code": "000000"})
        assert answer.headers["location"] == "/sign-in"
        client.cookies.set("half", site.sessions["owner"])
        assert client.get("/sign-in/second").headers["location"] == "/sign-in"


def test_guessing_is_told_to_wait(site: Site) -> None:
    joined(site, "onni")
    with signed_in(site, "onni") as client:
        set_up(client)
    with signed_in(site, "onni") as client:
        codes = [client.post("/sign-in/second", data={"code": "000000"}) for _ in range(6)]
        assert [each.status_code for each in codes] == [403] * 5 + [429]
        assert "quarter of an hour" in codes[-1].text


def test_a_password_is_changed_and_others_are_signed_out(site: Site) -> None:
    joined(site, "eeva")
    with signed_in(site, "eeva") as client, signed_in(site, "eeva") as elsewhere:
        for said, status in ((("wrong", OTHER), 422), ((SECRET, "short"), 422)):
            form = {"password": said[0], "new": said[1]}
            assert client.post("/account/password", data=form).status_code == status
        assert elsewhere.get("/account").status_code == 200
        form = {"password": SECRET, "new": OTHER}
        assert client.post("/account/password", data=form).status_code == 303
        assert client.get("/account").status_code == 200
        assert elsewhere.get("/account").status_code == 303
    with signed_in(site, "eeva") as client:
        assert client.get("/account").status_code == 303, "the old one opens nothing"


def test_sessions_elsewhere_are_ended(site: Site) -> None:
    joined(site, "veikko")
    with signed_in(site, "veikko") as client, signed_in(site, "veikko") as elsewhere:
        assert client.get("/account").text.count("last used on") == 3
        assert client.post("/account/sign-out-elsewhere").status_code == 303
        assert elsewhere.get("/account").status_code == 303
        assert client.get("/account").text.count("last used on") == 1


# ── showing it again ─────────────────────────────────────────────────────────


def grow_old(site: Site, login: str) -> None:
    """All sessions of somebody have not shown who they are for long."""
    with apsw.Connection(site.server.store) as books:
        about = "UPDATE session SET proved = 0 WHERE staff = (SELECT number FROM staff"
        books.execute(f"{about} WHERE login = ?)", (login,))


#: What takes a proof of the last quarter of an hour.
DANGEROUS = [
    "/people", "/people/1/leave", "/account/app", "/account/app/end", "/account/codes",
    "/account/password",
]  # fmt: skip


def test_what_is_dangerous_takes_a_fresh_proof(site: Site) -> None:
    joined(site, "helmi")
    with signed_in(site, "helmi") as client:
        secret, codes = set_up(client)
        grow_old(site, "helmi")
        form = {"password": SECRET, "new": OTHER, "role": "owner", "login": "x1", "name": "X"}
        for path in DANGEROUS:
            answer = client.post(path, data=form)
            assert answer.headers["location"].startswith("/account/prove?next=%2F"), path
        assert "10 left" in client.get("/account").text
        assert "once more who you are" in client.get("/people").text
        prove = {"next": "/people", "password": SECRET}
        assert client.post("/account/prove", data=prove).status_code == 403
        code = shown(secret)
        answer = client.post("/account/prove", data=prove | {"code": code})
        assert answer.headers["location"] == "/people"
        assert client.post("/people", data=form).status_code == 200
        grow_old(site, "helmi")
        answer = client.post("/account/prove", data=prove | {"code": code})
        assert answer.status_code == 403, "the same code proves nothing twice"
        answer = client.post("/account/prove", data=prove | {"code": codes[0]})
        assert answer.headers["location"] == "/people"
        assert client.post("/account/app/end").status_code == 303


def test_without_a_second_factor_the_password_proves(site: Site) -> None:
    joined(site, "urho")
    with signed_in(site, "urho") as client:
        grow_old(site, "urho")
        assert client.post("/account/app").headers["location"].startswith("/account/prove")
        for _ in range(5):
            answer = client.post("/account/prove", data={"password": "wrong"})
            assert answer.status_code == 403
        answer = client.post("/account/prove", data={"password": SECRET})
        assert answer.status_code == 429
        assert client.get("/account/app").headers["location"] == "/account/second"
    joined(site, "impi")
    with signed_in(site, "impi") as client:
        grow_old(site, "impi")
        answer = client.post("/account/prove", data={"password": SECRET})
        assert answer.headers["location"] == "/account"
        assert client.post("/account/app").headers["location"] == "/account/app"


# ── who needs one ────────────────────────────────────────────────────────────


def test_whoever_needs_a_second_factor_is_led_to_it(site: Site) -> None:
    joined(site, "seppo", "support")
    with site.client("owner") as boss, signed_in(site, "seppo") as client:
        assert client.get("/c/corner-cafe").status_code == 200
        try:
            assert boss.post("/people/demand", data={"support": "1"}).status_code == 303
            for path in ("/c", "/c/corner-cafe", "/c/corner-cafe/members/1"):
                assert client.get(path).headers["location"] == "/account/second"
            link = client.post("/c/corner-cafe/members/1/link")
            assert link.headers["location"] == "/account/second"
            text = client.get("/account/second").text
            assert "Set it up to go on" in text
            assert "Not now" not in text
            with signed_in(site, "seppo") as again:
                assert again.get("/c/corner-cafe").headers["location"] == "/account/second"
            assert boss.get("/c/corner-cafe").status_code == 200
            set_up(client)
            assert client.get("/c/corner-cafe").status_code == 200
        finally:
            boss.post("/people/demand")


def test_an_owner_helps_whoever_has_lost_it(site: Site) -> None:
    joined(site, "raija", "support")
    with signed_in(site, "raija") as client:
        set_up(client)
    with site.client("owner") as boss:
        text = boss.get("/people").text
        row = next(each for each in text.split("<tr>") if "raija" in each)
        path = row.split('action="')[2].split('"')[0]
        assert boss.post(path).status_code == 303
        assert boss.post(path).status_code == 404
    with signed_in(site, "raija") as client:
        assert client.get("/account").status_code == 200


def test_an_owner_of_one_program_settles_nothing_for_all(site: Site) -> None:
    with site.client("branch") as branch, site.client("late") as late:
        assert branch.post("/people/demand", data={"owner": "1"}).status_code == 404
        assert "/people/demand" not in branch.get("/people").text
        answer = late.post("/people/demand", data={"owner": "1"})
        assert answer.headers["location"].startswith("/account/prove")
