"""Staging: the demo opened in a browser, and taken away again.

Guarantee: whoever opens the demo again finds it as it was left, with new passwords. What is
deleted are the files of the demo's own books and their keys, and nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Final

import typer
from msgspec import Struct, to_builtins
from rich.text import Text

from kantis.desk import demo as demos
from kantis.desk import imports, lease, sessions, staff, tills
from kantis.desk.audit import By
from kantis.desk.demo import SOURCE
from kantis.desk.measures.tallying import catch_up
from kantis.desk.programs import Home
from kantis.desk.submit import Desk
from kantis.desk.vault.keyfile import KEYS, MASTER
from kantis.desk.vault.opening import folder_of, open_vault
from kantis.desk.whole import path_of, shown
from kantis.desk.writer import socket_file
from kantis.doors.api.setup import Setup
from kantis.doors.cli.cast import person
from kantis.doors.cli.opening import home_of, opened
from kantis.doors.cli.output import USAGE, Trouble, json_out, leave, out, table
from kantis.doors.cli.progress import Bars
from kantis.doors.cli.serving import address_of, listen, log_as_json, own, run
from kantis.doors.front import Front
from kantis.store import people
from kantis.store.sqlite import SqliteBooks

#: Who sets the demo up.
HAND: Final = By("demo")
#: Members to whose cards a link is made.
SHOWN: Final = 3
#: What is logged goes there where people look at the terminal.
_LOG: Final = ".log"
#: What SQLite, the desk and we keep beside a file of books.
_BESIDE: Final = ("", "-wal", "-shm", ".lease", ".socket", ".scribe", _LOG)
_BATCH: Final = 500


class Login(Struct, frozen=True):
    """Somebody who may sign in."""

    role: str
    login: str
    password: str


class Till(Struct, frozen=True):
    """Where a device becomes a till, the code for it, and the PIN of the cashier."""

    address: str
    code: str
    pin: str


class Card(Struct, frozen=True):
    """A member, and the link that opens their card once."""

    name: str
    number: str
    link: str


class Stage(Struct, frozen=True):
    """What is printed where the demo is opened."""

    address: str
    logins: list[Login]
    till: Till
    members: list[Card]


def serve(store: str, end: int, where: tuple[str, int], *, json: bool) -> None:
    """Open the demo: ``end`` is the last instant of its year, ``where`` host and port."""
    with opened(store) as anybody:
        desk = own(anybody, store)
        desk.clock = demos.clock_of(desk.books, end)
        home = home_of(desk.books)
        with Bars(quiet=json) as bars:
            for done, count in _name(desk, home):
                bars.tell("made-up names", done, count)
            desk.checkpoint()
            bars.tell("measures", 0, 1)
            catch_up(desk)
            bars.tell("measures", 1, 1)
        with listen(*where) as listening:
            found = _stage(desk, home, address_of(listening))
            if json:
                json_out(to_builtins(found))
            else:
                _tell(found, store)
            sys.stdout.flush()
            with _log(store, aside=not json):
                log_as_json()
                run(Front(desk, Setup(vault=str(folder_of(store)))), listening)


@contextmanager
def _log(store: str, *, aside: bool) -> Iterator[None]:
    """Log into a file, so that the logins stay where they can be read."""
    path = path_of(store)
    if not aside or path is None:
        yield
        return
    with path.with_name(path.name + _LOG).open("a") as file, redirect_stderr(file):
        yield


def _name(desk: Desk, home: Home) -> Iterator[tuple[int, int]]:
    """Give every household without a name a made-up one; how many of how many have one now."""
    vault, books = open_vault(desk), desk.books
    keys = f"{SOURCE}/enrol-", f"{SOURCE}/enrol."
    rows = books.rows(
        "SELECT key, account FROM event WHERE key >= ? AND key < ? AND account IS NOT NULL "
        "ORDER BY n",
        keys,
    )
    for done in range(0, len(rows), _BATCH):
        part = rows[done : done + _BATCH]
        known = {each.account for each in people.by_account(books, sorted(row[1] for row in part))}
        missing = [row for row in part if row[1] not in known]
        vault.reserve(len(missing))
        now = desk.clock()
        slips = [
            vault.draft(home.number, account, key, person(key.removeprefix(keys[0])), b"", now)[0]
            for key, account in missing
        ]
        vault.file(*slips)
        yield done + len(part), len(rows)


def _stage(desk: Desk, home: Home, address: str) -> Stage:
    """Logins with new passwords, a code for a till, and links to some cards."""
    there = {each.login: each.number for each in staff.everybody(desk.books) if each.ended is None}
    partners = sorted(home.program.newest.partners)
    logins = []
    for role in staff.ROLES:
        partner = partners[0] if role == staff.PARTNER and partners else ""
        if role == staff.PARTNER and not partner:
            continue  # nobody is a partner of a program that names none
        if role not in there:
            where = "" if role == "owner" else home.name
            about = role, f"Demo {role}", role, where, HAND
            there[role], _ = staff.invite(desk, *about, partner=partner)
        password = staff.new_password()
        staff.give_password(desk, there[role], password, HAND)
        logins.append(Login(role, role, password))
    code = tills.offer(desk, home.number, "Demo till", "", HAND)
    pin = tills.give_pin(desk, home.number, there["cashier"], HAND)
    lively = desk.books.rows(
        "SELECT id FROM account WHERE program = ? ORDER BY seq DESC, id LIMIT ?",
        (home.number, SHOWN),
    )
    cards = people.cards_of(desk.books, [row[0] for row in lively])
    members = []
    for (account,) in lively:
        number = next(iter(cards[account]), "")
        link = f"{address}/open/{sessions.ticket(desk, account, HAND)}"
        members.append(Card(person(number).name, number, link))
    return Stage(address, logins, Till(f"{address}/till/pair", code, pin), members)


def _tell(found: Stage, store: str) -> None:
    where = "" if store == "demo.db" else f" --store {shown(store)}"
    out.print(Text(f"\nThe demo is open at {found.address}", style="bold"))
    out.print("The purchases are real; the names are made up by a fixed seed and are nobody's.")
    out.print(
        "Its clock goes on from where the purchases end; every page says that it is a demo.\n"
    )
    rows = [(each.role, each.login, each.password) for each in found.logins]
    out.print(table(f"Sign in at {found.address}/sign-in", ("role", "login", "password"), rows))
    out.print(Text("\nA till", style="bold"))
    out.print(f"Open {found.till.address} and type {found.till.code} within a quarter of an hour;")
    out.print(f"then the cashier shows the PIN {found.till.pin}. A card to sell to:", end=" ")
    out.print(f"{found.members[0].number}.")
    out.print(Text("\nCards of members: each link opens once, within a quarter of an hour", "bold"))
    for each in found.members:
        out.print(f"  {each.name}, card {each.number}: {each.link}")
    out.print("Later ones are made on the page of a member.")
    if path_of(store) is not None:
        out.print(f"What is logged stands in {shown(store)}{_LOG}.")
    out.print(f"\nCtrl-C ends it; kantis demo --serve{where} opens it again, with new passwords;")
    out.print(f"kantis demo --remove{where} deletes it.")


# ── taking it away ───────────────────────────────────────────────────────────


def remove(store: str, *, yes: bool, json: bool) -> None:
    """Delete the books of a demo and the keys beside them."""
    path = path_of(store)
    if path is None:
        message = "These books are in PostgreSQL. Drop their database there, if it has no others."
        raise Trouble("not-a-file", message, shown(store))
    if not path.is_file():
        raise Trouble("no-store", "There is no demo here. Name its books with --store.", str(path))
    if lease.is_held(lease.lock_file(path)):
        message = f"Process {lease.holder(path)} serves this demo. End it first, with Ctrl-C."
        raise Trouble("store-in-use", message, str(path))
    with SqliteBooks(path, write=False) as books:
        if not demos.is_demo(books):
            message = "These books hold no purchases of the demo, so they are left alone."
            raise Trouble("not-a-demo", message, str(path))
        programs = sorted(books.programs())
    files = _files(path, store)
    if not yes:
        if json:
            raise Trouble("say-yes", "Say with --yes that it may be deleted.", str(path), USAGE)
        said = "".join(f"\n  {each}" for each in files)
        if not typer.confirm(f"Delete the demo with all of {', '.join(programs)}?{said}\n"):
            leave(USAGE)
    for each in files:
        each.unlink(missing_ok=True)
    for folder in (imports.folder(store, ""), folder_of(store)):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    if json:
        json_out({"deleted": [str(each) for each in files]})
    else:
        out.print(f"The demo is deleted: {len(files)} files.")


def _files(path: Path, store: str) -> list[Path]:
    """What stands there of a demo, the keys first: without them nobody is in a copy of it."""
    folder = folder_of(store)
    keys = [folder / MASTER, *sorted(folder.glob(f"{KEYS}*"))]
    keys += sorted(imports.folder(store, "").glob("*"))  # files that somebody brought
    books = [path.with_name(path.name + each) for each in _BESIDE]
    found = dict.fromkeys([*keys, *books, socket_file(path)])
    return [each for each in found if each.exists()]
