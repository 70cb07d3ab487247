"""Several processes on the same books: nothing lost, nothing doubled, and one of them at a time."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import kantis.desk
from kantis.core.knobs import plain
from kantis.desk import jobs, text
from kantis.desk.verify import verify
from kantis.doors.cli import working
from tests.desk.test_outbox import open_club, owed, told
from tests.desk.test_rounds import within
from tests.doors.service.server import (
    CLUB,
    KANTIS,
    Server,
    begin,
    buy,
    children,
    enrol,
    environment,
    served,
)
from tests.doors.service.test_events import problem
from tests.support.receiver import receiving


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "books.db")
    return str(request.getfixturevalue("pg_url"))


class Worker:
    """``kantis worker`` in a process of its own."""

    def __init__(self, store: str) -> None:
        self.process = subprocess.Popen(
            [*KANTIS, "worker", "--json", "--lan-webhooks", "--store", store],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(store),
        )  # fmt: skip

    def end(self, sign: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code and what it said."""
        self.process.send_signal(sign)
        said, _ = self.process.communicate(timeout=30)
        return self.process.returncode, said


@contextmanager
def at_work(store: str) -> Iterator[Worker]:
    worker = Worker(store)
    try:
        yield worker
    finally:
        if worker.process.poll() is None:
            worker.end(signal.SIGKILL)


def done(server: Server) -> dict[str, str]:
    """What each job of the books said last, as the worker wrote it."""
    with kantis.desk.open(server.store) as desk:
        return {each.kind: each.note for each in jobs.jobs(desk.books)}


def test_a_worker_does_what_the_service_leaves_to_it(store: str) -> None:
    keys = begin(store, "club")
    with (
        receiving() as receiver,
        served(store, options=["--no-jobs", "--lan-webhooks"]) as server,
        server.client(keys["club/staff"]) as staff,
    ):
        staff.post("/v1/webhooks", json={"url": receiver.url("/ok")})
        staff.post("/v1/events", json=enrol("1"))
        time.sleep(1.0)
        assert receiver.came == [], "the service itself delivers nothing"
        assert done(server) == {}
        with at_work(store) as worker:
            receiver.wait("/ok", 1)
            assert within(20, lambda: "checkpoint" in done(server).get("rounds", ""))
            staff.post("/v1/events", json=buy("a", "1"))
            receiver.wait("/ok", 2)
            # noted before the kill, or the next message of the account waits a minute for it
            assert within(20, lambda: "kantis_webhook_waiting 0.0" in staff.get("/metrics").text)
            worker.end(signal.SIGKILL)
        staff.post("/v1/events", json=buy("b", "1"))
        with at_work(store) as worker:
            receiver.wait("/ok", 3)
            status, said = worker.end()
        assert status == 0, said
        assert "delivered" in said
        assert "Traceback" not in said
        figures = staff.get("/metrics").text
        assert "kantis_webhook_waiting 0.0" in figures
        assert server.end()[0] == 0


def test_on_sqlite_a_worker_waits_for_the_service_and_lets_it_go(tmp_path: Path) -> None:
    store = str(tmp_path / "books.db")
    begin(store, "club")
    with at_work(store) as worker:
        time.sleep(1.5)
        for _ in range(2):  # a service can start, and start again, beside it
            with served(store, options=["--no-jobs"]) as server:
                time.sleep(1.0)
                assert server.end()[0] == 0
        status, said = worker.end()
    assert status == 0, said
    assert said.count("waits for a process") >= 1


def test_a_worker_without_the_keys_says_so_and_ends(pg_url: str, tmp_path: Path) -> None:
    keys = begin(pg_url, "club")
    with (
        served(pg_url, options=["--no-jobs", "--lan-webhooks"]) as server,
        server.client(keys["club/staff"]) as staff,
    ):
        staff.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/none"})
    worker = subprocess.run(
        [*KANTIS, "worker", "--store", pg_url, "--vault", str(tmp_path / "elsewhere")],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert worker.returncode == 3, worker.stderr
    assert "keys-missing" in worker.stderr
    assert "KANTIS_VAULT" in worker.stderr


def test_jobs_are_listed(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    begin(store, "club")
    with open_club(store) as desk:
        number = desk.chore("ask_job", 5, "rounds", "")
        desk.chore("take_job", 5, "somebody", ["rounds"])
        desk.chore("beat_job", 5, number, "somebody", 3, 7)
    working.list_jobs(store)
    out = capsys.readouterr().out
    assert "3 of 7" in out
    assert "somebody" in out
    working.list_jobs(store, json=True)
    assert '"waiting": 0' in capsys.readouterr().out


CALLERS, EACH = 64, 6


def test_two_services_with_64_callers_lose_and_double_nothing(pg_url: str) -> None:
    keys = begin(pg_url, "club")
    with receiving() as receiver, served(pg_url, options=["--lan-webhooks"]) as one:
        with served(pg_url, options=["--lan-webhooks"]) as two:
            with one.client(keys["club/staff"]) as staff:
                staff.post("/v1/webhooks", json={"url": receiver.url("/ok")})
            with one.client(keys["club/till"]) as till:
                for card in range(8):
                    till.post("/v1/events", json=enrol(str(card)))

            def shop(caller: int) -> list[int]:
                """The same events to both, so that each is asked for twice at once."""
                found = []
                with one.client(keys["club/till"]) as a, two.client(keys["club/till"]) as b:
                    for n in range(EACH):
                        event = buy(f"pair-{caller // 2}-{n}", str(caller // 2 % 8), 1)
                        found.append((a, b)[caller % 2].post("/v1/events", json=event).status_code)
                return found

            with ThreadPoolExecutor(CALLERS) as pool:
                statuses = Counter(s for each in pool.map(shop, range(CALLERS)) for s in each)
            seen_at_once(one, two, keys, pg_url)
            with open_club(pg_url) as desk:
                assert verify(desk.books).ok
                bought = desk.books.one("SELECT count(*) FROM event WHERE type = 'purchase'")
                earned = desk.books.one("SELECT sum(available) FROM balance")
                assert within(60, lambda: owed(desk.books) == told(desk.books))
                expected = sum(owed(desk.books).values())
                receiver.wait("/ok", expected, 120)
                rounds = [each for each in jobs.jobs(desk.books) if each.kind == "rounds"]
            assert two.end()[0] == 0
        assert one.end()[0] == 0
    assert bought == earned == CALLERS // 2 * EACH
    assert statuses == {200: 2 * bought}
    ids = {each["id"] for each in receiver.at("/ok")}
    assert sum(each.startswith("entry-") for each in ids) == expected
    assert len(rounds) == 1


def test_workers_of_one_command_share_an_address(pg_url: str) -> None:
    keys = begin(pg_url, "club")
    with served(pg_url, options=["--workers", "2"]) as server:
        with server.client(keys["club/till"]) as till:
            till.post("/v1/events", json=enrol("1"))

        def shop(caller: int) -> list[int]:
            found = []
            for n in range(4):
                with server.client(keys["club/till"]) as till:  # a connection each
                    event = buy(f"{caller}-{n}", "1", 1)
                    found.append(till.post("/v1/events", json=event).status_code)
            return found

        with ThreadPoolExecutor(16) as pool:
            statuses = [s for each in pool.map(shop, range(16)) for s in each]
        assert statuses == [200] * 64
        first = children(server)
        assert len(first) == 2
        os.kill(first[0], signal.SIGKILL)
        with server.client(keys["club/till"]) as till:
            assert till.post("/v1/events", json=buy("meanwhile", "1", 1)).status_code == 200
        assert within(20, lambda: len(children(server)) == 2 and children(server) != first)
        status, log = server.end()
    assert (status, "worker ended" in log) == (0, True), log
    with open_club(pg_url) as desk:
        assert verify(desk.books).ok
        assert desk.books.one("SELECT sum(available) FROM balance") == 65


def is_running(pid: int) -> bool:
    """Whether a process is there; one that has ended and that nobody has asked after is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_workers_end_with_the_process_that_started_them(pg_url: str) -> None:
    begin(pg_url, "club")
    with served(pg_url, options=["--workers", "2"]) as server:
        assert within(20, lambda: len(children(server)) == 2)
        started = children(server)
        server.end(signal.SIGKILL)
        assert within(20, lambda: not any(map(is_running, started)))


def test_a_file_has_one_writer(tmp_path: Path) -> None:
    begin(str(tmp_path / "books.db"), "club")
    command = [*KANTIS, "serve", "--workers", "2", "--store", str(tmp_path / "books.db")]
    found = subprocess.run(command, capture_output=True, text=True)
    assert (found.returncode, "one-writer" in found.stderr) == (3, True)


def seen_at_once(one: Server, two: Server, keys: dict[str, str], url: str) -> None:
    """What one process changes, the others see with their next request."""
    with kantis.desk.open(url) as desk:
        source = CLUB.format(name="club").replace("1 point per 1 EUR", "2 points per 1 EUR")
        desk.publish("club", desk.books.versions(1)[-1].since + 1, source, plain(text.read(source)))
        for server in (one, two):
            with server.client(keys["club/till"]) as till:
                found = till.post("/v1/quotes", json=buy("quoted", "1", 10)).json()
                assert found["entry"]["postings"][0]["amount"] == 20
        prefix = next(k.prefix for k in desk.books.all_keys() if k.scope == "shop")
        for server in (one, two):
            with server.client(keys["club/shop"]) as shop:
                assert shop.get("/v1/programs").status_code == 200
        desk.revoke_key(prefix)
        for server in (one, two):
            with server.client(keys["club/shop"]) as shop:
                assert problem(shop.get("/v1/programs")) == (401, "key-unknown")
