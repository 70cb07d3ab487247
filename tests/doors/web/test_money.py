"""Budgets and costs on their pages: set, seen, ended, and what is refused."""

import csv
import re
import time

import pytest
from playwright.sync_api import Browser

from tests.doors.web.conftest import Site
from tests.doors.web.looking import THEMES, tab

FORM = {"of": "voucher free-drink", "counts": "money", "amount": "12,50", "per": "month"}


def test_a_budget_is_set_seen_and_ended(site: Site) -> None:
    with site.client("manager") as client:
        made = client.post("/c/corner-cafe/budgets", data=FORM | {"alarm": "70"})
        assert made.status_code == 303
        page = client.get("/c/corner-cafe/budgets").text
        assert "€12.50" in page
        assert "Alarm at 70%." in page
        assert "On course" in page
    with site.client("auditor") as client:
        page = client.get("/c/corner-cafe/budgets").text
        assert "€12.50" in page
        assert 'action="/c/corner-cafe/budgets' not in page, "who looks on sets none"
    with site.client("owner") as client:
        assert client.post("/c/corner-cafe/budgets/1/end").status_code == 303
        assert "€12.50" not in client.get("/c/corner-cafe/budgets").text
        assert client.post("/c/corner-cafe/budgets/1/end").status_code == 404


@pytest.mark.browser
@pytest.mark.parametrize("theme", THEMES)
def test_two_budgets_of_one_thing_are_told_apart(browser: Browser, site: Site, theme: str) -> None:
    with site.client("owner") as client:
        for per in ("month", "year"):
            made = FORM | {"of": "", "per": per, "alarm": "70"}
            assert client.post("/c/corner-cafe/budgets", data=made).status_code == 303
    with tab(browser, site.address, theme=theme, session=site.sessions["owner"]) as looked:
        looked.page.goto("/c/corner-cafe/budgets")
        assert looked.page.get_by_role("button", name="End The whole program per year").count() >= 1
        assert looked.barriers() == []
        assert not looked.overflows()
    with site.client("owner") as client:
        page = client.get("/c/corner-cafe/budgets").text
        for number in set(re.findall(r"/budgets/(\d+)/end", page)):
            client.post(f"/c/corner-cafe/budgets/{number}/end")


def test_what_is_no_budget_comes_back_with_what_was_typed(site: Site) -> None:
    with site.client("owner") as client:
        wrong = FORM | {"amount": "much", "alarm": "170"}
        answer = client.post("/c/corner-cafe/budgets", data=wrong)
        assert answer.status_code == 422
        assert "Write an amount such as 500.00" in answer.text
        assert "The alarm is between 1 and 100 percent." in answer.text
        assert 'value="much"' in answer.text


def test_what_is_on_the_page_of_rewards_is_a_file_too(site: Site) -> None:
    with site.client("auditor") as client:
        assert 'href="/c/corner-cafe/rewards.csv"' in client.get("/c/corner-cafe/rewards").text
        head, *rows = csv.reader(client.get("/c/corner-cafe/rewards.csv").text.splitlines())
        assert head[:4] == ["what", "name", "title", "for whom"]
        assert [row[:2] for row in rows] == [["reward", "free-drink"], ["voucher", "free-drink"]]


def test_costs_are_shown_to_those_inside(site: Site) -> None:
    with site.client("auditor") as client:
        page = client.get("/c/corner-cafe/rewards").text
        assert "10 stamps" in page
        assert "Counted when the voucher is used" in page


def test_a_segment_is_written_filled_listed_and_taken_out(site: Site) -> None:
    where = "/c/corner-cafe/segments"
    with site.client("manager") as client:
        wrong = {"name": "buyers", "rules": "purchases: many"}
        answer = client.post(where, data=wrong)
        assert answer.status_code == 422
        assert "at least 3 times" in answer.text
        assert "purchases: many" in answer.text
        assert client.post(where, data={"name": "Bad Name", "rules": ""}).status_code == 422
        rules = {"name": "buyers", "rules": "purchases: at least 1 time ever"}
        assert client.post(where, data=rules).status_code == 303
        until = time.monotonic() + 30
        while "being found" in client.get(where).text:
            assert time.monotonic() < until, "nobody has refreshed it"
            time.sleep(0.2)
        assert "1 member" in client.get(f"{where}/buyers").text
        assert client.post(f"{where}/buyers/refresh").status_code == 303
    with site.client("auditor") as client:
        taken = client.get(f"{where}/buyers.csv")
        assert taken.text.split() == ["account", "1"]
        assert "buyers" in taken.headers["content-disposition"]
        assert client.post(f"{where}/buyers/end").status_code == 404
    with site.client("owner") as client:
        assert client.post(f"{where}/buyers/end").status_code == 303
        assert client.post(f"{where}/buyers/end").status_code == 404


def test_a_share_that_is_held_back_is_said(site: Site) -> None:
    where = "/c/corner-cafe/segments"
    with site.client("manager") as client:
        wrong = client.post(where, data={"name": "all", "rules": "hold back: 60 %"})
        assert wrong.status_code == 422
        assert "at most 50 %" in wrong.text
        assert client.post(where, data={"name": "all", "rules": "hold back: 2.5 %"}).is_redirect
        assert "2.5% of them are held back by lot since" in client.get(where).text
