"""The command ``demo``: a year of real purchases through a loyalty program.

Guarantee: the run ends with the same books whether it was killed on the way or not, and
running it again changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from msgspec import Struct, field
from rich.text import Text

from kantis.core.events import Event
from kantis.core.knobs import ProgramError, plain
from kantis.desk import demo as demos
from kantis.desk import library, programs, text
from kantis.desk import verify as proofs
from kantis.desk.programs import Home
from kantis.desk.results import BAD, REFUSED, UNKNOWN
from kantis.desk.submit import Desk
from kantis.desk.whole import path_of
from kantis.desk.writer import RemoteDesk
from kantis.doors.cli import staging
from kantis.doors.cli.books import tell_report
from kantis.doors.cli.opening import home_of, opened
from kantis.doors.cli.output import (
    NOT_FINE,
    Json,
    Store,
    Trouble,
    json_out,
    leave,
    out,
    table,
)
from kantis.doors.cli.progress import Bars
from kantis.doors.cli.serving import Host, Port
from kantis.doors.cli.summary import Books, figures, summarize
from kantis.doors.intake.completejourney import DIRTY, DataMissing, Journey
from kantis.engine.program import Version, assemble

BATCH: Final = 1_000
#: What the books do, and how the summary calls it.
STAGES: Final = {"write": "write", "hand_over": "hand over", "commit": "commit", "tidy": "tidy"}


class Clock(Struct):
    """Seconds spent in each stage of a run."""

    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, stage: str, since: float) -> float:
        """Book the time since then on a stage; the instant now."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - since
        return now

    def timed(self, stage: str, what: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, with its time booked on a stage."""
        seconds, counter = self.seconds, time.perf_counter
        seconds.setdefault(stage, 0.0)

        def call(*values: Any, **named: Any) -> Any:
            start = counter()
            try:
                return what(*values, **named)
            finally:
                seconds[stage] += counter() - start

        return call


class Run(Struct):
    """What a run did: how many events it found in the books, and how many it added."""

    found: int = 0
    added: int = 0
    again: int = 0
    wrong: int = 0


def demo(
    households: Annotated[int | None, typer.Option(min=1, help="Only the first ones.")] = None,
    weeks: Annotated[int | None, typer.Option(min=1, help="Only the first ones.")] = None,
    program: Annotated[Path | None, typer.Option(help="Another program file.")] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Then open it in a browser, with a login per role.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Delete the demo: its books and its keys.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is deleted.")] = False,
    host: Host = "127.0.0.1",
    port: Port = 8040,
    store: Store = "demo.db",
    json: Json = False,
) -> None:
    """Run a year of real grocery purchases through a loyalty program, and prove the books."""
    if remove:
        staging.remove(store, yes=yes, json=json)
        return
    journey = _journey(households, weeks)
    end = journey.end
    if not serve or not _is_whole(store, journey):
        _run(journey, program, store, json=json, quiet=json and serve)
    journey.close()
    if serve:
        staging.serve(store, end, (host, port), json=json)


def _journey(households: int | None, weeks: int | None) -> Journey:
    try:
        return Journey(households, weeks)
    except DataMissing as error:
        raise Trouble("data-missing", str(error)) from error


def _is_whole(store: str, journey: Journey) -> bool:
    """Whether the books have all of it already."""
    path = path_of(store)
    if path is not None and not path.is_file():
        return False
    with opened(store) as desk:
        return demos.is_demo(desk.books) and _found(desk, journey) == journey.total


def _run(journey: Journey, program: Path | None, store: str, *, json: bool, quiet: bool) -> None:
    """Run the purchases, prove the books, and tell; the command ends here if they are not fine."""
    clock = Clock()
    start = time.perf_counter()
    engine = programs.Engine(
        decide=clock.timed("decide", programs.Engine().decide),
        advance=clock.timed("advance", programs.Engine().advance),
    )
    with opened(store, new=True, engine=engine) as desk, Bars(quiet=json) as bars:
        home = _published(desk, _program_file(program), store)
        if isinstance(desk, Desk):
            for verb, stage in STAGES.items():
                if hasattr(desk.books, verb):
                    setattr(desk.books, verb, clock.timed(stage, getattr(desk.books, verb)))
        run = _submit(desk, home, journey, clock, bars)
        began = time.perf_counter()
        desk.sweep(journey.end)
        desk.checkpoint()
        began = clock.add("sweep", began)
        report = proofs.verify(desk.books, bars.tell)
        began = clock.add("verify", began)
        books = summarize(desk.books, home, journey.end)
        clock.add("sum up", began)
    total = time.perf_counter() - start
    _balance_clock(clock)
    if json and not quiet:
        json_out(_figures(books, home, journey, run, clock, report, total))
    elif not quiet:
        _tell(books, home, journey, run, clock, report, total)
    if not report.ok or run.wrong:
        leave(NOT_FINE)


def _balance_clock(clock: Clock) -> None:
    """What the desk itself took: the time of submitting without what was timed inside."""
    stages = {"decide", *STAGES.values()}
    inside = sum(clock.seconds.get(each, 0.0) for each in stages)
    clock.seconds["desk"] = max(0.0, clock.seconds.pop("submit", 0.0) - inside)
    clock.seconds.pop("advance", None)


def _program_file(given: Path | None) -> Path:
    """The program file: the one that is named, or the grocer's that comes with Kantis."""
    file = given or library.folder() / "grocer.yaml"
    if not file.is_file():
        message = "There is no program file here. Name one with --program."
        raise Trouble("no-file", message, str(file))
    return file


def _published(desk: Desk | RemoteDesk, file: Path, store: str) -> Home:
    """The program in the books; it is published if they are new."""
    try:
        tree = text.read_file(file)
        found = assemble([Version(1, 0, tree)])
    except ProgramError as error:
        raise Trouble("program-unreadable", str(error), str(file)) from error
    names = desk.books.programs()
    if found.name not in names:
        if names:
            message = "These books belong to other programs. Name a new file with --store."
            raise Trouble("other-program", message, store)
        source = text.decode(text.load(file))
        desk.publish(found.name, 0, source, plain(tree))
        return home_of(desk.books, found.name)
    home = home_of(desk.books, found.name)
    if plain(home.program.versions[-1].tree) != plain(tree):
        message = (
            f"These books were made with another version of {file.name}. Remove them, or name"
            " a new file with --store."
        )
        raise Trouble("other-version", message, store)
    return home


def _submit(desk: Desk | RemoteDesk, home: Home, journey: Journey, clock: Clock, bars: Bars) -> Run:
    """Submit the stream from where the books end."""
    run = Run()
    run.found = skip = _found(desk, journey)
    waiting = journey.events(skip)

    def batches() -> Iterator[list[Event]]:
        while True:
            began = time.perf_counter()
            batch = list(islice(waiting, BATCH))
            clock.add("read", began)
            if not batch:
                return
            yield batch

    began, read = time.perf_counter(), clock.seconds.get("read", 0.0)
    for results in desk.stream(batches(), program=home.name, importing=True):
        for result in results:
            run.again += result.again
            run.wrong += result.outcome in (BAD, UNKNOWN, REFUSED)
        skip += len(results)
        bars.tell("purchases", skip, journey.total)
    clock.add("submit", began)
    clock.seconds["submit"] -= clock.seconds.get("read", 0.0) - read
    run.added = skip - run.found - run.again
    bars.tell("purchases", journey.total, journey.total)
    return run


def _found(desk: Desk | RemoteDesk, journey: Journey) -> int:
    """How many events of the stream stand in the books, if they are exactly its beginning.

    Batches are whole and in order, so after a kill they are; for any other books (of other
    households or weeks) the stream begins at its start, and what was there is dropped.
    """
    count = demos.count(desk.books)
    if not count or count > journey.total:
        return 0
    around: list[Event] = list(islice(journey.events(count - 1), 2))
    journey.begin_again()
    there = {row.key for row in desk.books.events([event.key for event in around])}
    whole = around[0].key in there and not any(event.key in there for event in around[1:])
    return count if whole else 0


def _figures(
    books: Books,
    home: Home,
    journey: Journey,
    run: Run,
    clock: Clock,
    report: proofs.Report,
    total: float,
) -> dict[str, object]:
    return {
        **figures(books, home.program.units, home.program.money),
        "data": {
            "households": journey.households,
            "baskets": journey.baskets,
            "lines": journey.lines,
            "spend": home.program.money.number(journey.cents),
            "dirty": journey.dirty,
        },
        "run": {
            "found": run.found,
            "added": run.added,
            "again": run.again,
            "wrong": run.wrong,
            "seconds": round(total, 3),
            "stages": {name: round(spent, 3) for name, spent in clock.seconds.items()},
            "slowest": max(clock.seconds, key=lambda name: clock.seconds[name]),
        },
        "verify": {
            "ok": report.ok,
            "accounts": report.accounts,
            "entries": report.entries,
            "postings": report.postings,
            "events": report.events,
            "problems": report.problems,
        },
    }


def _tell(
    books: Books,
    home: Home,
    journey: Journey,
    run: Run,
    clock: Clock,
    report: proofs.Report,
    total: float,
) -> None:
    """The summary for people."""
    units, money = home.program.units, home.program.money
    read = [
        ("members", f"{books.members:,}"),
        ("baskets", f"{books.purchases:,}"),
        ("lines", f"{journey.lines:,}"),
        ("spend in the data", money.show(journey.cents)),
    ]
    read += [(f"dirty: {DIRTY[name]}", f"{n:,}") for name, n in journey.dirty.items()]
    out.print(table(f"{home.name}: what was read", ("", ""), read))
    for name, flow in books.balances.items():
        if name in units:
            parts = (*flow.__struct_fields__, "open")
            rows = [
                (part.replace("_", " "), units[name].show(getattr(flow, part))) for part in parts
            ]
            out.print(table(f"\n{name}", ("", ""), rows))
    for group, levels in books.tiers.items():
        rows = [(level, f"{count:,}") for level, count in levels.items()]
        out.print(table(f"\nmembers by {group}", ("", ""), rows))
    for kind, states in books.vouchers.items():
        states_rows = [
            (state, f"{each.count:,}", money.show(each.worth)) for state, each in states.items()
        ]
        out.print(table(f"\nvouchers: {kind}", ("", "count", "worth"), states_rows))
    owed = [
        ("open points", money.show(books.points_liability)),
        ("open vouchers", money.show(books.voucher_liability)),
        ("liability", money.show(books.liability)),
    ]
    out.print(table("\nwhat the shop owes its members", ("", ""), owed))
    out.print(table("\nwhere the time went", ("", "seconds", "part"), _times(clock, total)))
    slowest = max(clock.seconds, key=lambda stage: clock.seconds[stage])
    out.print(f"Slowest: {slowest}. In all {total:.1f} s for {run.added:,} new events", end="")
    out.print(f" ({run.found + run.again:,} were there before)." if run.found + run.again else ".")
    _tell_proof(report, run)


def _times(clock: Clock, total: float) -> Iterator[tuple[str, str, str]]:
    for stage, spent in sorted(clock.seconds.items(), key=lambda item: -item[1]):
        if spent >= 0.05:
            yield stage, f"{spent:.1f}", f"{100 * spent / total:.0f} %"


def _tell_proof(report: proofs.Report, run: Run) -> None:
    if run.wrong:
        out.print(Text(f"{run.wrong:,} events were not taken as they should be.", style="red"))
    tell_report(report)
