"""Commands on shops: shop add, shop list, shop remove, shop reconcile."""

from __future__ import annotations

import os
import re
from typing import Annotated, Final

import typer
from rich.text import Text

from kantis.core.calendar import show_instant
from kantis.core.knobs import ProgramError
from kantis.desk import shops
from kantis.desk.submit import Desk, wall_clock
from kantis.desk.vault.keyfile import Locked
from kantis.desk.vault.opening import open_seals
from kantis.desk.writer import RemoteDesk
from kantis.doors.cli.opening import home_of, opened
from kantis.doors.cli.output import NOT_FINE, Json, Store, Trouble, Vault, json_out, out, table
from kantis.doors.shops import kinds
from kantis.doors.shops.kinds import Kind
from kantis.doors.shops.pulling import Client, Silent
from kantis.doors.shops.reading import Unreadable

app = typer.Typer(no_args_is_help=True, help="Connect shops whose orders earn points.")

_KINDS = "; ".join(f"{kind}: {meaning}" for kind, meaning in shops.KINDS.items())
_SETTINGS = "; ".join(f"{name} ({meaning})" for name, meaning in kinds.SETTINGS.items())
_SINCE: Final = re.compile(r"([0-9]{1,4}) ?(minutes?|hours?|days?)")
_UNITS: Final = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
#: So many reports are handed over together.
_TOGETHER: Final = 50


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What it is called, as in web-shop.")],
    kind: Annotated[str, typer.Option(help=_KINDS)],
    source: Annotated[str, typer.Option(help="What its events come from; usual: its name.")] = "",
    program: Annotated[str, typer.Option(help="The program, if there are several.")] = "",
    set_: Annotated[list[str] | None, typer.Option("--set", help=_SETTINGS)] = None,
    store: Store = "kantis.db",
    vault: Vault = "",
    json: Json = False,
) -> None:
    """Connect a shop. Its secrets are read from KANTIS_SHOP_SECRET and KANTIS_SHOP_TOKEN."""
    secrets = {
        secret: said
        for secret, variable in (("signing", "KANTIS_SHOP_SECRET"), ("token", "KANTIS_SHOP_TOKEN"))
        if (said := os.environ.get(variable, ""))
    }
    settings = dict(_setting(each) for each in set_ or ())
    with opened(store) as desk:
        home = home_of(desk.books, program)
        try:
            kinds.check(kind, secrets, settings)
            about = name, kind, home.name, source or name
            shops.connect(desk, open_seals(desk, vault), *about, secrets, settings)
        except ProgramError as error:
            fault = error.faults[0]
            raise Trouble(fault.code, fault.message, status=2) from error
        except Locked as error:
            raise Trouble(error.code, str(error)) from error
    webhook = f"/v1/shops/{name}/webhook"
    if json:
        json_out({"name": name, "kind": kind, "program": home.name, "webhook": webhook})
        return
    out.print(Text(f"{name} is connected.", style="bold"))
    out.print(f"Let the shop send its webhooks to {webhook} of the service.")


def _setting(said: str) -> tuple[str, str]:
    name, equals, value = said.partition("=")
    if not equals:
        message = f"{said!r} is no setting. Write for example --set domain=club.myshopify.com."
        raise Trouble("setting-expected", message, status=2)
    return name.strip(), value.strip()


@app.command("list")
def list_shops(store: Store = "kantis.db", json: Json = False) -> None:
    """List the connections, without their secrets."""
    with opened(store) as desk:
        found = shops.shown(desk.books)
    if json:
        json_out([
            {"name": s.name, "kind": s.kind, "program": s.program, "source": s.source,
             "settings": s.settings, "created": show_instant(s.created), "told": s.told,
             "waiting": s.waiting}
            for s in found
        ])  # fmt: skip
        return
    rows = [
        (s.name, s.kind, s.program, s.source, show_instant(s.created)[:16], str(s.told),
         str(s.waiting))
        for s in found
    ]  # fmt: skip
    columns = ("name", "kind", "program", "source", "made (UTC)", "orders", "waiting")
    out.print(table("", columns, rows))


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="The connection.")],
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Disconnect a shop, and forget its secrets."""
    with opened(store) as desk:
        found = desk.remove_shop(name)
    if not found:
        message = "No shop of that name is connected. See: kantis shop list."
        raise Trouble("unknown-shop", message, name, NOT_FINE)
    if json:
        json_out({"name": name, "removed": True})
    else:
        out.print(f"{name}: disconnected.")


@app.command("reconcile")
def reconcile(
    name: Annotated[str, typer.Argument(help="The connection.")],
    since: Annotated[str, typer.Option(help="How far back: 2 days, 6 hours.")] = "2 days",
    store: Store = "kantis.db",
    vault: Vault = "",
    json: Json = False,
) -> None:
    """Ask a shop for everything that changed, and settle what its webhooks did not tell."""
    match = _SINCE.fullmatch(since.strip())
    if match is None:
        message = f"{since!r} is no time. Write for example 2 days or 6 hours."
        raise Trouble("duration-expected", message, status=2)
    now = wall_clock()
    begin = now - int(match[1]) * _UNITS[match[2].rstrip("s")]
    with opened(store) as desk:
        connection = shops.find(desk.books, name)
        if connection is None:
            message = "No shop of that name is connected. See: kantis shop list."
            raise Trouble("unknown-shop", message, name, NOT_FINE)
        try:
            connection = shops.opened(open_seals(desk, vault), connection)
        except Locked as error:
            raise Trouble(error.code, str(error)) from error
        if "token" not in connection.secrets:
            message = "Without a token the shop cannot be asked. Connect it anew with one."
            raise Trouble("token-missing", message, name, NOT_FINE)
        try:
            asked, events = _pull(desk, Kind(connection), begin, now)
        except (Silent, Unreadable) as error:
            raise Trouble("shop-silent", str(error), name, NOT_FINE) from error
    if json:
        json_out({"name": name, "told": asked, "events": events})
    else:
        out.print(f"{name}: told of {asked}, {events} events followed.")


def _pull(desk: Desk | RemoteDesk, kind: Kind, since: int, now: int) -> tuple[int, int]:
    """How many reports came, and how many events followed from them."""
    asked = events = 0
    waiting: list[shops.Report] = []

    def hand_over() -> int:
        found = desk.hear(kind.connection.name, shops.encode(waiting)) if waiting else []
        waiting.clear()
        return sum(not each.again for each in found)

    with Client() as client:
        for report in kind.pull(client, since, now):
            asked += 1
            waiting.append(report)
            if len(waiting) >= _TOGETHER:
                events += hand_over()
    return asked, events + hand_over()
