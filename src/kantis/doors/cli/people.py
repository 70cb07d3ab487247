"""Commands on those who sign in to the console: people list, people rescue."""

from __future__ import annotations

from typing import Annotated

import typer
from msgspec.structs import asdict
from rich.text import Text

from kantis.core.calendar import show_instant
from kantis.desk import audit, staff
from kantis.desk.rescue import rescue
from kantis.doors.cli.opening import opened
from kantis.doors.cli.output import NOT_FINE, Json, Store, Trouble, json_out, out, table

app = typer.Typer(no_args_is_help=True, help="List who may sign in, and let somebody in again.")


@app.command("list")
def list_people(store: Store = "kantis.db", json: Json = False) -> None:
    """List who may sign in to the console."""
    with opened(store) as desk:
        found = [each for each in staff.everybody(desk.books) if each.ended is None]
    if json:
        json_out([asdict(each) for each in found])
        return
    rows = [(each.login, each.name, each.role, show_instant(each.made)[:16]) for each in found]
    out.print(table("", ("login", "name", "role", "since (UTC)"), rows))


@app.command("rescue")
def rescue_login(
    login: Annotated[str, typer.Argument(help="What they sign in with.")],
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Let somebody in again who has lost the password or the second factor."""
    with opened(store) as desk:
        password = rescue(desk, login, audit.shell())
    if not password:
        message = "Nobody signs in with this login. See: kantis people list."
        raise Trouble("unknown-login", message, login, NOT_FINE)
    if json:
        json_out({"login": login, "password": password})
        return
    out.print(Text(password, style="bold"))
    out.print(
        "A new password, shown once. The second factor and all sessions are gone: sign in, "
        "choose another password, and set up a second factor at /account."
    )
