"""Row 5: ``verify``, the fold of all postings and the whole proof, on both stores."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import onpostgres, onsqlite
from bench.measure import Row, Spread, cpu, in_turns
from bench.stream import batches, enrolments, purchases
from bench.world import tree
from kantis.desk.submit import Desk
from kantis.desk.verify import Report, fold, verify
from tests.support.postgres import Cluster, NoPostgres, fresh_database

GOAL = 100_000
MEMBERS = 200


def rows(quick: bool, folder: Path) -> list[Row]:
    """The books of a grocer with a hundred purchases and more of each member."""
    count = 8_000 if quick else 40_000
    with _sqlite(count, folder) as desk:
        found = [_row("SQLite", desk, 3 if quick else 5)]
    try:
        with _postgres(count) as desk:
            found.append(_row("PostgreSQL", desk, 3 if quick else 5))
    except NoPostgres as error:
        print(f"\nverify on PostgreSQL is left out: {error}", file=sys.stderr)
    return found


@contextmanager
def _sqlite(count: int, folder: Path) -> Iterator[Desk]:
    bench = onsqlite.Bench(folder, "grocer", MEMBERS, count)
    bench.enrol()
    bench.ours()
    with onsqlite.desk_of(folder / "ours.db") as desk:
        yield desk


@contextmanager
def _postgres(count: int) -> Iterator[Desk]:
    with Cluster() as cluster, fresh_database(cluster.url) as url, onpostgres.desk_of(url) as desk:
        desk.publish("grocer", 0, "", tree("grocer"))
        for batch in batches(enrolments(1, MEMBERS)):
            desk.submit(batch, importing=True)
        for batch in batches(purchases("grocer", 1, MEMBERS, count)):
            desk.submit(batch, importing=True)
        yield desk


def _row(store: str, desk: Desk, rounds: int) -> Row:
    reports: list[Report] = []

    def folded() -> float:
        report = Report()
        with desk.books.reader() as frozen:
            frozen.freeze()
            seconds = cpu(lambda: fold(frozen, report, lambda what, done, total: None))
        reports.append(report)
        return seconds

    def proved() -> float:
        return cpu(lambda: reports.append(verify(desk.books)))

    fold_s, whole_s = in_turns(rounds, folded, proved)
    assert all(each.ok for each in reports), reports[0].problems
    postings, entries = reports[0].postings, reports[0].entries
    rate = Spread.of([postings / each for each in fold_s])
    return Row(
        f"verify, the fold, {store}",
        rate,
        "postings/s",
        f"≥ {GOAL:,}",
        rate.middle >= GOAL,
        "the whole proof, events and places too",
        Spread.of([postings / each for each in whole_s]),
        notes=[
            f"{postings:,} postings in {entries:,} entries of {MEMBERS} members;"
            " processor time of this process, not of the server"
        ],
    )
