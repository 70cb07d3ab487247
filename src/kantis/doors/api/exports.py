"""Exports over HTTP: whole tables as streams of NDJSON or CSV, of one instant.

A stream has a connection of its own, so that it keeps nobody from anything; two run at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kantis.core.calendar import show_instant
from kantis.desk import audit, export
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.looking import caller_of, office_of
from kantis.doors.api.office import EXPORTS_MAX, Office
from kantis.doors.api.problems import Problem
from kantis.store.books import Books

router = APIRouter()

_FORMATS: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A row per line. Kantis-Upto has the last number of the stream, for "
        "entries and events, and Kantis-At the instant.",
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


@router.get(
    "/v1/exports/{what}", summary="A whole table, as a stream", responses=_ANSWER,
    response_class=Response,
)  # fmt: skip
async def export_table(
    request: Request,
    what: Annotated[str, Path(description=", ".join(export.EXPORTS))],
    format: Annotated[str, Query(description="ndjson or csv.")] = "ndjson",
    after: Annotated[
        int, Query(ge=0, le=1 << 53, description="Only rows with a greater number: the cursor.")
    ] = 0,
    upto: Annotated[
        int, Query(ge=0, le=1 << 53, description="No greater number, as Kantis-Upto said.")
    ] = 0,
) -> Response:
    """Of one instant. A stream that broke goes on with the last number that came as ``after``."""
    if what not in export.EXPORTS:
        raise Problem("not-found", f"There are {', '.join(export.EXPORTS)}.")
    if format not in _FORMATS:
        raise Problem("malformed", f"The formats are {' and '.join(_FORMATS)}.")
    office, caller = office_of(request), caller_of(request)
    if office.exporting >= EXPORTS_MAX:
        raise Problem("busy", f"{EXPORTS_MAX} exports run already.", retry_after="5")
    office.exporting += 1
    try:
        return await office.act(_begun, caller, office, what, format, after, upto)
    except BaseException:
        office.exporting -= 1
        raise


def _begun(
    desk: Desk, caller: Caller, office: Office, what: str, format: str, after: int, upto: int
) -> _Stream:
    """A stream over frozen books. The line in the audit log is written before the first row."""
    audit.note(desk, caller.by, caller.number, "export", what, format=format, after=after)
    with desk.quiet():
        settled, at = desk.books.settled(), desk.clock()
        desk.homes.refresh(desk.books)
        home = desk.homes.numbered(caller.number)
        books = desk.books.reader()
        books.freeze()
    span = export.span_of(what, settled, after, upto)
    rows, columns = export.EXPORTS[what]
    found = rows(books, home, span)
    parts = export.ndjson(found) if format == "ndjson" else export.as_csv(found, columns.split())
    headers = {"kantis-at": show_instant(at)}
    if what in export.APPENDED:
        headers["kantis-upto"] = str(span.upto)
    return _Stream(office, books, parts, _FORMATS[format], headers)


class _Stream(Response):
    """Sends the parts as they are read, in a thread of its own, while the caller is there."""

    def __init__(
        self, office: Office, books: Books, parts: Iterator[bytes], media: str,
        headers: dict[str, str],
    ) -> None:  # fmt: skip
        super().__init__(None, 200, headers, media)
        del self.headers["content-length"]
        self._office, self._books, self._parts = office, books, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        thread = ThreadPoolExecutor(1, "kantis-export")
        gone = asyncio.ensure_future(_hung_up(receive))
        loop = asyncio.get_running_loop()
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            await send(start)
            more = True
            while more and not gone.done():
                part = await loop.run_in_executor(thread, next, self._parts, None)
                more = part is not None
                body = {"type": "http.response.body", "body": part or b"", "more_body": more}
                await send(body)
        finally:
            gone.cancel()
            thread.submit(self._books.close)
            thread.shutdown(wait=False)
            self._office.exporting -= 1


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
