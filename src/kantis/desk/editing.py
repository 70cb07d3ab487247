"""Editing: a program file from the hand of whoever writes it to a published version.

Guarantee: what is published is exactly what was checked, under the name that it says. Sent
again, the same file changes nothing. A version begins now or later, never in the past.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, structs

from kantis.core.knobs import Fault, Node, ProgramError, plain
from kantis.desk import cases, signoffs, text
from kantis.desk.audit import By
from kantis.desk.compare import Comparison, compare
from kantis.desk.programs import Engine
from kantis.desk.publish import assembled
from kantis.engine.program import Program, Version, assemble
from kantis.engine.splitting import pays_to_split
from kantis.store.books import Books
from kantis.store.rows import VersionRow
from kantis.store.signoffs import DraftRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

#: A clock that is behind by so much still says "now".
_BEHIND_MS: Final = 60_000


class Draft(Struct, frozen=True):
    """A program file that can be read: its text, what it says, and the program."""

    source: str
    tree: Node
    program: Program


class Published(Struct, frozen=True):
    """The newest version after publishing; ``fresh`` is false when it was there before."""

    program: str
    version: int
    since: int
    fresh: bool


class Change(Struct, frozen=True):
    """What two versions say of the same thing; ``None`` where one of them does not say it."""

    path: str
    before: Any
    after: Any


def read(data: bytes | str, file: str = "", name: str = "") -> Draft:
    """A draft from a file; ``ProgramError`` has everything that is wrong with it.

    With a name, the program has to be called so.
    """
    tree = text.read(data, file)
    if cases.is_case_file(tree):
        message = "This is a file of cases. Name the file of its program."
        raise ProgramError([Fault("not-a-program", message)])
    program = assemble([Version(1, 0, tree)])
    if name and program.name != name:
        message = f"This is the program {program.name!r}, and it is published as {name!r}."
        raise ProgramError([Fault("other-program", message, *tree.keys.get("program", (0, 0)))])
    return Draft(text.decode(data) if isinstance(data, bytes) else data, tree, program)


def begins(draft: Draft, said: str, now: int, *, first: bool) -> int:
    """The instant from which a version holds, as said on the program's clock.

    The first one has held always; the others begin now unless it is said.
    """
    if not said:
        return 0 if first else now
    try:
        moment = draft.program.calendar.read(said)
    except ValueError as error:
        message = f"{said!r} is no time. Write for example 2027-01-01 or 2027-01-01 06:00."
        raise ProgramError([Fault("time-expected", message)]) from error
    if not first and moment < now - _BEHIND_MS:
        raise ProgramError([_in_the_past()])
    return moment


def publish(
    desk: Desk | RemoteDesk, draft: Draft, since: str, now: int, by: By, after: int = -1
) -> Published:
    """Publish a draft, unless it says what the newest version says. ``after`` as of a desk."""
    name, versions = draft.program.name, _versions(desk, draft)
    said = plain(draft.tree)
    if versions and json.loads(versions[-1].tree) == said:
        return Published(name, versions[-1].number, versions[-1].since, False)
    if not versions and draft.program.newest.head.pilot is not None:
        message = "A pilot needs a version that holds for everybody else; publish that."
        raise ProgramError([Fault("pilot-of-nothing", message)])
    moment = begins(draft, since, now, first=not versions)
    number = desk.publish(
        name, moment, draft.source, said, structs.astuple(by), after, at_once=not since
    )
    return Published(name, number, moment, True)


def put_up(
    desk: Desk | RemoteDesk, draft: Draft, since: str, now: int, by: By, staff: int = 0
) -> int:
    """Put a draft up for signatures, if it could be published now; its number. ``staff`` is
    the number of whoever has signed in."""
    name, versions = draft.program.name, _versions(desk, draft)
    said = plain(draft.tree)
    if versions and json.loads(versions[-1].tree) == said:
        message = f"Version {versions[-1].number} says the same. There is nothing to sign."
        raise ProgramError([Fault("nothing-new", message)])
    moment = begins(draft, since, now, first=not versions)
    if versions:
        tree = tree_text(draft.tree)
        about = versions[-1].program, versions[-1].number + 1, moment, draft.source, tree, now
        assembled(Engine(), versions, VersionRow(*about, b""))
    return signoffs.put_up(desk, name, moment if since else 0, draft.source, by, staff)


def publish_signed(desk: Desk | RemoteDesk, row: DraftRow, now: int, by: By) -> int:
    """Publish a draft that was put up, from the instant on that was signed; the number of the
    version. ``ProgramError`` where signatures are missing, or the instant has passed."""
    draft = read(row.source)
    if row.since and row.since < now - _BEHIND_MS:
        raise ProgramError([_in_the_past()])
    said, who = plain(draft.tree), structs.astuple(by)
    about = draft.program.name, row.since or now, row.source, said, who, row.after
    return desk.publish(*about, at_once=not row.since)


def _in_the_past() -> Fault:
    message = "A version cannot begin in the past: what was decided stays as it was."
    return Fault("in-the-past", message)


def tree_text(tree: Node) -> str:
    """What a file says, as the books keep it."""
    return json.dumps(plain(tree), ensure_ascii=False, separators=(",", ":"))


def _versions(desk: Desk | RemoteDesk, draft: Draft) -> list[VersionRow]:
    """The versions that there are of a draft's program."""
    number = desk.books.programs().get(draft.program.name)
    return desk.books.versions(number) if number is not None else []


def warnings(draft: Draft) -> dict[str, str]:
    """Why splitting a purchase can earn more, by rule; which is fine if it is meant so."""
    return pays_to_split(draft.program.newest)


def effects(
    books: Books, draft: Draft, since: str, until: str, now: int, newest: int = 0
) -> Comparison | None:
    """Who would gain and who would lose; ``None`` for a program without any version yet. Of so
    many of the ``newest`` members, or of all."""
    moment = begins(draft, since, now, first=False)
    end = begins(draft, until, now, first=True)
    return compare(books, draft.program.name, moment, draft.tree, end, newest=newest)


# ── the difference of two versions ───────────────────────────────────────────


def difference(one: VersionRow, other: VersionRow) -> tuple[list[Change], str]:
    """What changes from one version to another, thing by thing and as lines of the file."""
    changes = list(_changes("", json.loads(one.tree), json.loads(other.tree)))
    lines = difflib.unified_diff(
        one.source.splitlines(), other.source.splitlines(), f"version {one.number}",
        f"version {other.number}", lineterm="",
    )  # fmt: skip
    return changes, "\n".join(lines)


def _changes(path: str, one: Any, other: Any) -> Iterator[Change]:
    if one == other:
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            inside = f"{path}.{key}" if path else key
            yield from _changes(inside, one.get(key), other.get(key))
        return
    yield Change(path, one, other)
