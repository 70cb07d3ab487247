"""The audit log on a page: who did what, chosen by person, deed and day, and as a file."""

import csv
import io
import re

import httpx
import pytest

from kantis.doors.web import audit
from tests.doors.web.conftest import Site

PATH = "/c/corner-cafe/audit"


def lines(client: httpx.Client, **asked: str) -> list[str]:
    """What the page says, line by line."""
    text = client.get(PATH, params=asked).text
    rows = text.split("<tbody>")[-1].split("</tbody>")[0] if "<tbody>" in text else ""
    return [re.sub(r"<[^>]+>|\s+", " ", each) for each in rows.split("</tr>")[:-1]]


def filed(client: httpx.Client, **asked: str) -> list[list[str]]:
    answer = client.get(f"{PATH}.csv", params=asked)
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.text)))


def key(client: httpx.Client, name: str, source: str) -> None:
    form = {"name": name, "scope": "till", "source": source}
    assert client.post("/c/corner-cafe/keys", data=form).status_code == 200


def test_deeds_are_found_by_person_kind_and_day(site: Site) -> None:
    with site.client("owner") as owner, site.client("manager") as manager:
        key(owner, "Till <9>", "till-9")
        key(manager, "=cmd()", "till-10")
        all_lines = lines(owner)
        assert "The manager" in all_lines[0]
        assert "name: =cmd()" in all_lines[0]
        assert "name: Till &lt;9&gt;" in all_lines[1]
        mine = lines(owner, who="owner-1")
        assert mine
        assert all("The owner" in each for each in mine)
        keys = lines(owner, deed="key")
        assert keys
        assert all("a key was made" in each for each in keys)
        assert lines(owner, deed="no such deed") == all_lines
        assert lines(owner, to="2020-01-01") == []
        assert lines(owner, **{"from": "2020-01-01"}) == all_lines
        assert "This is no day" in owner.get(PATH, params={"from": "1.2.2026"}).text
        for day in ("0001-01-01", "9999-12-31", "2026-02-30"):
            assert "This is no day" in owner.get(PATH, params={"to": day}).text


def test_the_file_has_the_lines_of_the_page(site: Site) -> None:
    with site.client("auditor") as client:
        for asked in ({}, {"deed": "key"}, {"below": "5"}):
            shown, (head, *rows) = lines(client, **asked), filed(client, **asked)
            assert head == ["number", "at", "who", "name", "program", "deed", "about", "details"]
            assert len(rows) == len(shown) > 0
            for row, line in zip(rows, shown, strict=True):
                assert row[3].removeprefix("'") in line
        cells = {cell for row in filed(client) for cell in row}
        assert not any(each.startswith(("=", "+", "@")) for each in cells)


def test_pages_follow_each_other_without_a_gap(site: Site) -> None:
    with site.client("owner") as client:
        for number in range(audit.PAGE):
            key(client, f"Key {number}", f"many-{number}")
        first = filed(client)[1:]
        assert len(first) == audit.PAGE
        older = re.search(r'href="([^"]*below=\d+)"', client.get(PATH).text)
        assert older is not None
        below = older.group(1).split("below=")[1]
        second = filed(client, below=below)[1:]
        numbers = [int(row[0]) for row in first + second]
        assert numbers == sorted(set(numbers), reverse=True)
        assert int(below) == int(first[-1][0])


def test_whoever_is_for_one_program_sees_its_lines_only(site: Site) -> None:
    with site.client("owner") as owner, site.client("branch") as branch:
        assert "branch" in {row[6] for row in filed(branch, below="30")[1:]}
        assert {row[4] for row in filed(branch)[1:]} == {"corner-cafe"}
        assert {row[4] for row in filed(owner, below="30")[1:]} >= {"", "corner-cafe"}
        assert branch.get("/c/boots-advantage-card/audit").status_code == 404


@pytest.mark.parametrize("role", ["manager", "support", "partner", "cashier"])
def test_others_do_not_see_it(site: Site, role: str) -> None:
    with site.client(role) as client:
        assert client.get(PATH).status_code == 404
        assert client.get(f"{PATH}.csv").status_code == 404
