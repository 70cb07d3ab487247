"""Importing in the console: a file is brought, mapped, tried, taken, and gone."""

import csv
import io
import re
import stat
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import kantis.desk
from kantis.desk import imports
from kantis.doors.intake import uploads
from kantis.store import imports as rows
from kantis.store.imports import ImportRow
from tests.doors.web.conftest import Site
from tests.doors.web.looking import THEMES, WIDTHS, tab
from tests.doors.web.test_finding import town

__all__ = ["town"]
Town = tuple[Site, Path]

PURCHASES = """Receipt;When;Member;Total;Group of goods
b-1;24.11.2026 08:10;6408001;4,50;coffee
b-2;24.11.2026 08:20;6408002;3,50;coffee
b-3;24.11.2026 08:30;;9,00;cake
b-4;soon;6408003;1,00;coffee
"""
MEMBERS = """card,joined,first name,last name,email
7001,2026-11-01 10:00,Liis,Saar,liis@example.org
7002,2026-11-02 10:00,Juhan,Kask,nowhere
"""
#: What somebody chooses in the form for PURCHASES.
CHOSEN = {
    "column.id": "Receipt", "column.time": "When", "column.card": "Member",
    "column.amount": "Total", "column.category": "Group of goods", "value.channel": "shop",
    "format": "%d.%m.%Y %H:%M", "decimal": ",", "source": "old-till",
}  # fmt: skip


def bring(site: Site, kind: str, name: str, data: str | bytes, role: str = "manager") -> str:
    """The address of the page of the import."""
    with site.client(role) as client:
        answer = client.post(
            "/c/corner-cafe/imports", data={"kind": kind}, files={"file": (name, data)}
        )
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def go_on(site: Site, at: str, do: str, **form: str) -> str:
    """The page once the job has ended."""
    with site.client("manager") as client:
        answer = client.post(at, data={"do": do, **form})
        assert answer.status_code == 303, answer.text
        for _ in range(400):
            page = client.get(at).text
            if "data-working" not in page:
                return page
            time.sleep(0.05)
    raise AssertionError(page)


def told(page: str) -> dict[str, str]:
    """What the page says that the file adds up to."""
    found = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", page)
    return {re.sub("<.*?>", "", name): value for name, value in found}


def folder(store: Path) -> Path:
    return imports.folder(str(store), "")


def sums(store: Path) -> tuple[int, int]:
    with kantis.desk.open(str(store)) as desk:
        return (
            int(desk.books.one("SELECT count(*) FROM event", ())),
            int(desk.books.one("SELECT count(*) FROM entry", ())),
        )


def test_a_file_is_mapped_tried_taken_and_has_no_second_effect(town: Town) -> None:
    site, store = town
    before = sums(store)
    at = bring(site, "purchases", "week.csv", PURCHASES)
    (kept,) = folder(store).glob("*.csv")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    with site.client("manager") as client:
        page = client.get(at).text
        assert "needs &#39;time&#39;" in page, "no column is called so"
        assert client.post(at, data={"do": "take"}).status_code == 422
        client.post(at, data={"do": "map", **CHOSEN})
        page = client.get(at).text
    assert "<td>2026-11-24 08:10</td>" in page
    assert "<td>4.50 EUR</td>" in page
    assert page.count('<tr class="wrong">') == 1
    assert "When: &#39;soon&#39; is not a time like" in page
    page = go_on(site, at, "check", **CHOSEN)
    assert "Some rows cannot be taken; the others can." in page
    assert told(page)["rows"] == "4"
    assert told(page)["amount"] == "17.00"
    assert sums(store) == before, "nothing is booked"
    with site.client("manager") as client:
        answer = client.get(f"{at}/bad-rows.csv")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [(each["row"], each["code"]) for each in rows] == [("5", "time-expected")]
    page = go_on(site, at, "take")
    assert "The file was taken, without the rows that are bad, and is deleted." in page
    assert told(page)["Accepted"] == "2"
    assert told(page)["Without a member"] == "1"
    assert not kept.exists()
    after = sums(store)
    assert after[0] == before[0] + 3
    again = bring(site, "purchases", "week.csv", PURCHASES)
    assert told(go_on(site, again, "check", **CHOSEN))["Came before"] == "3"
    assert told(go_on(site, again, "take"))["Came before"] == "3"
    assert sums(store) == after
    with kantis.desk.open(str(store)) as desk:
        said = desk.books.rows("SELECT who, about, said FROM audit WHERE deed = 'import'")
    assert [each[:2] for each in said] == [("manager-1", "week.csv")] * 2
    assert '"amount":"17.00"' in said[0][2]


def test_persons_reach_the_vault_and_linger_nowhere(town: Town) -> None:
    site, store = town
    at = bring(site, "members", "people.csv", MEMBERS)
    with site.client("manager") as client:
        page = client.get(at).text
    assert "<td>Liis</td>" in page
    assert "no e-mail address" in page
    page = go_on(site, at, "take")
    assert told(page)["Personal data of members"] == "1"
    assert told(page)["Personal data refused"] == "1"
    with site.client("support") as client:
        answer = client.post("/c/corner-cafe/members", data={"q": "liis@example.org"})
        assert answer.status_code == 303
    left = [each.read_bytes() for each in store.parent.rglob("*") if each.is_file()]
    assert not any(b"Saar" in each or b"nowhere" in each for each in left)


def test_opening_balances_are_taken_with_their_totals_alone(town: Town) -> None:
    site, _ = town
    data = "card,time,balance,points\n8001,2026-11-01,stamps,7\n8002,2026-11-01,stamps,2\n"
    at = bring(site, "opening", "opening.csv", data)
    columns = {"card": "card", "time": "time", "name": "balance", "amount": "points"}
    chosen = {f"column.{x}": y for x, y in columns.items()}
    page = go_on(site, at, "take", **chosen)
    assert "The totals do not match, so nothing is written." in page
    page = go_on(site, at, "take", **chosen, **{"total.stamps": "9"})
    assert "Every row was taken." in page
    assert told(page)["stamps"] == "9"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("week.xlsx", b"PK\x03\x04", "The name ends in none of"),
        ("week.csv", b"PK\x03\x04", "a ZIP archive or a spreadsheet"),
        ("week.csv", b" ", "It is empty."),
        ("../../week.parquet", b"PAR1", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_and_not_kept(
    town: Town, name: str, data: bytes, said: str
) -> None:
    site, store = town
    there = sorted(folder(store).glob("*")) if folder(store).is_dir() else []
    with site.client("owner") as client:
        answer = client.post(
            "/c/corner-cafe/imports", data={"kind": "purchases"}, files={"file": (name, data)}
        )
    assert answer.status_code == 422
    assert said in answer.text
    assert sorted(folder(store).glob("*")) == there


def test_a_file_that_is_too_large_is_refused_with_what_to_do(town: Town) -> None:
    site, _ = town
    with site.client("owner") as client:
        answer = client.post(
            "/c/corner-cafe/imports", data={"kind": "purchases"},
            files={"file": ("big.csv", b"a,b\n" * (uploads.BYTES_MAX // 4 + 1))}, timeout=60,
        )  # fmt: skip
        assert answer.status_code == 413
        assert "larger than 100 MB" in answer.text
        answer = client.post("/c/corner-cafe/imports", data={"kind": "purchases"})
        assert answer.status_code == 422


def test_what_is_left_behind_is_thrown_away_after_a_day(tmp_path: Path) -> None:
    store = tmp_path / "books.db"
    with kantis.desk.open(str(store)) as desk:
        place = imports.folder(str(store), "")
        place.mkdir(parents=True)
        now = desk.clock()
        for name in ("left.csv", "left.bad.csv", "nobody.csv"):
            (place / name).write_text("card\n", encoding="utf-8")
        about = 1, "left.csv", "left.csv", "{}", ["test", ""]
        number = desk.chore("bring_import", *about)
        for other in range(imports.OPEN_MAX - 1):
            desk.chore("bring_import", 1, f"{other}.csv", "x", "{}", ["test", ""])
        assert desk.chore("bring_import", 1, "more.csv", "x", "{}", ["test", ""]) == 0
        assert imports.sweep_files(desk.books, place, now) == 0
        assert imports.sweep_files(desk.books, place, now + imports.KEPT_MS) == 1
        assert sorted(each.name for each in place.iterdir()) == ["left.bad.csv", "left.csv"]
        assert desk.chore("drop_import", number)
        assert not desk.chore("drop_import", number)
        assert imports.sweep_files(desk.books, place, now + imports.BAD_KEPT_MS * 2) == 2


def test_nobody_goes_on_with_an_import_that_is_worked_on(tmp_path: Path) -> None:
    with kantis.desk.open(str(tmp_path / "books.db")) as desk:
        number = desk.chore("bring_import", 1, "a.csv", "a", "{}", ["test", ""])
        assert desk.chore("start_import", number, 3)
        for name, about in (
            ("start_import", (1,)), ("map_import", ("{}",)), ("drop_import", ()),
        ):  # fmt: skip
            assert not desk.chore(name, number, *about)
        row: ImportRow | None = rows.one(desk.books, number)
        assert row is not None
        assert row.state == rows.TAKING


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_a_file_is_taken_in_a_browser(
    browser: Browser, town: Town, tmp_path: Path, width: int, theme: str
) -> None:
    site, _ = town
    path = tmp_path / f"week-{width}-{theme}.csv"
    path.write_text(PURCHASES, encoding="utf-8")
    badge = site.sessions["manager"]
    with tab(browser, site.address, width, theme, session=badge) as looked:
        page = looked.page
        page.goto("/c/corner-cafe/imports")
        page.get_by_label("What is in it").select_option("purchases")
        page.get_by_label("File").set_input_files(path)
        page.get_by_role("button", name="Look at it").click()
        page.get_by_role("alert").wait_for()
        assert looked.barriers() == []
        for field, column in (("id", "Receipt"), ("time", "When"), ("card", "Member")):
            page.locator(f'[name="column.{field}"]').select_option(column)
        page.get_by_label("Times and days").fill("%d.%m.%Y %H:%M")
        page.get_by_label("Decimal sign").select_option(",")
        page.get_by_role("button", name="Show it so").click()
        page.get_by_role("cell", name="4.50 EUR").wait_for()
        assert looked.barriers() == []
        assert not looked.overflows()
        page.get_by_role("button", name="Dry run over the whole file").click()
        page.get_by_role("link", name="Bad rows with their reasons, as a file").wait_for()
        assert looked.barriers() == []
        page.get_by_role("button", name="Take the file").click()
        page.get_by_text("The file was taken, without the rows that are bad").wait_for()
        assert looked.barriers() == []
        assert not looked.overflows()
        assert looked.complaints == []
