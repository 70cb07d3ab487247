"""Rows over HTTP: the service beside a bare skeleton on the same server and the same store.

All talk over loopback, from a process of their own. Each measurement begins with fresh books,
a fresh server and a thousand purchases that do not count.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import onpostgres, places
from bench.load import Heard, Phase, Plan, begin, call, end
from bench.measure import Row, Spread, in_turns, ratios, wall
from bench.onsqlite import desk_of
from bench.places import SHOP, Files, closed
from bench.stream import batches, purchases
from tests.support.postgres import Cluster, fresh_database

BATCH = 500
WORKERS = 2
_ONE = "the bare skeleton: ASGI, msgspec, one writer that commits for all who wait, no rules"
_EACH = "the skeleton, one transaction per request"


def rows(quick: bool, folder: Path) -> list[Row]:
    """On one SQLite file."""
    files = Files(folder)
    count, rounds = (4_000, 3) if quick else (10_000, 5)
    found = []
    for connections in (64, 256):
        found += _beside(
            f"over HTTP, SQLite: a purchase, {connections} connections",
            _measures(files, connections, count), rounds, count,
        )  # fmt: skip
    found.append(_batches(files, folder, 5_000 if quick else 20_000, rounds))
    found.append(_quotes(files, rounds))
    found.append(_reads(files, 5 if quick else 10, rounds))
    return [*found, *_costs(files, count)]


#: Purchases a second, and what the callers heard.
Measure = Callable[[], tuple[float, list[Heard]]]


def _measures(files: Files, connections: int, count: int) -> tuple[Measure, Measure, Measure]:
    """The service, the skeleton, and the skeleton with one transaction per request."""

    def ours() -> tuple[float, list[Heard]]:
        with files.service() as place:
            return _rate(closed([place], files.key, connections, count, "buy"))

    def bare(each: bool) -> tuple[float, list[Heard]]:
        with files.skeleton(each=each) as place:
            return _rate(closed([place], "", connections, count // 4 if each else count, "buy"))

    return ours, lambda: bare(False), lambda: bare(True)


def _rate(heard: list[Heard]) -> tuple[float, list[Heard]]:
    return sum(each.rate() for each in heard), heard


def _beside(
    label: str,
    measures: tuple[Measure, ...],
    rounds: int,
    count: int,
    times: float = 3,
    single: str = _EACH,
) -> list[Row]:
    heard: list[list[list[Heard]]] = [[] for _ in measures]

    def keep(number: int) -> float:
        rate, found = measures[number]()
        heard[number].append(found)
        return rate

    works = [lambda n=number: keep(n) for number in range(len(measures))]
    mine, bare, one_by_one = in_turns(rounds, *works)
    late = [[max(h.answers["buy"].p99 for h in each) for each in one] for one in heard[:2]]
    wrong = [h.answers["buy"].statuses for each in heard[0] for h in each]
    assert all(set(each) == {"200"} for each in wrong), wrong
    near, more, slower = ratios(mine, bare), ratios(mine, one_by_one), ratios(late[0], late[1])
    own = median(h.own_cpu / h.answers["buy"].count for each in heard[0] for h in each)
    middle = median(h.answers["buy"].p50 for each in heard[0] for h in each)
    notes = [f"{count:,} purchases, {rounds} rounds, p50 {middle:.1f} ms; "
             f"the caller itself costs {own * 1e6:.0f} µs a request"]  # fmt: skip
    rate, p99 = Spread.of(mine), Spread.of(late[0])
    return [
        Row(label, rate, "purchases/s", "≥ 0.6", near.middle >= 0.6, _ONE,
            Spread.of(bare), near, "of the skeleton", notes),
        Row(f"{label}, p99", p99, "ms", "≤ 2 times", slower.middle <= 2, _ONE,
            Spread.of(late[1]), slower, "times its p99"),
        Row(label, rate, "purchases/s", f"≥ {times:g} times", more.middle >= times,
            single, Spread.of(one_by_one), more, "times as fast"),
    ]  # fmt: skip


def _batches(files: Files, folder: Path, events: int, rounds: int) -> Row:
    """Lists of 500 events, beside the desk in one's own process."""
    groups = batches(purchases(SHOP, 1, places.MEMBERS, events), BATCH)

    def ours() -> float:
        with files.service() as place:
            plan = Plan(
                place.address, files.key, 4,
                [Phase("warm", 60, requests=4), Phase("all", 120, requests=len(groups))],
                {"batch": 1}, "lists", batch=BATCH,
            )  # fmt: skip
            return call(plan)[1].rate("batch") * BATCH

    def inside() -> float:
        path = folder / "inside.db"
        shutil.copyfile(files.base, path)
        with desk_of(path) as desk:
            for batch in batches(purchases(SHOP, 1, places.MEMBERS, 4 * BATCH, name="w"), BATCH):
                desk.submit(batch)
            seconds = wall(lambda: [desk.submit(batch) for batch in groups])
        return events / seconds

    mine, theirs = in_turns(rounds, ours, inside)
    near = ratios(mine, theirs)
    return Row(
        f"over HTTP, SQLite: lists of {BATCH}, 4 connections", Spread.of(mine), "events/s",
        "≥ 0.7", near.middle >= 0.7, f"desk.submit of {BATCH} events in one's own process",
        Spread.of(theirs), near, "of it",
    )  # fmt: skip


def _quotes(files: Files, rounds: int) -> Row:
    """A quote beside a purchase, one after the other on 8 connections."""

    def middle(kind: str) -> float:
        with files.service() as place:
            phases = [Phase("warm", 60, requests=400), Phase("all", 60, requests=2_000)]
            plan = Plan(place.address, files.key, 8, phases, {kind: 1}, kind)
            return call(plan)[1].answers[kind].p50

    quote, buy = in_turns(rounds, lambda: middle("quote"), lambda: middle("buy"))
    ratio = ratios(quote, buy)
    return Row(
        "over HTTP, SQLite: a quote, p50, 8 connections", Spread.of(quote), "ms", "≤ 1 times",
        ratio.middle <= 1, "a purchase", Spread.of(buy), ratio, "times a purchase",
    )  # fmt: skip


def _reads(files: Files, seconds: float, rounds: int) -> Row:
    """Accounts that are looked up 50 times a second, while 64 tills buy and while none does."""
    loaded: list[float] = []
    idle: list[float] = []
    with files.service() as place:

        def look() -> float:
            plan = Plan(place.address, files.key, 8, [Phase("all", seconds, 50)], {"read": 1})
            return call(plan)[0].answers["read"].p99

        look()
        for number in range(rounds):
            idle.append(look())
            buying = Plan(place.address, files.key, 64, [Phase("all", seconds)], name=f"l{number}")
            tills = begin(buying)
            loaded.append(look())
            end(tills)
    ratio = ratios(loaded, idle)
    return Row(
        "over HTTP, SQLite: an account, p99, while 64 tills buy", Spread.of(loaded), "ms",
        "≤ 3 times", ratio.middle <= 3, "the same while nobody buys", Spread.of(idle), ratio,
        "times as long",
    )  # fmt: skip


def _costs(files: Files, count: int) -> list[Row]:
    """What 1,000 purchases cost the disk, and a batch the store."""
    found = []
    if shutil.which("strace"):
        trace = files.path.with_name("trace")
        wrapped = ("strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", str(trace))
        with files.service(wrapped) as place:
            closed([place], files.key, 64, count, "buy")
            for pid in places.children(place.pid):  # the tracer itself would pass nothing on
                os.kill(pid, signal.SIGTERM)
        calls = re.findall(r"\s(\d+)\s+(?:\d+\s+)?f(?:data)?sync", trace.read_text())
        each = sum(map(int, calls)) * 1_000 / (count + places.WARM)
        found.append(Row("over HTTP, SQLite: syncs per 1,000 purchases, 64 connections",
                         Spread.of([each]), "syncs", "≤ 40", each <= 40))  # fmt: skip
    few, many = _statements(files, 64), _statements(files, 512)
    found.append(Row(
        "statements of a batch of 512 purchases, SQLite", Spread.of([many]), "statements",
        "as many", few == many, "of a batch of 64", Spread.of([few]),
        Spread.of([many / few]), "times as many",
    ))  # fmt: skip
    return found


def _statements(files: Files, size: int) -> float:
    path = files.path.with_name("statements.db")
    shutil.copyfile(files.base, path)
    events = purchases(SHOP, 1, places.MEMBERS, 3 * size)
    with desk_of(path) as desk:
        groups = batches(events, size)
        for batch in groups[:2]:
            desk.submit(batch)
        before = desk.books.statements
        desk.submit(groups[2])
        return desk.books.statements - before


# ── PostgreSQL ───────────────────────────────────────────────────────────────


def postgres_rows(quick: bool, folder: Path) -> list[Row]:
    """Two services on one database, beside two skeletons and pgbench."""
    count, rounds = (4_000, 3) if quick else (10_000, 5)
    with Cluster(durable=True) as cluster, fresh_database(cluster.url) as base, \
            fresh_database(cluster.url) as minimal:  # fmt: skip
        onpostgres.settle(cluster)
        key = places.prepare(base)
        with onpostgres.connect(minimal) as connection:
            connection.execute(onpostgres.MINIMAL)

        def ours() -> tuple[float, list[Heard]]:
            with onpostgres.copy_of(cluster.url, base) as url, ExitStack() as stack:
                two = [stack.enter_context(places.service(url)) for _ in range(WORKERS)]
                return _rate(closed(two, key, 64, count, "buy"))

        def bare() -> tuple[float, list[Heard]]:
            with fresh_database(cluster.url) as url, ExitStack() as stack:
                two = [stack.enter_context(places.skeleton(url)) for _ in range(WORKERS)]
                return _rate(closed(two, "", 64, count, "buy"))

        def classic() -> tuple[float, list[Heard]]:
            return onpostgres.pgbench(cluster, minimal, onpostgres.CLASSIC, 8, 3, folder), []

        label = f"over HTTP, PostgreSQL, {WORKERS} services: a purchase, 64 connections"
        theirs = "pgbench, a transaction per purchase, 8 clients"
        return _beside(label, (ours, bare, classic), rounds, count, 1.3, theirs)
