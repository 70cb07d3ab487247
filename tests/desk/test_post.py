"""The post: nobody waits who hands a request in, and each answer is told once."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kantis.core.events import Event
from kantis.desk import post as post_room
from kantis.desk.batch import Request
from kantis.desk.post import Post
from kantis.desk.readers import Readers
from kantis.desk.submit import Waiting
from tests.desk.shop import Shop, codes, said


class Box:
    """What was told, in which groups."""

    def __init__(self) -> None:
        self.told: list[list[Waiting]] = []
        self.news = threading.Condition()

    def __call__(self, those: list[Waiting]) -> None:
        with self.news:
            self.told.append(those)
            self.news.notify()

    @property
    def count(self) -> int:
        return sum(map(len, self.told))

    def wait(self, count: int) -> None:
        with self.news:
            assert self.news.wait_for(lambda: self.count >= count, 20)


@contextmanager
def posted(shop: Shop) -> Iterator[tuple[Post, Box]]:
    box = Box()
    post = Post(shop.desk, box)
    yield post, box
    post.close()


def ask(*events: Event, importing: bool = False) -> Request:
    return Request("", list(events), importing)


def test_each_answer_is_told_once_and_a_batch_together(shop: Shop) -> None:
    with posted(shop) as (post, box):
        with shop.desk.quiet():
            waiting = post.put([ask(shop.enrol(f"c{n}")) for n in range(50)])
        box.wait(50)
        time.sleep(0.05)
    assert box.count == 50
    assert len(box.told) < 10
    assert all(codes(each.answer or []) == ["decided"] for each in waiting)


def test_closing_finishes_what_was_handed_in(shop: Shop) -> None:
    with posted(shop) as (post, box), shop.desk.quiet():
        for n in range(20):
            post.put([ask(shop.enrol(f"c{n}"))])
    assert box.count == 20
    assert not post.alive
    assert shop.desk.books.counts()["account"] == 20


def place_of_a_till(shop: Shop) -> int:
    """How many are answered before a till that comes behind a whole import."""
    shop(shop.enrol("a"), shop.enrol("b"))
    with posted(shop) as (post, box):
        with shop.desk.quiet():
            for n in range(8):
                batch = [shop.buy(f"{n}-{m}", "a") for m in range(200)]
                post.put([ask(*batch, importing=True)])
            (till,) = post.put([ask(shop.buy("till", "b"))])
        box.wait(9)
    return [each for those in box.told for each in those].index(till)


def test_a_till_waits_for_few_batches_of_an_import(shop: Shop) -> None:
    assert place_of_a_till(shop) <= 1


def test_in_one_queue_a_till_would_wait_for_all_of_it(shop: Shop) -> None:
    shop.desk._bulk = shop.desk._tills
    assert place_of_a_till(shop) == 8


def test_an_outage_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop.desk, "_decided", lambda *_: (_ for _ in ()).throw(OSError("gone")))
    with posted(shop) as (post, box):
        (waiting,) = post.put([ask(shop.enrol("a"))])
        box.wait(1)
        monkeypatch.undo()
    assert waiting.done


def test_follow_ups_are_decided_by_themselves(shop: Shop) -> None:
    shop(shop.enrol("a"), shop.enrol("b"), shop.buy("1", "a", 10_000))
    with posted(shop) as (post, box):
        post.put([ask(shop.transfer("2", "a", "card:b", 50))])
        box.wait(1)
        give_up = time.monotonic() + 10
        while shop.points("b") != 50 and time.monotonic() < give_up:
            time.sleep(0.02)
    assert shop.points("b") == 50


def test_a_reader_quotes_as_the_desk_does_and_changes_nothing(shop: Shop) -> None:
    shop(shop.enrol("a"), shop.buy("1", "a", 5_000))
    readers = Readers(shop.desk, 2)
    before = shop.desk.books.counts()
    with readers.one() as reader:
        (quoted,) = reader.quote([shop.redeem("2", "a", 30)])
        assert codes(reader.quote([shop.enrol("new")])) == ["decided"]
    assert shop.desk.books.counts() == before
    (done,) = shop(shop.redeem("2", "a", 30))
    assert said(quoted) == said(done)
    with readers.one() as reader:
        assert codes(reader.quote([shop.redeem("3", "a", 30)])) == ["not-enough"]
    readers.close()


def groups(url: str, monkeypatch: pytest.MonkeyPatch, patience_s: float) -> int:
    """In how many groups those are answered who come again one after the other."""
    monkeypatch.setattr(post_room, "_PATIENCE", 1_000)
    monkeypatch.setattr(post_room, "_PATIENCE_S_MAX", patience_s)
    with Shop(url) as shop:
        shop(shop.enrol("a"))
        with posted(shop) as (post, box):
            with shop.desk.quiet():
                post.put([ask(shop.buy(f"first-{n}", "a")) for n in range(4)])
            box.wait(4)
            first = len(box.told)
            for n in range(4):
                post.put([ask(shop.buy(f"again-{n}", "a"))])
                time.sleep(0.05)
            box.wait(8)
            return len(box.told) - first


def test_those_who_come_again_share_a_batch_where_each_costs_ways_to_a_server(
    pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert groups(pg_url, monkeypatch, patience_s=10) == 1


def test_without_patience_each_has_its_own(pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin."""
    assert groups(pg_url, monkeypatch, patience_s=0) == 4
