"""A real browser, and a real server with programs, for the tests of pages."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

import kantis.desk
from kantis.core.knobs import plain
from kantis.desk import text
from tests.doors.service.server import Server, served
from tests.house.sources import REPO

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
PROGRAMS = ("corner-cafe", "boots-advantage-card", "templates/paid-membership")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once for all tests of a worker."""
    assert CHROMIUM, "No chromium here. Install it (Debian: apt-get install chromium)."
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with some programs; nothing may go wrong in it."""
    store: Path = tmp_path_factory.mktemp("site") / "books.db"
    with kantis.desk.open(str(store)) as desk:
        for name in PROGRAMS:
            source = (REPO / "programs" / f"{name}.yaml").read_text(encoding="utf-8")
            tree = text.read(source)
            desk.publish(plain(tree)["program"], 0, source, plain(tree))
    with served(store) as server:
        yield server
        status, log = server.end()
        assert status == 0, log
        assert '"fault"' not in log
