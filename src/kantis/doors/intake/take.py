"""Take: a file from its first row to its last, tried or taken, whoever brings it.

Guarantee: the command, the console and the API take files in the same way: all is read, the
totals are compared, events are submitted, and personal data go to the vault. A dry run does
the same up to where something would be written.
"""

from __future__ import annotations

from kantis.desk.programs import Home
from kantis.desk.submit import Desk
from kantis.desk.vault.opening import open_vault
from kantis.desk.writer import RemoteDesk
from kantis.doors.intake.load import BadRows, Loader, Progress, Summary
from kantis.doors.intake.mapping import Mapping
from kantis.doors.intake.people import PeopleLoader, has_people
from kantis.doors.intake.tables import Table


def take(
    desk: Desk | RemoteDesk,
    home: Home,
    table: Table,
    mapping: Mapping,
    bad_rows: BadRows,
    tell: Progress,
    *,
    dry_run: bool = False,
    vault: str = "",
) -> Summary:
    """What became of a file, or would. ``vault`` is the folder of keys, where one is named."""
    loader = Loader(table, mapping, home.program, bad_rows)
    try:
        summary = loader.read(tell)
        if dry_run:
            with desk.books.reader() as books:
                summary.again = loader.known(books)
        elif not summary.mismatches:
            summary = loader.submit(desk, home.name, tell)
        if has_people(mapping) and (dry_run or not summary.mismatches):
            people = PeopleLoader(table, mapping, loader.reader, bad_rows, summary)
            with Desk(desk.books.reader(), clock=desk.clock) as reader:
                if dry_run:
                    people.check(reader)
                else:
                    people.keep(reader, open_vault(desk, vault), home.number, tell)
    finally:
        loader.close()
    return summary
