"""A disk whose power can fail: a file layer for SQLite that remembers what was synced.

Every write goes to the real file, so that the running process sees it; beside it stands
what a machine without power would find on its disk: only what was synced, or, when the
disk is a lucky one, some sectors of the rest. After ``fail_after`` operations every
further one fails, as if the machine had stopped; ``fail_once`` fails alone.
"""

import itertools
import random
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
_numbers = itertools.count(1)


class Medium:
    """One file: what is certainly on the disk, and what was written since."""

    def __init__(self, data: bytes = b"") -> None:
        self.synced = bytearray(data)
        self.pending: list[tuple[int, bytes | None]] = []

    def write(self, offset: int, data: bytes) -> None:
        self.pending.append((offset, data))

    def truncate(self, size: int) -> None:
        self.pending.append((size, None))

    def sync(self) -> None:
        for offset, data in self.pending:
            _apply(self.synced, offset, data)
        self.pending.clear()

    def after_power_cut(self, dice: random.Random, luck: float) -> bytes:
        """What is found: the synced part, and each later sector with a probability."""
        found = bytearray(self.synced)
        for offset, data in self.pending:
            if data is None:
                if dice.random() < luck:
                    _apply(found, offset, None)
                continue
            for start in range(0, len(data), SECTOR):
                if dice.random() < luck:
                    _apply(found, offset + start, data[start : start + SECTOR])
        return bytes(found)


def _apply(to: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del to[offset:]
        return
    if len(to) < offset:
        to.extend(bytes(offset - len(to)))
    to[offset : offset + len(data)] = data


class Disk(apsw.VFS):
    """The file layer. Register it under ``name`` by making one."""

    def __init__(self) -> None:
        self.name = f"disk-{next(_numbers)}"
        self.media: dict[str, Medium] = {}
        self.operations = 0
        self.fail_after = 1 << 60
        self.fail_once = 0
        super().__init__(self.name, base="")

    def step(self) -> None:
        """One operation of the machine, if it still has power."""
        self.operations += 1
        if self.operations > self.fail_after:
            raise apsw.IOError("the power is off")
        if self.operations == self.fail_once:
            raise apsw.IOError("the disk has a bad moment")

    def xOpen(self, name: Any, flags: list[int]) -> "File":  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return File(self, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self.step()
        self.media.pop(filename, None)
        super().xDelete(filename, syncdir)

    def cut(self, dice: random.Random, luck: float) -> dict[Path, bytes]:
        """What the next start finds on the disk."""
        return {
            Path(path): medium.after_power_cut(dice, luck) for path, medium in self.media.items()
        }


class File(apsw.VFSFile):
    """An open file on the disk."""

    def __init__(self, disk: Disk, path: str | None, name: Any, flags: list[int]) -> None:
        self.disk = disk
        self.medium = Medium()
        if path is not None:
            held = Path(path).read_bytes() if Path(path).exists() else b""
            self.medium = disk.media.setdefault(path, Medium(held))
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self.disk.step()
        super().xWrite(data, offset)
        self.medium.write(offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self.disk.step()
        super().xTruncate(newsize)
        self.medium.truncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self.disk.step()
        self.medium.sync()
