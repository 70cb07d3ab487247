"""check, format, schema, try: what they print, what they change, how they leave."""

from pathlib import Path

import pytest

from tests.doors.command import Kantis
from tests.doors.conftest import CAFE, ROOT

PROGRAMS = ROOT / "programs"

CASES = """\
program: corner-cafe
cases:
  - case: a full card is a free drink
    given: {stamps: 8}
    when:
      - time: 2024-03-01 09:00
        purchase: {category: coffee, quantity: 2, amount: 7.00}
        then: {earned: 2, stamps: 10}
      - {time: 2024-03-01 09:05, redeem: free-drink}
    then: {stamps: 0, vouchers: {free-drink: {count: 1, worth: 3.50, until: 2024-08-31}}}
"""


def test_the_programs_of_the_house_are_fine(kantis: Kantis) -> None:
    said = kantis("check", *sorted(PROGRAMS.glob("*.yaml")))
    assert said.status == 0, said.out


def test_check_tells_where_splitting_a_purchase_earns_more(kantis: Kantis) -> None:
    grocer = PROGRAMS / "grocer.yaml"
    said = kantis("check", grocer)
    assert "big-basket: it gives the same for each purchase, however small" in said.out
    assert "big-basket" in kantis("check", grocer, "--json").json["splitting"][str(grocer)]
    assert "plitting" not in kantis("check", PROGRAMS / "corner-cafe.yaml").out


def test_check_tells_each_fault_with_its_place(kantis: Kantis, cafe: Path) -> None:
    cafe.write_text(CAFE.replace("expires:", "expire:").replace("per item}", "per itm}", 1))
    said = kantis("check", cafe)
    assert said.status == 1
    assert f"{cafe}:6:12: There is no 'expire' here. Did you mean 'expires'?" in said.out
    assert "  6 |   stamps: {expire: 12 months after earning}" in said.out
    faults = kantis("check", cafe, "--json").json["faults"]
    assert faults[0]["code"] == "unknown-key"
    assert all(fault["line"] for fault in faults)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"\x89PNG\r\n", "not-text"),
        (b"program: x\nprogram: y\n", "duplicate-key"),
        (b"program: [x\n", "not-yaml"),
        (b"\xff\xfea\x00", "not-text"),
        (b"money: EUR\n", "missing-key"),
    ],
)
def test_bad_files_are_told_not_thrown(
    kantis: Kantis, cafe: Path, content: bytes, code: str
) -> None:
    cafe.write_bytes(content)
    said = kantis("check", cafe)
    assert said.status == 1
    assert f"[{code}]" in said.out


def test_a_missing_file_is_said_in_one_paragraph(kantis: Kantis, cafe: Path) -> None:
    for command in ("check", "format", "try", "publish", "import"):
        more = ("--kind", "members") if command == "import" else ()
        said = kantis(command, "nowhere.yaml", *more)
        assert said.status == 3
        assert "nowhere.yaml: " in said.err
    assert kantis("check").status == 2


def test_format_changes_a_file_once(kantis: Kantis, cafe: Path) -> None:
    assert kantis("format", cafe).out == "Nothing to change.\n"
    cafe.write_text(
        CAFE.replace("money: EUR\n", "").replace(": {", ":   {") + "money: EUR  # euro\n"
    )
    assert kantis("format", "--check", cafe).status == 1
    assert kantis("format", cafe).status == 0
    assert cafe.read_text() == CAFE.replace("money: EUR\n", "money: EUR  # euro\n")
    assert kantis("format", "--check", cafe, "--json").json == {"changed": [], "faults": []}


def test_format_leaves_a_file_with_faults_alone(kantis: Kantis, cafe: Path) -> None:
    cafe.write_text("a: [1\n")
    assert kantis("format", cafe).status == 1
    assert cafe.read_text() == "a: [1\n"


def test_schema_knows_the_sections(kantis: Kantis) -> None:
    tree = kantis("schema").json
    assert tree["$schema"].endswith("2020-12/schema")
    assert {"balances", "earning", "tiers", "rewards"} <= set(tree["properties"])
    assert tree["$defs"]["balances"]["properties"]["expires"]["description"]


def test_cases_pass_or_show_the_difference(kantis: Kantis, cafe: Path) -> None:
    file = cafe.with_name("cases.yaml")
    file.write_text(CASES)
    assert kantis("try", file).out == "1 case in 1 file, 0 failed.\n"
    file.write_text(CASES.replace("stamps: 10", "stamps: 11"))
    said = kantis("try", cafe.parent)
    assert said.status == 1
    lines = [line.strip() for line in said.out.splitlines()]
    assert lines[1:5] == [
        "line 8: stamps available",
        "expected  11 stamps",
        "got       10 stamps",
        "what led there",
    ]
    assert "2024-03-01 09:00  purchase step-1: coffee +2 stamps" in lines
    found = kantis("try", file, "--json").json
    assert (found["cases"], found["failed"]) == (1, 1)
    assert found["results"][0]["cases"][0]["failures"][0]["got"] == "10 stamps"


def test_programs_tells_what_each_file_models(kantis: Kantis, tmp_path: Path) -> None:
    lines = kantis("programs").out.splitlines()
    assert len(lines) == len(list(PROGRAMS.glob("*.yaml")))
    assert lines[0].startswith("aeroplan ")
    found = {each["program"]: each for each in kantis("programs", "--json").json}
    assert found["corner-cafe"]["title"] == "Corner Café Club"
    assert all(each["title"] and each["about"] for each in found.values())
    (tmp_path / "torn.yaml").write_text("program: {")
    assert "torn  cannot be read" in kantis("programs", tmp_path).out
    assert "[no-file]" in kantis("programs", tmp_path / "nowhere").err
