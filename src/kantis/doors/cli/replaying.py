"""The command ``replay``: decide again what was decided, and tell what would differ now.

Nothing is written: the books stay what was decided, whatever would be decided today.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field
from rich.text import Text

from kantis.core.decision import Entry, encode_decision
from kantis.desk.programs import Engine
from kantis.desk.recorded import event_of
from kantis.desk.replay import Step
from kantis.desk.replay import replay as steps
from kantis.doors.cli.opening import homes_of, opened
from kantis.doors.cli.output import NOT_FINE, Json, Store, count, json_out, leave, out
from kantis.doors.cli.progress import Bars
from kantis.engine.explain import explain
from kantis.engine.program import Program
from kantis.store.books import Books

#: Differences that are described; the others are counted.
SHOWN_MAX = 20


class Difference(Struct):
    """An event, or a stretch of time, that would be decided differently now."""

    account: int
    seq: int
    event: str
    recorded: list[str]
    now: list[str]


class Replayed(Struct):
    """What was decided again, and what would differ."""

    accounts: int = 0
    entries: int = 0
    skipped: int = 0
    different: int = 0
    differences: list[Difference] = field(default_factory=list)


def run(books: Books, engine: Engine, tell: Callable[[str, int, int], None]) -> Replayed:
    """Replay all accounts."""
    found, homes = Replayed(), homes_of(books)
    first, last = books.account_range()
    before = 0
    for step in steps(books, engine, first, last):
        if step.account != before:
            before = step.account
            found.accounts += 1
            tell("accounts", step.account - first + 1, last - first + 1)
        if step.decided is None:
            found.skipped += len(step.recorded)
            continue
        found.entries += len(step.recorded)
        if list(map(_said, step.recorded)) != list(map(_said, step.decided)):
            found.different += 1
            if len(found.differences) < SHOWN_MAX:
                row = books.account(step.account)
                assert row is not None
                program = homes.numbered(row.program).program
                found.differences.append(_difference(books, program, step, step.decided))
    return found


def _said(entry: Entry) -> tuple[int, int, int, str, bytes]:
    """What of an entry has to be the same; when the account is due next is a hint only."""
    return entry.seq, entry.at, entry.version, entry.event, encode_decision(entry.decision)


def _difference(books: Books, program: Program, step: Step, decided: list[Entry]) -> Difference:
    own = step.recorded[-1]
    rows = books.events([own.event]) if own.event else []
    event = event_of(rows[0]) if rows and rows[0].body else None

    def words(entries: list[Entry]) -> list[str]:
        said = [(each, event if each.event == own.event else None) for each in entries]
        return [sentence for each, what in said for sentence in explain(program, each, what)]

    recorded, now = words(step.recorded), words(decided) or ["It cannot be decided."]
    return Difference(step.account, own.seq, own.event, recorded, now)


def replay(store: Store = "kantis.db", json: Json = False) -> None:
    """Decide again what was decided, and tell what would be decided differently now."""
    with opened(store) as desk, Bars(quiet=json) as bars, desk.books.reader() as frozen:
        frozen.freeze()
        found = run(frozen, Engine(), bars.tell)
    if json:
        json_out(found)
    else:
        _tell(found)
    if found.different:
        leave(NOT_FINE)


def _tell(found: Replayed) -> None:
    for each in found.differences:
        what = each.event or "time"
        out.print(Text(f"account {each.account}, entry {each.seq}, {what}", style="bold"))
        for sentence in each.recorded:
            out.print(Text(f"    recorded  {sentence}"))
        for sentence in each.now:
            out.print(Text(f"    now       {sentence}"))
    skipped = f", {found.skipped:,} cannot be decided again" if found.skipped else ""
    said = f"{count(found.accounts, 'account')}, {found.entries:,} entries{skipped}"
    if found.different:
        out.print(f"{said}: {found.different:,} would be decided differently now.")
    else:
        out.print(f"{said}: all would be decided the same way now.")
