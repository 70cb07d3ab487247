"""The command ``report``: what a program does, in the figures that the console shows."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any

import typer
from rich.text import Text

from kantis.core import calendar
from kantis.core.amounts import Unit
from kantis.core.calendar import show_instant, window_start
from kantis.desk.measures import panels
from kantis.desk.measures.figures import measure
from kantis.desk.measures.panels import Board, Cell, Panel
from kantis.desk.measures.tallying import catch_up, differences
from kantis.doors.cli.opening import home_of, opened
from kantis.doors.cli.output import (
    NOT_FINE,
    USAGE,
    Json,
    Store,
    Trouble,
    count,
    json_out,
    leave,
    out,
    table,
)


def report(
    program: Annotated[str, typer.Option(help="Which program, if there are several.")] = "",
    months: Annotated[int, typer.Option(min=1, max=600, help="How many months.")] = 12,
    until: Annotated[
        str, typer.Option(help="The last month, as in 2024-03. Default: the last with a purchase.")
    ] = "",
    margin: Annotated[
        int, typer.Option(min=1, max=100, help="Margin of sales, in percent.")
    ] = panels.MARGIN,
    again: Annotated[
        bool, typer.Option("--again", help="Count everything again, and prove it; slower.")
    ] = False,
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Tell what a program does: who joins and comes back, what is earned, used and owed."""
    last = _month(until)
    with opened(store) as desk:
        home = home_of(desk.books, program)
        desk.checkpoint()
        catch_up(desk, again=again)
        wrong = len(differences(desk.books)) if again else 0
        with desk.books.reader() as frozen:
            frozen.freeze()
            found = measure(frozen, home)
    units, money = home.program.units, home.program.money
    board = panels.board(found, units, months, margin, last)
    if json:
        json_out(_plain(board, home.name, units, money))
    else:
        _tell(board, units, money)
    if wrong:
        out.print(Text(f"{count(wrong, 'tally')} differ from the books.", style="red"))
        leave(NOT_FINE)


def _month(text: str) -> int:
    if not text:
        return 0
    try:
        return window_start("month", calendar.day(f"{text}-01"))
    except ValueError as error:
        message = f"{text!r} is no month. Write for example 2024-03."
        raise Trouble("month-expected", message, status=USAGE) from error


def _plain(board: Board, name: str, units: dict[str, Unit], money: Unit) -> dict[str, Any]:
    """The figures for scripts; a share is an exact fraction beside its rounded number."""

    def cell(each: Cell | None) -> Any:
        plain = panels.plain(each, money, units)
        if each is None or each.kind not in ("share", "rate"):
            return plain
        return {"num": each.value, "den": each.of, "rounded": plain}

    return {
        "program": name,
        "money": money.name,
        "counted": show_instant(board.upto) if board.panels else None,
        "headlines": {each.title: cell(each.cell) for each in board.headlines},
        "measures": [
            {
                "key": each.key,
                "title": _title(each),
                "how": each.definition.how,
                "columns": each.columns,
                "rows": [[cell(value) for value in row] for row in each.rows],
            }
            for each in board.panels
        ],
    }


def _tell(board: Board, units: dict[str, Unit], money: Unit) -> None:
    """The figures for people."""

    def shown(cell: Cell | None) -> str:
        if cell is None:
            return ""
        if cell.kind in ("share", "rate"):
            factor = 100 if cell.kind == "share" else 1
            value = Decimal(cell.value * factor) / cell.of
            rounded = value.quantize(Decimal("0.1"), ROUND_HALF_UP)
            return f"{rounded} %" if cell.kind == "share" else str(rounded)
        return str(panels.plain(cell, money, units))

    if not board.panels:
        out.print("Nothing is counted yet.")
        return
    rows = [(each.title, shown(each.cell)) for each in board.headlines]
    out.print(table(f"until the end of {calendar.show_day(board.last)[:7]}", ("", ""), rows))
    for panel in board.panels:
        lines = [[shown(each) for each in row] for row in panel.rows]
        out.print()
        out.print(table(_title(panel), panel.columns, lines))
        out.print(Text(panel.definition.how, style="dim"))
    out.print(f"\nMoney in {money.name}.")


def _title(panel: Panel) -> str:
    title = panel.definition.title
    return title % {"name": panel.name} if panel.name else title
