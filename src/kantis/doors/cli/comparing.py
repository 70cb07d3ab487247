"""What ``check --store`` tells: what a version would change for the accounts that there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.text import Text

from kantis.core.calendar import show_day, show_instant
from kantis.desk import cases, text
from kantis.desk.compare import Comparison, compare
from kantis.desk.submit import wall_clock
from kantis.doors.cli.opening import local_time, opened
from kantis.doors.cli.output import count, out, table, whole
from kantis.doors.cli.progress import Bars
from kantis.engine.program import Program, Version, assemble


def comparisons(
    path: Path, store: str, since: str, until: str, *, quiet: bool
) -> Iterator[tuple[Comparison, Program]]:
    """The comparison of a program file with the version that is live; none for a case file."""
    tree = text.read(text.load(path), path.name)
    if cases.is_case_file(tree):
        return
    program = assemble([Version(1, 0, tree)])
    begins = local_time(program, since) or wall_clock()
    with opened(store) as desk, Bars(quiet=quiet) as bars:
        found = compare(
            desk.books, program.name, begins, tree, local_time(program, until), bars.tell
        )
    if found is not None:
        yield found, program


def as_json(found: Comparison) -> dict[str, Any]:
    """The comparison as plain values."""
    return {
        "program": found.program,
        "version": found.version,
        "since": show_instant(found.since),
        "until": show_instant(found.until),
        "accounts": found.accounts,
        "touched": found.touched,
        "begins": show_instant(found.begins) if found.begins else None,
        "failed": found.failed,
        "moments": [
            {
                "at": show_instant(each.at),
                "balances": each.balances,
                "levels": [
                    {"group": m.group, "before": m.before, "after": m.after, "up": m.up,
                     "accounts": number}
                    for m, number in sorted(each.moves.items())
                ],
            }
            for each in found.moments
        ],
    }  # fmt: skip


def tell(found: Comparison, program: Program) -> None:
    """The comparison, for people."""
    days = program.calendar

    def when(moment: int) -> str:
        return show_day(days.day(moment))

    out.print(
        Text(
            f"{found.program}, as version {found.version} from {when(found.since)}, beside the"
            f" version before it, until {when(found.until)} and as if nothing else happened:"
        )
    )
    rows = []
    for each in found.moments:
        for name, sums in sorted(each.balances.items()):
            show = program.units[name].show
            less, more = whole(sums.losing), whole(sums.gaining)
            rows.append((when(each.at), name, less, show(sums.loss), more, show(sums.gain)))
    if rows:
        columns = ("when", "balance", "have less", "in all", "have more", "in all")
        out.print(table("", columns, rows))
    moves = [
        (when(each.at), move.group, move.before, move.after, "up" if move.up else "down",
         whole(number))
        for each in found.moments
        for move, number in sorted(each.moves.items())
    ]  # fmt: skip
    if moves:
        out.print(table("", ("when", "tier", "level", "becomes", "", "accounts"), moves))
    touched = f"it touches {whole(found.touched)} of {count(found.accounts, 'account')}"
    if found.begins:
        out.print(f"{touched}, from {when(found.begins)} on.")
    else:
        out.print(f"{touched}.")
    if program.newest.head.pilot is not None:
        out.print("A pilot touches an account when it comes to one of the locations, not before.")
    if found.failed:
        some = ", ".join(map(str, found.failed[:5]))
        out.print(
            Text(
                f"{count(len(found.failed), 'account')} cannot live on under it, as {some}."
                " Do not publish it; see what it drops that they have.",
                style="red",
            )
        )
