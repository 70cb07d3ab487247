"""By hand: the first link, the audit log, and adjustments that two persons make."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kantis.core.calendar import DAY_MS
from kantis.core.knobs import plain
from kantis.desk import adjusting, firstlink, keys, text
from kantis.desk.adjusting import Alone, Asked, Wrong
from kantis.desk.audit import By
from kantis.desk.programs import Engine, Home
from kantis.store import byhand, hands
from kantis.store.books import Books, Forbidden, Outage
from kantis.store.rows import AdjustmentRow
from tests.desk.shop import Shop

TERMS = """\
program: p
money: EUR
timezone: Europe/Helsinki
balances:
  points: {expires: never}
earning:
  all: {give: 1 point per 1 EUR}
"""
NOTHING = Alone()
ANNA, BEN = By("aaaaaaaa", "Anna"), By("bbbbbbbb", "Ben")


def plain_terms() -> Any:
    """The terms as plain values."""
    return plain(text.read(TERMS))


@pytest.fixture
def club(url: str) -> Iterator[Shop]:
    """A shop with a real program and one member."""
    with Shop(url, Engine(), plain_terms()) as shop:
        shop(shop.enrol("1"))
        yield shop
        shop.prove()


def home(shop: Shop) -> Home:
    shop.desk.homes.refresh(shop.desk.books)
    return shop.desk.homes.numbered(1)


def gift(id: str, amount: int = 100, source: str = "anna") -> Asked:
    return Asked(source, id, "card:1", "points", amount, "late delivery")


def ask(shop: Shop, asked: Asked, may: Alone = NOTHING) -> AdjustmentRow:
    return adjusting.ask(shop.desk, ANNA, home(shop), asked, may)


def answer(shop: Shop, row: AdjustmentRow, source: str, yes: bool = True) -> AdjustmentRow:
    return adjusting.answer(shop.desk, BEN, source, 1, row.n, yes, "fine")


def deeds(books: Books) -> list[str]:
    return [each.deed for each in hands.audit(books, 1 << 60, 9)]


def test_what_one_person_asks_another_approves(club: Shop) -> None:
    row = ask(club, gift("1"))
    assert row.state == byhand.WAITS
    assert ask(club, gift("1")) == row
    with pytest.raises(Wrong) as wrong:
        ask(club, gift("1", 200))
    assert wrong.value.code == "id-reused"
    done = answer(club, row, "ben")
    assert (done.state, done.decider, done.note) == (byhand.APPROVED, "ben", "fine")
    assert answer(club, row, "ben") == done
    for source, yes in (("ben", False), ("cid", True)):
        with pytest.raises(Wrong) as wrong:
            answer(club, row, source, yes)
        assert wrong.value.code == "answered-before"
    assert deeds(club.desk.books)[:2] == ["approve", "propose"]


def test_nobody_approves_what_they_have_asked_for(club: Shop) -> None:
    row = ask(club, gift("1"))
    for yes in (True, False):
        with pytest.raises(Wrong) as wrong:
            answer(club, row, "anna", yes)
        assert wrong.value.code == "same-person"
    assert deeds(club.desk.books)[0] == "propose"


def test_without_the_check_the_same_person_could(
    club: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    monkeypatch.setattr(adjusting, "same_person", lambda one, other: False)
    assert answer(club, ask(club, gift("1")), "anna").state == byhand.APPROVED


def test_what_was_approved_is_sent_after_a_crash(club: Shop) -> None:
    waits, approved = ask(club, gift("1", 7)), ask(club, gift("2", 30))
    declined, alone = ask(club, gift("3")), ask(club, gift("4", 5), Alone(any=True))
    answer(club, approved, "ben")
    answer(club, declined, "ben", yes=False)
    assert (waits.state, alone.state) == (byhand.WAITS, byhand.ALONE)
    assert adjusting.send_rest(club.desk) == 2  # nobody has sent them before
    assert adjusting.send_rest(club.desk) == 0
    assert club.desk.books.balances(1)[0].available == 35


def test_a_budget_of_goodwill_lasts_a_day(club: Shop) -> None:
    may = Alone(budget=100)
    states = [ask(club, gift(f"{n}", 40), may).state for n in range(4)]
    assert states == [byhand.ALONE, byhand.ALONE, byhand.WAITS, byhand.WAITS]
    assert ask(club, gift("rest", 20), may).state == byhand.ALONE
    assert ask(club, gift("taken", -1), may).state == byhand.WAITS
    club.now += DAY_MS
    assert ask(club, gift("next", 100), may).state == byhand.ALONE


def race(shop: Shop, times: int = 8) -> int:
    """How many of several that come at once are made alone, of a budget for two."""
    with ThreadPoolExecutor(times) as pool:
        rows = pool.map(lambda n: ask(shop, gift(f"{n}", 50), Alone(budget=100)), range(times))
        return sum(row.state == byhand.ALONE for row in rows)


def test_those_who_ask_at_once_share_one_budget(club: Shop) -> None:
    assert race(club) == 2


def test_a_budget_that_is_not_looked_at_is_overdrawn(
    club: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    monkeypatch.setattr(hands, "given_alone", lambda *about: 0)
    assert race(club) == 8


def test_the_database_keeps_what_was_asked_and_answered(club: Shop) -> None:
    row = ask(club, gift("1"))
    answer(club, row, "ben", yes=False)
    keys.make(club.desk, "till", "p", "till", "till")
    for statement in (
        "UPDATE adjustment SET amount = 1",
        f"UPDATE adjustment SET state = {byhand.APPROVED}",
        "UPDATE adjustment SET note = ''",
        "DELETE FROM adjustment",
        "UPDATE audit SET name = 'x'",
        "DELETE FROM audit",
        "UPDATE api_key SET largest = 5",
    ):
        club.desk.books.begin()
        with pytest.raises((Forbidden, Outage), match="append-only"):
            club.desk.books.execute(statement)
        club.desk.books.rollback()
    said = json.loads(hands.audit(club.desk.books, 1 << 60, 9)[-1].said)
    assert said == {"since": club.now}


def test_a_link_opens_for_a_day_and_one_of_several_uses_all_up(shop: Shop) -> None:
    desk = shop.desk
    first, second = firstlink.make(desk), firstlink.make(desk)
    assert firstlink.opens(desk, first)
    shop.now += firstlink.LASTS_MS
    assert not firstlink.opens(desk, first)
    assert firstlink.use(desk, first, "a", "a") is None
    shop.now -= 1
    assert firstlink.use(desk, second, "a", "a") is not None
    assert firstlink.use(desk, second, "b", "b") is None
    assert firstlink.use(desk, first, "b", "b") is None
    assert firstlink.make(desk) == ""
    for statement in ("UPDATE first_link SET used = NULL", "DELETE FROM first_link"):
        desk.books.begin()
        with pytest.raises((Forbidden, Outage), match="append-only"):
            desk.books.execute(statement)
        desk.books.rollback()


def test_a_link_that_is_not_used_up_would_open_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    token = firstlink.make(shop.desk)
    monkeypatch.setattr(hands, "use_links", lambda books, at: None)
    assert firstlink.use(shop.desk, token, "a", "a") is not None
    assert firstlink.use(shop.desk, token, "b", "b") is not None
