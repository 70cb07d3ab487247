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
CREATE TRIGGER cancelled_{verb} BEFORE {verb} ON cancelled
BEGIN SELECT RAISE(ABORT, 'cancelled is append-only: publish another version instead'); END;
"""
_POSTGRES_KEPT: Final = """
CREATE TRIGGER cancelled_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cancelled
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


def cancelled_sqlite(words: dict[str, str]) -> str:
    """The versions that were cancelled before they began, in the words of SQLite."""
    kept = "".join(_SQLITE_KEPT.format(verb=verb) for verb in ("UPDATE", "DELETE"))
    return _CANCELLED.format(**words) + kept


def cancelled_postgres(words: dict[str, str]) -> str:
    """The same in the words of PostgreSQL."""
    return _CANCELLED.format(**words) + _POSTGRES_KEPT
