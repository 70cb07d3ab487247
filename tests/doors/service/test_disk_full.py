"""A full disk: refusals, nothing lost, and it goes on by itself once there is room."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.doors.service.server import Server, begin, served
from tests.doors.service.tills import HASTY, Tills, lost, open_shop, points, settle
from tests.support.postgres import Cluster

FULL_S = 30


class Disk:
    """A small disk in memory, mounted at a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Leave no room."""
        with (self.path / "ballast").open("ab", buffering=0) as file:
            block = 1 << 16
            while block:
                try:
                    file.write(bytes(block))
                except OSError:
                    block >>= 1

    def make_room(self) -> None:
        (self.path / "ballast").unlink()


@contextmanager
def mounted(path: Path) -> Iterator[Disk]:
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"only an administrator may mount a small disk: {done.stderr.strip()}")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk") as disk:
        yield disk


@contextmanager
def tables_on_a_disk(cluster: Cluster) -> Iterator[tuple[str, Disk]]:
    """A database whose tables are on a small disk; its log is elsewhere."""
    with mounted(cluster.base / "disk") as disk:
        owner = cluster.data.stat()
        os.chown(disk.path, owner.st_uid, owner.st_gid)
        with psycopg.connect(cluster.url, autocommit=True) as db:
            db.execute(f"CREATE TABLESPACE small LOCATION '{disk.path}'")
            db.execute("CREATE DATABASE small TABLESPACE small")
        yield cluster.url.replace("/postgres?", "/small?"), disk
        cluster.stop()


def through_a_full_disk(server: Server, key: str, disk: Disk) -> Tills:
    """Tills that go on while the disk fills up and gets room again."""
    tills = Tills(server, key, "full", stubborn=True)
    tills.wait(100)
    disk.fill()
    give_up = time.monotonic() + FULL_S
    while "unusable" not in tills.codes and time.monotonic() < give_up:
        time.sleep(0.01)
    assert "unusable" in tills.codes
    room = time.monotonic()
    disk.make_room()
    tills.served_again(room)
    tills.wait(50)
    tills.end()
    return tills


def check(server: Server, key: str, tills: Tills) -> None:
    with server.client(key) as client:
        assert lost(client, tills) == []
        settle(client, tills)
    assert tills.lies == []
    assert tills.statuses <= {200, 503}
    status, log = server.end()
    assert status == 0, log
    assert '"fault"' not in log
    assert points(server.store) == len(tills.sent)


def test_sqlite_refuses_and_goes_on(disk: Disk) -> None:
    store = str(disk.path / "books.db")
    key = begin(store, "club")["club/till"]
    with served(store) as server:
        open_shop(server, key)
        tills = through_a_full_disk(server, key, disk)
        check(server, key, tills)


def test_postgres_refuses_and_goes_on(pg_own_cluster: Cluster) -> None:
    with tables_on_a_disk(pg_own_cluster) as (store, disk):
        key = begin(store, "club")["club/till"]
        with served(store) as server:
            open_shop(server, key)
            tills = through_a_full_disk(server, key, disk)
            check(server, key, tills)


def test_a_service_that_answers_too_early_is_caught(disk: Disk) -> None:
    store = str(disk.path / "books.db")
    key = begin(store, "club")["club/till"]
    with served(store) as honest:
        open_shop(honest, key)
    with served(store, HASTY) as hasty:
        disk.fill()
        tills = Tills(hasty, key, "hasty")
        tills.wait(20)
        tills.end()
    disk.make_room()
    with served(store) as honest, honest.client(key) as client:
        assert lost(client, tills)
