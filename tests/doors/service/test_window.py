"""The window: one thread answers what comes together, and another helps past a slow look-up."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kantis.desk.readers import Readers
from kantis.desk.submit import Desk
from kantis.doors.api import window
from kantis.doors.api.window import Window
from kantis.store.books import Outage
from tests.desk.shop import TERMS, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(str(tmp_path / "books.db")) as shop:
        shop(shop.enrol("a"))
        yield shop


def thread_of(_: Desk) -> int:
    return threading.get_ident()


def test_what_comes_together_is_answered_by_one_thread(shop: Shop) -> None:
    async def run() -> list[int]:
        office = Window(Readers(shop.desk, 2), 2)
        found = await asyncio.gather(*(office.ask(thread_of) for _ in range(50)))
        office.close()
        return found

    assert len(set(asyncio.run(run()))) == 1


def slow_and_quick(shop: Shop) -> list[str]:
    """The order in which a look-up that waits for the other one, and that one, are answered."""
    order: list[str] = []
    gate = threading.Event()

    def slow(_: Desk) -> None:
        gate.wait(0.5)
        order.append("slow")

    def quick(_: Desk) -> None:
        order.append("quick")
        gate.set()

    async def run() -> None:
        office = Window(Readers(shop.desk, 2), 2)
        first = asyncio.ensure_future(office.ask(slow))
        await asyncio.sleep(0.01)
        await asyncio.gather(first, office.ask(quick))
        office.close()

    asyncio.run(run())
    return order


def test_another_thread_helps_where_a_look_up_is_slow(shop: Shop) -> None:
    assert slow_and_quick(shop) == ["quick", "slow"]


def test_without_help_the_quick_one_waits(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "HELP_AFTER_S", 60)
    assert slow_and_quick(shop) == ["slow", "quick"]


def test_an_error_is_that_of_whoever_asked(shop: Shop) -> None:
    def fails(_: Desk) -> None:
        raise Outage("gone")

    async def run() -> list[int | BaseException]:
        office = Window(Readers(shop.desk, 2), 2)
        wanted = office.ask(thread_of), office.ask(fails), office.ask(thread_of)
        found = await asyncio.gather(*wanted, return_exceptions=True)
        office.close()
        return list(found)

    first, second, third = asyncio.run(run())
    assert isinstance(second, Outage)
    assert first == third


def test_who_looks_after_an_answer_sees_what_it_told(shop: Shop) -> None:
    """A version and a stopped card are seen by the next look-up, though nobody asks each time."""

    async def run() -> None:
        office = Window(Readers(shop.desk, 1), 1)
        before = await office.ask(lambda reader: (reader.homes.edition, reader.books.statements))
        again = await office.ask(lambda reader: (reader.homes.edition, reader.books.statements))
        assert again == before  # the books were not asked
        shop.desk.publish("p", shop.now + 1, "later", TERMS)
        edition, _ = await office.ask(lambda reader: (reader.homes.edition, 0))
        assert edition == before[0] + 1
        office.close()

    asyncio.run(run())
