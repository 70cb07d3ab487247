"""Power cuts on SQLite: what was acknowledged is there when the power comes back.

The machine stops at a random operation of the disk, and everything that was not synced is
lost, or some sectors of it are. The control does the same without syncing every commit,
and has to lose something: so the test can fail.
"""

import contextlib
import random
from pathlib import Path

import pytest

from kantis.desk.submit import Desk
from kantis.desk.verify import verify
from kantis.store.books import Outage
from kantis.store.sqlite import SqliteBooks
from tests.desk.shop import NOON, TERMS, Shop
from tests.desk.stub import STUB
from tests.store.power import Disk


def shop_on(path: Path, disk: Disk | None, synchronous: str) -> Shop:
    books = SqliteBooks(path, alone=True, vfs=disk.name if disk else None)
    books.migrate()
    books.execute(f"PRAGMA synchronous = {synchronous}")
    shop = Shop.__new__(Shop)
    shop.now = NOON
    shop.desk = Desk(books, engine=STUB, clock=lambda: NOON)
    return shop


def sell_until_the_power_fails(
    path: Path, seed: int, luck: float, synchronous: str
) -> tuple[int, int]:
    """How many answers were given before the power cut, and how many of them are gone."""
    dice = random.Random(seed)
    for old in path.parent.glob(path.name + "*"):
        old.unlink()
    with shop_on(path, None, "FULL") as shop:
        shop.desk.publish("p", NOON, "terms", TERMS)
        shop(*[shop.enrol(f"{n}") for n in range(5)])
    disk = Disk()
    disk.fail_after = dice.randrange(10, 600)
    given: list[str] = []
    shop = shop_on(path, disk, synchronous)
    for number in range(200):
        events = [
            shop.buy(f"{number}-{n}", f"{dice.randrange(5)}")
            for n in range(dice.choice([1, 3, 20]))
        ]
        try:
            answers = shop(*events)
            given += [each.key for each in answers if each.outcome == "decided"]
            if number % 10 == 9:
                shop.desk.books.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except Outage:
            break
    found = disk.cut(dice, luck)
    disk.fail_after = 1 << 60
    shop.desk.books.close()
    for file, data in found.items():
        file.write_bytes(data)
    Path(f"{path}-shm").unlink(missing_ok=True)
    with shop_on(path, None, "FULL") as shop:
        books = shop.desk.books
        assert books.one("PRAGMA integrity_check") == "ok"
        there = {row.key for row in books.events(given)}
        assert verify(books).ok
    return len(given), len(set(given) - there)


@pytest.mark.slow
@pytest.mark.parametrize("luck", [0.0, 0.5], ids=["all un-synced lost", "torn"])
def test_full_synchronous_loses_nothing(tmp_path: Path, luck: float) -> None:
    runs = [
        sell_until_the_power_fails(tmp_path / "books.db", seed, luck, "FULL") for seed in range(60)
    ]
    given, lost = (sum(column) for column in zip(*runs, strict=True))
    print(f"60 power cuts, luck {luck}: {given} acknowledged, {lost} lost")
    assert given > 1_000
    assert lost == 0


@pytest.mark.slow
def test_a_disk_that_fails_once_loses_nothing_and_the_desk_goes_on(tmp_path: Path) -> None:
    """Each operation of the disk in turn fails once; then the power is cut."""
    path, went_wrong, given = tmp_path / "books.db", 0, 0
    for number in range(1, 150, 2):
        with shop_on(path, None, "FULL") as shop:
            if "p" not in shop.desk.books.programs():
                shop.desk.publish("p", NOON, "terms", TERMS)
                shop(*[shop.enrol(f"{n}") for n in range(5)])
        disk = Disk()
        shop = shop_on(path, disk, "FULL")
        disk.fail_once = disk.operations + number
        kept: list[str] = []
        for i in range(25):
            events = [shop.buy(f"{number}-{i}-{n}", f"{n}") for n in range(3)]
            try:
                answers = shop(*events)
            except Outage:
                went_wrong += 1
                answers = shop(*events)
            if answers[0].outcome == "unknown":
                went_wrong += 1
                answers = shop(*events)
            assert [each.outcome for each in answers] == ["decided"] * 3
            kept += [each.key for each in answers]
            if i % 10 == 9:
                with contextlib.suppress(Outage):
                    shop.desk.books.execute("PRAGMA wal_checkpoint(PASSIVE)")
        found = disk.cut(random.Random(number), 0.0)
        shop.desk.books.close()
        for file, data in found.items():
            file.write_bytes(data)
        Path(f"{path}-shm").unlink(missing_ok=True)
        with shop_on(path, None, "FULL") as shop:
            assert len(shop.desk.books.events(kept)) == len(kept)
            assert verify(shop.desk.books).ok
        given += len(kept)
    assert went_wrong > 30
    print(f"{went_wrong} failures of the disk, {given} acknowledged, 0 lost")


def test_without_it_the_same_cuts_lose_something(tmp_path: Path) -> None:
    """The control."""
    runs = [
        sell_until_the_power_fails(tmp_path / "books.db", seed, 0.0, "NORMAL") for seed in range(10)
    ]
    assert sum(lost for _, lost in runs) > 0
