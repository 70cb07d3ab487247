"""A real server in a process of its own, with keys for two programs."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx

import kantis.desk
from kantis.core.knobs import plain
from kantis.desk import keys, text
from tests.support.seals import vault_of

CLUB = """\
program: {name}
money: EUR
timezone: Europe/Helsinki

balances:
  points: {{expires: never}}

earning:
  all: {{give: 1 point per 1 EUR}}

rewards:
  mug: {{cost: 100 points, gives: {{voucher: mug}}}}

vouchers:
  mug: {{good for: a mug}}

plans:
  plus: {{fee: 12.00 EUR per month}}
"""
#: A page of a shop that may ask from a browser.
ORIGIN = "https://shop.example"
SCOPES = ("till", "shop", "partner", "staff", "auditor", "owner")
KANTIS = (sys.executable, "-m", "kantis")
TIMEOUT_S = 30


def environment(store: str) -> dict[str, str]:
    """What a process on these books is told: where the keys to its secrets are, for one."""
    vault = {"KANTIS_VAULT": folder} if (folder := vault_of(store)) else {}
    return {**os.environ, "KANTIS_CHECKOUT_ORIGIN": ORIGIN, "PYTHONWARNINGS": "default", **vault}


class Server:
    """``kantis serve`` on books; it can be stopped, killed and started again."""

    def __init__(
        self, store: str, command: Sequence[str] = KANTIS, options: Sequence[str] = ()
    ) -> None:
        self.store, self.command, self.options = store, command, options
        self.process: subprocess.Popen[str] | None = None
        self._log: IO[str] | None = None
        self.said: dict[str, Any] = {}

    def start(self, port: int = 0) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  a pipe would fill up
        self.process = subprocess.Popen(
            [*self.command, "serve", "--json", "--store", self.store, "--port", str(port),
             *self.options],
            stdout=subprocess.PIPE, stderr=self._log, text=True,
            env=environment(self.store),
        )  # fmt: skip
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line == "}\n":
                break
        self.said = json.loads("".join(lines))
        with httpx.Client(base_url=self.address, timeout=TIMEOUT_S) as client:
            assert client.get("/readyz").status_code == 200

    @property
    def address(self) -> str:
        return str(self.said["address"])

    def end(self, sign: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code and its log."""
        process, self.process = self.process, None
        assert process is not None
        process.send_signal(sign)
        process.communicate(timeout=TIMEOUT_S)
        assert self._log is not None
        with self._log as log:
            log.seek(0)
            return process.returncode, log.read()

    def client(self, key: str = "") -> httpx.Client:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.address, headers=headers, timeout=TIMEOUT_S)


def begin(store: str, *programs: str, terms: str = CLUB) -> dict[str, str]:
    """Books with these programs; a key of each scope, as in ``keys["club/till"]``."""
    made = {}
    with kantis.desk.open(store) as desk:
        for name in programs:
            source = terms.format(name=name)
            desk.publish(name, 0, source, plain(text.read(source)))
            for scope in SCOPES:
                about = name, scope, f"{name}-{scope}"
                made[f"{name}/{scope}"], _ = keys.make(desk, f"{name} {scope}", *about)
    return made


@contextmanager
def served(
    store: Path | str, command: Sequence[str] = KANTIS, options: Sequence[str] = ()
) -> Iterator[Server]:
    """A server on books that are there; it is killed at the end if it still runs."""
    server = Server(str(store), command, options)
    server.start()
    try:
        yield server
    finally:
        if server.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.end(signal.SIGKILL)


def children(server: Server) -> list[int]:
    """The processes that a server has started and that are up."""
    assert server.process is not None
    parent = server.process.pid
    threads = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(each) for listed in threads for each in listed.read_text().split()]


def enrol(card: str) -> dict[str, Any]:
    return {"id": f"enrol-{card}", "type": "enrol", "subject": f"card:{card}"}


def buy(id: str, card: str, euros: int = 10) -> dict[str, Any]:
    line = {"id": "1", "product": "latte", "amount": euros * 100}
    subject = f"card:{card}" if card else ""
    return {"id": id, "type": "purchase", "subject": subject, "data": {"lines": [line]}}


def mug(id: str, card: str) -> dict[str, Any]:
    subject = f"card:{card}"
    return {"id": id, "type": "redeem", "subject": subject, "ask": True, "data": {"reward": "mug"}}
