"""What commands print: for people with colour where the terminal has it, or JSON for scripts.

Exit codes are the same for every command: 0 fine; 1 the thing that was asked about is not
fine; 2 wrong usage; 3 it cannot run here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kantis.core.knobs import Fault

NOT_FINE: Final = 1
USAGE: Final = 2
CANNOT_RUN: Final = 3

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Store = Annotated[
    str,
    typer.Option(envvar="KANTIS_STORE", help="Where the books are: a file or a PostgreSQL URL."),
]
Vault = Annotated[
    str,
    typer.Option(
        envvar="KANTIS_VAULT", help="The folder of the members' keys. Default: beside the books."
    ),
]

out = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
err = Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


class Trouble(Exception):
    """Why a command cannot do its work: a code, and a sentence that says what to do next."""

    def __init__(self, code: str, message: str, place: str = "", status: int = CANNOT_RUN) -> None:
        super().__init__(message)
        self.code, self.message, self.place, self.status = code, message, place, status


def json_out(value: Any) -> None:
    """Print a value as JSON, indented."""
    data = msgspec.json.format(msgspec.json.encode(value, order=None), indent=2)
    sys.stdout.write(data.decode() + "\n")


def trouble_out(trouble: Trouble, as_json: bool) -> None:
    """Say why a command cannot do its work."""
    if as_json:
        error = {"code": trouble.code, "message": trouble.message, "place": trouble.place}
        json_out({"error": error})
    place = f"{trouble.place}: " if trouble.place else ""
    message = Text.assemble(("kantis: ", "bold red"), f"{place}{trouble.message} [{trouble.code}]")
    err.print(message)


def leave(status: int) -> NoReturn:
    """End the command with a status."""
    raise typer.Exit(status)


def fault_out(path: str, text: str | None, fault: Fault) -> None:
    """A fault with its place, the line that it is in, and a mark under the place."""
    place = f"{path}:{fault.line}:{fault.column}" if fault.line else path
    where = f" (at {fault.path})" if fault.path else ""
    out.print(Text.assemble((place, "bold"), f": {fault.message} [{fault.code}]{where}"))
    lines = text.split("\n") if text and fault.line else []
    if 0 < fault.line <= len(lines):
        line, number = lines[fault.line - 1].replace("\t", " "), str(fault.line)
        start = max(0, fault.column - 60)
        out.print(Text(f"  {number} | {line[start : start + 90]}", style="dim"))
        mark = " " * (len(number) + 4 + max(0, fault.column - 1 - start)) + "^"
        out.print(Text(f" {mark}", style="red"))


def faults_json(path: str, faults: Iterable[Fault]) -> list[dict[str, Any]]:
    """Faults as plain values."""
    return [
        {
            "file": path,
            "line": each.line,
            "column": each.column,
            "code": each.code,
            "message": each.message,
            "path": each.path,
        }
        for each in faults
    ]


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A plain table; every column but the first is aligned to the right."""
    found = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    found.show_header = any(columns)
    for number, column in enumerate(columns):
        found.add_column(column, justify="right" if number else "left", header_style="dim")
    for row in rows:
        found.add_row(*row)
    return found


def whole(number: int) -> str:
    """A number as people read it."""
    return f"{number:,}"


def count(number: int, word: str) -> str:
    """A number of things: ``1 file``, ``2 files``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def replace_file(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.chmod(path.stat().st_mode)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
