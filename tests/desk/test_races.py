"""Races: many tills at once, and exactly what there is, not one more and not one less.

Each race has a twin in which the guard is off: it has to fail, or the race proves nothing.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import kantis.desk
from kantis.core.account import Account
from kantis.core.decision import Context, Entry
from kantis.core.events import Event
from kantis.desk.cache import Cache
from kantis.desk.foresight import Foresight
from kantis.desk.programs import Engine
from kantis.desk.results import Result
from kantis.desk.submit import Desk
from kantis.store.postgres import PostgresBooks
from kantis.store.rows import Page
from kantis.store.sqlite import SqliteBooks
from tests.desk import stub
from tests.desk.shop import NOON, Shop, codes, said
from tests.desk.stub import STUB

Open = Callable[[], Any]


def _slow(program: Any, account: Account, event: Event, context: Context) -> list[Entry]:
    """Decide, and leave others time to get in between."""
    time.sleep(0.002)
    return stub.decide(program, account, event, context)


SLOW = Engine(stub.assemble, stub.needs, _slow, stub.advance, STUB.late_ms, stub.limits)


class UnlockedPostgres(PostgresBooks):
    """The twin on PostgreSQL: reads without a lock."""

    lock = ""


class UnlockedSqlite(SqliteBooks):
    """The twin on SQLite: no lease, and a transaction only around the writing."""

    def begin(self) -> None:
        pass

    def mark(self) -> None:
        pass

    def write(self, page: Page) -> None:
        super().begin()
        super().write(page)


def careless(self: Foresight) -> bool:
    """The twin of ``Foresight.take``: takes what was claimed, whatever is left."""
    for (program, name), amount in self.claimed.items():
        self.books.execute(
            "UPDATE shared_limit SET taken = CASE WHEN taken + ? > quantity THEN quantity "
            "ELSE taken + ? END WHERE program = ? AND name = ?",
            (amount, amount, program, name),
        )
    return True


def guarded(url: str) -> Open:
    return lambda: kantis.desk.open(url, engine=SLOW, clock=lambda: NOON)


def unguarded(url: str) -> Open:
    """Desks without locks, on books without the unique keys that would catch them."""

    def open_() -> Desk:
        if url.startswith("postgresql:"):
            return Desk(UnlockedPostgres(url), engine=SLOW, clock=lambda: NOON)
        desk = Desk(UnlockedSqlite(url), engine=SLOW, clock=lambda: NOON)
        desk.cache = Cache(alone=True)
        return desk

    return open_


def loosen(shop: Shop) -> None:
    """Take away the keys that refuse the second entry with the same number."""
    books = shop.desk.books
    if isinstance(books, PostgresBooks):
        books.execute("ALTER TABLE entry DROP CONSTRAINT entry_pkey")
        books.execute("ALTER TABLE posting DROP CONSTRAINT posting_pkey")
        return
    for table in ("entry", "posting"):
        said = books.one(f"SELECT sql FROM sqlite_schema WHERE name = '{table}'")
        loose = said.replace("UNIQUE (account, seq)", "CHECK (1)").replace(
            "PRIMARY KEY (account, seq, n)", "CHECK (1)"
        )
        books.execute(f"DROP TABLE {table}")
        books.execute(loose)


def race(open_: Open, workers: list[list[list[Event]]]) -> list[Result]:
    """Each worker, at a desk of its own, submits its batches; all answers."""
    answers: list[Result] = []
    errors: list[BaseException] = []
    start = threading.Barrier(len(workers))

    def work(batches: list[list[Event]]) -> None:
        try:
            desk = open_()
            start.wait()
            for batch in batches:
                answers.extend(desk.submit(batch))
            desk.close()
        except BaseException as error:
            errors.append(error)
            start.abort()

    threads = [threading.Thread(target=work, args=(batches,)) for batches in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    return answers


def deal(events: list[Event], workers: int, size: int) -> list[list[list[Event]]]:
    """Events dealt out to workers, in batches of some size."""
    hands = [events[n::workers] for n in range(workers)]
    return [[hand[i : i + size] for i in range(0, len(hand), size)] for hand in hands]


def redemptions(shop: Shop) -> list[Event]:
    shop(shop.enrol("1"), shop.buy("a", "1", 100_000))
    return [shop.redeem(f"r{n}", "1", 100) for n in range(64)]


def mugs(shop: Shop, count: int) -> list[Event]:
    shop(*[shop.enrol(f"{n}") for n in range(100)])
    return [shop.mug(f"m{n}", f"{n % 100}") for n in range(count)]


def test_64_redemptions_of_100_against_1000_are_10(shop: Shop, url: str) -> None:
    answers = race(guarded(url), deal(redemptions(shop), 16, 1))
    assert sorted(codes(answers)) == ["decided"] * 10 + ["not-enough"] * 54
    assert shop.points("1") == 0


def test_without_the_lock_more_are_granted(url: str) -> None:
    """The twin."""
    with Shop(url) as shop:
        loosen(shop)
        events = redemptions(shop)
    assert codes(race(unguarded(url), deal(events, 16, 1))).count("decided") > 10


def test_1000_claims_for_100_units_are_100(shop: Shop, url: str) -> None:
    answers = race(guarded(url), deal(mugs(shop, 1_000), 4, 10))
    assert sorted(codes(answers)) == ["decided"] * 100 + ["sold-out"] * 900
    (limit,) = shop.desk.books.all_limits()
    assert (limit.quantity, limit.taken) == (100, 100)


def test_without_the_guard_more_are_handed_out(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin."""
    monkeypatch.setattr(Foresight, "take", careless)
    with Shop(url) as shop:
        loosen(shop)
        events = mugs(shop, 1_000)
    assert codes(race(unguarded(url), deal(events, 4, 10))).count("decided") > 100


def test_the_same_events_from_everywhere_are_decided_once(shop: Shop, url: str) -> None:
    shop(*[shop.enrol(f"{n}") for n in range(5)])
    events = [shop.buy(f"b{n}", f"{n % 5}") for n in range(30)]
    events += [shop.buy(f"x{n}", "") for n in range(10)]
    events += [shop.tell(f"late-{n}", "card:9", events[0].body) for n in range(3)]
    turned = [events[n:] + events[:n] for n in (0, 11, 22, 33)]
    answers = race(guarded(url), [[turn[i : i + 5] for i in range(0, 43, 5)] for turn in turned])
    assert len({said(each) for each in answers}) == len(events)
    assert [shop.points(f"{n}") for n in range(5)] == [60] * 5
    assert sum(not each.again for each in answers) == len(events)


def test_two_desks_enrol_the_same_card_once(shop: Shop, url: str) -> None:
    workers = [
        [[Event(f"till-{n}", f"e{i}", NOON, f"card:{i}", shop.enrol("").body)] for i in range(20)]
        for n in range(4)
    ]
    answers = race(guarded(url), workers)
    assert set(codes(answers)) == {"decided"}
    counts = shop.desk.books.counts()
    assert (counts["card"], counts["account"], counts["entry"]) == (20, 20, 80)


@pytest.mark.parametrize("size", [1, 7])
def test_accounts_in_any_order_do_not_wait_for_each_other_forever(
    shop: Shop, url: str, size: int
) -> None:
    shop(*[shop.enrol(f"{n}") for n in range(20)])
    workers = [
        deal([shop.buy(f"{w}-{i}", f"{(i * step) % 20}") for i in range(40)], 1, size)[0]
        for w, step in enumerate((1, 3, 7, 19))
    ]
    assert set(codes(race(guarded(url), workers))) == {"decided"}
    assert sum(shop.points(f"{n}") for n in range(20)) == 1600
