"""The command ``import``: a file of purchases, refunds, members or opening balances."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import apsw
import typer
from rich.text import Text

from kantis.core.knobs import ProgramError
from kantis.desk import text
from kantis.desk.vault.keyfile import Locked
from kantis.doors.cli.opening import home_of, opened
from kantis.doors.cli.output import (
    NOT_FINE,
    USAGE,
    Json,
    Store,
    Trouble,
    Vault,
    count,
    json_out,
    leave,
    out,
    table,
)
from kantis.doors.cli.progress import Bars
from kantis.doors.intake.load import BadRows, Summary
from kantis.doors.intake.mapping import KINDS, Mapping, read_mapping, resolve
from kantis.doors.intake.tables import NotATable, Table, open_table
from kantis.doors.intake.take import take

_KINDS = ", ".join(KINDS)


def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV, NDJSON or Parquet file.")],
    mapping: Annotated[
        Path | None, typer.Option(help="Which column is which field, in YAML.")
    ] = None,
    kind: Annotated[str, typer.Option(help=f"What the file has: {_KINDS}.")] = "",
    program: Annotated[str, typer.Option(help="The program, if there are several.")] = "",
    source: Annotated[str, typer.Option(help="Where the events come from.")] = "",
    bad: Annotated[
        Path | None, typer.Option(help="Where bad rows go. Default: FILE.bad.csv")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and compare, and write nothing.")
    ] = False,
    store: Store = "kantis.db",
    vault: Vault = "",
    json: Json = False,
) -> None:
    """Import purchases, refunds, members or opening balances. Running it again changes nothing."""
    said = _mapping(mapping, kind, program, source)
    found = _table(said, file)
    bad_rows = BadRows(bad or file.with_name(f"{file.name}.bad.csv"))
    with opened(store) as desk, Bars(quiet=json) as bars:
        home = home_of(desk.books, said.program)
        try:
            summary = take(
                desk, home, found, said, bad_rows, bars.tell, dry_run=dry_run, vault=vault
            )
        except OSError as error:
            raise Trouble("cannot-write", f"{error.strerror}.", str(error.filename)) from error
        except apsw.Error as error:
            message = f"The rows could not be put aside on the disk: {error}."
            raise Trouble("cannot-write", message, tempfile.gettempdir()) from error
        except Locked as error:
            raise Trouble(error.code, str(error)) from error
    if json:
        json_out({"file": str(file), "dry_run": dry_run, "fine": summary.fine, **_plain(summary)})
    else:
        _tell(file, said, summary, dry_run)
    if not summary.fine:
        leave(NOT_FINE)


def open_purchases(file: Path, mapping: Path | None) -> tuple[Table, Mapping]:
    """A file of purchases, and how it is read."""
    said = _mapping(mapping, "purchases", "", "")
    return _table(said, file), said


def _table(mapping: Mapping, file: Path) -> Table:
    try:
        found = open_table(file, mapping.encoding)
    except NotATable as error:
        raise Trouble(error.code, str(error), str(file)) from error
    wrong = resolve(mapping, found.columns)
    if wrong:
        raise Trouble("column-missing", " ".join(wrong), str(file))
    return found


def _plain(summary: Summary) -> dict[str, object]:
    return {name: getattr(summary, name) for name in summary.__struct_fields__}


def _mapping(path: Path | None, kind: str, program: str, source: str) -> Mapping:
    """The mapping of the file and the options; options win."""
    found = Mapping(kind)
    if path is not None:
        try:
            found = read_mapping(text.read_file(path))
        except ProgramError as error:
            raise Trouble("mapping-unreadable", str(error), str(path)) from error
        except OSError as error:
            raise Trouble(
                "no-file", f"It cannot be opened: {error.strerror}.", str(path)
            ) from error
    found.kind = kind or found.kind
    found.program = program or found.program
    found.source = source or found.source
    if found.kind not in KINDS:
        message = f"Say what the file has with --kind: {_KINDS}."
        raise Trouble("unknown-kind", message, status=USAGE)
    if "/" in found.source:
        raise Trouble(
            "malformed-source", "A source has no slash; write for example old-till.", status=USAGE
        )
    return found


def _tell(file: Path, mapping: Mapping, summary: Summary, dry_run: bool) -> None:
    rows = [(name, number) for name, number in summary.totals.items()]
    out.print(table(f"{file.name}: what the file adds up to", ("", "total"), rows))
    if summary.unused:
        out.print(Text(f"Columns that nothing was taken from: {', '.join(summary.unused)}."))
        if mapping.kind == "members":
            out.print("What is known of members is named under 'facts' in the mapping.")
    if summary.mismatches:
        out.print(Text("The totals do not match, and nothing was written:", style="bold red"))
        for each in summary.mismatches:
            out.print(Text(f"  {each.name}: expected {each.expected}, the file has {each.got}"))
        if mapping.kind == "opening":
            out.print(
                "Opening balances are taken only if they add up to what you say: write the total"
                " of each balance into the mapping, as in totals: {points: 123456, cards: 812},"
                " and correct the bad rows."
            )
    elif dry_run:
        again = f" {summary.again:,} of them came before." if summary.again else ""
        said_so = f"{count(summary.events, 'event')} would be submitted.{again}"
        out.print(f"{said_so} Nothing was written.")
    else:
        said = [
            (summary.accepted, "accepted"),
            (summary.without_member, "without a member"),
            (summary.waiting, "waiting for their card or original"),
            (summary.refused, "refused"),
            (summary.set_aside, "set aside"),
            (summary.unknown, "unknown"),
            (summary.again, "of all these had come before"),
        ]
        parts = [f"{number:,} {what}" for number, what in said if number or what == "accepted"]
        out.print(f"{count(summary.events, 'event')} from {mapping.source}: {', '.join(parts)}.")
    if summary.people or summary.people_refused:
        refused = f", {summary.people_refused:,} refused" if summary.people_refused else ""
        where = "to read" if dry_run else "in the vault"
        out.print(f"Personal data of {count(summary.people, 'member')} {where}{refused}.")
    if summary.bad_rows:
        out.print(f"{count(summary.bad_rows, 'bad row')} of {summary.rows:,}.")
    if summary.bad_file:
        out.print(f"What was not taken, and why: {summary.bad_file}")
