"""Case files: every verb, every check, and that each check can fail."""

import shutil
from pathlib import Path

import pytest

from kantis.desk.cases import FileResult, run_file

CLUB = Path(__file__).parent / "club"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(CLUB / "club.yaml", tmp_path)
    return tmp_path


def run(folder: Path, text: str) -> FileResult:
    file = folder / "cases.yaml"
    file.write_text(text)
    return run_file(file)


def test_everything_that_a_case_can_say() -> None:
    result = run_file(CLUB / "cases.yaml")
    told = [
        (case.name, f.line, f.what, f.expected, f.got)
        for case in result.cases
        for f in case.failures
    ]
    assert not result.faults
    assert not told
    assert len(result.cases) == 6


WRONG = [
    ("points: 21", "points available", "21 points", "20 points"),
    ("points: {pending: 1}", "points pending", "1 point", "0 points"),
    ("points: {owed: 1}", "points owed", "1 point", "0 points"),
    ("earned: {points: 19}", "points earned", "19 points", "20 points"),
    ("spent: {points: 1}", "points spent", "1 point", "0 points"),
    ("expired: {points: 1}", "points expired", "1 point", "0 points"),
    ("rules: {base: 1}", "rule base", "1 point", "20 points"),
    ("effects: {1: 0.10}", "off line 1", "0.10 EUR", "0.00 EUR"),
    ("off: 0.10", "off in all", "0.10 EUR", "0.00 EUR"),
    ("counters: {spent: 20.01}", "counter spent", "20.01 EUR", "20.00 EUR"),
    ("counters: {nights: 1}", "counter nights", "1 nights", "0 nights"),
    ("tiers: {status: gold}", "status level", "gold", "basic"),
    ("tiers: {status: {until: 2025-12-31}}", "status until", "2025-12-31", "never"),
    ("vouchers: {tea: 1}", "vouchers tea count", "1", "0"),
    ("vouchers: {tea: {until: 2024-04-01}}", "vouchers tea until", "2024-04-01", "no open voucher"),
    ("refused: not-enough", "refused", "not-enough", "no"),
    ("flags: shortage", "flags", "shortage", "none"),
    ("choices: {cause: sea}", "choices cause", "sea", "none"),
    ("facts: {birthday: 1990-05-01}", "facts birthday", "1990-05-01", "none"),
    ("offers: {extra: loaded}", "offer extra", "loaded", "not loaded"),
    (
        "lots: [{balance: points, amount: 20, until: 2025-02-27}]",
        "open lots",
        "20 points until 2025-02-27",
        "20 points until 2025-02-28",
    ),
]


@pytest.mark.parametrize(("then", "what", "expected", "got"), WRONG)
def test_each_check_can_fail(folder: Path, then: str, what: str, expected: str, got: str) -> None:
    result = run(
        folder,
        f"program: club\ncases:\n  - case: x\n    when:\n"
        f"      - {{time: 2024-03-01 09:00, purchase: 20.00}}\n    then: {{{then}}}\n",
    )
    assert not result.faults
    (failure,) = result.cases[0].failures
    assert (failure.line, failure.what, failure.expected, failure.got) == (6, what, expected, got)


def test_a_refusal_that_nobody_expects_is_a_failure(folder: Path) -> None:
    step = "{time: 2024-03-01 09:00, redeem: tea}"
    case = f"  - case: x\n    when: [{step}]\n    then: {{points: 0}}\n"
    result = run(folder, f"program: club\ncases:\n{case}")
    (failure,) = result.cases[0].failures
    assert failure.expected == "no refusal"
    assert failure.got.startswith("not-enough: ")


FAULTY = [
    ("{time: 2024-03-01 09:00, purchse: 1.00}", "unknown-key", "'purchase'"),
    ("{time: 2024-03-01 09:00, sty: {}}", "unknown-key", "'stay'"),
    ("{time: 2024-03-01 09:00, purchase: 1.00, redeem: tea}", "two-verbs", "one thing"),
    ("{time: 2024-03-01 09:00}", "verb-missing", "purchase"),
    ("{purchase: 1.00}", "time-missing", "time"),
    ("{time: 1.3.2024, purchase: 1.00}", "time-expected", "2024-03-01 09:00"),
    ("{time: 2024-02-30 09:00, purchase: 1.00}", "time-expected", "2024-02-30"),
    ("{time: 2024-03-01 09:00, purchase: 1.005}", "too-many-decimals", "EUR has 2"),
    ("{time: 2024-03-01 09:00, purchase: 1.00 USD}", "unknown-unit", "EUR"),
    ("{time: 2024-03-01 09:00, purchase: {lines: [{amout: 1.00}]}}", "unknown-key", "'amount'"),
    ("{time: 2024-03-01 09:00, purchase: [{id: 1}, {id: 1}]}", "duplicate-line", "two lines"),
    (
        "{time: 2024-03-01 09:00, adjust: {balance: pints, amount: 1}}",
        "unknown-balance",
        "'points'",
    ),
    ("{time: 2024-03-01 09:00, purchase: 1.00, then: {pints: 1}}", "unknown-key", "'points'"),
    ("{time: 2024-03-01 09:00, purchase: 1.00, then: {earned: 1}}", "balance-missing", "several"),
    (
        "{time: 2024-03-01 09:00, purchase: 1.00, then: {tiers: {status: gld}}}",
        "unknown-level",
        "'gold'",
    ),
    ("{time: 2024-03-01 09:00, publish: nowhere}", "unknown-program", "nowhere.yaml"),
]


@pytest.mark.parametrize(("step", "code", "says"), FAULTY)
def test_faults_have_a_place_and_a_suggestion(
    folder: Path, step: str, code: str, says: str
) -> None:
    result = run(folder, f"program: club\ncases:\n  - case: x\n    when:\n      - {step}\n")
    assert not result.cases
    fault = result.faults[0]
    assert (fault.code, fault.line) == (code, 5)
    assert fault.column >= 9
    assert says in fault.message


def test_a_program_that_is_missing_or_faulty_is_said(folder: Path) -> None:
    assert run(folder, "program: nowhere\ncases: []\n").faults[0].code == "unknown-program"
    assert run(folder, "program: club\n").faults[0].code == "missing-key"
    assert run(folder, "program: club\ncases: []\ncase: x\n").faults[0].code == "unknown-key"
    (folder / "club.yaml").write_text("program: club\nmoney: EUR\n")
    fault = run(folder, "program: club\ncases: []\n").faults[0]
    assert (fault.code, fault.line) == ("missing-key", 1)
    assert fault.message.startswith("club.yaml:1:1: ")


def test_a_case_can_try_a_pilot(folder: Path) -> None:
    club = (folder / "club.yaml").read_text()
    assert "give: 1 point per 1.00 EUR" in club
    pilot = club.replace("give: 1 point per 1.00 EUR", "give: 3 points per 1.00 EUR")
    (folder / "pilot.yaml").write_text(pilot + "pilot: {locations: [center]}\n")
    result = run(
        folder,
        """\
program: club
cases:
  - case: a pilot
    when:
      - {time: 2024-03-01 09:00, account: anna, purchase: 9.00, then: {earned: {points: 9}}}
      - {time: 2024-03-02 09:00, publish: pilot}
      - {time: 2024-03-03 09:00, account: ben, purchase: 9.00, then: {earned: {points: 9}}}
      - time: 2024-03-03 10:00
        account: anna
        purchase: {lines: [{amount: 9.00}], location: center}
        then: {earned: {points: 27}, facts: {pilot 2: yes}}
      - {time: 2024-03-04 10:00, account: anna, purchase: 9.00, then: {earned: {points: 27}}}
""",
    )
    assert not result.faults
    assert result.passed, result.cases


def test_other_cases_of_a_program_may_stand_beside_its_own(folder: Path) -> None:
    (folder / "cases").mkdir()
    (folder / "cases" / "club.yaml").write_text("program: club\ncases: []\n")
    assert not run(folder / "cases", "program: club\ncases: []\n").faults
