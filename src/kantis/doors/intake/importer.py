"""Importer: the job that tries and takes the files which somebody brought over HTTP.

Guarantee: begun again, a file has no second effect; it is deleted when it is taken. What
cannot be read is told in the import, for whoever brought it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from kantis.desk import imports
from kantis.desk.jobs import TRIES_MAX, Job, Progress
from kantis.desk.programs import Home
from kantis.desk.submit import Desk, wall_clock
from kantis.desk.vault.keyfile import Locked
from kantis.desk.writer import RemoteDesk
from kantis.doors.intake.load import BadRows, Summary
from kantis.doors.intake.mapping import Mapping, missing
from kantis.doors.intake.tables import NotATable, Table, open_table
from kantis.doors.intake.take import take
from kantis.store import imports as rows
from kantis.store.imports import ImportRow


class Stopped(Exception):
    """The process is being stopped: another one begins the file again."""


class Unfit(Exception):
    """The file and its mapping do not fit; the text says what to do."""


class Importer:
    """Takes files for one process. ``vault`` is the folder of keys, where one is named."""

    def __init__(self, vault: str) -> None:
        self._vault = vault

    def run(self, desk: Desk | RemoteDesk, job: Job, progress: Progress) -> str:
        """Try or take the file that a job is about; what became of it, in words."""
        with Desk(desk.books.reader(), clock=desk.clock) as reader:
            row = rows.one(reader.books, int(job.about))
            if row is None or row.state not in (rows.CHECKING, rows.TAKING):
                return "done before"
            reader.homes.refresh(reader.books)
            home = reader.homes.numbered(row.program)
        try:
            summary = self._take(desk, home, row, progress)
        except Stopped:
            return "stopped"
        except (Unfit, NotATable, Locked) as error:
            desk.chore("end_import", row.number, rows.FAILED, "", str(error))
            return "not readable"
        except Exception as error:
            if job.tries >= TRIES_MAX:
                said = f"It failed {job.tries} times: {type(error).__name__}. Start it again later."
                desk.chore("end_import", row.number, rows.FAILED, "", said)
            raise
        taken = row.state == rows.TAKING and not summary.mismatches
        state = rows.TAKEN if taken else rows.CHECKED
        told = msgspec.json.encode(summary).decode()
        desk.chore("end_import", row.number, state, told, "")
        if taken:
            (self.folder(desk) / row.file).unlink(missing_ok=True)
        return f"{summary.events} events, {summary.bad_rows} bad rows"

    def sweep(self, desk: Desk | RemoteDesk, job: Job, progress: Progress) -> str:
        """Throw away what nobody goes on with, and delete files; how many."""
        left = desk.chore("drop_left_imports")
        with desk.books.reader() as books:
            gone = imports.sweep_files(books, self.folder(desk), wall_clock())
        return f"{left} imports, {gone} files"

    def folder(self, desk: Desk | RemoteDesk) -> Path:
        """Where the files are."""
        return imports.folder(desk.books.address, self._vault)

    def _take(
        self, desk: Desk | RemoteDesk, home: Home, row: ImportRow, progress: Progress
    ) -> Summary:
        def tell(stage: str, done: int, total: int) -> None:
            progress.say(done, total)
            if progress.stop():
                raise Stopped

        path = self.folder(desk) / row.file
        table, mapping = opened(path, row)
        wrong = missing(mapping, table.columns)
        if wrong:
            raise Unfit(" ".join(wrong))
        bad = path.with_name(imports.bad_name(row.file))
        bad.unlink(missing_ok=True)
        summary = take(
            desk, home, table, mapping, BadRows(bad), tell,
            dry_run=row.state == rows.CHECKING, vault=self._vault,
        )  # fmt: skip
        summary.bad_file = bad.name if bad.exists() else ""
        return summary


def opened(path: Path, row: ImportRow) -> tuple[Table, Mapping]:
    """The table in the file of an import, and its mapping; ``NotATable`` if it is none."""
    mapping = msgspec.json.decode(row.mapping, type=Mapping)
    return open_table(path, mapping.encoding), mapping
