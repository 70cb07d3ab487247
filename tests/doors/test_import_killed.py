"""import: killed at any moment and run again, the books are those of one quiet run."""

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kantis import desk as desks
from kantis.desk.submit import Desk
from kantis.desk.verify import verify
from kantis.store.books import Books, Outage
from kantis.store.postgres import PostgresBooks
from kantis.store.sqlite import SqliteBooks
from tests.desk.shop import state
from tests.doors.command import Kantis

MEMBERS, STRANGERS, BASKETS = 300, 20, 3_000
#: The files in their order, and how often each import is killed before it may end.
FILES = {"members": 1, "opening": 1, "purchases": 3, "refunds": 1, "strangers": 1}
OPENING = """\
kind: opening
source: old-product
columns: {time: {value: 2024-02-01}}
totals: {stamps: 3000, spent: 12345.00, cards: 300}
"""


def write(folder: Path) -> None:
    """A year's files of a café: some cards are known only after their purchases came."""
    dice = random.Random(11)
    cards = [f"{4000 + n}" for n in range(MEMBERS)]
    strangers = [f"{9000 + n}" for n in range(STRANGERS)]
    files: dict[str, list[str]] = {name: [] for name in FILES}
    files["members"] = ["card,joined", *(f"{card},2024-01-01" for card in cards)]
    files["strangers"] = ["card,joined", *(f"{card},2024-01-01" for card in strangers)]
    files["opening"] = ["card,record,name,amount,since"]
    for card in cards:
        files["opening"] += [
            f"{card},lot,stamps,10,2023-12-01",
            f"{card},counter,spent,41.15,2024-01-20",
        ]
    files["purchases"] = ["basket,time,card,product,category,quantity,amount"]
    files["refunds"] = ["refund id,time,of,line,quantity"]
    for n in range(BASKETS):
        card = dice.choice([*cards, *strangers, ""])
        day = f"2024-{dice.randint(3, 8):02d}-{dice.randint(1, 28):02d}"
        files["purchases"] += [
            f"b{n},{day} 09:{n % 60:02d},{card},latte,coffee,2,7.00",
            f"b{n},{day} 09:{n % 60:02d},{card},bun,cake,1,2.50",
        ]
        if card and n % 10 == 0:
            files["refunds"].append(f"r{n},2024-09-{1 + n % 28:02d} 10:00,b{n},1,1")
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")
    (folder / "opening.yaml").write_text(OPENING)


def command(name: str, store: str) -> list[str]:
    said = ["--mapping", "opening.yaml"] if name == "opening" else []
    kind = {"strangers": "members"}.get(name, name)
    said += ["--kind", kind, "--store", store, "--json"]
    return [sys.executable, "-m", "kantis", "import", f"{name}.csv", *said]


def run(name: str, store: str, *more: str) -> None:
    done = subprocess.run([*command(name, store), *more], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def run_and_kill(name: str, store: str, after: float) -> bool:
    """Kill an import a moment after its first batch; whether it was still running."""
    before = arrived(store)
    running = subprocess.Popen(
        command(name, store), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while running.poll() is None and arrived(store) == before:
        time.sleep(0.003)
    time.sleep(after)
    running.kill()
    return running.wait() != 0


def reader(store: str) -> Books:
    if store.startswith("postgresql:"):
        return PostgresBooks(store, write=False)
    return SqliteBooks(store, write=False)


def arrived(store: str) -> int:
    try:
        with reader(store) as books:
            return int(books.one("SELECT count(*) FROM event"))
    except Outage:
        return 0


def everything(store: str) -> tuple[list[Any], dict[str, int]]:
    with desks.open(store) as desk:
        assert isinstance(desk, Desk)
        report = verify(desk.books)
        assert report.ok, "\n".join(map(str, report.problems))
        counts = desk.books.counts()
        return state(desk.books), counts


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("pg_durable_url"))
    return str(tmp_path / "killed.db")


def test_killed_at_any_moment_and_run_again_it_ends_with_the_same_books(
    kantis: Kantis, cafe: Path, store: str
) -> None:
    write(cafe.parent)
    for books in ("quiet.db", store):
        assert kantis("publish", cafe, "--store", books).status == 0
    for name in FILES:
        run(name, "quiet.db")
    killed = 0
    for name, kills in FILES.items():
        for again in range(kills):
            killed += run_and_kill(name, store, 0.05 * again)
        run(name, store)
    assert killed >= 3, "too few of the runs were killed half way"
    expected = everything("quiet.db")
    assert everything(store) == expected
    for name in FILES:
        run(name, store)
    assert everything(store) == expected
    # The twin: under another source they are other events, and the comparison sees them.
    run("members", store, "--source", "other")
    assert everything(store) != expected
