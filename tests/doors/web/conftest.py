"""A real browser, and a real server with programs, for the tests of pages."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

import kantis.desk
from kantis.core.events import Body, Enrol, Event, Line, Purchase
from kantis.core.knobs import plain
from kantis.desk import sessions, staff, text
from kantis.desk.audit import By
from kantis.desk.measures.tallying import catch_up
from kantis.desk.submit import Desk
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


def begin(desk: Desk) -> dict[str, str]:
    """A member who has bought, and a session of each role; one of a partner's program only."""
    now = desk.clock()
    cup = Line("1", "latte", 2, 900, category="coffee", tags=("own-cup",))
    events: list[tuple[str, Body]] = [("1", Enrol()), ("2", Purchase((cup,)))]
    for key, body in events:
        desk.submit([Event("till", key, now, "card:6407001", body)], program="corner-cafe")
    desk.checkpoint()
    catch_up(desk)
    found = {}
    for role in (*staff.ROLES, "other"):
        program = "boots-advantage-card" if role == "other" else ""
        about = f"{role}-1", f"The {role}", "manager" if role == "other" else role, program
        number, _ = staff.invite(desk, *about, By("test"))
        found[role] = sessions.begin(desk, "a test", staff=number)
    found["member"] = sessions.begin(desk, "a phone", account=1)
    return found


@dataclass
class Site:
    """A server with programs and members, and a session of each role."""

    server: Server
    sessions: dict[str, str]

    @property
    def address(self) -> str:
        return self.server.address

    def client(self, role: str = "") -> httpx.Client:
        """A browser without scripts, signed in."""
        cookies = {"session": self.sessions[role]} if role else {}
        headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
        return httpx.Client(base_url=self.address, headers=headers, cookies=cookies)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with some programs; nothing may go wrong in it."""
    store: Path = tmp_path_factory.mktemp("site") / "books.db"
    with kantis.desk.open(str(store)) as desk:
        for name in PROGRAMS:
            source = (REPO / "programs" / f"{name}.yaml").read_text(encoding="utf-8")
            tree = text.read(source)
            desk.publish(plain(tree)["program"], 0, source, plain(tree))
        tokens = begin(desk)
    with served(store) as server:
        yield Site(server, tokens)
        status, log = server.end()
        assert status == 0, log
        assert '"fault"' not in log
