"""Imports over HTTP: a file comes with its mapping, is tried or taken as a job, and is asked for.

The same as in the console and by ``kantis import``, for scripts: the file is a part of a form.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import FileResponse, Response

from kantis.core.calendar import show_instant
from kantis.core.knobs import ProgramError
from kantis.desk import imports, text
from kantis.desk.jobs import job
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.asking import Number
from kantis.doors.api.looking import caller_of, office_of
from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem
from kantis.doors.intake import uploads
from kantis.doors.intake.mapping import KINDS, Mapping, read_mapping
from kantis.doors.intake.tables import NotATable
from kantis.store import imports as rows
from kantis.store.imports import ImportRow

router = APIRouter()

_LISTED: Final = 30
_CSV: Final = "text/csv; charset=utf-8"
_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string", "contentMediaType": "application/octet-stream",
                            "description": "CSV, NDJSON or Parquet, as its name says.",
                        },
                        "kind": {"type": "string", "enum": list(KINDS)},
                        "mapping": {
                            "type": "string",
                            "description": "In YAML or JSON, as kantis import takes it.",
                        },
                        "do": {
                            "type": "string", "enum": ["check", "take"], "default": "check",
                            "description": "A dry run, or take it.",
                        },
                    },
                }
            }
        },
    }
}  # fmt: skip


class ImportTold(BaseModel):
    """An import: its state, how far it is, and what became of it."""

    number: int
    name: str
    kind: str
    source: str
    state: str
    brought: str
    changed: str
    done: int
    total: int
    summary: dict[str, Any] | None
    trouble: str


class ImportsTold(BaseModel):
    """The newest imports of a program."""

    imports: list[ImportTold]


@router.get("/v1/imports", summary="The newest imports")
async def list_imports(request: Request) -> ImportsTold:
    """Whoever brought them, in the console too."""
    caller = caller_of(request)

    def found(reader: Desk) -> list[ImportTold]:
        return [_told(reader, each) for each in rows.newest(reader.books, caller.number, _LISTED)]

    return ImportsTold(imports=await office_of(request).read(found))


@router.post(
    "/v1/imports", summary="Bring a file, and try or take it", status_code=202,
    openapi_extra=_FORM, responses={413: {}, 415: {}},
)  # fmt: skip
async def bring_import(request: Request) -> ImportTold:
    """A dry run first, if nothing else is said. What came before has no second effect."""
    office, caller = office_of(request), caller_of(request)
    _without_limits(caller)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Problem("media-type", "Send multipart/form-data with the parts 'file' and 'mapping'.")
    try:
        form, file = await uploads.form_of(request)
    except uploads.TooLarge:
        said = f"A file has at most {uploads.BYTES_MAX:,} bytes. Bring it in parts."
        raise Problem("body-too-large", said) from None
    if file is None:
        raise Problem("malformed", "There is no part 'file' with a file name.")
    mapping = _mapping(form)
    folder = imports.folder(office.desk.books.address, office.setup.vault)
    about = folder, caller.number, (file.filename, file.file), mapping, caller.by
    try:
        number = await office.people(uploads.bring, *about, strict=True)
    except NotATable as error:
        raise Problem("malformed", str(error)) from error
    except uploads.TooMany:
        said = f"{imports.OPEN_MAX} files wait already. Take them, or throw them away."
        raise Problem("busy", said, retry_after="60") from None
    return await _start(office, number, form.get("do", "check"))


@router.get("/v1/imports/{number}", summary="How an import stands")
async def look_at_import(request: Request, number: Number) -> ImportTold:
    """Its state is one of new, checking, checked, being taken, taken, failed, dropped."""
    caller = caller_of(request)

    def found(reader: Desk) -> ImportTold:
        return _told(reader, _own(reader, caller, number))

    return await office_of(request).read(found)


@router.post(
    "/v1/imports/{number}/take", summary="Take a file that was tried", status_code=202,
    responses={409: {}},
)  # fmt: skip
async def take_import(request: Request, number: Number) -> ImportTold:
    """Also once more, where it failed."""
    office, caller = office_of(request), caller_of(request)
    _without_limits(caller)
    await office.read(_own, caller, number)
    return await _start(office, number, "take")


@router.get(
    "/v1/imports/{number}/bad-rows", summary="The bad rows of an import, as CSV",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}},
                     "description": "A row for each: row, column, value, code, reason."}},
)  # fmt: skip
async def bad_rows(request: Request, number: Number) -> Response:
    """Kept for a week; only the first line where every row was taken."""
    office, caller = office_of(request), caller_of(request)
    row = await office.read(_own, caller, number)
    folder = imports.folder(office.desk.books.address, office.setup.vault)
    path = folder / imports.bad_name(row.file)
    if path.is_file():
        return FileResponse(path, media_type=_CSV)
    return Response("row,column,value,code,reason\r\n", media_type=_CSV)


def _without_limits(caller: Caller) -> None:
    """What a file brings is not held to the limits of a key."""
    if caller.limits.largest or caller.limits.goodwill:
        raise Problem("not-allowed", "A key with limits brings no files. Use another key.")


def _mapping(form: dict[str, str]) -> Mapping:
    """The mapping of a form; ``Problem`` where it says nothing that can be read."""
    try:
        found = read_mapping(text.read(form["mapping"])) if form.get("mapping") else Mapping("")
    except ProgramError as error:
        raise Problem("malformed", f"The mapping: {error}") from error
    found.kind = form.get("kind") or found.kind
    if found.kind not in KINDS:
        raise Problem("malformed", f"Say what the file has as 'kind': {', '.join(KINDS)}.")
    return found


async def _start(office: Office, number: int, do: str) -> ImportTold:
    state = rows.TAKING if do == "take" else rows.CHECKING
    started = await office.act(lambda desk: desk.chore("start_import", number, state))
    if not started:
        raise Problem("import-busy")

    def found(reader: Desk) -> ImportTold:
        row = rows.one(reader.books, number)
        assert row is not None
        return _told(reader, row)

    return await office.read(found)


def _own(reader: Desk, caller: Caller, number: int) -> ImportRow:
    row = rows.one(reader.books, number)
    if row is None or row.program != caller.number:
        raise Problem("not-found", "There is no such import in this program.")
    return row


def _told(reader: Desk, row: ImportRow) -> ImportTold:
    mapping = msgspec.json.decode(row.mapping, type=Mapping)
    working = job(reader.books, row.job) if row.state in (rows.CHECKING, rows.TAKING) else None
    return ImportTold(
        number=row.number, name=row.name, kind=mapping.kind, source=mapping.source,
        state=rows.STATES[row.state], brought=show_instant(row.made),
        changed=show_instant(row.changed), done=working.done if working else 0,
        total=working.total if working else 0, trouble=row.trouble,
        summary=msgspec.json.decode(row.summary) if row.summary else None,
    )  # fmt: skip
