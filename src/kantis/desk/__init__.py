"""One verb, one transaction for a whole batch: the only room that knows both engine and store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kantis.desk.programs import Engine
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

__all__ = ["open"]


def open(
    url: str, *, engine: Engine | None = None, clock: Callable[[], int] | None = None
) -> Desk | RemoteDesk:
    """The desk of an installation: ``sqlite:///path``, a bare path, or ``postgresql://…``.

    When another process writes to the file, its desk is asked over a socket.
    """
    from kantis.desk.submit import wall_clock
    from kantis.desk.writer import open_desk

    return open_desk(url, engine=engine, clock=clock or wall_clock)
