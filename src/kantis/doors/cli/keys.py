"""Commands on the keys of callers: key new, key list, key revoke."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec.structs import asdict, astuple
from rich.text import Text

from kantis.core.calendar import show_instant
from kantis.core.knobs import ProgramError
from kantis.desk import audit, keys
from kantis.doors.cli.opening import home_of, opened
from kantis.doors.cli.output import NOT_FINE, Json, Store, Trouble, json_out, out, table

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke the keys of callers.")

_SCOPES = "; ".join(f"{scope}: {meaning}" for scope, meaning in keys.SCOPES.items())


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Who has it, for people.")],
    scope: Annotated[str, typer.Option(help=_SCOPES)],
    source: Annotated[str, typer.Option(help="What its events come from, as in till-7.")],
    program: Annotated[str, typer.Option(help="The program, if there are several.")] = "",
    location: Annotated[str, typer.Option(help="The only location it speaks for.")] = "",
    per_minute: Annotated[int, typer.Option(help="Requests per minute at most.")] = 0,
    largest: Annotated[
        int, typer.Option(help="What one event may spend, bring or adjust, in smallest units.")
    ] = 0,
    goodwill: Annotated[
        int, typer.Option(help="What a till may give by hand per day, in smallest units.")
    ] = 0,
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Make a key for the service. It is shown once."""
    with opened(store, new=scope == keys.OWNER) as desk:
        whose = program if scope == keys.OWNER else home_of(desk.books, program).name
        limits = keys.Limits(per_minute, largest, goodwill)
        try:
            secret, prefix = keys.make(
                desk, name, whose, scope, source, location, limits, audit.shell()
            )
        except ProgramError as error:
            fault = error.faults[0]
            raise Trouble(fault.code, fault.message, status=2) from error
    if json:
        json_out({"key": secret, "prefix": prefix, "program": whose, "scope": scope,
                  "source": source, "location": location, "limits": limits_of(limits)})  # fmt: skip
        return
    out.print(Text(secret, style="bold"))
    out.print(f"Keep it: it is not shown again. To revoke it: kantis key revoke {prefix}")


@app.command("list")
def list_keys(store: Store = "kantis.db", json: Json = False) -> None:
    """List the keys, without their secrets."""
    with opened(store) as desk:
        found = keys.shown(desk.books)
    if json:
        json_out([_plain(each) for each in found])
        return
    rows = [
        (k.prefix, k.name, k.program, k.scope, k.source, k.location, show_instant(k.created)[:16],
         show_instant(k.revoked)[:16] if k.revoked is not None else "")
        for k in found
    ]  # fmt: skip
    columns = ("prefix", "name", "program", "scope", "source", "location", "made (UTC)", "revoked")
    out.print(table("", columns, rows))


def _plain(key: keys.Key) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "name": key.name,
        "program": key.program,
        "scope": key.scope,
        "source": key.source,
        "location": key.location,
        "created": show_instant(key.created),
        "revoked": show_instant(key.revoked) if key.revoked is not None else None,
        "limits": limits_of(key.limits),
    }


def limits_of(limits: keys.Limits) -> dict[str, int]:
    """The limits that there are, by name."""
    return {name: value for name, value in asdict(limits).items() if value}


@app.command("revoke")
def revoke(
    prefix: Annotated[str, typer.Argument(help="The eight letters that a list shows.")],
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Revoke a key: from now on it does nothing."""
    with opened(store) as desk:
        found = desk.revoke_key(prefix, astuple(audit.shell()))
    if not found:
        message = "No key begins like this, or it is revoked already. See: kantis key list."
        raise Trouble("unknown-key", message, prefix, NOT_FINE)
    if json:
        json_out({"prefix": prefix, "revoked": True})
    else:
        out.print(f"{prefix}: revoked.")
