"""What only PostgreSQL promises."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from kantis.store import arrays, postgres
from kantis.store.ahead import Answers
from kantis.store.books import Astray, Conflict, Outage, Unknown
from kantis.store.people import card_changes
from kantis.store.pipe import Pipe
from kantis.store.postgres import PostgresBooks
from kantis.store.reading import EVENT
from kantis.store.rows import ENTRY_COLUMNS, EVENT_COLUMNS, POSTING_COLUMNS, Ahead, Page
from tests.store.test_contract import batch, entry, event, page
from tests.support.postgres import Cluster


@pytest.fixture
def books(pg_url: str) -> Iterator[PostgresBooks]:
    with PostgresBooks(pg_url) as books:
        books.migrate()
        yield books


def test_a_commit_that_warns_is_unknown(books: PostgresBooks) -> None:
    """As when a wait for a standby is given up: told by a warning, and nothing else."""
    books.execute(
        "CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE WARNING 'canceling wait for synchronous replication'; RETURN NULL; END $$"
    )
    books.execute(
        "CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON flag DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION warn()"
    )
    books.begin()
    books.write(Page(flags=[("till/1", 1, 1, "shortage", 8)]))
    with pytest.raises(Unknown, match="canceling wait"):
        books.commit()


@pytest.mark.parametrize("at_once", [True, False])
def test_a_page_is_written_alike_at_once_and_copied(
    books: PostgresBooks, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    count = postgres._AT_ONCE
    if not at_once:
        monkeypatch.setattr(postgres, "_AT_ONCE", count - 1)
    given = page(count)
    books.begin()
    books.write(given)
    books.commit()
    for table, columns, rows in (
        ("event", EVENT_COLUMNS, given.events),
        ("entry", ENTRY_COLUMNS, given.entries),
        ("posting", POSTING_COLUMNS, given.postings),
    ):
        stored = books.rows(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {columns[0]}")
        assert sorted(map(tuple, stored)) == sorted(map(tuple, rows)), table


@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_refused_says_the_same_at_once_and_copied(
    books: PostgresBooks, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    monkeypatch.setattr(postgres, "_AT_ONCE", 256 if at_once else -1)
    books.begin()
    books.write(page(2))
    books.commit()
    for wrong, error in ((page(2), Conflict), (Page(postings=[*page(1).postings] * 2), Conflict)):
        with pytest.raises(error), batch(books):
            books.write(wrong)
    books.begin()
    books.write(page(1, first=3))
    books.commit()
    assert books.counts()["event"] == 3


def kept(books: PostgresBooks) -> set[str]:
    """What is set for the session, beyond what each connection says when it begins."""
    found = books.rows("SELECT name FROM pg_settings WHERE source = 'session'")
    return {name for (name,) in found}


@pytest.mark.parametrize("write", [True, False])
def test_nothing_is_set_beyond_a_batch_so_a_pooler_may_share_sessions(
    pg_url: str, books: PostgresBooks, write: bool
) -> None:
    name = books.one("SELECT current_database()")
    books.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with PostgresBooks(pg_url, write=write) as others:
        assert others.one("SHOW synchronous_commit") == "off"
        others.begin()
        sure, reads = others.rows(
            "SELECT current_setting('synchronous_commit'), current_setting('transaction_read_only')"
        )[0]
        others.commit()
        assert (sure, reads) == (("on", "off") if write else ("off", "on"))
        assert kept(others) == set()
        others.rows("SELECT set_config('default_transaction_read_only', 'on', false)")
        assert kept(others) == {"default_transaction_read_only"}


def end_it(pg_url: str, pid: int) -> None:
    """As an administrator does it, until it is gone."""
    with psycopg.connect(pg_url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


def goes_on(books: PostgresBooks, count: int) -> None:
    """The next batch is written, and there are so many entries then."""
    books.rollback()
    books.begin()
    books.write(page(1))
    books.commit()
    assert books.counts()["entry"] == count


def test_what_ends_before_the_commit_is_sent_is_known_not_to_be_done(
    books: PostgresBooks, pg_url: str
) -> None:
    books.begin()
    books.write(page(1))
    end_it(pg_url, books.one("SELECT pg_backend_pid()"))
    with pytest.raises(Outage, match="before the batch was sent"):
        books.commit()
    goes_on(books, 1)


def test_without_looking_whether_it_has_ended_nobody_would_know(
    books: PostgresBooks, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pipe, "is_open", lambda _: True)
    books.begin()
    books.write(page(1))
    end_it(pg_url, books.one("SELECT pg_backend_pid()"))
    with pytest.raises(Unknown):
        books.commit()
    goes_on(books, 1)


def slow(books: PostgresBooks, *, last: bool) -> None:
    """A batch that hangs among what it writes, or in COMMIT itself."""
    books.execute(
        "CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(20); RETURN NULL; END $$"
    )
    when = "DEFERRABLE INITIALLY DEFERRED" if last else ""
    kind = "CONSTRAINT TRIGGER" if last else "TRIGGER"
    books.execute(
        f"CREATE {kind} slow AFTER INSERT ON flag {when} FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    books.begin()
    books.write(page(1))
    books.write(Page(flags=[("till/1", 1, 1, "shortage", 8)]))


def ended(pg_url: str, books: PostgresBooks, *, last: bool, kill: bool = False) -> BaseException:
    """What is said of a batch whose connection ends while the server works on it."""
    pid = books.one("SELECT pg_backend_pid()")
    slow(books, last=last)

    def end() -> None:
        with psycopg.connect(pg_url, autocommit=True) as other:
            asleep = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"
            while not other.execute(asleep, (pid,)).fetchone():
                time.sleep(0.01)
            if not kill:
                other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        if kill:
            os.kill(pid, signal.SIGKILL)

    with ThreadPoolExecutor(1) as pool:
        ends = pool.submit(end)
        with pytest.raises((Outage, Unknown)) as told:
            books.commit()
        ends.result()
    return told.value


def test_what_the_server_itself_ends_before_the_commit_is_not_done(
    books: PostgresBooks, pg_url: str
) -> None:
    assert isinstance(ended(pg_url, books, last=False), Outage)
    goes_on(books, 1)


def test_what_the_server_ends_in_the_commit_is_unknown(books: PostgresBooks, pg_url: str) -> None:
    assert isinstance(ended(pg_url, books, last=True), Unknown)


def test_what_is_lost_without_a_word_is_unknown(pg_own_cluster: Cluster) -> None:
    """What was done of it could have been told, and got lost with the connection."""
    with PostgresBooks(pg_own_cluster.url) as books:
        books.migrate()
        assert isinstance(ended(pg_own_cluster.url, books, last=False, kill=True), Unknown)


def test_an_account_is_locked_until_the_batch_ends(books: PostgresBooks, pg_url: str) -> None:
    books.begin()
    books.write(page(3))
    books.commit()
    books.begin()
    assert len(books.accounts([2, 3])) == 2
    with PostgresBooks(pg_url) as other:
        other.begin()
        assert [row.id for row in other.accounts([1])] == [1]
        other.execute("SET LOCAL lock_timeout = 50")
        with pytest.raises(Conflict):
            other.accounts([1, 2])
        other.rollback()


def test_what_another_batch_has_taken_up_is_not_taken_twice(
    books: PostgresBooks, pg_url: str
) -> None:
    books.begin()
    books.write(Page(events=[event(f"till/{n}", 1) for n in range(5)]))
    books.commit()
    books.begin()
    assert len(books.ready(3)) == 3
    with PostgresBooks(pg_url) as other:
        other.begin()
        assert len(other.ready(9)) == 2
        other.rollback()


def test_what_was_asked_ahead_is_not_asked_again(books: PostgresBooks, pg_url: str) -> None:
    books.begin()
    books.write(page(3))
    books.commit()
    cards = [(1, "card 3"), (1, "none")]
    books.begin_asking(Ahead(9, (), ["till/1-1", "none"], cards, [1, 2, 77]))
    before = books.statements
    assert [row.key for row in books.events(["till/1-1", "none"])] == ["till/1-1"]
    assert (books.ready(9), books.edition(), card_changes(books, 0)) == ([], 0, [])
    assert books.cards(cards) == {(1, "card 3"): 3}
    assert [row.id for row in books.accounts([3, 1, 77])] == [1, 3]
    assert books.statements == before
    assert [row.key for row in books.events(["till/2-1"])] == ["till/2-1"]
    assert books.statements == before + 1
    with PostgresBooks(pg_url) as other:
        for number in (1, 2, 3):
            other.begin()
            other.execute("SET LOCAL lock_timeout = 50")
            with pytest.raises(Conflict):
                other.accounts([number])
            other.rollback()
    books.rollback()
    books.begin()
    before = books.statements
    assert (books.edition(), len(books.accounts([1]))) == (0, 1)
    assert books.statements == before + 2  # what another batch was told holds no longer


def crossing(books: PostgresBooks, url: str) -> list[str]:
    """Two batches have asked for an account each, and then need the other's too."""
    books.begin()
    books.write(page(2))
    books.commit()
    found = []

    def need(each: PostgresBooks) -> None:
        try:
            each.accounts([1, 2])
            found.append("locked")
        except (Astray, Conflict) as error:
            found.append(type(error).__name__)
        each.rollback()

    with PostgresBooks(url) as other:
        books.begin_asking(Ahead(accounts=[1]))
        other.begin_asking(Ahead(accounts=[2]))
        thread = threading.Thread(target=need, args=(books,))
        thread.start()
        time.sleep(0.1)
        need(other)
        thread.join()
    return sorted(found)


def test_an_account_that_comes_too_late_lets_the_batch_begin_again(
    books: PostgresBooks, pg_url: str
) -> None:
    assert crossing(books, pg_url) == ["Astray", "locked"]


def test_out_of_order_batches_wait_for_each_other(
    books: PostgresBooks, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: it takes PostgreSQL a second to see that neither can go on."""

    def heedless(_: Answers, ids: list[int], lock: Callable[[list[int]], list[Any]]) -> list[Any]:
        return lock(ids)

    monkeypatch.setattr(Answers, "accounts", heedless)
    assert crossing(books, pg_url) == ["Conflict", "locked"]


def test_what_is_written_can_be_read_before_the_commit(books: PostgresBooks) -> None:
    books.begin()
    books.write(page(2))
    assert books.counts()["entry"] == 2
    books.mark()
    books.write(page(1, first=3))
    books.back()
    books.commit()
    assert books.counts()["entry"] == 2


def test_a_checkpoint_waits_for_batches_that_run(books: PostgresBooks, pg_url: str) -> None:
    books.begin()
    books.write(Page(entries=[entry(1, 1)]))
    with PostgresBooks(pg_url) as other:
        other.execute("SET lock_timeout = 50")
        with pytest.raises(Conflict):
            other.settled()
        books.commit()
        assert other.settled() == (1, 0)


def test_a_batch_never_reads_a_whole_table(books: PostgresBooks) -> None:
    wanted = books.wanted["t"]
    statement = f"EXPLAIN SELECT {EVENT} FROM {wanted} event e WHERE e.key = j.a"
    books.begin()
    inside = books.rows(statement, books.keyed("t", [("till/1",)]))
    books.rollback()
    assert not any("Seq Scan" in row[0] for row in inside), inside


def test_no_server_is_an_outage() -> None:
    with pytest.raises(Outage, match="cannot be reached"):
        PostgresBooks("postgresql://nobody@127.0.0.1:1/none")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("i", [1, -(1 << 62), None, 0]),
        ("i", [5]),
        ("t", ["ä", None, "", "x" * 5000]),
        ("b", [b"\x00\xff", None, b"", b"y" * 5000]),
    ],
)
def test_columns_arrive_as_they_were_sent(
    books: PostgresBooks, kind: str, values: list[object]
) -> None:
    name = {"i": "bigint", "t": "text", "b": "bytea"}[kind]
    sent = arrays.columns(kind, [(value,) for value in values])
    found = books.rows(f"SELECT * FROM unnest(?::{name}[])", sent)
    assert [row[0] for row in found] == values
