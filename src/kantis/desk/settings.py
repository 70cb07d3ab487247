"""Settings: what an owner settles about the work with a program, beside what its file says.

Guarantee: a change and its line in the audit log are committed together. What has a guard of
its own, as the number of signatures has, is not settled here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kantis.desk.audit import By, alone, record
from kantis.store import settings as rows
from kantis.store.reading import Reading

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

#: The most that one person adjusts alone in the console, in whole units of any balance.
ADJUST_ALONE: Final = "adjust alone"
#: From how much money on a spending over the net takes a proof, in the smallest coin.
PROVE_FROM: Final = "prove from"
#: What is settled without asking anybody else.
_FREE: Final = frozenset({ADJUST_ALONE, PROVE_FROM})


def get(books: Reading, program: int, name: str) -> int | None:
    """What was settled; ``None`` where nothing was."""
    return rows.setting(books, program, name)


def put(desk: Desk, program: int, name: str, value: int | None, by: By) -> None:
    """Settle something, or leave it open again; ``ValueError`` for what has a guard of its own."""
    if name not in _FREE:
        raise ValueError(f"{name!r} is not settled by one person alone")
    with alone(desk) as books:
        if rows.setting(books, program, name) == value:
            return
        rows.settle(books, program, name, value)
        record(books, desk.clock(), by, program, "setting", name, value=value)
