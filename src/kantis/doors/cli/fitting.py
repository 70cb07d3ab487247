"""The commands ``new`` and ``fit``: a program to begin from, and whether it would pay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from kantis.core.amounts import CURRENCIES
from kantis.core.events import Event
from kantis.core.knobs import ProgramError, suggest
from kantis.desk import library, text
from kantis.desk.fit import DAYS_LEAST, VISITS_A_YEAR, Fit, Past, Trial, best, look_back
from kantis.doors.cli.importing import open_purchases
from kantis.doors.cli.output import USAGE, Json, Trouble, count, json_out, out, table
from kantis.doors.cli.progress import Bars
from kantis.doors.intake.load import BadRows, Loader
from kantis.engine.program import Program, Version, assemble

#: What of a template comes from an option.
_OPTIONS = {"program": "--name", "timezone": "--timezone"}

Money = Annotated[str, typer.Option(help="The currency of your prices, for example EUR or VND.")]
Zone = Annotated[str, typer.Option(help="The clock on your wall, for example Europe/Tallinn.")]


def new(
    template: Annotated[str, typer.Argument(help="Which one; without it they are listed.")] = "",
    to: Annotated[Path | None, typer.Option(help="Where to write it. Default: NAME.yaml")] = None,
    name: Annotated[str, typer.Option(help="What your program is called.")] = "",
    money: Money = "EUR",
    timezone: Zone = "Europe/Helsinki",
    json: Json = False,
) -> None:
    """Write a program to begin from: a template with your money, your clock and your name."""
    if not template:
        _list(json)
        return
    called = name or template
    written = _template(template, money, timezone, called)
    path = to or Path(f"{called}.yaml")
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(written)
    except FileExistsError as error:
        message = "This file is there already, and stays as it is. Name another one with --to."
        raise Trouble("file-exists", message, str(path)) from error
    except OSError as error:
        raise Trouble("cannot-write", f"{error.strerror}.", str(path)) from error
    if json:
        json_out({"template": template, "file": str(path)})
    else:
        out.print(f"{path} is written. Change what you like, and look at it again with:")
        out.print(f"  kantis check {path}\n  kantis fit PURCHASES.csv --program {path}")


def _list(json: bool) -> None:
    rows = []
    for name, path in library.templates().items():
        about = _program(path.read_text(encoding="utf-8"), str(path)).newest.head.about
        rows.append((name, about))
    if json:
        json_out([{"template": name, "about": about} for name, about in rows])
        return
    out.print("Templates to begin from:")
    width = max(len(name) for name, _ in rows)
    for name, about in rows:
        out.print(f"  {name.ljust(width)}  {about}")
    out.print("Write one with: kantis new TEMPLATE")


def _template(name: str, money: str, timezone: str, called: str = "") -> str:
    if money not in CURRENCIES:
        message = f"{money!r} is no currency of ISO 4217. {suggest(money, CURRENCIES)}"
        raise Trouble("unknown-money", message, "--money", USAGE)
    try:
        written = library.template(name, money, timezone, called)
    except library.NoSuchTemplate as error:
        message = f"There is no template {name!r}. {suggest(name, library.templates())}"
        raise Trouble("unknown-template", message, status=USAGE) from error
    try:
        assemble([Version(1, 0, text.read(written.encode(), name))])
    except ProgramError as error:  # what came from an option is at fault, not the template
        fault = error.faults[0]
        raise Trouble(fault.code, fault.message, _OPTIONS.get(fault.path, ""), USAGE) from error
    return written


def _program(written: str, place: str) -> Program:
    try:
        return assemble([Version(1, 0, text.read(written.encode(), place))])
    except ProgramError as error:
        raise Trouble("program-unreadable", str(error), place) from error


def fit(
    file: Annotated[Path, typer.Argument(help="Past purchases: a CSV, NDJSON or Parquet file.")],
    program: Annotated[
        list[Path] | None, typer.Option(help="Also these program files of your own.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Which column is which field, in YAML.")
    ] = None,
    money: Money = "EUR",
    timezone: Zone = "Europe/Helsinki",
    bad: Annotated[
        Path | None, typer.Option(help="Where bad rows go. Default: FILE.bad.csv")
    ] = None,
    json: Json = False,
) -> None:
    """Would a program pay? Runs the templates over past purchases, and writes nothing."""
    programs = {
        name: _program(_template(name, money, timezone), name) for name in library.templates()
    }
    for path in program or []:
        programs[path.stem] = _program(_own(path), str(path))
    found, said = open_purchases(file, mapping)
    bad_rows = BadRows(bad or file.with_name(f"{file.name}.bad.csv"))
    with Bars(quiet=json) as bars:
        loader = Loader(found, said, programs["points"], bad_rows)
        try:
            loader.read(bars.tell)
            past = look_back(_events(loader))
            fits = []
            for name, each in programs.items():
                trial = Trial(each, past.item)
                trial.fit.program = name

                def tell(done: int, name: str = name) -> None:
                    bars.tell(name, done, past.purchases)

                fits.append(trial.play(_events(loader), tell))
                bars.tell(name, past.purchases, past.purchases)
        finally:
            loader.close()
    summary = loader.summary
    if json:
        json_out(_figures(past, fits, summary.bad_rows))
        return
    _tell(past, fits, programs["points"], file)
    if summary.bad_file:
        out.print(
            f"{count(summary.bad_rows, 'row')} could not be read, and why: {summary.bad_file}"
        )


def _own(path: Path) -> str:
    try:
        return text.decode(text.load(path), path.name)
    except OSError as error:
        raise Trouble("no-file", f"It cannot be opened: {error.strerror}.", str(path)) from error


def _events(loader: Loader) -> Iterator[Event]:
    return (event for _, event in loader.spool.events())


def _figures(past: Past, fits: list[Fit], bad_rows: int) -> dict[str, Any]:
    chosen = best(fits)
    return {
        "past": {name: getattr(past, name) for name in past.__struct_fields__}
        | {"visits_a_year_tenths": past.visits, "worth_it": past.worth_it},
        "programs": [
            {name: getattr(each, name) for name in each.__struct_fields__}
            | {"reach_thousandths": each.reach, "cost_thousandths": each.rate}
            for each in fits
        ],
        "suggested": chosen.program if chosen is not None and past.worth_it else None,
        "bad_rows": bad_rows,
    }


def _tell(past: Past, fits: list[Fit], about: Program, file: Path) -> None:
    show = about.money.show
    rows = [
        ("purchases", f"{past.purchases:,} in {past.days:,} days"),
        ("customers", f"{past.customers:,}"),
        ("purchases without a card", f"{past.without_card:,}"),
        ("an average purchase", show(past.sales // max(1, past.purchases))),
        ("visits of a customer in a year", _tenths(past.visits)),
        (f"customers who come {VISITS_A_YEAR} times a year", _share(past.often, past.customers)),
    ]
    out.print(table(file.name, ("", ""), rows))
    out.print(Text(_verdict(past), style="bold"))
    if not past.customers:
        return
    out.print()
    columns = ("", "got one", "first at", "after", "cost", "of sales", "still open")
    lines = [
        (
            each.program,
            _tenths(each.reach) + " %",
            f"visit {each.visits_to_first}" if each.reached else "never",
            count(each.days_to_first, "day") if each.reached else "",
            show(each.cost),
            _tenths(each.rate) + " %",
            show(each.open),
        )
        for each in fits
    ]
    out.print(table("Rewards, had it run over these purchases", columns, lines))
    out.print(
        "Everybody is taken to join at once, to redeem as soon as they can and to use every"
        f" voucher; a treat is taken to be worth {show(past.item)}, an average item. So reach and"
        " cost are the most they can be, and what more visits would bring is not counted. A plan is"
        " taken only by those who would have got more than its fees; its cost is what is beyond"
        " them."
    )
    chosen = best(fits)
    if chosen is not None and past.worth_it:
        out.print(
            f"Of those that cost at most 5 % of sales, {chosen.program} gave most members a reward."
            f" Begin with: kantis new {chosen.program}"
        )


def _verdict(past: Past) -> str:
    if not past.customers:
        return (
            "The file names no customers, so nobody can say how often they come. Name the column"
            " of the card or the customer in a mapping."
        )
    if past.days < DAYS_LEAST:
        return f"{past.days} days are too few to say how often people come in a year. Take more."
    if past.worth_it:
        return (
            f"Customers come {_tenths(past.visits)} times a year. From about {VISITS_A_YEAR} on a"
            " loyalty program has something to reward."
        )
    return (
        f"Customers come {_tenths(past.visits)} times a year. Below about {VISITS_A_YEAR} a reward"
        " lies too far away to change what people do; good service and a newsletter do more."
    )


def _tenths(number: int) -> str:
    return f"{number // 10:,}.{number % 10}"


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({_tenths((2000 * part + whole) // (2 * whole))} %)" if whole else "0"
