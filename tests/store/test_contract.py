"""What every store promises: one suite, inherited by each of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kantis.store.books import Books, Conflict, Forbidden, Outage
from kantis.store.postgres import PostgresBooks
from kantis.store.reading import together
from kantis.store.rows import CheckpointRow, EntryRow, Page, Row, VersionRow
from kantis.store.schema import ALONE, BAD, DECIDED, OUTSIDE, PARKED, READY
from kantis.store.sqlite import SqliteBooks
from tests.store.conftest import connect

H = b"0123456789abcdef"


def event(key: str, state: int = DECIDED, **other: object) -> Row:
    row = {
        "key": key, "program": 1, "type": "purchase", "time": 5, "received": 6,
        "subject": "card:ä", "ask": 0, "imported": 0, "state": state, "account": None,
        "seq": None, "receipt": None, "waits": None, "note": None, "body": b"body", "hash": H,
    }  # fmt: skip
    assert other.keys() <= row.keys()
    return tuple((row | other).values())


def entry(account: int, seq: int, cause: str = "", chain: bytes = H) -> Row:
    return (
        account, seq, f"till/{account}-{seq}", 7, 8, 5, 1 << 62, 1, 1, "2026a", 1, cause,
        H, b"decision", b"", chain,
    )  # fmt: skip


def posting(account: int, seq: int, n: int = 0, amount: int = 10, **other: object) -> Row:
    row = {
        "account": account, "seq": seq, "n": n, "balance": "points", "source": 6, "target": 0,
        "amount": amount, "lot": 1, "reason": "earning", "value": 5, "booked": 8,
    }  # fmt: skip
    return tuple((row | other).values())


def page(count: int = 1, first: int = 1) -> Page:
    """One event, entry, posting and balance for each of some new accounts."""
    numbers = range(first, first + count)
    return Page(
        events=[event(f"till/{n}-1", account=n, seq=1) for n in numbers],
        entries=[entry(n, 1) for n in numbers],
        postings=[posting(n, 1) for n in numbers],
        opened=[(n, 1, 1, 100 + n, H, b"snapshot") for n in numbers],
        balances=[(n, "points", 10, 0, 0, 0, 0, 0) for n in numbers],
        cards=[(1, f"card {n}", n) for n in numbers],
        flags=[(f"till/{n}-1", n, 1, "shortage", 8) for n in numbers],
    )


@contextmanager
def batch(books: Books) -> Iterator[Books]:
    books.begin()
    try:
        yield books
        books.commit()
    except BaseException:
        books.rollback()
        raise


def test_what_is_written_is_read_back(books: Books) -> None:
    with batch(books):
        books.write(page(3))
    assert books.counts() == dict.fromkeys(
        ("account", "card", "event", "entry", "posting", "balance"), 3
    ) | {"checkpoint": 0}
    assert books.account_range() == (1, 3)
    row = books.account(2)
    assert row is not None
    assert (row.id, row.seq, row.due, row.head, row.snapshot) == (2, 1, 102, H, b"snapshot")
    assert books.account(9) is None
    assert [r[1:] for r in books.events(["till/2-1", "none/1"])] == [
        event("till/2-1", account=2, seq=1)
    ]
    recorded = [("points", 6, 0, 10, 1, "earning")]
    assert books.entries([(2, 1), (2, 2)]) == [(EntryRow._make(entry(2, 1)), recorded)]
    assert books.cards([(1, "card 3"), (1, "x"), (2, "card 3")]) == {(1, "card 3"): 3}
    assert books.tokens(3) == ["card 3"]
    assert [tuple(b) for b in books.balances(1)] == [(1, "points", 10, 0, 0, 0, 0, 0)]
    assert books.places() == [("points", 6, 0, 30)]
    assert books.purses() == {"points": [30, 0, 0, 0, 0, 0]}
    assert [flag.account for flag in books.flags(2)] == [1, 2]


def test_accounts_come_in_the_order_of_their_ids(books: Books) -> None:
    with batch(books):
        books.write(page(5))
    with batch(books):
        assert [row.id for row in books.accounts([4, 1, 9, 3])] == [1, 3, 4]


def test_changed_rows_replace_what_stood_there(books: Books) -> None:
    with batch(books):
        books.write(page(3))
    with batch(books):
        books.write(
            Page(
                accounts=[(2, None, H[::-1], b"newer", 2), (2, 7, H, b"newer", 3)],
                balances=[(2, "points", 4, 1, 2, -3, 5, 6), (2, "stars", 1, 0, 0, 0, 0, 0)],
            )
        )
    row = books.account(2)
    assert row is not None
    assert tuple(row) == (2, 1, 2, None, H[::-1], b"newer")
    assert books.due(1 << 61, 9) == [(3, 7), (1, 101)]
    assert [tuple(b)[1:] for b in books.balances(2)] == [
        ("points", 4, 1, 2, -3, 5, 6),
        ("stars", 1, 0, 0, 0, 0, 0),
    ]


def test_a_rolled_back_batch_leaves_nothing(books: Books) -> None:
    books.begin()
    books.write(page(3))
    books.rollback()
    assert set(books.counts().values()) == {0}


def test_going_back_to_the_mark_keeps_the_rest(books: Books) -> None:
    with batch(books):
        books.write(page(1))
        books.mark()
        books.write(page(1, first=2))
        books.back()
        books.write(page(1, first=3))
    assert books.cards([(1, f"card {n}") for n in (1, 2, 3)]) == {
        (1, "card 1"): 1,
        (1, "card 3"): 3,
    }
    assert books.counts()["entry"] == 2


@pytest.mark.parametrize("again", ["events", "entries", "postings", "cards", "opened"])
def test_the_same_row_twice_is_a_conflict(books: Books, again: str) -> None:
    with batch(books):
        books.write(page(2))
    twice = Page(**{again: getattr(page(2), again)[1:]})
    with pytest.raises(Conflict), batch(books):
        books.write(twice)
    assert books.counts()["event"] == 2


def test_the_number_of_statements_does_not_depend_on_the_batch(books: Books) -> None:
    def count(size: int, first: int) -> int:
        before = books.statements
        with batch(books):
            numbers = range(first, first + size)
            books.ready(100)
            books.cards([(1, f"card {n}") for n in numbers])
            books.accounts(list(numbers))
            books.events([f"till/{n}-1" for n in numbers])
            books.entries([(n, 1) for n in numbers])
            books.undoing([(n, "till/1-1") for n in numbers])
            books.receipts([(1, f"{n}") for n in numbers])
            books.new_ids(size)
            made = page(size, first)
            made.arrived = [f"1:card:{n}" for n in numbers]
            made.settled = [(DECIDED, n, 1, None, None, -n) for n in numbers]
            made.accounts = [(1, None, H, b"snapshot", n) for n in numbers]
            books.write(made)
        return books.statements - before

    assert count(1, 1) == count(1_000, 2) == count(7, 2_000)


def test_waiting_events_are_taken_up_when_what_they_wait_for_has_come(books: Books) -> None:
    waiting = [
        event("till/1", PARKED, waits="1:card:7"),
        event("till/2", ALONE, waits="till/9"),
        event("till/3", PARKED, waits="till/8"),
        event("till/4", BAD, note="a bug"),
    ]
    with batch(books):
        books.write(Page(events=waiting))
    assert books.ready(9) == []
    with batch(books):
        books.write(Page(events=[event("till/9"), event("till/8", ALONE)], arrived=["1:card:7"]))
    with batch(books):
        ready = books.ready(9)
        assert [row.key for row in ready] == ["till/1", "till/2"]
        assert all(row.state == READY and row.waits is None for row in ready)
        books.write(Page(settled=[(DECIDED, 4, 1, None, None, ready[0].n)]))
    assert [row.key for row in books.waiting(READY, 9)] == ["till/2"]
    assert [row.key for row in books.waiting(PARKED, 9)] == ["till/3"]
    (bad,) = books.waiting(BAD, 9)
    assert books.retry(bad.n, "again")
    assert not books.retry(ready[0].n, "again")
    assert [row.key for row in books.ready(9)] == ["till/2", "till/4"]


def test_receipts_find_purchases_without_a_member(books: Books) -> None:
    with batch(books):
        books.write(
            Page(
                events=[
                    event("till/1", ALONE, receipt="R"),
                    event("till/2", DECIDED, receipt="R", account=1, seq=1),
                    event("till/3", ALONE, receipt="R", program=2),
                    event("till/4", ALONE, receipt="Q"),
                ]
            )
        )
    with batch(books):
        assert [row.key for row in books.receipts([(1, "R"), (1, "S")])] == ["till/1"]


def test_entries_are_found_by_what_they_undo(books: Books) -> None:
    rows = [entry(1, 1), entry(1, 2, "till/1-1"), entry(1, 3, "till/1-1"), entry(2, 1, "till/1-1")]
    with batch(books):
        books.write(Page(entries=rows, postings=[posting(1, 3)]))
    found = books.undoing([(1, "till/1-1"), (3, "till/1-1"), (1, "")])
    assert [(row.seq, len(postings)) for row, postings in found] == [(2, 0), (3, 1)]


def test_a_shared_limit_is_never_exceeded(books: Books) -> None:
    books.set_limit(1, "mug", 10)
    assert books.take([(4, 1, "mug"), (6, 1, "mug")])
    assert not books.take([(1, 1, "mug")])
    assert books.take([(-3, 1, "mug")])
    assert not books.take([(-8, 1, "mug")])
    assert not books.take([(1, 1, "unknown")])
    assert [tuple(row) for row in books.limits([(1, "mug"), (1, "x")], lock=False)] == [
        (1, "mug", 10, 7)
    ]
    with pytest.raises(Forbidden):
        books.set_limit(1, "mug", 6)


def test_versions_and_programs(books: Books) -> None:
    first = VersionRow(1, 1, 5, "a: 1", '{"a":"1"}', 6, H)
    books.publish("café", first)
    books.publish("café", first._replace(number=2, since=9))
    books.publish("grocer", first._replace(program=2))
    assert books.programs() == {"café": 1, "grocer": 2}
    assert [row.number for row in books.versions(1)] == [1, 2]
    assert books.versions(2)[0].tree == '{"a":"1"}'
    assert books.edition() == 3
    with pytest.raises(Conflict):
        books.publish("café", first)


def test_a_new_version_makes_accounts_due(books: Books) -> None:
    with batch(books):
        books.write(page(3))
        books.write(Page(accounts=[(1, None, H, b"snapshot", 2)]))
    assert books.wake(1, 102) == 3
    assert books.wake(2, 1) == 0
    assert sorted(books.due(1_000, 9)) == [(1, 101), (2, 102), (3, 102)]


def test_flags_are_cleared(books: Books) -> None:
    with batch(books):
        books.write(page(2))
    (first, second) = books.flags(9)
    assert books.clear_flag(first.n, 77)
    assert books.flags(9) == [second]


def test_history_comes_by_account_and_seq(books: Books) -> None:
    with batch(books):
        books.write(page(2))
        books.write(
            Page(
                entries=[entry(2, 2), entry(1, 2)],
                postings=[
                    posting(2, 2, 1),
                    posting(2, 2, 0),
                    posting(3, 1),
                    posting(1, 2, value=9),
                ],
            )
        )
    with books.reader() as frozen:
        frozen.freeze()
        found = [
            (row.account, row.seq, len(made), agree) for row, made, agree in frozen.history(1, 9)
        ]
        assert found == [(1, 1, 1, True), (1, 2, 1, False), (2, 1, 1, True), (2, 2, 2, True),
                         (3, 1, 1, False)]  # fmt: skip
        assert [row[0].key for row in frozen.all_events()] == ["till/1-1", "till/2-1"]
        assert [row[1] for row in frozen.all_events()] == [
            ("till/1-1", "", H, 1),
            ("till/2-1", "", H, 1),
        ]
        assert list(frozen.all_cards()) == [(1, "card 1", 1), (1, "card 2", 2)]
        assert [row.balance for row in frozen.all_balances(1, 1)] == ["points"]
        assert [head[1:3] for head in frozen.heads(0)] == [(1, 1), (2, 1), (2, 2), (1, 2)]


def test_a_frozen_reader_sees_one_instant(books: Books) -> None:
    with batch(books):
        books.write(page(1))
    with books.reader() as frozen:
        frozen.freeze()
        with batch(books):
            books.write(page(1, first=2))
        assert frozen.counts()["entry"] == 1
    assert books.counts()["entry"] == 2


def test_a_reader_cannot_write(books: Books) -> None:
    with books.reader() as reader, pytest.raises(Outage):
        reader.execute("DELETE FROM balance")


def test_checkpoints_are_kept_in_order(books: Books) -> None:
    assert books.last_checkpoint().number == 0
    with batch(books):
        books.write(page(4))
    assert books.settled() == (4, 4)
    books.add_checkpoint(CheckpointRow(1, 4, 4, 9, 4, H))
    assert books.last_checkpoint() == books.checkpoints()[0] == (1, 4, 4, 9, 4, H)
    with pytest.raises(Conflict):
        books.add_checkpoint(CheckpointRow(1, 5, 4, 9, 4, H))


def test_a_database_of_a_newer_kantis_is_refused(books: Books, url: str) -> None:
    books.migrate()
    books.execute("INSERT INTO migration VALUES (99, 0)")
    with connect(url) as later, pytest.raises(Outage, match="newer version"):
        later.migrate()


def test_postings_without_an_entry_are_not_lost() -> None:
    rows = [(a, s, "points", 6, 0, 5, 1, "x", 5, 8, 0) for a, s in ((1, 2), (3, 1))]
    found = [
        (account, e.seq, e.event, len(p), ok)
        for account, ledger in together([entry(2, 1)], rows)
        for e, p, ok in ledger
    ]
    assert found == [(1, 2, "", 1, False), (2, 1, "till/2-1", 0, True), (3, 1, "", 1, False)]


# ── attacks with raw SQL ─────────────────────────────────────────────────────

CHANGES = [
    "UPDATE posting SET amount = 99",
    "UPDATE posting SET target = 1",
    "DELETE FROM posting",
    "DELETE FROM posting WHERE account = 1 AND seq = 1",
    "UPDATE entry SET decision = context",
    "DELETE FROM entry",
    "UPDATE version SET since = 0",
    "DELETE FROM version",
    "UPDATE checkpoint SET entry = 0",
    "DELETE FROM checkpoint",
    "DELETE FROM event",
    "UPDATE event SET hash = hash",
    "UPDATE event SET subject = 'card:2'",
    "UPDATE event SET body = hash",
    "DELETE FROM card",
]
SQLITE_CHANGES = [
    "REPLACE INTO posting SELECT account, seq, n, balance, source, target, 99, lot, reason, value,"
    " booked FROM posting",
    "INSERT OR REPLACE INTO entry SELECT * FROM entry",
]
POSTGRES_CHANGES = ["TRUNCATE posting", "TRUNCATE entry", "TRUNCATE event"]


def test_what_is_written_cannot_be_changed(books: Books, url: str) -> None:
    with batch(books):
        books.write(page(2))
    books.publish("café", VersionRow(1, 1, 5, "a", "{}", 6, H))
    books.add_checkpoint(CheckpointRow(1, 2, 2, 9, 2, H))
    other = POSTGRES_CHANGES if url.startswith("postgresql:") else SQLITE_CHANGES
    for attack in CHANGES + other:
        with pytest.raises(Forbidden, match="append-only"):
            books.execute(attack)
    assert books.places() == [("points", 6, 0, 20)]
    # A body may go when its time is over.
    assert books.execute("UPDATE event SET body = NULL") == 2


def test_the_guards_are_what_refuses(books: Books, url: str) -> None:
    """The twin: without its trigger the same attack goes through."""
    with batch(books):
        books.write(page(2))
    if url.startswith("postgresql:"):
        books.execute("DROP TRIGGER posting_append_only ON posting")
    else:
        books.execute("DROP TRIGGER posting_UPDATE")
    books.execute("UPDATE posting SET amount = 99")
    assert books.places() == [("points", 6, 0, 198)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0},
        {"amount": -5},
        {"source": 20},
        {"target": -1},
        {"source": 0},  # from available to available
        {"lot": -1},
        {"balance": None},
        {"amount": None},
        {"amount": "many"},
    ],
    ids=repr,
)
def test_an_impossible_posting_is_refused(books: Books, wrong: dict[str, object]) -> None:
    row = posting(1, 1, **wrong)  # type: ignore[arg-type]
    values = ", ".join("NULL" if v is None else repr(v) for v in row)
    with pytest.raises((Forbidden, Outage)):
        books.execute(f"INSERT INTO posting VALUES ({values})")
    books.rollback()
    assert books.places() == []


@pytest.mark.parametrize("place", ["available", "pending", "held", "voucher", "payout"])
def test_a_balance_has_a_floor(books: Books, place: str) -> None:
    with batch(books):
        books.write(page(1))
    with pytest.raises(Forbidden):
        books.execute(f"UPDATE balance SET {place} = -1")
    with pytest.raises(Forbidden):
        books.execute("UPDATE balance SET owed = 1")
    books.execute("UPDATE balance SET owed = -1")


def test_what_partners_have_is_found_without_reading_all_postings(books: Books) -> None:
    select = "SELECT sum(amount) FROM posting WHERE booked < 5 AND " + OUTSIDE
    if isinstance(books, PostgresBooks):
        books.execute("SET enable_seqscan = off")  # a table without rows is read whole
    explain = "EXPLAIN QUERY PLAN " if isinstance(books, SqliteBooks) else "EXPLAIN "
    assert "posting_outside" in str(books.rows(explain + select))
    assert "posting_outside" not in str(books.rows(explain + select.partition(" AND ")[0]))
