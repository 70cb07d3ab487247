"""Row 6: books of a million accounts and five million postings, beside small ones.

The big books are written in bulk: each account has joined and shopped five times, in rows
of the same shape and size as the desk's. Then both books take the same number of purchases.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw

from bench.measure import Row, Spread, in_turns, ratios
from bench.onsqlite import Bench
from bench.stream import START, purchases
from kantis.core.account import decode_account, encode_account

SMALL, BIG = 1_000, 1_000_000
EACH = 5
GOAL = 0.9


def rows(quick: bool, folder: Path) -> list[Row]:
    """SQLite; a tenth of the size when quick."""
    size = BIG // 10 if quick else BIG
    count = 5_000 if quick else 20_000
    if shutil.disk_usage(folder).free < size * 12_000:
        return []
    benches = [Bench(folder, "corner-cafe", each, count) for each in (SMALL, size)]
    benches[0].enrol()
    start = time.monotonic()
    template(benches[1], folder)
    seconds = time.monotonic() - start
    written = [each.written(each.groups) for each in benches]
    few, many = benches
    few_ours, few_bare, many_ours, many_bare = in_turns(
        3,
        few.ours,
        lambda: few.bare(written[0]),
        many.ours,
        lambda: many.bare(written[1]),
    )
    here, there = ratios(many_bare, many_ours), ratios(few_bare, few_ours)
    kept = Spread.of(
        [
            (a / b) / (c / d)
            for a, b, c, d in zip(many_bare, many_ours, few_bare, few_ours, strict=True)
        ]
    )
    grown = many.base.stat().st_size / 2**30
    return [
        Row(
            f"submit, SQLite: ratio to the bare loop at {size:,} accounts,"
            f" {size * EACH:,} earlier postings",
            here,
            "of the limit",
            f"≥ {GOAL} of the small one",
            kept.middle >= GOAL,
            f"the ratio at {SMALL:,} accounts",
            there,
            kept,
            "of the small one",
            [
                f"a file of {grown:.1f} GiB, written in {seconds:.0f} s; {count:,} purchases;"
                f" {count / Spread.of(many_ours).middle:,.0f} a second, small"
                f" {count / Spread.of(few_ours).middle:,.0f}"
            ],
        )
    ]


def template(bench: Bench, folder: Path) -> None:
    """Write the big books: one member's rows, again for every account."""
    model = Bench(folder, "corner-cafe", 1, 0)
    model.enrol()
    with model.desk(model.base) as desk:
        events = purchases("corner-cafe", 1, 1, EACH, START - EACH * 86_400_000, "past")
        desk.submit(events, importing=True)
        desk.books.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(model.base, bench.base)
    db = apsw.Connection(str(bench.base))
    for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1048576"):
        db.execute(f"PRAGMA {setting}").fetchall()
    row = db.execute("SELECT id, program, seq, due, head, snapshot FROM account").fetchall()[0]
    with db:
        _accounts(db, row, bench.members)
        _copies(db, bench.members)
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.close()


def _accounts(db: apsw.Connection, row: Any, members: int) -> None:
    account = decode_account(row[5])

    def made() -> Iterator[Any]:
        for number in range(2, members + 1):
            account.id = number
            yield (number, *row[1:5], encode_account(account))

    db.executemany(
        "INSERT INTO account (id, program, seq, due, head, snapshot) VALUES (?, ?, ?, ?, ?, ?)",
        made(),
    )


def _copies(db: apsw.Connection, members: int) -> None:
    """The rows of the first account, again for every other one, in the order of their keys."""
    db.execute("CREATE TEMP TABLE number (i INTEGER PRIMARY KEY)")
    db.execute(
        "INSERT INTO number WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < ?) SELECT i FROM n",
        (members,),
    )
    changed = {
        "event": {"n": "NULL", "account": "i", "subject": "'card:' || i",
                  "key": "t.key || '-' || printf('%08d', i)"},
        "entry": {"n": "NULL", "account": "i",
                  "event": "t.event || '-' || printf('%08d', i)"},
        "posting": {"account": "i"},
        "balance": {"account": "i"},
        "card": {"account": "i", "token": "CAST(i AS TEXT)"},
    }  # fmt: skip
    for table, other in changed.items():
        columns = [each[1] for each in db.execute(f"PRAGMA table_info({table})").fetchall()]
        chosen = ", ".join(other.get(each, f"t.{each}") for each in columns)
        db.execute(f"CREATE TEMP TABLE copied AS SELECT * FROM {table}")
        db.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen}"
            " FROM number CROSS JOIN copied t"
        )
        db.execute("DROP TABLE copied")
