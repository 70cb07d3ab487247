"""Writer: several processes feed one file, and somebody at the till does not wait for an import."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import kantis.desk
from kantis.core.knobs import ProgramError
from kantis.desk import flags, lease
from kantis.desk.audit import By
from kantis.desk.batch import Request
from kantis.desk.submit import Desk
from kantis.desk.verify import verify
from kantis.desk.writer import RemoteDesk, socket_file
from kantis.store.books import Outage
from tests.desk.shop import NOON, Shop, codes
from tests.desk.stub import STUB
from tests.support.postgres import REPO

HOLDER = """
import sys, time
from tests.desk.shop import Shop
with Shop(sys.argv[1]) as shop:
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "books.db"


def hold(path: Path) -> subprocess.Popen[str]:
    """Another process that has the lease."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finish(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()


def far(path: Path) -> RemoteDesk:
    desk = kantis.desk.open(str(path), engine=STUB, clock=lambda: NOON)
    assert isinstance(desk, RemoteDesk)
    return desk


def near(path: Path) -> Desk:
    desk = kantis.desk.open(f"sqlite:///{path}", engine=STUB, clock=lambda: NOON)
    assert isinstance(desk, Desk)
    return desk


def words() -> Shop:
    """A shop to say events with."""
    shop = Shop.__new__(Shop)
    shop.now = 0
    return shop


def test_another_process_is_asked_over_its_socket(path: Path) -> None:
    holder, say = hold(path), words()
    with far(path) as desk:
        assert lease.holder(path) == str(holder.pid)
        results = desk.submit([say.enrol("1"), say.buy("a", "1"), say.redeem("r", "1", 100)])
        assert codes(results) == ["decided", "decided", "not-enough"]
        assert results[1].entry is not None
        assert results[1].entry.decision.postings[0][3] == 10
        assert desk.submit([say.buy("a", "1")])[0].again
        assert codes(desk.quote([say.redeem("q", "1", 5)])) == ["decided"]
        assert desk.checkpoint() == 1
        assert desk.sweep() == 0
        assert desk.settle() == 0
        assert not flags.again(desk, 1, "till/none", By("test"))
        assert not flags.clear(desk, 1, 1, By("test"))
        assert verify(desk.books).ok
    finish(holder)
    with near(path) as here:
        assert here.books.counts()["entry"] == 3


def test_versions_are_published_from_afar_and_faults_come_back(path: Path) -> None:
    holder, say = hold(path), words()
    with far(path) as desk:
        assert desk.publish("p", NOON + 1, "terms", {"rate": "3"}) == 2
        with pytest.raises(ProgramError, match="after the one before"):
            desk.publish("p", NOON, "terms", {"rate": "4"})
        with pytest.raises(Outage, match="Error"):
            desk.publish("p", NOON + 2, "terms", {"rate": "x", "limits": 5})
        assert codes(desk.submit([say.enrol("1"), say.buy("a", "1")])) == ["decided", "decided"]
    finish(holder)


def test_when_the_writer_dies_answers_are_unknown_and_the_next_one_takes_over(path: Path) -> None:
    holder, say = hold(path), words()
    with far(path) as desk:
        assert codes(desk.submit([say.enrol("1")])) == ["decided"]
        holder.send_signal(signal.SIGSTOP)
        timer = threading.Timer(0.2, lambda: os.kill(holder.pid, signal.SIGKILL))
        timer.start()
        assert codes(desk.submit([say.buy("a", "1")])) == ["unknown"]
        timer.join()
        holder.communicate()
        with near(path) as here:
            assert codes(here.submit([say.buy("a", "1")])) == ["decided"]
            (again,) = desk.submit([say.buy("a", "1")])  # finds the new writer by itself
            assert again.again
    assert not socket_file(path).exists()


def test_a_holder_that_does_not_answer_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kantis.desk.writer._PATIENCE_S", 0.1)
    holder = hold(path)
    socket_file(path).unlink()
    with pytest.raises(Outage, match=f"Process {holder.pid} has the lease"):
        kantis.desk.open(str(path))
    finish(holder)


def test_the_same_process_may_open_its_books_twice(path: Path) -> None:
    with Shop(str(path)) as shop, far(path) as second:
        shop(shop.enrol("1"))
        assert codes(second.submit([shop.buy("a", "1")])) == ["decided"]
        shop.prove()
    with near(path) as again:
        assert again.books.counts()["entry"] == 2


def test_books_that_cannot_be_opened_leave_no_lease(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, " * 50)
    for _ in range(2):
        with pytest.raises(Outage, match="cannot be opened"):
            kantis.desk.open(str(path))
    assert not socket_file(path).exists()


def test_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120) / "books.db"
    assert len(os.fsencode(socket_file(path))) < 100
    with Shop(str(path)), far(path) as second:
        assert codes(second.submit([words().enrol("1")])) == ["decided"]


# ── queues ───────────────────────────────────────────────────────────────────


class Slow:
    """Notes the batches of a desk, and makes each one take its time."""

    def __init__(self, desk: Desk, seconds: float) -> None:
        self.batches: list[list[Request]] = []
        self.desk, self.seconds, self.real = desk, seconds, desk._decided
        desk._decided = self  # type: ignore[method-assign,assignment]

    def __call__(self, requests: list[Request], ready: int, aside: str) -> object:
        self.batches.append(requests)
        time.sleep(self.seconds)
        return self.real(requests, ready, aside)


def test_requests_that_come_together_share_a_commit(path: Path) -> None:
    with Shop(str(path)) as shop:
        shop(*[shop.enrol(f"{n}") for n in range(32)])
        slow = Slow(shop.desk, 0.02)
        threads = [
            threading.Thread(target=shop, args=(shop.buy(f"b{n}", f"{n}"),)) for n in range(32)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(slow.batches) < 10
        assert sum(len(batch) for batch in slow.batches) == 32
        assert [shop.points(f"{n}") for n in range(32)] == [10] * 32
        shop.prove()


def test_a_till_waits_for_one_batch_of_an_import_at_most(path: Path) -> None:
    with Shop(str(path)) as shop:
        shop(*[shop.enrol(f"{n}") for n in range(10)])
        slow = Slow(shop.desk, 0.005)
        stop = threading.Event()

        def load(source: int) -> None:
            number = 0
            while not stop.is_set():
                number += 1
                shop(shop.buy(f"{source}-{number}", "1", 100), importing=True)

        loaders = [threading.Thread(target=load, args=(n,)) for n in range(4)]
        for thread in loaders:
            thread.start()
        waits = []
        for n in range(20):
            before = len(slow.batches)
            assert codes(shop(shop.redeem(f"r{n}", "2", 1))) == ["not-enough"]
            waits.append(len(slow.batches) - before)
        stop.set()
        for thread in loaders:
            thread.join()
        assert max(waits) <= 3, waits
        imports = [sum(each.importing for each in batch) for batch in slow.batches]
        assert max(imports) == 1
        assert sum(imports) > 20
        shop.prove()


def test_an_error_reaches_everybody_who_waited(path: Path) -> None:
    with Shop(str(path)) as shop:
        shop(shop.enrol("1"))
        slow = Slow(shop.desk, 0.02)

        def fail(requests: list[Request], ready: int, aside: str) -> object:
            raise Outage("the disk is full")

        slow.real = fail  # type: ignore[assignment]
        seen: list[str] = []

        def sell(n: int) -> None:
            try:
                shop(shop.buy(f"b{n}", "1"))
            except Outage as error:
                seen.append(str(error))

        threads = [threading.Thread(target=sell, args=(n,)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == ["the disk is full"] * 5
