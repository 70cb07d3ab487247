"""Who works for all: the turn is never lost, however a wait ends."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kantis.core.events import Event
from kantis.desk.batch import Request
from kantis.desk.submit import Waiting
from kantis.store.books import Conflict
from kantis.store.rows import Page
from kantis.store.scribe import Flight, ScribedBooks
from tests.desk.shop import Shop, codes


class SlowGate:
    """A gate behind which somebody stops before going on."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()
        self.waits, self.woken, self.go_on = (threading.Event() for _ in range(3))

    def acquire(self) -> None:
        self.waits.set()
        self._gate.acquire()
        self.woken.set()
        assert self.go_on.wait(10)

    def release(self) -> None:
        self._gate.release()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(f"{tmp_path}/books.db") as opened:
        opened(*[opened.enrol(card) for card in "ab"])
        yield opened


@contextmanager
def landing_by_hand(shop: Shop) -> Iterator[list[Flight]]:
    """Batches are written at once, and land when they are told to."""
    books, flights = shop.desk.books, []
    assert isinstance(books, ScribedBooks)

    def hand_over() -> Flight:
        books.commit()
        flights.append(Flight(Page()))
        return flights[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(books, "hand_over", hand_over)
        yield flights


def land(shop: Shop, flight: Flight, error: Exception | None = None) -> None:
    flight.land(error)
    shop.desk.books.news()  # type: ignore[attr-defined]


def started(shop: Shop, waiting: Waiting) -> threading.Thread:
    thread = threading.Thread(target=shop.desk.answer, args=(waiting,), daemon=True)
    thread.start()
    return thread


def until(holds: Callable[[], object]) -> None:
    for _ in range(1_000):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came to be")


def load(shop: Shop, *events: Event) -> Waiting:
    return shop.desk.queue(Request("", list(events), True))


def assert_answered(shop: Shop, event: Event) -> None:
    found: list[str] = []
    asking = threading.Thread(target=lambda: found.extend(codes(shop(event))), daemon=True)
    asking.start()
    asking.join(10)
    assert found == ["decided"]


def test_the_turn_is_passed_on_by_one_who_was_answered_meanwhile(shop: Shop) -> None:
    """It is given to somebody whose answer comes, from a guest, before there is work to do."""
    with landing_by_hand(shop) as flights:
        first, second = load(shop, shop.buy("1", "a")), load(shop, shop.buy("2", "b"))
        second.gate = gate = SlowGate()  # type: ignore[assignment]
        working = started(shop, first)
        until(lambda: len(flights) == 2)
        waiting = started(shop, second)
        assert gate.waits.wait(10)
        land(shop, flights[0])
        working.join(10)
        assert gate.woken.wait(10)  # it has the turn now, and is slow
        land(shop, flights[1])
        with shop.desk.quiet():
            assert second.done
        gate.go_on.set()
        waiting.join(10)
    assert_answered(shop, shop.buy("3", "a"))


def test_the_turn_is_not_given_to_one_who_gave_up(shop: Shop) -> None:
    class Impatient(SlowGate):
        def acquire(self) -> None:
            self.waits.set()
            raise KeyboardInterrupt

    with landing_by_hand(shop) as flights:
        first, second = load(shop, shop.buy("1", "a")), load(shop, shop.buy("2", "b"))
        second.gate = Impatient()  # type: ignore[assignment]
        working = started(shop, first)
        until(lambda: len(flights) == 2)
        with pytest.raises(KeyboardInterrupt):
            shop.desk.answer(second)
        land(shop, flights[0])
        working.join(10)
        land(shop, flights[1])
    assert_answered(shop, shop.buy("3", "a"))
    assert second.done


def test_one_who_is_interrupted_leaves_nobody_without_an_answer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch did not land, and its decision in place is interrupted: both are told."""
    with landing_by_hand(shop) as flights:
        mine, other = (shop.desk.queue(Request("", [shop.buy(i, "a")])) for i in "12")

        def interrupt(requests: list[Request]) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(shop.desk, "transact", interrupt)
        failing = threading.Thread(
            target=lambda: (until(lambda: flights), land(shop, flights[0], Conflict("lost")))
        )
        failing.start()
        with pytest.raises(KeyboardInterrupt):
            shop.desk.answer(mine)
        failing.join()
        assert other.done
        monkeypatch.undo()
    assert_answered(shop, shop.buy("3", "a"))
