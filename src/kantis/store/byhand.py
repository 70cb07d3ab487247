"""By hand: the tables of what people do beside events, and the limits of keys.

The audit log is append-only as entries are. An adjustment that waits for a second person
keeps what was asked for, and is answered once. Where books were moved to stands in the books
themselves, and then the database takes nothing in any of their tables any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kantis.store import guards

#: An adjustment waits for another person, or was made alone, or another person answered it.
WAITS: Final = 0
ALONE: Final = 1
APPROVED: Final = 2
DECLINED: Final = 3
STATES: Final = ("waits", "alone", "approved", "declined")

#: Says that these books are no longer the books; not part of what is moved.
MOVED: Final = "moved"

_TABLES: Final = f"""
ALTER TABLE api_key ADD COLUMN per_minute {{int}} NOT NULL DEFAULT 0 CHECK (per_minute >= 0);
ALTER TABLE api_key ADD COLUMN largest {{int}} NOT NULL DEFAULT 0 CHECK (largest >= 0);
ALTER TABLE api_key ADD COLUMN goodwill {{int}} NOT NULL DEFAULT 0 CHECK (goodwill >= 0);

CREATE TABLE audit (
    n {{counted}} PRIMARY KEY,
    at {{int}} NOT NULL,
    who {{text}} NOT NULL,
    name {{text}} NOT NULL,
    program {{int}} NOT NULL,
    deed {{text}} NOT NULL,
    about {{text}} NOT NULL,
    said {{text}} NOT NULL
){{end}};

CREATE TABLE adjustment (
    n {{counted}} PRIMARY KEY,
    key {{text}} NOT NULL UNIQUE,
    program {{int}} NOT NULL,
    source {{text}} NOT NULL,
    who {{text}} NOT NULL,
    subject {{text}} NOT NULL,
    balance {{text}} NOT NULL,
    amount {{int}} NOT NULL CHECK (amount <> 0),
    reason {{text}} NOT NULL,
    at {{int}} NOT NULL,
    state {{bit}} NOT NULL CHECK (state BETWEEN 0 AND {len(STATES) - 1}),
    decider {{text}},
    decided {{int}},
    note {{text}},
    sent {{bit}} NOT NULL DEFAULT 0 CHECK (sent IN (0, 1))
){{end}};
CREATE INDEX adjustment_open ON adjustment (n) WHERE sent = 0;
CREATE INDEX adjustment_source ON adjustment (source, at);

CREATE TABLE first_link (
    number {{int}} PRIMARY KEY,
    hash {{bytes}} NOT NULL UNIQUE CHECK (length(hash) = 32),
    made {{int}} NOT NULL,
    expires {{int}} NOT NULL,
    used {{int}}
){{end}};

CREATE TABLE {MOVED} (
    number {{int}} PRIMARY KEY CHECK (number = 1),
    target {{text}} NOT NULL,
    at {{int}} NOT NULL
){{end}};
"""

#: What a moved table takes no more.
_VERBS: Final = ("INSERT", "UPDATE", "DELETE")
_AWAY: Final = "these books were moved elsewhere; kantis move --undo makes them the books again"
_POSTGRES_AWAY: Final = f"""
CREATE FUNCTION moved_away() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{_AWAY}' USING ERRCODE = 'KM001';
END $$;
"""

_LIMITS: Final = "per_minute, largest, goodwill"
#: What was asked for stays as it was asked.
_ASKED: Final = "n, key, program, source, who, subject, balance, amount, reason, at"


def sqlite(words: dict[str, str]) -> str:
    """The step in the words of SQLite."""
    decided, waits = "UPDATE OF state, decider, decided, note", f"WHEN old.state <> {WAITS}"
    made = [
        guards.sqlite("api_key", "LIMITS", f"UPDATE OF {_LIMITS}"),
        guards.sqlite_written_once("audit"),
        guards.sqlite("adjustment", "DELETE", "DELETE"),
        guards.sqlite("adjustment", "ASKED", f"UPDATE OF {_ASKED}"),
        guards.sqlite("adjustment", "DECIDED", decided, waits),
        guards.sqlite("first_link", "DELETE", "DELETE"),
        guards.sqlite("first_link", "USED", "UPDATE OF used", "WHEN old.used IS NOT NULL"),
    ]
    return _TABLES.format(**words) + "".join(made)


def close(tables: Iterable[str]) -> tuple[str, str]:
    """What keeps everybody from writing to tables, in the words of SQLite and of PostgreSQL."""
    closed = list(tables)
    return (
        "".join(
            f"CREATE TRIGGER {table}_moved_{verb} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{_AWAY}'); END;\n"
            for table in closed
            for verb in _VERBS
        ),
        "".join(
            f"CREATE TRIGGER {table}_moved BEFORE {' OR '.join(_VERBS)} OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION moved_away();\n"
            for table in closed
        ),
    )


def reopen(tables: Iterable[str]) -> tuple[str, str]:
    """What undoes it, likewise; earlier versions closed four tables, each for new rows only."""
    closed = list(tables)
    return (
        "".join(
            f"DROP TRIGGER IF EXISTS {table}_moved{suffix};\n"
            for table in closed
            for suffix in ("", *(f"_{verb}" for verb in _VERBS))
        ),
        "".join(f"DROP TRIGGER IF EXISTS {table}_moved ON {table};\n" for table in closed),
    )


def postgres(words: dict[str, str]) -> str:
    """The step in the words of PostgreSQL."""
    decided, waits = "UPDATE OF state, decider, decided, note", f"ROW WHEN (old.state <> {WAITS})"
    made = [
        guards.postgres("api_key", "limits", f"UPDATE OF {_LIMITS}"),
        guards.postgres_written_once("audit"),
        guards.postgres_kept("adjustment"),
        guards.postgres("adjustment", "asked", f"UPDATE OF {_ASKED}"),
        guards.postgres("adjustment", "decided", decided, waits),
        guards.postgres_kept("first_link"),
        guards.postgres("first_link", "used", "UPDATE OF used", "ROW WHEN (old.used IS NOT NULL)"),
    ]
    return _TABLES.format(**words) + _POSTGRES_AWAY + "".join(made)
