"""Running: the tables of how people run a program, beside what its file says."""

from __future__ import annotations

from typing import Final

_CANCELLED: Final = """
CREATE TABLE cancelled (
    program {int} NOT NULL,
    version {int} NOT NULL,
    at {int} NOT NULL,
    PRIMARY KEY (program, version)
){end};
"""
_SQLITE_KEPT: Final = """
CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only: {instead}'); END;
"""
_POSTGRES_KEPT: Final = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

#: What an owner has settled about the work with a program.
SETTINGS: Final = """
CREATE TABLE setting (
    program {int} NOT NULL,
    name {text} NOT NULL,
    value {int} NOT NULL,
    PRIMARY KEY (program, name)
){end};
"""


def kept_sqlite(table: str, instead: str) -> str:
    """What keeps the rows of a table as they were written, in the words of SQLite; the message
    says what to do ``instead``."""
    verbs = "UPDATE", "DELETE"
    return "".join(_SQLITE_KEPT.format(table=table, instead=instead, verb=v) for v in verbs)


def kept_postgres(table: str) -> str:
    """The same in the words of PostgreSQL."""
    return _POSTGRES_KEPT.format(table=table)


def cancelled_sqlite(words: dict[str, str]) -> str:
    """The versions that were cancelled before they began, in the words of SQLite."""
    return _CANCELLED.format(**words) + kept_sqlite("cancelled", "publish another version instead")


def cancelled_postgres(words: dict[str, str]) -> str:
    """The same in the words of PostgreSQL."""
    return _CANCELLED.format(**words) + kept_postgres("cancelled")
