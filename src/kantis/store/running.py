"""Running: the tables of how people run a program, beside what its file says."""

from __future__ import annotations

from typing import Final

from kantis.store import guards

_CANCELLED: Final = """
CREATE TABLE cancelled (
    program {int} NOT NULL,
    version {int} NOT NULL,
    at {int} NOT NULL,
    PRIMARY KEY (program, version)
){end};
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
    kept = guards.sqlite_written_once("cancelled", "publish another version instead")
    return _CANCELLED.format(**words) + kept


def cancelled_postgres(words: dict[str, str]) -> str:
    """The same in the words of PostgreSQL."""
    return _CANCELLED.format(**words) + guards.postgres_written_once("cancelled")
