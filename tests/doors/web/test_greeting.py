"""The personal line: for who agreed to it, and for nobody else."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

import kantis.desk
from kantis.core.calendar import day
from kantis.core.events import Enrol, Event
from kantis.core.knobs import plain
from kantis.desk import staff, text, tills
from kantis.desk.submit import Desk, wall_clock
from kantis.desk.vault.opening import open_vault
from kantis.desk.vault.person import Consent, Person
from kantis.desk.vault.vault import Reader
from kantis.doors.web import consents, greeting
from kantis.doors.web.greeting import Greeting, Near
from tests.doors.service.server import served
from tests.doors.web.test_till import BY, SHOP, sell

NOW = wall_clock()
TODAY = dt.datetime.fromtimestamp(NOW / 1000, dt.UTC).strftime("%m-%d")
SOON = dt.datetime.fromtimestamp(NOW / 1000 + 3 * 86_400, dt.UTC)
AGREED = Consent(consents.GREETING, True, 1)
TAKEN_BACK = Consent(consents.GREETING, False, 2)
ELSE = Consent("news by e-mail", True, 1)
#: What each of them agreed to, by their card.
MEMBERS = {
    "6407001": (AGREED,),
    "6407002": (),
    "6407003": (AGREED, TAKEN_BACK),
    "6407004": (ELSE,),
    "6407005": (AGREED,),
    "6407006": (AGREED,),
    "6407007": (),
}
#: Those whose birthday is in three days.
NEAR = ("6407006", "6407007")
#: The card of an account that somebody else shares, who agreed too.
SHARED = "6407005"


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path]]:
    """A till, and members who are all called Anna and have their birthday today."""
    store: Path = tmp_path_factory.mktemp("greeting") / "books.db"
    with kantis.desk.open(str(store)) as desk:
        desk.publish("shop", 0, SHOP, plain(text.read(SHOP)))
        vault = open_vault(desk)
        for card, agreed in MEMBERS.items():
            (result,) = desk.submit(
                [Event("test", card, 0, f"card:{card}", Enrol(), 0, True)], program="shop"
            )
            assert result.account is not None
            birthday = SOON.strftime("%m-%d") if card in NEAR else TODAY
            about = Person(
                "Anna", "Berg", birthday=birthday, notes="likes oat milk", consents=agreed
            )
            vault.enrol(1, result.account, f"test/{card}", about, b"", NOW)
            if card == SHARED:
                vault.enrol(1, result.account, "test/other", about, b"", NOW)
        cashier, _ = staff.invite(desk, "kaisa", "Kaisa", "cashier", "shop", BY)
        till = tills.pair(desk, tills.offer(desk, 1, "First", "", BY), "here")
        key = desk.keyring.find(till, desk.books)
        assert key is not None
        tills.stand(desk, key.prefix, cashier)
    with served(store) as server:
        headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
        with httpx.Client(
            base_url=server.address, headers=headers, cookies={"till": till}
        ) as client:
            yield client, store
        status, log = server.end()
        assert status == 0, log
        assert '"fault"' not in log
        assert "Anna" not in log


def readings(store: Path, card: str) -> list[str]:
    """Who has read personal data of the member with a card, and what for."""
    asked = (
        "SELECT r.who, r.why FROM reading r JOIN member m ON m.id = r.member "
        "JOIN card c ON c.account = m.account WHERE c.token = ? ORDER BY r.n"
    )
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as books:
        return [f"{who}, {why}" for who, why in books.execute(asked, (card,))]


def test_who_agreed_is_greeted(counter: tuple[httpx.Client, Path]) -> None:
    client, store = counter
    shown = client.get("/till", params={"card": "6407001"}).text
    assert "<strong>Anna</strong>" in shown
    assert "birthday today" in shown
    assert "likes oat milk" in shown
    assert "Berg" not in shown
    number = sell(client, "6407001", "12")
    receipt = client.get(f"/till/receipts/{number}").text
    assert "Dear Anna," in receipt
    assert "happy birthday!" in receipt
    assert "oat milk" not in receipt  # what the shop noted is for whoever serves
    vietnamese = client.get(f"/till/receipts/{number}?lang=vi").text
    assert "Anna" in vietnamese
    assert "happy birthday" not in vietnamese
    client.cookies.delete("language")
    read = readings(store, "6407001")
    assert read[-1] == f"kaisa at till-first, sale {number}"
    assert read.count(read[-1]) == 1  # the sale, its receipt, and the receipt again


@pytest.mark.parametrize("card", ["6407002", "6407003", "6407004", SHARED])
def test_who_did_not_is_not(counter: tuple[httpx.Client, Path], card: str) -> None:
    client, store = counter
    pages = [client.get("/till", params={"card": card}).text]
    pages.append(client.get(f"/till/receipts/{sell(client, card, '12')}").text)
    for page in pages:
        assert "The member has" in page
        for said in ("Anna", "birthday", "oat milk"):
            assert said not in page
    assert readings(store, card) == []


def test_each_day_has_its_greeting() -> None:
    joined = day("2023-03-01")
    anna = Person("Anna", birthday="1992-02-29", notes=" likes\n oat milk ")
    said = {
        each: greeting.of(anna, joined, day(each))
        for each in ("2024-02-29", "2025-03-01", "2025-02-28", "2023-03-01")
    }
    assert said == {
        "2024-02-29": Greeting(
            "Anna", birthday=True, note="likes oat milk",
            near=(Near(day("2024-03-01"), False, 1),),
        ),
        "2025-03-01": Greeting("Anna", birthday=True, years=2, note="likes oat milk"),
        "2025-02-28": Greeting(
            "Anna", note="likes oat milk",
            near=(Near(day("2025-03-01"), False), Near(day("2025-03-01"), False, 2)),
        ),
        "2023-03-01": Greeting("Anna", birthday=True, note="likes oat milk"),
    }  # fmt: skip


def test_a_day_is_near_a_week_before_and_three_days_after() -> None:
    anna = Person("Anna", birthday="01-02")
    near = {
        each: [(x.past, x.years) for x in greeting.of(anna, day("2020-12-28"), day(each)).near]
        for each in (
            "2024-12-20", "2024-12-21", "2024-12-26", "2024-12-31", "2025-01-01", "2025-01-05",
            "2025-01-06",
        )
    }  # fmt: skip
    assert near == {
        "2024-12-20": [],
        "2024-12-21": [(False, 4)],
        "2024-12-26": [(False, 0), (False, 4)],
        "2024-12-31": [(False, 0), (True, 4)],
        "2025-01-01": [(False, 0)],
        "2025-01-05": [(True, 0)],
        "2025-01-06": [],
    }


def test_whoever_serves_sees_a_day_that_is_near(counter: tuple[httpx.Client, Path]) -> None:
    client, _ = counter
    said = {
        "en": f"birthday on {SOON.day} ", "fi": f"syntymäpäivä {SOON.day}. ",
        "et": f"sünnipäev {SOON.day}. ", "vi": f"sinh nhật vào {SOON.day} ",
    }  # fmt: skip
    for tag, text_of in said.items():
        shown = client.get("/till", params={"card": "6407006", "lang": tag}).text
        assert "<strong>Anna</strong>" in shown
        assert text_of in shown
    client.cookies.delete("language")
    for card in ("6407002", "6407003", "6407004", SHARED, "6407007"):
        assert "birthday" not in client.get("/till", params={"card": card}).text


def greeted(folder: Path) -> list[Greeting | None]:
    """Who is greeted at a till: one who agreed, one who did not, one who took it back."""
    with kantis.desk.open(str(folder / "books.db"), clock=lambda: NOW) as desk:
        assert isinstance(desk, Desk)
        desk.publish("shop", 0, SHOP, plain(text.read(SHOP)))
        vault = open_vault(desk, str(folder / "keys"))
        found = []
        for card, consent in (("1", (AGREED,)), ("2", ()), ("3", (AGREED, TAKEN_BACK))):
            event = Event("test", card, 0, f"card:{card}", Enrol(), 0, True)
            (result,) = desk.submit([event], program="shop")
            assert result.account is not None
            about = Person("Anna", birthday=SOON.strftime("%m-%d"), consents=consent)
            vault.enrol(1, result.account, f"test/{card}", about, b"", NOW)
            reads = Reader("kaisa at till-first", f"sale {card}")
            found.append(greeting.agreed(desk, vault, reads, result.account, 1, NOW))
        return found


def test_without_consent_there_is_no_day(tmp_path: Path) -> None:
    one, *others = greeted(tmp_path)
    assert one is not None
    assert [each.past for each in one.near] == [False]
    assert others == [None, None]


def test_without_the_guard_everybody_would_be_greeted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: nobody looks at what was agreed to."""
    monkeypatch.setattr(consents, "holds", lambda person, purpose: True)
    assert all(each is not None and each.near for each in greeted(tmp_path))
