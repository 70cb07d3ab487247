"""Asking: what the routes of the merchant share: pages, bodies, and whose program it is."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict

from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.problems import Problem

PAGE_MAX: Final = 100

Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="Rows per page.")]
Cursor = Annotated[str, Query(max_length=40, description="From 'next' of a page.")]
Name = Annotated[str, Path(description="The name of a program.", max_length=200)]
Number = Annotated[int, Path(ge=1, le=(1 << 53))]


class Body(BaseModel):
    """What a caller sends; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


def program_of(reader: Desk, caller: Caller, name: str) -> int:
    """The number of a program that the caller may see; ``Problem`` for any other."""
    number = reader.books.programs().get(name, 0)
    if not number or caller.number not in (0, number):
        raise Problem("unknown-program")
    return number
