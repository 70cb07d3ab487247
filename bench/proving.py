"""Row 5: ``verify``, the fold of all postings and the whole proof."""

from __future__ import annotations

from pathlib import Path

from bench.measure import Row, Spread, cpu, in_turns
from bench.onsqlite import Bench
from kantis.desk.verify import Report, fold, verify

GOAL = 100_000


def rows(quick: bool, folder: Path) -> list[Row]:
    """The books of a grocer with a hundred purchases and more of each member."""
    bench = Bench(folder, "grocer", 200, 8_000 if quick else 40_000)
    bench.enrol()
    bench.ours()
    with bench.desk(folder / "ours.db") as desk:
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

        fold_s, whole_s = in_turns(3 if quick else 5, folded, proved)
    assert all(each.ok for each in reports), reports[0].problems
    postings, entries = reports[0].postings, reports[0].entries
    rate = Spread.of([postings / each for each in fold_s])
    whole = Spread.of([postings / each for each in whole_s])
    return [
        Row(
            "verify, the fold",
            rate,
            "postings/s",
            f"≥ {GOAL:,}",
            rate.middle >= GOAL,
            "the whole proof, events and places too",
            whole,
            notes=[f"{postings:,} postings in {entries:,} entries of {bench.members:,} members"],
        )
    ]
