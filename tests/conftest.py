"""Fixtures that any test may ask for."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.postgres import Cluster, Run, fresh_database

# HYPOTHESIS_PROFILE=deep looks much longer; CI repeats the same examples every time.
settings.register_profile("kantis", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("deep", deadline=None, print_blob=True, max_examples=5_000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "kantis")
)

_run = pytest.StashKey[Run]()


def pytest_configure(config: pytest.Config) -> None:
    """The process that is the test run makes a folder that its workers share."""
    if not hasattr(config, "workerinput"):
        config.stash[_run] = Run.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops every server that a test of this run has needed."""
    if run := config.stash.get(_run, None):
        run.end()


@pytest.fixture(scope="session")
def pg_server() -> str:
    """URL of a real PostgreSQL shared by the whole run; fast, and gone in a power cut."""
    return Run.join().server_url()


@pytest.fixture
def pg_url(pg_server: str) -> Iterator[str]:
    """URL of a fresh database on the shared server."""
    with fresh_database(pg_server) as url:
        yield url


@pytest.fixture
def pg_second_url(pg_server: str) -> Iterator[str]:
    """URL of another fresh database on the shared server."""
    with fresh_database(pg_server) as url:
        yield url


@pytest.fixture(scope="session")
def pg_durable_server() -> str:
    """Like `pg_server`, with fsync=on: for tests that kill a process between two statements."""
    return Run.join().server_url(durable=True)


@pytest.fixture
def pg_durable_url(pg_durable_server: str) -> Iterator[str]:
    """URL of a fresh database on the durable server."""
    with fresh_database(pg_durable_server) as url:
        yield url


@pytest.fixture
def pg_own_cluster() -> Iterator[Cluster]:
    """A durable server of one's own, which the test may `kill` and `start` again."""
    with Cluster(durable=True) as cluster:
        yield cluster
