"""Partners in the console: each sees its own lines, and nothing else."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from starlette.requests import Request

import kantis.desk
from kantis.core.knobs import ProgramError, plain
from kantis.desk import sessions, staff, text
from kantis.desk.audit import By
from kantis.desk.readers import Readers
from kantis.desk.submit import Desk
from kantis.doors.web import partners
from kantis.doors.web.pages import NotHere, Visit
from tests.doors.web.conftest import Site, begin
from tests.doors.web.looking import LOOKS, THEMES, WIDTHS, tab
from tests.house.sources import REPO


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_a_partner_sees_only_its_own_lines(
    browser: Browser, site: Site, language: str, width: int
) -> None:
    session = site.sessions["partner"]
    with tab(browser, site.address, width, language=language, session=session) as looked:
        page = looked.page
        page.goto("/c")
        page.wait_for_url("**/c/coalition/partners/bakery")
        assert "0,12" in page.locator("main").inner_text().replace(".", ",")
        assert "pharmacy" not in page.content()
        assert "45,0" not in page.content().replace(".", ",")
        with page.expect_download() as coming:
            page.locator("main a.button").click()
        lines = coming.value.path().read_text(encoding="utf-8")
        assert [row["name"] for row in csv.DictReader(io.StringIO(lines))] == ["bakery"]
        page.goto("/c/coalition/partners/pharmacy")
        assert "pharmacy" not in page.locator("main").inner_text()
        assert page.locator("main table").count() == 0


@pytest.mark.browser
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_of_a_partner_have_no_barrier(
    browser: Browser, site: Site, theme: str, width: int
) -> None:
    with tab(browser, site.address, width, theme, session=site.sessions["partner"]) as looked:
        looked.page.goto("/c/coalition/partners/bakery?from=2020-01-01&to=2020-01-31")
        assert looked.barriers() == []
        assert not looked.overflows()
        shown = looked.page.locator("header nav a").all_inner_texts()
        assert shown == ["Statements", "My account"]


def test_the_file_of_all_is_of_its_own_for_a_partner(site: Site) -> None:
    with site.client("partner") as own, site.client("auditor") as auditor:
        for path in ("/c/coalition/partners.csv", "/c/coalition/partners/bakery/statement.csv"):
            found = list(csv.DictReader(io.StringIO(own.get(path).text)))
            assert [(row["name"], row["kind"], row["amount"]) for row in found] == [
                ("bakery", "issued", "0.12")
            ]
        everybody = list(csv.DictReader(io.StringIO(auditor.get("/c/coalition/partners.csv").text)))
        assert {row["name"] for row in everybody} == {"bakery", "pharmacy"}


def test_statements_add_up_and_bad_days_are_the_month_that_runs(site: Site) -> None:
    with site.client("owner") as client:
        page = client.get("/c/coalition/partners").text
        assert "€0.12" in page
        assert "€0.45" in page
        assert "bookshop" in page
        for query in ("from=x&to=y", "from=2024-13-01&to=2024-01-01", "from=&to="):
            assert "€0.45" in client.get(f"/c/coalition/partners?{query}").text
        for query in ("from=0001-01-01&to=9999-12-31", "from=9999-12-31&to=0001-01-01"):
            assert client.get(f"/c/coalition/partners?{query}").status_code == 200
        old = client.get("/c/coalition/partners?from=2020-01-01&to=2020-01-31").text
        assert "Nothing was booked in these days." in old


# ── the guard, and its twin ──────────────────────────────────────────────────


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with kantis.desk.open(str(tmp_path / "books.db")) as desk:
        assert isinstance(desk, Desk)
        for name in ("corner-cafe", "boots-advantage-card", "templates/coalition"):
            source = (REPO / "programs" / f"{name}.yaml").read_text(encoding="utf-8")
            tree = plain(text.read(source))
            desk.publish(tree["program"], 0, source, tree)
        yield desk


def seen(desk: Desk, name: str) -> set[str]:
    """The names that the baker's pages show of a partner."""
    token = begin(desk)["partner"]
    query = b""
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": query}
    visit = Visit(Request(scope), None)  # type: ignore[arg-type]
    visit.session = sessions.find(desk.books, token, desk.clock())
    visit.about = {"program": "coalition"}
    with Readers(desk, 1).one() as reader:
        found = partners._figures(reader, visit, name)
    return {each.name for each in (*found.stand, *found.settled.statements)} | set(found.names)


def test_the_names_of_others_are_kept_from_a_partner(desk: Desk) -> None:
    assert seen(desk, "") == {"bakery"}


def test_a_foreign_name_is_not_here(desk: Desk) -> None:
    with pytest.raises(NotHere):
        seen(desk, "pharmacy")


def test_without_the_guard_a_partner_sees_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the tests above would fail if nothing was kept from a partner."""
    monkeypatch.setattr(partners, "sees", lambda staff, name: True)
    assert seen(desk, "pharmacy") == {"bakery", "bookshop", "pharmacy"}


@pytest.mark.parametrize(
    ("program", "partner", "code"),
    [
        ("", "bakery", "partner-of-nothing"),
        ("coalition", "", "unknown-partner"),
        ("coalition", "butcher", "unknown-partner"),
        ("corner-cafe", "bakery", "unknown-partner"),
        ("nothing", "bakery", "partner-of-nothing"),
    ],
)
def test_a_partner_is_one_of_a_program(desk: Desk, program: str, partner: str, code: str) -> None:
    with pytest.raises(ProgramError) as told:
        staff.invite(desk, "x-1", "X", "partner", program, By("test"), partner=partner)
    assert told.value.faults[0].code == code
    staff.invite(desk, "x-1", "X", "partner", "coalition", By("test"), partner="bakery")
    staff.invite(desk, "x-2", "X", "auditor", "coalition", By("test"), partner="bakery")
    assert [each.partner for each in staff.everybody(desk.books)] == ["bakery", ""]
