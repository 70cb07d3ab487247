"""Lease: which process writes to a SQLite file.

Guarantee: of all processes on a machine one at a time has it; the system takes it back
when the process ends, however it ends. The file beside the books names who has it.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

#: Files whose lease this process has: the system would give it to itself a second time.
_held: dict[str, int] = {}


class Lease:
    """The right to write to one file."""

    def __init__(self, path: Path, file: IO[str]) -> None:
        self.path, self._file = path, file

    def release(self) -> None:
        """Let somebody else write."""
        _held.pop(str(self.path), None)
        self._file.close()


def take(books: Path) -> Lease | None:
    """The lease of a file of books, or ``None`` when somebody has it."""
    path = lock_file(books)
    if _held.get(str(path)) == os.getpid():
        return None
    file = path.open("a+")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    _held[str(path)] = os.getpid()
    return Lease(path, file)


def lock_file(books: Path) -> Path:
    """The file that the lease is held on."""
    return books.with_name(books.name + ".lease")


def holder(books: Path) -> str:
    """The process that has the lease, as its file says."""
    try:
        return lock_file(books).read_text().strip() or "unknown"
    except OSError:
        return "unknown"


def is_held(file: Path) -> bool:
    """Whether a process has the lock of a file, such as a lease; nothing is changed by asking."""
    if _held.get(str(file)) == os.getpid():
        return True  # asking the system would give it away
    try:
        with file.open("r+") as asked:
            fcntl.lockf(asked, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
