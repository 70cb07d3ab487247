"""Guards: triggers that keep rows as they were written, in the words of both stores."""

from __future__ import annotations

from typing import Final

CORRECT: Final = "write a correcting entry instead"
_ALL: Final = "DELETE OR TRUNCATE"
#: What the triggers of PostgreSQL call; the first step makes it.
POSTGRES_REFUSES: Final = f"""
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: {CORRECT}', TG_TABLE_NAME;
END $$;
"""


def sqlite(table: str, name: str, verb: str, when: str = "", instead: str = CORRECT) -> str:
    """A trigger of SQLite that refuses a change; the message says what to do ``instead``."""
    return f"""
CREATE TRIGGER {table}_{name} BEFORE {verb} ON {table} {when}
BEGIN SELECT RAISE(ABORT, '{table} is append-only: {instead}'); END;
"""


def postgres(table: str, name: str, verb: str, each: str = "STATEMENT") -> str:
    """A trigger of PostgreSQL that refuses a change, by the statement or by the row."""
    return f"""
CREATE TRIGGER {table}_{name} BEFORE {verb} ON {table}
FOR EACH {each} EXECUTE FUNCTION append_only();
"""


def sqlite_written_once(table: str, instead: str = CORRECT) -> str:
    """All rows of a table stay as they were written, in the words of SQLite."""
    return "".join(sqlite(table, verb, verb, instead=instead) for verb in ("UPDATE", "DELETE"))


def postgres_written_once(table: str) -> str:
    """The same in the words of PostgreSQL."""
    return postgres(table, "append_only", f"UPDATE OR {_ALL}")


def postgres_kept(table: str) -> str:
    """No row of a table goes, in the words of PostgreSQL."""
    return postgres(table, "kept", _ALL)
