"""Commands on the books: publish, versions, verify."""

from __future__ import annotations

import json as jsons
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from kantis.core.calendar import show_instant
from kantis.core.knobs import Fault, ProgramError, plain
from kantis.desk import cases, text
from kantis.desk import verify as proofs
from kantis.desk.replay import redecide
from kantis.desk.submit import wall_clock
from kantis.doors.cli.opening import local_time, opened
from kantis.doors.cli.output import (
    NOT_FINE,
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
from kantis.engine.program import Program, Version, assemble


def publish(
    file: Annotated[Path, typer.Argument(help="The program file.")],
    since: Annotated[str, typer.Option(help="From when it holds, local time. Default: now.")] = "",
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Publish a program, or another version of it. Publishing the same again changes nothing."""
    try:
        data = text.load(file)
        tree = text.read(data, file.name)
        if cases.is_case_file(tree):
            raise Trouble(
                "not-a-program", "This is a file of cases. Name the file of its program.", str(file)
            )
        program = assemble([Version(1, 0, tree)])
        with opened(store, new=True) as desk:
            earlier = desk.books.programs().get(program.name)
            versions = desk.books.versions(earlier) if earlier is not None else []
            if versions and jsons.loads(versions[-1].tree) == plain(tree):
                number, fresh = versions[-1].number, False
            else:
                if not versions and program.newest.head.pilot is not None:
                    message = "A pilot needs a version that holds for everybody else; publish that."
                    raise ProgramError([Fault("pilot-of-nothing", message)])
                moment = _since(program, since, first=not versions)
                source = text.decode(data)
                number = desk.publish(program.name, moment, source, plain(tree))
                fresh = True
    except OSError as error:
        message = f"It cannot be opened: {error.strerror}."
        raise Trouble("no-file", message, str(file)) from error
    except ProgramError as error:
        if json:
            json_out({"faults": faults_json(str(file), error.faults)})
        else:
            for fault in error.faults:
                fault_out(str(file), data.decode(errors="replace"), fault)
        leave(NOT_FINE)
    if json:
        json_out({"program": program.name, "version": number, "published": fresh})
    else:
        said = "published" if fresh else "published before; nothing changed"
        out.print(Text(f"{program.name}, version {number}: {said}."))


def _since(program: Program, since: str, *, first: bool) -> int:
    """The instant from which a version holds; the first one has held always."""
    now = wall_clock()
    if not since:
        return 0 if first else now
    moment = local_time(program, since)
    if not first and moment < now - 60_000:
        message = "A version cannot begin in the past: what was decided stays as it was."
        raise Trouble("in-the-past", message, since)
    return moment


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
