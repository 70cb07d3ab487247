"""The demo, opened for scripts: who is signed in, and an address of every page."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from kantis.doors.web.app import ANYBODY, AT_COUNTER, MEMBER, PAIRED, Page
from kantis.doors.web.doors import PAGES

PROGRAM = "grocer"
TIMEOUT_S = 600
#: What is asked behind the path, so that a page has something to show.
ASKED = {
    "/p/{program}": "?visits=8&amount=45",
    "/till": "?card={card}&amount=2x14.50&add=",
    "/sign-in": "?next=/people",
}
#: Those that show nothing of their own: they send on, or hand over a file.
SILENT = ("/c", "/theme/{theme}", "/me/export", "/c/{program}/measures/{panel}")
_FILES = re.compile(r"\.(js|ics|csv|webmanifest)$")


class Shown(NamedTuple):
    """A page: its path, who looks at it, and an address of it."""

    path: str
    who: str
    address: str


class Opened:
    """The demo while it serves; ``cookies`` are those of who is signed in."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.address: str = said["address"]
        self.cookies: dict[str, dict[str, str]] = {"anybody": {}}
        for login in said["logins"]:
            with self.client() as client:
                about = {"login": login["login"], "password": login["password"]}
                client.post("/sign-in", data=about)
                self.cookies[login["role"]] = dict(client.cookies)
        first, second = said["members"][:2]
        self.values = {"{program}": PROGRAM, "{card}": first["number"]}
        with self.client() as client:
            client.post(self._path(first["link"])).raise_for_status()
            self.cookies["member"] = dict(client.cookies)
        with self.client("owner") as client:
            found = client.post(f"/c/{PROGRAM}/members", data={"q": first["number"]})
            # a number may be that of a card and of another account: the card stands first
            place = re.search(r"/members/(\d+)", f"{found.url} {found.text}")
            assert place is not None, found.url
            self.values["{account}"] = place[1]
            about = {"login": "new", "name": "Somebody new", "role": "support", "program": PROGRAM}
            link = re.search(r"/invitation/[\w-]+", client.post("/people", data=about).text)
        self.tokens = {
            "/open/{token}": self._path(second["link"]),
            "/invitation/{token}": link[0] if link else "/invitation/none",
            "/first/{token}": "/first/none",
        }
        with self.client("owner") as client:
            about = {"name": "First cards", "size": "8"}
            client.post(f"/c/{PROGRAM}/cards", data=about).raise_for_status()
        self.tokens["/c/{program}/cards/{number}"] = f"/c/{PROGRAM}/cards/1"
        self._sell(said["till"])

    def _sell(self, till: dict[str, str]) -> None:
        """Become a till, and sell something there."""
        with self.client() as client:
            page = client.post("/till/pair", data={"code": till["code"]}).text
            chosen = re.search(r'<option value="(\d+)"[^>]*>Demo cashier', page)
            about = {"cashier": chosen[1] if chosen else "", "pin": till["pin"]}
            client.post("/till/sign-in", data=about).raise_for_status()
            page = client.get("/till" + ASKED["/till"].format(card=self.values["{card}"])).text
            form = page.partition('id="record"')[2]
            fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
            fields = {name: fields[name] for name in ("id", "at", "card", "lines")}
            client.post("/till/sale", data=fields).raise_for_status()
            self.values["{receipt}"] = fields["id"]
            self.cookies["till"] = dict(client.cookies)

    def _path(self, link: str) -> str:
        return link.removeprefix(self.address)

    def client(self, who: str = "anybody") -> httpx.Client:
        """A browser without scripts."""
        headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
        return httpx.Client(
            base_url=self.address, headers=headers, cookies=self.cookies.get(who, {}),
            follow_redirects=True, timeout=TIMEOUT_S,
        )  # fmt: skip

    def pages(self) -> list[Shown]:
        """Every page that there is, with an address that shows it."""
        return [
            Shown(page.path, who_of(page), found)
            for page in PAGES
            if (found := self._address(page)) is not None
        ]

    def _address(self, page: Page) -> str | None:
        if not is_shown(page):
            return None
        found = self.tokens.get(page.path, page.path + ASKED.get(page.path, ""))
        for name, value in self.values.items():
            found = found.replace(name, value)
        return None if "{" in found else found  # such as a partner, where there is none


def is_shown(page: Page) -> bool:
    """Whether it is a page to look at."""
    return page.method == "GET" and page.path not in SILENT and not _FILES.search(page.path)


def who_of(page: Page) -> str:
    """Who looks at a page: whoever may do most among those who may."""
    if page.whose is ANYBODY:
        return "anybody"
    if page.whose in (PAIRED, AT_COUNTER):
        return "till"
    if page.whose is MEMBER:
        return "member"
    roles = ("owner", "manager", "support", "auditor", "partner", "cashier")
    return next(role for role in roles if role in page.whose)


@contextmanager
def opened(store: Path, households: int | None) -> Iterator[Opened]:
    """The demo on some books, which are made where they are not there."""
    asked = ["demo", "--serve", "--json", "--port", "0", "--store", str(store)]
    asked += ["--households", str(households)] if households else []
    log = store.with_name(store.name + ".log").open("a")
    with log, subprocess.Popen(
        [sys.executable, "-m", "kantis", *asked], stdout=subprocess.PIPE, stderr=log, text=True
    ) as running:  # fmt: skip
        try:
            assert running.stdout is not None
            lines = []
            for line in running.stdout:
                lines.append(line)
                if line == "}\n":
                    break
            yield Opened(json.loads("".join(lines)))
        finally:
            running.send_signal(signal.SIGTERM)
