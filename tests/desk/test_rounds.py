"""Rounds: time passes and checkpoints are made while nobody asks for anything."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kantis.core.calendar import DAY_MS
from kantis.desk.jobs import Runner, jobs
from kantis.desk.rounds import kinds
from tests.desk.shop import Shop


def within(seconds: float, there: Callable[[], bool]) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while not there():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@contextmanager
def going(shop: Shop, wrong: list[Exception]) -> Iterator[Runner]:
    """Rounds one right after the other."""
    runner = Runner(shop.desk, kinds(every_ms=10), wrong.append)
    try:
        yield runner
    finally:
        runner.close()


def points(shop: Shop) -> int:
    """What the rows of the books say, without asking the engine."""
    with shop.desk.quiet():
        return int(shop.desk.books.one("SELECT coalesce(sum(available), 0) FROM balance"))


def checkpoint(shop: Shop) -> int:
    with shop.desk.quiet():
        return shop.desk.books.last_checkpoint().number


def test_time_passes_and_a_checkpoint_is_made(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.buy("a", "1"))
    shop.now += 366 * DAY_MS
    assert (points(shop), checkpoint(shop)) == (10, 0), "without rounds nothing happens"
    wrong: list[Exception] = []
    with going(shop, wrong):
        assert within(20, lambda: points(shop) == 0 and checkpoint(shop) > 0)
        made = checkpoint(shop)
        time.sleep(0.1)
        assert checkpoint(shop) == made, "nothing new, no checkpoint"
        shop(shop.buy("b", "1"))
        assert within(20, lambda: checkpoint(shop) > made)
    assert wrong == []


def test_a_round_that_fails_is_told_and_the_next_one_comes(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.buy("a", "1"))
    shop.now += 366 * DAY_MS
    wrong: list[Exception] = []
    books = shop.desk.books
    due, broken = books.due, [True]

    def failing(*about: int) -> object:
        if broken.pop() if broken else False:
            raise RuntimeError("once")
        return due(*about)

    books.due = failing  # type: ignore[method-assign,assignment]
    with going(shop, wrong):
        assert within(20, lambda: points(shop) == 0)
    assert [str(each) for each in wrong] == ["once"]


def test_closing_ends_a_long_sweep_after_its_batch(shop: Shop) -> None:
    cards = [f"{n}" for n in range(450)]
    shop(*map(shop.enrol, cards), *[shop.buy(f"b{card}", card) for card in cards])
    shop.now += 366 * DAY_MS
    runner = Runner(shop.desk, kinds(), [].append)
    assert within(20, lambda: points(shop) < 4_500)
    runner.close()
    assert points(shop) > 0
    with shop.desk.quiet():
        rounds = next(each for each in jobs(shop.desk.books) if each.kind == "rounds")
    assert "stopped" in rounds.note
    assert shop.desk.sweep() > 0


def test_of_several_processes_one_goes_the_round(shop: Shop) -> None:
    wrong: list[Exception] = []
    at_once, most, lock = [0], [0], threading.Lock()
    settle = shop.desk.settle

    def counted() -> int:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.02)
        with lock:
            at_once[0] -= 1
        return settle()

    shop.desk.settle = counted  # type: ignore[method-assign]
    with going(shop, wrong), going(shop, wrong), going(shop, wrong):
        time.sleep(1.0)
    assert most == [1]
    assert wrong == []
