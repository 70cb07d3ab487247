"""What goes through the pipe together happens in order, and nothing behind what fails."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import psycopg
import pytest
from psycopg import errors

from kantis.store import arrays
from kantis.store.pipe import Pipe, Question

TABLE = "CREATE TABLE thing (number bigint PRIMARY KEY, name text, data bytea, bit smallint)"
PUT = "INSERT INTO thing SELECT * FROM unnest(?::bigint[], ?::text[], ?::bytea[], ?::bigint[])"
ALL: Question = "SELECT * FROM thing ORDER BY number", []
ROWS = [(1, "a", b"x", 1), (2, None, None, 0)]


@pytest.fixture
def connection(pg_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(pg_url, autocommit=True) as connection:
        arrays.register(connection)
        connection.execute(TABLE)
        yield connection


def put(*rows: tuple[Any, ...]) -> Question:
    return PUT, arrays.columns("itbi", rows)


def test_each_sees_what_those_before_it_have_done(connection: psycopg.Connection[Any]) -> None:
    pipe = Pipe(connection)
    for begin in ("BEGIN", "BEGIN ISOLATION LEVEL READ COMMITTED"):
        found = pipe.ask([(begin, []), ALL, put(*ROWS), ALL, ("SELECT ?::bigint", [7])])
        assert found == [[], [], [], ROWS, [(7,)]]
        assert pipe.ask([("ROLLBACK", []), ALL]) == [[], []]


def test_behind_one_that_fails_nothing_runs(connection: psycopg.Connection[Any]) -> None:
    pipe = Pipe(connection)
    with pytest.raises(errors.UniqueViolation):
        pipe.ask([("BEGIN", []), put(ROWS[0]), put(ROWS[0]), put(ROWS[1]), ("COMMIT", [])])
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
    assert pipe.ask([("ROLLBACK", []), ALL]) == [[], []]


def test_more_than_either_side_can_hold_comes_through(
    connection: psycopg.Connection[Any],
) -> None:
    long = [(n, "y" * 1_000, None, 0) for n in range(5_000)]
    given: list[Question] = [
        ("SELECT repeat('x', 10000) FROM generate_series(1, ?::bigint)", [1_000]),
        put(*long),
        ("SELECT count(*) FROM thing", []),
    ]
    answers = Pipe(connection).ask(given)
    assert (len(answers[0]), answers[2]) == (1_000, [(5_000,)])


def test_what_was_let_go_is_prepared_again(connection: psycopg.Connection[Any]) -> None:
    pipe = Pipe(connection)
    pipe.ask([ALL])
    connection.execute("DEALLOCATE ALL")
    with pytest.raises(errors.InvalidSqlStatementName):
        pipe.ask([ALL])
    assert pipe.ask([put(*ROWS), ALL]) == [[], ROWS]


def test_what_was_for_other_columns_is_prepared_again(connection: psycopg.Connection[Any]) -> None:
    pipe = Pipe(connection)
    pipe.ask([ALL])
    connection.execute("ALTER TABLE thing ADD more bigint")
    with pytest.raises(errors.FeatureNotSupported):
        pipe.ask([ALL])
    assert pipe.ask([ALL]) == [[]]


def in_threads(connection: psycopg.Connection[Any], pipe: Pipe) -> bool:
    """Whether each of four threads hears what it asked for, in the pipe and beside it."""

    def work(number: int) -> bool:
        one: Question = "SELECT ?::bigint", [number]
        return all(
            pipe.ask([one] * 5) == [[(number,)]] * 5
            and connection.execute("SELECT %s", (number,)).fetchall() == [(number,)]
            for _ in range(100)
        )

    with ThreadPoolExecutor(4) as pool:
        return all(pool.map(work, range(4)))


def test_threads_take_turns(connection: psycopg.Connection[Any]) -> None:
    assert in_threads(connection, Pipe(connection))


def test_without_taking_turns_they_would_be_in_each_others_way(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = Pipe(connection)
    monkeypatch.setattr(pipe, "_lock", nullcontext())
    with pytest.raises((psycopg.Error, RuntimeError, ValueError, AssertionError)):
        assert in_threads(connection, pipe)


def test_what_the_server_refuses_has_its_place(connection: psycopg.Connection[Any]) -> None:
    pipe = Pipe(connection)
    for at in (0, 2):
        with pytest.raises(errors.DivisionByZero):
            pipe.ask([*[ALL] * at, ("SELECT 1 / 0", []), ALL])
        assert pipe.refused == at
    pipe.ask([ALL])
    assert pipe.refused == -1


def test_a_lost_connection_is_closed(connection: psycopg.Connection[Any], pg_url: str) -> None:
    pipe = Pipe(connection)
    pipe.ask([ALL])
    with psycopg.connect(pg_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,))
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            pipe.ask([put(*ROWS), ALL])
        assert connection.closed


def test_one_that_is_left_in_the_middle_is_closed(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    pipe = Pipe(connection)
    monkeypatch.setattr(pipe, "_take_in", interrupt)
    with pytest.raises(KeyboardInterrupt):
        pipe.ask([put(*ROWS), ("SELECT pg_sleep(0.05)", [])])
    assert connection.closed
