"""Places: servers in processes of their own, on fresh books, ready to be called.

The service is ``kantis serve`` as everybody starts it; the skeleton stands beside it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import kantis.desk
from bench.load import Heard, Phase, Plan, begin, end
from bench.onsqlite import remove
from bench.stream import batches, enrolments
from bench.world import tree
from kantis.desk import keys

SHOP = "corner-cafe"
MEMBERS = 10_000
#: Requests before the clock starts.
WARM = 1_000


@dataclass
class Place:
    """A server that runs: where, and as which process."""

    address: str
    pid: int

    def memory_mib(self) -> float:
        """Memory of its processes, without what they share with others."""
        pids = [self.pid, *children(self.pid)]
        return sum(_private_kib(pid) for pid in pids) / 1024


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for task in tasks for word in task.read_text().split()]


def _private_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def prepare(store: str, members: int = MEMBERS) -> str:
    """Books with a program and its members; the key of a till."""
    with kantis.desk.open(store) as desk:
        desk.publish(SHOP, 0, "", tree(SHOP))
        for batch in batches(enrolments(1, members)):
            desk.submit(batch, importing=True)
        key, _ = keys.make(desk, "Till 1", SHOP, "till", "till-1")
    return key


@contextmanager
def service(store: str, wrapped: tuple[str, ...] = ()) -> Iterator[Place]:
    """``kantis serve`` on books that are there; ``wrapped`` is put before the command."""
    command = [*wrapped, sys.executable, "-m", "kantis", "serve", "--json", "--port", "0"]
    with _running([*command, "--store", store]) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line == "}\n":
                break
        address = json.loads(said)["address"]
        with urllib.request.urlopen(f"{address}/readyz", timeout=60) as answer:
            assert answer.status == 200
        yield Place(address, process.pid)


@contextmanager
def skeleton(store: str, *, each: bool = False) -> Iterator[Place]:
    """The bare skeleton, with one transaction per request if ``each``."""
    command = [sys.executable, "-m", "bench.skeleton", store, *(["--each"] if each else [])]
    with _running(command) as process:
        assert process.stdout is not None
        yield Place(process.stdout.readline().strip(), process.pid)


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        cwd=Path(__file__).parents[1], env=dict(os.environ),
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


class Files:
    """Files of books that are prepared once, and copied for each measurement."""

    def __init__(self, folder: Path, members: int = MEMBERS) -> None:
        self._folder = folder
        self.base = folder / "served-base.db"
        self.key = prepare(str(self.base), members)
        with kantis.desk.open(str(self.base)) as desk:
            desk.books.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]

    @contextmanager
    def service(self, wrapped: tuple[str, ...] = ()) -> Iterator[Place]:
        """The service on a copy; the copy is there until the next one."""
        path = self.path
        remove(path)
        shutil.copyfile(self.base, path)
        with service(str(path), wrapped) as place:
            yield place

    @property
    def path(self) -> Path:
        """The copy that was served last."""
        return self._folder / "served.db"

    @contextmanager
    def skeleton(self, *, each: bool = False) -> Iterator[Place]:
        """The skeleton on an empty file."""
        path = self._folder / "skeleton.db"
        remove(path)
        with skeleton(str(path), each=each) as place:
            yield place


def closed(places: list[Place], key: str, connections: int, count: int, name: str) -> list[Heard]:
    """So many purchases in a closed loop, after warming up; what each caller heard.

    With several servers each has a caller of its own, and its part of the connections.
    """
    share = len(places)
    plans = [
        Plan(
            place.address, key, connections // share,
            [Phase("warm", 60, requests=WARM // share), Phase("all", 120, requests=count // share)],
            name=f"{name}-{number}",
        )
        for number, place in enumerate(places)
    ]  # fmt: skip
    callers = [begin(plan) for plan in plans]
    return [end(caller)[1] for caller in callers]
