"""Printing tables: batches of cards, and the numbers that were printed."""

from __future__ import annotations

from typing import Final

TABLES: Final = """
CREATE TABLE card_batch (
    number {int} PRIMARY KEY,
    program {int} NOT NULL,
    name {text} NOT NULL,
    size {int} NOT NULL CHECK (size > 0),
    made {int} NOT NULL,
    who {text} NOT NULL,
    blocked {int}
){end};

CREATE TABLE printed_card (
    program {int} NOT NULL,
    token {text} NOT NULL,
    batch {int} NOT NULL,
    PRIMARY KEY (program, token)
){end};
CREATE INDEX printed_card_batch ON printed_card (batch, token);
"""
