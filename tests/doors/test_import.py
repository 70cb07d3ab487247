"""import: what is taken, what is not and why, and that nothing is taken twice."""

import csv
import json
import os
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kantis import desk as desks
from kantis.core.account import decode_account
from kantis.doors.cli.output import Trouble
from tests.doors.command import Kantis

MEMBERS = "card,joined,birthday\n4711,2024-01-01,1990-05-01\n4712,2024-01-02,\n"
HEAD = "basket,time,card,product,category,quantity,amount,tags\n"
ROWS = [
    "b1,2024-03-01 09:00,4711,latte,coffee,2,7.00,own-cup\n",
    "b1,2024-03-01 09:00,4711,bun,cake,1,2.50,\n",
    "b2,2024-03-02 09:00,4712,latte,coffee,1,3.50,\n",
    "b3,2024-03-03 09:00,4711,latte,coffee,1,3.50,\n",
]


@pytest.fixture(params=["sqlite", "postgres"])
def shop(
    kantis: Kantis, cafe: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with books in which the café's program is published and two members are.

    The books are a file in the folder, or a PostgreSQL database; commands know which.
    """
    if request.param == "postgres":
        monkeypatch.setenv("KANTIS_STORE", request.getfixturevalue("pg_url"))
    assert kantis("publish", cafe).status == 0
    (cafe.parent / "members.csv").write_text(MEMBERS)
    mapping = cafe.parent / "members.yaml"
    mapping.write_text("kind: members\nfacts: {birthday: birthday}\n")
    assert kantis("import", "members.csv", "--mapping", mapping).status == 0
    return cafe.parent


def stamps(card: str, store: str = "") -> int:
    return purse(card, store).get("stamps", [0])[0]


def purse(card: str, store: str = "") -> dict[str, list[int]]:
    return account(card, store).purse


def here() -> str:
    """The books that commands use which name no others."""
    return os.environ.get("KANTIS_STORE", "kantis.db")


def account(card: str, store: str = "") -> Any:
    with desks.open(store or here()) as desk:
        number = desk.books.cards([(1, card)])[1, card]
        row = desk.books.account(number)
        assert row is not None
        return decode_account(row.snapshot)


def test_purchases_are_taken_once(kantis: Kantis, shop: Path) -> None:
    (shop / "p.csv").write_text(HEAD + "".join(ROWS))
    said = kantis("import", "p.csv", "--kind", "purchases", "--json").json
    assert (said["rows"], said["events"], said["accepted"], said["again"]) == (4, 3, 3, 0)
    assert said["totals"] == {"rows": "4", "cards": "2", "amount": "16.50"}
    assert (stamps("4711"), stamps("4712")) == (5, 1)
    again = kantis("import", "p.csv", "--kind", "purchases", "--json").json
    assert (again["accepted"], again["again"]) == (3, 3)
    assert (stamps("4711"), stamps("4712")) == (5, 1)
    assert account("4711").facts["birthday"][0][1] == "1990-05-01"
    assert kantis("verify").status == 0


def test_rows_in_any_order_give_the_same_books(kantis: Kantis, shop: Path) -> None:
    (shop / "p.csv").write_text(HEAD + "".join(ROWS))
    kantis("import", "p.csv", "--kind", "purchases")
    shuffled = ROWS[:2] + ROWS[2:][::-1]
    (shop / "q.csv").write_text(HEAD + shuffled[3] + shuffled[0] + shuffled[2] + shuffled[1])
    said = kantis("import", "q.csv", "--kind", "purchases", "--json").json
    assert (said["again"], said["refused"]) == (3, 0)


def test_a_file_without_ids_can_be_shuffled_and_is_taken_once(kantis: Kantis, shop: Path) -> None:
    rows = [row.split(",", 1)[1] for row in [*ROWS, ROWS[3]]]
    head = HEAD.split(",", 1)[1]
    for number in range(3):
        random.Random(number).shuffle(rows)
        (shop / "p.csv").write_text(head + "".join(rows))
        said = kantis("import", "p.csv", "--kind", "purchases", "--json").json
        assert (said["accepted"], said["again"]) == (5, 5 if number else 0)
        assert (stamps("4711"), stamps("4712")) == (6, 1)


def test_bad_rows_are_told_with_number_column_and_reason(kantis: Kantis, shop: Path) -> None:
    bad = [
        "b4,2024-03-04 09:00,4711,latte,coffee,1,-3.50,\n",
        "b5,2024-13-04 09:00,4711,latte,coffee,1,3.50,\n",
        "b6,2024-03-04 09:00,4711,latte,coffee,1,3.505,\n",
        "b7,2024-03-04 09:00,4711,latte,coffee,one,3.50,\n",
        ",2024-03-04 09:00,4711,latte,coffee,1,3.50,\n",
        "b8,2024-03-04 09:00,4711,latte\n",
        "b9,2024-03-04 09:00,4711,latte,coffee,1,,\n",
        "b1,2024-03-01 09:00,4712,latte,coffee,1,3.50,\n",
        "b10,2124-03-04 09:00,4711,latte,coffee,1,3.50,\n",
    ]
    (shop / "p.csv").write_text(HEAD + "".join(ROWS + bad))
    said = kantis("import", "p.csv", "--kind", "purchases")
    assert said.status == 1
    assert "9 bad rows of 13." in said.out
    with (shop / "p.csv.bad.csv").open() as file:
        told = [(row["row"], row["column"], row["code"]) for row in csv.DictReader(file)]
    assert told == [
        ("6", "amount", "negative-amount"),
        ("7", "time", "time-expected"),
        ("8", "amount", "too-many-decimals"),
        ("9", "quantity", "number-expected"),
        ("10", "basket", "id-missing"),
        ("11", "", "unreadable-row"),
        ("12", "amount", "value-missing"),
        ("13", "", "rows-differ"),
        ("14", "time", "time-out-of-range"),
    ]
    # A basket of which one row is bad is not taken at all.
    assert (stamps("4711"), stamps("4712")) == (1, 1)


def test_unknown_cards_wait_and_are_taken_when_the_member_comes(kantis: Kantis, shop: Path) -> None:
    (shop / "p.csv").write_text(HEAD + ROWS[0].replace("4711", "4799"))
    said = kantis("import", "p.csv", "--kind", "purchases", "--json").json
    assert (said["waiting"], said["accepted"]) == (1, 0)
    (shop / "m.csv").write_text("card,joined\n4799,2024-02-01\n")
    kantis("import", "m.csv", "--kind", "members")
    assert stamps("4799") == 4


def test_ndjson_with_nested_lines_and_parquet_say_the_same(kantis: Kantis, shop: Path) -> None:
    baskets = [
        {
            "id": "b1",
            "time": "2024-03-01T09:00:00+02:00",
            "card": 4711,
            "lines": [
                {"product": "latte", "category": "coffee", "quantity": 2, "amount": 7.00},
                {"product": "bun", "category": "cake", "amount": 2.5},
            ],
        }
    ]
    text = "\n".join(map(json.dumps, baskets)) + "\n[1]\nnot json\n"
    (shop / "p.ndjson").write_text(text)
    said = kantis("import", "p.ndjson", "--kind", "purchases", "--json").json
    assert (said["rows"], said["bad_rows"], said["accepted"]) == (4, 2, 1)
    assert said["totals"]["amount"] == "9.50"
    duckdb.connect().execute(
        "COPY (SELECT 'b2' AS id, TIMESTAMP '2024-03-02 09:00:00' AS time, 4711 AS card,"
        " 'coffee' AS category, 1 AS quantity, 3.5::DOUBLE AS amount) TO 'p.parquet'"
    )
    assert kantis("import", "p.parquet", "--kind", "purchases").status == 0
    assert stamps("4711") == 3


def test_refunds_find_their_purchase(kantis: Kantis, shop: Path) -> None:
    (shop / "p.csv").write_text(HEAD + "".join(ROWS))
    kantis("import", "p.csv", "--kind", "purchases")
    (shop / "r.csv").write_text(
        "refund id,time,of,line,quantity\n"
        "r1,2024-03-05 09:00,b1,1,1\n"
        "r2,2024-03-05 10:00,b3,,\n"
        "r3,2024-03-05 11:00,b3,,\n"
    )
    said = kantis("import", "r.csv", "--kind", "refunds", "--json")
    assert said.status == 1
    assert (said.json["accepted"], said.json["refused"]) == (2, 1)
    assert "refunded-already" in (shop / "r.csv.bad.csv").read_text()
    assert stamps("4711") == 2
    assert kantis("import", "r.csv", "--kind", "refunds", "--json").json["again"] == 3
    assert stamps("4711") == 2


OPENING = (
    "card,record,name,amount,level,code,worth,since,until\n"
    "9001,lot,stamps,6,,,,2023-10-01,2024-09-30\n"
    "9001,lot,stamps,3,,,,2024-01-15,\n"
    "9001,tier,status,,friend,,,2023-06-01,2024-12-31\n"
    "9001,counter,spent,41.50,,,,2024-01-20,\n"
    "9002,voucher,free-drink,,,OLD-77,3.50,,2024-06-30\n"
    "9002,,stamps,1,,,,,\n"
    "9002,fact,birthday,,1980-02-29,,,,\n"
)
OPENING_MAPPING = """\
kind: opening
source: old-product
columns: {time: {value: 2024-02-01}}
totals: {stamps: 10, vouchers: 1, worth: 3.50, cards: 2}
"""


def test_opening_balances_come_whole_or_not_at_all(kantis: Kantis, shop: Path) -> None:
    (shop / "open.csv").write_text(OPENING)
    mapping = shop / "opening.yaml"
    mapping.write_text(OPENING_MAPPING.replace("stamps: 10", "stamps: 11"))
    said = kantis("import", "open.csv", "--mapping", mapping)
    assert said.status == 1
    assert "stamps: expected 11, the file has 10" in said.out
    with desks.open(here()) as desk:
        assert desk.books.counts()["event"] == 2  # the two members
    mapping.write_text(OPENING_MAPPING)
    assert kantis("import", "open.csv", "--mapping", mapping, "--dry-run").status == 0
    assert kantis("import", "open.csv", "--mapping", mapping).status == 0
    one, two = account("9001"), account("9002")
    assert sorted((lot.available, lot.expires) for lot in one.lots.values()) == [
        (3, 739266),  # 2025-01-15, the program's own rule
        (6, 739160),  # 2024-10-01, the day after the last one
    ]
    assert (one.tiers["status"].level, one.tiers["status"].until) == (1, 739252)
    assert sum(one.counters["spent"].values()) == 4150
    assert (two.vouchers["OLD-77"].worth, two.vouchers["OLD-77"].expires) == (350, 739068)
    assert two.facts["birthday"][0][1] == "1980-02-29"
    assert kantis("import", "open.csv", "--mapping", mapping, "--json").json["refused"] == 0
    assert (stamps("9001"), stamps("9002")) == (9, 1)
    assert kantis("verify").status == 0


def test_opening_balances_need_totals_and_no_bad_row(kantis: Kantis, shop: Path) -> None:
    (shop / "open.csv").write_text(OPENING)
    mapping = shop / "opening.yaml"
    mapping.write_text(OPENING_MAPPING.split("totals")[0])
    said = kantis("import", "open.csv", "--mapping", mapping)
    assert said.status == 1
    assert "stamps: expected a total in the mapping, the file has 10" in said.out
    assert "write the total of each balance into the mapping" in said.out
    mapping.write_text(OPENING_MAPPING.replace("stamps: 10, ", ""))  # the cards alone prove little
    assert kantis("import", "open.csv", "--mapping", mapping).status == 1
    mapping.write_text(OPENING_MAPPING.replace("stamps", "stmps"))
    said = kantis("import", "open.csv", "--mapping", mapping)
    assert "the file has no such total. Did you mean 'stamps'?" in said.out
    mapping.write_text(OPENING_MAPPING)
    (shop / "open.csv").write_text(OPENING + "9003,lot,points,0,,,,,\n")
    assert kantis("import", "open.csv", "--mapping", mapping).status == 1
    assert "unknown-balance" in (shop / "open.csv.bad.csv").read_text()
    with desks.open(here()) as desk:
        assert desk.books.counts()["event"] == 2


PLANS = """card,record,name,period,worth,since,until,renews,level
9001,plan,club,year,20.00,2023-09-01,2024-08-31,,
9002,plan,club,month,,,2024-02-09,no,
9002,lot,stamps,,,,,,
"""


def test_paid_memberships_are_brought_with_their_terms(kantis: Kantis, cafe: Path) -> None:
    text = cafe.read_text() + "\nplans:\n  club: {fee: [2.00 EUR per month, 20.00 EUR per year]}\n"
    cafe.write_text(text)
    assert kantis("publish", cafe).status == 0
    folder = cafe.parent
    (folder / "open.csv").write_text(PLANS.replace("9002,lot,stamps,,,,,,\n", ""))
    (folder / "open.yaml").write_text(
        "kind: opening\ncolumns:\n  time: {value: 2024-01-15 00:00}\ntotals: {plans: 2}\n"
    )
    said = kantis("import", "open.csv", "--mapping", "open.yaml")
    assert said.status == 0, said.out
    (one,), (two,) = account("9001").plans.values(), account("9002").plans.values()
    assert (one.plan, one.period, one.state, one.until, one.fee) == (
        "club",
        "year",
        "paid",
        739130,
        2000,
    )
    assert (two.period, two.until, two.renews) == ("month", 738926, False)
    for bad, code in (
        ("club,year", "unknown-period"),
        ("club,month", "term-missing"),
        ("klub,month", "unknown-plan"),
    ):
        row = bad.replace("year", "week").replace("month", "month") + ",,,,,"
        (folder / "bad.csv").write_text(f"{PLANS.splitlines()[0]}\n9003,plan,{row}\n")
        assert kantis("import", "bad.csv", "--mapping", "open.yaml").status == 1
        assert code in (folder / "bad.csv.bad.csv").read_text()
    assert kantis("verify").status == 0


def test_a_counter_is_brought_in_the_unit_of_what_it_counts(kantis: Kantis, cafe: Path) -> None:
    program = (
        cafe.read_text()
        .replace("  stamps: {", "  stamps: {decimals: 1, ")
        .replace("counters:\n", "counters:\n  stamps: {counts: points, of: stamps, window: ever}\n")
    )
    cafe.write_text(program)
    assert kantis("publish", cafe).status == 0
    (cafe.parent / "open.csv").write_text(
        "card,record,name,amount\n9001,lot,stamps,6.5\n9001,counter,stamps,41.5\n"
    )
    totals = "totals: {stamps: 6.5, counter stamps: 41.5}\n"
    head = "kind: opening\ncolumns: {time: {value: 2024-02-01}}\n"
    (cafe.parent / "m.yaml").write_text(head + totals)
    assert kantis("import", "open.csv", "--mapping", "m.yaml").status == 0
    assert account("9001").counters == {"stamps": {0: 415}}
    assert purse("9001")["stamps"][0] == 65


def test_columns_that_nothing_was_taken_from_are_told(kantis: Kantis, shop: Path) -> None:
    (shop / "m.csv").write_text("card,joined,birthday\n1,2024-01-01,1990-01-01\n")
    said = kantis("import", "m.csv", "--kind", "members")
    assert "Columns that nothing was taken from: birthday." in said.out
    assert "under 'facts' in the mapping" in said.out
    assert kantis("import", "m.csv", "--kind", "members", "--json").json["unused"] == ["birthday"]


def test_numbers_and_dates_are_read_as_the_mapping_says(kantis: Kantis, shop: Path) -> None:
    (shop / "p.csv").write_bytes(
        "Bon;Datum;Karte;Betrag;Menge;Gruppe\nä1;01.03.2024 09:00;4711;1.007,50;2;coffee\n".encode(
            "latin-1"
        )
    )
    (shop / "m.yaml").write_text(
        "kind: purchases\nencoding: latin-1\nsource: kasse\ncolumns:\n  id: Bon\n  card: Karte\n"
        '  time: {column: Datum, format: "%d.%m.%Y %H:%M"}\n'
        '  amount: {column: Betrag, decimal: ",", thousands: "."}\n'
        "  quantity: Menge\n  category: {value: coffee}\n"
    )
    said = kantis("import", "p.csv", "--mapping", "m.yaml", "--json").json
    assert said["totals"]["amount"] == "1007.50"
    assert stamps("4711") == 2


NOT_TABLES = [
    ("p.csv", b"PAR1....", "not-what-it-says", "Parquet"),
    ("p.csv", b"PK\x03\x04....", "not-what-it-says", "spreadsheet"),
    ("p.csv", b'{"id": 1}\n', "not-what-it-says", "JSON"),
    ("p.csv", b"a,b\x00\n1,2\n", "not-what-it-says", "bytes that no text has"),
    ("p.csv", "id,time\n".encode("utf-16"), "not-what-it-says", "UTF-16"),
    ("p.csv", b"", "empty-file", "empty"),
    ("p.csv", b"a,a\n1,2\n", "column-twice", "Rename one"),
    ("p.parquet", b"id,time\n", "not-what-it-says", "Parquet"),
    ("p.parquet", b"PAR1 and no more", "broken-file", "cannot be read"),
    ("p.ndjson", b'[{"id": 1}]', "not-what-it-says", "one JSON list"),
    ("p.ndjson", b"id,time\n1,2\n", "not-what-it-says", "JSON object"),
    ("p.xlsx", b"PK\x03\x04", "unknown-kind", ".csv"),
    ("p.csv", b"id,when\n1,2\n", "column-missing", "needs 'time'"),
]


@pytest.mark.parametrize(("name", "content", "code", "says"), NOT_TABLES)
def test_a_file_that_is_not_what_its_name_says_is_refused(
    kantis: Kantis, cafe: Path, name: str, content: bytes, code: str, says: str
) -> None:
    kantis("publish", cafe)
    (cafe.parent / name).write_bytes(content)
    said = kantis("import", name, "--kind", "purchases")
    assert said.status == 3
    assert f"[{code}]" in said.err
    assert says in said.err
    assert kantis("import", name, "--kind", "purchases", "--json").json["error"]["code"] == code


MAPPINGS = [
    ("kind: purchase\n", "unknown-kind", "'purchases'"),
    ("kind: purchases\ncolumns: {tme: x}\n", "unknown-key", "'time'"),
    ("kind: purchases\ncolumns: {time: {colum: x}}\n", "unknown-key", "'column'"),
    ("kind: purchases\ncolumns: {time: {column: x, value: y}}\n", "column-or-value", "value"),
    ("kind: purchases\nsource: a/b\n", "malformed-source", "slash"),
    ("kind: purchases\ncolumns: {time: whn}\n", "column-missing", "'when'"),
    ("kind: purchases\nencoding: utf-99\n", "unknown-encoding", "utf-99"),
    ("kind: [\n", "not-yaml", "value is missing"),
]


@pytest.mark.parametrize(("mapping", "code", "says"), MAPPINGS)
def test_a_mapping_with_faults_is_refused(
    kantis: Kantis, cafe: Path, mapping: str, code: str, says: str
) -> None:
    kantis("publish", cafe)
    (cafe.parent / "p.csv").write_text("id,when,amount\n1,2024-03-01 09:00,1.00\n")
    (cafe.parent / "m.yaml").write_text(mapping)
    said = kantis("import", "p.csv", "--mapping", "m.yaml")
    assert said.status == 3
    assert f"[{code}]" in said.err
    assert says in said.err


def test_books_that_are_missing_or_something_else_are_said(kantis: Kantis, cafe: Path) -> None:
    (cafe.parent / "m.csv").write_text("card,joined\n1,2024-01-01\n")
    said = kantis("import", "m.csv", "--kind", "members")
    assert (said.status, "[no-store]" in said.err) == (3, True)
    assert "[not-a-store]" in kantis("verify", "--store", "m.csv").err
    assert not Path("kantis.db").exists()
    assert isinstance(Trouble("a", "b"), Exception)


def test_duckdb_that_is_missing_is_said(
    kantis: Kantis, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop / "p.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    said = kantis("import", "p.parquet", "--kind", "purchases")
    assert said.status == 3
    assert "pip install 'kantis[import]'" in said.err
