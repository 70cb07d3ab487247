"""Batches that are decided while those before them are written: the same books, and no loss."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kantis.core.events import Event
from kantis.desk.batch import Request
from kantis.desk.results import DECIDED, UNKNOWN
from kantis.desk.submit import Waiting
from kantis.store import scribe as scribe_of_books
from kantis.store.books import Conflict, Forbidden, Outage, Unknown
from kantis.store.rows import Page
from kantis.store.schema import READY
from kantis.store.scribe import Flight, Scribe, ScribedBooks
from kantis.store.sqlite import SqliteBooks
from tests.desk.day import day
from tests.desk.shop import Shop, codes, said


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "books.db")


def cut(events: list[Event], seed: int) -> Iterator[list[Event]]:
    """The events in batches of random sizes."""
    dice, rest = random.Random(seed), events
    while rest:
        size = dice.choice([1, 2, 3, 20, 150])
        batch, rest = rest[:size], rest[size:]
        yield batch


def books_of(shop: Shop) -> ScribedBooks:
    assert isinstance(shop.desk.books, ScribedBooks)
    return shop.desk.books


def played(path: str, seed: int | None) -> tuple[list[bytes], list[Any], int]:
    """A day in one batch, or streamed; answers, state, and how many batches flew."""
    with Shop(path) as shop:
        flown = count_flights(shop)
        events = day(shop, 7, 400)
        batches = [events] if seed is None else cut(events, seed)
        answers = [
            said(each) for batch in shop.desk.stream(batches, importing=True) for each in batch
        ]
        shop.prove()
        return answers, shop.state(), len(flown)


def count_flights(shop: Shop) -> list[Flight]:
    flown, books = [], books_of(shop)
    hand_over = books.hand_over

    def note() -> Flight | None:
        flight = hand_over()
        if flight is not None:
            flown.append(flight)
        return flight

    books.hand_over = note  # type: ignore[method-assign]
    return flown


def test_a_stream_gives_the_same_books_as_one_batch(tmp_path: Path) -> None:
    answers, state, _ = played(str(tmp_path / "whole.db"), None)
    flights = 0
    for seed in range(4):
        streamed = played(str(tmp_path / f"{seed}.db"), seed)
        assert streamed[:2] == (answers, state)
        flights += streamed[2]
    assert flights > 40


def test_who_reads_too_early_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: what is on its way is not waited for, and the books differ or break."""
    answers, state, _ = played(str(tmp_path / "whole.db"), None)
    monkeypatch.setattr(ScribedBooks, "land", lambda self: None)
    found = []
    for seed in range(4):
        try:
            found.append(played(str(tmp_path / f"{seed}.db"), seed)[:2])
        except Exception as error:
            found.append(([repr(error).encode()], []))
    assert any(each != (answers, state) for each in found)


def test_many_tills_share_the_books(path: str) -> None:
    with Shop(path) as shop:
        flown = count_flights(shop)
        shop(*[shop.enrol(f"{n}") for n in range(16)])

        def sell(till: int) -> None:
            for number in range(40):
                shop(shop.buy(f"{till}-{number}", f"{(till + number) % 16}", 1000))

        tills = [threading.Thread(target=sell, args=(n,)) for n in range(16)]
        for each in tills:
            each.start()
        for each in tills:
            each.join()
        assert sum(shop.points(f"{n}") for n in range(16)) == 16 * 40 * 10
        assert flown
        shop.prove()


def test_a_batch_that_cannot_be_written_is_found_and_those_behind_it_are_decided_anew(
    path: str,
) -> None:
    with Shop(path) as shop:
        shop(*[shop.enrol(f"{n}") for n in range(4)])
        broken: list[int] = []
        write = Scribe.write

        def spoil(self: Scribe, page: Page) -> Flight:
            if not broken and any(row[0] == "till/b1-0" for row in page.unsealed):
                broken.append(1)
                spoilt = Page(**{name: getattr(page, name) for name in page.__slots__})
                spoilt.postings = [(1, 99, 0, "points", 6, 0, 0, 1, "earning", 0, 0)]
                return write(self, spoilt)
            return write(self, page)

        Scribe.write = spoil  # type: ignore[method-assign]
        try:
            batches = [[shop.buy(f"b{n}-{i}", f"{i}", 1000) for i in range(4)] for n in range(6)]
            answers = list(shop.desk.stream(batches, importing=True))
        finally:
            Scribe.write = write  # type: ignore[method-assign]
        assert broken
        assert [codes(each) for each in answers] == [[DECIDED] * 4] * 6
        assert [shop.points(f"{n}") for n in range(4)] == [60] * 4
        shop.prove()


def test_when_the_scribe_is_killed_nothing_is_lost_or_doubled(path: str) -> None:
    with Shop(path) as shop:
        shop(*[shop.enrol(f"{n}") for n in range(8)])
        sent, unknown = [], 0
        dice = random.Random(5)
        for number in range(12):
            batches = [
                [shop.buy(f"{number}-{n}-{i}", f"{i}", 1000) for i in range(8)] for n in range(8)
            ]
            done = threading.Event()

            def kill(done: threading.Event = done) -> None:
                done.wait(dice.uniform(0, 0.02))
                scribe = books_of(shop)._scribe
                if scribe is not None:
                    os.kill(scribe._process.pid, signal.SIGKILL)

            killer = threading.Thread(target=kill)
            killer.start()
            for batch, answers in zip(
                batches, shop.desk.stream(batches, importing=True), strict=True
            ):
                for event, answer in zip(batch, answers, strict=True):
                    unknown += answer.outcome == UNKNOWN
                    assert answer.outcome in (UNKNOWN, DECIDED)
                    sent.append(event)
            killer.join()
        again = shop(*sent, importing=True)
        assert {each.outcome for each in again} == {DECIDED}
        assert sum(not each.again for each in again) <= unknown
        assert [shop.points(f"{n}") for n in range(8)] == [12 * 8 * 10] * 8
        shop.prove()


def test_what_was_decided_on_a_batch_that_is_lost_is_not_written(path: str) -> None:
    with Shop(path) as shop:
        shop(shop.enrol("1"))
    with ScribedBooks(path) as books:
        books.begin()
        books.write(Page(flags=[("e", 1, 1, "first", 0)]))
        books.hand_over()
        books.land()
        assert books._scribe is not None
        os.kill(books._scribe._process.pid, signal.SIGSTOP)
        books.begin()
        books.write(Page(flags=[("e", 1, 1, "lost", 0)]))
        lost = books.hand_over()
        assert lost is not None
        os.kill(books._scribe._process.pid, signal.SIGKILL)
        assert lost.landed.wait(10)
        books.begin()
        books.write(Page(flags=[("e", 1, 1, "decided on the lost one", 0)]))
        with pytest.raises(Conflict):
            books.hand_over()
        books.rollback()
        books.begin()
        books.write(Page(flags=[("e", 1, 1, "decided anew", 0)]))
        books.hand_over()
        books.land()
        assert [row.flag for row in books.flags(9)] == ["first", "decided anew"]


def test_a_scribe_that_is_still_writing_holds_up_the_next_desk(path: str) -> None:
    with Shop(path) as shop:
        shop(shop.enrol("1"))
    opened = threading.Event()
    holder = Scribe(path, lambda: None)
    assert holder.write(Page()).landed.wait(10)

    def open_shop() -> None:
        with Shop(path):
            opened.set()

    opener = threading.Thread(target=open_shop)
    opener.start()
    assert not opened.wait(0.3)
    holder.close()
    opener.join()
    assert opened.is_set()


def test_behind_a_failure_nothing_is_written(path: str) -> None:
    with Shop(path) as shop:
        shop(shop.enrol("1"))
    scribe = Scribe(path, lambda: None)
    bad = Page(postings=[(1, 9, 0, "points", 6, 0, 0, 1, "earning", 0, 0)])
    good = Page(flags=[("e", 1, 1, "flag", 0)])
    flights = [scribe.write(page) for page in (good, bad, good)]
    for each in flights:
        assert each.landed.wait(10)
    scribe.close()
    assert [type(each.error) for each in flights] == [type(None), Forbidden, Conflict]
    with Shop(path) as shop:
        assert len(shop.desk.books.flags(9)) == 1


def test_nobody_is_answered_before_the_commit(path: str) -> None:
    with Shop(path) as shop:
        shop(shop.enrol("1"))
        batches = [[shop.buy(f"{n}", "1", 1000)] for n in range(30)]
        with books_of(shop).reader() as other:
            for batch, _ in zip(batches, shop.desk.stream(batches, importing=True), strict=True):
                assert other.events([each.key for each in batch])


def test_accounts_opened_in_place_and_in_flight_have_numbers_of_their_own(tmp_path: Path) -> None:
    """A batch in flight opens an account, one in place the next, and one in flight the third."""
    with Shop(str(tmp_path / "books.db")) as shop:
        desk = shop.desk
        for each in [desk.queue(Request("", [shop.enrol(card)])) for card in ("a", "b")]:
            desk.answer(each)
        shop(shop.enrol("c"))
        scribe = desk.books._scribe._process  # type: ignore[attr-defined]
        scribe.send_signal(signal.SIGSTOP)  # what is handed over now stays in flight
        going_on = threading.Timer(0.3, scribe.send_signal, [signal.SIGCONT])
        going_on.start()
        events = [shop.buy("1", "a"), shop.enrol("d")]
        bulk = [desk.queue(Request("", [each], True)) for each in events]
        for each in bulk:
            desk.answer(each)
        going_on.join()
        assert desk.books.counts()["account"] == 4
        shop.prove()


def in_flight(shop: Shop, *events: Event) -> list[Waiting]:
    """Events of as many tills, in one batch that flies while somebody waits for its answer."""
    return [shop.desk.queue(Request("", [each])) for each in events]


def test_after_an_unknown_answer_the_next_verb_goes_on(path: str) -> None:
    with Shop(path) as shop:
        for each in in_flight(shop, shop.enrol("a"), shop.enrol("b")):
            shop.desk.answer(each)
        scribe = books_of(shop)._scribe
        assert scribe is not None
        scribe._process.send_signal(signal.SIGSTOP)
        killing = threading.Timer(0.3, scribe._process.kill)
        killing.start()
        lost = in_flight(shop, shop.buy("1", "a"), shop.buy("2", "b"))
        assert [codes(shop.desk.answer(each)) for each in lost] == [[UNKNOWN], [UNKNOWN]]
        killing.join()
        assert shop.desk.checkpoint() == 1
        shop.prove()


def test_batches_are_answered_in_the_order_of_deciding(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of a shared limit is written in place, behind one that flies; and it tidies up."""
    with Shop(path) as shop:
        shop(shop.enrol("a"))
        answered: list[str] = []
        tidied: list[int] = []
        monkeypatch.setattr(shop.desk.books, "tidy", lambda: tidied.append(1))

        def told(those: list[Waiting]) -> None:
            answered.extend(each.request.events[0].id for each in those)

        events = [shop.buy("1", "a"), shop.mug("2", "a"), shop.buy("3", "a")]
        waiting = [shop.desk.queue(Request("", [each], True), told) for each in events]
        for each in waiting:
            shop.desk.answer(each)
        assert answered == ["1", "2", "3"]
        assert tidied


def test_a_stream_that_ends_early_leaves_nothing_to_be_decided_later(path: str) -> None:
    with Shop(path) as shop:
        shop(shop.enrol("a"))

        def batches() -> Iterator[list[Event]]:
            yield [shop.buy("1", "a")]
            yield [shop.buy("2", "a")]
            raise OSError("the file cannot be read any further")

        for importing in (False, True):
            with pytest.raises(OSError, match="any further"):
                list(shop.desk.stream(batches(), importing=importing))
            shop(shop.buy("3", "a"))
        assert shop.points("a") == 10


def test_who_closes_the_desk_comes_before_the_next_batch(path: str) -> None:
    """Those that were joined are answered, the others learn that nothing was recorded."""
    shop = Shop(path)
    shop(shop.enrol("a"))
    events = [shop.buy(f"{n}", "a") for n in range(400)]
    waiting = [shop.desk.queue(Request("", [each], True)) for each in events]

    def work() -> None:
        for each in waiting:
            with contextlib.suppress(Outage):
                shop.desk.answer(each)

    working = threading.Thread(target=work)
    working.start()
    while not waiting[0].done:
        time.sleep(0.001)
    shop.desk.close()
    answered = {each.request.events[0].key for each in waiting if each.answer is not None}
    working.join()
    assert len(answered) < 400
    assert all(each.answer is not None or isinstance(each.error, Outage) for each in waiting)
    with Shop(path) as again:
        assert {row.key for row in again.desk.books.events(each.key for each in events)} == answered


def test_what_the_scribe_said_before_it_ended_is_heard(path: str) -> None:
    """The desk notices that it has ended before it has heard the last answer."""
    with Shop(path) as shop:
        shop(shop.enrol("1"))
    listens = threading.Event()

    def slowly() -> None:
        listens.wait(5)

    scribe = Scribe(path, slowly)
    page = Page(flags=[("e", 1, 1, "flag", 0)])
    flights = [scribe.write(page), scribe.write(page)]
    assert flights[0].landed.wait(10)
    scribe._socket.recv(1, socket.MSG_PEEK)  # the second answer has come
    scribe._process.kill()
    scribe._process.wait()
    flights.append(scribe.write(page))
    listens.set()
    for each in flights:
        assert each.landed.wait(10)
    scribe.close()
    assert [type(each.error) for each in flights] == [type(None), type(None), Unknown]


def test_what_waits_is_taken_up_by_the_batch_after_the_one_it_waits_for(path: str) -> None:
    """The first batch of all parks a refund, the second brings what it waits for."""
    with Shop(path) as shop:
        shop(shop.enrol("a"), importing=True)
        batches = [[shop.refund("f", "a", "1")], [shop.buy("1", "a")], [shop.buy("2", "a")]]
        list(shop.desk.stream(batches, importing=True))
        assert not shop.desk.books.waiting(READY, 1)


def test_what_was_parked_in_place_is_taken_up_too(path: str) -> None:
    with Shop(path) as shop:
        list(shop.desk.stream([[shop.enrol(card)] for card in "abc"], importing=True))
        assert codes(shop(shop.refund("f", "a", "1"))) == ["parked"]
        scribe = books_of(shop)._scribe
        assert scribe is not None
        scribe._process.send_signal(signal.SIGSTOP)  # what is handed over now stays in flight
        going_on = threading.Timer(0.3, scribe._process.send_signal, [signal.SIGCONT])
        going_on.start()
        list(shop.desk.stream([[shop.buy("1", "a")], [shop.buy("2", "a")]], importing=True))
        going_on.join()
        assert not shop.desk.books.waiting(READY, 1)


def test_when_too_much_waits_to_be_remembered_it_is_taken_up_too(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kantis.store.scribe._WAITS_MAX", 3)
    with Shop(path) as shop:
        shop(shop.enrol("a"), importing=True)
        parked = [[shop.refund(f"f{n}", "a", f"{n}")] for n in range(6)]
        bought = [[shop.buy(f"{n}", "a")] for n in range(6)]
        list(shop.desk.stream([*parked, *bought, [shop.buy("last", "a")]], importing=True))
        assert not shop.desk.books.waiting(READY, 1)
        assert shop.points("a") == 10


def test_the_scribe_leaves_it_to_the_desk_when_to_end(path: str) -> None:
    """Ctrl-C and a service manager reach every process of a group."""
    with Shop(path) as shop:
        shop(shop.enrol("1"))
    scribe = Scribe(path, lambda: None)
    page = Page(flags=[("e", 1, 1, "flag", 0)])
    assert scribe.write(page).landed.wait(10)
    for number in (signal.SIGINT, signal.SIGTERM):
        scribe._process.send_signal(number)
        flight = scribe.write(page)
        assert flight.landed.wait(10)
        assert flight.error is None
    scribe.close()


_DIES = """
import os, signal, sys
from kantis.store.rows import Page
from kantis.store.scribe import Scribe
scribe = Scribe(sys.argv[1], print)
os.kill(scribe._process.pid, signal.SIGSTOP)
scribe.write(Page(flags=[("e", 1, 1, "flag", 0)]))
print(scribe._process.pid, flush=True)
os._exit(0)
"""


def test_a_scribe_without_a_lock_writes_nothing_when_its_desk_has_ended(path: str) -> None:
    with Shop(path) as shop:
        shop(shop.enrol("1"))
    desk = subprocess.Popen([sys.executable, "-c", _DIES, path], stdout=subprocess.PIPE)
    assert desk.stdout is not None
    scribe = int(desk.stdout.readline())
    desk.wait()
    with Shop(path) as shop:
        os.kill(scribe, signal.SIGCONT)
        desk.stdout.read()  # until the scribe has ended
        desk.stdout.close()
        assert shop.desk.books.flags(9) == []


@pytest.mark.parametrize("room", [pytest.param(scribe_of_books._ROOM, id="room"), 1])
def test_the_desk_goes_on_while_the_scribe_takes_nothing_in(
    path: str, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin has no room on the way: the desk waits for the scribe."""
    with socket.socket(socket.AF_UNIX) as one:  # as much as this system allows
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, scribe_of_books._ROOM)
        allowed = one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    monkeypatch.setattr(scribe_of_books, "_ROOM", room)
    batches = [Page(arrived=["x" * (allowed // 8)]) for _ in range(3)]
    with SqliteBooks(path) as books:
        books.migrate()
    scribe = Scribe(path, lambda: None)
    flights = [scribe.write(Page())]
    assert flights[0].landed.wait(20)
    scribe._process.send_signal(signal.SIGSTOP)
    desk = threading.Thread(target=lambda: flights.extend(map(scribe.write, batches)))
    desk.start()
    desk.join(20 if room > 1 else 0.5)
    waits = desk.is_alive()
    scribe._process.send_signal(signal.SIGCONT)
    desk.join()
    landed = [flight.landed.wait(20) and not flight.error for flight in flights]
    scribe.close()
    assert waits == (room == 1)
    assert landed == [True] * 4
