"""publish, programs, account, explain, verify: what they say of the books."""

import socket
from pathlib import Path

import apsw
import pytest

from kantis import desk as desks
from kantis.core.account import Account
from kantis.core.decision import Context, Entry
from kantis.core.events import (
    Claim,
    Enrol,
    Event,
    Know,
    Line,
    Load,
    Purchase,
    Refund,
    Subscribe,
)
from kantis.desk.programs import Engine
from kantis.desk.submit import Desk, wall_clock
from kantis.doors.cli import output, replaying, serving
from kantis.doors.cli.opening import opened
from kantis.engine.program import Program
from tests.doors.command import Kantis
from tests.doors.conftest import CAFE

HOUR = 3_600_000
JOINED = 1_704_103_200_000  # 2024-01-01 12:00 in Helsinki


@pytest.fixture
def shop(kantis: Kantis, cafe: Path) -> Path:
    """Books with a member who bought two coffees, and a purchase without a member."""
    assert kantis("publish", cafe).status == 0
    coffee = Line("1", "latte", 2, 700, "coffee")
    events = [
        Event("till", "e1", JOINED, "card:4711", Enrol()),
        Event("till", "p1", JOINED + HOUR, "card:4711", Purchase((coffee,))),
        Event("till", "p2", JOINED + 2 * HOUR, "", Purchase((coffee,), receipt="R1")),
        Event("till", "p3", JOINED + 3 * HOUR, "card:4799", Purchase((coffee,))),
        Event("till", "l1", JOINED + 4 * HOUR, "card:4711", Load("nothing")),
    ]
    with desks.open("kantis.db") as desk:
        desk.submit(events, importing=True)
    return cafe


def test_publishing_again_changes_nothing_and_a_change_is_a_version(
    kantis: Kantis, cafe: Path
) -> None:
    assert kantis("publish", cafe).out == "corner-cafe, version 1: published.\n"
    assert "nothing changed" in kantis("publish", cafe).out
    cafe.write_text("# a comment\n" + CAFE)
    assert kantis("publish", cafe, "--json").json == {
        "program": "corner-cafe",
        "version": 1,
        "published": False,
    }
    cafe.write_text(CAFE.replace("cost: 10", "cost: 9"))
    assert "[in-the-past]" in kantis("publish", cafe, "--since", "2020-01-01").err
    assert kantis("publish", cafe, "--since", "soon").status == 2
    assert kantis("publish", cafe, "--since", "2099-01-01", "--json").json["version"] == 2
    found = kantis("versions", "--json").json
    assert [(each["version"], each["since"]) for each in found] == [
        (1, None),
        (2, "2098-12-31T22:00:00.000Z"),
    ]
    assert "corner-cafe" in kantis("versions").out


def test_a_version_for_later_is_cancelled_and_one_that_holds_is_not(
    kantis: Kantis, cafe: Path
) -> None:
    kantis("publish", cafe)
    cafe.write_text(CAFE.replace("cost: 10", "cost: 9"))
    kantis("publish", cafe, "--since", "2999-01-01")
    done = kantis("cancel", "corner-cafe", "2")
    assert (done.status, "Version 1 is the newest" in done.out) == (0, True)
    said = kantis("cancel", "corner-cafe", "2", "--json")
    assert said.json == {"program": "corner-cafe", "cancelled": 2, "version": 1}
    assert [each["version"] for each in kantis("versions", "--json").json] == [1]
    refused = kantis("cancel", "corner-cafe", "1")
    assert refused.status != 0
    assert "has begun" in refused.err


def test_a_faulty_program_or_a_case_file_is_not_published(kantis: Kantis, cafe: Path) -> None:
    cafe.write_text(CAFE.replace("money: EUR\n", ""))
    said = kantis("publish", cafe)
    assert (said.status, "[missing-key]" in said.out) == (1, True)
    assert kantis("publish", cafe, "--json").json["faults"][0]["code"] == "missing-key"
    cafe.write_text("program: corner-cafe\ncases: []\n")
    assert "[not-a-program]" in kantis("publish", cafe).err


def test_an_account_is_shown_by_card_and_by_number(kantis: Kantis, shop: Path) -> None:
    found = kantis("account", "4711", "--json").json
    assert found["cards"] == ["4711"]
    status = found["tiers"]["status"]
    assert (status["level"], status["until"], status["next"]) == ("guest", "never", "friend")
    assert status["way"][0][0]["missing"] == "50.00"
    number = found["account"]
    assert [each["event"] for each in found["entries"]] == ["till/e1", "till/p1", "till/l1"]
    assert kantis("account", f"account:{number}", "--json").json == found
    assert kantis("account", number, "--json").json == found
    said = kantis("account", "card:4711", "--entries", 2)
    assert "2 stamps for coffee: 1 stamp per item, for 2 items." in said.out
    assert "till/e1" not in said.out


def test_a_card_is_found_in_whichever_program_knows_it(kantis: Kantis, shop: Path) -> None:
    Path("other.yaml").write_text(CAFE.replace("program: corner-cafe", "program: other"))
    assert kantis("publish", "other.yaml").status == 0
    with desks.open("kantis.db") as desk:
        desk.submit([Event("till", "o1", JOINED, "card:5", Enrol())], program="other")
    assert kantis("account", "4711", "--json").json["program"] == "corner-cafe"
    found = kantis("account", "5", "--json").json
    assert (found["program"], found["cards"]) == ("other", ["5"])
    said = kantis("account", f"account:{found['account']}", "--program", "corner-cafe")
    assert (said.status, "[unknown-account]" in said.err) == (1, True)
    with desks.open("kantis.db") as desk:
        desk.submit([Event("till", "o2", JOINED, "card:4711", Enrol())], program="other")
    assert "corner-cafe, other. Say which" in kantis("account", "4711").err
    found = kantis("account", "4711", "--program", "other", "--json").json
    assert found["program"] == "other"


def test_an_account_shows_what_is_counted_and_known(kantis: Kantis, shop: Path) -> None:
    now = wall_clock()
    with desks.open("kantis.db") as desk:
        desk.submit(
            [
                Event("till", "k1", now, "card:4711", Know("birthday", "1990-05-01")),
                Event("till", "p9", now, "card:4711", Purchase((Line("1", "tea", 1, 250),))),
            ]
        )
    found = kantis("account", "4711", "--json").json
    assert found["counters"] == {"visits": "1", "spent": "2.50"}
    assert found["facts"] == {"birthday": "1990-05-01"}
    said = kantis("account", "4711", "--entries", 9).out
    assert "The account was opened." in said
    assert "It is known that birthday is 1990-05-01." in said
    assert "1 purchase counted for visits.\n    2.50 EUR counted for spent." in said
    assert "facts: birthday 1990-05-01" in said


CLUB = """\
program: club
money: EUR
timezone: Europe/Helsinki
balances: {points: {}}
plans:
  club: {fee: 5.00 EUR per month, trial: 1 month}
entitlements:
  lounge: {who: {plan: club}, good for: the lounge}
earning:
  base: {give: 1 point per 1.00 EUR}
"""


def test_an_account_shows_its_plan_and_what_it_entitles_to(kantis: Kantis, cafe: Path) -> None:
    cafe.write_text(CLUB)
    assert kantis("publish", cafe).status == 0
    events = [
        Event("till", "e1", JOINED, "card:4711", Enrol()),
        Event("till", "s1", JOINED + HOUR, "card:4711", Subscribe("club")),
    ]
    with desks.open("kantis.db") as desk:
        desk.submit(events, importing=True)
    found = kantis("account", "4711", "--json").json
    plan = found["plans"]["club"]
    assert (plan["state"], plan["per"], plan["renews"]) == ("paid", "month", True)
    assert found["entitlements"] == {"lounge": {"good for": "the lounge", "until": plan["until"]}}
    said = kantis("account", "4711").out
    assert "the lounge" in said
    assert "club is on trial until 2024-01-31." in said


SLEEPY = """\
program: sleepy
money: EUR
timezone: UTC
balances: {points: {expires: all after 900 months without earning}}
earning: {base: {give: 1 point}}
"""


def test_points_that_a_clock_ends_show_their_end(kantis: Kantis, cafe: Path) -> None:
    cafe.write_text(SLEEPY)
    assert kantis("publish", cafe).status == 0
    events = [
        Event("till", "e1", JOINED, "card:4711", Enrol()),
        Event("till", "p1", JOINED + HOUR, "card:4711", Purchase((Line("1", "latte", 1, 500),))),
    ]
    with desks.open("kantis.db") as desk:
        desk.submit(events, importing=True)
    (lot,) = kantis("account", "4711", "--json").json["lots"]
    earned, until = lot["earned"], lot["until"]
    assert int(until[:4]) - int(earned[:4]) in (74, 75)


def test_what_is_gone_by_now_is_not_shown_as_there(kantis: Kantis, shop: Path) -> None:
    found = kantis("account", "4711", "--json").json
    assert found["balances"]["stamps"]["available"] == "0"  # a year has passed
    assert not found["lots"]


def test_explain_says_why_and_why_not(kantis: Kantis, shop: Path) -> None:
    found = kantis("explain", "till/p1", "--json").json
    assert found["sentences"] == ["2 stamps for coffee: 1 stamp per item, for 2 items."]
    assert {"rule": "own-cup", "reason": "no line that counts"} in found["why_not"]
    assert "own-cup: no line that counts" in kantis("explain", "till/p1").out
    assert "without a member" in kantis("explain", "till/p2").out
    assert "It waits for card:4799 to be enrolled." in kantis("explain", "till/p3").out
    assert "unknown-offer" in kantis("explain", "till/l1").out
    bad = Purchase((Line("1", "latte", 1, -500),))
    with desks.open("kantis.db") as desk:
        desk.submit([Event("till", "negative", 0, "card:4711", bad)])
    assert "Line '1' is negative" in kantis("explain", "till/negative").out
    kantis("freeze")
    sale = Purchase((Line("1", "latte", 1, 500),), points={"free-coffee": 10})
    with desks.open("kantis.db") as desk:
        desk.submit([Event("till", "frozen", 0, "card:4711", sale)])
    assert "It waits for spending to be free again." in kantis("explain", "till/frozen").out
    said = kantis("explain", "till/nope")
    assert (said.status, "[unknown-event]" in said.err) == (1, True)


def test_unknown_accounts_are_said(kantis: Kantis, shop: Path) -> None:
    for who in ("99", "card:99", "account:99", "anna"):
        said = kantis("account", who)
        assert (said.status, "[unknown-account]" in said.err) == (1, True), who
    assert kantis("account", "person:1").status == 2
    assert "[unknown-program]" in kantis("account", "4711", "--program", "corner-caf").err


def test_books_that_were_edited_are_not_proved(kantis: Kantis, shop: Path) -> None:
    found = kantis("verify", "--again", "--json").json
    assert (found["ok"], found["redecided"], found["differences"]) == (True, 3, 0)
    assert "3 entries decided again: 0 would" in kantis("verify", "--again").out
    database = apsw.Connection("kantis.db")
    database.execute("UPDATE balance SET available = available + 100").fetchall()
    database.close()
    said = kantis("verify")
    assert said.status == 1
    assert "[balance]" in said.out


def test_the_store_comes_from_the_environment(
    kantis: Kantis, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("kantis.db").rename("other.db")
    assert "[no-store]" in kantis("versions").err
    monkeypatch.setenv("KANTIS_STORE", "other.db")
    assert "corner-cafe" in kantis("versions").out


def test_the_greeting_of_the_service_has_no_password(
    kantis: Kantis, cafe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kantis("publish", cafe)
    with opened("kantis.db") as desk, socket.create_server(("127.0.0.1", 0)) as listening:
        assert isinstance(desk, Desk)
        serving._greet(desk, listening, "postgresql://kantis:secret@host/books", json=False)
    said = capsys.readouterr().out
    assert "secret" not in said
    assert "--store postgresql://kantis:…@host/books" in said


def test_a_password_stands_in_no_message(kantis: Kantis) -> None:
    url = "postgresql://kantis:s3cret@127.0.0.1:1/books"
    for as_json in ((), ("--json",)):
        said = kantis("verify", "--store", url, *as_json)
        assert said.status == 3
        assert "[store-unusable]" in said.err
        assert "postgresql://kantis:…@127.0.0.1:1/books" in said.err
        assert "s3cret" not in said.out + said.err


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("old")
    file.chmod(0o640)
    monkeypatch.setattr(Path, "replace", _fail)
    with pytest.raises(OSError, match="full"):
        output.replace_file(file, "new")
    monkeypatch.undo()
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]
    output.replace_file(file, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o640)


def _fail(*_: object) -> None:
    raise OSError(28, "the disk is full")


def test_replay_decides_the_same_and_shows_what_would_differ(
    kantis: Kantis, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desks.open("kantis.db") as desk:
        events = [
            Event("till", "r1", JOINED + 5 * HOUR, "card:4711", Refund("p1", (("1", 1),))),
            Event("till", "c1", JOINED + 6 * HOUR, "card:4711", Claim("R1")),
        ]
        outcomes = [result.outcome for result in desk.submit(events, importing=True)]
        assert outcomes == ["decided", "decided"]
        desk.sweep(JOINED + 400 * 24 * HOUR)
    found = kantis("replay", "--json").json
    assert (found["accounts"], found["entries"], found["different"]) == (1, 6, 0)
    decide = Engine().decide

    def stingy(program: Program, state: Account, event: Event, context: Context) -> list[Entry]:
        entries = decide(program, state, event, context)
        if event.id == "p1":
            decision = entries[-1].decision
            decision.flags = [*decision.flags, "stingy"]
        return entries

    monkeypatch.setattr(replaying, "Engine", lambda: Engine(decide=stingy))
    said = kantis("replay")
    assert said.status == 1
    assert "now       Marked for a look: stingy." in said.out
    assert "1 would be decided differently now." in said.out


def test_a_program_that_cannot_be_read_any_more_is_said(kantis: Kantis, shop: Path) -> None:
    database = apsw.Connection("kantis.db")
    database.execute("DROP TRIGGER version_update")
    database.execute("UPDATE version SET tree = replace(tree, 'cost', 'price')").fetchall()
    database.close()
    for command in (["replay"], ["account", "4711"]):
        said = kantis(*command)
        assert (said.status, "[program-unreadable]" in said.err) == (3, True)


def test_check_tells_what_a_version_would_change_before_it_is_published(
    kantis: Kantis, shop: Path
) -> None:
    shorter = CAFE.replace("12 months after earning", "1 month after earning")
    shorter += "existing: {expiry: follows}\n"
    shop.write_text(shorter)
    with desks.open("kantis.db") as desk:
        before = desk.books.counts()
    when = ("--since", "2024-01-20", "--until", "2024-06-01")
    said = kantis("check", shop, "--store", "kantis.db", *when)
    assert said.status == 0
    assert "corner-cafe, as version 2 from 2024-01-20" in said.out
    assert "2024-02-01   stamps          1  2 stamps" in said.out
    assert "it touches 1 of 1 account, from 2024-02-01 on." in said.out
    found = kantis("check", shop, "--store", "kantis.db", *when, "--json").json
    (compared,) = found["compared"]
    assert (compared["accounts"], compared["touched"], compared["failed"]) == (1, 1, [])
    (moment,) = compared["moments"]
    assert moment["balances"] == {"stamps": {"losing": 1, "loss": 2, "gaining": 0, "gain": 0}}
    with desks.open("kantis.db") as desk:
        assert desk.books.counts() == before
    shop.write_text(
        CAFE.replace("1 stamp per item", "1 point per item").replace("stamps", "points")
    )
    assert "[balance-removed]" in kantis("check", shop, "--store", "kantis.db").out
    assert kantis("check", shop, "--store", "nowhere.db").status == 3


def test_a_pilot_follows_a_version_for_everybody(kantis: Kantis, cafe: Path) -> None:
    pilot = CAFE.replace("cost: 10", "cost: 9") + "pilot: {locations: [north]}\n"
    cafe.write_text(pilot)
    assert "[pilot-of-nothing]" in kantis("publish", cafe).out
    cafe.write_text(CAFE)
    assert kantis("publish", cafe).status == 0
    cafe.write_text(pilot)
    said = kantis("check", cafe, "--store", "kantis.db")
    assert said.status == 0
    assert "A pilot touches an account when it comes" in said.out
    assert kantis("publish", cafe, "--json").json["version"] == 2
    cafe.write_text(CAFE + "pilot: {}\n")
    assert "[missing-key]" in kantis("check", cafe).out
