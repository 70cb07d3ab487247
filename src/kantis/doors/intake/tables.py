"""Tables: CSV, NDJSON and Parquet files as rows of texts, whatever they are made of.

Guarantee: no value is guessed. A number keeps the digits that stand in the file, and a row
that cannot be read is told by its number and its reason while the others go on.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from msgspec import Struct, field

from kantis.doors.intake import parquet

#: A row: its number as a spreadsheet shows it, its values by column, or why it has none.
Row = tuple[int, dict[str, str], str]

LINE_MAX_CHARS: Final = 1_000_000

_SUFFIXES: Final = {
    ".csv": "CSV",
    ".tsv": "CSV",
    ".txt": "CSV",
    ".ndjson": "NDJSON",
    ".jsonl": "NDJSON",
    ".parquet": "Parquet",
}
_MAGIC: Final = (
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet (save it as CSV)"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet (save it as CSV)"),
    (b"\x1f\x8b", "a gzip archive (unpack it first)"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3", "a database"),
    (b"\xff\xfe", "text in UTF-16 (save it as UTF-8)"),
    (b"\xfe\xff", "text in UTF-16 (save it as UTF-8)"),
)


class NotATable(Exception):
    """The file cannot be read as what its name says; the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Table(Struct):
    """A file with columns. ``size`` and ``at()`` are where the reading is, for a progress bar."""

    kind: str
    columns: list[str]
    size: int
    rows: Callable[[], Iterator[Row]]
    at: Callable[[], int] = field(default=lambda: 0)


def open_table(path: Path, encoding: str = "utf-8-sig") -> Table:
    """The table in a file; ``NotATable`` if it is something else than its name says."""
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(_SUFFIXES)
        raise NotATable("unknown-kind", f"The name ends in none of {known}, so it is not known.")
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise NotATable("no-file", f"It cannot be opened: {error.strerror}.") from error
    if not start.strip():
        raise NotATable("empty-file", "It is empty. Export it anew, or name another file.")
    for magic, what in _MAGIC:
        if start.startswith(magic) and not (kind == "Parquet" and magic == b"PAR1"):
            raise NotATable(
                "not-what-it-says",
                f"Its name says {kind}, but it is {what}."
                " Name it for what it is, or export it anew.",
            )
    if kind == "Parquet":
        return _parquet(path, start)
    return _csv(path, encoding) if kind == "CSV" else _ndjson(path, start)


def _csv(path: Path, encoding: str) -> Table:
    with path.open("rb") as file:
        head = _decode(file.read(65_536), encoding)
    first = head.split("\n", 1)[0].rstrip("\r")
    if first.lstrip().startswith(("{", "[")):
        raise NotATable(
            "not-what-it-says",
            "Its name says CSV, but it is JSON. Name it .ndjson, or export it as CSV.",
        )
    delimiter = max(",;\t|", key=first.count)
    columns = next(csv.reader([first], delimiter=delimiter), [])
    columns = [column.strip() for column in columns]
    if not any(columns):
        raise NotATable(
            "no-columns", "The first line of a CSV file names its columns; write them there."
        )
    twice = {column for column in columns if columns.count(column) > 1}
    if twice:
        raise NotATable("column-twice", f"There are two columns {min(twice)!r}. Rename one.")
    done = [0]

    def rows() -> Iterator[Row]:
        number = 0
        with path.open("rb") as source:
            text = io.TextIOWrapper(source, encoding, newline="", errors="surrogateescape")
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            while True:
                number += 1
                try:
                    values = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield number, {}, f"This row is no CSV: {error}."
                    continue
                if number > 1 and values:
                    done[0] = source.tell()
                    yield _csv_row(number, columns, values)

    return Table("CSV", columns, path.stat().st_size, rows, lambda: done[0])


def _csv_row(number: int, columns: list[str], values: list[str]) -> Row:
    if len(values) != len(columns):
        reason = (
            f"This row has {len(values)} values for {len(columns)} columns."
            " Put a value with a separator in it in quotes."
        )
        return number, {}, reason
    row = dict(zip(columns, map(str.strip, values), strict=True))
    if any("\udc80" <= letter <= "\udcff" for value in values for letter in value):
        return number, {}, "This row is not UTF-8. Save the file as UTF-8."
    return number, row, ""


def _decode(data: bytes, encoding: str) -> str:
    if b"\x00" in data:
        raise NotATable(
            "not-what-it-says", "Its name says text, but it has bytes that no text has."
        )
    return data.decode(encoding, "replace")


def _ndjson(path: Path, start: bytes) -> Table:
    if start.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"["):
        message = "It is one JSON list; NDJSON has one object in each line, without brackets."
        raise NotATable("not-what-it-says", message)
    columns: dict[str, None] = {}
    with path.open("rb") as file:
        for _, row, _ in _objects(file, 200):
            columns.update(dict.fromkeys(row))
    if not columns:
        message = "None of its first lines is a JSON object; NDJSON has one in each line."
        raise NotATable("not-what-it-says", message)

    done = [0]

    def rows() -> Iterator[Row]:
        with path.open("rb") as file:
            for row in _objects(file, 0):
                done[0] = file.tell()
                yield row

    return Table("NDJSON", list(columns), path.stat().st_size, rows, lambda: done[0])


def _objects(file: BinaryIO, limit: int) -> Iterator[Row]:
    number = 0
    while line := file.readline(LINE_MAX_CHARS):
        number += 1
        if limit and number > limit:
            return
        text = line.strip(b"\xef\xbb\xbf \r\n\t")
        if not text:
            continue
        try:
            found = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
        except (ValueError, RecursionError):
            yield number, {}, "This line is not JSON."
            continue
        if not isinstance(found, dict):
            yield number, {}, "This line is JSON, but not an object."
            continue
        yield from ((number, row, "") for row in _flat(found))


def _flat(found: dict[str, Any]) -> list[dict[str, str]]:
    """An object as one row, or as one row for each item of its first list of objects."""
    plain = {key: _text(value) for key, value in found.items() if not _is_table(value)}
    tables = [value for value in found.values() if _is_table(value)]
    if not tables:
        return [plain]
    return [plain | {key: _text(value) for key, value in item.items()} for item in tables[0]]


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, dict) for x in value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(map(_text, value))
    if isinstance(value, dict):
        return json.dumps(value)
    return str(value).strip()


def _parquet(path: Path, start: bytes) -> Table:
    if not start.startswith(b"PAR1"):
        raise NotATable(
            "not-what-it-says", "Its name says Parquet, but it is no Parquet file. Export it anew."
        )
    try:
        database = parquet.connect()
    except ImportError as error:
        raise NotATable("duckdb-missing", parquet.MISSING) from error
    try:
        described = database.execute("DESCRIBE SELECT * FROM read_parquet($1)", [str(path)])
        columns = [row[0] for row in described.fetchall()]
        counted = database.execute("SELECT count(*) FROM read_parquet($1)", [str(path)])
        size = int(counted.fetchall()[0][0])
    except Exception as error:  # duckdb has many, and is imported only where it is needed
        message = f"It begins like Parquet but cannot be read: {str(error).splitlines()[0]}"
        raise NotATable("broken-file", message) from error
    done = [0]

    def rows() -> Iterator[Row]:
        done[0] = 0
        database.execute("SELECT COLUMNS(*)::VARCHAR FROM read_parquet($1)", [str(path)])
        while chunk := database.fetchmany(5_000):
            for values in chunk:
                done[0] += 1
                texts = ("" if value is None else str(value).strip() for value in values)
                yield done[0], dict(zip(columns, texts, strict=True)), ""

    return Table("Parquet", columns, size, rows, lambda: done[0])
