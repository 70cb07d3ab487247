"""Commands that look after whole books: backup, restore, move, migrate, doctor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from kantis.core.calendar import show_instant
from kantis.desk import backup as backups
from kantis.desk import doctor as doctors
from kantis.desk import move as moves
from kantis.desk import upgrade as upgrades
from kantis.desk.backup import Backup, Restored
from kantis.desk.report import Report
from kantis.desk.submit import wall_clock
from kantis.desk.vault.opening import folder_of
from kantis.desk.whole import Hindrance, shown
from kantis.doors.cli.books import plain_report, tell_report
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
)
from kantis.doors.cli.progress import Bars
from kantis.store.books import Conflict, Outage

To = Annotated[str, typer.Option(help="Empty books to fill: a file or a PostgreSQL URL.")]


@contextmanager
def _hindered(store: str) -> Iterator[None]:
    """What hinders a verb is said with its code, its place and what to do next."""
    try:
        yield
    except Hindrance as error:
        raise Trouble(error.code, error.message, shown(error.place)) from error
    except (Outage, Conflict) as error:
        raise Trouble("store-unusable", str(error), shown(store)) from error
    except OSError as error:
        message = f"{error.strerror or error}. Check the path, its rights and the room on the disk."
        raise Trouble("store-unusable", message, shown(store)) from error


def backup(
    file: Annotated[Path, typer.Argument(help="The file to make.")],
    store: Store = "kantis.db",
    vault: Vault = "",
    json: Json = False,
) -> None:
    """Copy the books into one file, while others may write to them."""
    with _hindered(store), Bars(quiet=json) as bars:
        made = backups.backup(store, file, bars.tell)
    if json:
        json_out({"file": str(file), **_plain(made)})
    else:
        out.print(Text(f"{file}: {_said(made)}."))
        if made.count("member"):
            folder = folder_of(store, vault)
            out.print(Text(f"Personal data are sealed in it. Their keys are not: keep {folder}"))
            out.print("safe in another place, and never beside the backup.")


def _plain(made: Backup) -> dict[str, Any]:
    return {
        "made": show_instant(made.made),
        "schema": made.schema,
        "last": made.last,
        "accounts": made.count("account"),
        "entries": made.count("entry"),
        "postings": made.count("posting"),
        "events": made.count("event"),
        "members": made.count("member"),
    }


def _said(made: Backup) -> str:
    return (
        f"{count(made.count('account'), 'account')}, {made.count('entry'):,} entries,"
        f" {count(made.count('posting'), 'posting')}, all that was answered until"
        f" {show_instant(made.made)}"
    )


def restore(
    file: Annotated[Path, typer.Argument(help="A file that kantis backup has made.")],
    to: To,
    verify: Annotated[bool, typer.Option("--verify", help="Prove the books afterwards.")] = False,
    vault: Vault = "",
    json: Json = False,
) -> None:
    """Bring a backup into empty books, in a file or in PostgreSQL."""
    with _hindered(to), Bars(quiet=json) as bars:
        restored = backups.restore(file, to, bars.tell, prove=verify, vault=vault)
    report: Report | None = restored.report
    if json:
        proof = plain_report(report) if report is not None else None
        more = {"erased_again": restored.erased, "keys": restored.keys, "proof": proof}
        json_out({"to": shown(to), **_plain(restored.backup), **more})
    else:
        out.print(Text(f"{shown(to)}: {_said(restored.backup)}."))
        if restored.upgraded:
            out.print("The tables were brought to the newest schema.")
        _tell_keys(restored, folder_of(to, vault))
        if report is not None:
            tell_report(report)
    if report is not None and not report.ok:
        leave(NOT_FINE)


def _tell_keys(restored: Restored, folder: Path) -> None:
    """Where the keys to personal data have to be, and who was erased since."""
    if restored.erased:
        again = count(restored.erased, "member")
        out.print(f"Erased in it too, because they were erased since it was made: {again}.")
    if restored.backup.count("member") and not restored.keys:
        out.print(Text(f"Personal data need their keys: bring the folder back to {folder},"))
        out.print("or say with --vault where it is. Whoever was erased since is erased with them.")


def move(
    to: Annotated[str, typer.Option(help="The books to fill: a file or a PostgreSQL URL.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Make moved books the books again.")] = False,
    store: Store = "kantis.db",
    vault: Vault = "",
    json: Json = False,
) -> None:
    """Move the books of --store into the empty books --to, and prove that both are equal.

    The books of --store are closed then.
    """
    if undo == bool(to):
        raise Trouble("which-move", "Name the empty books with --to, or say --undo.", status=USAGE)
    if undo:
        _undo(store, json)
        return
    with _hindered(store), Bars(quiet=json) as bars:
        moved = moves.move(store, to, bars.tell, wall_clock())
    rows = {name: rows for name, (rows, _) in moved.seal.items()}
    if json:
        json_out(
            {
                "copied": moved.copied,
                "equal": moved.equal,
                "rows": rows,
                "checkpoints": moved.checkpoints,
                "root": moved.root,
                "differences": moved.differences,
            }
        )
    else:
        for each in moved.differences:
            out.print(Text(each, style="red"))
        said = f"{sum(rows.values()):,} rows in {count(len(rows), 'table')}"
        if moved.equal:
            before = "" if moved.copied else " They were there already; nothing was written."
            out.print(Text(f"{said}: both books are equal, row by row.{before}"))
            out.print(Text(f"From now on use --store {shown(to)}. {shown(store)} is closed."))
            if rows.get("member"):
                here, there = folder_of(store, vault), folder_of(to)
                out.print(Text(f"Bring the keys to personal data along: {here} to {there}."))
        else:
            out.print(Text(f"{said}: the books are not equal; nothing was written."))
    if not moved.equal:
        leave(NOT_FINE)


def _undo(store: str, json: bool) -> None:
    with _hindered(store):
        gone = moves.undo(store)
    if json:
        json_out({"store": shown(store), "not": gone})
    else:
        out.print(Text(f"{shown(store)} are the books again. Do not write to {gone} any more."))


def migrate(
    backup: Annotated[
        Path | None, typer.Option(help="Where the backup goes. Default: beside the books.")
    ] = None,
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Bring the tables to the newest schema, after a backup."""
    with _hindered(store), Bars(quiet=json) as bars:
        done = upgrades.upgrade(store, backup, bars.tell)
    if json:
        said = {"before": done.before, "after": done.after, "steps": done.steps}
        json_out({**said, "backup": done.file or None})
    elif not done.steps:
        out.print(f"The books have schema {done.after}, the newest; nothing changed.")
    else:
        out.print(Text(f"A backup is in {done.file}."))
        for step in done.steps:
            out.print(Text(f"  {step}"))
        out.print(f"The books have schema {done.after} now.")


def doctor(store: Store = "kantis.db", vault: Vault = "", json: Json = False) -> None:
    """Tell what is wrong with an installation or worth knowing, and what to do."""
    with _hindered(store):
        found = doctors.doctor(store, vault=vault)
    needs = sum(each.act for each in found)
    if json:
        json_out({"ok": not needs, "findings": found})
    else:
        for each in found:
            mark = ("! ", "bold red") if each.act else ("  ", "")
            out.print(Text.assemble(mark, each.said, (f" [{each.code}]", "dim")))
        said = f"{count(needs, 'thing')} to look after." if needs else "Nothing needs a person."
        out.print(said)
    if needs:
        leave(NOT_FINE)
