"""Commands that keep points from being spent in a program, and let them be spent again."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from kantis.desk import audit, freezing
from kantis.doors.cli.opening import home_of, opened
from kantis.doors.cli.output import Json, Store, json_out, out

Named = Annotated[str, typer.Argument(help="The name of the program, if there are several.")]


def freeze(program: Named = "", store: Store = "kantis.db", json: Json = False) -> None:
    """Freeze spending in a program: nothing is redeemed, at no door; collecting goes on."""
    _switch(program, store, json, on=True)


def unfreeze(program: Named = "", store: Store = "kantis.db", json: Json = False) -> None:
    """Let points be spent again; what was told meanwhile is decided."""
    _switch(program, store, json, on=False)


def _switch(program: str, store: str, json: bool, *, on: bool) -> None:
    with opened(store) as desk:
        home = home_of(desk.books, program)
        waited = freezing.waiting(desk.books, home.number)
        changed = freezing.switch(desk, home.number, audit.shell(), on=on)
        if changed and not on:
            desk.settle()
    if json:
        said = {"program": home.name, "frozen": on, "changed": changed}
        json_out(said | ({} if on else {"decided": waited if changed else 0}))
    elif not changed:
        out.print(Text(f"{home.name}: it is so already; nothing changed."))
    elif on:
        out.print(Text(f"{home.name}: spending is frozen, and collecting goes on."))
    else:
        more = f" Decided now: {waited} that waited." if waited else ""
        out.print(Text(f"{home.name}: points are spent again.{more}"))
