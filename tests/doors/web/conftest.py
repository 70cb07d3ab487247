"""A real browser, and a real server with programs, for the tests of pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

import kantis.desk
from kantis.core.events import Body, Enrol, Event, Line, Purchase
from kantis.core.knobs import plain
from kantis.desk import designing, editing, printing, sessions, signoffs, staff, text, tills
from kantis.desk.audit import By, alone
from kantis.desk.codes import digest
from kantis.desk.measures.tallying import catch_up
from kantis.desk.signoffs import Demand
from kantis.desk.submit import Desk
from kantis.store import staff as rows
from tests.desk.drawing import png
from tests.doors.service.server import Server, served
from tests.house.sources import REPO

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
PROGRAMS = (
    "corner-cafe", "boots-advantage-card", "templates/paid-membership", "templates/coalition",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, once for the tests of a module; no loop of it is left for those that follow."""
    assert CHROMIUM, "No chromium here. Install it (Debian: apt-get install chromium)."
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def publish(desk: Desk, names: tuple[str, ...] = PROGRAMS) -> None:
    """The programs of the site."""
    for name in names:
        source = (REPO / "programs" / f"{name}.yaml").read_text(encoding="utf-8")
        tree = text.read(source)
        desk.publish(plain(tree)["program"], 0, source, plain(tree))


def begin(desk: Desk) -> dict[str, str]:
    """A member who has bought, and a session of each role; one of a partner's program only."""
    now = desk.clock()
    cup = Line("1", "latte", 2, 900, category="coffee", tags=("own-cup",))
    events: list[tuple[str, Body]] = [("1", Enrol()), ("2", Purchase((cup,)))]
    for key, body in events:
        desk.submit([Event("till", key, now, "card:6407001", body)], program="corner-cafe")
    for shop, amount in (("bakery", 1_200), ("pharmacy", 4_500)):
        body = Purchase((Line("1", "", 1, amount),), partner=shop)
        desk.submit([Event("till", shop, now, "card:77", Enrol())], program="coalition")
        desk.submit([Event("till", f"{shop}-1", now, "card:77", body)], program="coalition")
    desk.checkpoint()
    catch_up(desk)
    found = {}
    cashier = 0
    for role in (*staff.ROLES, "other"):
        program = "boots-advantage-card" if role == "other" else ""
        whose = "bakery" if role == "partner" else ""
        program = "coalition" if whose else program
        about = f"{role}-1", f"The {role}", "manager" if role == "other" else role, program
        number, _ = staff.invite(desk, *about, By("test"), partner=whose)
        cashier = number if role == "cashier" else cashier
        found[role] = sessions.begin(desk, "a test", staff=number)
    program = desk.books.programs()["corner-cafe"]
    found["pin"] = tills.give_pin(desk, program, cashier, By("test"))
    for name in ("till", "locked till"):
        code = tills.offer(desk, program, name, "", By("test"))
        found[name] = tills.pair(desk, code, "here")
    key = desk.keyring.find(found["till"], desk.books)
    assert key is not None
    tills.stand(desk, key.prefix, cashier)
    designing.put(desk, program, "", 0xFFDD00, 0x1D2126, png(192, 192), By("test"))
    printing.make(desk, program, "First cards", 30, By("test"))
    number, _ = staff.invite(desk, "branch", "Branch", "owner", "corner-cafe", By("test"))
    found["branch"] = sessions.begin(desk, "a test", staff=number)
    waiting(desk)
    found["late"] = sessions.begin(desk, "a test", staff=1)
    with alone(desk) as books:
        rows.prove(books, digest(found["late"]), now - sessions.HOUR_MS)
    found["member"] = sessions.begin(desk, "a phone", account=1)
    return found


def waiting(desk: Desk) -> None:
    """A draft of another program waits for the signature of somebody else than the manager."""
    everybody = {each.role: each for each in staff.everybody(desk.books) if not each.program}
    number, by = everybody["manager"].number, By("manager-1", "The manager")
    program = desk.books.programs()["boots-advantage-card"]
    signoffs.settle(desk, program, Demand(2, signoffs.SIGNERS), number, by)
    source = desk.books.versions(program)[-1].source
    richer = source.replace("5 points per 1.00 GBP", "6 points per 1.00 GBP", 1)
    draft = editing.put_up(desk, editing.read(richer), "", desk.clock(), by, number)
    auditor = everybody["auditor"]
    about = auditor.number, "Looked at with the accountant.", By(auditor.login, auditor.name)
    signoffs.sign(desk, program, draft, *about)


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
        names = ("till",) if "till" in role else ("session", "member")
        cookies = {name: self.sessions[role] for name in names if role}
        headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
        return httpx.Client(base_url=self.address, headers=headers, cookies=cookies)


@contextmanager
def opened(folder: Path, names: tuple[str, ...] = PROGRAMS) -> Iterator[Site]:
    """A server with some programs; nothing may go wrong in it."""
    store = folder / "books.db"
    with kantis.desk.open(str(store)) as desk:
        publish(desk, names)
        tokens = begin(desk)
    with served(store) as server:
        yield Site(server, tokens)
        status, log = server.end()
        assert status == 0, log
        assert '"fault"' not in log


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site of the tests of a module."""
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site
