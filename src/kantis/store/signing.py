"""Signing in: the tables of staff, sessions, links that open once, and tries.

A secret never stands here: of a password there is what Argon2 makes of it, of a session and
of a link the SHA-256.
"""

from __future__ import annotations

from typing import Final

TABLES: Final = """
CREATE TABLE staff (
    number {int} PRIMARY KEY,
    login {text} NOT NULL UNIQUE,
    name {text} NOT NULL,
    role {text} NOT NULL,
    program {int} NOT NULL,
    password {text} NOT NULL,
    made {int} NOT NULL,
    ended {int}
){end};

CREATE TABLE session (
    digest {bytes} PRIMARY KEY CHECK (length(digest) = 32),
    staff {int} NOT NULL,
    account {int} NOT NULL,
    opened {int} NOT NULL,
    seen {int} NOT NULL,
    ends {int} NOT NULL,
    proved {int} NOT NULL,
    device {text} NOT NULL
){end};
CREATE INDEX session_staff ON session (staff) WHERE staff <> 0;
CREATE INDEX session_account ON session (account) WHERE account <> 0;

CREATE TABLE ticket (
    digest {bytes} PRIMARY KEY CHECK (length(digest) = 32),
    purpose {text} NOT NULL,
    staff {int} NOT NULL,
    account {int} NOT NULL,
    made {int} NOT NULL,
    ends {int} NOT NULL
){end};

CREATE TABLE sign_in_try (
    n {counted} PRIMARY KEY,
    subject {bytes} NOT NULL,
    at {int} NOT NULL
){end};
CREATE INDEX sign_in_try_subject ON sign_in_try (subject, at);
"""

#: A step of its own: whom of the partners and charities of a program somebody signs in for.
PARTNERS: Final = "ALTER TABLE staff ADD COLUMN partner {text} NOT NULL DEFAULT '';\n"
