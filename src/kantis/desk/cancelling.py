"""Cancelling: a version that is published for later, and is not to begin after all.

Guarantee: only what has not begun is cancelled, so no entry was ever decided by it: whoever
decides, folds or decides again leaves it out, as if it had never been published. It stays in
the books with its number, which no other version gets, and with who cancelled it and when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kantis.core.knobs import Fault, ProgramError
from kantis.desk.audit import By, alone, record
from kantis.desk.batch import AHEAD_MS
from kantis.desk.publish import limit
from kantis.store.rows import VersionRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk


def cancel(desk: Desk, name: str, number: int, by: tuple[str, ...]) -> int:
    """Cancel a version that has not begun; the number of the newest one that is left.

    The same again changes nothing. ``ProgramError`` where there is none, where it has begun, or
    where a later version rests on it.
    """
    with alone(desk) as books:
        program = books.programs().get(name, 0)
        left = books.versions(program)
        there = {each.number: each for each in books.versions(program, cancelled=True)}
        found, now = there.get(number), desk.clock()
        if found is None:
            raise ProgramError([Fault("unknown-version", f"There is no version {number} here.")])
        if found not in left:
            return left[-1].number
        # an event may be a little ahead of our clock
        if found == left[0] or found.since <= now + AHEAD_MS:
            raise ProgramError([_begun(number)])
        left.remove(found)
        books.cancel(program, number, now)
        for each, quantity in _limits(desk, left, found).items():
            limit(desk, program, each, quantity)
        about = f"{name} {number}"
        record(books, now, By(*by), program, "cancel", about, since=found.since)
    return left[-1].number


def _limits(desk: Desk, left: list[VersionRow], found: VersionRow) -> dict[str, int]:
    """The shared limits without it; ``ProgramError`` where the others cannot stand alone."""
    try:
        read = desk.engine.assemble(left)
    except ProgramError as error:
        message = (
            f"A later version rests on version {found.number}. Cancel that one first. "
            f"{error.faults[0].message}"
        )
        raise ProgramError([Fault("rests-on-it", message)]) from error
    return desk.engine.limits(read)


def _begun(number: int) -> Fault:
    message = (
        f"Version {number} has begun, or begins within two minutes. What was decided stays as it "
        "was: publish another version after it."
    )
    return Fault("has-begun", message)
