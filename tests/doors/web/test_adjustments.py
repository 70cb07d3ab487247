"""Adjustments in the console: one proposes, another answers, and points move once."""

import csv
import io
import re

import httpx
import pytest
from playwright.sync_api import Browser

from kantis.desk import adjusting
from tests.doors.web.conftest import Site
from tests.doors.web.looking import tab

PATH = "/c/coalition/adjustments"
NUMBER = re.compile(r'action="/c/coalition/adjustments/(\d+)"')


def form(amount: str = "3", id: str = "", **more: str) -> dict[str, str]:
    given = {"member": "77", "balance": "points", "amount": amount, "reason": "A late cake"}
    return given | ({"id": id} if id else {}) | more


def stamps(site: Site) -> int:
    with site.client("auditor") as client:
        page = client.get("/c/coalition/members/2").text
    found = re.search(r'<p class="figure">([\d,.]+)</p>', page)
    assert found is not None
    return int(found[1])


def waiting(client: httpx.Client) -> list[str]:
    """The numbers of those that whoever asks can answer."""
    return NUMBER.findall(client.get(PATH).text)


def settle(site: Site, limit: str) -> None:
    with site.client("owner") as client:
        assert client.post(f"{PATH}/limit", data={"limit": limit}).status_code == 303


@pytest.mark.browser
def test_support_proposes_and_a_manager_approves(browser: Browser, site: Site) -> None:
    before = stamps(site)
    with tab(browser, site.address, session=site.sessions["support"]) as looked:
        page = looked.page
        page.goto("/c/coalition/members/2")
        page.get_by_text("Give or take by hand").first.click()
        page.get_by_label("How much").fill("4")
        page.get_by_label("Reason").fill("The cake was for yesterday.")
        page.get_by_role("button", name="Give or take").click()
        page.wait_for_url("**/adjustments?about=*")
        assert "It waits for a second person." in page.get_by_role("status").inner_text()
        assert page.get_by_role("button", name="Approve").count() == 0
        assert looked.barriers() == []
    assert stamps(site) == before
    with tab(browser, site.address, 1280, session=site.sessions["manager"]) as looked:
        page = looked.page
        page.goto(PATH)
        assert looked.barriers() == []
        page.get_by_label("Note on it").first.fill("Saw the receipt.")
        page.get_by_role("button", name="Approve").first.click()
        page.wait_for_url("**/adjustments?about=*")
        assert "It is done." in page.get_by_role("status").inner_text()
        done = page.locator("section", has_text="The cake was for yesterday.")
        assert "Saw the receipt." in done.inner_text()
        assert looked.complaints == []
    assert stamps(site) == before + 4


def test_nobody_answers_what_they_proposed(site: Site) -> None:
    settle(site, "0")
    before = stamps(site)
    with site.client("manager") as client, site.client("owner") as other:
        assert client.post(PATH, data=form(id="own")).status_code == 303
        assert waiting(client) == []
        (number,) = waiting(other)
        refused = client.post(f"{PATH}/{number}", data={"do": "approve"})
        assert refused.status_code == 409
        assert "Somebody else answers it" in refused.text
        assert stamps(site) == before
        assert other.post(f"{PATH}/{number}", data={"do": "decline"}).status_code == 303
        again = other.post(f"{PATH}/{number}", data={"do": "approve"})
        assert (again.status_code, "answered this already" in again.text) == (409, True)
        assert stamps(site) == before
    settle(site, "")


def test_a_key_of_the_same_name_is_the_same_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the twin: without the guard everybody is somebody else."""
    assert adjusting.same_person("anna", f"{adjusting.CONSOLE}anna")
    monkeypatch.setattr(adjusting, "CONSOLE", "")
    assert not adjusting.same_person("anna", "console:anna")


def test_what_waits_stands_on_the_first_page_and_in_a_file(site: Site) -> None:
    settle(site, "0")
    with site.client("support") as client:
        assert client.post(PATH, data=form("2", reason="Spilt tea")).status_code == 303
        assert "adjustment waits" not in client.get("/c/coalition").text
    with site.client("manager") as client:
        mine = len(waiting(client))
        said = "1 adjustment waits" if mine == 1 else f"{mine} adjustments wait"
        assert f"{said} for your answer." in client.get("/c/coalition").text
        file = client.get(f"{PATH}.csv")
        assert file.headers["content-type"].startswith("text/csv")
        newest = next(csv.DictReader(io.StringIO(file.text)))
        assert (newest["amount"], newest["reason"], newest["state"]) == ("2", "Spilt tea", "waits")
        for number in waiting(client):
            assert client.post(f"{PATH}/{number}", data={"do": "decline"}).status_code == 303
        assert "for your answer" not in client.get("/c/coalition").text
    settle(site, "")


def test_the_limit_is_what_one_person_does_alone(site: Site) -> None:
    settle(site, "5")
    before = stamps(site)
    with site.client("support") as client, site.client("owner") as owner:
        assert client.post(PATH, data=form("5", "within")).status_code == 303
        assert stamps(site) == before + 5
        assert client.post(PATH, data=form("6", "above")).status_code == 303
        assert client.post(PATH, data=form("-6", "below")).status_code == 303
        assert stamps(site) == before + 5
        for number in waiting(owner):
            owner.post(f"{PATH}/{number}", data={"do": "decline"})
    settle(site, "")


def test_the_same_form_is_one_adjustment(site: Site) -> None:
    before = stamps(site)
    with site.client("owner") as client:
        for _ in range(3):
            assert client.post(PATH, data=form("2", "twice")).status_code == 303
        other = client.post(PATH, data=form("3", "twice"))
        assert (other.status_code, "used for something else" in other.text) == (409, True)
    assert stamps(site) == before + 2


def test_what_happens_at_once_takes_a_sign_in_of_just_now(site: Site) -> None:
    before = stamps(site)
    with site.client("late") as client:
        for path, data in (
            (PATH, form()),
            (f"{PATH}/1", {"do": "approve"}),
            (f"{PATH}/limit", {"limit": "9"}),
        ):
            answer = client.post(path, data=data)
            assert answer.headers["location"].startswith("/account/prove?next=")
    assert stamps(site) == before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"member": "nobody"}, "Nobody has this card"),
        ({"balance": "gold"}, "no amount of this balance"),
        ({"amount": "1.5"}, "no amount of this balance"),
        ({"amount": "0"}, "no amount of this balance"),
        ({"amount": "9" * 30}, "no amount of this balance"),
        ({"reason": "  "}, "Say why"),
        ({"member": "1"}, "Nobody has this card"),  # an account of another program
    ],
)
def test_a_form_says_what_is_wrong_and_keeps_what_was_typed(
    site: Site, wrong: dict[str, str], said: str
) -> None:
    with site.client("owner") as client:
        answer = client.post(PATH, data=form() | wrong)
        assert answer.status_code == 422
        assert said in answer.text
        assert 'value="A late cake"' in answer.text or "reason" in wrong
        assert client.post(f"{PATH}/limit", data={"limit": "-1"}).status_code == 422


def test_what_the_program_refuses_is_told_and_nothing_waits(site: Site) -> None:
    with site.client("support") as client, site.client("owner") as owner:
        answer = client.post(PATH, data=form("-900"), headers={"accept-language": "fi"})
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
        assert waiting(owner) == []


def test_the_audit_log_has_who_proposed_and_who_answered(site: Site) -> None:
    with site.client("support") as client, site.client("owner") as owner:
        client.post(PATH, data=form("1", "log"))
        (number,) = waiting(owner)
        owner.post(f"{PATH}/{number}", data={"do": "approve"})
        page = owner.get(PATH).text
    assert "support-1" in page
    assert "Answered by owner-1" in page
