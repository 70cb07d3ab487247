"""Importing: a file of the merchant's is brought, looked at, tried and taken, in the console."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

from kantis.desk import imports
from kantis.desk.jobs import job
from kantis.desk.programs import Home
from kantis.desk.submit import Desk
from kantis.desk.vault.membership import needs_birthday
from kantis.doors.intake import uploads
from kantis.doors.intake.importer import opened
from kantis.doors.intake.load import BadRows, Summary
from kantis.doors.intake.mapping import KINDS, Column, Mapping, missing
from kantis.doors.intake.people import PeopleLoader, has_people
from kantis.doors.intake.rows import RowReader
from kantis.doors.intake.tables import NotATable, Table
from kantis.doors.web.console import placed
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.store import imports as rows
from kantis.store.imports import ImportRow

#: Rows that are shown before anything is tried, and imports on the list.
PREVIEW: Final = 12
_LISTED: Final = 30
_MEGA: Final = 1024 * 1024
#: How times are often written, to choose from.
FORMATS: Final = ("%d.%m.%Y %H:%M", "%d.%m.%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y", "epoch")


class Chosen(Struct, frozen=True):
    """A field with what it is read from; ``total`` fields have the sum that is expected."""

    name: str
    must: bool
    column: str = ""
    value: str = ""


class Row(Struct, frozen=True):
    """A row of a file as it is understood, and what is wrong with it."""

    number: int
    values: list[str]
    wrong: list[str]


class Seen(Struct):
    """All that the page of an import shows."""

    row: ImportRow
    mapping: Mapping
    summary: Summary | None = None
    fields: list[Chosen] = []
    facts: list[Chosen] = []
    totals: list[str] = []
    columns: list[str] = []
    headings: list[str] = []
    preview: list[Row] = []
    missing: list[str] = []
    trouble: str = ""
    done: int = 0
    total: int = 0

    @property
    def state(self) -> str:
        """The name of its state."""
        return rows.STATES[self.row.state]

    @property
    def shown_first(self) -> list[Chosen]:
        """The fields that are read from something or must be, before the others."""
        return sorted(self.fields, key=lambda each: not (each.column or each.value or each.must))

    @property
    def plain_fields(self) -> int:
        """How many those are that come first."""
        return sum(1 for each in self.fields if each.column or each.value or each.must)

    @property
    def open(self) -> bool:
        """Whether its file is here and nobody works on it."""
        return self.row.state in rows.OPEN


async def look(visit: Visit) -> Response:
    """What was imported, and a form that brings a file."""
    return await _list(visit)


async def bring(visit: Visit) -> Response:
    """A file comes."""
    place, _ = await visit.office.read(placed, visit)
    try:
        form, file = await uploads.form_of(visit.request)
    except uploads.TooLarge:
        most = uploads.BYTES_MAX // _MEGA
        text = visit.language.gettext(
            "The file is larger than %(most)s MB. Bring it in parts, or run kantis import on the "
            "machine itself; what comes twice has no second effect."
        ) % {"most": most}
        return await _list(visit, text, 413)
    kind = form.get("kind", "")
    if file is None or kind not in KINDS:
        return await _list(visit, visit.language.gettext("Choose a file, and what is in it."), 422)
    mapping = Mapping(kind)
    if form.get("encoding") == "cp1252":
        mapping.encoding = "cp1252"
    folder = imports.folder(visit.office.desk.books.address, visit.office.setup.vault)
    upload = file.filename, file.file
    try:
        number = await visit.office.people(
            uploads.bring, folder, place.number, upload, mapping, visit.by
        )
    except NotATable as error:
        return await _list(visit, str(error), 422)
    except uploads.TooMany:
        text = visit.language.gettext(
            "There are files enough that wait. Take them, or throw them away."
        )
        return await _list(visit, text, 409)
    return visit.go(f"/c/{place.name}/imports/{number}")


async def page(visit: Visit) -> Response:
    """One import: its mapping and first rows, how far it is, or what became of it."""
    return await _page(visit)


async def go_on(visit: Visit) -> Response:
    """Another mapping, a dry run, the file is taken, or thrown away."""
    form = await visit.form()
    place, seen = await visit.office.study(_seen, visit)
    number, do = seen.row.number, form.get("do", "")
    here = f"/c/{place.name}/imports/{number}"
    if not seen.open:
        return visit.go(here)
    if do == "drop":
        await visit.change(_chore, "drop_import", number)
        return visit.go(f"/c/{place.name}/imports")
    if do == "map" or "column.time" in form:
        facts = [each.name for each in seen.facts]
        mapping = uploads.mapping_of(form, seen.mapping.kind, seen.columns, facts)
        said = msgspec.json.encode(mapping).decode()
        await visit.change(_chore, "map_import", number, said)
        place, seen = await visit.office.study(_seen, visit)
    if do in ("check", "take") and (seen.missing or seen.trouble):
        return await _page(visit, status=422)
    if do in ("check", "take"):
        state = rows.CHECKING if do == "check" else rows.TAKING
        await visit.change(_chore, "start_import", number, state)
    return visit.go(here)


async def bad(visit: Visit) -> Response:
    """The bad rows with their reasons, as a file."""
    place, row = await visit.office.read(_row, visit)
    folder = imports.folder(visit.office.desk.books.address, visit.office.setup.vault)
    path = folder / imports.bad_name(row.file)
    if not path.is_file():
        raise NotHere
    return visit.file(
        f"{place.name}-import-{row.number}-bad-rows.csv", path.read_bytes(), "text/csv"
    )


def _chore(desk: Desk, name: str, *about: Any) -> Any:
    return desk.chore(name, *about)


async def _list(visit: Visit, trouble: str = "", status: int = 200) -> Response:
    def found(reader: Desk) -> tuple[Place, list[ImportRow]]:
        place, _ = placed(reader, visit)
        return place, rows.newest(reader.books, place.number, _LISTED)

    place, listed = await visit.office.read(found)
    shown = [(row, msgspec.json.decode(row.mapping, type=Mapping), _summary(row)) for row in listed]
    return visit.page(
        "console-imports.html", status=status, place=place, say=place.speaker(visit.language),
        listed=shown, kinds=list(KINDS), trouble=trouble, states=rows.STATES,
        most=uploads.BYTES_MAX // _MEGA,
    )  # fmt: skip


async def _page(visit: Visit, status: int = 200) -> Response:
    place, seen = await visit.office.study(_seen, visit)
    return visit.page(
        "console-import.html", status=status, place=place, say=place.speaker(visit.language),
        seen=seen, formats=FORMATS, has_bad=bool(seen.summary and seen.summary.bad_file),
    )  # fmt: skip


# ── what a reader finds ──────────────────────────────────────────────────────


def _row(reader: Desk, visit: Visit) -> tuple[Place, ImportRow]:
    place, _ = placed(reader, visit)
    row = rows.one(reader.books, whole(visit.about["number"]))
    if row is None or row.program != place.number:
        raise NotHere
    return place, row


def _summary(row: ImportRow) -> Summary | None:
    return msgspec.json.decode(row.summary, type=Summary) if row.summary else None


def _seen(reader: Desk, visit: Visit) -> tuple[Place, Seen]:
    place, row = _row(reader, visit)
    home = reader.homes.numbered(place.number)
    mapping = msgspec.json.decode(row.mapping, type=Mapping)
    seen = Seen(row, mapping, _summary(row), trouble=row.trouble)
    if row.state in (rows.CHECKING, rows.TAKING):
        working = job(reader.books, row.job)
        if working is not None:
            seen.done, seen.total = working.done, working.total
    if not seen.open:
        return place, seen
    folder = imports.folder(reader.books.address, visit.office.setup.vault)
    try:
        table, _ = opened(folder / row.file, row)
    except NotATable as error:
        seen.trouble = str(error)
        return place, seen
    _choices(reader, home, seen, table)
    _preview(reader, home, seen, table)
    return place, seen


def _choices(reader: Desk, home: Home, seen: Seen, table: Table) -> None:
    """What may be chosen: columns for fields, and totals."""
    mapping, seen.columns = seen.mapping, table.columns
    for name, about in KINDS[mapping.kind].items():
        chosen = mapping.columns.get(name, Column())
        seen.fields.append(Chosen(name, about.must, chosen.column, chosen.value))
    if mapping.kind == "members" and needs_birthday(reader, home):
        chosen = mapping.facts.get("birthday", Column())
        seen.facts.append(Chosen("birthday", must=False, column=chosen.column))
    seen.totals = {
        "purchases": ["rows", "cards", "amount"],
        "opening": ["rows", "cards", *home.program.units],
    }.get(mapping.kind, ["rows", "cards"])


def _preview(reader: Desk, home: Home, seen: Seen, table: Table) -> None:
    """The first rows as they are understood, and what is missing."""
    mapping = msgspec.json.decode(seen.row.mapping, type=Mapping)
    seen.missing = missing(mapping, table.columns)
    if seen.missing:
        return
    seen.headings = [name for name in KINDS[mapping.kind] if name in mapping.columns]
    seen.headings += [name for name in mapping.facts if name not in seen.headings]
    reading = RowReader(mapping, home.program)
    people = None
    if has_people(mapping):
        people = PeopleLoader(table, mapping, reading, BadRows(Path(os.devnull)), Summary())
    for number, row, trouble in itertools.islice(table.rows(), PREVIEW):
        values, wrong = ({}, [trouble]) if trouble else _understood(reading, row)
        if people is not None and not trouble:
            told = people.wrong(row, reader)
            wrong += [told.reason] if told is not None else []
        seen.preview.append(Row(number, [values.get(x, "") for x in seen.headings], wrong))


def _understood(reading: RowReader, row: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    values, wrong = reading.understood(row)
    return values, [f"{each.column}: {each.reason}" if each.column else each.reason
                    for each in wrong]  # fmt: skip
