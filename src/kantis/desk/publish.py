"""Publish: a program gets another version.

Guarantee: a version is never changed once it is published, and begins after the one before
it; the accounts of the program are made due when it begins, in one statement. Where signatures
are demanded, a version without them is not published, whoever asks (see ``signoffs``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kantis.core.budgets import PREFIX
from kantis.core.knobs import Fault, ProgramError, plain
from kantis.desk import signoffs
from kantis.desk.audit import By, alone, record
from kantis.store.books import Forbidden
from kantis.store.chain import version_hash
from kantis.store.rows import VersionRow

if TYPE_CHECKING:
    from kantis.desk.programs import Engine
    from kantis.desk.submit import Desk


def publish(
    desk: Desk, name: str, since: int, source: str, tree: Any, by: tuple[str, ...], after: int,
    *, at_once: bool,
) -> int:  # fmt: skip
    """Record a version of a program that holds from an instant on; its number.

    ``source`` is the file as it was written, ``tree`` what it says. ``after`` is the version
    that whoever publishes has seen last (0: no program yet, -1: nobody asks). ``at_once`` where
    nobody has said from when on it holds. ``ProgramError`` when it cannot be read, or begins
    before the version that is there already, when somebody else has published meanwhile, or
    when signatures are missing.
    """
    text = json.dumps(_plain(tree), ensure_ascii=False, separators=(",", ":"))
    with alone(desk) as books:
        programs = books.programs()
        program = programs.get(name) or max(programs.values(), default=0) + 1
        earlier = books.versions(program)
        last = earlier[-1].number if earlier else 0
        number = len(books.versions(program, cancelled=True)) + 1
        if not _unseen_allowed(after, last):
            raise ProgramError([_meanwhile(last)])
        begins = 0 if at_once else since
        signed = signoffs.guard(books, program, name, last, begins, source) if earlier else None
        said = (program, number, since, source, text, desk.clock())
        version = VersionRow(*said, version_hash(*said))
        read = assembled(desk.engine, earlier, version)
        books.publish(name, version)
        for each, quantity in desk.engine.limits(read).items():
            limit(desk, program, each, quantity)
        if earlier:
            books.wake(program, since)
        about = f"{name} {version.number}"
        more = {}
        if signed is not None:
            signoffs.close(books, signed, version.published, number)
            more = {"draft": signed.row.number, "signed": signoffs.named(signed.signed)}
        record(books, version.published, By(*by), program, "publish", about, since=since, **more)
    return version.number


def assembled(engine: Engine, earlier: Sequence[VersionRow], version: VersionRow) -> Any:
    """A program with another version; ``ProgramError`` where that cannot follow."""
    if earlier and version.since <= earlier[-1].since:
        raise ProgramError([_overlap(version.since, earlier[-1])])
    return engine.assemble([*earlier, version])


def _unseen_allowed(after: int, last: int) -> bool:
    """Whether whoever publishes has seen the last version, or does not ask."""
    return after in (-1, last)


def _meanwhile(last: int) -> Fault:
    message = (
        f"Somebody has published version {last} meanwhile. Look at it, put your changes into "
        "it, and publish after that one."
    )
    return Fault("published-meanwhile", message)


def limit(desk: Desk, program: int, name: str, quantity: int) -> None:
    """Say how many there are of something shared; ``ProgramError`` when more are taken."""
    try:
        desk.books.set_limit(program, name, quantity)
    except Forbidden as error:
        message = f"Of {name!r} more than {quantity} are taken already. Give a greater number."
        if name.startswith(PREFIX):
            message = (
                f"More than that is used of the budget of {name.removeprefix(PREFIX)!r} already."
                " Write what is used, which the page of budgets shows, and it stops at once."
            )
        raise ProgramError([Fault("limit-below-taken", message)]) from error


def _plain(tree: Any) -> Any:
    return plain(tree) if hasattr(tree, "keys") and hasattr(tree, "line") else tree


def _overlap(since: int, last: VersionRow) -> Fault:
    message = (
        f"Version {last.number} holds from a later or the same instant. A new version begins "
        "after the one before it; give it a later day."
    )
    return Fault("versions-overlap", message)
