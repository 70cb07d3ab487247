"""Beside: a desk that only reads, for jobs that look at many things while another one writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk


@contextmanager
def beside(desk: Desk | RemoteDesk) -> Iterator[Desk]:
    """A desk with a connection of its own, which knows all programs that are published now."""
    from kantis.desk.submit import Desk  # whoever submits has chores too

    engine = desk.engine if isinstance(desk, Desk) else None
    with desk.books.reader() as books:
        reader = Desk(books, engine=engine, clock=desk.clock)
        reader.homes.refresh(books)
        yield reader
