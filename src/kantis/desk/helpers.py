"""Helpers: several processes that read the books as of the same instant.

The proofs take one account after the other, so ranges of accounts can be proved side by
side. Each helper opens the books for itself; nobody writes while they all fix the instant.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any

from kantis.store.books import Books

#: A piece of work: a function of frozen books and these values; what it gives comes back.
Job = tuple[Callable[..., Any], tuple[Any, ...]]


@contextmanager
def helpers(books: Books, frozen: Books, count: int) -> Iterator[list[Connection]]:
    """So many processes that see the books as ``frozen`` does, which is frozen here too."""
    context = multiprocessing.get_context("spawn")
    pairs = [context.Pipe() for _ in range(count)]
    processes = [
        context.Process(target=_help, args=(type(books), books.address, there), daemon=True)
        for _, there in pairs
    ]
    lines = [here for here, _ in pairs]
    for process in processes:
        process.start()
    try:
        for line in lines:
            line.recv()
        with books.still():
            token = frozen.freeze()
            for line in lines:
                line.send(token)
            for line in lines:
                line.recv()
        yield lines
        for line in lines:
            line.send(None)
        for process in processes:
            process.join()
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
                process.join()
        for here, there in pairs:
            here.close()
            there.close()


def _help(kind: type[Books], address: str, line: Connection) -> None:
    with kind.at(address, write=False) as books:
        line.send("ready")
        books.freeze(line.recv())
        line.send("frozen")
        while (job := line.recv()) is not None:
            function, values = job
            line.send(function(books, *values))


def share(lines: list[Connection], jobs: Sequence[Job], done: Callable[[Any], None]) -> None:
    """Give the jobs to whoever is free; ``done`` gets each outcome as it comes."""
    waiting = list(reversed(jobs))
    busy = []
    for line in lines:
        if waiting:
            line.send(waiting.pop())
            busy.append(line)
    while busy:
        for line in [each for each in busy if each in wait(busy)]:
            done(line.recv())
            if waiting:
                line.send(waiting.pop())
            else:
                busy.remove(line)
