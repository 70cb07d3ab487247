"""What is marked for a look: shown with its reason, and there until somebody has looked."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

import kantis.desk
from kantis.core.events import Event, Line, Purchase, Redeem, Transfer
from tests.doors.web.conftest import Site, opened
from tests.doors.web.looking import LOOKS, tab

PATH = "/c/corner-cafe/flags"


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site where a till has told of two rewards that nobody could pay for, and of a sum that
    no column holds."""
    folder: Path = tmp_path_factory.mktemp("marked")
    with opened(folder, ("corner-cafe", "templates/coalition", "boots-advantage-card")) as site:
        with kantis.desk.open(str(folder / "books.db")) as desk:
            now, card = desk.clock(), "card:6407001"
            lines = tuple(Line(f"{n}", "latte", (1 << 63) - 1, 1, "coffee") for n in range(90))
            told = [
                Event("till", key, now, card, body, ask=False)
                for key, body in (
                    ("over-1", Redeem("free-tea")), ("over-2", Redeem("free-tea")),
                    ("huge", Purchase(lines)),
                )
            ]  # fmt: skip
            states = [each.outcome for each in desk.submit(told, program="corner-cafe")]
            assert states == ["refused", "refused", "bad"], states
            sent = Event("till", "sent", now, card, Transfer("stamps", 1, "card:nobody"))
            desk.submit([sent], program="corner-cafe")
            assert desk.settle() == 2  # nobody takes it, and it comes back
        yield site


def cleared(client: httpx.Client, flag: str, program: str = "corner-cafe") -> int:
    about = {"flag": flag, "remark": "Paid in cash."}
    return client.post(f"/c/{program}/flags", data=about).status_code


@pytest.mark.browser
@pytest.mark.parametrize(("tag", "width"), LOOKS)
def test_what_waits_is_found_from_the_first_page(
    browser: Browser, marked: Site, tag: str, width: int
) -> None:
    about = {"session": marked.sessions["support"], "language": tag}
    with tab(browser, marked.address, width, **about) as looked:
        page = looked.page
        page.goto("/c/corner-cafe")
        assert page.locator(".notice", has_text=re.compile("\\b3\\b")).count() == 1
        assert looked.barriers() == []
        page.locator(f'main a[href="{PATH}"]').click()
        assert "over-2" in page.locator("main").inner_text()
        assert "huge" in page.locator("main").inner_text()
        assert looked.barriers() == []
        assert looked.complaints == []


def test_who_only_looks_has_no_button(marked: Site) -> None:
    with marked.client("auditor") as client:
        page = client.get(PATH).text
        assert "over-1" in page
        assert "I have looked" not in page
        assert cleared(client, "1") == 404


def test_a_flag_of_another_program_is_not_there(marked: Site) -> None:
    with marked.client("support") as client:
        for flag, program in (("1", "boots-advantage-card"), ("99", ""), ("one", "")):
            assert cleared(client, flag, program or "corner-cafe") == 303
        assert "over-1" in client.get(PATH).text


def test_a_flag_goes_once_somebody_has_looked(marked: Site) -> None:
    with marked.client("support") as client:
        assert cleared(client, "1") == 303
        page = client.get(PATH).text
        assert "over-1" not in page
        assert "over-2" in page
        assert cleared(client, "1") == 303  # somebody else had the page open
    with marked.client("owner") as client:
        log = client.get("/c/corner-cafe/audit").text
        assert "somebody looked at what was marked" in log
        assert log.count("Paid in cash.") == 1


def test_what_was_set_aside_is_tried_again(marked: Site) -> None:
    with marked.client("manager") as client:
        assert client.post(PATH, data={"again": "till/none"}).status_code == 303
        assert client.post(PATH, data={"again": "till/huge"}).status_code == 303
        assert "huge" in client.get(PATH).text  # and set aside again
    with marked.client("owner") as client:
        page = client.get("/c/corner-cafe/audit").text
        assert "an event that was set aside was tried again" in page
