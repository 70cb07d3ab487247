"""The command ``settlement``: what partners and charities owe and are owed for a period."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from kantis.core import calendar
from kantis.core.calendar import Calendar
from kantis.desk.programs import Home
from kantis.desk.settlement import Settlement, plain, points_of, settle
from kantis.doors.cli.opening import home_of, opened
from kantis.doors.cli.output import (
    NOT_FINE,
    USAGE,
    Json,
    Store,
    Trouble,
    json_out,
    leave,
    out,
    table,
)


def settlement(
    first: Annotated[str, typer.Option("--from", help="The first day, as in 2024-03-01.")],
    last: Annotated[str, typer.Option("--to", help="The last day, as in 2024-03-31.")],
    program: Annotated[str, typer.Option(help="Which program, if there are several.")] = "",
    store: Store = "kantis.db",
    json: Json = False,
) -> None:
    """Tell what partners owe and are owed for the days of a period, by when it was booked."""
    with opened(store) as desk:
        home = home_of(desk.books, program)
        days: Calendar = home.program.calendar
        begins, ends = _day(days, first), _day(days, last, 1)
        if ends <= begins:
            raise Trouble("dates-reversed", "The period ends before it begins.", last, USAGE)
        with desk.books.reader() as frozen:
            frozen.freeze()
            found = settle(frozen, home, begins, ends)
    if json:
        json_out(
            {
                "statements": [plain(home, each) for each in found.statements],
                "problems": found.problems,
            }
        )
    else:
        _tell(home, found)
    if found.problems:
        leave(NOT_FINE)


def _day(days: Calendar, text: str, later: int = 0) -> int:
    try:
        return days.start(calendar.day(text) + later)
    except ValueError as error:
        message = f"{text!r} is no day. Write for example 2024-03-01."
        raise Trouble("date-expected", message, status=USAGE) from error


def _tell(home: Home, found: Settlement) -> None:
    """The statements, for people."""
    money = home.program.money
    for each in found.statements:
        rows = [
            (line.kind, f"{points_of(home, line.balance, line.points)} {line.balance}".strip(),
             money.number(line.coins))
            for line in each.lines
        ]  # fmt: skip
        rows.append(("total", "", money.show(each.total)))
        out.print(table(f"{each.name}, {each.position}", ("", "points", money.name), rows))
        out.print()
    if not found.statements:
        out.print("Nothing was owed to anybody in this period.")
    for problem in found.problems:
        out.print(Text(problem, style="red"))
