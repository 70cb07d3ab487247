"""``kantis new`` and ``kantis fit``, as a shop owner runs them."""

from pathlib import Path

import pytest

from tests.doors.command import Kantis


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sales(path: Path, customers: int, visits: int) -> Path:
    rows = ["Order,Date,Customer,Product,Qty,Total"]
    for number in range(customers * visits):
        day, customer = number % 360, number % customers
        month, of_month = day // 30 + 1, day % 28 + 1
        rows.append(f"{number},2025-{month:02}-{of_month:02} 10:00,{customer},latte,1,25.00")
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_program_is_written_once_and_is_fine(kantis: Kantis, tmp_path: Path) -> None:
    made = kantis("new", "points", "--name", "quan-pho", "--money", "VND")
    assert made.status == 0
    assert "quan-pho.yaml is written" in made.out
    assert kantis("check", "quan-pho.yaml").status == 0
    again = kantis("new", "points", "--name", "quan-pho")
    assert again.status == 3
    assert "[file-exists]" in again.err
    assert "VND" in (tmp_path / "quan-pho.yaml").read_text()


def test_templates_are_listed_with_a_line_each(kantis: Kantis, tmp_path: Path) -> None:
    said = kantis("new", "--json")
    assert {"stamp-card", "points", "tiers", "cash-back"} <= {
        each["template"] for each in said.json
    }
    assert "A stamp for each visit" in kantis("new").out


@pytest.mark.parametrize(
    ("arguments", "status", "code", "hint"),
    [
        (["new", "pointz"], 2, "unknown-template", "Did you mean 'points'?"),
        (["new", "points", "--money", "EURO"], 2, "unknown-money", "ISO 4217"),
        (["new", "points", "--timezone", "Mars/Base"], 2, "unknown-time-zone", "--timezone: "),
        (["new", "points", "--name", "My Shop"], 2, "name-expected", "--name: 'My Shop' is no"),
        (["fit", "nothing.csv"], 3, "no-file", ""),
    ],
)
def test_what_is_wrong_is_told(
    kantis: Kantis, tmp_path: Path, arguments: list[str], status: int, code: str, hint: str
) -> None:
    said = kantis(*arguments)
    assert said.status == status
    assert f"[{code}]" in said.err
    assert hint in said.err
    assert not list(tmp_path.iterdir())


def test_visits_decide_whether_a_program_has_a_use(kantis: Kantis, tmp_path: Path) -> None:
    often = kantis("fit", str(sales(tmp_path / "often.csv", 20, 12)))
    assert often.status == 0
    assert "a loyalty program has something to reward" in often.out
    assert "Begin with: kantis new" in often.out
    rare = kantis("fit", str(sales(tmp_path / "rare.csv", 200, 2)))
    assert "lies too far away" in rare.out
    assert "Begin with" not in rare.out


def test_the_figures_can_be_read_by_a_script(kantis: Kantis, tmp_path: Path) -> None:
    path = sales(tmp_path / "often.csv", 20, 12)
    (tmp_path / "own.yaml").write_text(
        "program: own\nmoney: EUR\ntimezone: Europe/Helsinki\nbalances: {points: {}}\n"
        "earning: {all: {give: 1 point}}\nrewards: {tea: {cost: 5 points, gives: 2.00 EUR off}}\n"
    )
    said = kantis("fit", path, "--program", "own.yaml", "--json").json
    own = next(each for each in said["programs"] if each["program"] == "own")
    assert own["members"] == own["reached"] == 20
    assert own["cost"] == 20 * 2 * 200  # two teas each, the points of the last visits are open
    assert said["past"]["customers"] == 20


def test_bad_rows_are_written_down(kantis: Kantis, tmp_path: Path) -> None:
    path = sales(tmp_path / "often.csv", 20, 12)
    path.write_text(path.read_text() + "9999,yesterday,1,latte,1,2.00\n")
    said = kantis("fit", str(path))
    assert "1 row could not be read" in said.out
    assert "yesterday" in (tmp_path / "often.csv.bad.csv").read_text()
