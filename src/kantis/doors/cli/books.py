"""Commands on the books: publish, versions, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from kantis.core.calendar import show_instant
from kantis.core.knobs import Fault, ProgramError
from kantis.desk import audit, editing, text
from kantis.desk import verify as proofs
from kantis.desk.replay import redecide
from kantis.desk.submit import wall_clock
from kantis.doors.cli.opening import opened
from kantis.doors.cli.output import (
    CANNOT_RUN,
    NOT_FINE,
    USAGE,
    Json,
    Store,
    Trouble,
    count,
    fault_out,
    faults_json,
    json_out,
    leave,
    out,
    table,
)
from kantis.doors.cli.progress import Bars


def publish(
    file: Annotated[Path, typer.Argument(help="The program file.")],
    since: Annotated[str, typer.Option(help="From when it holds, local time. Default: now.")] = "",
    put_up: Annotated[
        bool, typer.Option("--put-up", help="Put it up for signatures instead of publishing it.")
    ] = False,
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Publish a program, or another version of it. Publishing the same again changes nothing.

    Where signatures are demanded, it is published once exactly this file has them.
    """
    number = 0
    try:
        data = text.load(file)
        draft = editing.read(data, file.name)
        with opened(store, new=not put_up) as desk:
            about = desk, draft, since, wall_clock(), audit.shell()
            if put_up:
                number = editing.put_up(*about)
            else:
                done = editing.publish(*about)
    except OSError as error:
        message = f"It cannot be opened: {error.strerror}."
        raise Trouble("no-file", message, str(file)) from error
    except ProgramError as error:
        _trouble(file, since, error.faults[0])
        if json:
            json_out({"faults": faults_json(str(file), error.faults)})
        else:
            for fault in error.faults:
                fault_out(str(file), data.decode(errors="replace"), fault)
        leave(NOT_FINE)
    name = draft.program.name
    if number and json:
        json_out({"program": name, "draft": number})
    elif number:
        out.print(Text(f"{name}, draft {number}: put up. It is signed in the console."))
    elif json:
        json_out({"program": done.program, "version": done.version, "published": done.fresh})
    else:
        said = "published" if done.fresh else "published before; nothing changed"
        out.print(Text(f"{done.program}, version {done.version}: {said}."))


#: What is wrong with the command and not with the file: its exit status.
_WRONG_COMMAND: Final = {
    "not-a-program": CANNOT_RUN,
    "in-the-past": CANNOT_RUN,
    "time-expected": USAGE,
    "signatures-missing": NOT_FINE,
    "nothing-new": NOT_FINE,
    "unknown-program": CANNOT_RUN,
}
#: What of it is about the day that was said, and not about the file.
_OF_THE_DAY: Final = ("in-the-past", "time-expected")


def _trouble(file: Path, since: str, fault: Fault) -> None:
    """Raise ``Trouble`` where the command is wrong."""
    if fault.code in _WRONG_COMMAND and not fault.line:
        place = since if fault.code in _OF_THE_DAY else str(file)
        raise Trouble(fault.code, fault.message, place, _WRONG_COMMAND[fault.code])


def cancel(
    program: Annotated[str, typer.Argument(help="The name of the program.")],
    version: Annotated[int, typer.Argument(help="The number of the version.")],
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Cancel a version that is published for later; what has begun stays."""
    who = audit.shell()
    try:
        with opened(store) as desk:
            left = desk.cancel(program, version, (who.who, who.name))
    except ProgramError as error:
        fault = error.faults[0]
        place = f"{program} {version}"
        raise Trouble(fault.code, fault.message, place, CANNOT_RUN) from error
    if json:
        json_out({"program": program, "cancelled": version, "version": left})
    else:
        out.print(Text(f"{program}, version {version}: cancelled. Version {left} is the newest."))


def versions(store: Store = "kantis.db", json: Json = False) -> None:
    """List the programs of the books and their versions."""
    with opened(store) as desk:
        rows = [
            (name, version)
            for name, number in desk.books.programs().items()
            for version in desk.books.versions(number)
        ]
    if json:
        json_out(
            [
                {
                    "program": name,
                    "version": each.number,
                    "since": show_instant(each.since) if each.since else None,
                    "published": show_instant(each.published),
                }
                for name, each in rows
            ]
        )
        return
    shown = [
        (name, str(each.number), show_instant(each.since)[:16] if each.since else "always",
         show_instant(each.published)[:16])
        for name, each in rows
    ]  # fmt: skip
    out.print(table("", ("program", "version", "since (UTC)", "published (UTC)"), shown))


def verify(
    again: Annotated[
        bool, typer.Option("--again", help="Also decide everything again; slower.")
    ] = False,
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Prove that the books are what was decided."""
    with opened(store) as desk, Bars(quiet=json) as bars:
        report = proofs.verify(desk.books, bars.tell)
        if again:
            redecide(desk.books, report, progress=bars.tell)
    if json:
        json_out(plain_report(report))
    else:
        tell_report(report)
    if not report.ok:
        leave(NOT_FINE)


def plain_report(report: proofs.Report) -> dict[str, Any]:
    """What the proof says, for scripts."""
    return {
        "ok": report.ok,
        "accounts": report.accounts,
        "entries": report.entries,
        "postings": report.postings,
        "events": report.events,
        "checkpoints": report.checkpoints,
        "redecided": report.redecided,
        "differences": report.differences,
        "problems": report.problems,
        "wrong": report.wrong,
    }


def tell_report(report: proofs.Report) -> None:
    """What the proof says, for people."""
    for problem in report.problems:
        out.print(Text(str(problem), style="red"))
    said = (
        f"{count(report.accounts, 'account')}, {report.entries:,} entries,"
        f" {count(report.postings, 'posting')}, {count(report.events, 'event')}"
    )
    if report.ok:
        out.print(f"{said}: the books are what was decided.")
    else:
        out.print(f"{said}: {count(report.wrong, 'problem')}.")
    if report.redecided:
        differ = f"{report.differences:,} would be decided differently now"
        out.print(f"{report.redecided:,} entries decided again: {differ}.")
