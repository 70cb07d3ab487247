"""Tills that buy as fast as they are answered, remember what they were told, and check it.

``KANTIS_ROUNDS`` says how many rounds a test of faults takes; each breaks something again.
"""

import os
import sys
import threading
import time
from typing import Any

import httpx

import kantis.desk
from kantis.desk.submit import Desk
from kantis.desk.verify import verify
from tests.doors.service.server import Server, buy, enrol

ROUNDS = int(os.environ.get("KANTIS_ROUNDS", "2"))
TILLS, CARDS = 8, 5
#: What says that nothing was recorded.
NOTHING = {"unusable", "busy", "closing"}


def changed(change: str) -> tuple[str, ...]:
    """The command ``kantis`` with something in it that is broken on purpose."""
    return sys.executable, "-c", f"import sys\nfrom kantis.doors import cli\n{change}\ncli.main()"


#: A service that answers before anything is written down.
HASTY = changed("""
from kantis.doors.api.line import Line
async def submit(self, program, events, key=0):
    return self._post._desk.quote(events, program=program)
Line.submit = submit
from kantis.doors.api.lane import Lane
Lane.take = lambda *_: False
""")


class Tills:
    """They send until ``end``. Stubborn ones send again what was not answered with 200."""

    def __init__(self, server: Server, key: str, name: str, *, stubborn: bool = False) -> None:
        self._client = server.client(key)
        self._name, self._stubborn = name, stubborn
        self.sent: dict[str, dict[str, Any]] = {}
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.statuses: set[int] = set()
        self.codes: set[str] = set()
        #: events that were said to be not recorded, and were
        self.lies: list[str] = []
        #: when the last purchase was sent that is acknowledged
        self._fresh = 0.0
        #: tills that are not stubborn go home when they are cut off; none keeps a test that fails
        self._over = self._cut = False
        self._threads = [
            threading.Thread(target=self._till, args=(n,), daemon=True) for n in range(TILLS)
        ]
        for each in self._threads:
            each.start()

    def _till(self, till: int) -> None:
        for n in range(1_000_000):
            if self._over:
                return
            event = buy(f"{self._name}-{till}-{n}", str(n % CARDS), 1)
            self.sent[event["id"]] = event
            if not self._sell(event) and self._cut:
                return

    def _sell(self, event: dict[str, Any]) -> bool:
        """Send an event until it is acknowledged; at the end, or if not stubborn, give up."""
        sure = True
        while True:
            began = time.monotonic()
            try:
                answer = self._client.post("/v1/events", json=event)
            except httpx.HTTPError:
                sure, self._cut = False, not self._stubborn
            else:
                told = answer.json()
                self.statuses.add(answer.status_code)
                if answer.status_code == 200:
                    if sure and told.get("again"):
                        self.lies.append(event["id"])
                    self.acknowledged[event["id"]] = told
                    self._fresh = max(self._fresh, began)
                    return True
                self.codes.add(told["code"])
                sure = sure and told["code"] in NOTHING
            if self._over or not self._stubborn:
                return False
            time.sleep(0.02)

    def wait(self, count: int) -> None:
        """Until so many more are acknowledged."""
        count += len(self.acknowledged)
        give_up = time.monotonic() + 60
        while len(self.acknowledged) < count and time.monotonic() < give_up:
            time.sleep(0.005)
        assert len(self.acknowledged) >= count, self.codes

    def served_again(self, since: float, seconds_max: float = 60) -> float:
        """How long it took until a purchase was taken that was sent after an instant."""
        while self._fresh <= since:
            assert time.monotonic() < since + seconds_max, self.codes
            time.sleep(0.005)
        return self._fresh - since

    def end(self) -> None:
        self._over = True
        for each in self._threads:
            each.join()
        self._client.close()


def open_shop(server: Server, key: str) -> None:
    """Enrol the members."""
    with server.client(key) as client:
        client.post("/v1/events", json=[enrol(str(n)) for n in range(CARDS)])


def lost(client: httpx.Client, tills: Tills) -> list[str]:
    """What was acknowledged, and is now not known by its id with the same answer."""
    missing = []
    for id, told in tills.acknowledged.items():
        again = client.post("/v1/events", json=tills.sent[id])
        if again.json() != {**told, "again": True}:
            missing.append(id)
    return missing


def settle(client: httpx.Client, tills: Tills) -> None:
    """What nobody knows the outcome of is settled by its id."""
    for id, event in tills.sent.items():
        if id not in tills.acknowledged:
            assert client.post("/v1/events", json=event).status_code == 200


def points(store: str) -> int:
    """All points that members have, in books that are proved."""
    with kantis.desk.open(store) as desk:
        assert isinstance(desk, Desk)
        assert verify(desk.books).ok
        return sum(places[0] for places in desk.books.purses().values())
