"""Drafts in the console: put up by one person, seen and signed by others, published with names."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.doors.web.conftest import Site, opened
from tests.doors.web.looking import LOOKS, tab
from tests.house.sources import REPO

WHERE = "/c/corner-cafe"
SOURCE = (REPO / "programs" / "corner-cafe.yaml").read_text(encoding="utf-8")
NAMES = ("corner-cafe", "boots-advantage-card", "templates/coalition")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Site]:
    """A site of one test alone, as what is demanded stays demanded."""
    with opened(tmp_path, NAMES) as site:
        yield site


def richer(n: int) -> str:
    found = SOURCE.replace("about: ", f"about: Number {n}. ", 1)
    assert found != SOURCE
    return found


def send(site: Site, role: str, path: str, **data: str) -> tuple[int, str]:
    """What somebody sends; the status, and where it leads or what the page says."""
    with site.client(role) as client:
        answer = client.post(f"{WHERE}{path}", data=data)
        return answer.status_code, answer.headers.get("location", answer.text)


def put_up(site: Site, role: str, n: int, since: str = "") -> str:
    """The address of the draft, below the program's."""
    status, where = send(site, role, "/program", source=richer(n), do="publish", since=since)
    assert status == 303, where
    assert where.startswith(f"{WHERE}/drafts/")
    return where.removeprefix(WHERE)


def demand(site: Site, count: int, *roles: str) -> tuple[int, str]:
    return send(site, "owner", "/drafts", count=str(count), **dict.fromkeys(roles, "1"))


@pytest.mark.browser
def test_a_version_is_signed_by_two_and_keeps_their_names(browser: Browser, shop: Site) -> None:
    with tab(browser, shop.address, session=shop.sessions["owner"]) as looked:
        page = looked.page
        page.goto(f"{WHERE}/drafts")
        page.get_by_label("How many other people").fill("2")
        page.get_by_label("auditor").check()
        page.get_by_label("owner").check()
        page.get_by_role("button", name="Settle it").click()
        assert "It holds from now on." in page.get_by_role("status").inner_text()
    with tab(browser, shop.address, 1280, session=shop.sessions["manager"]) as looked:
        page = looked.page
        page.goto(f"{WHERE}/program")
        assert page.get_by_role("button", name="Publish").count() == 0
        page.get_by_label("The program").fill(richer(1))
        page.get_by_role("button", name="Put up for signatures").click()
        page.wait_for_url("**/drafts/2")
        said = page.locator("main").inner_text()
        assert "2 signatures are missing." in said
        assert "It is yours, so others sign it." in said
        assert page.get_by_role("button", name="Sign", exact=True).count() == 0
        assert page.get_by_role("button", name="Publish").count() == 0
        assert looked.barriers() == []
    for role, remark in (("auditor", "With the accountant."), ("owner", "")):
        with tab(browser, shop.address, session=shop.sessions[role]) as looked:
            page = looked.page
            page.goto(WHERE)
            notice = page.get_by_role("status").filter(has_text="1 draft waits for your signature.")
            notice.get_by_role("link").click()
            page.get_by_role("link", name="Draft 2").click()
            assert "+     about: Number 1." not in page.locator("pre.difference").inner_text()
            assert "about: Number 1." in page.locator("pre.difference ins").first.inner_text()
            page.get_by_role("button", name="Try on members").click()
            assert "Of 1 member" in page.get_by_label("For the members there are").inner_text()
            page.get_by_label("Remark").fill(remark)
            page.get_by_role("button", name="Sign", exact=True).click()
            assert page.get_by_role("button", name="Take my signature back").count() == 1
            assert looked.barriers() == []
            assert not looked.overflows()
            assert looked.complaints == []
    with tab(browser, shop.address, session=shop.sessions["manager"]) as looked:
        page = looked.page
        page.goto(WHERE)
        assert "1 draft has all its signatures." in page.locator("main").inner_text()
        page.goto(f"{WHERE}/drafts/2")
        page.get_by_role("button", name="Publish").click()
        page.wait_for_url(f"**{WHERE}/versions")
        first = page.locator("main li").first.inner_text()
        assert "Signed by The auditor (auditor), The owner (owner)" in first
        page.goto(f"{WHERE}/versions/2")
        assert "With the accountant." in page.locator("main").inner_text()
        assert looked.barriers() == []
        page.goto(f"{WHERE}/drafts/2")  # what is published leads to what it became
        page.wait_for_url(f"**{WHERE}/versions/2")
    with shop.client("owner") as client:
        log = client.get(f"{WHERE}/audit").text
    assert "somebody signed a draft" in log
    assert "The auditor (auditor)" in log


def test_the_guard_is_no_matter_of_buttons(shop: Site) -> None:
    assert demand(shop, 1, "manager", "auditor")[0] == 303
    where = put_up(shop, "manager", 1)
    assert put_up(shop, "manager", 1) == where
    for role, do, status, said in (
        ("manager", "publish", 409, "Signatures are missing"),
        ("manager", "sign", 409, "Nobody signs a draft of their own"),
        ("support", "sign", 409, "not among those that are demanded"),
        ("support", "publish", 404, ""),
        ("owner", "", 404, ""),
        ("owner", "publish it", 404, ""),
        ("auditor", "drop", 404, ""),
    ):
        found = send(shop, role, where, do=do)
        assert (found[0], said in found[1]) == (status, True), found[1]
    status, onward = send(shop, "late", where, do="sign")
    assert (status, onward.split("?")[0]) == (303, "/account/prove")
    status, onward = send(shop, "late", "/drafts", count="0")
    assert (status, onward.split("?")[0]) == (303, "/account/prove")
    assert send(shop, "auditor", where, do="sign") == (303, f"{WHERE}{where}")
    assert send(shop, "auditor", where, do="unsign") == (303, f"{WHERE}{where}")
    assert send(shop, "manager", where, do="publish")[0] == 409
    assert send(shop, "auditor", where, do="sign")[0] == 303
    assert send(shop, "owner", where, do="publish") == (303, f"{WHERE}/versions")
    assert send(shop, "auditor", where, do="unsign") == (303, f"{WHERE}/versions/2")


def test_fewer_signatures_need_those_of_before(shop: Site) -> None:
    assert demand(shop, 10, "manager")[0] == 422
    assert demand(shop, 2, "support")[0] == 422
    assert demand(shop, 2, "manager", "auditor") == (303, f"{WHERE}/drafts?settled=1")
    status, where = demand(shop, 0)
    assert (status, re.fullmatch(rf"{WHERE}/drafts/\d+", where) is not None) == (303, True)
    where = where.removeprefix(WHERE)
    with shop.client("auditor") as client:
        assert "publishes it alone" in client.get(f"{WHERE}{where}").text
    assert send(shop, "owner", where, do="publish")[0] == 409
    for role in ("manager", "auditor"):
        assert send(shop, role, where, do="sign")[0] == 303
    assert send(shop, "manager", where, do="publish")[0] == 404  # an owner lets it hold
    assert send(shop, "owner", where, do="publish")[0] == 303
    status, onward = send(shop, "manager", "/program", source=richer(1), do="publish")
    assert (status, onward) == (303, WHERE)


def test_publishing_takes_a_fresh_proof_and_loses_nothing(site: Site) -> None:
    with site.client("late") as client:
        data = {"source": richer(7), "do": "publish", "since": "2031-01-01"}
        answer = client.post(f"{WHERE}/program", data=data)
        assert answer.status_code == 403
        assert "Show who I am" in answer.text
        assert "about: Number 7." in answer.text
        assert 'value="2031-01-01"' in answer.text
        assert "Version 2" not in client.get(f"{WHERE}/versions").text


def test_the_day_is_that_of_the_drafts_own_clock(shop: Site) -> None:
    demand(shop, 1, "auditor")
    source = SOURCE.replace("timezone: Europe/Helsinki", "timezone: Asia/Ho_Chi_Minh")
    assert source != SOURCE
    said = {"source": source, "do": "publish", "since": "2031-01-01 00:30"}
    status, where = send(shop, "manager", "/program", **said)
    assert status == 303
    with shop.client("auditor") as client:
        assert "1 Jan 2031, 00:30" in client.get(where).text
        assert client.get(f"{where}?newest=100").status_code == 200
    where = where.removeprefix(WHERE)
    assert send(shop, "auditor", where, do="sign")[0] == 303
    assert send(shop, "manager", where, do="publish") == (303, f"{WHERE}/versions")


def test_one_draft_overtakes_another(shop: Site) -> None:
    demand(shop, 1, "auditor")
    first, second = put_up(shop, "manager", 1), put_up(shop, "manager", 2)
    for where in (first, second):
        assert send(shop, "auditor", where, do="sign")[0] == 303
    assert send(shop, "manager", second, do="publish")[0] == 303
    with shop.client("manager") as client:
        assert "overtaken" in client.get(f"{WHERE}{first}").text
    assert send(shop, "manager", first, do="publish")[0] == 409
    assert send(shop, "manager", first, do="drop") == (303, f"{WHERE}/drafts")
    assert send(shop, "auditor", first, do="sign") == (303, f"{WHERE}/drafts")


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_drafts_in_each_language(browser: Browser, site: Site, language: str, width: int) -> None:
    session = site.sessions["owner"]
    with tab(browser, site.address, width, language=language, session=session) as looked:
        for path in ("drafts", "drafts/1?newest=100"):
            looked.page.goto(f"/c/boots-advantage-card/{path}")
            assert looked.barriers() == []
            assert not looked.overflows()


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "fi", "vi"])
def test_the_header_keeps_to_one_row_on_a_phone(
    browser: Browser, site: Site, language: str
) -> None:
    session = site.sessions["owner"]
    with tab(browser, site.address, 390, language=language, session=session) as looked:
        page = looked.page
        page.goto(f"{WHERE}/versions")
        heads = page.locator(".top .mark, #find, .top form[action='/sign-out'] button")
        boxes = [each.bounding_box() or {} for each in heads.all()]
        middles = [each["y"] + each["height"] / 2 for each in boxes]
        assert len(middles) == 3
        assert max(middles) - min(middles) < 6
        for row in page.locator(".top nav").all():
            heights = row.evaluate("nav => [...nav.children].map(each => each.offsetTop)")
            assert len(set(heights)) == 1
        assert not looked.overflows()
