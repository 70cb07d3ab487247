"""Look: what the card of a program looks like, and where a browser finds its colours and logo."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
from msgspec import Struct

from kantis.desk.designing import GROUND, INK
from kantis.desk.pictures import WEBP
from kantis.store import designs
from kantis.store.designs import DesignRow
from kantis.store.reading import Reading

_MARK_LETTERS: Final = 10


class Design(Struct, frozen=True):
    """What a card looks like, and where the browser finds it; empty where it is as it comes."""

    name: str = ""
    ground: str = f"#{GROUND:06x}"
    ink: str = f"#{INK:06x}"
    style: str = ""
    logo: str = ""
    kind: str = ""
    width: int = 0
    height: int = 0


def design_of(books: Reading, program: int, name: str) -> Design:
    """The design of a program of that name."""
    row = designs.design(books, program)
    if row is None:
        return Design()
    where = f"/card/{name}/{mark_of(row)}"
    return Design(
        row.name, f"#{row.ground:06x}", f"#{row.ink:06x}", f"{where}.css",
        f"{where}.{suffix_of(row)}" if row.logo else "", row.kind, row.width, row.height,
    )  # fmt: skip


def mark_of(row: DesignRow) -> str:
    """The hash in the names of its files."""
    return hashlib.sha256(msgspec.msgpack.encode(row)).hexdigest()[:_MARK_LETTERS]


def suffix_of(row: DesignRow) -> str:
    """How the name of its logo ends."""
    return "webp" if row.kind == WEBP else "png"
