"""Key file: the keys of members, in a folder of their own beside the books.

Guarantee: a key is on the disk before it is used; one that was destroyed is overwritten and
never given again, so what it sealed cannot be opened any more, in no copy of the books
however old. The folder holds two files that only their owner can read: ``master``, with the
master key, and ``keys.db``, with the members' keys, which the master key wraps. Neither is
ever in the books. Whoever has two of the three, books, keys and master, reads no name.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

import apsw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct, json

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
MASTER: Final = "master"
KEYS: Final = "keys.db"
_OTHERS: Final = 0o077
_BUSY_MS: Final = 10_000


class Locked(Exception):
    """The keys cannot be used: a code, and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Keys(Protocol):
    """Who holds the keys: a folder, or a service that somebody connects.

    A member's key is 32 bytes. ``derived`` are secrets of the master keys for one purpose, by
    the number of the master key; the last one is in use, and there are others only while the
    master key is changed.
    """

    def make(self, members: Sequence[str]) -> dict[str, bytes]:
        """New keys, which are kept for good before they come back."""

    def find(self, members: Iterable[str]) -> dict[str, bytes]:
        """The keys of members; one that was destroyed, or never made, is missing."""

    def destroy(self, members: Sequence[str], at: int) -> None:
        """Destroy keys, for ever, and remember that."""

    def destroyed(self) -> dict[str, int]:
        """Whose keys were destroyed, and when."""

    def derived(self, purpose: str) -> dict[int, bytes]:
        """Secrets for a purpose, by the number of their master key, the one in use last."""


class _Masters(Struct):
    """The file of master keys. Two stand there while one takes the place of the other."""

    keys: dict[int, str]


def derive(master: bytes, purpose: str) -> bytes:
    """A secret for one purpose, from which no other and no master key can be found."""
    return HKDF(SHA256(), KEY_BYTES, None, f"kantis {purpose}".encode()).derive(master)


def wrap(key: bytes, about: str, secret: bytes) -> bytes:
    """Bytes sealed under a key, for one purpose or one member only."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, about.encode())


def unwrap(key: bytes, about: str, sealed: bytes) -> bytes:
    """What was sealed; ``Locked`` when this is not the key, or somebody changed the bytes."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode())
    except InvalidTag as error:
        message = "Personal data do not open with the key that is here. Bring back the right keys."
        raise Locked("keys-differ", message) from error


class FolderKeys:
    """Keys in a folder. Several processes may use it at once."""

    def __init__(self, folder: Path, *, new: bool = False) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._seen = (0, 0)
        self._masters: dict[int, bytes] = {}
        self._derived: dict[str, dict[int, bytes]] = {}
        if new:
            _begin(folder)
        self._load()
        self._db = apsw.Connection(str(folder / KEYS), flags=apsw.SQLITE_OPEN_READWRITE)
        self._db.set_busy_timeout(_BUSY_MS)
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA secure_delete = ON")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    # ── members' keys ────────────────────────────────────────────────────────

    def make(self, members: Sequence[str]) -> dict[str, bytes]:
        """New keys, which are on the disk before they come back."""
        made = {each: secrets.token_bytes(KEY_BYTES) for each in members}
        with self._lock:
            self._load()
            number, wrapping = self._wrapping()[-1]
            rows = [(each, number, wrap(wrapping, each, key)) for each, key in made.items()]
            with self._db:
                self._db.executemany("INSERT INTO key VALUES (?, ?, ?, NULL)", rows)
        return made

    def find(self, members: Iterable[str]) -> dict[str, bytes]:
        """The keys of members, without those that were destroyed."""
        wanted = json.encode(list(members)).decode()
        with self._lock:
            rows: list[Any] = self._db.execute(
                "SELECT k.member, k.master, k.wrapped FROM json_each(?) j "
                "CROSS JOIN key k ON k.member = j.value WHERE k.wrapped IS NOT NULL",
                (wanted,),
            ).fetchall()
            wrapping = dict(self._wrapping())
            if any(row[1] not in wrapping for row in rows):
                self._load()
                wrapping = dict(self._wrapping())
        try:
            return {member: unwrap(wrapping[n], member, data) for member, n, data in rows}
        except KeyError as error:
            message = f"Master key {error} is not in {self.folder / MASTER}. Bring it back."
            raise Locked("master-missing", message) from error

    def destroy(self, members: Sequence[str], at: int) -> None:
        """Overwrite keys, and remember whose they were."""
        rows = [(each, at) for each in members]
        with self._lock, self._db:
            self._db.executemany(
                "INSERT INTO key VALUES (?, 0, NULL, ?) ON CONFLICT (member) DO UPDATE "
                "SET wrapped = NULL, destroyed = coalesce(destroyed, excluded.destroyed)",
                rows,
            )

    def destroyed(self) -> dict[str, int]:
        """Whose keys were destroyed, and when."""
        with self._lock:
            found = "SELECT member, destroyed FROM key WHERE destroyed IS NOT NULL"
            rows: list[Any] = self._db.execute(found).fetchall()
            return dict(rows)

    def count(self) -> int:
        """How many keys there are."""
        with self._lock:
            found: list[Any] = self._db.execute("SELECT count(wrapped) FROM key").fetchall()
            return int(found[0][0])

    # ── master keys ──────────────────────────────────────────────────────────

    def derived(self, purpose: str) -> dict[int, bytes]:
        """Secrets for a purpose, by the number of their master key."""
        with self._lock:
            self._load()
            if purpose not in self._derived:
                self._derived[purpose] = {
                    number: derive(master, purpose) for number, master in self._masters.items()
                }
            return self._derived[purpose]

    def _wrapping(self) -> list[tuple[int, bytes]]:
        return list(self.derived("wrapping").items())

    def _load(self) -> None:
        """Read the master keys, again when another process has changed them."""
        path = self.folder / MASTER
        try:
            about = path.stat()
            seen = about.st_mtime_ns, about.st_ino
            if seen == self._seen:
                return
            said = json.decode(path.read_bytes(), type=_Masters)
            found = {n: bytes.fromhex(said.keys[n]) for n in sorted(said.keys)}
        except FileNotFoundError as error:
            message = (
                f"The master key is missing: there is no {path}. Bring it back, or say with "
                "KANTIS_VAULT in which folder it is."
            )
            raise Locked("master-missing", message) from error
        except (ValueError, OSError) as error:
            message = f"The master key cannot be read from {path}. Bring it back."
            raise Locked("master-unreadable", message) from error
        if not found or any(len(key) != KEY_BYTES for key in found.values()):
            raise Locked("master-unreadable", f"There is no master key in {path}. Bring it back.")
        self._seen, self._masters, self._derived = seen, found, {}

    def begin_rotation(self) -> int:
        """Make another master key, unless a change is under way; the number of the one in use."""
        with self._lock:
            self._load()
            if len(self._masters) == 1:
                number = max(self._masters) + 1
                _write(self.folder, self._masters | {number: secrets.token_bytes(KEY_BYTES)})
                self._load()
            return max(self._masters)

    def wrap_again(self, count: int) -> int:
        """Wrap some keys that older master keys wrap with the one in use; how many there were."""
        with self._lock, self._db:
            wrapping = dict(self._wrapping())
            number = max(wrapping)
            rows: list[Any] = self._db.execute(
                "SELECT member, master, wrapped FROM key WHERE wrapped IS NOT NULL "
                "AND master <> ? LIMIT ?",
                (number, count),
            ).fetchall()
            again = [
                (number, wrap(wrapping[number], each, unwrap(wrapping[old], each, data)), each)
                for each, old, data in rows
            ]
            self._db.executemany("UPDATE key SET master = ?, wrapped = ? WHERE member = ?", again)
        return len(rows)

    def end_rotation(self) -> None:
        """Forget all master keys but the one in use."""
        with self._lock:
            self._load()
            number = max(self._masters)
            _write(self.folder, {number: self._masters[number]})
            self._load()


def _begin(folder: Path) -> None:
    """A folder with a master key and no members' keys, unless another process was faster."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (folder / MASTER).exists() and not (folder / KEYS).exists():
            _fill(folder)
    finally:
        os.close(held)


def _fill(folder: Path) -> None:
    _write(folder, {1: secrets.token_bytes(KEY_BYTES)})
    path = folder / KEYS
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = apsw.Connection(str(path))
    db.execute(
        "CREATE TABLE key (member TEXT PRIMARY KEY, master INTEGER NOT NULL, wrapped BLOB, "
        "destroyed INTEGER) STRICT, WITHOUT ROWID;"
        "CREATE INDEX key_destroyed ON key (destroyed) WHERE destroyed IS NOT NULL"
    )
    db.close()


def _write(folder: Path, masters: dict[int, bytes]) -> None:
    """Write the master keys whole or not at all."""
    path, draft = folder / MASTER, folder / f".{MASTER}.{os.getpid()}"
    said = json.format(json.encode(_Masters({n: key.hex() for n, key in masters.items()})))
    try:
        with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(said + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        held = os.open(folder, os.O_RDONLY)
        os.fsync(held)
        os.close(held)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def faults(folder: Path) -> list[tuple[str, str]]:
    """What is wrong with a folder of keys: codes and sentences."""
    found = []
    for name in (MASTER, KEYS):
        path = folder / name
        if not path.is_file():
            found.append(
                ("keys-missing", f"There is no {path}: without it no personal data can be read. "
                 "Bring it back, or say with KANTIS_VAULT in which folder it is.")
            )  # fmt: skip
        elif path.stat().st_mode & _OTHERS:
            found.append(("keys-open", f"Others than the owner can use {path}: chmod 600 {path}"))
    if not found:
        with suppress(OSError):
            if folder.stat().st_mode & _OTHERS:
                found.append(("keys-open", f"Others can look into {folder}: chmod 700 {folder}"))
    return found
