"""Static: the files that a browser keeps. Their names have their hash, so they never go stale."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct

FOLDER: Final = Path(__file__).parent / "static"
START: Final = "/static/"
_FOREVER: Final = "public, max-age=31536000, immutable"
_HASH_LETTERS: Final = 10


class File(Struct, frozen=True):
    """A file as a browser gets it."""

    body: bytes
    headers: dict[str, str]


@cache
def files() -> dict[str, File]:
    """All files by the path that a browser asks for."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            text = kind.startswith("text/") or "json" in kind or "javascript" in kind
            headers = {
                "content-type": f"{kind}; charset=utf-8" if text else kind,
                "cache-control": _FOREVER,
            }
            found[_named(path)] = File(path.read_bytes(), headers)
    return found


@cache
def url(name: str) -> str:
    """The path of a file by its name below ``static``.

    >>> url("kantis.css").startswith("/static/kantis.")
    True
    """
    return _named(FOLDER / name)


def _named(path: Path) -> str:
    hashed = hashlib.sha256(path.read_bytes()).hexdigest()[:_HASH_LETTERS]
    name = path.relative_to(FOLDER)
    return f"{START}{name.with_suffix('').as_posix()}.{hashed}{name.suffix}"
