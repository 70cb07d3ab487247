"""Tally tables: the tables of what is counted for reports (see ``tallies``)."""

from __future__ import annotations

from typing import Final

TABLES: Final = """
CREATE TABLE tally (
    program {int} NOT NULL,
    day {int} NOT NULL,
    what {text} NOT NULL,
    name {text} NOT NULL,
    part {text} NOT NULL,
    count {int} NOT NULL,
    amount {int} NOT NULL,
    PRIMARY KEY (program, day, what, name, part)
){narrow_roomy};

CREATE TABLE tallied (
    number {int} PRIMARY KEY CHECK (number = 1),
    entry {int} NOT NULL,
    event {int} NOT NULL,
    upto {int} NOT NULL,
    zones {text} NOT NULL
){end};

CREATE TABLE tallied_account (
    account {int} PRIMARY KEY,
    joined {int} NOT NULL,
    first {int} NOT NULL,
    second {int} NOT NULL,
    months {text} NOT NULL,
    levels {text} NOT NULL
){roomy};

CREATE TABLE tallied_voucher (
    account {int} NOT NULL,
    code {text} NOT NULL,
    kind {text} NOT NULL,
    worth {int} NOT NULL,
    PRIMARY KEY (account, code)
){narrow};
"""

#: Who had what on a day, and what somebody bought in a month. All is counted anew from here.
WHO: Final = """
CREATE TABLE tallied_had (
    program {int} NOT NULL,
    name {text} NOT NULL,
    day {int} NOT NULL,
    account {int} NOT NULL,
    times {int} NOT NULL,
    PRIMARY KEY (program, name, day, account)
){narrow};

CREATE TABLE tallied_month (
    account {int} NOT NULL,
    month {int} NOT NULL,
    last {int} NOT NULL,
    count {int} NOT NULL,
    amount {int} NOT NULL,
    PRIMARY KEY (account, month)
){narrow_roomy};

DELETE FROM tally;
DELETE FROM tallied_account;
DELETE FROM tallied_voucher;
UPDATE tallied SET entry = 0, event = 0, upto = 0;
"""

#: Types of products are counted: all is counted anew from here.
KINDS: Final = """
DELETE FROM tally;
DELETE FROM tallied_account;
DELETE FROM tallied_voucher;
DELETE FROM tallied_had;
DELETE FROM tallied_month;
DELETE FROM tallied_arm;
UPDATE tallied SET entry = 0, event = 0, upto = 0;
"""

#: What those bought who got what a segment gets, and those held back, since the draw.
ARMS: Final = """
CREATE TABLE tallied_arm (
    program {int} NOT NULL,
    name {text} NOT NULL,
    drawn {text} NOT NULL,
    account {int} NOT NULL,
    held {int} NOT NULL,
    times {int} NOT NULL,
    amount {int} NOT NULL,
    PRIMARY KEY (program, name, drawn, account)
){narrow};
CREATE INDEX tallied_arm_account ON tallied_arm (account);
"""
