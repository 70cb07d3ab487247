"""The outbox: what is committed is told, exactly, and nothing else is."""

import ast
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import json

import kantis.desk
from kantis.core.events import Enrol, Event, Line, Purchase, Redeem
from kantis.core.knobs import plain
from kantis.desk import chores, hooks, notices, outbox, text
from kantis.desk.batch import Batch, Request
from kantis.desk.submit import Desk
from kantis.store.books import Books
from kantis.store.postgres import PostgresBooks
from kantis.store.reading import Reading
from tests.doors.service.server import CLUB
from tests.house.sources import REPO, modules, tree
from tests.store.conftest import connect
from tests.support.seals import seals_of

MUG = Redeem("mug")


def buy(id: str, card: str, euros: int = 10, product: str = "latte") -> Event:
    body = Purchase((Line("1", product, 1, euros * 100),), receipt=f"R{id}")
    return Event("till", id, 0, f"card:{card}", body)


def enrol(card: str) -> Event:
    return Event("till", f"enrol-{card}", 0, f"card:{card}", Enrol())


def open_club(url: str) -> Desk:
    """A desk with the program club."""
    desk = kantis.desk.open(url)
    assert isinstance(desk, Desk)
    if "club" not in desk.books.programs():
        source = CLUB.format(name="club")
        desk.publish("club", 0, source, plain(text.read(source)))
    return desk


@pytest.fixture
def club(url: str) -> Iterator[Desk]:
    with open_club(url) as desk:
        yield desk


def hook(desk: Desk, *types: str, program: int = 1) -> str:
    about = program, "https://example.com/", list(types), ""
    id, _ = hooks.make(desk, seals_of(desk), *about, lan=False)
    return id


def spread(desk: Any) -> None:
    """Stage all that there is to tell."""
    with desk.books.reader() as reader:
        while outbox.spread(reader, desk):
            pass


def staged(books: Books, number: int = 1) -> list[dict[str, Any]]:
    """What is on its way to a webhook, in its order."""
    rows = books.rows("SELECT body FROM delivery WHERE hook = ? ORDER BY n", (number,))
    return [json.decode(row[0]) for row in rows]


def types(books: Books, number: int = 1) -> list[str]:
    return [each["type"].removeprefix("kantis.")[:-3] for each in staged(books, number)]


def owed(books: Books) -> Counter[tuple[int, int, str]]:
    """What the books have to tell of their entries, worked out by itself."""
    found: Counter[tuple[int, int, str]] = Counter()
    for row, postings, _ in books.history(0, 1 << 60):
        decision = outbox.decode_decision(row.decision)
        decision.postings = postings
        kinds = dict(books.rows("SELECT key, type FROM event"))
        for notice in notices.of_decision(decision, kinds.get(row.event, "")):
            found[row.account, row.seq, notice.type] += 1
    return found


def told(books: Books) -> Counter[tuple[int, int, str]]:
    return Counter(
        (each["data"]["account"], each["data"]["seq"], each["type"][len("kantis.") : -len(".v1")])
        for each in staged(books)
        if "seq" in each["data"]
    )


def test_what_is_decided_is_told_once_and_in_order(club: Desk) -> None:
    club.submit([enrol("1"), buy("early", "1")])
    hook(club)
    club.submit([buy("a", "1", 120)])
    club.submit([buy("a", "1", 120)])  # came before
    ask = [Event("till", f"m{n}", 0, "card:1", MUG, ask=True) for n in (1, 2)]
    club.submit(ask)  # the second is refused
    spread(club)
    expected = ["points.earned", "points.spent", "voucher.issued"]
    assert types(club.books) == expected
    first = staged(club.books)[0]
    assert first["specversion"] == "1.0"
    assert (first["source"], first["subject"]) == ("/programs/club", "account:1")
    about = {"account": 1, "seq": 3, "event": "till/a", "balance": "points", "amount": 120}
    assert first["data"].items() >= about.items()
    assert len({each["id"] for each in staged(club.books)}) == 3
    spread(club)
    assert types(club.books) == expected


def test_a_webhook_is_told_what_it_asks_for_of_its_program(club: Desk) -> None:
    source = CLUB.format(name="other")
    club.publish("other", 0, source, plain(text.read(source)))
    hook(club, "points.*")
    hook(club, "voucher.issued", "program.published")
    hook(club, program=2)
    club.submit([enrol("1"), buy("a", "1", 100)], program="club")
    club.submit([Event("till", "m", 0, "card:1", MUG)], program="club")
    club.publish("club", 1, CLUB.format(name="club"), plain(text.read(CLUB.format(name="club"))))
    spread(club)
    assert types(club.books, 1) == ["points.earned", "points.spent"]
    assert types(club.books, 2) == ["voucher.issued", "program.published"]
    assert types(club.books, 3) == []


def test_one_that_was_paused_is_told_what_came_meanwhile(club: Desk) -> None:
    hook(club)
    club.chore("change_hook", 1, "https://example.com/", [], "", True)
    club.submit([enrol("1"), buy("a", "1")])
    spread(club)
    assert types(club.books) == []
    club.chore("change_hook", 1, "https://example.com/", [], "", False)
    spread(club)
    assert types(club.books) == ["account.opened", "points.earned"]


def test_history_that_is_imported_is_not_told(club: Desk) -> None:
    hook(club)
    long_ago = [Event("shop", "1", 1_000, "card:1", Enrol())]
    club.submit(long_ago, importing=True)
    club.submit([buy("now", "1")])
    spread(club)
    assert types(club.books) == ["points.earned"]


def test_flags_are_told_by_their_code(club: Desk) -> None:
    club.submit([enrol("1")])
    hook(club)
    far = Event("till", "late", 1, "card:1", Purchase((Line("1", "latte", 1, 100),)))
    club.submit([far])
    spread(club)
    flags = [each["data"]["flag"] for each in staged(club.books) if "flag" in each["data"]]
    assert flags == ["time-out-of-range"]


def test_nothing_that_names_anybody_is_told(club: Desk) -> None:
    hook(club)
    secret = "Aino-Virtanen-0401234567"
    enrolled = Event("till", "e", 0, f"card:{secret}", Enrol())
    club.submit([enrolled, buy("a", secret, 500, product=secret)])
    club.submit([Event("till", "m", 0, f"card:{secret}", MUG)])
    spread(club)
    bodies = b"".join(row[0] for row in club.books.rows("SELECT body FROM delivery"))
    assert b"voucher.issued" in bodies
    for word in (secret, "Ra", "mug-4-1"):
        assert f'"{word}'.encode() not in bodies
        assert secret.encode() not in bodies


def test_a_batch_writes_nothing_more_because_somebody_listens(club: Desk) -> None:
    club.submit([enrol("1"), enrol("2")])

    def statements(name: str, count: int) -> int:
        before = club.books.statements
        club.submit([buy(f"{name}{n}", str(n % 2 + 1)) for n in range(count)])
        return club.books.statements - before

    statements("warm", 10)
    without = statements("a", 10)
    hook(club)
    statements("cold", 10)  # whoever changes the books by hand lets the programs be read again
    assert statements("b", 10) == without
    assert statements("c", 90) == without


def test_every_notice_of_a_feature_has_its_type() -> None:
    noted = {
        call.args[0].value
        for path in modules("features", "engine")
        for call in ast.walk(tree(path))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "turn.notice"
        if isinstance(call.args[0], ast.Constant)
    }
    posted = {"expired", "forfeited"}  # they are told by their postings
    assert noted == set(notices.NOTED) | posted
    assert {type for type, _ in notices.NOTED.values()} <= set(notices.TYPES)
    assert {move[0] for move in notices._MOVES} <= set(notices.TYPES)


# ── batches that overtake each other ─────────────────────────────────────────


def overtaken(pg_url: str) -> Counter[tuple[int, int, str]]:
    """What is missing when an entry with a lower number is committed after a higher one."""
    with open_club(pg_url) as one, open_club(pg_url) as two:
        one.submit([enrol("1"), enrol("2")])
        hook(one)
        before = owed(one.books)
        slow = one.books
        slow.begin()
        one.homes.refresh(slow)
        batch = Batch(slow, one.homes, None, one.clock())
        batch.decide([Request("club", [buy("slow", "1")])])
        batch.write()
        assert slow.one("SELECT count(*) FROM entry") == 3  # what waits for the commit is sent
        two.submit([buy("fast", "2")])
        spreading = threading.Thread(target=spread, args=(two,))
        spreading.start()
        time.sleep(0.3)
        slow.commit()
        spreading.join()
        spread(two)
        return owed(two.books) - before - told(two.books)


def test_an_entry_that_is_committed_late_is_not_passed_over(pg_url: str) -> None:
    assert overtaken(pg_url) == Counter()


def test_twin_whoever_takes_the_greatest_number_for_the_end_passes_it_over(
    pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PostgresBooks, "horizon", Reading.horizon)
    assert overtaken(pg_url) == Counter({(1, 2, "points.earned"): 1})


# ── killed ───────────────────────────────────────────────────────────────────

ROUNDS = 10
#: A till and a courier's clerk at once, until they are killed.
BUSY = """
import sys, threading
from tests.desk.test_outbox import open_club, buy, spread, careless
url, name = sys.argv[1:3]
if sys.argv[3] == "careless":
    careless()
with open_club(url) as desk:
    def stage():
        while True:
            spread(desk)
    threading.Thread(target=stage, daemon=True).start()
    for n in range(1_000_000):
        desk.submit([buy(f"{name}-{n}-{i}", str(i)) for i in range(5)])
        print(n, flush=True)
"""


def careless() -> None:
    """The place is moved in a transaction of its own, and the messages come after it."""
    stage = chores.CHORES["stage"]

    def parted(books: Books, now: int, number: int, before: Any, place: Any, rows: Any) -> bool:
        moved = bool(stage(books, now, number, before, place, []))
        books.commit()
        time.sleep(0.05)
        books.begin()
        outbox.insert(books, number, rows, now)
        return moved

    chores.CHORES["stage"] = parted


def killed(url: str, how: str, rounds: int = ROUNDS) -> tuple[int, int]:
    """How many messages were lost, and how many doubled, over some kills."""
    dice = random.Random(7)
    with open_club(url) as desk:
        desk.submit([enrol(str(i)) for i in range(5)])
        spread(desk)
        hook(desk)
    for number in range(rounds):
        process = subprocess.Popen(
            [sys.executable, "-c", BUSY, url, f"r{number}", how],
            stdout=subprocess.PIPE, cwd=REPO, env=os.environ | {"PYTHONPATH": str(REPO)},
        )  # fmt: skip
        assert process.stdout is not None
        for _ in range(dice.randint(2, 12)):
            process.stdout.readline()
        time.sleep(dice.random() / 50)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    with open_club(url) as desk:
        spread(desk)
        expected = Counter({k: n for k, n in owed(desk.books).items() if k[2] != "account.opened"})
        found = told(desk.books)
        assert sum(expected.values()) > rounds * 5
        return sum((expected - found).values()), sum((found - expected).values())


def test_killed_at_any_moment_exactly_the_committed_entries_are_told(url: str) -> None:
    assert killed(url, "careful") == (0, 0)


def test_twin_a_place_that_parts_from_its_messages_loses_some(url: str) -> None:
    lost, _ = killed(url, "careless", rounds=10)
    assert lost > 0


def test_books_are_read_by_several_at_once_and_told_once(pg_url: str) -> None:
    with open_club(pg_url) as one, open_club(pg_url) as two:
        hook(one)
        one.submit([enrol(str(n)) for n in range(300)])
        clerks = [threading.Thread(target=spread, args=(each,)) for each in (one, two) * 2]
        for each in clerks:
            each.start()
        for each in clerks:
            each.join()
        spread(one)
        assert owed(one.books) == told(one.books)


def test_connections_see_the_same(url: str) -> None:
    with open_club(url) as desk:
        desk.submit([enrol("1")])
        with connect(url) as books:
            assert books.horizon() == (1, 0)
