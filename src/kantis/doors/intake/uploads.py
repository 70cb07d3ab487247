"""Uploads: a file that comes in a form, as far as the folder where it waits to be taken.

Guarantee: what is larger than it may be is refused before it is kept; a file that cannot be
read as what its name says is gone at once.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping as Texts
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from kantis.desk.audit import By
from kantis.desk.submit import Desk
from kantis.desk.vault.vault import Vault
from kantis.doors.intake.mapping import KINDS, Column, Mapping, resolve
from kantis.doors.intake.tables import NotATable, open_table

#: A million purchases or so; what is larger is imported on the machine itself.
BYTES_MAX: Final = 100 * 1024 * 1024
_FIELDS_MAX: Final = 20  # beside the file
_NAME_MAX: Final = 200
_SUFFIX_MAX: Final = 10


class TooLarge(Exception):
    """The body of a request is larger than a file may be."""


class TooMany(Exception):
    """There are files enough that wait to be taken."""


async def form_of(request: Request, most: int = BYTES_MAX) -> tuple[dict[str, str], Any]:
    """The fields of a form and its file, if there is one; ``TooLarge``. A file that is larger
    is read to its end all the same, so that the browser listens to the answer."""
    declared = request.headers.get("content-length", "")
    too_large = declared.isascii() and declared.isdecimal() and int(declared) > most
    came = 0

    async def receive() -> Message:
        nonlocal came
        message = await request.receive()
        came += len(message.get("body", b""))
        if came > most:
            raise TooLarge
        return message

    if too_large:
        async for _ in request.stream():
            pass
        raise TooLarge
    try:
        form = await Request(request.scope, receive).form(max_files=1, max_fields=_FIELDS_MAX)
    except HTTPException:
        return {}, None
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    file = next((value for value in form.values() if isinstance(value, UploadFile)), None)
    return texts, file if file is not None and file.filename else None


def bring(
    reader: Desk,
    vault: Vault,
    folder: Path,
    program: int,
    upload: tuple[str, BinaryIO],
    mapping: Mapping,
    by: By,
    *,
    strict: bool = False,
) -> int:
    """Keep a file with what its columns seem to be; the number of the import. ``NotATable``
    where it cannot be read, and ``strict`` also where a column is missing that must be there;
    ``TooMany`` where others wait."""
    name, source = upload[0][-_NAME_MAX:], upload[1]
    suffix = Path(name).suffix.lower()[:_SUFFIX_MAX]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{secrets.token_hex(12)}{suffix if suffix.isascii() else ''}"
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as kept:
            shutil.copyfileobj(source, kept)
        table = open_table(path, mapping.encoding)
        wrong = resolve(mapping, table.columns)
        if strict and wrong:
            raise NotATable("column-missing", " ".join(wrong))
        said = msgspec.json.encode(mapping).decode()
        about = program, path.name, name, said, [by.who, by.name]
        number = int(vault.desk.chore("bring_import", *about))
        if not number:
            raise TooMany
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return number


def mapping_of(form: Texts[str, str], kind: str, columns: list[str], facts: list[str]) -> Mapping:
    """The mapping that somebody chose in a form: a column for a field, or one value for all.

    >>> said = {"column.time": "Date", "format": "%d.%m.%Y", "value.channel": " shop "}
    >>> found = mapping_of(said, "purchases", ["Date"], [])
    >>> found.columns["time"].format, found.columns["channel"].value
    ('%d.%m.%Y', 'shop')
    """
    decimal, thousands = form.get("decimal", "."), form.get("thousands", "")
    found = Mapping(
        kind,
        source=form.get("source", "").strip().replace("/", "-")[:64] or "import",
        encoding="cp1252" if form.get("encoding") == "cp1252" else "utf-8-sig",
    )
    layout = form.get("format", "").strip()[:40]
    for name, about in KINDS[kind].items():
        column, value = form.get(f"column.{name}", ""), form.get(f"value.{name}", "").strip()
        dated = about.reads in ("time", "day", "last day")
        written: dict[str, Any] = {"format": layout} if dated else {}
        if about.reads in ("money", "amount", "measure"):
            written = {
                "decimal": decimal if decimal in (".", ",") else ".",
                "thousands": thousands if thousands in (".", ",", " ", "'") else "",
                "minor": about.reads == "money" and form.get("minor") == "1",
            }
        if column in columns:
            found.columns[name] = Column(column=column, **written)
        elif value:
            found.columns[name] = Column(value=value[:_NAME_MAX])
    for name in facts:
        if form.get(f"fact.{name}", "") in columns:
            found.facts[name] = Column(column=form[f"fact.{name}"])
    for key, value in form.items():
        if key.startswith("total.") and value.strip():
            found.totals[key.removeprefix("total.")] = value.strip()[:40]
    return found
