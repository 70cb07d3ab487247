"""The command for what waits for somebody to look at it."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from rich.text import Text

from kantis.core.calendar import show_instant
from kantis.desk import audit
from kantis.desk import flags as room
from kantis.doors.cli.opening import home_of, opened
from kantis.doors.cli.output import Json, Store, Trouble, json_out, out, table
from kantis.store.reading import Reading

_SHOWN: Final = 1_000


def flags(
    program: Annotated[str, typer.Argument(help="The program, if there are several.")] = "",
    clear: Annotated[int, typer.Option(help="Say that you have looked at this flag.")] = 0,
    remark: Annotated[str, typer.Option(help="With --clear: what came of it.")] = "",
    again: Annotated[str, typer.Option(help="Decide this event again, which was set aside.")] = "",
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """List what is marked for a look and what could not be decided; clear a flag, or try again."""
    by = audit.shell()
    with opened(store) as desk:
        number = home_of(desk.books, program).number
        if clear and not room.clear(desk, number, clear, by, remark):
            raise Trouble("unknown-flag", "No such flag is open. List them: kantis flags.")
        if again:
            if not room.again(desk, number, again, by):
                message = "No such event is set aside. List them: kantis flags."
                raise Trouble("unknown-event", message, again)
            desk.settle()
        found = _found(desk.books, number)
    if json:
        json_out(found)
        return
    columns = ("number", "since", "account", "event", "what")
    rows = [tuple(map(str, each.values())) for each in found["flags"]]
    if rows:
        out.print(table("marked for a look", columns, rows))
    if found["aside"]:
        lines = [tuple(each.values()) for each in found["aside"]]
        out.print(table("\nset aside", ("event", "since", "why"), lines))
    if not rows and not found["aside"]:
        out.print(Text("Nothing waits for a look."))


def _found(books: Reading, program: int) -> dict[str, list[dict[str, Any]]]:
    return {
        "flags": [
            {"number": row.n, "since": show_instant(row.raised), "account": row.account,
             "event": row.event, "what": row.flag}
            for row in room.of_program(books, program, _SHOWN)
        ],
        "aside": [
            {"event": row.key, "since": show_instant(row.received), "why": row.note or ""}
            for row in room.set_aside(books, program)
        ],
    }  # fmt: skip
