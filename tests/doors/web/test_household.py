"""Households on a member's pages: invited, joined, seen, left, removed."""

import re
import time
from collections.abc import Iterator
from functools import partial

import httpx
import pytest
from playwright.sync_api import Browser

import kantis.desk
from kantis.core.events import Enrol, Event
from kantis.core.knobs import plain
from kantis.desk import household, text
from tests.doors.service.server import buy
from tests.doors.web.letters import link
from tests.doors.web.looking import LOOKS, WIDTHS, tab
from tests.doors.web.test_joining import CLUB, Site, card_of, opened

HOUSE = (
    CLUB
    + """\
households:
  family: {members: at most 3, may burn: whom the lead permits,
    leaver takes: contributions less redemptions}
"""
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("household"), HOUSE) as site:
        yield site


def come(site: Site, client: httpx.Client, name: str, points: int) -> str:
    """Somebody joins and buys; their card."""
    site.join(client, f"{name.lower()}@example.org", given_name=name)
    card = card_of(client.get("/me").text)
    if points:
        answer = site.till.post("/v1/events", json=buy(f"{name}-buys", card, points))
        assert answer.status_code == 200, answer.text
    return card


def code_in(page: str) -> str:
    found = re.search(r'<p class="figure">([0-9A-Z]{4}(?:-[0-9A-Z]{4}){2})</p>', page)
    assert found is not None, page
    return found[1]


def together(lead: httpx.Client, other: httpx.Client) -> str:
    """The lead invites, the other one joins; the code."""
    code = code_in(lead.post("/me/household/invite").text)
    answer = other.post("/me/household/join", data={"code": code})
    assert answer.headers.get("location") == "/me/household?joined=1", answer.text
    return code


def cells(page: str) -> list[str]:
    """What is in the household, goes along, and stays."""
    return re.findall(r"<td data-label=[^>]+>([^<]*)</td>", page)


def figure(client: httpx.Client) -> str:
    found = re.search(r'<p class="figure">(\d+)</p>', client.get("/me").text)
    return found[1] if found else ""


def until(client: httpx.Client, wanted: str) -> None:
    """What comes with the card of a member reaches the household a moment later."""
    end = time.monotonic() + 10
    while figure(client) != wanted:
        assert time.monotonic() < end, figure(client)
        time.sleep(0.1)


def test_who_is_invited_joins_and_leaves_with_what_is_theirs(house: Site) -> None:
    with house.browser() as anna, house.browser() as ben, house.browser() as late:
        mine, his = come(house, anna, "Aino", 50), come(house, ben, "Ben", 30)
        come(house, late, "Late", 0)
        code = code_in(anna.post("/me/household/invite").text)
        seen = ben.get("/me/household/join", params={"code": code.lower()}).text
        assert "Aino invites you" in seen
        assert "30 points" in seen
        assert ben.post("/me/household/join", data={"code": code}).status_code == 303
        assert figure(anna) == figure(ben) == "80"
        assert mine in anna.get("/me").text
        assert his in ben.get("/me").text
        assert mine not in ben.get("/me").text
        about = ben.get("/me/you").text
        assert "ben@example.org" in about
        assert "aino@example.org" not in about
        page = ben.get("/me/household").text
        assert "Aino" in page
        assert "Remove" not in page, "only the lead removes"
        assert late.post("/me/household/join", data={"code": code}).status_code == 404
        house.till.post("/v1/events", json=buy("with-his-card", his, 5))
        until(ben, "85")
        page = ben.get("/me/household/leave").text
        assert cells(page) == ["85", "35", "50"]
        assert ben.post("/me/household/leave", data={}).status_code == 303
        assert (figure(anna), figure(ben)) == ("50", "35")
        assert his in ben.get("/me").text


def test_the_lead_removes_and_permits_and_nobody_else_does(house: Site) -> None:
    with house.browser() as lead, house.browser() as other:
        come(house, lead, "Leena", 10)
        name = come(house, other, "Otso", 20)
        together(lead, other)
        assert "may not spend" in other.get("/me/household").text
        no = other.post("/me/household/permit", data={"member": name, "burns": "1"})
        assert no.status_code == 422
        assert "is not the lead of this household" in no.text
        lead.post("/me/household/permit", data={"member": name, "burns": "1"})
        assert "may not spend" not in other.get("/me/household").text
        others = re.search(r"member=([^\"]+)\"", lead.get("/me/household").text)
        assert others is not None
        assert others[1] == name
        assert other.get("/me/household/leave?member=nobody").status_code == 404
        assert "you are the last to go" in lead.get("/me/household/leave").text
        assert lead.post("/me/household/leave", data={}).status_code == 422
        assert cells(lead.get(
            "/me/household/leave", params={"member": name}
        ).text) == ["30", "20", "10"]  # fmt: skip
        lead.post("/me/household/leave", data={"member": name})
        assert figure(lead) == "10"


def test_nobody_erases_the_points_of_others(house: Site) -> None:
    with house.browser() as lead, house.browser() as other:
        come(house, lead, "Erja", 10)
        come(house, other, "Eero", 20)
        together(lead, other)
        for client in (lead, other):
            assert "Leave it first" in client.get("/me/leave").text
            assert client.post("/me/leave", data={"sure": "1"}).status_code == 422
        assert figure(other) == "30"


def test_a_full_household_takes_nobody(house: Site) -> None:
    clients = [house.browser() for _ in range(4)]
    for n, client in enumerate(clients):
        come(house, client, f"Full{n}", 1)
    codes = [code_in(clients[0].post("/me/household/invite").text) for _ in range(3)]
    for client, code in zip(clients[1:3], codes[:2], strict=True):
        assert client.post("/me/household/join", data={"code": code}).status_code == 303
    answer = clients[3].post("/me/household/join", data={"code": codes[2]})
    assert answer.status_code == 404
    assert figure(clients[3]) == "1"
    assert clients[0].post("/me/household/invite").status_code == 404
    for client in clients:
        client.close()


def test_codes_are_not_tried_without_end(house: Site) -> None:
    with house.browser() as lead, house.browser() as other:
        come(house, lead, "Tilda", 0)
        come(house, other, "Tove", 0)
        code = code_in(lead.post("/me/household/invite").text)
        for _ in range(household.TRIES_MAX):
            other.get("/me/household/join", params={"code": "WRONG"})
        assert "Too many tries" in other.get("/me/household/join", params={"code": code}).text
        assert "invites you" not in other.get("/me/household/join", params={"code": code}).text


def test_an_invitation_is_over_after_seven_days_and_after_one_use(tmp_path: object) -> None:
    now = [1_700_000_000_000]
    with kantis.desk.open(f"{tmp_path}/books.db", clock=lambda: now[0]) as desk:
        desk.publish("club", 0, HOUSE, plain(text.read(HOUSE)))
        desk.submit([Event("till", "1", now[0], "card:1", Enrol())], program="club")
        code = household.invite(desk, 1)
        now[0] += household.INVITED_MS - 1
        assert household.invited(desk.books, code, now[0]) == 1
        assert household.invited(desk.books, "2222-2222-2222", now[0]) == 0
        now[0] += 1
        assert household.take(desk, code) == 0
        code = household.invite(desk, 1)
        assert household.take(desk, code) == 1
        assert household.take(desk, code) == 0


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_a_journey_in_each_language(
    browser: Browser, house: Site, language: str, width: int
) -> None:
    name = f"{language}{width}"
    with house.browser() as lead, house.browser() as other:
        come(house, lead, f"Lead{name}", 40)
        come(house, other, f"Other{name}", 15)
        theme = "dark" if width == WIDTHS[0] else "light"
        session = lead.cookies["member"], other.cookies["member"]
        look = partial(tab, browser, house.address, width, theme, language)
        with look(session[0]) as first, look(session[1]) as second:
            first.page.goto("/me/household")
            assert first.barriers() == []
            first.page.locator("form[action='/me/household/invite'] button").click()
            code = first.page.locator(".figure").inner_text()
            assert first.barriers() == []
            second.page.goto(f"/me/household/join?code={code}")
            assert f"Lead{name}" in second.page.locator("main").inner_text()
            assert second.barriers() == []
            second.page.locator("form[action='/me/household/join'][method=post] button").click()
            second.page.wait_for_url("**joined=1")
            assert second.barriers() == []
            first.page.goto("/me/household")
            assert first.barriers() == []
            assert not first.overflows()
            second.page.goto("/me/household/leave")
            assert second.barriers() == []
            assert not second.overflows()
            second.page.locator("form[action='/me/household/leave'] button").click()
            second.page.wait_for_url("**left=1")
            assert first.complaints == second.complaints == []
        assert (figure(lead), figure(other)) == ("40", "15")


def test_a_program_without_households_has_no_such_page(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with opened(tmp_path_factory.mktemp("none"), CLUB) as site, site.browser() as client:
        site.join(client, "alone@example.org")
        client.post(link(site.letters.to("alone@example.org")))
        assert client.get("/me/household").status_code == 404
        assert "/me/household" not in client.get("/me").text
