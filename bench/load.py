"""Load: callers of a service over HTTP, in a process of its own.

One thread waits for all connections and reads no more of an answer than its status and its
length, so that it costs a few microseconds per request; it measures what it costs itself. In a
closed loop each connection sends again as soon as it is answered. In an open loop requests are
due at a rate, whatever the service does: a wait for a free connection counts as a wait.
"""

from __future__ import annotations

import json
import resource
import select
import socket
import subprocess
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

from bench.world import basket, coffee

#: Whoever is not answered in this time never is.
PATIENCE_S = 60.0


class Phase(Struct):
    """A stretch of load: ``rate`` requests a second, or 0 for as many as are answered.

    It ends after ``seconds``, or after ``requests`` where that is not 0.
    """

    name: str
    seconds: float
    rate: float = 0
    requests: int = 0


class Plan(Struct):
    """What is sent, by whom. ``mix`` deals kinds of requests out, with a weight for each."""

    address: str
    key: str
    connections: int
    phases: list[Phase]
    mix: dict[str, int] = field(default_factory=lambda: {"buy": 1})
    name: str = "load"
    shop: str = "corner-cafe"
    members: int = 10_000
    #: events in a request of the kind "batch"
    batch: int = 500


class Answers(Struct):
    """What became of the requests of one kind in one phase. Times are milliseconds."""

    statuses: dict[str, int]
    p50: float
    p99: float
    worst: float

    @property
    def count(self) -> int:
        return sum(self.statuses.values())


class Heard(Struct):
    """A phase as the callers saw it."""

    name: str
    seconds: float
    own_cpu: float
    answers: dict[str, Answers]

    def rate(self, kind: str = "buy") -> float:
        """Answers with 200 a second."""
        return self.answers[kind].statuses.get("200", 0) / self.seconds


def call(plan: Plan) -> list[Heard]:
    """Let a process of its own send the load; what it heard in each phase."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=msgspec.json.encode(plan),
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    return msgspec.json.decode(done.stdout, type=list[Heard])


def begin(plan: Plan) -> subprocess.Popen[bytes]:
    """The same, while the caller does something else: ``end`` waits for it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(plan))
    process.stdin.close()
    process.stdin = None
    return process


def end(process: subprocess.Popen[bytes]) -> list[Heard]:
    """What a load that was begun has heard."""
    out, _ = process.communicate()
    return msgspec.json.decode(out, type=list[Heard])


# ── what is sent ─────────────────────────────────────────────────────────────


def body(event: Any) -> dict[str, Any]:
    """The data of a purchase as the service reads them."""
    lines = []
    for line in event.lines:
        fields = {name: getattr(line, name) for name in line.__struct_fields__}
        lines.append({k: v for k, v in fields.items() if v not in ("", ()) or k == "id"})
    return {"lines": lines, "location": event.location}


class Requests:
    """Requests without end, each with an id of its own."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._dice = Random(plan.name)
        make = coffee if plan.shop == "corner-cafe" else basket
        self._bodies = [json.dumps(body(make(self._dice)))[1:] for _ in range(1_000)]
        self._numbers = count()
        kinds, weights = list(plan.mix), list(plan.mix.values())
        self._kinds = self._dice.choices(kinds, weights, k=10_000)
        host = urlsplit(plan.address).netloc
        self._head = f"HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {plan.key}\r\n"

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        for number in self._numbers:
            kind = self._kinds[number % len(self._kinds)]
            yield kind, self.one(kind, number)

    def one(self, kind: str, number: int) -> bytes:
        member = self._dice.randint(1, self._plan.members)
        if kind == "read":
            return f"GET /v1/accounts/card:{member} {self._head}\r\n".encode()
        if kind == "redeem":
            data = '"type": "redeem", "ask": true, "data": {"reward": "free-drink"}}'
            return self._post("events", f'{{"id": "{self._plan.name}-{number}", '
                              f'"subject": "card:{member}", {data}')  # fmt: skip
        if kind == "batch":
            size = self._plan.batch
            many = [self._buy(f"{number}-{each}") for each in range(size)]
            return self._post("events", f"[{', '.join(many)}]")
        return self._post("quotes" if kind == "quote" else "events", self._buy(str(number)))

    def _buy(self, number: str) -> str:
        dice = self._dice
        member = dice.randint(1, self._plan.members)
        return (
            f'{{"type": "purchase", "id": "{self._plan.name}-{number}", '
            f'"subject": "card:{member}", "data": {{{dice.choice(self._bodies)}}}'
        )

    def _post(self, path: str, said: str) -> bytes:
        return (
            f"POST /v1/{path} {self._head}content-type: application/json\r\n"
            f"content-length: {len(said)}\r\n\r\n{said}"
        ).encode()


# ── the callers ──────────────────────────────────────────────────────────────


class _Caller:
    """One connection and the request that is under way on it.

    A service ends connections that have been idle for a while; the next request opens another.
    """

    __slots__ = ("_address", "_poll", "buffer", "busy", "data", "due", "kind", "missing",
                 "socket", "status")  # fmt: skip

    def __init__(self, address: tuple[str, int], poll: select.epoll) -> None:
        self._address, self._poll = address, poll
        self.socket: socket.socket | None = None
        self.kind, self.status, self.due = "", "", 0.0
        self.data, self.busy = b"", False

    def connect(self, callers: dict[int, _Caller]) -> None:
        self.socket = socket.create_connection(self._address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.buffer, self.missing = b"", 0
        callers[self.socket.fileno()] = self
        self._poll.register(self.socket, select.EPOLLIN)

    def hang_up(self) -> None:
        assert self.socket is not None
        self._poll.unregister(self.socket)
        self.socket.close()
        self.socket = None

    def send(self, kind: str, data: bytes, due: float) -> None:
        assert self.socket is not None
        self.kind, self.data, self.due, self.busy = kind, data, due, True
        sent = self.socket.send(data)
        if sent < len(data):  # a large batch: it is taken in as fast as the service reads
            self.socket.setblocking(True)
            self.socket.sendall(data[sent:])
            self.socket.setblocking(False)

    def heard(self) -> bool:
        """Read what has come; whether the answer is whole. ``EOFError`` at the end."""
        assert self.socket is not None
        data = self.socket.recv(1 << 18)
        if not data:
            raise EOFError
        if self.missing:
            self.missing -= len(data)
            return self.missing == 0
        data = self.buffer + data
        head = data.find(b"\r\n\r\n")
        if head < 0:
            self.buffer = data
            return False
        self.buffer = b""
        start = data.find(b"ontent-length: ", 0, head) + 15
        length = int(data[start : data.find(b"\r", start)])
        self.status = data[9:12].decode()
        self.missing = length - (len(data) - head - 4)
        return self.missing == 0


class Callers:
    """All connections, and one thread that serves them."""

    def __init__(self, plan: Plan) -> None:
        where = urlsplit(plan.address)
        address = (str(where.hostname), int(where.port or 80))
        self._poll = select.epoll()
        self._by_number: dict[int, _Caller] = {}
        self._all = [_Caller(address, self._poll) for _ in range(plan.connections)]
        self._requests = iter(Requests(plan))
        self._free = list(self._all)  # the last one back is the first to go again

    def run(self, phase: Phase) -> Heard:
        """One phase, until all its requests are answered."""
        ahead = self._ahead(phase)
        times: dict[str, array[float]] = {}
        statuses: dict[str, Counter[str]] = {}
        cpu, began = time.process_time(), time.perf_counter()
        stop, due, sent = began + phase.seconds, began, 0
        most = phase.requests or 1 << 62
        now = began
        while True:
            while self._free and sent < most and now < stop and due <= now:
                kind, data = next(ahead)
                self._send(self._free.pop(), kind, data, due if phase.rate else now)
                sent += 1
                due = began + sent / phase.rate if phase.rate else due
            idle = now >= stop or sent >= most
            if idle and len(self._free) == len(self._all):
                break
            wait = PATIENCE_S if idle or not phase.rate or not self._free else max(0.0, due - now)
            ready = self._poll.poll(wait)
            now = time.perf_counter()
            if not ready and wait == PATIENCE_S:
                raise TimeoutError("the service does not answer")
            for number, _ in ready:
                caller = self._by_number[number]
                if self._heard(caller):
                    times.setdefault(caller.kind, array("d")).append(now - caller.due)
                    statuses.setdefault(caller.kind, Counter())[caller.status] += 1
                    self._free.append(caller)
        answers = {kind: _answers(times[kind], statuses[kind]) for kind in sorted(times)}
        return Heard(phase.name, now - began, time.process_time() - cpu, answers)

    def _send(self, caller: _Caller, kind: str, data: bytes, due: float) -> None:
        if caller.socket is None:
            caller.connect(self._by_number)
        caller.send(kind, data, due)

    def _heard(self, caller: _Caller) -> bool:
        """Whether a caller has its answer; one who was cut off asks again, with the same id."""
        try:
            whole = caller.heard()
        except (EOFError, ConnectionError):
            caller.hang_up()
            if caller.busy:
                self._send(caller, caller.kind, caller.data, caller.due)
            return False
        caller.busy = not whole
        return whole

    def _ahead(self, phase: Phase) -> Iterator[tuple[str, bytes]]:
        """Of a counted closed loop, all requests are made before the clock starts."""
        if not phase.requests or phase.rate:
            return self._requests
        return iter([next(self._requests) for _ in range(phase.requests)])


def _answers(times: array[float], statuses: Counter[str]) -> Answers:
    found = sorted(times)

    def at(share: float) -> float:
        return found[min(len(found) - 1, int(len(found) * share))] * 1_000

    return Answers(dict(statuses), at(0.5), at(0.99), found[-1] * 1_000)


def main() -> None:
    """Read a plan, send it, and say what was heard."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    callers = Callers(plan)
    sys.stdout.buffer.write(msgspec.json.encode([callers.run(each) for each in plan.phases]))


if __name__ == "__main__":
    main()
