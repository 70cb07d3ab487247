"""Journal: what is noted of each request: figures for Prometheus, and a line of log.

The lines of one round of the event loop are written together, because a batch answers many
callers at once. A line has the route, never the path: that may hold a card.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any, Final

import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_encode: Final = msgspec.json.Encoder().encode


class _Requests:
    """Requests by method, route and status, and how long they took by route.

    A figure of the library costs two microseconds to touch, which is more than its sum.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int], tuple[list[int], list[float]]] = {}
        #: per route: seconds in all, and then how many took up to each of the limits
        self._routes: dict[str, list[float]] = {}

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        labels = method, route, status
        found = self._found.get(labels)
        if found is None:
            times = self._routes.setdefault(route, [0.0] * (len(_SECONDS) + 2))
            found = self._found[labels] = [0], times
        count, times = found
        count[0] += 1
        times[0] += seconds
        times[bisect_left(_SECONDS, seconds) + 1] += 1

    def collect(self) -> Iterator[Metric]:
        """As Prometheus asks for it."""
        requests = CounterMetricFamily(
            "kantis_requests", "Requests answered.", labels=("method", "route", "status")
        )
        for (method, route, status), (count, _) in self._found.items():
            requests.add_metric((method, route, str(status)), count[0])
        yield requests
        took = HistogramMetricFamily(
            "kantis_request_seconds", "From the first byte to the answer.", labels=("route",)
        )
        names = [*(str(float(each)) for each in _SECONDS), "+Inf"]
        for route, (seconds, *counts) in self._routes.items():
            took.add_metric((route,), list(zip(names, accumulate(counts), strict=True)), seconds)
        yield took


class Figures:
    """What Prometheus is told."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = _Requests()
        registry.register(self.requests)
        self.events = Counter(
            "kantis_events", "Events answered, by outcome.", ("outcome",), registry=registry
        )
        self.waiting = Gauge(
            "kantis_waiting_events", "Events that wait for their commit.", ("queue",),
            registry=registry,
        )  # fmt: skip

    def webhooks(
        self, backlog: Callable[[], dict[str, int]], delivered: Callable[[], dict[str, int]]
    ) -> None:
        """Tell of webhooks too: what waits for them, and the deliveries by outcome."""
        self.registry.register(_Webhooks(backlog, delivered))


class _Webhooks(Collector):
    """Figures that are looked up when they are asked for."""

    def __init__(
        self, backlog: Callable[[], dict[str, int]], delivered: Callable[[], dict[str, int]]
    ) -> None:
        self._backlog, self._delivered = backlog, delivered

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        """As Prometheus asks for it."""
        found = self._backlog()
        for name, about, value in (
            ("waiting", "Messages that wait to be delivered.", found["waiting"]),
            ("oldest_seconds", "How long the oldest of them has waited.", found["oldest_seconds"]),
            ("dead", "Messages that are given up.", found["dead"]),
            ("behind_entries", "Entries that nobody was told of yet.", found["behind"]),
        ):
            yield GaugeMetricFamily(f"kantis_webhook_{name}", about, value)
        family = CounterMetricFamily(
            "kantis_webhook_deliveries", "Attempts of this process, by outcome.",
            labels=("outcome",),
        )  # fmt: skip
        for outcome, count in self._delivered().items():
            family.add_metric((outcome,), count)
        yield family


class Line(Struct):
    """A request in the log."""

    request: str
    method: str
    route: str
    status: int
    ms: float
    key: str
    timestamp: dt.datetime
    event: str = "request"
    level: str = "info"


def _to_standard_error(lines: bytes) -> None:
    sys.stderr.buffer.write(lines)
    sys.stderr.buffer.flush()


class Journal:
    """Of one event loop. ``write`` gets whole lines."""

    def __init__(self, write: Callable[[bytes], None] = _to_standard_error) -> None:
        self.figures = Figures()
        self._write = write
        self._loop = asyncio.get_running_loop()
        self._lines: list[bytes] = []
        self._outcomes: dict[str, Any] = {}

    def note(
        self, request: str, method: str, route: str, status: int, seconds: float, key: str
    ) -> None:
        """A request was answered."""
        self.figures.requests.note(method, route, status, seconds)
        ms = round(seconds * 1000, 2)
        now = dt.datetime.now(dt.UTC)
        if not self._lines:
            self._loop.call_soon(self.write)
        self._lines.append(_encode(Line(request, method, route, status, ms, key, now)))

    def count(self, outcome: str) -> None:
        """An event was answered."""
        child = self._outcomes.get(outcome)
        if child is None:
            child = self._outcomes[outcome] = self.figures.events.labels(outcome)
        child.inc()

    def write(self) -> None:
        """Write down what was noted."""
        lines, self._lines = self._lines, []
        if lines:
            self._write(b"\n".join([*lines, b""]))
