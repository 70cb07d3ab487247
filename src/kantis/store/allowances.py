"""Allowances: what the tills of a program may give away by themselves, in the books.

One row per program and allowance, in whole numbers of the smallest part of its unit; what has
no row is not allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

TABLES: Final = """
CREATE TABLE allowance (
    program {int} NOT NULL,
    name {text} NOT NULL,
    unit {text} NOT NULL,
    amount {int} NOT NULL CHECK (amount > 0),
    PRIMARY KEY (program, name)
){end};
CREATE INDEX adjustment_who ON adjustment (who, at);
"""


def allowances(books: Reading, program: int) -> dict[str, tuple[str, int]]:
    """The allowances of a program by their name: the unit, and how much of it."""
    found = books.rows("SELECT name, unit, amount FROM allowance WHERE program = ?", (program,))
    return {name: (unit, amount) for name, unit, amount in found}


def allow(books: Books, program: int, name: str, unit: str, amount: int) -> None:
    """So much is allowed from now on; nothing with 0."""
    books.execute("DELETE FROM allowance WHERE program = ? AND name = ?", (program, name))
    if amount:
        about = {"program": program, "name": name, "unit": unit, "amount": amount}
        books.insert("allowance", about)
