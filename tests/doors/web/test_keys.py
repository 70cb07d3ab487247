"""Keys on a page of the console: one is shown once, used, and revoked."""

import httpx
import pytest
from playwright.sync_api import Browser

from tests.doors.web.conftest import Site
from tests.doors.web.looking import tab

PATH = "/c/corner-cafe/keys"


def made(client: httpx.Client, **about: str) -> str:
    """The key that a form makes; nothing where it is refused."""
    form = {"name": "Somebody", "scope": "till", "source": "till-1"} | about
    text = client.post(PATH, data=form).text
    return "kantis_" + text.split(">kantis_")[1].split("<")[0] if ">kantis_" in text else ""


def status(site: Site, key: str) -> int:
    with httpx.Client(base_url=site.address) as client:
        headers = {"authorization": f"Bearer {key}"}
        return client.get("/v1/accounts/card:6407001", headers=headers).status_code


@pytest.mark.browser
def test_a_key_is_made_shown_once_and_revoked(browser: Browser, site: Site) -> None:
    with tab(browser, site.address, 390, session=site.sessions["manager"]) as looked:
        page = looked.page
        page.goto(PATH)
        page.get_by_label("Who has it").fill("Till <b>7</b>")
        page.get_by_label("What it may do").select_option("till")
        page.get_by_label("Source").fill("till-7")
        page.get_by_label("The most that one event may move").fill("5000")
        page.get_by_role("button", name="Make a key").click()
        key = page.locator(".notice code").inner_text()
        assert looked.barriers() == []
        assert not looked.overflows()
        said = page.locator("main").inner_text()
        assert "Till <b>7</b>" in said
        assert "moves at most 5,000 at once" in said
        page.goto(PATH)
        assert key not in page.content()
        assert status(site, key) == 200
        page.get_by_role("button", name="Revoke Till <b>7</b>").click()
        page.get_by_text("Revoked keys").click()
        assert "Till <b>7</b>" in page.locator("details").inner_text()
        assert status(site, key) == 401
        assert looked.complaints == []


@pytest.mark.parametrize(
    "about",
    [{"name": ""}, {"source": "Till 7"}, {"largest": "-1"}, {"largest": "x"}, {"scope": "king"},
     {"largest": "9" * 18}],
)  # fmt: skip
def test_what_nobody_could_explain_is_refused(site: Site, about: dict[str, str]) -> None:
    with site.client("owner") as client:
        assert not made(client, **about)
        form = {"name": "Somebody", "scope": "till", "source": "till-1"} | about
        answer = client.post(PATH, data=form)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text


def test_the_source_of_another_program_is_refused(site: Site) -> None:
    with site.client("owner") as client:
        assert made(client, source="till-of-one")
        form = {"name": "Another", "scope": "till", "source": "till-of-one"}
        answer = client.post("/c/boots-advantage-card/keys", data=form)
        assert "belongs to another program" in answer.text


def test_keys_of_owners_are_for_owners(site: Site) -> None:
    with site.client("owner") as owner, site.client("manager") as manager:
        assert not made(manager, scope="owner", source="mine")
        assert "makes keys and publishes" not in manager.get(PATH).text
        key = made(owner, scope="owner", source="mine")
        prefix = key.removeprefix("kantis_")[:8]
        assert manager.post(f"{PATH}/{prefix}/end").status_code == 404
        with httpx.Client(base_url=site.address) as client:
            headers = {"authorization": f"Bearer {key}"}
            assert client.get("/v1/keys", headers=headers).status_code == 200
        assert owner.post(f"{PATH}/{prefix}/end").status_code == 303


def test_a_key_of_another_program_is_nowhere(site: Site) -> None:
    with site.client("owner") as owner, site.client("other") as other:
        key = made(owner, source="till-of-cafe")
        prefix = key.removeprefix("kantis_")[:8]
        assert owner.post(f"/c/boots-advantage-card/keys/{prefix}/end").status_code == 404
        assert other.post(f"/c/boots-advantage-card/keys/{prefix}/end").status_code == 404
        assert status(site, key) == 200


def test_a_session_that_is_not_fresh_makes_and_revokes_none(site: Site) -> None:
    with site.client("owner") as owner, site.client("late") as late:
        key = made(owner, source="till-of-late")
        prefix = key.removeprefix("kantis_")[:8]
        assert not made(late, source="till-of-nobody")
        answer = late.post(f"{PATH}/{prefix}/end")
        assert answer.headers["location"] == "/account/prove?next=%2Fc%2Fcorner-cafe%2Fkeys"
        assert status(site, key) == 200
        assert "till-of-nobody" not in late.get(PATH).text
