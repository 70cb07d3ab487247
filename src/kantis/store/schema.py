"""Tables: one definition for both stores, with the few words in which they differ.

Keys begin with the account, so that the tables can be distributed by account; `n` counts
arrivals, so that keys come in order of time. Entries and postings are append-only: the
database itself refuses to change one.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kantis.core.account import NEVER
from kantis.core.places import CHARITY, CHART, PARTNER_PAYABLE, PARTNER_RECEIVABLE
from kantis.store import (
    allowances,
    budgets,
    byhand,
    designs,
    factors,
    freezing,
    guards,
    imports,
    looked,
    mailing,
    outgoing,
    passkeys,
    reminding,
    running,
    segments,
    signing,
    signoffs,
    surveys,
    tills,
    tongues,
    uses,
)
from kantis.store.printing_tables import TABLES as PRINTING
from kantis.store.shops import TABLES as SHOPS
from kantis.store.tally_tables import ARMS, KINDS, WHO
from kantis.store.tally_tables import TABLES as TALLIES

#: States of an event.
DECIDED: Final = 0
READY: Final = 1
PARKED: Final = 2
BAD: Final = 3
ALONE: Final = 4
STATES: Final = ("decided", "ready", "parked", "bad", "alone")

_LAST = len(CHART) - 1

_TABLES = f"""
CREATE TABLE program (
    number {{int}} PRIMARY KEY,
    name {{text}} NOT NULL UNIQUE
){{end}};

CREATE TABLE version (
    program {{int}} NOT NULL,
    number {{int}} NOT NULL CHECK (number > 0),
    since {{int}} NOT NULL,
    source {{text}} NOT NULL,
    tree {{text}} NOT NULL,
    published {{int}} NOT NULL,
    hash {{bytes}} NOT NULL CHECK (length(hash) = 16),
    PRIMARY KEY (program, number)
){{end}};

CREATE TABLE account (
    id {{int}} PRIMARY KEY,
    program {{int}} NOT NULL,
    seq {{int}} NOT NULL CHECK (seq > 0),
    due {{int}} CHECK (due < {NEVER}),
    head {{bytes}} NOT NULL CHECK (length(head) = 16),
    snapshot {{bytes}} NOT NULL
){{roomy}};
CREATE INDEX account_due ON account (due) WHERE due IS NOT NULL;

CREATE TABLE card (
    program {{int}} NOT NULL,
    token {{text}} NOT NULL,
    account {{int}} NOT NULL,
    PRIMARY KEY (program, token)
){{narrow}};
CREATE INDEX card_account ON card (account);

CREATE TABLE event (
    n {{counted}} PRIMARY KEY,
    key {{text}} NOT NULL UNIQUE,
    program {{int}} NOT NULL,
    type {{text}} NOT NULL,
    time {{int}} NOT NULL,
    received {{int}} NOT NULL,
    subject {{text}} NOT NULL,
    ask {{bit}} NOT NULL CHECK (ask IN (0, 1)),
    imported {{bit}} NOT NULL CHECK (imported IN (0, 1)),
    state {{bit}} NOT NULL CHECK (state BETWEEN 0 AND {len(STATES) - 1}),
    account {{int}},
    seq {{int}},
    hash {{bytes}} NOT NULL CHECK (length(hash) = 16),
    receipt {{text}},
    waits {{text}},
    note {{text}},
    body {{bytes}},
    CHECK (state = 0 OR (account IS NULL AND seq IS NULL))
){{end}};
CREATE INDEX event_open ON event (state, n) WHERE state IN ({READY}, {PARKED}, {BAD});
CREATE INDEX event_receipt ON event (program, receipt) WHERE receipt IS NOT NULL;
CREATE INDEX event_waits ON event (waits) WHERE waits IS NOT NULL;

CREATE TABLE entry (
    n {{counted}}{{entry_n}},
    account {{int}} NOT NULL,
    seq {{int}} NOT NULL CHECK (seq > 0),
    event {{text}} NOT NULL,
    at {{int}} NOT NULL,
    booked {{int}} NOT NULL,
    value {{int}} NOT NULL,
    due {{int}} NOT NULL,
    version {{int}} NOT NULL,
    engine {{int}} NOT NULL,
    zones {{text}} NOT NULL,
    hashing {{int}} NOT NULL,
    cause {{text}} NOT NULL,
    digest {{bytes}} NOT NULL,
    decision {{bytes}} NOT NULL,
    context {{bytes}} NOT NULL,
    chain {{bytes}} NOT NULL CHECK (length(chain) = 16),
    {{entry_key}} (account, seq)
){{end}};
CREATE INDEX entry_cause ON entry (account, cause) WHERE cause <> '';

CREATE TABLE posting (
    account {{int}} NOT NULL,
    seq {{int}} NOT NULL,
    n {{int}} NOT NULL,
    balance {{text}} NOT NULL,
    source {{bit}} NOT NULL CHECK (source BETWEEN 0 AND {_LAST}),
    target {{bit}} NOT NULL CHECK (target BETWEEN 0 AND {_LAST}),
    amount {{int}} NOT NULL CHECK (amount > 0),
    lot {{int}} NOT NULL CHECK (lot >= 0),
    reason {{text}} NOT NULL,
    value {{int}} NOT NULL,
    booked {{int}} NOT NULL,
    PRIMARY KEY (account, seq, n),
    CHECK (source <> target)
){{end}};

CREATE TABLE balance (
    account {{int}} NOT NULL,
    balance {{text}} NOT NULL,
    available {{int}} NOT NULL CHECK (available >= 0),
    pending {{int}} NOT NULL CHECK (pending >= 0),
    held {{int}} NOT NULL CHECK (held >= 0),
    owed {{int}} NOT NULL CHECK (owed <= 0),
    voucher {{int}} NOT NULL CHECK (voucher >= 0),
    payout {{int}} NOT NULL CHECK (payout >= 0),
    PRIMARY KEY (account, balance)
){{narrow_roomy}};

CREATE TABLE shared_limit (
    program {{int}} NOT NULL,
    name {{text}} NOT NULL,
    quantity {{int}} NOT NULL CHECK (quantity >= 0),
    taken {{int}} NOT NULL DEFAULT 0 CHECK (taken BETWEEN 0 AND quantity),
    PRIMARY KEY (program, name)
){{narrow_roomy}};

CREATE TABLE flag (
    n {{counted}} PRIMARY KEY,
    event {{text}} NOT NULL,
    account {{int}} NOT NULL,
    seq {{int}} NOT NULL,
    flag {{text}} NOT NULL,
    raised {{int}} NOT NULL,
    cleared {{int}}
){{end}};
CREATE INDEX flag_open ON flag (n) WHERE cleared IS NULL;

CREATE TABLE checkpoint (
    number {{int}} PRIMARY KEY,
    entry {{int}} NOT NULL,
    event {{int}} NOT NULL,
    made {{int}} NOT NULL,
    heads {{int}} NOT NULL,
    root {{bytes}} NOT NULL CHECK (length(root) = 16)
){{end}};
"""

_KEYS = """
CREATE TABLE api_key (
    number {int} PRIMARY KEY,
    prefix {text} NOT NULL UNIQUE,
    hash {bytes} NOT NULL UNIQUE CHECK (length(hash) = 32),
    name {text} NOT NULL,
    program {int} NOT NULL,
    scope {text} NOT NULL,
    source {text} NOT NULL,
    location {text} NOT NULL,
    created {int} NOT NULL,
    revoked {int}
){end};
"""

_PEOPLE = """
CREATE TABLE member (
    number {counted} PRIMARY KEY,
    id {text} NOT NULL UNIQUE,
    program {int} NOT NULL,
    account {int} NOT NULL,
    event {text} NOT NULL UNIQUE,
    version {int} NOT NULL CHECK (version > 0),
    joined {int} NOT NULL,
    changed {int} NOT NULL,
    indexed {int} NOT NULL,
    sealed {bytes},
    erased {int},
    CHECK (erased IS NULL OR sealed IS NULL)
){roomy};
CREATE INDEX member_account ON member (account);

CREATE TABLE mark (
    program {int} NOT NULL,
    kind {bit} NOT NULL,
    tag {bytes} NOT NULL CHECK (length(tag) = 12),
    member {int} NOT NULL,
    PRIMARY KEY (program, kind, tag, member)
){narrow};
CREATE UNIQUE INDEX mark_email ON mark (program, tag) WHERE kind = 0;

CREATE TABLE reading (
    n {counted} PRIMARY KEY,
    at {int} NOT NULL,
    who {text} NOT NULL,
    member {text} NOT NULL,
    why {text} NOT NULL,
    fields {text} NOT NULL
){end};
CREATE INDEX reading_member ON reading (member);

CREATE TABLE card_change (
    n {counted} PRIMARY KEY,
    program {int} NOT NULL,
    token {text} NOT NULL,
    account {int} NOT NULL,
    state {text} NOT NULL,
    at {int} NOT NULL,
    who {text} NOT NULL
){end};
CREATE INDEX card_change_account ON card_change (account);
"""

#: What may never change once it is written.
APPEND_ONLY: Final = ("entry", "posting", "checkpoint", "version")
#: What may change, but is never taken away.
KEPT: Final = ("event", "card")
#: What an event said; its state changes, and its body can be emptied when its time is over.
SAID: Final = "n, key, program, type, time, received, subject, ask, imported, hash, receipt"

#: Which postings move what partners and charities have; both stores find them by this very text.
_THEIRS: Final = f"{CHARITY}, {PARTNER_RECEIVABLE}, {PARTNER_PAYABLE}"
OUTSIDE: Final = f"(source IN ({_THEIRS}) OR target IN ({_THEIRS}))"
_OUTSIDE_INDEX: Final = (
    "CREATE INDEX posting_outside ON posting (booked, account, balance, source, target, amount) "
    f"WHERE {OUTSIDE};"
)

#: What a key may do stays as it was made; a revoked one stays revoked.
GIVEN: Final = "number, prefix, hash, name, program, scope, source, location, created"

_SQLITE_WORDS = {
    "int": "INTEGER",
    "bit": "INTEGER",
    "text": "TEXT",
    "bytes": "BLOB",
    "counted": "INTEGER",
    "entry_n": " PRIMARY KEY",
    "entry_key": "UNIQUE",
    "end": " STRICT",
    "roomy": " STRICT",
    "narrow": " STRICT, WITHOUT ROWID",
    "narrow_roomy": " STRICT, WITHOUT ROWID",
}
# Text is compared byte by byte, as SQLite does it. Room is left on pages whose rows change.
_POSTGRES_WORDS = {
    "int": "bigint",
    "bit": "smallint",
    "text": 'text COLLATE "C"',
    "bytes": "bytea",
    "counted": "bigint GENERATED BY DEFAULT AS IDENTITY",
    "entry_n": " NOT NULL",
    "entry_key": "PRIMARY KEY",
    "end": "",
    "roomy": " WITH (fillfactor = 60)",
    "narrow": "",
    "narrow_roomy": " WITH (fillfactor = 70)",
}


def _sqlite_books() -> str:
    said = guards.sqlite("event", "UPDATE", f"UPDATE OF {SAID}")
    body = guards.sqlite("event", "BODY", "UPDATE OF body", "WHEN new.body IS NOT NULL")
    made = [
        *map(guards.sqlite_written_once, APPEND_ONLY),
        *(guards.sqlite(table, "DELETE", "DELETE") for table in KEPT), said, body,
    ]  # fmt: skip
    return _MIGRATION + _TABLES.format(**_SQLITE_WORDS) + "".join(made)


def _sqlite_keys() -> str:
    revoked = guards.sqlite(
        "api_key", "REVOKED", "UPDATE OF revoked", "WHEN old.revoked IS NOT NULL"
    )
    given = guards.sqlite("api_key", "UPDATE", f"UPDATE OF {GIVEN}")
    made = guards.sqlite("api_key", "DELETE", "DELETE") + given + revoked
    return _KEYS.format(**_SQLITE_WORDS) + made


def _postgres_books() -> str:
    made = [
        *map(guards.postgres_written_once, APPEND_ONLY), *map(guards.postgres_kept, KEPT),
        guards.postgres("event", "said", f"UPDATE OF {SAID}"),
        guards.postgres("event", "body", "UPDATE OF body", "ROW WHEN (new.body IS NOT NULL)"),
    ]  # fmt: skip
    counting = (
        "CREATE SEQUENCE account_id CACHE 1;\n"
        "CREATE INDEX entry_n ON entry USING brin (n) WITH (pages_per_range = 32);\n"
    )
    tables = _TABLES.format(**_POSTGRES_WORDS)
    return _MIGRATION + tables + counting + guards.POSTGRES_REFUSES + "".join(made)


def _postgres_keys() -> str:
    revoked = "ROW WHEN (old.revoked IS NOT NULL)"
    made = [
        guards.postgres_kept("api_key"),
        guards.postgres("api_key", "given", f"UPDATE OF {GIVEN}"),
        guards.postgres("api_key", "revoked", "UPDATE OF revoked", revoked),
    ]
    return _KEYS.format(**_POSTGRES_WORDS) + "".join(made)


#: Who read what, and what happened to cards: written once. Who was erased stays so.
_TOLD: Final = ("reading", "card_change")


def _sqlite_people() -> str:
    made = [
        *map(guards.sqlite_written_once, _TOLD),
        guards.sqlite("member", "DELETE", "DELETE"),
        guards.sqlite("member", "ERASED", "UPDATE", "WHEN old.erased IS NOT NULL"),
    ]
    return _PEOPLE.format(**_SQLITE_WORDS) + "".join(made)


def _postgres_people() -> str:
    made = [
        *map(guards.postgres_written_once, _TOLD),
        guards.postgres_kept("member"),
        guards.postgres("member", "erased", "UPDATE", "ROW WHEN (old.erased IS NOT NULL)"),
    ]
    return _PEOPLE.format(**_POSTGRES_WORDS) + "".join(made)


_MIGRATION = "CREATE TABLE migration (number int PRIMARY KEY, applied bigint NOT NULL);\n"


# ── steps ────────────────────────────────────────────────────────────────────


class Step(NamedTuple):
    """A step from one schema to the next, in the words of both stores.

    What was released is never changed: another step is added.
    """

    number: int
    does: str
    sqlite: str
    postgres: str


def _same(number: int, does: str, tables: str) -> Step:
    """A step that differs between the stores in its words only."""
    return Step(number, does, tables.format(**_SQLITE_WORDS), tables.format(**_POSTGRES_WORDS))


#: From an empty database to the newest schema; numbered from 1, without a gap.
STEPS: list[Step] = [
    Step(1, "makes the tables of the books", _sqlite_books(), _postgres_books()),
    Step(2, "makes the table of API keys", _sqlite_keys(), _postgres_keys()),
    Step(
        3, "makes the audit log, adjustments that wait, limits of keys, and the first link",
        byhand.sqlite(_SQLITE_WORDS), byhand.postgres(_POSTGRES_WORDS),
    ),
    _same(4, "makes the tables of who signs in", signing.TABLES),
    Step(5, "makes the tables of members", _sqlite_people(), _postgres_people()),
    _same(6, "makes the tables of shops and of what they told", SHOPS),
    _same(7, "makes the tables of webhooks and jobs", outgoing.TABLES),
    _same(8, "makes the table of letters to members", mailing.TABLES),
    _same(9, "makes the tables of tills and PINs", tills.TABLES),
    _same(10, "makes the tables of what is counted for reports", TALLIES),
    _same(11, "says for which partner somebody signs in", signing.PARTNERS),
    _same(12, "makes the tables of who had and bought what, and counts anew", WHO),
    _same(13, "makes the table of what tills may give away by themselves", allowances.TABLES),
    _same(14, "makes the table of imports", imports.TABLES),
    _same(
        15, "makes the table of what owners settle about the work with a program",
        running.SETTINGS,
    ),
    _same(16, "makes the table of budgets", budgets.TABLES),
    _same(17, "makes the tables of second factors and passkeys", factors.TABLES),
    _same(18, "makes the table of when keys were used", uses.TABLES),
    _same(19, "makes the tables of printed cards", PRINTING),
    Step(
        20, "makes the table of versions that were cancelled before they began",
        running.cancelled_sqlite(_SQLITE_WORDS), running.cancelled_postgres(_POSTGRES_WORDS),
    ),
    _same(21, "makes the tables of reminders", reminding.TABLES),
    _same(22, "makes the tables of segments", segments.TABLES),
    _same(
        23, "makes the table of what control groups bought",
        segments.DRAWS + ARMS,
    ),
    Step(
        24, "makes the tables of what keeps points from being spent",
        freezing.sqlite(_SQLITE_WORDS), freezing.postgres(_POSTGRES_WORDS),
    ),
    _same(25, "says from where a key was used last", uses.PLACES),
    _same(26, "makes the tables of questions after a purchase", surveys.TABLES),
    _same(27, "makes the table of how far jobs have looked at accounts", looked.TABLES),
    _same(28, "makes the table of what was told of budgets that stop", budgets.TOLD),
    Step(
        29, "makes the tables of drafts that wait for signatures",
        signoffs.sqlite(_SQLITE_WORDS), signoffs.postgres(_POSTGRES_WORDS),
    ),
    _same(30, "makes the table of what cards look like", designs.TABLES),
    _same(31, "finds what partners and charities have among all postings", _OUTSIDE_INDEX),
    _same(32, "makes the table of members' passkeys", passkeys.TABLES),
    _same(33, "makes the table of the languages of those who work here", tongues.TABLES),
    _same(34, "counts anew, with what types of products are bought", KINDS),
]  # fmt: skip


def newest() -> int:
    """The number of the newest schema; a database with a higher one is refused."""
    return STEPS[-1].number


def tables() -> list[str]:
    """The tables that hold what the books are made of, whatever step made them.

    >>> tables()[:3]
    ['program', 'version', 'account']
    """
    made = (re.findall(r"CREATE TABLE (\w+)", step.sqlite) for step in STEPS)
    return [name for each in made for name in each if name not in ("migration", byhand.MOVED)]
