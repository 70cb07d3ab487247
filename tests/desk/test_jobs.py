"""Jobs: one process does a job, and when it dies another takes it over."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kantis.desk import jobs
from kantis.desk.jobs import LEASE_MS, Job, Kind, Progress, Runner
from tests.desk.shop import Shop
from tests.desk.test_rounds import within


class Clock:
    """Whole milliseconds, put forward by hand."""

    now = 1_000_000

    def __call__(self) -> int:
        return self.now


@contextmanager
def running(shop: Shop, kinds: dict[str, Kind], clock: Clock) -> Iterator[list[Exception]]:
    wrong: list[Exception] = []
    runner = Runner(shop.desk, kinds, wrong.append, now=clock)
    try:
        yield wrong
    finally:
        runner.close()


def look(shop: Shop, number: int = 1) -> Job:
    with shop.desk.quiet():
        found = jobs.job(shop.desk.books, number)
    assert found is not None
    return found


def ask(shop: Shop, clock: Clock, about: str = "") -> int:
    return int(shop.desk.chore("ask_job", clock(), "count", about))


def take(shop: Shop, at: int, worker: str) -> list[Any]:
    return list(shop.desk.chore("take_job", at, worker, ["count"]))


def test_a_job_that_is_asked_for_is_done_once(shop: Shop) -> None:
    clock, done = Clock(), []

    def count(desk: Any, job: Job, progress: Progress) -> str:
        done.append(job.about)
        return f"counted {job.about}"

    with running(shop, {"count": Kind(count)}, clock), running(shop, {"count": Kind(count)}, clock):
        number = ask(shop, clock, "five")
        assert within(20, lambda: look(shop, number).state == "done")
    assert (done, look(shop, number).note) == (["five"], "counted five")


def test_one_that_fails_is_tried_again_and_then_given_up(shop: Shop) -> None:
    clock = Clock()

    def count(desk: Any, job: Job, progress: Progress) -> str:
        raise RuntimeError("no")

    with running(shop, {"count": Kind(count)}, clock) as wrong:
        number = ask(shop, clock)
        for tries in range(1, jobs.TRIES_MAX + 1):
            assert within(20, lambda tries=tries: look(shop, number).tries == tries)
            assert within(20, lambda: look(shop, number).state != "running")
            clock.now += 60_000
        assert within(20, lambda: look(shop, number).state == "failed")
    assert len(wrong) == jobs.TRIES_MAX
    assert look(shop, number).note == "RuntimeError: no"


def test_a_job_has_one_worker_until_its_lease_is_over(shop: Shop) -> None:
    clock = Clock()
    number = ask(shop, clock)
    assert take(shop, clock.now, "one")[0] == number
    assert take(shop, clock.now + LEASE_MS - 1, "two") == []
    assert shop.desk.chore("beat_job", clock.now + LEASE_MS - 1, number, "one", 5, 10)
    assert (look(shop).done, look(shop).total) == (5, 10)
    assert take(shop, clock.now + LEASE_MS + 1, "two") == [], "a beat keeps it"
    assert take(shop, clock.now + 3 * LEASE_MS, "two")[0] == number
    late = clock.now + 3 * LEASE_MS
    assert not shop.desk.chore("beat_job", late, number, "one", 6, 10), "it has lost the job"
    assert not shop.desk.chore("end_job", late, number, "one", jobs.DONE, "", 0)
    assert shop.desk.chore("end_job", late, number, "two", jobs.DONE, "", 0)


def test_twin_without_leases_two_do_the_same_job(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE_MS", -1)
    clock = Clock()
    number = ask(shop, clock)
    assert take(shop, clock.now, "one")[0] == take(shop, clock.now, "two")[0] == number


def test_whoever_hears_that_the_job_is_lost_stops(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_BEAT_S", 0.05)
    clock, stopped = Clock(), threading.Event()

    def count(desk: Any, job: Job, progress: Progress) -> str:
        while not progress.pause(0.01):
            progress.say(1, 2)
        stopped.set()
        return "stopped"

    with running(shop, {"count": Kind(count)}, clock):
        number = ask(shop, clock)
        assert within(20, lambda: look(shop, number).done == 1)
        assert take(shop, clock.now + LEASE_MS + 1, "two")[0] == number
        assert stopped.wait(20)
        time.sleep(0.1)
    assert look(shop, number).worker == "two"


def test_the_time_of_what_is_over_is_over_some_day(shop: Shop) -> None:
    clock = Clock()
    number = ask(shop, clock)
    take(shop, clock.now, "one")
    shop.desk.chore("end_job", clock.now, number, "one", jobs.DONE, "", 0)
    assert shop.desk.chore("forget_jobs", clock.now + jobs.KEPT_MS) == 0
    assert shop.desk.chore("forget_jobs", clock.now + jobs.KEPT_MS + 1) == 1
