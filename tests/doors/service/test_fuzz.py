"""Requests that schemathesis makes from the contract: no fault, nothing undocumented, and the
books are proved afterwards.

``KANTIS_CASES`` says how many requests at least: 5,000 before a release.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kantis.desk.verify import verify
from kantis.store.sqlite import SqliteBooks
from tests.doors.service.server import KANTIS, Server, begin, buy, served
from tests.doors.service.tills import changed, open_shop
from tests.house.sources import REPO

CASES = int(os.environ.get("KANTIS_CASES", "150"))
#: Of the operations, so many have endless requests; the others are soon through.
ENDLESS = 10
#: Before a release every field is also led through its limits, which are thousands of requests.
PHASES = "fuzzing" if CASES < 1_000 else "examples,coverage,fuzzing"
#: Not asked: what is valid by the contract can still be refused, by a rule or because of another
#: field; and of a list, one event that is malformed is refused alone, in an answer with 200.
NOT_ASKED = "positive_data_acceptance,negative_data_rejection"
CONFIG = """
[parameters]
"path.ref" = "card:0"
"""
#: A service that answers with a status that the contract does not have.
UNDOCUMENTED = changed("""
from kantis.doors.api import events
events.status_of = lambda result: 206
""")
#: A service that stumbles over a time.
FAULTY = changed("""
from kantis.doors.api import wire
def instant(time):
    raise ValueError(time)
wire.instant = instant
""")


@contextmanager
def shop(store: Path, command: tuple[str, ...] = KANTIS) -> Iterator[tuple[Server, str]]:
    """A server with some members who have bought something, and the key of the staff."""
    keys = begin(str(store), "club")
    with served(store, command) as server:
        open_shop(server, keys["club/till"])
        with server.client(keys["club/till"]) as till:
            till.post("/v1/events", json=[buy(f"b{n}", str(n % 5), 200) for n in range(30)])
        yield server, keys["club/staff"]


def fuzz(server: Server, key: str, folder: Path, *options: str) -> tuple[int, str]:
    """How many requests were made, and what schemathesis says; it ends with FAILED or not."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG)
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run",
            REPO / "docs" / "openapi.json", "--url", server.address, "--no-color",
            "--header", f"Authorization: Bearer {key}", "--generation-database", "none",
            "--checks", "all", "--exclude-checks", NOT_ASKED, *options,
        ],
        capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    found = re.search(r"(\d+) generated", done.stdout)
    assert found, done.stdout + done.stderr
    failures = done.stdout[done.stdout.find("= FAILURES =") :]
    return int(found[1]), failures if done.returncode else ""


def test_no_fault_and_nothing_undocumented(tmp_path: Path) -> None:
    store = tmp_path / "books.db"
    with shop(store) as (server, key):
        count, failures = fuzz(
            server, key, tmp_path, "--max-examples", str(CASES // ENDLESS), "--phases", PHASES,
        )  # fmt: skip
        status, log = server.end()
    assert not failures, failures
    assert count >= CASES
    assert status == 0, log
    assert '"fault"' not in log
    with SqliteBooks(store, write=False) as books:
        assert books.counts()["event"] > 35
        assert verify(books).ok


@pytest.mark.parametrize(
    ("broken", "said"),
    [(UNDOCUMENTED, "Undocumented status code"), (FAULTY, "Server error")],
)
def test_a_broken_service_is_caught(tmp_path: Path, broken: tuple[str, ...], said: str) -> None:
    with shop(tmp_path / "books.db", broken) as (server, key):
        _, failures = fuzz(
            server, key, tmp_path, "--max-examples", "30", "--phases", "fuzzing",
            "--include-path", "/v1/quotes",
        )  # fmt: skip
    assert said in failures
