"""The PostgreSQL under the tests is real, fresh for each test, and survives a crash."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres import REPO, Cluster, Run, find_binaries, fresh_database


def _one(connection: psycopg.Connection[tuple[str]], statement: str) -> str:
    row = connection.execute(statement).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return str(row[0])


def test_the_server_is_real_and_creates_tables(pg_url: str) -> None:
    with psycopg.connect(pg_url) as connection:
        version = _one(connection, "SHOW server_version")
        print("PostgreSQL", version)
        assert int(version.split(".")[0]) >= 15
        connection.execute("CREATE TABLE stamp (n int)")
        connection.execute("INSERT INTO stamp SELECT generate_series(1, 10)")
        assert _one(connection, "SELECT sum(n) FROM stamp") == "55"


def test_two_databases_are_independent(pg_server: str) -> None:
    with fresh_database(pg_server) as first, fresh_database(pg_server) as second:
        with psycopg.connect(first) as connection:
            connection.execute("CREATE TABLE stamp (n int)")
        with (
            psycopg.connect(second) as connection,
            pytest.raises(psycopg.errors.UndefinedTable),
        ):
            connection.execute("SELECT * FROM stamp")


def test_a_database_can_be_a_copy_of_another(pg_server: str, pg_url: str) -> None:
    with psycopg.connect(pg_url) as connection:
        connection.execute("CREATE TABLE stamp AS SELECT 7 AS n")
    template = pg_url.split("?")[0].rsplit("/", 1)[1]
    with fresh_database(pg_server, template=template) as copy, psycopg.connect(copy) as connection:
        assert _one(connection, "SELECT n FROM stamp") == "7"


def test_sorting_and_case_know_unicode(pg_url: str) -> None:
    with psycopg.connect(pg_url) as connection:
        assert _one(connection, "SELECT lower('ÄÕẾ')") == "äõế"


def test_the_shared_server_is_fast_and_the_durable_one_durable(
    pg_server: str, pg_durable_server: str
) -> None:
    if "TEST_DATABASE_URL" in os.environ:
        pytest.skip("the given server has the settings it has")
    for url, expected in ((pg_server, "off"), (pg_durable_server, "on")):
        with psycopg.connect(url) as connection:
            assert _one(connection, "SHOW fsync") == expected
            assert _one(connection, "SHOW synchronous_commit") == expected


def test_what_was_committed_survives_a_crash(pg_own_cluster: Cluster) -> None:
    with psycopg.connect(pg_own_cluster.url) as connection:
        connection.execute("CREATE TABLE stamp AS SELECT 7 AS n")
    dangling = psycopg.connect(pg_own_cluster.url)
    dangling.execute("INSERT INTO stamp VALUES (8)")
    pg_own_cluster.kill()
    pg_own_cluster.start()
    dangling.close()
    with psycopg.connect(pg_own_cluster.url) as connection:
        assert _one(connection, "SELECT array_agg(n)::text FROM stamp") == "{7}"
    base = pg_own_cluster.base
    pg_own_cluster.remove()
    assert not base.exists()


def test_the_server_goes_when_the_run_is_killed() -> None:
    """A run that dies without a word takes its server with it."""
    find_binaries()
    program = (
        "import os, signal\n"
        "from tests.support.postgres import Run\n"
        "print(Run.begin().server_url(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "TEST_DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPO, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    base = Path(done.stdout.strip().partition("host=")[2])
    assert base.name.startswith("kantis-pg-"), done.stderr
    give_up = time.monotonic() + 20
    while base.exists():
        assert time.monotonic() < give_up, f"{base} is still there"
        time.sleep(0.05)


def test_the_workers_of_a_run_share_one_server(pg_server: str) -> None:
    assert Run.join().server_url() == pg_server
