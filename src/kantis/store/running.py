"""Running: the tables of how people run a program, beside what its file says."""

from __future__ import annotations

from typing import Final

#: What an owner has settled about the work with a program.
SETTINGS: Final = """
CREATE TABLE setting (
    program {int} NOT NULL,
    name {text} NOT NULL,
    value {int} NOT NULL,
    PRIMARY KEY (program, name)
){end};
"""
