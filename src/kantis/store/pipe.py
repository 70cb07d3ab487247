"""Pipe: statements that go to PostgreSQL together, one way there and back for all of them.

Guarantee: they run in the order in which they were given, each on what those before it have
done. The first that fails is raised, and none behind it has run, also where the server ends the
connection with it; when the connection is lost without a word, nobody knows which of them have.

A statement is prepared the first time it is sent, and its values come packed: so each of them
costs the driver a few microseconds, where one by one it costs a hundred.
"""

from __future__ import annotations

import itertools
import select
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Transformer

from kantis.store.arrays import Column

#: A statement, in which ``?`` stands for a value, and its values.
Question: TypeAlias = tuple[str, Sequence[Column | int]]

_BINARY: Final = int(pq.Format.BINARY)
_ROWS: Final = int(pq.ExecStatus.TUPLES_OK)
_FAILED, _SKIPPED = int(pq.ExecStatus.FATAL_ERROR), int(pq.ExecStatus.PIPELINE_ABORTED)
#: What was prepared is gone, or was for tables that have other columns now.
_STALE: Final = (errors.InvalidSqlStatementName, errors.FeatureNotSupported)
#: With these a server says that it ends the connection, also by a mere warning.
_ENDING: Final = ("57P01", "57P02", "57P03")
_numbers: Final = itertools.count(1)
_bigint: Final = struct.Struct(">q").pack


class Pipe:
    """Of one connection. Threads take turns; what they say stays apart."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._pg, self._lock = connection.pgconn, connection.lock
        self._transformer = Transformer(connection)
        self._prepared: dict[str, bytes] = {}
        self._poll = select.poll()
        self._ending = False
        #: the place of the statement that the server itself has refused last; -1 where it was lost
        self.refused = -1
        connection.add_notice_handler(self._noticed)

    def _noticed(self, notice: errors.Diagnostic) -> None:
        self._ending |= notice.severity_nonlocalized == "FATAL" or notice.sqlstate in _ENDING

    def is_open(self) -> bool:
        """Whether the server has neither closed the connection nor said that it will, as far as
        that has come here."""
        pg = self._pg
        with self._lock:
            try:
                self._poll.register(pg.socket, select.POLLIN)
                while not self._ending and self._poll.poll(0):
                    pg.consume_input()
                    pg.is_busy()  # what has come is looked at
            except psycopg.OperationalError:
                return False
            return not self._ending

    def ask(self, questions: Sequence[Question]) -> list[list[Any]]:
        """The rows that each statement finds, once all have run; ``psycopg.Error`` if one fails."""
        with self._lock:  # the driver takes it too, for each of its own statements
            return self._ask(questions)

    def say(self, command: bytes) -> None:
        """Run a command that finds nothing, whatever was prepared before."""
        with self._lock:
            result = self._pg.exec_(command)
        if result.status == _FAILED:
            raise errors.error_from_result(result)

    def _ask(self, questions: Sequence[Question]) -> list[list[Any]]:
        pg = self._pg
        self.refused = -1
        pg.enter_pipeline_mode()
        try:
            fresh = [self._send(*each) for each in questions]
            pg.pipeline_sync()
            self._poll.register(pg.socket)
            while pg.flush():  # what comes meanwhile is taken in, or each side waits for the other
                self._take_in(select.POLLIN | select.POLLOUT)
            return self._hear(questions, fresh)
        finally:
            try:
                pg.exit_pipeline_mode()
            except psycopg.Error:  # lost, or left in the middle: nobody can go on with it
                pg.finish()

    def _send(self, statement: str, values: Sequence[Column | int]) -> bytes:
        """Send a statement; under which name it is prepared, if it has to be."""
        name, fresh = self._prepared.get(statement), b""
        if name is None:
            name = fresh = b"kantis_%d" % next(_numbers)
            self._pg.send_prepare(name, _numbered(statement))
        data = [_bigint(each) if isinstance(each, int) else each.data for each in values]
        self._pg.send_query_prepared(name, data, [_BINARY] * len(data), _BINARY)
        return fresh

    def _hear(self, questions: Sequence[Question], fresh: Sequence[bytes]) -> list[list[Any]]:
        answers: list[list[Any]] = []
        failure: psycopg.Error | None = None
        try:
            for at, ((statement, _), name) in enumerate(zip(questions, fresh, strict=True)):
                for prepared in (True, False) if name else (False,):
                    result = self._next()
                    assert result is not None
                    if result.status == _FAILED:
                        error = errors.error_from_result(result)
                        if failure is None and error.diag.source_function:
                            self.refused = at  # neither a driver nor a pooler says such a place
                        failure = failure or error
                    elif result.status != _SKIPPED and prepared:
                        self._prepared[statement] = name
                    elif result.status != _SKIPPED:
                        answers.append(self._rows(result))
                    self._next()  # nothing more of this one
            self._next()  # all has run
        except psycopg.OperationalError as error:
            raise failure or error from None
        if isinstance(failure, _STALE):
            self._prepared.clear()
        if failure is not None:
            raise failure
        return answers

    def _rows(self, result: pq.abc.PGresult) -> list[Any]:
        if result.status != _ROWS:
            return []
        self._transformer.set_pgresult(result, format=pq.Format.BINARY)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def _next(self) -> pq.abc.PGresult | None:
        while self._pg.is_busy():
            self._take_in(select.POLLIN)
        result = self._pg.get_result()
        if result is None and self._pg.status == pq.ConnStatus.BAD:
            raise psycopg.OperationalError("the connection is lost")
        return result

    def _take_in(self, until: int) -> None:
        """Wait until the connection can be read, or whatever is waited for."""
        self._poll.modify(self._pg.socket, until)
        if any(event & ~select.POLLOUT for _, event in self._poll.poll()):
            self._pg.consume_input()


@lru_cache(maxsize=256)
def _numbered(statement: str) -> bytes:
    """A statement whose values are counted, as the server reads it.

    >>> _numbered("SELECT ?::bigint + ?::bigint")
    b'SELECT $1::bigint + $2::bigint'
    """
    first, *rest = statement.split("?")
    return "".join([first, *(f"${n}{part}" for n, part in enumerate(rest, 1))]).encode()
